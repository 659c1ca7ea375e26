//! What tests of several objects need.

use oxhorn_ir::{Error, Result, Tensor, Trace, Type};

use crate::{
    layer::AnyLayer,
    scope::{Declarations, Mode, Scope},
};

/// An input of this shape.
pub(crate) fn f32_input<'g>(trace: &'g Trace, shape: &[usize]) -> Tensor<'g> {
    trace.input("x", Type::f32(shape))
}

/// The text of the graph of a layer called "layer".
pub(crate) fn layer_text(layer: impl Into<AnyLayer>, mode: Mode, shape: &[usize]) -> String {
    let (trace, declared) = (Trace::new("test"), Declarations::new());
    let cx = Scope::new(&trace, &declared, mode);
    let y = cx.layer("layer", &layer.into(), f32_input(&trace, shape)).value();
    drop(cx);
    trace.finish(&[y]).expect("no mistake").to_string()
}

/// The mistake that a layer called "layer" makes in training.
pub(crate) fn layer_error(layer: impl Into<AnyLayer>, shape: &[usize]) -> Error {
    let (trace, declared) = (Trace::new("test"), Declarations::new());
    let cx = Scope::new(&trace, &declared, Mode::Train);
    cx.layer("layer", &layer.into(), f32_input(&trace, shape));
    trace.error().expect("a mistake")
}

/// The type of what a layer called "layer" makes of inputs of these types, or its mistake.
pub(crate) fn merged(layer: impl Into<AnyLayer>, inputs: &[Type]) -> Result<Type> {
    let (trace, declared) = (Trace::new("test"), Declarations::new());
    let cx = Scope::new(&trace, &declared, Mode::Train);
    let inputs: Vec<Tensor> = inputs.iter().map(|ty| trace.input("x", ty.clone())).collect();
    let y = cx.layer_all("layer", &layer.into(), &inputs).ty();
    trace.error().map_or(Ok(y), Err)
}

/// The mistake that the penalties for a layer's weights make.
pub(crate) fn losses_error(layer: impl Into<AnyLayer>, shape: &[usize]) -> Error {
    let (trace, declared) = (Trace::new("test"), Declarations::new());
    let cx = Scope::new(&trace, &declared, Mode::Train);
    cx.layer("layer", &layer.into(), f32_input(&trace, shape));
    cx.losses();
    trace.error().expect("a mistake")
}
