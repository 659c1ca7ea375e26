//! The confusion matrix of yes-or-no answers: how often each is right or wrong, by threshold.

use oxhorn_ir::Trace;

use super::category::{add_all, known_totals};
use crate::{
    config::unexpected,
    losses::{EPSILON, divide_no_nan, same_rank},
    prelude::*,
    scope::Initial,
};

/// Thresholds as Keras takes them: one, or a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Thresholds {
    /// `thresholds=0.5`
    One(f64),
    /// `thresholds=[0.2, 0.8]`
    Many(Vec<f64>),
}

impl Thresholds {
    /// The thresholds as a list.
    pub fn as_slice(&self) -> &[f64] {
        match self {
            Thresholds::One(threshold) => std::slice::from_ref(threshold),
            Thresholds::Many(thresholds) => thresholds,
        }
    }

    /// Rejects what is no probability.
    pub(super) fn check(&self) -> Result<()> {
        let invalid = |it: &&f64| **it < 0.0 || **it > 1.0;
        let invalid: Vec<&f64> = self.as_slice().iter().filter(invalid).collect();
        ensure!(invalid.is_empty(), "Threshold values must be in [0, 1]. Received: {invalid:?}");
        ensure!(
            !self.as_slice().is_empty(),
            "`thresholds` must be a number or a list of one or more, got []";
            help: "leave `thresholds` out to have the default"
        );
        Ok(())
    }
}

impl From<f64> for Thresholds {
    fn from(threshold: f64) -> Thresholds {
        Thresholds::One(threshold)
    }
}

impl From<Vec<f64>> for Thresholds {
    fn from(thresholds: Vec<f64>) -> Thresholds {
        Thresholds::Many(thresholds)
    }
}

impl<const N: usize> From<[f64; N]> for Thresholds {
    fn from(thresholds: [f64; N]) -> Thresholds {
        Thresholds::Many(thresholds.to_vec())
    }
}

impl Field for Thresholds {
    fn kind() -> String {
        "a number or a list of numbers".to_owned()
    }

    fn read(json: &Json) -> Result<Thresholds> {
        match json {
            Json::Number(_) => Field::read(json).map(Thresholds::One),
            Json::Array(_) => Field::read(json).map(Thresholds::Many),
            _ => Err(unexpected::<Thresholds>(json)),
        }
    }

    fn write(&self) -> Json {
        match self {
            Thresholds::One(threshold) => threshold.write(),
            Thresholds::Many(thresholds) => thresholds.write(),
        }
    }
}

/// One cell of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    TruePositives,
    FalsePositives,
    TrueNegatives,
    FalseNegatives,
}

impl Cell {
    /// All four.
    pub(super) const ALL: [Cell; 4] =
        [Cell::TruePositives, Cell::FalsePositives, Cell::TrueNegatives, Cell::FalseNegatives];

    /// What Keras calls the total.
    fn name(self) -> &'static str {
        match self {
            Cell::TruePositives => "true_positives",
            Cell::FalsePositives => "false_positives",
            Cell::TrueNegatives => "true_negatives",
            Cell::FalseNegatives => "false_negatives",
        }
    }
}

/// The first of two cells as a share of both, `a / (a + b)`; 0 where both are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share(pub(super) Cell, pub(super) Cell);

impl Share {
    /// Of all yeses, those that are right.
    pub(super) const PRECISION: Share = Share(Cell::TruePositives, Cell::FalsePositives);
    /// Of all that is true, what is found; also called sensitivity.
    pub(super) const RECALL: Share = Share(Cell::TruePositives, Cell::FalseNegatives);
    /// Of all that is false, what is recognised.
    pub(super) const SPECIFICITY: Share = Share(Cell::TrueNegatives, Cell::FalsePositives);
    /// Of all that is false, what is taken for true.
    pub(super) const FALL_OUT: Share = Share(Cell::FalsePositives, Cell::TrueNegatives);
}

