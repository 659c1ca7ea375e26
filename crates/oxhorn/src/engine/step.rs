//! The graphs of an engine: a prediction, one step of training or measuring, the results so far.

use oxhorn_ir::{DType, Error, Graph, Result, Tensor, Trace, Type, Value, grad};
use oxhorn_nn::{
    Declarations, Initial, Mode, Scope,
    losses::{Loss, Reduction, weigh},
};

use super::{
    Key, Kind, METRICS, Network,
    objective::{Objective, Quantity, Tracked, Weighted},
};
use crate::data::feed_name;

/// What graphs are made of.
pub(super) struct Parts<'a> {
    pub(super) network: &'a dyn Network,
    pub(super) declarations: &'a Declarations,
}

/// The targets of a batch, which positions of the predictions count, and the weights of samples,
/// output by output.
struct Targets<'g> {
    y_true: Vec<Option<Tensor<'g>>>,
    masks: Vec<Option<Tensor<'g>>>,
    weights: Vec<Option<Tensor<'g>>>,
}

impl Parts<'_> {
    /// The network's outputs for these inputs.
    fn call<'g>(&self, cx: &Scope<'g>, x: &[Tensor<'g>]) -> Vec<Tensor<'g>> {
        let mut outputs = vec![];
        self.network.within(cx, &mut || outputs = self.network.call(cx, x));
        outputs
    }

    /// The graph of the network alone.
    pub(super) fn forward_graph(&self, key: &Key) -> Result<Graph> {
        let trace = Trace::new("predict");
        let outputs = {
            let mode = if key.kind == Kind::Noisy { Mode::Train } else { Mode::Infer };
            let cx = Scope::new(&trace, self.declarations, mode);
            let y = self.call(&cx, &inputs(&trace, &key.x));
            cx.write_updates();
            y.iter().map(|y| y.value()).collect::<Vec<_>>()
        };
        trace.finish(&outputs)
    }

    /// The types of the network's outputs, for inputs of these types.
    pub(super) fn outputs(&self, x: &[Type]) -> Result<Vec<Type>> {
        let trace = Trace::new("outputs");
        let cx = Scope::new(&trace, self.declarations, Mode::Infer);
        let types = self.call(&cx, &inputs(&trace, x)).iter().map(|y| y.ty()).collect();
        drop(cx);
        trace.finish(&[]).map(|_| types)
    }

    /// Declares what the network keeps from run to run, in the order of its calls, and the numbers
    /// of what only training uses.
    pub(super) fn declare(&self, x: &[Type]) -> Result<()> {
        self.outputs(x)?;
        let trace = Trace::new("declarations");
        let cx = Scope::new(&trace, self.declarations, Mode::Train);
        // A mistake that only training makes is told when there is a batch to train on.
        self.call(&cx, &inputs(&trace, x));
        Ok(())
    }

    /// The graph of one step: what it computes, before anyone decides how.
    pub(super) fn step_graph(
        &self,
        objective: &Objective,
        tracked: &[Tracked],
        key: &Key,
    ) -> Result<Graph> {
        let trace = Trace::new(if key.kind == Kind::Train { "train" } else { "test" });
        let mode = if key.kind == Kind::Train { Mode::Train } else { Mode::Infer };
        let cx = Scope::new(&trace, self.declarations, mode);
        let mut loss = None;
        self.network.within(&cx, &mut || loss = Some(self.step(&cx, objective, tracked, key)));
        drop(cx);
        trace.finish(loss.as_slice())
    }

    /// Writes one step into the trace, and returns the batch's loss.
    fn step(&self, cx: &Scope<'_>, objective: &Objective, tracked: &[Tracked], key: &Key) -> Value {
        let trace = cx.trace();
        let outputs = self.network.call_masked(cx, &inputs(trace, &key.x));
        let (y_pred, masks): (Vec<_>, Vec<_>) = outputs.into_iter().unzip();
        if let Err(error) = objective.check_outputs(y_pred.len()) {
            return trace.fail(error).value();
        }
        let targets = Targets {
            y_true: feeds(trace, "y", &key.y),
            masks,
            weights: feeds(trace, "sample_weight", &key.weights),
        };
        let (loss, own) = total_loss(cx, objective, &targets, &y_pred);
        if key.kind == Kind::Train {
            let weights = cx.trainable_weights();
            let tensors: Vec<Tensor> = weights.iter().map(|(_, tensor)| *tensor).collect();
            let gradients = grad(objective.optimizer.scale_loss(cx, loss), &tensors);
            objective.optimizer.apply(cx, &weights, &gradients);
        }
        let metrics = cx.child(METRICS);
        let samples = key.x.first().and_then(|ty| ty.shape.first()).copied().unwrap_or(1);
        let samples = trace.scalar(samples as f64, DType::F32);
        add(&metrics.child("loss"), loss, samples);
        for Tracked { name, output, of } in tracked {
            let scope = metrics.child(name);
            match of {
                Quantity::Loss => {
                    if let Some(own) = own[*output] {
                        add(&scope, own, samples);
                    }
                }
                Quantity::Metric(metric, weighted) => {
                    let Some(y_true) = targets.y_true[*output] else { continue };
                    let weight = targets.weights[*output].filter(|_| *weighted == Weighted::Yes);
                    match metric.get() {
                        Ok(metric) => {
                            let origin = format!("{name} ({})", metric.class_name());
                            let before = trace.enter(Some(origin));
                            let mask = targets.masks[*output].filter(|_| metric.is_mean());
                            let weight = weigh(weight, mask, Reduction::Sum);
                            metric.update(&scope, y_true, y_pred[*output], weight);
                            trace.enter(before);
                        }
                        Err(error) => {
                            trace.fail(error);
                        }
                    }
                }
            }
        }
        cx.write_updates();
        loss.value()
    }

    /// The graph of loss and metrics, from the totals so far.
    pub(super) fn results_graph(&self, tracked: &[Tracked]) -> Result<Graph> {
        let trace = Trace::new("results");
        let outputs = {
            let root = Scope::new(&trace, self.declarations, Mode::Infer);
            let cx = root.child(METRICS);
            let mut outputs = vec![mean(&cx.child("loss"))];
            self.network.within(&root, &mut || {
                outputs.extend(tracked.iter().map(|Tracked { name, of, .. }| {
                    let scope = cx.child(name);
                    match of {
                        Quantity::Loss => mean(&scope),
                        Quantity::Metric(metric, _) => match metric.get() {
                            Ok(metric) => metric.result(&scope),
                            Err(error) => trace.fail(error),
                        },
                    }
                }));
            });
            // Results are computed, so that none is a weight itself.
            outputs.iter().map(|it| it.value()).collect::<Vec<_>>()
        };
        trace.finish(&outputs)
    }
}

