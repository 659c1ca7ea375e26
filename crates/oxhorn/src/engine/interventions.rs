//! The techniques of an objective in one step of training: those that have something to do.

use oxhorn_ir::{Result, Tensor, grad};
use oxhorn_nn::{
    Scope, Variable,
    optimizers::Optimizer,
    techniques::{Fed, Intervene, Seen, Technique},
};

/// Techniques in the order in which they step in, each with its scope.
pub(super) struct Interventions<'a, 'g>(Vec<(Scope<'g>, &'a dyn Intervene)>);

impl<'a, 'g> Interventions<'a, 'g> {
    /// Those of `techniques` that have anything to do. `cx` is the outermost scope.
    pub(super) fn of(cx: &Scope<'g>, techniques: &'a [Technique]) -> Result<Self> {
        let mut all = vec![];
        for technique in techniques {
            if technique.is_awake(cx)? {
                all.push((technique.scope(cx)?, technique.get()?));
            }
        }
        Ok(Interventions(all))
    }

    /// What the network is given in place of `x`.
    pub(super) fn feed(&self, x: Vec<Tensor<'g>>) -> Fed<'g> {
        let mut fed = Fed { x, blend: None };
        self.each(|cx, technique| {
            if let Some(next) = technique.feed(cx, &fed.x) {
                fed = Fed { x: next.x, blend: next.blend.or(fed.blend) };
            }
        });
        fed
    }

    /// How often each sample goes through the network.
    pub(super) fn passes(&self) -> usize {
        self.0.iter().map(|(_, technique)| technique.passes()).max().unwrap_or(1)
    }

    /// What is added to the loss, for what the network has made of a batch.
    pub(super) fn penalties(&self, seen: &Seen<'_, 'g>) -> Vec<Tensor<'g>> {
        let mut penalties = vec![];
        self.each(|cx, technique| penalties.extend(technique.penalty(cx, seen)));
        penalties
    }

    /// The gradients that the optimizer gets: those of `loss`, or, where a technique makes a
    /// detour, those of the loss that `again` writes with other weights; and noise. `cx` is the
    /// outermost scope.
    pub(super) fn gradients(
        &self,
        cx: &Scope<'g>,
        optimizer: &Optimizer,
        weights: &[(Variable, Tensor<'g>)],
        loss: Tensor<'g>,
        again: impl Fn(&[(&str, Tensor<'g>)]) -> Tensor<'g>,
    ) -> Vec<Tensor<'g>> {
        let mut at: Vec<Tensor> = weights.iter().map(|(_, tensor)| *tensor).collect();
        let mut gradients = grad(optimizer.scale_loss(cx, loss), &at);
        if cx.trace().error().is_some() {
            return gradients; // Shapes mean nothing after a mistake.
        }
        self.each(|own, technique| {
            let Some(elsewhere) = technique.detour(own, &at, &gradients) else { return };
            let paths = weights.iter().map(|(variable, _)| variable.path.as_str());
            let instead: Vec<(&str, Tensor)> = paths.zip(elsewhere.iter().copied()).collect();
            gradients = grad(optimizer.scale_loss(cx, again(&instead)), &elsewhere);
            at = elsewhere;
        });
        self.each(|own, technique| {
            let Some(noise) = technique.noise(own, &gradients) else { return };
            // Gradients are as many times too long as the loss is too great.
            let scale = optimizer.scale_loss(cx, loss.fill(1.0));
            let noisy = gradients.iter().zip(&noise).map(|(g, noise)| *g + *noise * scale);
            gradients = noisy.collect();
        });
        gradients
    }

    /// Calls `write` with each technique, while the trace says whose nodes are written.
    fn each(&self, mut write: impl FnMut(&Scope<'g>, &dyn Intervene)) {
        for (cx, technique) in &self.0 {
            let origin = format!("technique ({})", technique.class_name());
            let before = cx.trace().enter(Some(origin));
            write(cx, *technique);
            cx.trace().enter(before);
        }
    }
}
