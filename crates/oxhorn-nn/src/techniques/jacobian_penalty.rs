//! `JacobianPenalty`: outputs that change little when inputs do.

use oxhorn_ir::grad;

use super::{
    blending::samples_of,
    category::{Intervene, Output, Seen, Strength},
};
use crate::prelude::*;

/// Adds `strength / 2 · ‖J‖²` to the loss, where `J` are the derivatives of a sample's outputs with
/// respect to its inputs, and the square is summed over all of them and averaged over samples.
///
/// The square is estimated by `projections` directions `v` of length 1, drawn for each sample and
/// step: `outputs · ‖vᵀ J‖²`, whose mean it is. Without projections it is computed from one
/// direction for each output, which costs as many passes back.
///
/// The outputs are those that the network gives and that have a loss. The paper takes logits: let
/// the last layer have no activation, and give the loss `from_logits`. Inputs must be real numbers.
/// `strength` is a number that can be turned while a model trains; at 0, nothing is added.
///
/// Hoffman et al., *Robust learning with Jacobian regularization*, 2019,
/// <https://arxiv.org/abs/1908.02729>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "oxhorn.techniques.JacobianPenalty")]
pub struct JacobianPenalty {
    /// How much the penalty counts, 0 or more.
    #[config(default = 0.01)]
    pub strength: f64,
    /// How many directions are drawn, 1 or more; `None` computes the square.
    #[config(default = Some(1))]
    pub projections: Option<usize>,
    /// Seed of the random stream; `None` takes the model's next one.
    #[config(default)]
    pub seed: Option<u32>,
}

impl Intervene for JacobianPenalty {
    fn numbers(&self) -> Vec<Strength> {
        vec![Strength::new("strength", self.strength)]
    }

    fn check(&self) -> Result<()> {
        ensure!(
            self.projections != Some(0),
            "`projections` of `JacobianPenalty` must be 1 or more, got 0";
            help: "without projections, the square is computed from all directions"
        );
        Ok(())
    }

    fn penalty<'g>(&self, cx: &Scope<'g>, seen: &Seen<'_, 'g>) -> Option<Tensor<'g>> {
        let why = "a network has no derivatives with respect to numbers of words or classes";
        let samples = samples_of(cx, "JacobianPenalty", seen.x, why)?.max(1);
        let strength = cx.number("strength", self.strength).cast(DType::F32);
        let squares = seen.outputs.iter().map(|output| self.square(cx, output, seen.x));
        let total = squares.reduce(|total, square| total + square)?;
        Some(total * (0.5 / samples as f64) * strength)
    }
}

impl JacobianPenalty {
    /// `‖J‖²` of an output, summed over samples.
    fn square<'g>(&self, cx: &Scope<'g>, output: &Output<'_, 'g>, x: &[Tensor<'g>]) -> Tensor<'g> {
        let flat = |y: Tensor<'g>| {
            let rows = y.shape().first().copied().unwrap_or(1);
            y.cast(DType::F32).reshape([rows, y.ty().len() / rows.max(1)])
        };
        let y: Vec<Tensor<'g>> = output.passes.iter().map(|(y, _)| flat(*y)).collect();
        let width = y.first().map_or(0, |y| y.dim(1));
        let directions = self.directions(cx, &y, width);
        let mut total = cx.trace().scalar(0.0, DType::F32);
        for v in &directions {
            let dots = y.iter().zip(v).map(|(y, v)| (*y * *v).sum(..));
            let Some(dot) = dots.reduce(|total, dot| total + dot) else { continue };
            for row in grad(dot, x) {
                total = total + (row * row).sum(..).cast(DType::F32);
            }
        }
        match self.projections {
            Some(projections) => total * (width as f64 / projections as f64),
            None => total,
        }
    }

    /// The directions along which `y` is differentiated: each a vector for every row of each pass.
    fn directions<'g>(
        &self,
        cx: &Scope<'g>,
        y: &[Tensor<'g>],
        width: usize,
    ) -> Vec<Vec<Tensor<'g>>> {
        let Some(projections) = self.projections else {
            let place = |y: &Tensor<'g>| cx.trace().iota(1, Type::new(DType::I32, y.shape()));
            let basis = |i: usize| {
                y.iter().map(|y| place(y).equal(i as f64).cast(DType::F32)).collect::<Vec<_>>()
            };
            return (0..width).map(basis).collect();
        };
        let seeds = cx.seed_generator("seed_generator", self.seed);
        let unit = |y: &Tensor<'g>| {
            let v = seeds.next().random_normal(y.shape());
            // Of one number, the direction is its sign.
            let length = (v * v).sum(1).sqrt().maximum(f64::from(f32::MIN_POSITIVE));
            v / length.keep(v, 1)
        };
        (0..projections).map(|_| y.iter().map(unit).collect()).collect()
    }
}
