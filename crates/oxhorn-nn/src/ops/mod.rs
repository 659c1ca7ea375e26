//! `keras.ops` and `keras.random`: functions of tensors, each written into a trace.
//!
//! [`functions`] is the table of all of them: name, signature and meaning, from which whoever
//! stands at a border (Python's, for one) makes his wrappers. A [`Function`] takes [`Arguments`],
//! which know Keras' defaults and which types numbers and tensors take beside each other, and
//! writes ops of the graph; there is no kernel and no gradient here. What the graph's vocabulary
//! cannot express is not in the table, and [`missing`] names it.
//!
//! ```
//! use oxhorn_ir::{Trace, Type};
//! use oxhorn_nn::ops::{self, Argument, Outcome};
//!
//! let trace = Trace::new("example");
//! let x = Argument::Tensor(trace.input("x", Type::f32([2, 3])));
//! let logsumexp = ops::find("logsumexp", None).expect("it is there");
//! let axis = ("axis".to_owned(), Argument::Int(-1));
//! let Outcome::One(y) = logsumexp.apply(&trace, vec![x], vec![axis])? else { unreachable!() };
//! assert_eq!(y.ty(), Type::f32([2]));
//! # Ok::<(), oxhorn_ir::Error>(())
//! ```

mod activation;
mod arguments;
mod binary;
mod contract;
mod conv;
mod creation;
mod diagonals;
mod elementwise;
mod elimination;
mod fourier;
mod indexing;
mod joining;
mod linear;
mod logic;
mod names;
mod nan_reductions;
mod normalization;
mod random;
mod reductions;
mod scans;
mod scatter;
mod shapes;
mod signature;
mod slicing;
mod sorting;
mod trigonometry;
mod types;

use oxhorn_ir::{Result, Tensor, Trace};

pub(crate) use self::sorting::ascending as ranks;
pub use self::{
    arguments::{Argument, Arguments},
    signature::{Kind, Parameter},
    types::dtype_name,
};

/// One function of `keras.ops` or `keras.random`.
pub struct Function {
    /// Its name: `logsumexp`.
    pub name: &'static str,
    /// Where Keras keeps it: `core`, `numpy`, `nn`, `math`, `linalg` or `random`.
    pub family: &'static str,
    /// Its parameters, as Keras writes them: `x, axis=None, keepdims=False`.
    pub signature: &'static str,
    /// What it gives.
    pub doc: &'static str,
    /// Writes it into the trace of its arguments.
    pub call: Call,
}

/// What writes a function into the trace of its arguments.
pub type Call = for<'a, 'g> fn(&'a Arguments<'g>) -> Result<Outcome<'g>>;

/// What a function gives.
pub enum Outcome<'g> {
    /// A tensor.
    One(Tensor<'g>),
    /// Several tensors, a list or a tuple.
    Many(Vec<Tensor<'g>>),
    /// What is known without running anything: a shape, a name, a number.
    Static(Argument<'g>),
}

impl Function {
    /// The function `name(signature)` of a family, with the doc comment that describes it.
    const fn new(
        family: &'static str,
        head: &'static str,
        doc: &'static str,
        call: Call,
    ) -> Function {
        let (mut open, bytes) = (0, head.as_bytes());
        while bytes[open] != b'(' {
            open += 1;
        }
        let (name, rest) = head.split_at(open);
        let (signature, _) = rest.split_at(rest.len() - 1);
        // Doc comments begin with a space.
        Function { name, family, signature: signature.split_at(1).1, doc: doc.split_at(1).1, call }
    }

    /// Its parameters, in their order.
    pub fn parameters(&self) -> Vec<Parameter> {
        signature::parameters(self.signature)
    }

    /// Writes it into a trace.
    ///
    /// # Errors
    ///
    /// If the arguments do not fit the signature, or each other.
    pub fn apply<'g>(
        &'static self,
        trace: &'g Trace,
        positional: Vec<Argument<'g>>,
        named: Vec<(String, Argument<'g>)>,
    ) -> Result<Outcome<'g>> {
        let outcome = (self.call)(&Arguments::new(trace, self, positional, named)?)?;
        match trace.error() {
            Some(error) => Err(error),
            None => Ok(outcome),
        }
    }
}

impl<'g> From<Tensor<'g>> for Outcome<'g> {
    fn from(x: Tensor<'g>) -> Outcome<'g> {
        Outcome::One(x)
    }
}

impl<'g> From<Vec<Tensor<'g>>> for Outcome<'g> {
    fn from(x: Vec<Tensor<'g>>) -> Outcome<'g> {
        Outcome::Many(x)
    }
}

/// A table of functions of one family: signature, doc comment and formula of each.
macro_rules! table {
    ($table:ident $family:literal: $($(#[doc = $doc:literal])+ $head:literal => $call:expr;)*) => {
        pub(super) const $table: &[$crate::ops::Function] = &[
            $($crate::ops::Function::new($family, $head, concat!($($doc),+), $call)),*
        ];
    };
}
use table;

/// All tables, file by file.
const TABLES: &[&[Function]] = &[
    activation::NN,
    binary::NUMPY,
    contract::NUMPY,
    conv::NN,
    creation::CORE,
    creation::NUMPY,
    diagonals::NUMPY,
    elementwise::CORE,
    elementwise::MATH,
    elementwise::NUMPY,
    elimination::LINALG,
    elimination::MATH,
    elimination::NUMPY,
    fourier::MATH,
    indexing::MATH,
    indexing::NN,
    indexing::NUMPY,
    joining::CORE,
    joining::NUMPY,
    linear::LINALG,
    linear::MATH,
    linear::NUMPY,
    logic::CORE,
    logic::NUMPY,
    nan_reductions::NUMPY,
    normalization::MATH,
    normalization::NN,
    random::RANDOM,
    reductions::MATH,
    reductions::NN,
    reductions::NUMPY,
    scans::NUMPY,
    scatter::CORE,
    scatter::MATH,
    shapes::CORE,
    shapes::NUMPY,
    slicing::CORE,
    slicing::NUMPY,
    sorting::MATH,
    sorting::NUMPY,
    trigonometry::NUMPY,
];

/// Every function there is.
pub fn functions() -> impl Iterator<Item = &'static Function> {
    TABLES.iter().flat_map(|table| table.iter())
}

/// The function of this name, in a family or in `keras.ops` as a whole, to which those of
/// `keras.random` do not belong.
pub fn find(name: &str, family: Option<&str>) -> Option<&'static Function> {
    let fits = |it: &&Function| family.map_or(it.family != "random", |family| it.family == family);
    functions().filter(fits).find(|it| it.name == name)
}

/// The functions of `keras.ops` that are not there.
pub fn missing() -> impl Iterator<Item = &'static str> {
    names::ALL.iter().flat_map(|names| names.split(' ')).filter(|name| find(name, None).is_none())
}
