//! Windows that move over images: convolutions, pooling, blocks of pixels.
//!
//! Every window is a strided slice for each of its places; a convolution lays them side by side and
//! multiplies matrices, pooling combines them.

use oxhorn_ir::{Result, Tensor, ensure};

use super::{
    Argument, Arguments, Outcome,
    contract::product,
    joining::stack,
    shapes::{expand, flip, moved_axis, padded},
    table,
};

table! { NN "nn":
    /// The convolution of images with a kernel `[spatial.., channels, filters]`.
    ///
    /// A kernel of fewer channels than the images is applied to groups of them.
    "conv(inputs, kernel, strides=1, padding='valid', data_format=None, dilation_rate=1)" => |a| {
        let [x, kernel] = a.promoted_real(["inputs", "kernel"])?;
        let (x, channels) = Channels::last(a, x)?;
        let geometry = Geometry::of(a, x, &kernel.shape()[..kernel.rank().saturating_sub(2)])?;
        Ok(channels.as_given(convolution(x, kernel, &geometry)?).into())
    };
    /// The convolution of each channel by itself with a kernel `[spatial.., channels, multiplier]`.
    "depthwise_conv(inputs, kernel, strides=1, padding='valid', data_format=None, \
      dilation_rate=1)" => |a| {
        let [x, kernel] = a.promoted_real(["inputs", "kernel"])?;
        let (x, channels) = Channels::last(a, x)?;
        let geometry = Geometry::of(a, x, &kernel.shape()[..kernel.rank().saturating_sub(2)])?;
        Ok(channels.as_given(depthwise(x, kernel, &geometry)?).into())
    };
    /// A convolution of each channel by itself, then one of all channels at each place.
    "separable_conv(inputs, depthwise_kernel, pointwise_kernel, strides=1, padding='valid', \
      data_format=None, dilation_rate=1)" => |a| {
        let [x, deep, point] =
            a.promoted_real(["inputs", "depthwise_kernel", "pointwise_kernel"])?;
        let (x, channels) = Channels::last(a, x)?;
        let geometry = Geometry::of(a, x, &deep.shape()[..deep.rank().saturating_sub(2)])?;
        let y = depthwise(x, deep, &geometry)?;
        let at_once = Geometry::plain(vec![1; y.rank() - 2]);
        Ok(channels.as_given(convolution(y, point, &at_once)?).into())
    };
    /// The transpose of a convolution: every element adds `[spatial.., filters, channels]`.
    "conv_transpose(inputs, kernel, strides=1, padding='valid', output_padding=None, \
      data_format=None, dilation_rate=1)" => conv_transpose;
    /// The greatest element of each window.
    "max_pool(inputs, pool_size, strides=None, padding='valid', data_format=None)" => |a| {
        pooled(a, f64::NEG_INFINITY, |windows, _| {
            windows.into_iter().reduce(|x, y| x.maximum(y)).expect("one place or more")
        })
    };
    /// The mean of each window, of which places outside do not count.
    "average_pool(inputs, pool_size, strides=None, padding='valid', data_format=None)" => |a| {
        pooled(a, 0.0, |windows, inside| {
            let [total, count] = [windows, inside]
                .map(|all| all.into_iter().reduce(|x, y| x + y).expect("one place or more"));
            total / count
        })
    };
    /// Channels moved into blocks of pixels.
    "depth_to_space(x, block_size, data_format='channels_last')" => |a| {
        let (x, channels) = image(a)?;
        let (block, [n, h, w, c]) = (a.extent("block_size")?, four(x));
        ensure!(
            block > 0 && c.is_multiple_of(block * block),
            "Number of channels {c} must be divisible by block_size**2 ({})",
            block * block
        );
        let c = c / (block * block);
        let (split, order) = match channels {
            Channels::First => ([n, h, w, c, block, block], [0, 1, 4, 2, 5, 3]),
            Channels::Last => ([n, h, w, block, block, c], [0, 1, 3, 2, 4, 5]),
        };
        let y = x.reshape(split).transpose(order).reshape([n, h * block, w * block, c]);
        Ok(channels.as_given(y).into())
    };
    /// Blocks of pixels moved into channels.
    "space_to_depth(x, block_size, data_format='channels_last')" => |a| {
        let (x, channels) = image(a)?;
        let (block, [n, h, w, c]) = (a.extent("block_size")?, four(x));
        ensure!(
            block > 0 && h.is_multiple_of(block) && w.is_multiple_of(block),
            "Height {h} and width {w} must be divisible by block_size {block}"
        );
        let (rows, columns) = (h / block, w / block);
        let blocks = x.reshape([n, rows, block, columns, block, c]);
        let order = match channels {
            Channels::First => [0, 1, 3, 5, 2, 4],
            Channels::Last => [0, 1, 3, 2, 4, 5],
        };
        let y = blocks.transpose(order).reshape([n, rows, columns, c * block * block]);
        Ok(channels.as_given(y).into())
    };
    /// All blocks of an image `[batch, channels, height, width]`, each as a column.
    "unfold(x, kernel_size, dilation=1, padding=0, stride=1)" => |a| {
        let x = a.tensor("x")?;
        ensure!(x.rank() == 4, "`unfold` needs images of four axes, got {}", x.ty());
        let x = moved_axis(x, 1, 3);
        let geometry = Geometry {
            size: each(a, "kernel_size", 2)?,
            strides: each(a, "stride", 2)?,
            dilation: each(a, "dilation", 2)?,
            margins: each(a, "padding", 2)?.into_iter().map(|n| (n, n)).collect(),
        };
        // [place, batch, row, column, channel] to [batch, channel, place, row, column].
        let y = stack(&geometry.windows(x, 0.0)?, 0).transpose([1, 4, 0, 2, 3]);
        let [n, c, k, h, w] = y.shape()[..] else { unreachable!("five axes") };
        Ok(y.reshape([n, c * k, h * w]).into())
    };
}