/// Where predictions turn from no to yes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cuts {
    /// Above each of these numbers.
    Above(Vec<f64>),
    /// Above each of `count` numbers, evenly spaced from 0 to 1.
    Even { count: usize, lowest: Lowest },
}

/// Where the lowest of evenly spaced cuts lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lowest {
    /// At 0, so that a prediction of 0 is a no.
    AtZero,
    /// Below all predictions, which therefore are a yes.
    BelowAll,
}

impl Cuts {
    /// Cuts at these thresholds, of which Keras treats evenly spaced ones in another way.
    pub(super) fn at(thresholds: &[f64]) -> Cuts {
        match are_even(thresholds) {
            true => Cuts::Even { count: thresholds.len(), lowest: Lowest::AtZero },
            false => Cuts::Above(thresholds.to_vec()),
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        match self {
            Cuts::Above(cuts) => cuts.len(),
            Cuts::Even { count, .. } => *count,
        }
    }

    /// For each cut along the first axis, which of the predictions `[1, ..]` exceed it.
    fn exceeded<'g>(&self, y_pred: Tensor<'g>) -> Tensor<'g> {
        let trace = y_pred.trace();
        let (y_pred, cuts) = match self {
            Cuts::Above(cuts) => (y_pred, constants(trace, cuts, DType::F32)),
            Cuts::Even { count, lowest } => {
                // Keras rounds this product before it compares; to compare with a threshold would
                // differ by that rounding.
                let steps = count.saturating_sub(1) as f64;
                let y_pred = y_pred.maximum(0.0).minimum(1.0) * steps;
                let cuts = trace.iota(0, Type::f32([*count]));
                match lowest {
                    Lowest::AtZero => (y_pred, cuts),
                    Lowest::BelowAll => (y_pred, cuts - cuts.equal(0.0).cast(DType::F32)),
                }
            }
        };
        let mut shape = vec![1; y_pred.rank()];
        shape[0] = self.count();
        y_pred.greater(cuts.reshape(shape))
    }
}

/// Whether these are three numbers or more, evenly spaced from 0 to 1, as near as Keras looks.
pub(super) fn are_even(thresholds: &[f64]) -> bool {
    let steps = thresholds.len().saturating_sub(1) as f32;
    let mut even = thresholds.iter().zip(0..).map(|(threshold, i)| (threshold, i as f32 / steps));
    let near = |(threshold, even): (&f64, f32)| {
        (threshold - f64::from(even)).abs() <= EPSILON + 1e-5 * f64::from(even)
    };
    thresholds.len() >= 3 && even.all(near)
}

/// How labels count that a sample has several of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum PerSample<'a> {
    /// Together, perhaps each with a weight.
    Together(Option<&'a [f64]>),
    /// Each apart; how many there are, if that is known.
    Apart(Option<usize>),
}

/// Cells of the matrix for every cut, added up over batches.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Matrix<'a> {
    /// The cells to count.
    pub(super) cells: Vec<Cell>,
    /// Where predictions turn from no to yes.
    pub(super) cuts: Cuts,
    /// How many of a sample's predictions can be a yes at most, the greatest.
    pub(super) top_k: Option<usize>,
    /// The only class that counts.
    pub(super) class_id: Option<isize>,
    /// How labels count that a sample has several of.
    pub(super) labels: PerSample<'a>,
}

/// A batch in the shape in which it is counted: `[1, answers]`, or `[1, samples, labels]`.
struct Answers<'g> {
    /// Which are yes.
    y_true: Tensor<'g>,
    y_pred: Tensor<'g>,
    weight: Tensor<'g>,
}

