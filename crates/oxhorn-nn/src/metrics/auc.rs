//! `AUC`: the area under the curve that two shares of answers describe as the threshold moves.

use super::{
    category::{Common, Direction, Measure},
    confusion::{Cell, Cuts, Lowest, Matrix, PerSample, Share, are_even, constants},
};
use crate::{
    config::{Error, unexpected},
    losses::{EPSILON, divide_no_nan},
    prelude::*,
};

/// The area under a curve, as a sum over the pieces between neighbouring thresholds.
///
/// The curve of "PRGAIN" is that of Flach & Kull, 2015, "Precision-Recall-Gain Curves"; its gains
/// are 0 for a recall below the share of what is true, and the precision's 1 where nothing true is
/// found. "PR" with "interpolation" follows Davis & Goadrich, 2006, "The Relationship Between
/// Precision-Recall and ROC Curves": within a piece, true and false positives change in proportion.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.AUC")]
pub struct AUC {
    /// How many thresholds there are, evenly spaced from 0 to 1, unless `thresholds` states them.
    #[config(default = 200)]
    pub num_thresholds: usize,
    /// The curve.
    #[config(default = Curve::Roc)]
    pub curve: Curve,
    /// How high each piece is.
    #[config(default = SummationMethod::Interpolation)]
    pub summation_method: SummationMethod,
    /// The thresholds, to which one below all predictions and one above all are added.
    #[config(default)]
    pub thresholds: Option<Vec<f64>>,
    /// Whether each label has an area of its own, of which the mean is taken.
    #[config(default = false)]
    pub multi_label: bool,
    /// How many labels there are, with `multi_label`; if not given, the first batch tells.
    #[config(default)]
    pub num_labels: Option<usize>,
    /// The weight of each label: of its area with `multi_label`, else of its answers.
    #[config(default)]
    pub label_weights: Option<LabelWeights>,
    /// Whether predictions are logits; else they are probabilities.
    #[config(default = false)]
    pub from_logits: bool,
    /// What all metrics have.
    #[config(flatten = Common::named("auc"))]
    pub common: Common,
}

/// What is drawn over what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// The recall over the share of what is false that is taken for true.
    Roc,
    /// The precision over the recall.
    Pr,
    /// The gain in precision over the gain in recall.
    PrGain,
}

/// How high a piece of the area is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SummationMethod {
    /// As the curve between its ends.
    Interpolation,
    /// As its higher end.
    Majoring,
    /// As its lower end.
    Minoring,
}

/// A weight for each label.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelWeights(pub Vec<f64>);

impl<T: Into<Vec<f64>>> From<T> for LabelWeights {
    fn from(weights: T) -> LabelWeights {
        LabelWeights(weights.into())
    }
}

impl Field for LabelWeights {
    fn kind() -> String {
        Vec::<f64>::kind()
    }

    fn read(json: &Json) -> Result<LabelWeights> {
        match json["class_name"].as_str() {
            Some("__tensor__" | "__numpy__") => Field::read(&json["config"]["value"]),
            _ => Field::read(json),
        }
        .map(LabelWeights)
    }

    /// Keras keeps the weights as a tensor, and writes them as one.
    fn write(&self) -> Json {
        serde_json::json!({
            "class_name": "__tensor__", "config": {"value": self.0, "dtype": "float32"},
        })
    }
}

impl Field for Curve {
    fn kind() -> String {
        "one of \"PR\", \"ROC\", \"PRGAIN\"".to_owned()
    }

    fn read(json: &Json) -> Result<Curve> {
        match json.as_str() {
            Some("roc" | "ROC") => Ok(Curve::Roc),
            Some("pr" | "PR") => Ok(Curve::Pr),
            Some("prgain" | "PRGAIN") => Ok(Curve::PrGain),
            Some(other) => Err(Error::new(format!(
                "Invalid AUC curve value: \"{other}\". Expected values are \
                 [\"PR\", \"ROC\", \"PRGAIN\"]"
            ))),
            None => Err(unexpected::<Curve>(json)),
        }
    }

