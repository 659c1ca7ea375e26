//! The op vocabulary: a closed set of open files.
//!
//! *Closed*, so that executors match on [`Op`] exhaustively and the compiler lists the kernels a
//! new op still lacks. *Open files*, so that all else known of an op stands in one place:
//! `ops/matmul.rs` holds its types, its text form, its gradient and its meaning.

use std::fmt;

use crate::{Array, Attributes, Result, Tensor, Type, ops::*};

/// One cotangent for each argument; `None` where no gradient flows.
pub type Cotangents<'g> = Vec<Option<Tensor<'g>>>;

/// What the graph must know of an op. Kernels are not here: they belong to the executors.
pub trait Rule {
    /// The op as the text format prints it.
    fn name(&self) -> &'static str;

    /// How many arguments the op takes; `None` if any number.
    fn arity(&self) -> Option<usize>;

    /// What the text format prints after the arguments: `axes=[0, 1]`.
    fn attributes(&self) -> Attributes {
        Attributes::default()
    }

    /// The type of the result, or why these arguments do not fit.
    fn infer(&self, args: &[&Type]) -> Result<Type>;

    /// Given `y = op(x)` and the cotangent `dy` of `y`, the cotangents of `x`.
    fn vjp<'g>(&self, y: Tensor<'g>, x: &[Tensor<'g>], dy: Tensor<'g>) -> Cotangents<'g>;

    /// The meaning of the op, in the plainest loops that express it: the yardstick of every kernel.
    fn reference(&self, args: &[&Array], ty: &Type) -> Array;
}

macro_rules! ops {
    ($($name:ident)*) => {
        /// Every op there is.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum Op {
            $(#[doc = concat!("See [`", stringify!($name), "`].")] $name($name)),*
        }

        impl Op {
            /// What the graph must know of this op.
            pub fn rule(&self) -> &dyn Rule {
                match self { $(Op::$name(op) => op),* }
            }

            /// The op that the text format calls `name`; `ty` is the type the text declares.
            pub(crate) fn parse(
                name: &str,
                attributes: &Attributes,
                ty: &Type,
            ) -> Result<Option<Op>> {
                $(if let Some(op) = $name::parse(name, attributes, ty)? {
                    return Ok(Some(Op::$name(op)));
                })*
                Ok(None)
            }
        }

        $(impl From<$name> for Op {
            fn from(op: $name) -> Op { Op::$name(op) }
        })*
    };
}

ops! {
    // Leaves.
    Leaf Fill Iota RandomBits
    // Elementwise.
    Unary Binary Compare Select Cast
    // Shape.
    Reshape Transpose Broadcast Slice Pad Concatenate
    // Indexing.
    Gather ScatterAdd
    // Contraction.
    Reduce ArgMax MatMul
}

/// The op without its arguments: `sum axes=[0]`.
impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.rule().name(), self.rule().attributes())
    }
}
