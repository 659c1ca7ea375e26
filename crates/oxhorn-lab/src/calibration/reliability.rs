//! `Reliability`: how often a classifier is right, by how sure it is.

use ndarray::ArrayView2;
use oxhorn::{Error, Result, metrics::ExpectedCalibrationError};
use serde::{Deserialize, Serialize};

use super::{Checked, Real};

/// A reliability diagram: samples in bins by their confidence, and how often each bin was right.
///
/// DeGroot & Fienberg, *The comparison and evaluation of forecasters*, The Statistician 32, 1983;
/// Niculescu-Mizil & Caruana, *Predicting good probabilities with supervised learning*, ICML 2005.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// The bins, from the least confidence to the greatest; some may be empty.
    pub bins: Vec<Bin>,
}

/// Samples of about the same confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Where the bin begins.
    pub lower: f64,
    /// Where it ends.
    pub upper: f64,
    /// How many samples are in it.
    pub count: usize,
    /// Their mean confidence; 0 if there are none.
    pub confidence: f64,
    /// The share of them that came true; 0 if there are none.
    pub accuracy: f64,
}

impl Reliability {
    /// Bins of one width, from 0 to 1, each without its upper edge.
    ///
    /// So a confidence of exactly 1 is in a bin of its own, after those asked for, which is there
    /// if any sample is in it. These are the bins of torchmetrics' `MulticlassCalibrationError`, or
    /// for one column `BinaryCalibrationError`, edges rounded to `f32` as there.
    ///
    /// # Errors
    ///
    /// If there are no bins or samples, labels are not among the classes, or rows are not
    /// probabilities.
    pub fn equal_width<P: Real>(
        probabilities: ArrayView2<'_, P>,
        labels: &[usize],
        bins: usize,
    ) -> Result<Reliability> {
        let checked = check(probabilities, labels, bins)?;
        let edges = ExpectedCalibrationError::edges(bins);
        let place = |p: f64| edges.partition_point(|edge| *edge <= p as f32) - 1;
        let mut sums = vec![Sum::default(); bins + 1];
        for (p, right) in checked.judgements() {
            sums[place(p)].add(p, right);
        }
        let bounds = edges.windows(2).map(|pair| (f64::from(pair[0]), f64::from(pair[1])));
        let bounds = bounds.chain((sums[bins].count > 0).then_some((1.0, 1.0)));
        Ok(Reliability { bins: bounds.zip(&sums).map(|(bounds, sum)| sum.bin(bounds)).collect() })
    }

    /// Bins of about as many samples each: their edges are quantiles of the confidences.
    ///
    /// Each is without its lower edge, but for the first. Equal confidences are in one bin, so that
    /// bins may be empty. These are the bins of scikit-learn's `calibration_curve` with the
    /// strategy "quantile".
    ///
    /// # Errors
    ///
    /// As [`Reliability::equal_width`].
    pub fn equal_mass<P: Real>(
        probabilities: ArrayView2<'_, P>,
        labels: &[usize],
        bins: usize,
    ) -> Result<Reliability> {
        let checked = check(probabilities, labels, bins)?;
        let mut judgements = checked.judgements();
        judgements.sort_by(|a, b| a.0.total_cmp(&b.0));
        let edges: Vec<f64> = (0..=bins).map(|i| quantile(&judgements, i, bins)).collect();
        let mut sums = vec![Sum::default(); bins];
        for (p, right) in judgements {
            sums[edges[1..bins].partition_point(|edge| *edge < p)].add(p, right);
        }
        let bounds = edges.windows(2).map(|pair| (pair[0], pair[1]));
        Ok(Reliability { bins: bounds.zip(&sums).map(|(bounds, sum)| sum.bin(bounds)).collect() })
    }

    /// How many samples there are.
    pub fn samples(&self) -> usize {
        self.bins.iter().map(|bin| bin.count).sum()
    }

    /// The mean over samples of how far their bin's confidence is from its accuracy:
    /// `Σ count / samples · |accuracy - confidence|`, from 0 to 1. Known as ECE.
    ///
    /// Naeini, Cooper & Hauskrecht, *Obtaining well calibrated probabilities using Bayesian
    /// binning*, AAAI 2015; over bins of equal mass, Nguyen & O'Connor, *Posterior calibration and
    /// exploratory analysis for natural language processing models*, EMNLP 2015.
    pub fn expected_error(&self) -> f64 {
        self.mean(f64::abs)
    }

    /// The distance of confidence from accuracy in the bin where it is greatest. Known as MCE.
    pub fn maximum_error(&self) -> f64 {
        self.bins.iter().map(|bin| bin.gap().abs()).fold(0.0, f64::max)
    }

    /// The root of the mean over samples of the square of that distance.
    pub fn root_mean_square_error(&self) -> f64 {
        self.mean(|gap| gap * gap).sqrt()
    }

