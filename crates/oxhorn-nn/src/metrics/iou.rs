//! `IoU` and its like: how much of two regions, the true and the predicted, is in both.

use super::{
    category::{Common, Direction, measured_by},
    confusion::constants,
};
use crate::{losses::EPSILON, prelude::*, scope::Initial};

/// The intersection of the true and the predicted region of a class over their union,
/// `true positives / (true positives + false positives + false negatives)`; the mean over some
/// classes.
///
/// Classes that are neither true nor predicted anywhere do not count, nor do labels that are no
/// class.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.IoU")]
pub struct IoU {
    /// How many classes there are.
    pub num_classes: usize,
    /// The classes of which the mean is taken.
    pub target_class_ids: Vec<isize>,
    /// A label whose samples do not count.
    #[config(default)]
    pub ignore_class: Option<i64>,
    /// Whether labels are the classes' numbers; else the greatest along `axis` is the class.
    #[config(default = true)]
    pub sparse_y_true: bool,
    /// Whether predictions are the classes' numbers; else the greatest along `axis` is the class.
    #[config(default = true)]
    pub sparse_y_pred: bool,
    /// The axis of the classes.
    #[config(default = -1)]
    pub axis: isize,
    /// What all metrics have; its `dtype` is that of the counts, and so of the weights.
    #[config(flatten = Common::counting("io_u"))]
    pub common: Common,
}

/// The mean over all classes of intersection over union; see [`IoU`].
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.MeanIoU")]
pub struct MeanIoU {
    /// How many classes there are.
    pub num_classes: usize,
    /// A label whose samples do not count.
    #[config(default)]
    pub ignore_class: Option<i64>,
    /// Whether labels are the classes' numbers; else the greatest along `axis` is the class.
    #[config(default = true)]
    pub sparse_y_true: bool,
    /// Whether predictions are the classes' numbers; else the greatest along `axis` is the class.
    #[config(default = true)]
    pub sparse_y_pred: bool,
    /// The axis of the classes.
    #[config(default = -1)]
    pub axis: isize,
    /// What all metrics have; its `dtype` is that of the counts, and so of the weights.
    #[config(flatten = Common::counting("mean_io_u"))]
    pub common: Common,
}

/// Intersection over union where labels are one-hot; see [`IoU`].
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.OneHotIoU")]
pub struct OneHotIoU {
    /// How many classes there are.
    pub num_classes: usize,
    /// The classes of which the mean is taken.
    pub target_class_ids: Vec<isize>,
    /// A label whose samples do not count.
    #[config(default)]
    pub ignore_class: Option<i64>,
    /// Whether predictions are the classes' numbers; else the greatest along `axis` is the class.
    #[config(default = false)]
    pub sparse_y_pred: bool,
    /// The axis of the classes.
    #[config(default = -1)]
    pub axis: isize,
    /// What all metrics have; its `dtype` is that of the counts, and so of the weights.
    #[config(flatten = Common::counting("one_hot_io_u"))]
    pub common: Common,
}

/// The mean over all classes of intersection over union where labels are one-hot; see [`IoU`].
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.OneHotMeanIoU")]
pub struct OneHotMeanIoU {
    /// How many classes there are.
    pub num_classes: usize,
    /// A label whose samples do not count.
    #[config(default)]
    pub ignore_class: Option<i64>,
    /// Whether predictions are the classes' numbers; else the greatest along `axis` is the class.
    #[config(default = false)]
    pub sparse_y_pred: bool,
    /// The axis of the classes.
    #[config(default = -1)]
    pub axis: isize,
    /// What all metrics have; its `dtype` is that of the counts, and so of the weights.
    #[config(flatten = Common::counting("one_hot_mean_io_u"))]
    pub common: Common,
}

/// Intersection over union of no, which is class 0, and yes, which is class 1; see [`IoU`].
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.BinaryIoU")]
pub struct BinaryIoU {
    /// The classes of which the mean is taken.
    #[config(default = [0, 1])]
    pub target_class_ids: Vec<isize>,
    /// The least prediction that means yes.
    #[config(default = 0.5)]
    pub threshold: f64,
    /// What all metrics have; its `dtype` is that of the counts, and so of the weights.
    #[config(flatten = Common::counting("binary_io_u"))]
    pub common: Common,
}

/// How the class is encoded.
#[derive(Clone, Copy, PartialEq)]
enum Encoding {
    /// By its number.
    Sparse,
    /// By a number for each class, of which the greatest tells, along this axis.
    Dense(isize),
    /// Class 1 by this number or a greater one, class 0 by any other.
    AtLeast(f64),
}

impl Encoding {
    /// By a number for each class along this axis, if there is one; else by the class's own.
    fn along(axis: Option<isize>) -> Encoding {
        axis.map_or(Encoding::Sparse, Encoding::Dense)
    }

