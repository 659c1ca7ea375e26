//! The graphs of an engine: a prediction, one step of training or measuring, the results so far.

use oxhorn_ir::{DType, Error, Graph, Result, Tensor, Trace, Type, Value};
use oxhorn_nn::{
    Declarations, Initial, Mode, Scope,
    losses::{Loss, Reduction, weigh},
    metrics::Measure,
    optimizers::Optimizer,
    techniques::{self, Blend, Output},
};

use super::{
    Key, Kind, METRICS, Network,
    interventions::Interventions,
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
#[derive(Clone)]
struct Targets<'g> {
    y_true: Vec<Option<Tensor<'g>>>,
    masks: Vec<Option<Tensor<'g>>>,
    weights: Vec<Option<Tensor<'g>>>,
    /// How much they count, where samples are mixed and have other targets too.
    share: Option<Tensor<'g>>,
}

/// What one pass of the samples through the network has given, and what it should have.
struct Pass<'g> {
    y_pred: Vec<Tensor<'g>>,
    /// One, or two where samples are mixed.
    targets: Vec<Targets<'g>>,
}

/// A batch that went through the network.
struct Seen<'g> {
    passes: Vec<Pass<'g>>,
    /// The sum of all losses and penalties, one number.
    loss: Tensor<'g>,
    /// Each output's own loss.
    own: Vec<Option<Tensor<'g>>>,
    /// What layers and regularizers add.
    added: Vec<Tensor<'g>>,
}

impl Parts<'_> {
    /// The network's outputs for these inputs.
    pub(super) fn call<'g>(&self, cx: &Scope<'g>, x: &[Tensor<'g>]) -> Vec<Tensor<'g>> {
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

    /// Declares what the optimizer keeps beside the network's weights.
    pub(super) fn declare_optimizer(&self, optimizer: &Optimizer, x: &[Type]) -> Result<()> {
        let trace = Trace::new("optimizer");
        let cx = Scope::new(&trace, self.declarations, Mode::Train);
        self.network.within(&cx, &mut || {
            self.network.call(&cx, &inputs(&trace, x));
            let weights = cx.trainable_weights();
            let none: Vec<Tensor> = weights.iter().map(|(_, weight)| weight.fill(0.0)).collect();
            optimizer.scale_loss(&cx, trace.scalar(0.0, DType::F32));
            optimizer.apply(&cx, &weights, &none);
        });
        drop(cx);
        trace.finish(&[]).map(drop)
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
        let mut results = vec![];
        self.network.within(&cx, &mut || results = self.step(&cx, objective, tracked, key));
        drop(cx);
        trace.finish(&results)
    }

    /// Whether the network, or what its weights are regularized with, adds to the loss.
    pub(super) fn penalizes(&self, x: &[Type]) -> Result<bool> {
        let trace = Trace::new("penalties");
        let cx = Scope::new(&trace, self.declarations, Mode::Infer);
        let mut penalizes = false;
        self.network.within(&cx, &mut || {
            self.network.call(&cx, &inputs(&trace, x));
            penalizes = !cx.losses().is_empty();
        });
        drop(cx);
        trace.finish(&[]).map(|_| penalizes)
    }

    /// Writes one step into the trace, and returns the batch's loss, followed by its penalties
    /// where they are asked for.
    fn step<'g>(
        &self,
        cx: &Scope<'g>,
        objective: &Objective,
        tracked: &[Tracked],
        key: &Key,
    ) -> Vec<Value> {
        let trace = cx.trace();
        let techniques = if key.kind == Kind::Train { &objective.techniques[..] } else { &[] };
        let interventions = match Interventions::of(cx, techniques) {
            Ok(interventions) => interventions,
            Err(error) => return vec![trace.fail(error).value()],
        };
        let fed = interventions.feed(inputs(trace, &key.x));
        let targets = blended(trace, key, fed.blend);
        let before = cx.moment();
        let see = || self.see(cx, objective, &interventions, &fed.x, &targets);
        let seen = match see() {
            Ok(seen) => seen,
            Err(error) => return vec![trace.fail(error).value()],
        };
        if key.kind == Kind::Train {
            let weights = cx.trainable_weights();
            let again = |instead: &[(&str, Tensor<'g>)]| {
                let seen = cx.replay(&before, instead, see);
                seen.map_or_else(|error| trace.fail(error), |seen| seen.loss)
            };
            let gradients =
                interventions.gradients(cx, &objective.optimizer, &weights, seen.loss, again);
            objective.optimizer.apply(cx, &weights, &gradients);
        }
        count(cx, tracked, key, &seen);
        cx.write_updates();
        // Where nobody asks for it, the sum does not enter the graph.
        let apart = seen.added.into_iter().filter(|_| key.kind == Kind::Apart);
        let penalty = apart.reduce(|sum, penalty| sum + penalty);
        [seen.loss].into_iter().chain(penalty).map(|it| it.value()).collect()
    }

    /// Sends a batch through the network, as often as techniques want each sample to pass.
    fn see<'g>(
        &self,
        cx: &Scope<'g>,
        objective: &Objective,
        interventions: &Interventions<'_, 'g>,
        x: &[Tensor<'g>],
        targets: &[Targets<'g>],
    ) -> Result<Seen<'g>> {
        let passes = interventions.passes();
        let repeated = |x: &Tensor<'g>| match passes {
            1 => *x,
            _ => Tensor::concatenate(&vec![*x; passes], 0),
        };
        let x: Vec<Tensor> = x.iter().map(repeated).collect();
        let outputs = self.network.call_masked(cx, &x);
        objective.check_outputs(outputs.len())?;
        let pass = |pass: usize| {
            let part = |(y, mask): &(Tensor<'g>, Option<Tensor<'g>>)| {
                let members = cx.members(*y).into_iter().map(|y| part(y, pass, passes));
                let y = if passes == 1 { *y } else { cx.ensemble(members.collect()) };
                (y, mask.map(|mask| part(mask, pass, passes)))
            };
            let (y_pred, masks): (Vec<_>, Vec<_>) = outputs.iter().map(part).unzip();
            let with = |targets: &Targets<'g>| Targets { masks: masks.clone(), ..targets.clone() };
            Pass { y_pred, targets: targets.iter().map(with).collect() }
        };
        let passes: Vec<Pass> = (0..passes).map(pass).collect();
        let Losses { total, own, added } = total_loss(cx, objective, &passes);
        let outputs = judged(objective, &passes);
        let penalties = interventions.penalties(&techniques::Seen { x: &x, outputs: &outputs });
        let loss = penalties.into_iter().fold(total, |loss, penalty| loss + penalty);
        Ok(Seen { passes, loss, own, added })
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
pub(super) fn inputs<'g>(trace: &'g Trace, x: &[Type]) -> Vec<Tensor<'g>> {
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

/// The losses of a batch, each one number.
struct Losses<'g> {
    /// The sum of all.
    total: Tensor<'g>,
    /// Each output's own.
    own: Vec<Option<Tensor<'g>>>,
    /// What layers add, and penalties.
    added: Vec<Tensor<'g>>,
}

