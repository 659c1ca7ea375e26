//! What all losses have in common: casting, matching shapes, weighting and reduction.

use oxhorn_ir::{DType, Error, Result, Tensor, Type, ensure};

use super::CLASSES;
use crate::{
    config::{Config, Float32, Object},
    handle::{Handle, category},
    keyword,
};

keyword! {
    /// How the losses of a batch become one.
    pub enum Reduction {
        /// They are added.
        Sum "sum",
        /// They are averaged, whatever their weights.
        SumOverBatchSize "sum_over_batch_size",
        /// The same.
        Mean "mean",
        /// They are added and divided by the sum of their weights.
        MeanWithSampleWeight "mean_with_sample_weight",
        /// They stay apart.
        None "none",
    }
}

/// The settings of every loss.
#[derive(Clone, Debug, PartialEq, Config)]
pub struct Common {
    /// The name in logs.
    #[config(default)]
    pub name: String,
    /// How the losses of a batch become one.
    #[config(default = Some(Reduction::SumOverBatchSize))]
    pub reduction: Option<Reduction>,
    /// The type of the elements.
    #[config(default)]
    pub dtype: Option<Float32>,
}

impl Common {
    /// Keras' defaults for a loss of this name.
    pub fn named(name: &str) -> Common {
        Common::new().name(name)
    }
}

/// A measure of how far predictions are from what is true, for training to make small.
pub trait Penalize: Object + AsRef<Common> {
    /// Rejects settings that no data could make right.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// The loss of each sample, from `f32` tensors whose shapes have been matched.
    fn call<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g>;

    /// The logarithms of the probabilities that predictions give to classes, and the axis of the
    /// classes, if that is what predictions are.
    fn log_probabilities<'g>(&self, y_pred: Tensor<'g>) -> Option<(Tensor<'g>, isize)> {
        let _ = y_pred;
        None
    }

    /// Which samples count, if not all do, from what is true and the loss of each.
    fn mask<'g>(&self, y_true: Tensor<'g>, losses: Tensor<'g>) -> Option<Tensor<'g>> {
        let _ = (y_true, losses);
        None
    }
}

/// A loss, or its name.
pub type Loss = Handle<dyn Penalize>;

category!(Penalize, "loss", CLASSES);

impl Loss {
    /// The loss as such: "crossentropy" depends on the shapes of what is true and what is
    /// predicted, batch axis included.
    ///
    /// # Errors
    ///
    /// If it was given by a string that names nothing, or with settings that cannot be.
    pub fn resolve(&self, y_true: &[usize], y_pred: &[usize]) -> Result<Loss> {
        let loss = match (self.name(), Labels::of(y_true, y_pred)) {
            (Some("crossentropy" | "ce"), labels) => {
                self.renamed(Loss::from(labels.crossentropy()))
            }
            _ => self.clone(),
        };
        loss.get()?.check()?;
        Ok(loss)
    }

    /// The loss of a batch: a scalar, unless the reduction is "none".
    ///
    /// `y_true` and `sample_weight` may have any element type.
    pub fn apply<'g>(
        &self,
        y_true: Tensor<'g>,
        y_pred: Tensor<'g>,
        sample_weight: Option<Tensor<'g>>,
    ) -> Tensor<'g> {
        self.apply_masked(y_true, y_pred, sample_weight, None)
    }

    /// The same, where only the predictions that `y_mask` names count.
    pub fn apply_masked<'g>(
        &self,
        y_true: Tensor<'g>,
        y_pred: Tensor<'g>,
        sample_weight: Option<Tensor<'g>>,
        y_mask: Option<Tensor<'g>>,
    ) -> Tensor<'g> {
        let loss = match self.get() {
            Ok(loss) => loss,
            Err(error) => return y_pred.trace().fail(error),
        };
        let (values, mask) = per_sample(loss, y_true, y_pred);
        reduced(loss, values, sample_weight, both(y_mask, mask))
    }
}

