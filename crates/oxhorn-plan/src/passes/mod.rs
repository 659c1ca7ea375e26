//! Passes from graph to graph: each leaves what the graph means, to rounding, as it was.

mod simplify;

pub use self::simplify::simplify;
