//! What normalization layers share: moments, and the weights `gamma` and `beta`.

use crate::prelude::*;

/// Mean and variance along these axes, which stay at extent 1.
pub(super) fn moments<'g>(x: Tensor<'g>, axes: &AxisList) -> (Tensor<'g>, Tensor<'g>) {
    let mean = axes.reduce(x, Tensor::mean);
    let distance = x - mean;
    (mean, axes.reduce(distance * distance, Tensor::mean))
}

/// The map `x · gamma + beta`, either of which may be absent.
pub(super) struct Affine<'g> {
    gamma: Option<Tensor<'g>>,
    beta: Option<Tensor<'g>>,
}

impl<'g> Affine<'g> {
    /// The map whose weights have one element for each index along `axes` of `x`.
    pub(super) fn new(
        cx: &Scope<'g>,
        x: Tensor<'g>,
        axes: &AxisList,
        gamma: Option<&Weight>,
        beta: Option<&Weight>,
    ) -> Affine<'g> {
        let gamma = gamma.map(|policy| weight_along(cx, "gamma", x, axes, policy));
        let beta = beta.map(|policy| weight_along(cx, "beta", x, axes, policy));
        Affine { gamma, beta }
    }

    /// `x · gamma + beta`
    pub(super) fn apply(&self, x: Tensor<'g>) -> Tensor<'g> {
        let x = self.gamma.map_or(x, |gamma| x * gamma);
        self.beta.map_or(x, |beta| x + beta)
    }
}

/// A weight with one element for each index along `axes` of `x`, laid beside `x`.
pub(super) fn weight_along<'g>(
    cx: &Scope<'g>,
    name: &str,
    x: Tensor<'g>,
    axes: &AxisList,
    policy: &Weight,
) -> Tensor<'g> {
    // Keras sorts axes as they were given, which puts -1 before 1: this is the order of the
    // weight's own axes, and says nothing about where its elements are laid.
    let mut axes = axes.as_slice().to_vec();
    axes.sort_unstable();
    let shape: Vec<usize> = axes.iter().map(|&axis| x.dim(axis)).collect();
    cx.weight(name, shape, policy).reshape(shape_beside(x, &axes))
}

/// The extents of `x` along these axes, and 1 along all others.
pub(super) fn shape_beside(x: Tensor<'_>, axes: &[isize]) -> Vec<usize> {
    let mut shape = vec![1; x.rank()];
    for axis in axes.iter().filter_map(|&axis| x.axis(axis)) {
        shape[axis] = x.shape()[axis];
    }
    shape
}