    /// The mean over samples of something of their bin's gap.
    fn mean(&self, of: impl Fn(f64) -> f64) -> f64 {
        let sum: f64 = self.bins.iter().map(|bin| bin.count as f64 * of(bin.gap())).sum();
        sum / self.samples() as f64
    }
}

impl Bin {
    /// By how much the samples came true more often than was said; less than 0 if they were
    /// trusted too much.
    pub fn gap(&self) -> f64 {
        self.accuracy - self.confidence
    }
}

/// What adds up to a bin.
#[derive(Clone, Copy, Default)]
struct Sum {
    count: usize,
    confidence: f64,
    right: usize,
}

impl Sum {
    fn add(&mut self, p: f64, right: bool) {
        self.count += 1;
        self.confidence += p;
        self.right += usize::from(right);
    }

    fn bin(&self, (lower, upper): (f64, f64)) -> Bin {
        let count = self.count;
        let mean = |sum: f64| if count == 0 { 0.0 } else { sum / count as f64 };
        let (confidence, accuracy) = (mean(self.confidence), mean(self.right as f64));
        Bin { lower, upper, count, confidence, accuracy }
    }
}

/// The confidence below which `i` of `bins` parts of the samples lie, by a line between neighbours.
///
/// The operations are those of NumPy's `percentile`, in its order: a confidence that is an edge is
/// then on the same side of it as there.
fn quantile(sorted: &[(f64, bool)], i: usize, bins: usize) -> f64 {
    let share = if i == bins { 1.0 } else { i as f64 * (1.0 / bins as f64) };
    let place = (share * 100.0 / 100.0) * (sorted.len() - 1) as f64;
    let (below, t) = (place.floor() as usize, place - place.floor());
    let a = sorted[below].0;
    let b = sorted[(below + 1).min(sorted.len() - 1)].0;
    if t >= 0.5 { b - (b - a) * (1.0 - t) } else { a + (b - a) * t }
}

fn check<'a, P: Real>(
    probabilities: ArrayView2<'_, P>,
    labels: &'a [usize],
    bins: usize,
) -> Result<Checked<'a>> {
    if bins == 0 {
        let error = Error::new("`bins` must be at least 1, got 0");
        return Err(error.help("15 is what papers use as a rule"));
    }
    Checked::new(probabilities, labels)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn counts_are_shared_out_evenly_where_nothing_ties() {
        let p = Array2::from_shape_fn((101, 1), |(i, _)| (i * 37 % 101) as f64 / 101.0);
        let mass = Reliability::equal_mass(p.view(), &[0; 101], 10).expect("fit");
        let counts: Vec<usize> = mass.bins.iter().map(|bin| bin.count).collect();
        assert_eq!(counts, [11, 10, 10, 10, 10, 10, 10, 10, 10, 10]);
        assert_eq!(mass.samples(), 101);
    }

    #[test]
    fn the_errors_are_those_of_a_diagram_drawn_by_hand() {
        // Two samples of 0.75, one right; three of 0.95, all right; nobody in between.
        let p = array![[0.75, 0.25], [0.25, 0.75], [0.95, 0.05], [0.95, 0.05], [0.05, 0.95]];
        let drawn = Reliability::equal_width(p.view(), &[0, 0, 0, 0, 1], 10).expect("fit");
        assert_eq!(drawn.bins.len(), 10);
        assert_eq!((drawn.bins[7].count, drawn.bins[7].accuracy), (2, 0.5));
        assert!((drawn.expected_error() - (2.0 * 0.25 + 3.0 * 0.05) / 5.0).abs() < 1e-12);
        assert!((drawn.maximum_error() - 0.25).abs() < 1e-12);
        let square: f64 = (2.0 * 0.0625 + 3.0 * 0.0025) / 5.0;
        assert!((drawn.root_mean_square_error() - square.sqrt()).abs() < 1e-12);
        assert!((drawn.bins[7].gap() + 0.25).abs() < 1e-12);
    }

    #[test]
    fn diagrams_survive_json() {
        let p = array![[0.1f32, 0.9], [1.0, 0.0], [0.5, 0.5]];
        let drawn = Reliability::equal_width(p.view(), &[1, 0, 1], 3).expect("fit");
        let text = serde_json::to_string(&drawn).expect("text");
        assert_eq!(serde_json::from_str::<Reliability>(&text).expect("a diagram"), drawn);
        assert_eq!(drawn.bins.len(), 4);
    }

    #[test]
    fn without_bins_there_is_no_diagram() {
        for draw in [Reliability::equal_width::<f64>, Reliability::equal_mass] {
            let error = draw(array![[1.0, 0.0]].view(), &[0], 0).unwrap_err();
            assert_eq!(error.message, "`bins` must be at least 1, got 0");
        }
    }
}
