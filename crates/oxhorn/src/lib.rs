//! Placeholder.

pub mod categorical;
pub mod history;
pub mod progress;
pub mod random;
pub mod summary;
