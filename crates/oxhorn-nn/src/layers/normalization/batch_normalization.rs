//! `BatchNormalization`: features of mean 0 and variance 1 over the samples of a batch.

use super::affine::{Affine, moments, shape_beside};
use crate::prelude::*;

/// Brings each feature to mean 0 and variance 1, then to a scale and an offset that are learnt:
/// `gamma · (x - mean) / √(variance + epsilon) + beta`.
///
/// While training, mean and variance are those of the batch, and the moving ones follow them:
/// `moving ← moving · momentum + batch · (1 - momentum)`. Otherwise, and in a layer that is not
/// trainable, the moving ones take their place and stay as they are. The momentum is a number that
/// can be turned while a model trains.
///
/// # Weights
///
/// One element each for every index along `axis`:
///
/// - `gamma`, if `scale`
/// - `beta`, if `center`
/// - `moving_mean` and `moving_variance`, which gradients leave alone
///
/// Ioffe and Szegedy, *Batch normalization: accelerating deep network training by reducing internal
/// covariate shift*, 2015, <https://arxiv.org/abs/1502.03167>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(
    class = "keras.layers.BatchNormalization",
    shape = ".. -> ..",
    unsupported = ["renorm_clipping"]
)]
pub struct BatchNormalization {
    /// The axis of features.
    #[config(default = -1)]
    pub axis: isize,
    /// How much of the moving mean and variance stays at each step, from 0 to 1.
    #[config(default = 0.99)]
    pub momentum: f64,
    /// What is added to the variance, lest a constant feature be divided by zero.
    #[config(default = 1e-3)]
    pub epsilon: f64,
    /// Whether to add `beta`.
    #[config(default = true)]
    pub center: bool,
    /// Whether to multiply by `gamma`.
    #[config(default = true)]
    pub scale: bool,
    /// How the `beta` is initialised, regularised and constrained.
    #[config(weight = "zeros")]
    pub beta: Weight,
    /// The same for the `gamma`.
    #[config(weight = "ones")]
    pub gamma: Weight,
    /// How the first `moving_mean` is made.
    #[config(default = "zeros")]
    pub moving_mean_initializer: Initializer,
    /// How the first `moving_variance` is made.
    #[config(default = "ones")]
    pub moving_variance_initializer: Initializer,
    /// Whether to combine the moments of replicas, which is not supported.
    #[config(default = false)]
    pub synchronized: bool,
    /// Whether to correct by the moving moments in training too, which is not supported.
    #[config(default = false)]
    pub renorm: bool,
    /// The momentum of that correction, which is not supported.
    #[config(default = RENORM_MOMENTUM)]
    pub renorm_momentum: f64,
}

/// What Keras writes for a layer without `renorm`.
const RENORM_MOMENTUM: f64 = 0.99;

impl Layer for BatchNormalization {
    fn check(&self) -> Result<()> {
        ensure!(
            !self.synchronized,
            "Argument synchronized=True is only supported with the TensorFlow backend.";
            help: "a model trains in one replica here, whose moments are those of the whole batch"
        );
        ensure!(!self.renorm, "`renorm` of `BatchNormalization` is not supported, got true");
        ensure!(
            self.renorm_momentum == RENORM_MOMENTUM,
            "`renorm_momentum` of `BatchNormalization` is not supported, got {}",
            self.renorm_momentum
        );
        Ok(())
    }

    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let x = x.cast(DType::F32);
        let (gamma, beta) = (&self.gamma, &self.beta);
        let (gamma, beta) = (self.scale.then_some(gamma), self.center.then_some(beta));
        let affine = Affine::new(cx, x, &AxisList::One(self.axis), gamma, beta);
        let (mean, variance) = match cx.training() && cx.trainable() {
            true => self.follow(cx, x),
            false => {
                let beside = shape_beside(x, &[self.axis]);
                let moving = self.moving(cx, x).map(|it| it.reshape(beside.clone()));
                (moving[0], moving[1])
            }
        };
        affine.apply((x - mean) * (variance + self.epsilon).rsqrt())
    }
}

