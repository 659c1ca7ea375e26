//! One step of an optimizer, while it is being traced, and what surrounds every rule.

use std::cell::Cell;

use oxhorn_ir::{DType, Result, Tensor, Type, ensure};

use super::{LearningRate, Optimize, Settings};
use crate::scope::{Initial, Scope, Variable};

/// One step of an optimizer, while it is being traced.
pub struct Step<'g> {
    scope: Scope<'g>,
    learning_rate: Tensor<'g>,
    /// How many steps were taken before this one: of several batches each, where they add up.
    iterations: Tensor<'g>,
    weights: Vec<WeightStep<'g>>,
}

/// One weight, on its way to its next value.
pub struct WeightStep<'g> {
    scope: Scope<'g>,
    variable: Variable,
    gradient: Tensor<'g>,
    before: Tensor<'g>,
    value: Cell<Tensor<'g>>,
}

impl<'g> Step<'g> {
    /// The size of this step, as a scalar of type `f32`.
    pub fn learning_rate(&self) -> Tensor<'g> {
        self.learning_rate
    }

    /// The number of this step, counted from 1, as a scalar of type `f32`.
    pub fn number(&self) -> Tensor<'g> {
        (self.iterations + 1.0).cast(DType::F32)
    }

    /// Whether no step was taken before this one, as a scalar of type `bool`.
    pub fn is_first(&self) -> Tensor<'g> {
        self.iterations.equal(0.0)
    }

    /// `base` to the power of the number of this step, as a scalar of type `f32`.
    ///
    /// The base is rounded to `f32` first, as in Keras: where it is close to 1, as it is for means
    /// over many steps, that shows in its distance from 1.
    pub fn power(&self, base: f64) -> Tensor<'g> {
        let number = self.number();
        number.fill(single(base)).pow(number)
    }

    /// The weights, each on its way to its next value.
    pub fn weights(&self) -> &[WeightStep<'g>] {
        &self.weights
    }

    /// Declares slots of these names beside every weight, in its shape, at first `initial`.
    ///
    /// The order of declarations is the order of the optimizer's states in Keras' files.
    pub fn add_slots(&self, names: &[&str], initial: f64) {
        for weight in &self.weights {
            for name in names {
                weight.declare(name, weight.variable.ty.clone(), initial);
            }
        }
    }

    /// Lets a number, at first `initial`, become `new` of what it is; returns what it becomes.
    pub fn state(
        &self,
        name: &str,
        initial: f64,
        new: impl FnOnce(Tensor<'g>) -> Tensor<'g>,
    ) -> Tensor<'g> {
        let new = new(self.scope.state(name, Type::f32([]), Initial::Filled(initial)));
        self.scope.update(name, new);
        new
    }

    /// Rejects gradients that do not match the weights, and weights whose slots would be confused.
    pub(super) fn check(weights: &[(Variable, Tensor)], gradients: &[Tensor]) -> Result<()> {
        let counts = (gradients.len(), weights.len());
        ensure!(
            counts.0 == counts.1,
            "the optimizer needs one gradient for each weight, got {} gradients for {} weights",
            counts.0,
            counts.1
        );
        let mut names: Vec<_> = weights.iter().map(|(it, _)| (prefix(it), &it.path)).collect();
        names.sort();
        for pair in names.windows(2) {
            let ((prefix, one), (next, other)) = (&pair[0], &pair[1]);
            ensure!(
                prefix != next,
                "the weights `{one}` and `{other}` would share the optimizer's slots `{prefix}`";
                help: "give one of their layers another name"
            );
        }
        Ok(())
    }

    /// Where in the scope `at` the running mean of this weight is kept.
    pub(super) fn average_path(at: &str, variable: &Variable) -> String {
        format!("{at}/{}_{AVERAGE}", prefix(variable))
    }

    /// Writes the rule into the graph, with all that comes before and after it. The states and the
    /// learning rate are in the scope `at`.
    pub(super) fn write(
        optimizer: &dyn Optimize,
        at: &str,
        cx: &Scope<'g>,
        weights: &[(Variable, Tensor<'g>)],
        gradients: &[Tensor<'g>],
    ) {
        let settings = optimizer.as_ref();
        let scope = cx.child(at);
        let count = Type::new(DType::I64, []);
        let batches = scope.state("iteration", count, Initial::Filled(0.0));
        let learning_rate = match &settings.learning_rate {
            LearningRate::Constant(rate) => scope.number("learning_rate", *rate).cast(DType::F32),
            LearningRate::Schedule(schedule) => schedule.apply(batches),
        };
        let steps = settings.gradient_accumulation_steps;
        let completes = steps.map(|n| (batches + 1.0).rem(n as f64).equal(0.0));
        let iterations = steps.map_or(batches, |n| batches / n as f64);

        let weight = |((variable, w), g): (&(Variable, Tensor<'g>), &Tensor<'g>)| WeightStep {
            scope: scope.clone(),
            variable: variable.clone(),
            gradient: *g,
            before: *w,
            value: Cell::new(*w),
        };
        let weights = weights.iter().zip(gradients).map(weight).collect();
        let mut step = Step { scope, learning_rate, iterations, weights };
        if settings.use_ema {
            step.add_slots(&[AVERAGE], 0.0);
        }
        if let (Some(n), Some(completes)) = (steps, completes) {
            step.accumulate(n, completes);
        }
        step.clip(settings);
        step.decay(optimizer);
        match completes {
            None => optimizer.step(&step),
            Some(completes) => {
                step.scope.only_if(completes, || optimizer.step(&step));
                for weight in &step.weights {
                    weight.set(completes.select(weight.value(), weight.before));
                }
            }
        }
        if settings.use_ema {
            step.average(settings);
        }
        for weight in &step.weights {
            let (Variable { path, constraint, .. }, w) = (&weight.variable, weight.value());
            cx.replace(path, constraint.as_ref().map_or(w, |constraint| constraint.apply(w)));
        }
        step.scope.update("iteration", batches + 1.0);
    }

    /// Takes the mean of the gradients of `n` batches, the last of which completes a step.
    fn accumulate(&mut self, n: usize, completes: Tensor<'g>) {
        self.add_slots(&["gradient_accumulator"], 0.0);
        for weight in &mut self.weights {
            let sum = weight.slot("gradient_accumulator", |sum| sum + weight.gradient);
            weight.slot("gradient_accumulator", |sum| completes.select(sum.fill(0.0), sum));
            weight.gradient = sum / n as f64;
        }
    }

    /// Shortens the gradients where they are too long.
    fn clip(&mut self, settings: &Settings) {
        let square = |g: Tensor<'g>| (g * g).sum(..);
        let limit = |limit: Option<f64>| limit.filter(|&limit| limit > 0.0);
        if let Some(length) = limit(settings.clipnorm) {
            for WeightStep { gradient: g, .. } in &mut self.weights {
                *g = *g * length / square(*g).sqrt().maximum(length);
            }
        }
        if let Some(length) = limit(settings.global_clipnorm) {
            let squares = self.weights.iter().map(|weight| square(weight.gradient));
            let Some(square) = squares.reduce(|sum, square| sum + square) else { return };
            let norm = square.sqrt();
            let scale = length * norm.recip().minimum(1.0 / length);
            // What is infinitely long has no direction: Keras makes all of it NaN.
            let scale = norm.is_finite().select(scale, f64::NAN);
            self.weights.iter_mut().for_each(|weight| weight.gradient = weight.gradient * scale);
        }
        if let Some(value) = limit(settings.clipvalue) {
            for WeightStep { gradient: g, .. } in &mut self.weights {
                *g = g.maximum(-value).minimum(value);
            }
        }
    }

    /// Takes a fraction of the weights from them.
    fn decay(&self, optimizer: &dyn Optimize) {
        for weight in &self.weights {
            let decays = !optimizer.as_ref().is_excluded(&weight.variable);
            let fraction = optimizer.decay_of(&weight.variable).filter(|_| decays);
            if let Some(fraction) = fraction {
                let w = weight.value();
                weight.set(w - w * fraction * self.learning_rate);
            }
        }
    }

    /// Lets the running means follow the weights, and from time to time the weights become them.
    fn average(&self, settings: &Settings) {
        let scalar = |value: f64| self.learning_rate.fill(value);
        // There is nothing to keep at first: the mean begins as the weights.
        let momentum = self.is_first().select(scalar(0.0), scalar(settings.ema_momentum));
        let overwrites = settings
            .ema_overwrite_frequency
            .map(|steps| (self.iterations + 1.0).rem(steps as f64).equal(0.0));
        for weight in &self.weights {
            let w = weight.value();
            let mean = weight.slot(AVERAGE, |mean| momentum * mean + (1.0 - momentum) * w);
            weight.set(overwrites.map_or(w, |overwrites| overwrites.select(mean, w)));
        }
    }
}

impl<'g> WeightStep<'g> {
    /// What is known of the weight: its path, its type.
    pub fn variable(&self) -> &Variable {
        &self.variable
    }

    /// What the weight was before this step.
    pub fn before(&self) -> Tensor<'g> {
        self.before
    }

    /// The gradient of the loss by the weight, scaled back and clipped.
    pub fn gradient(&self) -> Tensor<'g> {
        self.gradient
    }

    /// What the weight has become so far in this step.
    pub fn value(&self) -> Tensor<'g> {
        self.value.get()
    }

    /// States what the weight becomes.
    pub fn set(&self, value: Tensor<'g>) {
        self.value.set(value);
    }

    /// Lets the slot of this name become `new` of what it is; returns what it becomes.
    ///
    /// A slot that has not been declared by [`Step::add_slots`] is 0 at first.
    pub fn slot(&self, name: &str, new: impl FnOnce(Tensor<'g>) -> Tensor<'g>) -> Tensor<'g> {
        self.slot_of(name, &self.variable.ty.shape[..], 0.0, new)
    }

    /// As [`WeightStep::slot`] does, with a slot of a shape of its own that is `initial` at first.
    pub fn slot_of(
        &self,
        name: &str,
        shape: impl Into<Vec<usize>>,
        initial: f64,
        new: impl FnOnce(Tensor<'g>) -> Tensor<'g>,
    ) -> Tensor<'g> {
        let new = new(self.declare(name, self.variable.ty.reshaped(shape), initial));
        self.scope.update(&self.path(name), new);
        new
    }

    fn declare(&self, name: &str, ty: Type, initial: f64) -> Tensor<'g> {
        self.scope.state(&self.path(name), ty, Initial::Filled(initial))
    }

    fn path(&self, name: &str) -> String {
        format!("{}_{name}", prefix(&self.variable))
    }
}

/// The name of running means of weights.
const AVERAGE: &str = "average";

/// What the names of a weight's slots begin with: `dense_kernel`.
fn prefix(variable: &Variable) -> String {
    variable.path.replace('/', "_")
}

/// The number as Keras has it wherever it is a tensor: rounded to `f32`.
pub(super) fn single(x: f64) -> f64 {
    f64::from(x as f32)
}