/// The targets of a batch; where samples are mixed, also those of the samples that each is mixed
/// with.
fn blended<'g>(trace: &'g Trace, key: &Key, blend: Option<Blend<'g>>) -> Vec<Targets<'g>> {
    let own = Targets {
        y_true: feeds(trace, "y", &key.y),
        masks: vec![],
        weights: feeds(trace, "sample_weight", &key.weights),
        share: None,
    };
    let Some(Blend { share, partner }) = blend else { return vec![own] };
    let partners = |all: &[Option<Tensor<'g>>]| {
        all.iter().map(|it| it.map(|it| it.gather(partner, 0))).collect::<Vec<_>>()
    };
    let others = Targets {
        y_true: partners(&own.y_true),
        masks: vec![],
        weights: partners(&own.weights),
        share: Some(1.0 - share),
    };
    vec![Targets { share: Some(share), ..own }, others]
}

/// The rows of one of several passes, which are one after the other.
fn part(y: Tensor<'_>, pass: usize, passes: usize) -> Tensor<'_> {
    if passes == 1 || y.is_void() {
        return y;
    }
    let shape = y.shape();
    let all = shape.first().copied().unwrap_or_default();
    if shape.is_empty() || all % passes != 0 {
        let error = Error::new(format!("an output is {}, whose rows are not samples", y.ty()));
        let help = "a technique sends each sample through the network several times";
        return y.trace().fail(error.help(help));
    }
    let (mut start, mut stop) = (vec![0; shape.len()], shape.clone());
    (start[0], stop[0]) = (pass * all / passes, (pass + 1) * all / passes);
    y.slice(start, stop, vec![1; shape.len()])
}

/// What techniques see of the outputs that have a loss.
fn judged<'a, 'g>(objective: &'a Objective, passes: &[Pass<'g>]) -> Vec<Output<'a, 'g>> {
    let targets = &passes[0].targets[0];
    let judged = |(output, asked): (usize, &'a super::Asked)| {
        let pass = |pass: &Pass<'g>| (pass.y_pred[output], pass.targets[0].masks[output]);
        Some(Output {
            name: &asked.output,
            loss: asked.loss.as_ref()?,
            loss_weight: asked.loss_weight.unwrap_or(1.0),
            y_true: targets.y_true[output]?,
            sample_weight: targets.weights[output],
            passes: passes.iter().map(pass).collect(),
        })
    };
    objective.outputs.iter().enumerate().filter_map(judged).collect()
}

