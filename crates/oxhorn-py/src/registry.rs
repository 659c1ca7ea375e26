//! Keras' objects, which Rust has, called from Python: an object is its envelope.

use oxhorn::Result;
use oxhorn_ir::{DType, Tensor as Traced, Trace, Type, ensure};
use oxhorn_nn::{
    AnyLayer, Declarations, Initial, Mode, Scope,
    activations::Activation,
    config::Field,
    constraints::Constraint,
    initializers::{Initializer, Randomness},
    losses::Loss,
    metrics::Metric,
    ops,
    optimizers::Optimizer,
    regularizers::Regularizer,
    schedules::LearningRateSchedule,
    techniques::{self, Technique},
};
use pyo3::{
    exceptions::{PyNotImplementedError, PyValueError},
    prelude::*,
    types::{PyDict, PyList, PyTuple},
};

use crate::{
    arguments, arrays,
    engine::open,
    errors::for_python,
    scope::{self, with, write},
    tensor::Tensor,
};

/// Rejects an object whose settings are wrong, whatever it is used for.
#[pyfunction]
pub(crate) fn check(category: &str, envelope: &str) -> PyResult<()> {
    fn of<T: Field>(envelope: &str, check: impl FnOnce(T) -> Result<()>) -> PyResult<()> {
        for_python(check(open::<T>(envelope)?))
    }
    match category {
        "layers" => for_python(layer(envelope)?.check()),
        "activations" => of(envelope, |it: Activation| it.get().map(drop)),
        "initializers" => of(envelope, |it: Initializer| it.get()?.check()),
        "regularizers" => of(envelope, |it: Regularizer| it.get()?.check()),
        "constraints" => of(envelope, |it: Constraint| it.get()?.check()),
        "losses" => of(envelope, |it: Loss| it.get()?.check()),
        "metrics" => of(envelope, |it: Metric| it.get()?.check()),
        "optimizers" => of(envelope, |it: Optimizer| it.check()),
        "techniques" => of(envelope, |it: Technique| it.check()),
        "schedules" => of(envelope, |it: LearningRateSchedule| it.get()?.check()),
        other => Err(PyValueError::new_err(format!("there is no category `{other}`"))),
    }
}

/// Rejects techniques that cannot be used together.
#[pyfunction]
pub(crate) fn check_techniques(envelopes: Vec<String>) -> PyResult<()> {
    let all = envelopes.iter().map(|envelope| open::<Technique>(envelope));
    for_python(techniques::check_together(&all.collect::<PyResult<Vec<_>>>()?))
}

fn layer(envelope: &str) -> PyResult<AnyLayer> {
    let json = serde_json::from_str(envelope)
        .map_err(|error| PyValueError::new_err(format!("{envelope} is not JSON: {error}")))?;
    for_python(AnyLayer::open(&json))
}

/// What a layer gives for these inputs; its variables are those whose keys begin with `key`.
#[pyfunction]
pub(crate) fn apply_layer(
    envelope: &str,
    key: &str,
    inputs: Vec<Bound<'_, Tensor>>,
    training: bool,
    trainable: bool,
) -> PyResult<Tensor> {
    let layer = AnyLayer { trainable, ..layer(envelope)? };
    write(|scope, serial| {
        let inputs = inputs.iter().map(|x| x.get().traced(scope, serial));
        let inputs = inputs.collect::<PyResult<Vec<_>>>()?;
        let mode = match scope.mode() {
            _ if training => Mode::Train,
            Mode::Train => Mode::Infer,
            // Python knows two modes only: what it does not train is sampled, if anything is.
            other => other,
        };
        Ok(scope.in_mode(mode).layer_all(key, &layer, &inputs))
    })
}

/// The mean of outputs for one input under different noise, whose loss is the mean of theirs.
#[pyfunction]
pub(crate) fn ensemble(members: Vec<Bound<'_, Tensor>>) -> PyResult<Tensor> {
    write(|scope, serial| {
        let members = members.iter().map(|member| member.get().traced(scope, serial));
        Ok(scope.ensemble(members.collect::<PyResult<Vec<_>>>()?))
    })
}

/// The shape of an input or output, `None` where it is open, and its element type.
type OpenType = (Vec<Option<usize>>, String);

/// The variables of a layer, each a dictionary; its numbers; and the type of its output.
type Wishes<'py> = (Vec<Bound<'py, PyDict>>, Vec<(String, f64)>, OpenType);

