//! What all metrics have in common: running totals, weighting, and the name "accuracy".

use oxhorn_ir::{DType, Result, Tensor, Type};

use super::CLASSES;
use crate::{
    config::{Error, Field, FieldInfo, Float32, Json, Map, Object, Part, Reader},
    handle::{Handle, category},
    losses::{Labels, divide_no_nan, same_rank},
    scope::{Initial, Scope},
};

/// The settings of every metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Common {
    /// The name in logs.
    pub name: String,
    /// The type of the totals.
    pub dtype: Totals,
}

impl Common {
    /// Keras' defaults for a metric of this name.
    pub fn named(name: &str) -> Common {
        Common { name: name.to_owned(), dtype: Totals::Float32 }
    }

    /// Keras' defaults for a metric of this name that counts in integers unless told otherwise.
    pub fn counting(name: &str) -> Common {
        Common { dtype: Totals::Int32, ..Common::named(name) }
    }
}

impl Part for Common {
    fn fields(default: &Self, fields: &mut Vec<FieldInfo>) {
        fields.push(FieldInfo::new("name", Some(&default.name), "The name in logs."));
        let doc = "The type of the totals.";
        fields.push(match default.dtype {
            Totals::Float32 => FieldInfo::new("dtype", Some(&Float32), doc),
            Totals::Int32 => FieldInfo::new("dtype", Some(&Totals::Int32), doc),
        });
    }

    fn read(reader: &mut Reader<'_>, default: Self) -> Result<Self> {
        let name = reader.or("name", || default.name)?;
        let dtype = match default.dtype {
            // Means are no integers: only what counts by default may do so.
            Totals::Float32 => reader.or("dtype", || Float32).map(|Float32| Totals::Float32)?,
            Totals::Int32 => reader.or("dtype", || Totals::Int32)?,
        };
        Ok(Common { name, dtype })
    }

    fn write(&self, map: &mut Map) {
        map.insert("name".into(), self.name.write());
        map.insert("dtype".into(), self.dtype.write());
    }
}

/// The type of a metric's totals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Totals {
    /// They are real numbers.
    Float32,
    /// They are integers, and so are weights: what is behind their point is dropped.
    Int32,
}

impl Totals {
    /// The type of each element.
    pub(super) fn dtype(self) -> DType {
        match self {
            Totals::Float32 => DType::F32,
            Totals::Int32 => DType::I32,
        }
    }
}

impl Field for Totals {
    fn kind() -> String {
        "the dtype int32 or float32".to_owned()
    }

    fn read(json: &Json) -> Result<Totals> {
        match json.as_str() {
            Some("int" | "int32") => Ok(Totals::Int32),
            None if json.is_null() => Ok(Totals::Int32),
            Some("float32") | None => Float32::read(json).map(|Float32| Totals::Float32),
            Some(name) => Err(Error::new(format!("the dtype `{name}` is not supported"))
                .help("use int32 or float32")),
        }
    }

    fn write(&self) -> Json {
        match self {
            Totals::Float32 => "float32".into(),
            Totals::Int32 => "int32".into(),
        }
    }
}

/// Which way a number gets better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Larger is better, as with an accuracy.
    Up,
    /// Smaller is better, as with a loss.
    Down,
}

/// A number by which people judge predictions.
///
/// Most are means of values, one or several for each sample: such a metric gives its `values` and
/// leaves the rest as it is.
pub trait Measure: Object + AsRef<Common> {
    /// Rejects settings that no data could make right.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Which way the metric gets better; `None` of a number that is neither good nor bad.
    fn direction(&self) -> Option<Direction>;

    /// Whether it is the mean of its values and no more: such a metric leaves out predictions that
    /// a model has masked, and others, as in Keras, do not.
    fn is_mean(&self) -> bool {
        true
    }

