//! From graph to program: simplify, fuse, order, place.
//!
//! [`compile`] takes a [`Graph`](oxhorn_ir::Graph) and makes every decision that can be made before
//! anything runs: which nodes share a loop ([`fuse`]), what each loop's instructions are
//! ([`lower`]), where every byte lives ([`memory`]). The result, a [`Program`], is data: it prints,
//! it is verified by replay, and any executor can load it.
//!
//! This crate knows neither Keras nor the processor.

mod compile;
pub mod fuse;
pub mod lower;
pub mod memory;
pub mod passes;
mod program;

pub use self::{
    compile::compile,
    program::{
        Action, Buffer, BufferId, CopyKernel, Destination, Instruction, Kernel, Loop, Operand,
        Place, Product, Program, RowAction, Span, Step, Walk,
    },
};