impl BatchNormalization {
    /// The moving mean and variance.
    fn moving<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> [Tensor<'g>; 2] {
        let features = [x.dim(self.axis)];
        [
            cx.frozen_weight("moving_mean", features, &self.moving_mean_initializer),
            cx.frozen_weight("moving_variance", features, &self.moving_variance_initializer),
        ]
    }

    /// The mean and variance of the batch, which the moving ones follow.
    fn follow<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> (Tensor<'g>, Tensor<'g>) {
        let features = x.axis(self.axis);
        let others = (0..x.rank()).filter(|&axis| Some(axis) != features);
        let others = AxisList::Many(others.map(|axis| axis as isize).collect());
        let (mean, variance) = moments(x, &others);
        let [moving_mean, moving_variance] = self.moving(cx, x);
        let momentum = cx.number("momentum", self.momentum);
        // What comes is told in `f64`, as in Keras, where it is a number of Python.
        let (stays, comes) = (momentum.cast(DType::F32), (1.0 - momentum).cast(DType::F32));
        for (name, moving, batch) in
            [("moving_mean", moving_mean, mean), ("moving_variance", moving_variance, variance)]
        {
            cx.update(name, moving * stays + batch.reshape(moving.shape()) * comes);
        }
        (mean, variance)
    }
}

#[cfg(test)]
mod tests {
    use oxhorn_ir::Trace;

    use super::*;
    use crate::{
        layer::{AnyLayer, LayerSettings},
        scope::Declarations,
        testing::{f32_input, layer_error, layer_text},
    };

    #[test]
    fn gradients_leave_the_moving_moments_alone() {
        let (trace, declared) = (Trace::new("test"), Declarations::new());
        let cx = Scope::new(&trace, &declared, Mode::Train);
        cx.layer("layer", &BatchNormalization::new().into(), f32_input(&trace, &[2, 3]));
        let variables = declared.variables();
        let weights = variables.iter().filter(|it| it.is_weight());
        let weights: Vec<_> = weights.map(|it| (it.path.as_str(), it.trainable)).collect();
        assert_eq!(
            weights,
            [
                ("layer/gamma", true),
                ("layer/beta", true),
                ("layer/moving_mean", false),
                ("layer/moving_variance", false),
            ]
        );
    }

    #[test]
    fn a_frozen_layer_trains_as_it_infers() {
        let frozen = || BatchNormalization::new().trainable(false);
        let text = layer_text(frozen(), Mode::Train, &[2, 3]);
        assert_eq!(text, layer_text(frozen(), Mode::Infer, &[2, 3]));
        let free: AnyLayer = BatchNormalization::new().into();
        assert_ne!(text, layer_text(free, Mode::Train, &[2, 3]));
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name() {
        let message = |layer: BatchNormalization| layer.check().unwrap_err().message;
        assert_eq!(
            message(BatchNormalization::new().synchronized(true)),
            "Argument synchronized=True is only supported with the TensorFlow backend."
        );
        assert_eq!(
            message(BatchNormalization::new().renorm(true)),
            "`renorm` of `BatchNormalization` is not supported, got true"
        );
        assert_eq!(
            message(BatchNormalization::new().renorm_momentum(0.5)),
            "`renorm_momentum` of `BatchNormalization` is not supported, got 0.5"
        );
        let config = serde_json::json!({"renorm_clipping": {"rmax": 3.0}});
        assert_eq!(
            BatchNormalization::from_config(config.as_object().unwrap()).unwrap_err().message,
            "`renorm_clipping` of `BatchNormalization` is not supported, got {\"rmax\":3.0}"
        );
    }

    #[test]
    fn rejects_axes_that_the_input_lacks() {
        let error = layer_error(BatchNormalization::new().axis(2), &[4, 3]);
        assert_eq!(error.message, "f32[4, 3] has no axis 2");
    }
}