impl<'a> Matrix<'a> {
    /// These cells, of all classes and labels.
    pub(super) fn new(cells: impl Into<Vec<Cell>>, cuts: Cuts) -> Matrix<'a> {
        Matrix {
            cells: cells.into(),
            cuts,
            top_k: None,
            class_id: None,
            labels: PerSample::Together(None),
        }
    }

    /// Adds a batch.
    pub(super) fn update<'g>(
        &self,
        cx: &Scope<'g>,
        y_true: Tensor<'g>,
        y_pred: Tensor<'g>,
        sample_weight: Option<Tensor<'g>>,
    ) {
        if y_true.is_void() || y_pred.is_void() {
            return;
        }
        let answers = self.answers(y_true, y_pred, sample_weight);
        let Answers { y_true, y_pred, weight } = match answers {
            Ok(answers) => answers,
            Err(error) => {
                cx.trace().fail(error);
                return;
            }
        };
        if y_pred.is_void() || weight.is_void() {
            return;
        }
        let above = self.cuts.exceeded(y_pred);
        let (yes, no) = (y_true.select(weight, 0.0), y_true.not().select(weight, 0.0));
        for &cell in &self.cells {
            let (answered, counting) = match cell {
                Cell::TruePositives => (above, yes),
                Cell::FalsePositives => (above, no),
                Cell::TrueNegatives => (above.not(), no),
                Cell::FalseNegatives => (above.not(), yes),
            };
            let counted = answered.select(counting.broadcast(above.shape()), 0.0);
            add_all(cx, cell.name(), counted.sum(1));
        }
    }

    /// A cell of all batches so far: `[cuts]`, or with labels apart `[cuts, labels]`.
    pub(super) fn cell<'g>(&self, cx: &Scope<'g>, cell: Cell) -> Tensor<'g> {
        let shape = match self.labels {
            PerSample::Together(_) => vec![self.cuts.count()],
            PerSample::Apart(Some(labels)) => vec![self.cuts.count(), labels],
            PerSample::Apart(None) => return known_totals(cx, cell.name()),
        };
        cx.state(cell.name(), Type::f32(shape), Initial::Filled(0.0))
    }

    /// A share of all batches so far, in the same shape.
    pub(super) fn share<'g>(&self, cx: &Scope<'g>, Share(a, b): Share) -> Tensor<'g> {
        let (a, b) = (self.cell(cx, a), self.cell(cx, b));
        divide_no_nan(a, a + b)
    }

    /// A number for each cut; of one cut, that number alone.
    pub(super) fn unless_one<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        if self.cuts.count() == 1 { x.reshape([]) } else { x }
    }

    fn answers<'g>(
        &self,
        y_true: Tensor<'g>,
        y_pred: Tensor<'g>,
        sample_weight: Option<Tensor<'g>>,
    ) -> Result<Answers<'g>> {
        let (mut y_pred, mut y_true) = same_rank(y_pred.cast(DType::F32), y_true.cast(DType::F32));
        let (shape, labels) = (y_pred.shape(), y_true.shape());
        ensure!(
            shape == labels,
            "y_true of shape {labels:?} and y_pred of shape {shape:?} do not fit";
            help: "each prediction needs a label, yes or no"
        );
        let weight = sample_weight.map(|weight| beside(weight.cast(DType::F32), shape.len()));
        if let Some(k) = self.top_k {
            y_pred = only_greatest(y_pred, k)?;
        }
        if let Some(id) = self.class_id {
            (y_true, y_pred) = (class(y_true, id)?, class(y_pred, id)?);
        }
        let shape = y_pred.shape();
        let weight = weight.map(|weight| weight.broadcast(&shape[..]));
        let weight = match (weight, self.label_weights(y_pred)?) {
            (None, None) => y_pred.fill(1.0),
            (Some(weight), None) | (None, Some(weight)) => weight,
            (Some(a), Some(b)) => a * b,
        };
        let counted = match self.labels {
            PerSample::Together(_) => vec![1, shape.iter().product()],
            PerSample::Apart(_) => [&[1], &shape[..]].concat(),
        };
        Ok(Answers {
            y_true: y_true.cast(DType::Bool).reshape(&counted[..]),
            y_pred: y_pred.reshape(&counted[..]),
            weight: weight.reshape(&counted[..]),
        })
    }

    /// The weight of each label, in the shape of the predictions.
    fn label_weights<'g>(&self, y_pred: Tensor<'g>) -> Result<Option<Tensor<'g>>> {
        let PerSample::Together(Some(weights)) = self.labels else { return Ok(None) };
        let (shape, count) = (y_pred.shape(), weights.len());
        ensure!(
            shape.len() >= 2 && shape.last() == Some(&count),
            "`label_weights` has {count} numbers, but y_pred has shape {shape:?}";
            help: "there must be a weight for each element of the last axis"
        );
        let weights = constants(y_pred.trace(), weights, DType::F32);
        Ok(Some(weights.broadcast(shape)))
    }
}