/// Where the channels of images are.
#[derive(Clone, Copy)]
enum Channels {
    First,
    Last,
}

impl Channels {
    /// Images with their channels last, and where these were.
    fn last<'g>(a: &Arguments<'g>, x: Tensor<'g>) -> Result<(Tensor<'g>, Channels)> {
        ensure!(
            x.rank() >= 3,
            "`{}` needs images with channels, got {}",
            { a.function().name },
            x.ty()
        );
        match a.get("data_format") {
            Argument::None => Ok((x, Channels::Last)),
            Argument::Text(text) if text == "channels_last" => Ok((x, Channels::Last)),
            Argument::Text(text) if text == "channels_first" => {
                Ok((moved_axis(x, 1, x.rank() - 1), Channels::First))
            }
            _ => Err(a.wrong("data_format", "'channels_last' or 'channels_first'")),
        }
    }

    /// Images with their channels where they were.
    fn as_given(self, x: Tensor<'_>) -> Tensor<'_> {
        match self {
            Channels::First => moved_axis(x, x.rank() - 1, 1),
            Channels::Last => x,
        }
    }
}

/// How a window moves, axis by axis.
struct Geometry {
    size: Vec<usize>,
    strides: Vec<usize>,
    dilation: Vec<usize>,
    /// How many places there are beyond either end.
    margins: Vec<(usize, usize)>,
}

impl Geometry {
    /// A window that stands at every place.
    fn plain(size: Vec<usize>) -> Geometry {
        let ones = vec![1; size.len()];
        let margins = vec![(0, 0); size.len()];
        Geometry { size, strides: ones.clone(), dilation: ones, margins }
    }

    /// What `strides`, `padding` and `dilation_rate` say.
    fn of(a: &Arguments<'_>, x: Tensor<'_>, size: &[usize]) -> Result<Geometry> {
        let axes = x.rank() - 2;
        ensure!(
            size.len() == axes && size.iter().all(|&n| n > 0),
            "`{}` needs a window of {axes} axes for {}, got {size:?}",
            a.function().name,
            x.ty()
        );
        let strides = match a.given("strides") {
            true => each(a, "strides", axes)?,
            false => size.to_vec(),
        };
        let has_dilation = a.function().signature.contains("dilation_rate");
        let dilation = if has_dilation { each(a, "dilation_rate", axes)? } else { vec![1; axes] };
        let padding = a.text("padding")?.to_lowercase();
        let margin = |axis: usize| {
            let (n, reach) = (x.shape()[axis + 1], (size[axis] - 1) * dilation[axis] + 1);
            match padding.as_str() {
                "valid" => Ok((0, 0)),
                "causal" if axes == 1 && has_dilation => Ok((reach - 1, 0)),
                "same" => {
                    let last = n.div_ceil(strides[axis]).saturating_sub(1) * strides[axis];
                    let missing = (last + reach).saturating_sub(n);
                    Ok((missing / 2, missing - missing / 2))
                }
                _ => Err(a.wrong("padding", "'valid' or 'same'")),
            }
        };
        let margins = (0..axes).map(margin).collect::<Result<_>>()?;
        Ok(Geometry { size: size.to_vec(), strides, dilation, margins })
    }

