//! `GroupNormalization`: mean 0 and variance 1 within groups of channels of each sample.

use super::affine::{Affine, moments};
use crate::prelude::*;

/// Splits the channels of each sample into groups of neighbours, brings each group, over all
/// positions, to mean 0 and variance 1, and then each channel to a scale and an offset that are
/// learnt: `gamma · (x - mean) / √(variance + epsilon) + beta`.
///
/// # Weights
///
/// One element each for every channel:
///
/// - `gamma`, if `scale`
/// - `beta`, if `center`
///
/// Wu and He, *Group normalization*, 2018, <https://arxiv.org/abs/1803.08494>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.GroupNormalization", shape = ".. -> ..")]
pub struct GroupNormalization {
    /// The number of groups, which divides the number of channels; -1 makes each channel a group.
    #[config(default = 32)]
    pub groups: isize,
    /// The axis of channels, which is not that of samples.
    #[config(default = -1)]
    pub axis: isize,
    /// What is added to the variance, lest a constant group be divided by zero.
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
}

impl Layer for GroupNormalization {
    fn check(&self) -> Result<()> {
        ensure!(
            self.groups > 0 || self.groups == -1,
            "Received an invalid value for argument `groups`, expected a positive integer (or `-1` \
            for instance normalization). Received: groups={}",
            self.groups
        );
        Ok(())
    }

    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let x = x.cast(DType::F32);
        let Some(axis) = x.axis(self.axis) else { return x };
        let channels = x.shape()[axis];
        let groups = match self.groups_of(channels, axis) {
            Ok(groups) => groups,
            Err(error) => return cx.trace().fail(error),
        };
        let (gamma, beta) = (&self.gamma, &self.beta);
        let (gamma, beta) = (self.scale.then_some(gamma), self.center.then_some(beta));
        let affine = Affine::new(cx, x, &AxisList::One(self.axis), gamma, beta);

        let mut shape = x.shape();
        shape.splice(axis..=axis, [groups, channels / groups]);
        let grouped = x.reshape(shape);
        let within = (1..grouped.rank()).filter(|&it| it != axis).map(|it| it as isize);
        let (mean, variance) = moments(grouped, &AxisList::Many(within.collect()));
        let y = (grouped - mean) * (variance + self.epsilon).rsqrt();
        affine.apply(y.reshape(x.shape()))
    }
}

impl GroupNormalization {
    /// The number of groups of so many channels.
    fn groups_of(&self, channels: usize, axis: usize) -> Result<usize> {
        let groups = usize::try_from(self.groups).unwrap_or(channels);
        ensure!(
            axis > 0,
            "`axis` of `GroupNormalization` is the axis of samples. Received: axis={}", self.axis;
            help: "groups are of channels; -1 is the last axis"
        );
        ensure!(
            groups <= channels,
            "Number of groups ({groups}) cannot be more than the number of channels ({channels})."
        );
        ensure!(
            groups > 0 && channels.is_multiple_of(groups),
            "Number of groups ({groups}) must be a multiple of the number of channels \
            ({channels}).";
            help: "each group has the same number of channels: `groups` has to divide {channels}"
        );
        Ok(groups)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layer_error;

    #[test]
    fn rejects_groups_that_channels_cannot_be_split_into() {
        let message =
            |layer: GroupNormalization, shape: &[usize]| layer_error(layer, shape).message;
        assert_eq!(
            message(GroupNormalization::new(), &[2, 5]),
            "Number of groups (32) cannot be more than the number of channels (5)."
        );
        assert_eq!(
            message(GroupNormalization::new().groups(2), &[2, 5]),
            "Number of groups (2) must be a multiple of the number of channels (5)."
        );
        assert_eq!(
            message(GroupNormalization::new().groups(-1), &[2, 0]),
            "Number of groups (0) must be a multiple of the number of channels (0)."
        );
        assert_eq!(
            message(GroupNormalization::new().groups(0), &[2, 5]),
            "Received an invalid value for argument `groups`, expected a positive integer (or \
             `-1` for instance normalization). Received: groups=0"
        );
    }

    #[test]
    fn rejects_axes_that_are_none_of_channels() {
        let message = |axis| layer_error(GroupNormalization::new().axis(axis), &[4, 6]).message;
        assert_eq!(message(2), "f32[4, 6] has no axis 2");
        assert_eq!(
            message(-2),
            "`axis` of `GroupNormalization` is the axis of samples. Received: axis=-2"
        );
    }
}
