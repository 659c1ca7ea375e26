//! Extents that depend on the size of the batch, told from those that do not.

use oxhorn_ir::{Error, Result};

/// The sizes of batch for which a network is written down: two make a line, the third tests it.
/// They are such that no layer takes one of them for another extent of its own.
pub(super) const SIZES: [usize; 3] = [2, 3, 7];

/// An extent, or an index along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Extent {
    /// How often the size of the batch is in it.
    pub(super) batches: i64,
    /// What comes to that.
    pub(super) fixed: i64,
}

impl Extent {
    /// Always so many.
    pub(super) fn fixed(extent: usize) -> Extent {
        Extent { batches: 0, fixed: extent as i64 }
    }

    /// What is so many for batches of [`SIZES`].
    ///
    /// # Errors
    ///
    /// If it is no multiple of the batch's size with something added.
    pub(super) fn of(seen: [usize; 3]) -> Result<Extent> {
        let [a, b, c] = seen.map(|extent| extent as i64);
        let [first, second, third] = SIZES.map(|size| size as i64);
        let batches = (b - a) / (second - first);
        let extent = Extent { batches, fixed: a - batches * first };
        if extent.for_batch(second) == b && extent.for_batch(third) == c {
            return Ok(extent);
        }
        Err(Error::new(format!(
            "an extent is {a}, {b} and {c} for batches of {first}, {second} and {third}"
        ))
        .help("only multiples of the batch's size can be written as ONNX here"))
    }

    fn for_batch(self, size: i64) -> i64 {
        self.batches * size + self.fixed
    }

    /// The number, if it does not depend on the batch.
    pub(super) fn number(self) -> Option<i64> {
        (self.batches == 0).then_some(self.fixed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_and_all_else_is_refused() {
        let extent = |batches, fixed| Extent { batches, fixed };
        assert_eq!(Extent::of([5, 5, 5]), Ok(extent(0, 5)));
        assert_eq!(Extent::of([2, 3, 7]), Ok(extent(1, 0)));
        assert_eq!(Extent::of([10, 15, 35]), Ok(extent(5, 0)));
        assert_eq!(Extent::of([3, 4, 8]), Ok(extent(1, 1)));
        assert_eq!(Extent::of([0, 0, 0]), Ok(extent(0, 0)));
        let error = Extent::of([4, 9, 49]).expect_err("a square").message;
        assert_eq!(error, "an extent is 4, 9 and 49 for batches of 2, 3 and 7");
    }
}
