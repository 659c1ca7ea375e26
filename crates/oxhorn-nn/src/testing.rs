//! What tests of several objects need.

use oxhorn_ir::{Error, Result, Tensor, Trace, Type};

use crate::{
    config::{Config, Json},
    layer::AnyLayer,
    metrics::Metric,
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

/// The mistake that a metric makes of labels and predictions of these shapes.
pub(crate) fn metric_error(metric: &Metric, y_true: &[usize], y_pred: &[usize]) -> Error {
    let (trace, declared) = (Trace::new("test"), Declarations::new());
    let cx = Scope::new(&trace, &declared, Mode::Infer);
    let y_true = trace.input("y_true", Type::f32(y_true));
    metric.get().expect("a metric").update(&cx, y_true, f32_input(&trace, y_pred), None);
    trace.error().expect("a mistake")
}

/// The mistake in a dictionary that describes a `T`.
pub(crate) fn read_error<T: Config>(config: Json) -> Error {
    T::from_config(config.as_object().expect("a dictionary")).expect_err("a mistake")
}
