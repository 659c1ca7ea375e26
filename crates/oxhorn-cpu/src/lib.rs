//! Runs Oxhorn's programs on the CPU, allocating nothing.
//!
//! A program is loaded once ([`Executable::load`]): kernels are chosen for the [`Device`]'s
//! instruction set and element types, and every operand becomes an address. Running then only
//! runs. The same program over the same numbers gives the same bits for any number of threads, and
//! on every instruction set that has a fused multiply-add (see [`isa::Isa::fuses`]).
//!
//! This crate does not know what a layer is.

mod device;
mod executable;
pub mod isa;
pub mod kernels;
mod lanes;
mod load;
pub mod math;
mod memory;
mod moves;
pub mod pool;
pub mod product;
pub mod threefry;
mod tile;
mod weights;

pub use self::{
    device::Device, executable::Executable, isa::Isa, memory::Number, weights::Weights,
};