    /// What the mean is taken of: the predictions, unless a metric says otherwise.
    ///
    /// A metric that is no mean says instead how it adds up ([`Measure::update`]) and what it makes
    /// of that ([`Measure::result`]).
    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let _ = y_true;
        y_pred
    }

    /// Adds a batch to the totals, which are states of `cx`.
    fn update<'g>(
        &self,
        cx: &Scope<'g>,
        y_true: Tensor<'g>,
        y_pred: Tensor<'g>,
        sample_weight: Option<Tensor<'g>>,
    ) {
        update_mean(self, cx, y_true, y_pred, sample_weight);
    }

    /// The metric of all batches so far, from the states of `cx`, of type `f32`: a scalar, unless
    /// the metric is several numbers, such as one for each of its outputs or thresholds.
    fn result<'g>(&self, cx: &Scope<'g>) -> Tensor<'g> {
        result_mean(cx)
    }
}

/// Adds the values of a batch to the mean.
pub fn update_mean<'g>(
    metric: &(impl Measure + ?Sized),
    cx: &Scope<'g>,
    y_true: Tensor<'g>,
    y_pred: Tensor<'g>,
    sample_weight: Option<Tensor<'g>>,
) {
    let values = metric.values(y_true, y_pred);
    let (sum, count) = totals(values, sample_weight, Tensor::mean);
    add(cx, "total", sum);
    add(cx, "count", count);
}

/// The mean of the values of all batches so far.
pub fn result_mean<'g>(cx: &Scope<'g>) -> Tensor<'g> {
    divide_no_nan(total(cx, "total"), total(cx, "count"))
}

/// A metric, or its name.
pub type Metric = Handle<dyn Measure>;

category!(Measure, "metric", CLASSES);

impl Metric {
    /// The metric as such: "accuracy" and "crossentropy" depend on the shapes of what is true and
    /// what is predicted, batch axis included. It keeps the name it was given by.
    ///
    /// # Errors
    ///
    /// If it was given by a string that names nothing.
    pub fn resolve(&self, y_true: &[usize], y_pred: &[usize]) -> Result<Metric> {
        let labels = Labels::of(y_true, y_pred);
        let class = match (self.name(), labels) {
            (Some("accuracy" | "acc"), Labels::Binary) => "BinaryAccuracy",
            (Some("accuracy" | "acc"), Labels::Sparse) => "SparseCategoricalAccuracy",
            (Some("accuracy" | "acc"), Labels::OneHot) => "CategoricalAccuracy",
            (Some("crossentropy" | "ce"), _) => labels.crossentropy(),
            _ => {
                self.get()?.check()?;
                return Ok(self.clone());
            }
        };
        Ok(self.renamed(Metric::from(class)))
    }

    /// The name in logs: the string it was given by, or else the object's own.
    pub fn log_name(&self) -> String {
        match (self.name(), self.get()) {
            (Some(name), _) => name.to_owned(),
            (None, Ok(metric)) => metric.as_ref().name.clone(),
            (None, Err(_)) => String::new(),
        }
    }
}

/// `Measure` for classes of which one inner type does the work: `measured_by!(score: F1Score)`,
/// where `F1Score::score` gives that type, with the methods of `Measure`.
macro_rules! measured_by {
    ($inner:ident: $($class:ident)*) => {$(
        impl $crate::metrics::Measure for $class {
            fn check(&self) -> ::oxhorn_ir::Result<()> {
                self.$inner().check()
            }

            fn direction(&self) -> Option<$crate::metrics::Direction> {
                self.$inner().direction()
            }

            fn is_mean(&self) -> bool {
                false
            }

            fn update<'g>(
                &self,
                cx: &$crate::scope::Scope<'g>,
                y_true: ::oxhorn_ir::Tensor<'g>,
                y_pred: ::oxhorn_ir::Tensor<'g>,
                sample_weight: Option<::oxhorn_ir::Tensor<'g>>,
            ) {
                self.$inner().update(cx, y_true, y_pred, sample_weight);
            }

            fn result<'g>(
                &self,
                cx: &$crate::scope::Scope<'g>,
            ) -> ::oxhorn_ir::Tensor<'g> {
                self.$inner().result(cx)
            }
        }
    )*};
}
pub(super) use measured_by;