/// Values of samples, weighed and masked and reduced as those of a loss.
pub(crate) fn reduced<'g>(
    loss: &dyn Penalize,
    values: Tensor<'g>,
    sample_weight: Option<Tensor<'g>>,
    mask: Option<Tensor<'g>>,
) -> Tensor<'g> {
    let reduction = loss.as_ref().reduction.unwrap_or(Reduction::None);
    let sample_weight = sample_weight.map(|weight| weight.cast(DType::F32));
    let weight = weigh(sample_weight, mask, reduction);
    let (values, weight) = match weight {
        None => (values, None),
        Some(weight) => {
            let (values, weight) = same_rank(values, weight);
            (values * weight, Some(weight))
        }
    };
    reduce(values, weight, reduction)
}

/// What counts by both of two masks, where each may be left out.
pub(crate) fn both<'g>(a: Option<Tensor<'g>>, b: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.and(b)),
        (a, b) => a.or(b),
    }
}

/// What the shapes of what is true and what is predicted say about labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labels {
    /// One answer, yes or no.
    Binary,
    /// The number of a class.
    Sparse,
    /// A probability for each class.
    OneHot,
}

impl Labels {
    /// Keras' rule for "accuracy" and "crossentropy", from shapes with their batch axes.
    pub fn of(y_true: &[usize], y_pred: &[usize]) -> Labels {
        if y_pred.last() == Some(&1) {
            Labels::Binary
        } else if y_true.len() < y_pred.len() || y_true.last() == Some(&1) {
            Labels::Sparse
        } else {
            Labels::OneHot
        }
    }

    /// The class that "crossentropy" stands for, among losses and metrics alike.
    pub(crate) fn crossentropy(self) -> &'static str {
        match self {
            Labels::Binary => "BinaryCrossentropy",
            Labels::Sparse => "SparseCategoricalCrossentropy",
            Labels::OneHot => "CategoricalCrossentropy",
        }
    }
}

/// The loss of each sample, and which samples count.
pub(crate) fn per_sample<'g>(
    loss: &dyn Penalize,
    y_true: Tensor<'g>,
    y_pred: Tensor<'g>,
) -> (Tensor<'g>, Option<Tensor<'g>>) {
    let (y_true, y_pred) = same_rank(y_true.cast(DType::F32), y_pred.cast(DType::F32));
    let losses = loss.call(y_true, y_pred);
    (losses, loss.mask(y_true, losses))
}

/// Adds or removes a last axis of extent 1 where that makes the ranks equal; rank 1 is raised.
pub(crate) fn same_rank<'g>(a: Tensor<'g>, b: Tensor<'g>) -> (Tensor<'g>, Tensor<'g>) {
    /// `long` has one axis more than `short`.
    fn match_up<'g>(long: Tensor<'g>, short: Tensor<'g>) -> (Tensor<'g>, Tensor<'g>) {
        if long.dim(-1) != 1 {
            return (long, short);
        }
        match short.rank() {
            1 => (long, short.reshape([short.dim(0), 1])),
            _ => (long.reshape(&long.shape()[..long.rank() - 1]), short),
        }
    }
    if a.is_void() || b.is_void() {
        return (a, b);
    }
    if a.rank() == b.rank() + 1 {
        return match_up(a, b);
    }
    if b.rank() == a.rank() + 1 {
        let (b, a) = match_up(b, a);
        return (a, b);
    }
    (a, b)
}

/// The weights of samples, those of samples that do not count being 0.
///
/// Where a mean is taken over all samples, those that count are weighed up for the others.
pub fn weigh<'g>(
    sample_weight: Option<Tensor<'g>>,
    mask: Option<Tensor<'g>>,
    reduction: Reduction,
) -> Option<Tensor<'g>> {
    let Some(mask) = mask else { return sample_weight };
    let mut mask = mask.cast(DType::F32);
    if matches!(reduction, Reduction::Mean | Reduction::SumOverBatchSize) {
        let total = mask.ty().len() as f64;
        mask = mask * divide_no_nan(mask.trace().scalar(total, DType::F32), mask.sum(..));
    }
    Some(match sample_weight {
        None => mask,
        Some(weight) => {
            let (mask, weight) = same_rank(mask, weight);
            weight * mask
        }
    })
}

fn reduce<'g>(values: Tensor<'g>, weight: Option<Tensor<'g>>, reduction: Reduction) -> Tensor<'g> {
    if values.rank() == 0 {
        return values;
    }
    match (reduction, weight) {
        (Reduction::None, _) => values,
        (Reduction::Sum, _) => values.sum(..),
        (Reduction::MeanWithSampleWeight, Some(weight)) => {
            divide_no_nan(values.sum(..), weight.sum(..))
        }
        (Reduction::MeanWithSampleWeight | Reduction::Mean | Reduction::SumOverBatchSize, _) => {
            values.sum(..) / values.ty().len().max(1) as f64
        }
    }
}

