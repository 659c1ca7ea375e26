//! Pooling over all positions at once.

use crate::{layers::DataFormat, prelude::*};

/// One number for all positions of each channel.
pub(super) fn pool<'g>(
    x: Tensor<'g>,
    data_format: Option<DataFormat>,
    keepdims: bool,
    reduce: fn(Tensor<'g>, Vec<usize>) -> Tensor<'g>,
) -> Tensor<'g> {
    let x = x.cast(DType::F32);
    let positions = match data_format {
        Some(DataFormat::ChannelsFirst) => 2..x.rank(),
        Some(DataFormat::ChannelsLast) | None => 1..x.rank().saturating_sub(1),
    };
    if keepdims {
        return AxisList::Many(positions.map(|axis| axis as isize).collect()).reduce(x, reduce);
    }
    reduce(x, positions.collect())
}