    /// The classes' numbers, one after the other.
    fn classes<'g>(self, x: Tensor<'g>, dtype: DType) -> Tensor<'g> {
        let classes = match self {
            Encoding::Sparse => x,
            Encoding::Dense(axis) => x.cast(DType::F32).argmax(axis),
            Encoding::AtLeast(threshold) => x.cast(DType::F32).greater_equal(threshold),
        };
        flat(classes.cast(dtype))
    }
}

impl IoU {
    fn regions(&self) -> Regions<'_> {
        Regions {
            num_classes: self.num_classes,
            targets: Some(&self.target_class_ids),
            ignore_class: self.ignore_class,
            y_true: Encoding::along((!self.sparse_y_true).then_some(self.axis)),
            y_pred: Encoding::along((!self.sparse_y_pred).then_some(self.axis)),
            dtype: self.common.dtype.dtype(),
        }
    }
}

impl MeanIoU {
    fn regions(&self) -> Regions<'_> {
        Regions {
            num_classes: self.num_classes,
            targets: None,
            ignore_class: self.ignore_class,
            y_true: Encoding::along((!self.sparse_y_true).then_some(self.axis)),
            y_pred: Encoding::along((!self.sparse_y_pred).then_some(self.axis)),
            dtype: self.common.dtype.dtype(),
        }
    }
}

impl OneHotIoU {
    fn regions(&self) -> Regions<'_> {
        Regions {
            num_classes: self.num_classes,
            targets: Some(&self.target_class_ids),
            ignore_class: self.ignore_class,
            y_true: Encoding::Dense(self.axis),
            y_pred: Encoding::along((!self.sparse_y_pred).then_some(self.axis)),
            dtype: self.common.dtype.dtype(),
        }
    }
}

impl OneHotMeanIoU {
    fn regions(&self) -> Regions<'_> {
        Regions {
            num_classes: self.num_classes,
            targets: None,
            ignore_class: self.ignore_class,
            y_true: Encoding::Dense(self.axis),
            y_pred: Encoding::along((!self.sparse_y_pred).then_some(self.axis)),
            dtype: self.common.dtype.dtype(),
        }
    }
}

impl BinaryIoU {
    fn regions(&self) -> Regions<'_> {
        Regions {
            num_classes: 2,
            targets: Some(&self.target_class_ids),
            ignore_class: None,
            y_true: Encoding::Sparse,
            y_pred: Encoding::AtLeast(self.threshold),
            dtype: self.common.dtype.dtype(),
        }
    }
}

measured_by!(regions: IoU MeanIoU OneHotIoU OneHotMeanIoU BinaryIoU);

/// What all of these metrics are: a matrix of how often each class is taken for each.
struct Regions<'a> {
    num_classes: usize,
    /// The classes of which the mean is taken; `None` for all.
    targets: Option<&'a [isize]>,
    ignore_class: Option<i64>,
    y_true: Encoding,
    y_pred: Encoding,
    /// The type of the counts.
    dtype: DType,
}

