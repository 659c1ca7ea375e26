//! `Identity`: nothing at all.

use crate::prelude::*;

/// Passes its input on unchanged: a place where another layer may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Config)]
#[config(class = "keras.layers.Identity", shape = ".. -> ..")]
pub struct Identity;

impl Layer for Identity {
    fn call<'g>(&self, _: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        x
    }
}