/// Labels without a last axis of extent 1 that predictions of classes make superfluous.
pub(crate) fn squeeze_labels<'g>(y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
    match y_true.shape().as_slice() {
        [samples @ .., 1] if y_true.rank() == y_pred.rank() => y_true.reshape(samples),
        _ => y_true,
    }
}

/// The labels, if there is one for each prediction's classes along `axis`; else a mistake in Keras'
/// words.
pub(crate) fn check_labels<'g>(labels: Tensor<'g>, axis: usize, y_pred: Tensor<'g>) -> Tensor<'g> {
    let mut expected = y_pred.shape();
    expected.remove(axis);
    if labels.is_void() || labels.shape() == expected {
        return labels;
    }
    let message = format!(
        "Arguments `target` and `output` must have the same shape up until the last \
         dimension: target.shape={:?}, output.shape={:?}",
        labels.shape(),
        y_pred.shape()
    );
    let help = "y must be one label for each sample, or one-hot with a categorical loss";
    labels.trace().fail(Error::new(message).help(help))
}

/// Where the label is the class whose number is the position along `axis`.
pub(crate) fn is_class<'g>(labels: Tensor<'g>, axis: usize, like: Tensor<'g>) -> Tensor<'g> {
    let numbers = labels.trace().iota(axis, Type::new(DType::I32, like.shape()));
    numbers.equal(expand(labels.cast(DType::I32), axis))
}

