//! The loops that programs are made of, looked up by op, element type and instruction set.

pub mod chains;
pub mod elementwise;
pub mod pairs;
pub mod positions;
pub mod reduce;
pub mod rows;

#[cfg(test)]
mod testing;