/// Adds a batch to the totals of loss and metrics.
fn count<'g>(cx: &Scope<'g>, tracked: &[Tracked], key: &Key, seen: &Seen<'g>) {
    let (trace, metrics) = (cx.trace(), cx.child(METRICS));
    let samples = key.x.first().and_then(|ty| ty.shape.first()).copied().unwrap_or(1);
    let samples = trace.scalar(samples as f64, DType::F32);
    add(&metrics.child("loss"), seen.loss, samples);
    for Tracked { name, output, of } in tracked {
        let scope = metrics.child(name);
        match of {
            Quantity::Loss => {
                if let Some(own) = seen.own[*output] {
                    add(&scope, own, samples);
                }
            }
            Quantity::Metric(metric, weighted) => match metric.get() {
                Ok(metric) => {
                    let origin = format!("{name} ({})", metric.class_name());
                    let before = trace.enter(Some(origin));
                    // All passes are of the same samples.
                    let Pass { y_pred, targets } = &seen.passes[0];
                    for targets in targets {
                        let Some(y_true) = targets.y_true[*output] else { continue };
                        let weight = targets.weight(*output, *weighted, metric);
                        metric.update(&scope, y_true, y_pred[*output], weight);
                    }
                    trace.enter(before);
                }
                Err(error) => {
                    trace.fail(error);
                }
            },
        }
    }
}

impl<'g> Targets<'g> {
    /// What samples weigh in a metric.
    fn weight(
        &self,
        output: usize,
        weighted: Weighted,
        metric: &dyn Measure,
    ) -> Option<Tensor<'g>> {
        let weight = self.weights[output].filter(|_| weighted == Weighted::Yes);
        let weight = match (self.share, weight, self.y_true[output]) {
            (Some(share), Some(weight), _) => Some(weight.cast(DType::F32) * share),
            (Some(share), None, Some(y_true)) => Some(share.broadcast([y_true.dim(0)])),
            (_, weight, _) => weight,
        };
        weigh(weight, self.masks[output].filter(|_| metric.is_mean()), Reduction::Sum)
    }
}

/// The losses of a batch that went through the network so often.
fn total_loss<'g>(cx: &Scope<'g>, objective: &Objective, passes: &[Pass<'g>]) -> Losses<'g> {
    let trace = cx.trace();
    let (mut total, mut own) = (None, vec![None; objective.outputs.len()]);
    for (output, asked) in objective.outputs.iter().enumerate() {
        let Some(loss) = &asked.loss else { continue };
        let Some(value) = mean_loss(cx, loss, passes, output) else { continue };
        own[output] = Some(value);
        let weighed = asked.loss_weight.map_or(value, |weight| value * weight);
        total = Some(total.map_or(weighed, |total: Tensor<'g>| total + weighed));
    }
    let added = cx.losses();
    let all = added.iter();
    let total = all.fold(total, |total, &loss| Some(total.map_or(loss, |total| total + loss)));
    let total = total.unwrap_or_else(|| {
        let help = "without a loss there is nothing that training could make small";
        trace.fail(
            Error::new("No loss to compute. Provide a `loss` argument in `compile()`.").help(help),
        )
    });
    Losses { total, own, added }
}

/// The loss of an output, if it has a target: the mean over passes, and the sum over the shares of
/// targets.
fn mean_loss<'g>(
    cx: &Scope<'g>,
    loss: &Loss,
    passes: &[Pass<'g>],
    output: usize,
) -> Option<Tensor<'g>> {
    let mut values = vec![];
    for Pass { y_pred, targets } in passes {
        let members = cx.members(y_pred[output]);
        for targets in targets {
            let value = loss_of(loss, targets.y_true[output]?, &members, targets, output);
            values.push(targets.share.map_or(value, |share| value * share));
        }
    }
    let sum = values.into_iter().reduce(|sum, value| sum + value)?;
    Some(if passes.len() == 1 { sum } else { sum / passes.len() as f64 })
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
