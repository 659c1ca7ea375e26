//! Activations that are one formula without settings.

use crate::prelude::*;

/// Each struct with its formula.
macro_rules! activations {
    ($($(#[$meta:meta])* pub struct $name:ident = |$x:ident| $formula:expr;)*) => {$(
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Config)]
        $(#[$meta])*
        pub struct $name;

        impl Activate for $name {
            fn call<'g>(&self, $x: Tensor<'g>) -> Tensor<'g> {
                $formula
            }
        }
    )*};
}

activations! {
    /// `eˣ`
    #[config(class = "keras.activations.exponential")]
    pub struct Exponential = |x| x.exp();

    /// A piecewise linear sigmoid: `relu6(x + 3) / 6`.
    #[config(class = "keras.activations.hard_sigmoid")]
    pub struct HardSigmoid = |x| Relu6.call(x + 3.0) / 6.0;

    /// `x · hard_sigmoid(x)`
    ///
    /// Howard et al., *Searching for MobileNetV3*, 2019, <https://arxiv.org/abs/1905.02244>.
    #[config(class = "keras.activations.hard_silu", aliases = ["hard_swish"])]
    pub struct HardSilu = |x| x * HardSigmoid.call(x);

    /// `x`, at least -1 and at most 1.
    #[config(class = "keras.activations.hard_tanh")]
    pub struct HardTanh = |x| {
        x.greater(1.0).select(x.fill(1.0), x.less(-1.0).select(x.fill(-1.0), x))
    };

    /// `x`
    #[config(class = "keras.activations.linear")]
    pub struct Linear = |x| x;

    /// `ln sigmoid(x)`
    #[config(class = "keras.activations.log_sigmoid")]
    pub struct LogSigmoid = |x| -Softplus.call(-x);

    /// `x · tanh(softplus(x))`
    ///
    /// Misra, *Mish: a self regularized non-monotonic activation function*, 2019,
    /// <https://arxiv.org/abs/1908.08681>.
    #[config(class = "keras.activations.mish")]
    pub struct Mish = |x| x * Softplus.call(x).tanh();

    /// `x`, at least 0 and at most 6.
    #[config(class = "keras.activations.relu6")]
    pub struct Relu6 = |x| {
        // Not `maximum` and `minimum`, whose gradients at 0 and 6 would be ½.
        let below = x.greater_equal(6.0).select(x.fill(6.0), x);
        x.less_equal(0.0).select(x.fill(0.0), below)
    };

    /// `1.0507 · elu(x, 1.6733)`, which keeps mean and variance through layers.
    ///
    /// Klambauer et al., *Self-normalizing neural networks*, 2017,
    /// <https://arxiv.org/abs/1706.02515>.
    #[config(class = "keras.activations.selu")]
    pub struct Selu = |x| {
        let (alpha, scale) = (1.6732632423543772, 1.0507009873554805);
        super::Elu::new().alpha(alpha).call(x) * scale
    };

    /// `1 / (1 + e⁻ˣ)`
    #[config(class = "keras.activations.sigmoid")]
    pub struct Sigmoid = |x| x.sigmoid();

    /// `x · sigmoid(x)`
    ///
    /// Ramachandran et al., *Searching for activation functions*, 2017,
    /// <https://arxiv.org/abs/1710.05941>.
    #[config(class = "keras.activations.silu", aliases = ["swish"])]
    pub struct Silu = |x| x * x.sigmoid();

    /// `ln(1 + eˣ)`
    #[config(class = "keras.activations.softplus")]
    pub struct Softplus = |x| x.maximum(0.0) + (-x.abs()).exp().log1p();

    /// `x / (1 + |x|)`
    #[config(class = "keras.activations.softsign")]
    pub struct Softsign = |x| x / (x.abs() + 1.0);

    /// 0 up to -1, `(x + 1)² / 4` up to 1, then `x`.
    #[config(class = "keras.activations.sparse_plus")]
    pub struct SparsePlus = |x| {
        let bend = (x + 1.0) * (x + 1.0) * 0.25;
        x.less_equal(-1.0).select(x.fill(0.0), x.less(1.0).select(bend, x))
    };

    /// 0 up to -1, `(x + 1) / 2` up to 1, then 1.
    #[config(class = "keras.activations.sparse_sigmoid")]
    pub struct SparseSigmoid = |x| ((x + 1.0) * 0.5).maximum(0.0).minimum(1.0);

    /// `tanh(x)`
    #[config(class = "keras.activations.tanh")]
    pub struct Tanh = |x| x.tanh();

    /// `x - tanh(x)`
    #[config(class = "keras.activations.tanh_shrink")]
    pub struct TanhShrink = |x| x - x.tanh();
}