    /// For each place of the window, in order, what it sees at every stop; `[batch, spatial..,
    /// channels]` as the images are, which are continued by `value`.
    fn windows<'g>(&self, x: Tensor<'g>, value: f64) -> Result<Vec<Tensor<'g>>> {
        let x = padded(x, value, &[&[(0, 0)][..], &self.margins, &[(0, 0)]].concat());
        let (shape, axes) = (x.shape(), self.size.len());
        let reach = |axis: usize| (self.size[axis] - 1) * self.dilation[axis] + 1;
        for axis in 0..axes {
            ensure!(
                reach(axis) <= shape[axis + 1] && self.strides[axis] > 0,
                "a window of {:?} does not fit into images of shape {shape:?}",
                self.size
            );
        }
        let places: usize = self.size.iter().product();
        let window = |mut place: usize| {
            let (mut start, mut stop, mut step) =
                (vec![0; axes + 2], shape.clone(), vec![1; axes + 2]);
            for axis in (0..axes).rev() {
                let offset = place % self.size[axis] * self.dilation[axis];
                place /= self.size[axis];
                start[axis + 1] = offset;
                stop[axis + 1] = offset + shape[axis + 1] - reach(axis) + 1;
                step[axis + 1] = self.strides[axis];
            }
            x.slice(start, stop, step)
        };
        Ok((0..places).map(window).collect())
    }
}

/// A number for each axis: one for all, or one each.
fn each(a: &Arguments<'_>, name: &str, axes: usize) -> Result<Vec<usize>> {
    match a.shape(name)?[..] {
        [one] => Ok(vec![one; axes]),
        ref each if each.len() == axes => Ok(each.to_vec()),
        _ => Err(a.wrong(name, "an integer, or one for each axis")),
    }
}

/// Images `[batch, spatial.., channels]` and a kernel `[spatial.., channels, filters]`.
fn convolution<'g>(x: Tensor<'g>, kernel: Tensor<'g>, geometry: &Geometry) -> Result<Tensor<'g>> {
    let (channels, own, filters) = (x.dim(-1), kernel.dim(-2), kernel.dim(-1));
    let groups = channels.checked_div(own).unwrap_or(0);
    ensure!(
        groups > 0 && own * groups == channels && filters.is_multiple_of(groups),
        "The number of input channels must be evenly divisible by kernel's in_channels. \
        Received input channels {channels} and kernel in_channels {own}. "
    );
    let windows = geometry.windows(x, 0.0)?;
    let (mut shape, k) = (windows[0].shape(), windows.len());
    let stops: usize = shape[..shape.len() - 1].iter().product();
    shape[x.rank() - 1] = filters;
    let side_by_side = stack(&windows, x.rank() - 1);
    let y = match groups {
        1 => product(
            side_by_side.reshape([stops, k * channels]),
            kernel.reshape([k * channels, filters]),
        ),
        _ => {
            let rows = side_by_side.reshape([stops, k, groups, own]).transpose([2, 0, 1, 3]);
            let kernel = kernel.reshape([k, own, groups, filters / groups]);
            let kernel = kernel.transpose([2, 0, 1, 3]);
            let y = product(
                rows.reshape([groups, stops, k * own]),
                kernel.reshape([groups, k * own, filters / groups]),
            );
            moved_axis(y, 0, 1)
        }
    };
    Ok(y.reshape(shape))
}