    fn write(&self) -> Json {
        match self {
            Curve::Roc => "ROC".into(),
            Curve::Pr => "PR".into(),
            Curve::PrGain => "PRGAIN".into(),
        }
    }
}

impl Field for SummationMethod {
    fn kind() -> String {
        "one of \"interpolation\", \"majoring\", \"minoring\"".to_owned()
    }

    fn read(json: &Json) -> Result<SummationMethod> {
        match json.as_str() {
            Some("interpolation" | "Interpolation") => Ok(SummationMethod::Interpolation),
            Some("majoring" | "Majoring") => Ok(SummationMethod::Majoring),
            Some("minoring" | "Minoring") => Ok(SummationMethod::Minoring),
            Some(other) => Err(Error::new(format!(
                "Invalid AUC summation method value: \"{other}\". Expected values are \
                 [\"interpolation\", \"majoring\", \"minoring\"]"
            ))),
            None => Err(unexpected::<SummationMethod>(json)),
        }
    }

    fn write(&self) -> Json {
        match self {
            SummationMethod::Interpolation => "interpolation".into(),
            SummationMethod::Majoring => "majoring".into(),
            SummationMethod::Minoring => "minoring".into(),
        }
    }
}

impl Measure for AUC {
    fn check(&self) -> Result<()> {
        let AUC { num_thresholds, num_labels, multi_label, .. } = self;
        ensure!(
            *num_thresholds > 1 || self.thresholds.is_some(),
            "Argument `num_thresholds` must be an integer > 1. Received: \
            num_thresholds={num_thresholds}"
        );
        ensure!(
            *multi_label || num_labels.unwrap_or(0) == 0,
            "`num_labels` is needed only when `multi_label` is True."
        );
        Ok(())
    }

    fn direction(&self) -> Option<Direction> {
        Some(Direction::Up)
    }

    fn is_mean(&self) -> bool {
        false
    }

    fn update<'g>(
        &self,
        cx: &Scope<'g>,
        y_true: Tensor<'g>,
        y_pred: Tensor<'g>,
        sample_weight: Option<Tensor<'g>>,
    ) {
        if let Err(error) = self.check_shape(y_pred) {
            cx.trace().fail(error);
            return;
        }
        let y_pred = y_pred.cast(DType::F32);
        let y_pred = if self.from_logits { y_pred.sigmoid() } else { y_pred };
        self.matrix().update(cx, y_true, y_pred, sample_weight);
    }

    fn result<'g>(&self, cx: &Scope<'g>) -> Tensor<'g> {
        let pieces = match (self.curve, self.summation_method) {
            (Curve::Pr, SummationMethod::Interpolation) => self.precision_recall_pieces(cx),
            _ => self.pieces(cx),
        };
        let area = pieces.sum(0);
        match &self.label_weights {
            _ if !self.multi_label || area.is_void() => area,
            None => area.mean(..),
            Some(LabelWeights(weights)) => {
                let weights = constants(cx.trace(), weights, DType::F32);
                divide_no_nan((area * weights).sum(..), weights.sum(..))
            }
        }
    }
}

