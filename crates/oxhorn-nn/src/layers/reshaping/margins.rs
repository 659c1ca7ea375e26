//! How far to either side: the settings and the moves of layers that crop, pad and repeat.

use super::flatten::DataFormat;
use crate::{config::unexpected, prelude::*};

/// Two numbers, of which one given alone stands for both: at either end of a sequence, or along
/// the rows and the columns of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair(pub [usize; 2]);

/// What is taken from or put at the edges of an image: `[[top, bottom], [left, right]]`.
///
/// One number stands for all four, and two for `[top and bottom, left and right]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margins(pub [[usize; 2]; 2]);

impl From<usize> for Pair {
    fn from(both: usize) -> Pair {
        Pair([both; 2])
    }
}

impl From<[usize; 2]> for Pair {
    fn from(pair: [usize; 2]) -> Pair {
        Pair(pair)
    }
}

impl From<usize> for Margins {
    fn from(all: usize) -> Margins {
        Margins([[all; 2]; 2])
    }
}

impl From<[usize; 2]> for Margins {
    fn from([rows, columns]: [usize; 2]) -> Margins {
        Margins([[rows; 2], [columns; 2]])
    }
}

impl From<[[usize; 2]; 2]> for Margins {
    fn from(margins: [[usize; 2]; 2]) -> Margins {
        Margins(margins)
    }
}

impl Field for Pair {
    fn kind() -> String {
        "a non-negative integer or a list of two".to_owned()
    }

    fn read(json: &Json) -> Result<Pair> {
        match json {
            Json::Array(_) => {
                let list: Vec<usize> = Field::read(json)?;
                list.try_into().map(Pair).map_err(|_| unexpected::<Pair>(json))
            }
            _ => usize::read(json).map(Pair::from).map_err(|_| unexpected::<Pair>(json)),
        }
    }

    fn write(&self) -> Json {
        self.0.to_vec().write()
    }
}

impl Field for Margins {
    fn kind() -> String {
        "a non-negative integer, or a list of two, or of two lists of two".to_owned()
    }

    fn read(json: &Json) -> Result<Margins> {
        match json {
            Json::Array(_) => {
                let list: Vec<Pair> = Field::read(json)?;
                let sides = <[Pair; 2]>::try_from(list);
                let sides = sides.map_err(|_| unexpected::<Margins>(json))?;
                Ok(Margins(sides.map(|side| side.0)))
            }
            _ => usize::read(json).map(Margins::from).map_err(|_| unexpected::<Margins>(json)),
        }
    }

    fn write(&self) -> Json {
        self.0.iter().map(|side| Pair(*side).write()).collect()
    }
}

/// The first of the axes that are no channels, behind that of the samples.
pub(super) fn first_spatial_axis(format: Option<DataFormat>) -> usize {
    if format == Some(DataFormat::ChannelsFirst) { 2 } else { 1 }
}

/// `x` without what stands in the margins of its axes, from axis `first` on; or nothing, if the
/// margins leave nothing.
pub(super) fn crop<'g>(x: Tensor<'g>, first: usize, margins: &[[usize; 2]]) -> Option<Tensor<'g>> {
    let (mut start, mut stop) = (vec![0; x.rank()], x.shape());
    for (axis, [before, after]) in (first..).zip(margins) {
        start[axis] = *before;
        stop[axis] = stop[axis].checked_sub(*after).filter(|stop| stop > before)?;
    }
    Some(x.slice(start, stop, vec![1; x.rank()]))
}

/// `x` with zeros in the margins of its axes, from axis `first` on.
pub(super) fn pad<'g>(x: Tensor<'g>, first: usize, margins: &[[usize; 2]]) -> Tensor<'g> {
    let (mut low, mut high) = (vec![0; x.rank()], vec![0; x.rank()]);
    for (axis, [before, after]) in (first..).zip(margins) {
        (low[axis], high[axis]) = (*before, *after);
    }
    x.pad(0.0, low, high, vec![0; x.rank()])
}

/// `x` with each element `times` times along `axis`.
pub(super) fn repeat<'g>(x: Tensor<'g>, axis: usize, times: usize) -> Tensor<'g> {
    let mut shape = x.shape();
    shape.insert(axis + 1, 1);
    let apart = x.reshape(shape.clone());
    shape[axis + 1] = times;
    let repeated = apart.broadcast(shape.clone());
    let times = shape.remove(axis + 1);
    shape[axis] = shape[axis].saturating_mul(times);
    repeated.reshape(shape)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_number_stands_for_all() {
        assert_eq!(Pair::read(&json!(3)), Ok(Pair([3, 3])));
        assert_eq!(Margins::read(&json!(3)), Ok(Margins([[3, 3], [3, 3]])));
        assert_eq!(Margins::read(&json!([1, [2, 3]])), Ok(Margins([[1, 1], [2, 3]])));
        assert_eq!(Margins::from([1, 2]).write(), json!([[1, 1], [2, 2]]));
    }

    #[test]
    fn other_numbers_of_numbers_are_refused() {
        assert_eq!(
            Pair::read(&json!([1, 2, 3])).unwrap_err().message,
            "expected a non-negative integer or a list of two, got [1,2,3]"
        );
        assert_eq!(
            Pair::read(&json!(-1)).unwrap_err().message,
            "expected a non-negative integer or a list of two, got -1"
        );
        assert_eq!(
            Margins::read(&json!([1])).unwrap_err().message,
            "expected a non-negative integer, or a list of two, or of two lists of two, got [1]"
        );
    }
}
