//! `Add`, `Multiply`, `Maximum` and `Minimum`: any number of inputs, element by element.

use super::align::fold;
use crate::prelude::*;

/// Each struct with how two inputs join.
macro_rules! merging {
    ($($(#[$meta:meta])* pub struct $name:ident = |$a:ident, $b:ident| $formula:expr;)*) => {$(
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Config)]
        $(#[$meta])*
        pub struct $name;

        impl Layer for $name {
            fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
                self.call_all(cx, &[x])
            }

            fn call_all<'g>(&self, cx: &Scope<'g>, inputs: &[Tensor<'g>]) -> Tensor<'g> {
                fold(cx, inputs, |$a, $b| $formula)
            }
        }
    )*};
}

merging! {
    /// The sum of its inputs, element by element.
    ///
    /// Inputs have the same number of samples. Their other axes are stretched where their extent
    /// is 1, and put in behind the samples where an input has fewer.
    #[config(class = "keras.layers.Add", shape = "[batch ..each] -> batch ..joint")]
    pub struct Add = |a, b| a + b;

    /// The product of its inputs, element by element; shapes are as for [`Add`].
    #[config(class = "keras.layers.Multiply", shape = "[batch ..each] -> batch ..joint")]
    pub struct Multiply = |a, b| a * b;

    /// The greatest of its inputs, element by element; shapes are as for [`Add`].
    ///
    /// Where two are greatest, each has half of the gradient.
    #[config(class = "keras.layers.Maximum", shape = "[batch ..each] -> batch ..joint")]
    pub struct Maximum = |a, b| a.maximum(b);

    /// The least of its inputs, element by element; shapes are as for [`Add`].
    ///
    /// Where two are least, each has half of the gradient.
    #[config(class = "keras.layers.Minimum", shape = "[batch ..each] -> batch ..joint")]
    pub struct Minimum = |a, b| a.minimum(b);
}
