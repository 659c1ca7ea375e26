//! What all activations have in common.

use oxhorn_ir::Tensor;

use super::{CLASSES, Linear};
use crate::{
    config::{Class, Json, Object},
    handle::{Handle, category},
};

/// A function that a layer applies to its result.
pub trait Activate: Object {
    /// Writes the function into the graph.
    fn call<'g>(&self, x: Tensor<'g>) -> Tensor<'g>;
}

/// An activation, or its name.
pub type Activation = Handle<dyn Activate>;

category! {
    Activate, "activation function", CLASSES,

    fn identifier(class: &Class<dyn Activate>) -> String {
        class.name().to_owned()
    }

    fn answers(class: &Class<dyn Activate>, text: &str) -> bool {
        text == class.name() || class.aliases.contains(&text)
    }

    fn absent() -> Option<Activation> {
        Some(Activation::default())
    }

    /// The name where there is nothing to say besides: Keras writes functions by name.
    fn write(handle: &Activation) -> Json {
        if handle.name().is_some() {
            return handle.as_given();
        }
        let envelope = handle.envelope();
        let name = envelope["class_name"].as_str().unwrap_or_default();
        let plain = Activation::from(name).envelope() == envelope;
        if plain { name.into() } else { envelope }
    }
}

impl Activation {
    /// Applies the function; an unknown name becomes the trace's mistake.
    pub fn apply<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        match self.get() {
            Ok(activation) => activation.call(x),
            Err(error) => x.trace().fail(error),
        }
    }
}

impl Default for Activation {
    fn default() -> Activation {
        Linear::new().into()
    }
}
