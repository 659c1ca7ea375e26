//! `DropBlock1D` and `DropBlock2D`: dropout of whole neighbourhoods.

use super::dropout::Dropout;
use crate::{layers::DataFormat, prelude::*};

/// While training, sets runs of `block_size` steps to zero, for each sample and channel others, and
/// scales what is left so that as much passes as without. Otherwise does nothing.
///
/// Neighbours in time resemble one another, so that dropping one of them hides little; a run hides
/// what they have in common. With a block size of 1 this is `Dropout`, but for the scaling.
///
/// Of the places where a block fits into `n` steps, each begins one with probability
/// `γ = rate · n / (block_size · (n - block_size + 1))`. Blocks may overlap, so that the share that
/// is dropped is somewhat less than the rate. What is left is multiplied by the size of the mask,
/// over the whole batch, divided by the number of its ones, as in the code of the authors. (Where
/// predictions are sampled, each input has its own factor, and does not depend on its batch.)
///
/// The rate is a number that can be turned while a model trains; the authors raise it from 0 along
/// a line. A layer made with a rate of 0 stays out of the graph, and asks for no seed, until it is
/// turned up for the first time. Where nothing is left, all is 0.
///
/// Keras has no such layer. Ghiasi et al., *DropBlock: a regularization method for convolutional
/// networks*, 2018, <https://arxiv.org/abs/1810.12890>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(
    class = "oxhorn.layers.DropBlock1D",
    shape = "batch steps channels -> batch steps channels"
)]
pub struct DropBlock1D {
    /// Fraction of the inputs to drop, from 0 to 1.
    pub rate: f64,
    /// Number of steps of a block, from 1 to the number of steps.
    pub block_size: usize,
    /// Where the channels are; by default they come last.
    #[config(default)]
    pub data_format: Option<DataFormat>,
    /// Seed of the layer's random stream; `None` takes the model's next one.
    #[config(default)]
    pub seed: Option<u32>,
}

/// While training, sets squares of `block_size` by `block_size` positions to zero, for each sample
/// and channel others, and scales what is left so that as much passes as without. Otherwise does
/// nothing.
///
/// Neighbours in an image resemble one another, so that dropping one of them hides little; a square
/// hides what they have in common. With a block size of 1 this is `Dropout`, but for the scaling.
///
/// Of the places where a block fits into an image of `h` by `w`, each is the corner of one with
/// probability `γ = rate · h · w / (block_size² · (h - block_size + 1) · (w - block_size + 1))`.
/// Blocks may overlap, so that the share that is dropped is somewhat less than the rate. What is
/// left is multiplied by the size of the mask, over the whole batch, divided by the number of its
/// ones, as in the code of the authors. (Where predictions are sampled, each input has its own
/// factor, and does not depend on its batch.)
///
/// The rate is a number that can be turned while a model trains; the authors raise it from 0 along
/// a line. A layer made with a rate of 0 stays out of the graph, and asks for no seed, until it is
/// turned up for the first time. Where nothing is left, all is 0.
///
/// Keras has no such layer. Ghiasi et al., *DropBlock: a regularization method for convolutional
/// networks*, 2018, <https://arxiv.org/abs/1810.12890>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "oxhorn.layers.DropBlock2D", shape = "batch a b c -> batch a b c")]
pub struct DropBlock2D {
    /// Fraction of the inputs to drop, from 0 to 1.
    pub rate: f64,
    /// Height and width of a block, from 1 to the lesser extent of the image.
    pub block_size: usize,
    /// Where the channels are; by default they come last.
    #[config(default)]
    pub data_format: Option<DataFormat>,
    /// Seed of the layer's random stream; `None` takes the model's next one.
    #[config(default)]
    pub seed: Option<u32>,
}

impl Layer for DropBlock1D {
    fn check(&self) -> Result<()> {
        self.blocks().check()
    }

    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        self.blocks().drop_from(cx, x)
    }
}

impl Layer for DropBlock2D {
    fn check(&self) -> Result<()> {
        self.blocks().check()
    }

    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        self.blocks().drop_from(cx, x)
    }
}

impl DropBlock1D {
    fn blocks(&self) -> Blocks {
        let DropBlock1D { rate, block_size, data_format, seed } = self.clone();
        Blocks { axes: 1, rate, block_size, data_format, seed }
    }
}

impl DropBlock2D {
    fn blocks(&self) -> Blocks {
        let DropBlock2D { rate, block_size, data_format, seed } = self.clone();
        Blocks { axes: 2, rate, block_size, data_format, seed }
    }
}

/// Blocks along any number of axes.
struct Blocks {
    axes: usize,
    rate: f64,
    block_size: usize,
    data_format: Option<DataFormat>,
    seed: Option<u32>,
}

impl Blocks {
    fn check(&self) -> Result<()> {
        Dropout::new(self.rate).check()?;
        ensure!(
            self.block_size > 0,
            "`block_size` must be from 1 to the extent of what it is dropped from, got 0"
        );
        Ok(())
    }

