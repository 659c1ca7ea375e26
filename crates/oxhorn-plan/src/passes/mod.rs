//! Passes from graph to graph: each leaves what the graph means, to rounding, as it was.

mod masks;
mod simplify;

pub use self::{masks::forget_masks, simplify::simplify};