/// A new axis of extent 1.
fn expand(x: Tensor<'_>, axis: usize) -> Tensor<'_> {
    let mut shape = x.shape();
    shape.insert(axis.min(shape.len()), 1);
    x.reshape(shape)
}

/// The quotient, 0 where the divisor is 0.
pub(crate) fn divide_no_nan<'g>(a: Tensor<'g>, b: Tensor<'g>) -> Tensor<'g> {
    let zero = b.equal(0.0);
    zero.select(a.fill(0.0), a / zero.select(b.fill(1.0), b))
}

/// Numbers brought between Keras' epsilon and one minus it, so that their logarithms are finite.
pub(super) fn clip_probabilities(p: Tensor<'_>) -> Tensor<'_> {
    p.maximum(EPSILON).minimum(f64::from(1.0 - EPSILON as f32))
}

/// Keras' epsilon, as an `f32`: near 1, its rounding shows.
pub(crate) const EPSILON: f64 = 1e-7_f32 as f64;

/// Rejects a share of the labels that is none.
pub(crate) fn check_smoothing(label_smoothing: f64) -> Result<()> {
    ensure!(
        (0.0..=1.0).contains(&label_smoothing),
        "`label_smoothing` must be from 0 to 1, got {label_smoothing}"
    );
    Ok(())
}

/// The predictions, if they have the shape of what is true; else a mistake in Keras' words.
pub(crate) fn check_same_shape<'g>(y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
    let (target, output) = (y_true.shape(), y_pred.shape());
    if target == output || y_true.is_void() || y_pred.is_void() {
        return y_pred;
    }
    let error = Error::new(format!(
        "Arguments `target` and `output` must have the same shape. Received: \
         target.shape={target:?}, output.shape={output:?}"
    ));
    let help = "y must have a column for each output of the last layer, \
                or be labels with a sparse loss";
    y_pred.trace().fail(error.help(help))
}

/// The settings that all losses have: `Huber::new().reduction(Reduction::Sum)`.
pub trait LossSettings: AsMut<Common> + Sized {
    /// Names the loss in logs.
    #[must_use]
    fn name(mut self, name: impl Into<String>) -> Self {
        self.as_mut().name = name.into();
        self
    }

    /// Sets how the losses of a batch become one.
    #[must_use]
    fn reduction(mut self, reduction: Reduction) -> Self {
        self.as_mut().reduction = Some(reduction);
        self
    }
}

impl<T: AsMut<Common>> LossSettings for T {}

#[cfg(test)]
mod tests {
    use oxhorn_ir::{Array, Trace, Type, testing::run};

    use super::*;
    use crate::losses::{MeanAbsoluteError, SparseCategoricalCrossentropy};

    /// The loss of predictions of which only some count, and of weights or none.
    fn masked(loss: impl Into<Loss>, weights: Option<[f64; 3]>, counts: [f64; 3]) -> Vec<f64> {
        let loss = loss.into();
        let y_true = Array::new([3, 1], vec![1.0, 0.0, 3.0]);
        let y_pred = Array::new([3, 1], vec![3.0, 5.0, 10.0]);
        let mask = Array::new([3], counts.to_vec());
        let mut inputs =
            vec![(Type::f32([3, 1]), y_true), (Type::f32([3, 1]), y_pred), (Type::f32([3]), mask)];
        if let Some(weights) = weights {
            inputs.push((Type::f32([3]), Array::new([3], weights.to_vec())));
        }
        run(&inputs, |_, x| {
            loss.apply_masked(x[0], x[1], x.get(3).copied(), Some(x[2].greater(0.0)))
        })
        .data
    }

    #[test]
    fn a_mean_is_one_of_what_counts() {
        assert_eq!(masked(MeanAbsoluteError::new(), None, [1.0, 0.0, 1.0]), [4.5]);
        let weighted = masked(MeanAbsoluteError::new(), Some([1.0, 7.0, 2.0]), [1.0, 0.0, 1.0]);
        assert_eq!(weighted, [(2.0 + 2.0 * 7.0) / 2.0]);
    }

    #[test]
    fn a_sum_is_one_of_what_counts() {
        let sum = MeanAbsoluteError::new().reduction(Reduction::Sum);
        assert_eq!(masked(sum, None, [0.0, 1.0, 1.0]), [12.0]);
    }

    #[test]
    fn where_nothing_counts_the_loss_is_0() {
        assert_eq!(masked(MeanAbsoluteError::new(), None, [0.0; 3]), [0.0]);
    }

    #[test]
    fn labels_to_ignore_do_not_count_wherever_the_mask_says_so_too() {
        let loss = Loss::from(SparseCategoricalCrossentropy::new().ignore_class(0));
        let inputs = [
            (Type::f32([3]), Array::new([3], vec![1.0, 0.0, 1.0])),
            (Type::f32([3, 2]), Array::new([3, 2], vec![0.5, 0.5, 0.1, 0.9, 0.75, 0.25])),
            (Type::f32([3]), Array::new([3], vec![0.0, 1.0, 1.0])),
        ];
        let value =
            run(&inputs, |_, x| loss.apply_masked(x[0], x[1], None, Some(x[2].greater(0.0))));
        assert!((value.data[0] - 4.0_f64.ln()).abs() < 1e-6, "{value:?}");
    }

    #[test]
    fn crossentropy_follows_the_shapes() {
        let resolved = |y_true: &[usize], y_pred: &[usize]| {
            let loss = Loss::from("crossentropy").resolve(y_true, y_pred).expect("known");
            loss.get().expect("known").class_name()
        };
        assert_eq!(resolved(&[8, 1], &[8, 1]), "BinaryCrossentropy");
        assert_eq!(resolved(&[8], &[8, 5]), "SparseCategoricalCrossentropy");
        assert_eq!(resolved(&[8, 5], &[8, 5]), "CategoricalCrossentropy");
    }

    #[test]
    fn unknown_losses_are_refused_in_the_words_of_keras() {
        let error = Loss::from("regret").resolve(&[8], &[8]).unwrap_err();
        assert_eq!(error.message, "Could not interpret loss identifier: regret");
        assert!(error.help.expect("some").contains("mean_squared_error"));
    }

    #[test]
    fn labels_of_another_shape_are_refused_in_the_words_of_keras() {
        let trace = Trace::new("test");
        let (y_true, y_pred) =
            (trace.input("y_true", Type::f32([8, 3])), trace.input("y_pred", Type::f32([8, 5])));
        Loss::from("categorical_crossentropy").apply(y_true, y_pred, None);
        assert_eq!(
            trace.error().expect("a mistake").to_string(),
            "Arguments `target` and `output` must have the same shape. Received: \
             target.shape=[8, 3], output.shape=[8, 5]\n  help: y must have a column for each \
             output of the last layer, or be labels with a sparse loss"
        );
    }
}