    fn drop_from<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let x = cx.of_rank(x, self.axes + 2).cast(DType::F32);
        let size = self.block_size;
        let first = if self.data_format == Some(DataFormat::ChannelsFirst) { 2 } else { 1 };
        let axes = first..first + self.axes;
        let shape = x.shape();
        let least = axes.clone().filter_map(|axis| shape.get(axis).copied()).min().unwrap_or(0);
        if !x.is_void() && size > least {
            let message = format!(
                "`block_size` must be from 1 to {least}, the least extent along which blocks lie, \
                 got {size}"
            );
            return cx.trace().fail(Error::new(message));
        }
        if !cx.awake("rate", self.rate) || x.is_void() {
            return x;
        }
        let seeds = cx.seed_generator("seed_generator", self.seed);
        if !cx.drops() {
            return x;
        }
        let (mut corners, mut share) = (shape.clone(), 1.0);
        let (mut low, rank) = (vec![0; x.rank()], x.rank());
        for axis in axes.clone() {
            corners[axis] = shape[axis] - size + 1;
            share *= shape[axis] as f64 / (size * corners[axis]) as f64;
            low[axis] = size - 1;
        }
        let gamma = (cx.number("rate", self.rate) * share).cast(DType::F32);
        let noise = cx.draw(&seeds, x, corners, |key, shape| key.random_uniform(shape));
        // A position is dropped if any of the blocks begins in which it would lie.
        let begins = noise.less(gamma).cast(DType::F32).pad(0.0, low.clone(), low, vec![0; rank]);
        let kept = 1.0 - axes.fold(begins, |hit, axis| greatest_of(hit, axis, size));
        x * (kept * self.scale(cx, kept))
    }

    /// What makes up for the zeros of a mask.
    fn scale<'g>(&self, cx: &Scope<'g>, kept: Tensor<'g>) -> Tensor<'g> {
        let shape = kept.shape();
        let each: usize = shape[1..].iter().product();
        match cx.sampling() {
            Some(_) => {
                let ones = kept.reshape([shape[0], each]).sum(1).maximum(1.0);
                let column = [&shape[..1], &vec![1; shape.len() - 1]].concat();
                (each as f64 / ones).reshape(column)
            }
            None => (shape[0] * each) as f64 / kept.sum(..).maximum(1.0),
        }
    }
}

/// The greatest of every `size` neighbours along an axis.
fn greatest_of(x: Tensor<'_>, axis: usize, size: usize) -> Tensor<'_> {
    let (mut x, mut reach) = (x, 1);
    while reach < size {
        // Of twice as many neighbours, or of as many as are wanted: two windows side by side.
        let step = reach.min(size - reach);
        let shape = x.shape();
        let part = |start: usize| {
            let (mut from, mut to) = (vec![0; shape.len()], shape.clone());
            (from[axis], to[axis]) = (start, start + shape[axis] - step);
            x.slice(from, to, vec![1; shape.len()])
        };
        x = part(0).maximum(part(step));
        reach += step;
    }
    x
}

#[cfg(test)]
mod tests {
    use oxhorn_ir::{Array, testing::run};

    use super::*;
    use crate::testing::{layer_error, layer_text};

    #[test]
    fn windows_are_as_wide_as_they_are_asked_to_be() {
        let x = Array::new([7], vec![0.0, 3.0, 0.0, 0.0, 1.0, 0.0, 2.0]);
        for size in 1..=7 {
            let y = run(&[(Type::f32([7]), x.clone())], |_, x| greatest_of(x[0], 0, size));
            let windows = x.data.windows(size);
            let expected: Vec<f64> =
                windows.map(|it| it.iter().copied().fold(0.0, f64::max)).collect();
            assert_eq!(y.data, expected, "{size}");
        }
    }

    #[test]
    fn is_absent_from_inference_graphs_and_at_rate_0() {
        for (rate, mode) in [(0.5, Mode::Infer), (0.0, Mode::Train)] {
            let text = layer_text(DropBlock2D::new(rate, 3), mode, &[2, 5, 4, 3]);
            assert!(!text.contains("slice") && !text.contains("random"), "{text}");
        }
    }

    #[test]
    fn rejects_blocks_that_do_not_fit() {
        assert_eq!(
            layer_error(DropBlock2D::new(0.1, 5), &[2, 7, 4, 3]).message,
            "`block_size` must be from 1 to 4, the least extent along which blocks lie, got 5"
        );
        let first = DropBlock1D::new(0.1, 5).data_format(DataFormat::ChannelsFirst);
        assert!(layer_error(first, &[2, 7, 4]).message.contains("from 1 to 4"));
        let error = DropBlock1D::new(0.1, 0).check().unwrap_err();
        assert_eq!(
            error.message,
            "`block_size` must be from 1 to the extent of what it is dropped from, got 0"
        );
        let error = layer_error(DropBlock1D::new(0.1, 1), &[2, 7]);
        assert!(error.message.contains("expected ndim=3, found ndim=2"), "{error}");
    }
}