/// The inputs of the network.
fn inputs<'g>(trace: &'g Trace, x: &[Type]) -> Vec<Tensor<'g>> {
    let name = |i: usize| feed_name("x", i, x.len());
    x.iter().enumerate().map(|(i, ty)| trace.input(name(i), ty.clone())).collect()
}

/// What else is fed to a step: one for each output, perhaps.
fn feeds<'g>(trace: &'g Trace, name: &str, types: &[Option<Type>]) -> Vec<Option<Tensor<'g>>> {
    let feed = |(i, ty): (usize, &Option<Type>)| {
        ty.clone().map(|ty| trace.input(feed_name(name, i, types.len()), ty))
    };
    types.iter().enumerate().map(feed).collect()
}

/// The sum of all losses and penalties, one number; and each output's own loss.
fn total_loss<'g>(
    cx: &Scope<'g>,
    objective: &Objective,
    targets: &Targets<'g>,
    y_pred: &[Tensor<'g>],
) -> (Tensor<'g>, Vec<Option<Tensor<'g>>>) {
    let trace = cx.trace();
    let (mut total, mut own) = (None, vec![None; objective.outputs.len()]);
    for (output, asked) in objective.outputs.iter().enumerate() {
        let (Some(loss), Some(y_true)) = (&asked.loss, targets.y_true[output]) else { continue };
        let members = cx.members(y_pred[output]);
        let value = loss_of(loss, y_true, &members, targets, output);
        own[output] = Some(value);
        let weighed = asked.loss_weight.map_or(value, |weight| value * weight);
        total = Some(total.map_or(weighed, |total: Tensor<'g>| total + weighed));
    }
    let all = cx.losses().into_iter();
    let total = all.fold(total, |total, loss| Some(total.map_or(loss, |total| total + loss)));
    let total = total.unwrap_or_else(|| {
        let help = "without a loss there is nothing that training could make small";
        trace.fail(
            Error::new("No loss to compute. Provide a `loss` argument in `compile()`.").help(help),
        )
    });
    (total, own)
}

/// The loss of a batch, one number: the mean of those of all predictions of it.
fn loss_of<'g>(
    loss: &Loss,
    y_true: Tensor<'g>,
    y_pred: &[Tensor<'g>],
    targets: &Targets<'g>,
    output: usize,
) -> Tensor<'g> {
    let trace = y_true.trace();
    let loss = match loss.resolve(&y_true.shape(), &y_pred[0].shape()) {
        Ok(loss) => loss,
        Err(error) => return trace.fail(error),
    };
    let class = loss.get().map(|loss| loss.class_name()).unwrap_or_default();
    let before = trace.enter(Some(format!("loss ({class})")));
    let (weight, mask) = (targets.weights[output], targets.masks[output]);
    let values = y_pred.iter().map(|y_pred| loss.apply_masked(y_true, *y_pred, weight, mask));
    let mut value = values.reduce(|sum, value| sum + value).expect("a prediction");
    if y_pred.len() > 1 {
        value = value / y_pred.len() as f64;
    }
    if !value.is_void() && value.rank() != 0 {
        let error = Error::new(format!("the loss is {}, not one number", value.ty()));
        value = trace.fail(error.help("give the loss another `reduction` than `none`"));
    }
    trace.enter(before);
    value
}

/// Adds the mean of a batch to the totals of a scope.
fn add<'g>(scope: &Scope<'g>, mean: Tensor<'g>, samples: Tensor<'g>) {
    for (name, value) in [("total", mean * samples), ("count", samples)] {
        let sum = scope.state(name, Type::f32([]), Initial::Filled(0.0)) + value;
        scope.update(name, sum);
    }
}

/// The mean over all batches, from the totals of a scope.
fn mean<'g>(scope: &Scope<'g>) -> Tensor<'g> {
    let total = |name: &str| scope.state(name, Type::f32([]), Initial::Filled(0.0));
    total("total") / total("count").maximum(1.0)
}