/// What a layer asks for when it is called on inputs of these types.
#[pyfunction]
pub(crate) fn layer_variables<'py>(
    py: Python<'py>,
    envelope: &str,
    inputs: Vec<OpenType>,
) -> PyResult<Wishes<'py>> {
    let layer = AnyLayer { trainable: true, ..layer(envelope)? };
    let traced = |extent: usize| -> PyResult<(Declarations, Type)> {
        let types =
            inputs.iter().map(|input| closed(input, extent)).collect::<PyResult<Vec<_>>>()?;
        let declared = Declarations::new();
        let output = |mode| -> PyResult<Type> {
            let trace = Trace::new("layer");
            let cx = Scope::new(&trace, &declared, mode);
            let x = types.iter().enumerate();
            let x: Vec<Traced<'_>> =
                x.map(|(i, ty)| trace.input(format!("x{i}"), ty.clone())).collect();
            let y = scope::within(&cx, || cx.layer_all("", &layer, &x).ty());
            drop(cx);
            for_python(trace.finish(&[]))?;
            Ok(y)
        };
        // What is asked for without noise comes first.
        output(Mode::Infer)?;
        let output = output(Mode::Train)?;
        Ok((declared, output))
    };
    let is_open = inputs.iter().any(|(shape, _)| shape.contains(&None));
    let (declared, two) = traced(2)?;
    let mut three = two.clone();
    if is_open {
        let (others, output) = traced(3)?;
        for_python(closed_weights(&declared, &others))?;
        three = output;
    }
    let variables =
        declared.variables().iter().map(|it| variable(py, it)).collect::<PyResult<_>>()?;
    let numbers = declared.numbers().iter().map(|it| (local(&it.path), it.value)).collect();
    let shape = two.shape.iter().zip(&three.shape).map(|(a, b)| (a == b).then_some(*a)).collect();
    Ok((variables, numbers, (shape, arrays::name(two.dtype).to_owned())))
}

/// Rejects weights whose shapes depend on an extent that is open.
fn closed_weights(declared: &Declarations, others: &Declarations) -> Result<()> {
    for (one, other) in declared.variables().iter().zip(others.variables().iter()) {
        ensure!(
            one.ty == other.ty,
            "the shape of the weight `{}` depends on an axis of the input that is open",
            local(&one.path);
            help: "state the extent of that axis; the first axis alone, which counts samples, may \
                   be `None` here"
        );
    }
    Ok(())
}

/// The path within the layer.
fn local(path: &str) -> String {
    path.trim_start_matches('/').to_owned()
}

fn closed((shape, dtype): &OpenType, extent: usize) -> PyResult<Type> {
    let shape: Vec<usize> = shape.iter().map(|it| it.unwrap_or(extent)).collect();
    Ok(Type::new(arrays::dtype(dtype)?, shape))
}

fn variable<'py>(py: Python<'py>, variable: &oxhorn_nn::Variable) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("name", local(&variable.path))?;
    dict.set_item("shape", PyTuple::new(py, &variable.ty.shape)?)?;
    dict.set_item("dtype", arrays::name(variable.ty.dtype))?;
    dict.set_item("trainable", variable.trainable)?;
    match &variable.initial {
        Initial::Drawn(initializer) => {
            dict.set_item("initializer", initializer.envelope().to_string())?;
        }
        Initial::Seed(seed) => dict.set_item("seed", seed)?,
        Initial::Filled(value) => dict.set_item("value", value)?,
        Initial::Given(values) => dict.set_item("values", values.to_vec())?,
    }
    dict.set_item(
        "regularizer",
        variable.regularizer.as_ref().map(|it| it.envelope().to_string()),
    )?;
    dict.set_item("constraint", variable.constraint.as_ref().map(|it| it.envelope().to_string()))?;
    Ok(dict)
}

/// The first value of a weight of this shape.
#[pyfunction]
pub(crate) fn first_value<'py>(
    py: Python<'py>,
    initializer: &str,
    shape: Vec<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    let initializer = open::<Initializer>(initializer)?;
    let initializer = for_python(initializer.get())?;
    for_python(initializer.check())?;
    for_python(room_for(&shape))?;
    let key = match initializer.randomness() {
        Randomness::Seeded(seed) => [seed, 0],
        Randomness::Unseeded | Randomness::None => [0, 0],
    };
    let values = for_python(initializer.values(&shape, key))?;
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_ne_bytes()).collect();
    arrays::from_bytes(py, &Type::f32(shape), &bytes)
}

/// Rejects a shape whose elements no memory holds, before anyone asks for it and the process ends.
fn room_for(shape: &[usize]) -> Result<()> {
    let mut room = Vec::<f32>::new();
    let elements = shape.iter().try_fold(1_usize, |all, extent| all.checked_mul(*extent));
    let fits = elements.is_some_and(|elements| room.try_reserve_exact(elements).is_ok());
    ensure!(fits, "there is no memory for an array of shape {shape:?}");
    Ok(())
}

/// A function of one tensor, given by an object's envelope or name.
fn of_one(
    x: &Bound<'_, Tensor>,
    apply: impl for<'g> FnOnce(&Scope<'g>, Traced<'g>) -> Result<Traced<'g>>,
) -> PyResult<Tensor> {
    write(|scope, serial| {
        let x = x.get().traced(scope, serial)?;
        for_python(apply(scope, x))
    })
}

