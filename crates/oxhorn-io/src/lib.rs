//! Files of weights and models, as plain data: what Keras, NumPy and safetensors write, both ways.
//!
//! The tour, first to last: [`Tensor`], numbers with a shape; [`Group`], the tree that HDF5 and
//! Keras keep them in, and [`Tensors`], the flat view of one; the formats, a module each:
//! [`h5`], [`keras`], [`npz`], [`safetensors`], and [`onnx`], which is only written; [`config`],
//! which reads JSON; [`seal`], the checksum over every byte of a file that was written here;
//! [`disk`], which reads whole files, and replaces them so that a reader finds the old one or the
//! new one, whatever happens in between.
//!
//! Every reader takes bytes that nobody vouches for. It opens no other file, follows no link, runs
//! nothing, and checks every size against the bytes at hand before it allocates.
//!
//! This crate knows no layers.
//!
//! ```
//! use oxhorn_io::{Group, Tensor, h5};
//!
//! let mut root = Group::default();
//! root.insert("layers/dense/vars/0", Tensor::of([2, 3], &[0.5f32; 6]))?;
//! root.group_mut("layers/dense/vars")?.attributes.insert("name".into(), "dense".into());
//! let read = h5::read(h5::write(&root)?)?;
//! assert_eq!(read, root);
//! # Ok::<(), oxhorn_ir::Error>(())
//! ```

pub mod config;
mod container;
pub mod disk;
mod file_bytes;
mod format;
mod group;
pub mod h5;
pub mod keras;
mod limits;
pub mod npz;
pub mod onnx;
pub mod safetensors;
pub mod seal;
mod tensor;

pub use self::{
    file_bytes::FileBytes,
    format::Format,
    group::{Attribute, Dataset, Group, Member, Tensors},
    tensor::{Element, Number, Tensor},
};
