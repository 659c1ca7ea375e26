//! Handwritten digits: real data, small enough to be embedded.

use ndarray::{Array1, Array2};

/// Who made the data, and on what terms: to be shown wherever the data is used.
pub const ATTRIBUTION: &str = "\
Data: Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak
(1998), UCI Machine Learning Repository, https://doi.org/10.24432/C50P49,
CC BY 4.0.";

/// One image a line, as `data/NOTICE.txt` describes.
const TEXT: &str = include_str!("digits.txt");
const PIXELS: usize = 64;

/// Images of 8 by 8 pixels and the digits they show.
pub struct Digits {
    /// Shape `[1797, 64]`: rows of pixels from the top left, 0 for paper to 16 for ink.
    pub images: Array2<f32>,
    /// Shape `[1797]`: 0 to 9.
    pub labels: Array1<i64>,
}

/// All 1,797 images, in the order in which they were published.
pub fn load() -> Digits {
    let lines: Vec<&[u8]> = TEXT.lines().map(str::as_bytes).collect();
    Digits {
        images: Array2::from_shape_fn((lines.len(), PIXELS), |(image, pixel)| {
            f32::from(value(lines[image][pixel]))
        }),
        labels: lines.iter().map(|line| i64::from(value(line[PIXELS]))).collect(),
    }
}

/// A digit of base 17.
fn value(character: u8) -> u8 {
    match character {
        b'a'.. => character - b'a' + 10,
        _ => character - b'0',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_every_image_and_every_class() {
        let Digits { images, labels } = load();
        assert_eq!((images.dim(), labels.dim()), ((1797, 64), 1797));
        let counts: Vec<usize> =
            (0..10).map(|digit| labels.iter().filter(|&&label| label == digit).count()).collect();
        assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    }

    #[test]
    fn has_the_published_pixels() {
        // The sums were taken from scikit-learn's copy; the second depends on every position.
        let Digits { images, labels } = load();
        assert!(images.iter().all(|pixel| (0.0..=16.0).contains(pixel)));
        assert_eq!(images.iter().map(|&pixel| pixel as u64).sum::<u64>(), 561_718);
        let weighted = images.iter().enumerate().map(|(i, &pixel)| i as u64 % 251 * pixel as u64);
        assert_eq!(weighted.sum::<u64>(), 70_223_000);
        let weighted = labels.iter().enumerate().map(|(i, label)| i as i64 * label);
        assert_eq!(weighted.sum::<i64>(), 7_264_791);
    }

    #[test]
    fn begins_with_a_nought() {
        let Digits { images, labels } = load();
        assert_eq!(labels[0], 0);
        let rows = images.row(0).into_shape_with_order((8, 8)).unwrap().to_owned();
        assert_eq!(rows.row(0).to_vec(), [0., 0., 5., 13., 9., 1., 0., 0.]);
        assert_eq!(rows.row(7).to_vec(), [0., 0., 6., 13., 10., 0., 0., 0.]);
        assert_eq!(rows.row(2).to_vec(), [0., 3., 15., 2., 0., 11., 8., 0.]);
    }
}