impl AUC {
    fn matrix(&self) -> Matrix<'_> {
        let labels = match &self.label_weights {
            _ if self.multi_label => PerSample::Apart(self.num_labels.filter(|&labels| labels > 0)),
            weights => PerSample::Together(weights.as_ref().map(|weights| &weights.0[..])),
        };
        Matrix { labels, ..Matrix::new(Cell::ALL, self.cuts()) }
    }

    fn cuts(&self) -> Cuts {
        let lowest = Lowest::BelowAll;
        let Some(given) = &self.thresholds else {
            return Cuts::Even { count: self.num_thresholds, lowest };
        };
        let mut cuts = [&[0.0], &given[..], &[1.0]].concat();
        let last = cuts.len() - 1;
        cuts[1..last].sort_by(f64::total_cmp);
        if are_even(&cuts) {
            return Cuts::Even { count: cuts.len(), lowest };
        }
        (cuts[0], cuts[last]) = (-EPSILON, 1.0 + EPSILON);
        Cuts::Above(cuts)
    }

    fn check_shape(&self, y_pred: Tensor<'_>) -> Result<()> {
        let shape = y_pred.shape();
        if !self.multi_label || y_pred.is_void() {
            return Ok(());
        }
        ensure!(
            shape.len() == 2,
            "`y_pred` must have rank 2 when `multi_label=True`. Found rank {}. Full shape received \
            for `y_pred`: {shape:?}",
            shape.len()
        );
        let weights = self.label_weights.as_ref().map(|weights| weights.0.len());
        let stated = [("num_labels", self.num_labels.filter(|&labels| labels > 0))];
        for (setting, labels) in stated.into_iter().chain([("label_weights", weights)]) {
            let labels = labels.unwrap_or(shape[1]);
            ensure!(
                labels == shape[1],
                "`{setting}` is for {labels} labels, but y_pred has shape {shape:?}";
                help: "there is a label for each column of y_pred"
            );
        }
        Ok(())
    }

    /// The area between each threshold and the next: width times height.
    fn pieces<'g>(&self, cx: &Scope<'g>) -> Tensor<'g> {
        let matrix = self.matrix();
        let (x, y) = match self.curve {
            Curve::Roc => (matrix.share(cx, Share::FALL_OUT), matrix.share(cx, Share::RECALL)),
            Curve::Pr => (matrix.share(cx, Share::RECALL), matrix.share(cx, Share::PRECISION)),
            Curve::PrGain => gains(&matrix, cx),
        };
        if x.is_void() || y.is_void() {
            return x;
        }
        let height = match self.summation_method {
            SummationMethod::Interpolation => (but_last(y) + but_first(y)) / 2.0,
            SummationMethod::Majoring => but_last(y).maximum(but_first(y)),
            SummationMethod::Minoring => but_last(y).minimum(but_first(y)),
        };
        (but_last(x) - but_first(x)) * height
    }

    /// The area below the precision, drawn over the recall, between each threshold and the next.
    ///
    /// With `P = TP + FP` and within a piece `TP = slope · P + intercept`, the precision is
    /// `slope + intercept / P`; over `d recall = slope · dP / (TP + FN)` its integral from `P₁` to
    /// `P₀` is `slope · (ΔTP + intercept · ln(P₀ / P₁)) / (TP + FN)`.
    fn precision_recall_pieces<'g>(&self, cx: &Scope<'g>) -> Tensor<'g> {
        let matrix = self.matrix();
        let cell = |cell| matrix.cell(cx, cell);
        let tp = cell(Cell::TruePositives);
        let (fp, found_and_missed) = (cell(Cell::FalsePositives), tp + cell(Cell::FalseNegatives));
        if tp.is_void() {
            return tp;
        }
        let p = tp + fp;
        let (p0, p1) = (but_last(p), but_first(p));
        let dtp = but_last(tp) - but_first(tp);
        let slope = divide_no_nan(dtp, (p0 - p1).maximum(0.0));
        let intercept = but_first(tp) - slope * p1;
        // Where there is no yes beyond, the precision is constant.
        let both = p0.greater(0.0).and(p1.greater(0.0));
        let ratio = both.select(divide_no_nan(p0, p1), 1.0);
        let area = slope * (dtp + intercept * ratio.log());
        divide_no_nan(area, but_first(found_and_missed).maximum(0.0))
    }
}

/// The gains in recall and precision, `1 - (P / N) · FN / TP` and `1 - (P / N) · FP / TP`, where
/// `P` and `N` are how many are true and false.
fn gains<'g>(matrix: &Matrix<'_>, cx: &Scope<'g>) -> (Tensor<'g>, Tensor<'g>) {
    let cell = |cell| matrix.cell(cx, cell);
    let (tp, fp) = (cell(Cell::TruePositives), cell(Cell::FalsePositives));
    let (tn, fn_) = (cell(Cell::TrueNegatives), cell(Cell::FalseNegatives));
    let odds = divide_no_nan(tp + fn_, tn + fp);
    let gain = |wrong| 1.0 - odds * divide_no_nan(wrong, tp);
    let none = tp.equal(0.0);
    let recall = none.select(tp.fill(0.0), gain(fn_)).maximum(0.0);
    (recall, none.select(tp.fill(1.0), gain(fp)))
}