impl Regions<'_> {
    fn check(&self) -> Result<()> {
        let classes = self.num_classes;
        ensure!(
            (1..=MOST_CLASSES).contains(&classes),
            "`num_classes` must be from 1 to {MOST_CLASSES}, got {classes}"
        );
        let Some(targets) = self.targets else { return Ok(()) };
        ensure!(!targets.is_empty(), "`target_class_ids` must name one class or more, got []");
        // Like an index in Python, a negative one counts from the end.
        let known = |&&id: &&isize| id.unsigned_abs() < classes + usize::from(id < 0);
        if let Some(id) = targets.iter().filter(|id| !known(id)).max() {
            return Err(Error::new(format!(
                "Target class id {id} is out of range, which is [0, {classes})."
            )));
        }
        Ok(())
    }

    fn direction(&self) -> Option<Direction> {
        Some(Direction::Up)
    }

    fn update<'g>(
        &self,
        cx: &Scope<'g>,
        y_true: Tensor<'g>,
        y_pred: Tensor<'g>,
        sample_weight: Option<Tensor<'g>>,
    ) {
        let y_true = self.y_true.classes(y_true, self.dtype);
        let y_pred = self.y_pred.classes(y_pred, self.dtype);
        if y_true.is_void() || y_pred.is_void() {
            return;
        }
        let (labels, predictions) = (y_true.dim(0), y_pred.dim(0));
        if labels != predictions {
            let message =
                format!("there are {labels} labels in y_true and {predictions} in y_pred");
            let help = "each prediction needs a label; `sparse_y_true` and `sparse_y_pred` say \
                        whether classes have numbers or an axis";
            cx.trace().fail(Error::new(message).help(help));
            return;
        }
        let weight = match sample_weight {
            None => y_true.fill(1.0),
            Some(weight) => flat(weight.cast(self.dtype)).broadcast([labels]),
        };
        let counts = self.in_range(y_true).and(self.in_range(y_pred));
        let counts = match self.ignore_class {
            None => counts,
            Some(class) => counts.and(y_true.not_equal(class as f64)),
        };
        let class = |y: Tensor<'g>| counts.select(y, 0.0).cast(DType::I32);
        let place = class(y_true) * self.num_classes as f64 + class(y_pred);
        let total = self.total(cx);
        let shape = total.shape();
        let total = total.reshape([self.num_classes * self.num_classes]);
        let total = total.scatter_add(place, counts.select(weight, 0.0), 0);
        cx.update(TOTAL, total.reshape(shape));
    }

    fn result<'g>(&self, cx: &Scope<'g>) -> Tensor<'g> {
        let (total, classes) = (self.total(cx), self.num_classes);
        let targets = match self.targets {
            None => cx.trace().iota(0, Type::new(DType::I32, [classes])),
            Some(targets) => {
                let index = |id: &isize| id.rem_euclid(classes as isize) as f64;
                let indices: Vec<f64> = targets.iter().map(index).collect();
                constants(cx.trace(), &indices, DType::I32)
            }
        };
        let (is_true, is_predicted) = (total.sum(1), total.sum(0));
        let diagonal = targets * (classes + 1) as f64;
        let both = total.reshape([classes * classes]).gather(diagonal, 0);
        let either = is_true.gather(targets, 0) + is_predicted.gather(targets, 0) - both;
        let (both, either) = (both.cast(DType::F32), either.cast(DType::F32));
        let occurs = either.greater(1e-9);
        let iou = occurs.select(both / (either + EPSILON), 0.0);
        iou.sum(..) / (occurs.cast(DType::F32).sum(..) + EPSILON)
    }

    fn total<'g>(&self, cx: &Scope<'g>) -> Tensor<'g> {
        let ty = Type::new(self.dtype, [self.num_classes, self.num_classes]);
        cx.state(TOTAL, ty, Initial::Filled(0.0))
    }

    /// Which of these are the number of a class.
    fn in_range<'g>(&self, y: Tensor<'g>) -> Tensor<'g> {
        y.greater_equal(0.0).and(y.less(self.num_classes as f64))
    }
}

/// So many that places in the matrix still have `i32` numbers.
const MOST_CLASSES: usize = 46_340;

/// What Keras calls the matrix.
const TOTAL: &str = "total_confusion_matrix";

/// The elements, one after the other.
fn flat(x: Tensor<'_>) -> Tensor<'_> {
    x.reshape([x.ty().len()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        metrics::{Mean, Totals},
        testing::{metric_error, read_error},
    };

    #[test]
    fn classes_that_do_not_exist_are_refused_in_the_words_of_keras() {
        let error = |metric: IoU| metric.regions().check().unwrap_err().message;
        assert_eq!(
            error(IoU::new(3, [0, 4, 3])),
            "Target class id 4 is out of range, which is [0, 3)."
        );
        assert_eq!(
            error(IoU::new(3, [-4, 0])),
            "Target class id -4 is out of range, which is [0, 3)."
        );
        assert_eq!(
            error(IoU::new(3, [])),
            "`target_class_ids` must name one class or more, got []"
        );
        assert_eq!(error(IoU::new(0, [0])), "`num_classes` must be from 1 to 46340, got 0");
        assert_eq!(
            BinaryIoU::new().target_class_ids([2]).regions().check().unwrap_err().message,
            "Target class id 2 is out of range, which is [0, 2)."
        );
    }

    #[test]
    fn every_prediction_needs_a_label() {
        assert_eq!(
            metric_error(&MeanIoU::new(2).into(), &[4], &[4, 2]).message,
            "there are 4 labels in y_true and 8 in y_pred"
        );
    }

    #[test]
    fn counts_are_integers_or_real_numbers() {
        let read = |dtype: &str| {
            let config = serde_json::json!({"num_classes": 2, "dtype": dtype});
            let metric = MeanIoU::from_config(config.as_object().expect("a dictionary"));
            metric.map(|metric| metric.common.dtype)
        };
        assert_eq!(read("int"), Ok(Totals::Int32));
        assert_eq!(read("float32"), Ok(Totals::Float32));
        assert_eq!(
            read("int64").unwrap_err().to_string(),
            "`dtype` of `MeanIoU`: the dtype `int64` is not supported\n  help: use int32 or float32"
        );
        assert_eq!(
            read_error::<Mean>(serde_json::json!({"dtype": "int32"})).message,
            "`dtype` of `Mean`: the dtype `int32` is not supported"
        );
    }
}
