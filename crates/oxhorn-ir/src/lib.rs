//! Oxhorn's graphs: what is computed, before anyone decides how.
//!
//! The tour, first to last: [`Type`] and [`DType`]; [`Graph`], [`Node`] and [`Value`]; the ops,
//! one file each, behind [`Op`] and [`Rule`]; [`Trace`] and [`Tensor`], which write graphs as
//! formulas; [`grad`], which extends a graph by its gradient; [`text`], which prints and parses;
//! [`verify`], which checks; [`Rewriter`], which passes are
//! written with; [`interpret`], which runs the ops' own definitions and is the oracle
//! for everything faster.
//!
//! This crate knows neither Keras nor memory.
//!
//! ```
//! use oxhorn_ir::{Array, Trace, Type, grad, interpret::interpret, prune};
//!
//! let trace = Trace::new("slope");
//! let x = trace.input("x", Type::f32([3]));
//! let loss = (x * x).sum(..);
//! let slope = grad(loss, &[x])[0].value();
//! let graph = prune(&trace.finish(&[slope])?);
//!
//! let text = r#"
//! graph slope {
//!     %0 = input "x"                 : f32[3]
//!     %1 = fill value=1.0            : f32[]
//!     %2 = reshape %1                : f32[1]
//!     %3 = broadcast %2              : f32[3]
//!     %4 = mul %3 %0                 : f32[3]
//!     %5 = mul %3 %0                 : f32[3]
//!     %6 = add %4 %5                 : f32[3]
//!     return %6
//! }
//! "#;
//! assert_eq!(graph.to_string().trim(), text.trim());
//!
//! let results = interpret(&graph, &[Array::new([3], vec![1.0, 2.0, 3.0])])?;
//! assert_eq!(results.outputs[0].data, [2.0, 4.0, 6.0]);
//! # Ok::<(), oxhorn_ir::Error>(())
//! ```

mod array;
mod attributes;
mod error;
mod grad;
mod graph;
pub mod interpret;
mod op;
mod ops;
mod rewrite;
pub mod testing;
pub mod text;
mod trace;
mod types;
pub mod verify;

pub use self::{
    array::Array,
    attributes::{Attribute, Attributes},
    error::{Error, Result},
    grad::grad,
    graph::{Graph, Node, Value},
    op::{Cotangents, Op, Rule},
    ops::*,
    rewrite::{Rewriter, prune},
    trace::{Operand, Tensor, Trace},
    types::{DType, Type},
};