/// What is given for every threshold, for all but the last.
fn but_last(x: Tensor<'_>) -> Tensor<'_> {
    rows(x, 0, x.dim(0).saturating_sub(1))
}

/// What is given for every threshold, for all but the first.
fn but_first(x: Tensor<'_>) -> Tensor<'_> {
    rows(x, 1, x.dim(0))
}

fn rows(x: Tensor<'_>, first: usize, end: usize) -> Tensor<'_> {
    let (mut start, mut stop) = (vec![0; x.rank()], x.shape());
    (start[0], stop[0]) = (first, end);
    x.slice(start, stop, vec![1; x.rank()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        metrics::Metric,
        testing::{metric_error, read_error},
    };

    #[test]
    fn what_no_data_could_make_right_is_refused_in_the_words_of_keras() {
        let error = |metric: AUC| metric.check().unwrap_err().message;
        assert_eq!(
            error(AUC::new().num_thresholds(1)),
            "Argument `num_thresholds` must be an integer > 1. Received: num_thresholds=1"
        );
        assert_eq!(
            error(AUC::new().num_labels(2)),
            "`num_labels` is needed only when `multi_label` is True."
        );
    }

    #[test]
    fn unknown_words_are_refused_in_the_words_of_keras() {
        let error = |config| read_error::<AUC>(config).message;
        assert_eq!(
            error(serde_json::json!({"curve": "x"})),
            "`curve` of `AUC`: Invalid AUC curve value: \"x\". Expected values are \
            [\"PR\", \"ROC\", \"PRGAIN\"]"
        );
        assert_eq!(
            error(serde_json::json!({"summation_method": "x"})),
            "`summation_method` of `AUC`: Invalid AUC summation method value: \"x\". Expected \
            values are [\"interpolation\", \"majoring\", \"minoring\"]"
        );
    }

    #[test]
    fn words_may_be_written_in_the_other_ways_of_keras() {
        let config = serde_json::json!({
            "curve": "pr", "summation_method": "Minoring", "label_weights": [1, 2.5],
        });
        let metric = AUC::from_config(config.as_object().expect("a dictionary"));
        let expected = AUC::new().curve(Curve::Pr).summation_method(SummationMethod::Minoring);
        assert_eq!(metric, Ok(expected.label_weights([1.0, 2.5])));
    }

    #[test]
    fn labels_apart_need_columns() {
        let apart = || AUC::new().multi_label(true);
        let error = |metric: AUC, shape: &[usize]| metric_error(&metric.into(), shape, shape);
        assert_eq!(
            error(apart(), &[7]).message,
            "`y_pred` must have rank 2 when `multi_label=True`. Found rank 1. Full shape received \
            for `y_pred`: [7]"
        );
        assert_eq!(
            error(apart().num_labels(2), &[7, 3]).to_string(),
            "`num_labels` is for 2 labels, but y_pred has shape [7, 3]\n  help: there is a label \
            for each column of y_pred"
        );
        assert_eq!(
            error(apart().label_weights([1.0, 2.0]), &[7, 3]).message,
            "`label_weights` is for 2 labels, but y_pred has shape [7, 3]"
        );
        assert_eq!(
            error(AUC::new().label_weights([1.0, 2.0]), &[7, 3]).message,
            "`label_weights` has 2 numbers, but y_pred has shape [7, 3]"
        );
    }

    #[test]
    fn thresholds_may_come_in_any_order() {
        let cuts = AUC::new().thresholds([0.9, 0.1, 0.3]).cuts();
        assert_eq!(cuts, Cuts::Above(vec![-EPSILON, 0.1, 0.3, 0.9, 1.0 + EPSILON]));
        let cuts = AUC::new().thresholds([0.75, 0.25, 0.5]).cuts();
        assert_eq!(cuts, Cuts::Even { count: 5, lowest: Lowest::BelowAll });
    }

    #[test]
    fn it_goes_by_the_name_that_keras_gives_it() {
        assert_eq!(Metric::from("auc"), AUC::new().into());
        assert_eq!(Metric::from("AUC"), AUC::new().into());
    }
}