/// An activation of a tensor.
#[pyfunction]
pub(crate) fn apply_activation(envelope: &str, x: &Bound<'_, Tensor>) -> PyResult<Tensor> {
    let activation = open::<Activation>(envelope)?;
    of_one(x, |_, x| Ok(activation.get()?.call(x)))
}

/// A weight, brought to where a constraint wants it.
#[pyfunction]
pub(crate) fn apply_constraint(envelope: &str, w: &Bound<'_, Tensor>) -> PyResult<Tensor> {
    let constraint = open::<Constraint>(envelope)?;
    of_one(w, |_, w| Ok(constraint.get()?.call(w)))
}

/// The learning rate of a schedule at a step.
#[pyfunction]
pub(crate) fn apply_schedule(envelope: &str, step: &Bound<'_, Tensor>) -> PyResult<Tensor> {
    let schedule = open::<LearningRateSchedule>(envelope)?;
    of_one(step, |_, step| Ok(schedule.get()?.call(step.cast(DType::I64))))
}

/// The penalty of a regularizer, whose strengths are numbers of the object with this key.
#[pyfunction]
pub(crate) fn apply_penalty(envelope: &str, key: &str, x: &Bound<'_, Tensor>) -> PyResult<Tensor> {
    let regularizer = open::<Regularizer>(envelope)?;
    of_one(x, |scope, x| Ok(scope.child(key).penalty(&regularizer, x)))
}

/// The loss of a batch.
#[pyfunction]
pub(crate) fn apply_loss(
    envelope: &str,
    y_true: &Bound<'_, Tensor>,
    y_pred: &Bound<'_, Tensor>,
    sample_weight: Option<&Bound<'_, Tensor>>,
) -> PyResult<Tensor> {
    let loss = open::<Loss>(envelope)?;
    write(|scope, serial| {
        let y_true = y_true.get().traced(scope, serial)?;
        let y_pred = y_pred.get().traced(scope, serial)?;
        let weight = sample_weight.map(|it| it.get().traced(scope, serial)).transpose()?;
        let loss = for_python(loss.resolve(&y_true.shape(), &y_pred.shape()))?;
        Ok(loss.apply(y_true, y_pred, weight))
    })
}

/// Adds a batch to a metric's totals, which are states of the scope `metrics/<key>`.
#[pyfunction]
pub(crate) fn update_metric(
    envelope: &str,
    key: &str,
    y_true: &Bound<'_, Tensor>,
    y_pred: &Bound<'_, Tensor>,
    sample_weight: Option<&Bound<'_, Tensor>>,
) -> PyResult<()> {
    let metric = open::<Metric>(envelope)?;
    with(|scope, serial| {
        let y_true = y_true.get().traced(scope, serial)?;
        let y_pred = y_pred.get().traced(scope, serial)?;
        let weight = sample_weight.map(|it| it.get().traced(scope, serial)).transpose()?;
        let metric = for_python(metric.resolve(&y_true.shape(), &y_pred.shape()))?;
        let cx = scope.child("metrics").child(key);
        for_python(metric.get())?.update(&cx, y_true, y_pred, weight);
        for_python(scope.trace().error().map_or(Ok(()), Err))
    })
}

/// The metric of all batches so far, from the states of the scope `metrics/<key>`.
#[pyfunction]
pub(crate) fn result_metric(envelope: &str, key: &str) -> PyResult<Tensor> {
    let metric = open::<Metric>(envelope)?;
    write(|scope, _| {
        let cx = scope.child("metrics").child(key);
        Ok(for_python(metric.get())?.result(&cx))
    })
}

/// A function of `keras.ops` or `keras.random`, written into what is being traced.
#[pyfunction]
#[pyo3(signature = (name, family, *args, **kwargs))]
pub(crate) fn apply_function<'py>(
    py: Python<'py>,
    name: &str,
    family: Option<&str>,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let Some(function) = ops::find(name, family) else {
        return Err(PyNotImplementedError::new_err(format!("`ops.{name}` is not available")));
    };
    with(|scope, serial| {
        let positional = args.iter().map(|value| arguments::read(scope, serial, &value));
        let positional = positional.collect::<PyResult<Vec<_>>>()?;
        let named = kwargs.into_iter().flatten().map(|(key, value)| {
            Ok((key.extract::<String>()?, arguments::read(scope, serial, &value)?))
        });
        let named = named.collect::<PyResult<Vec<_>>>()?;
        let outcome = for_python(function.apply(scope.trace(), positional, named))?;
        arguments::give(py, scope, serial, outcome)
    })
}

/// The functions there are: name, family and signature of each.
#[pyfunction]
pub(crate) fn functions() -> Vec<(&'static str, &'static str, &'static str)> {
    ops::functions().map(|it| (it.name, it.family, it.signature)).collect()
}

/// The names of Keras' functions that there are not.
#[pyfunction]
pub(crate) fn missing_functions(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    PyList::new(py, ops::missing())
}
