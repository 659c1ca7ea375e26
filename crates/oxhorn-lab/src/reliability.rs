//! How often a classifier is right by how sure it is.

use ndarray::Array2;

use crate::study::Bin;

/// How many bins there are, of equal width.
const BINS: usize = 15;

/// How often the most probable class is right, by its probability: `[samples, classes]`, and the
/// class of each sample.
pub(crate) fn reliability(probabilities: &Array2<f64>, labels: &[i64]) -> Vec<Bin> {
    let mut bins = vec![Bin { count: 0, confidence: 0.0, accuracy: 0.0 }; BINS];
    for (row, &label) in probabilities.rows().into_iter().zip(labels) {
        let best = (0..row.len()).reduce(|best, i| if row[i] > row[best] { i } else { best });
        let Some(best) = best else { continue };
        // A bin has its upper end, and not its lower.
        let bin = (row[best] * BINS as f64).ceil() as usize;
        let bin = &mut bins[bin.clamp(1, BINS) - 1];
        bin.count += 1;
        bin.confidence += row[best];
        bin.accuracy += f64::from(u8::from(best as i64 == label));
    }
    for bin in bins.iter_mut().filter(|bin| bin.count > 0) {
        bin.confidence /= bin.count as f64;
        bin.accuracy /= bin.count as f64;
    }
    bins
}

/// The expected calibration error: by how much confidence and accuracy differ in the mean.
pub(crate) fn expected_calibration_error(bins: &[Bin]) -> f64 {
    let all: usize = bins.iter().map(|bin| bin.count).sum();
    let gap = |bin: &Bin| bin.count as f64 * (bin.accuracy - bin.confidence).abs();
    bins.iter().map(gap).sum::<f64>() / all.max(1) as f64
}