/// The mean, or sum, of the values for each sample, weighted and added up; and what to divide by.
pub(super) fn totals<'g>(
    values: Tensor<'g>,
    sample_weight: Option<Tensor<'g>>,
    reduce: fn(Tensor<'g>, Vec<usize>) -> Tensor<'g>,
) -> (Tensor<'g>, Tensor<'g>) {
    let beyond = |x: Tensor<'g>, rank: usize| match x.rank() > rank {
        true => reduce(x, (rank..x.rank()).collect()),
        false => x,
    };
    let values = values.cast(DType::F32);
    match sample_weight.map(|weight| weight.cast(DType::F32)) {
        None => {
            let samples = values.shape().first().copied().unwrap_or(1);
            let count = values.trace().scalar(samples as f64, DType::F32);
            (beyond(values, 1).sum(..), count)
        }
        Some(weight) => {
            let (values, weight) = same_rank(values, weight);
            let values = beyond(values, weight.rank());
            let weight = weight.broadcast(values.shape());
            (beyond(values * weight, 1).sum(..), beyond(weight, 1).sum(..))
        }
    }
}

/// A running total.
pub(super) fn total<'g>(cx: &Scope<'g>, name: &str) -> Tensor<'g> {
    cx.state(name, Type::f32([]), Initial::Filled(0.0))
}

/// Adds to a running total.
pub(super) fn add<'g>(cx: &Scope<'g>, name: &str, x: Tensor<'g>) {
    let sum = total(cx, name) + x;
    cx.update(name, sum);
}

/// Adds to running totals of the type of `x`, whatever that is.
pub(super) fn add_all<'g>(cx: &Scope<'g>, name: &str, x: Tensor<'g>) {
    let sum = cx.state(name, x.ty(), Initial::Filled(0.0)) + x;
    cx.update(name, sum);
}

/// Running totals whose type the first batch decided.
pub(super) fn known_totals<'g>(cx: &Scope<'g>, name: &str) -> Tensor<'g> {
    match cx.known(name) {
        Some(ty) => cx.state(name, ty, Initial::Filled(0.0)),
        None => {
            let error = Error::new(format!("there is no `{name}` before the first batch"));
            cx.trace().fail(error.help("the shape of the predictions decides that of the result"))
        }
    }
}

/// The settings that all metrics have: `CategoricalAccuracy::new().name("hits")`.
pub trait MetricSettings: AsMut<Common> + Sized {
    /// Names the metric in logs.
    #[must_use]
    fn name(mut self, name: impl Into<String>) -> Self {
        self.as_mut().name = name.into();
        self
    }
}

impl<T: AsMut<Common>> MetricSettings for T {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracy_follows_the_shapes() {
        let resolved = |y_true: &[usize], y_pred: &[usize]| {
            let metric = Metric::from("accuracy").resolve(y_true, y_pred).expect("known");
            assert_eq!(metric.log_name(), "accuracy");
            metric.get().expect("known").class_name()
        };
        assert_eq!(resolved(&[8, 1], &[8, 1]), "BinaryAccuracy");
        assert_eq!(resolved(&[8], &[8, 5]), "SparseCategoricalAccuracy");
        assert_eq!(resolved(&[8, 1], &[8, 5]), "SparseCategoricalAccuracy");
        assert_eq!(resolved(&[8, 5], &[8, 5]), "CategoricalAccuracy");
    }

    #[test]
    fn unknown_metrics_are_refused_in_the_words_of_keras() {
        let error = Metric::from("charm").resolve(&[8], &[8]).unwrap_err();
        assert_eq!(error.message, "Could not interpret metric identifier: charm");
    }
}
