//! One file per op: its types, its text form, its gradient, its meaning, its tests.

mod argmax;
mod binary;
mod broadcast;
mod cast;
mod compare;
mod concatenate;
mod fill;
mod gather;
mod iota;
mod leaf;
mod matmul;
mod pad;
mod random_bits;
mod reduce;
mod reshape;
mod scatter_add;
mod select;
mod slice;
mod transpose;
mod unary;

pub use self::{
    argmax::ArgMax,
    binary::Binary,
    broadcast::Broadcast,
    cast::Cast,
    compare::Compare,
    concatenate::Concatenate,
    fill::Fill,
    gather::Gather,
    iota::Iota,
    leaf::{Leaf, Role},
    matmul::MatMul,
    pad::Pad,
    random_bits::{RandomBits, threefry},
    reduce::{Axes, Reduce, Reduction},
    reshape::Reshape,
    scatter_add::ScatterAdd,
    select::Select,
    slice::Slice,
    transpose::Transpose,
    unary::Unary,
};