/// A convolution over images whose elements stand apart, with the kernel turned round.
fn conv_transpose<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let [x, kernel] = a.promoted_real(["inputs", "kernel"])?;
    let (x, channels) = Channels::last(a, x)?;
    let (axes, rank) = (x.rank() - 2, kernel.rank());
    let fits = rank == x.rank() && kernel.dim(-1) == x.dim(-1);
    ensure!(
        fits,
        "The number of input channels must match the kernel's last axis. Received: {} and {}",
        x.ty(),
        kernel.ty()
    );
    let (size, strides) = (kernel.shape()[..axes].to_vec(), each(a, "strides", axes)?);
    let dilation = each(a, "dilation_rate", axes)?;
    let more = match a.given("output_padding") {
        true => each(a, "output_padding", axes)?.into_iter().map(Some).collect(),
        false => vec![None; axes],
    };
    let padding = a.text("padding")?.to_lowercase();
    if !["valid", "same"].contains(&padding.as_str()) {
        return Err(a.wrong("padding", "one of 'valid', 'same'"));
    }
    let (mut low, mut high, mut gaps) = (vec![0; rank], vec![0; rank], vec![0; rank]);
    for axis in 0..axes {
        let (reach, stride) = ((size[axis] - 1) * dilation[axis] + 1, strides[axis]);
        ensure!(stride > 0, "`conv_transpose` needs strides of 1 or more, got {strides:?}");
        // Together as many as give `n·s` elements for "same", and all that are touched for "valid".
        let total = match (padding.as_str(), more[axis]) {
            ("valid", more) => 2 * (reach - 1) + more.unwrap_or(stride.saturating_sub(reach)),
            (_, None) => stride + reach - 2,
            (_, Some(more)) => (reach + reach % 2 + more).saturating_sub(2),
        };
        let first = if padding == "valid" { reach - 1 } else { total.div_ceil(2).min(reach - 1) };
        (low[axis + 1], high[axis + 1], gaps[axis + 1]) = (first, total - first, stride - 1);
    }
    let apart = x.pad(0.0, low, high, gaps);
    let turned = flip(kernel, &(0..axes).collect::<Vec<_>>()).t();
    let geometry = Geometry { dilation, ..Geometry::plain(size) };
    Ok(channels.as_given(convolution(apart, turned, &geometry)?).into())
}

/// Images `[batch, spatial.., channels]` and a kernel `[spatial.., channels, multiplier]`.
fn depthwise<'g>(x: Tensor<'g>, kernel: Tensor<'g>, geometry: &Geometry) -> Result<Tensor<'g>> {
    let (channels, multiplier) = (x.dim(-1), kernel.dim(-1));
    ensure!(
        kernel.dim(-2) == channels,
        "`depthwise_conv` needs a kernel of {channels} channels, got {}",
        kernel.ty()
    );
    let windows = geometry.windows(x, 0.0)?;
    let mut shape = windows[0].shape();
    shape[x.rank() - 1] = channels * multiplier;
    let weights = kernel.reshape([windows.len(), channels, multiplier]);
    let products = windows
        .iter()
        .enumerate()
        .map(|(place, window)| expand(*window, x.rank()) * super::shapes::at(weights, 0, place));
    let sum = products.reduce(|x, y| x + y).expect("one place or more");
    Ok(sum.reshape(shape))
}

/// Windows combined place by place; `combine` is also given which places are inside.
fn pooled<'g>(
    a: &Arguments<'g>,
    value: f64,
    combine: impl FnOnce(Vec<Tensor<'g>>, Vec<Tensor<'g>>) -> Tensor<'g>,
) -> Result<Outcome<'g>> {
    let (x, channels) = Channels::last(a, a.real("inputs")?)?;
    let size = each(a, "pool_size", x.rank() - 2)?;
    let geometry = Geometry::of(a, x, &size)?;
    let inside = geometry.windows(x.fill(1.0), 0.0)?;
    Ok(channels.as_given(combine(geometry.windows(x, value)?, inside)).into())
}

/// The image with channels last, and where they were.
fn image<'g>(a: &Arguments<'g>) -> Result<(Tensor<'g>, Channels)> {
    let x = a.tensor("x")?;
    ensure!(x.rank() == 4, "`{}` needs images of four axes, got {}", a.function().name, x.ty());
    Channels::last(a, x)
}

/// The extents of four axes.
fn four(x: Tensor<'_>) -> [usize; 4] {
    x.shape().try_into().unwrap_or_else(|_| unreachable!("images have four axes"))
}