/// These numbers as a tensor.
pub(super) fn constants<'g>(trace: &'g Trace, values: &[f64], dtype: DType) -> Tensor<'g> {
    let number = |&value: &f64| trace.scalar(value, dtype).reshape([1]);
    let numbers: Vec<Tensor<'g>> = values.iter().map(number).collect();
    match numbers.as_slice() {
        [] => trace.iota(0, Type::new(dtype, [0])),
        [number] => *number,
        numbers => Tensor::concatenate(numbers, 0),
    }
}

/// Weights with a last axis of extent 1 for whatever a sample has several of.
fn beside(weight: Tensor<'_>, rank: usize) -> Tensor<'_> {
    let mut shape = weight.shape();
    if !weight.is_void() && shape.len() < rank {
        shape.push(1);
    }
    weight.reshape(shape)
}

/// The predictions of one class.
fn class(x: Tensor<'_>, id: isize) -> Result<Tensor<'_>> {
    let (mut start, mut stop) = (vec![0; x.rank()], x.shape());
    let (rank, classes) = (x.rank(), x.dim(-1));
    ensure!(
        rank > 1,
        "When class_id is provided, y_pred must be a 2D array with shape (num_samples, \
        num_classes), found shape: {stop:?}"
    );
    let index = if id < 0 { id.saturating_add_unsigned(classes) } else { id };
    ensure!(
        (0..classes as isize).contains(&index),
        "`class_id` is {id}, but y_pred of shape {stop:?} has {classes} classes";
        help: "classes are numbered from 0"
    );
    (start[rank - 1], stop[rank - 1]) = (index as usize, index as usize + 1);
    Ok(x.slice(start, stop, vec![1; rank]))
}

/// The `k` greatest along the last axis, of equals the first; the others are no candidates.
fn only_greatest(x: Tensor<'_>, k: usize) -> Result<Tensor<'_>> {
    let (shape, classes) = (x.shape(), x.dim(-1));
    ensure!(
        k <= classes && !shape.is_empty(),
        "`top_k` is {k}, but y_pred of shape {shape:?} has {classes} classes"
    );
    let numbers = x.trace().iota(shape.len() - 1, x.ty().of(DType::I32));
    let (mut rest, mut kept) = (x, x.fill(NO_CANDIDATE));
    for _ in 0..k {
        let greatest = rest.argmax(-1).keep(rest, -1).broadcast(&shape[..]).equal(numbers);
        kept = greatest.select(x, kept);
        rest = greatest.select(x.fill(f64::NEG_INFINITY), rest);
    }
    Ok(kept)
}

/// What Keras has in place of predictions that are not among the greatest; and, with those alone,
/// what takes the place of the threshold.
pub(super) const NO_CANDIDATE: f64 = -1e10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_even_as_near_as_keras_looks() {
        assert!(are_even(&[0.0, 0.5, 1.0]));
        assert!(are_even(&[0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0]));
        assert!(are_even(&[0.0, 0.500005, 1.0]));
        assert!(!are_even(&[0.0, 0.50001, 1.0]));
        assert!(!are_even(&[0.0, 1.0]));
        assert!(!are_even(&[0.1, 0.5, 0.9]));
        assert!(!are_even(&[]));
    }
}
