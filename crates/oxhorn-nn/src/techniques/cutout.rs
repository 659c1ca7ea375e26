//! `Cutout`: a square of each image is missing.

use super::{
    category::{Fed, Intervene, Strength},
    images::{Edges, Images, clipped, place},
};
use crate::{layers::DataFormat, prelude::*};

/// Trains on images, each of which has a square of zeros somewhere.
///
/// The centre of the square is any pixel, for each image another; what would reach over the edge is
/// cut off. So images should be scaled to a mean near 0, which a missing square then looks like.
/// (The paper's code rounds an odd `size` down to an even one; here the square has the size that is
/// stated.)
///
/// `size` is a number that can be turned while a model trains, and is rounded down; at 0, nothing
/// is missing.
///
/// DeVries and Taylor, *Improved regularization of convolutional neural networks with cutout*,
/// 2017, <https://arxiv.org/abs/1708.04552>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "oxhorn.techniques.Cutout")]
pub struct Cutout {
    /// How many pixels the square is wide, 0 or more; the paper takes 16 of 32 for CIFAR-10.
    pub size: f64,
    /// The image that each sample is: `(height, width)` or `(height, width, channels)`. Without it,
    /// samples must have three axes.
    #[config(default)]
    pub image_shape: Option<Vec<usize>>,
    /// Where the channels are: `channels_last` if nothing else is said.
    #[config(default)]
    pub data_format: Option<DataFormat>,
    /// Seed of the random stream; `None` takes the model's next one.
    #[config(default)]
    pub seed: Option<u32>,
}

impl Intervene for Cutout {
    fn numbers(&self) -> Vec<Strength> {
        vec![Strength::new("size", self.size)]
    }

    fn check(&self) -> Result<()> {
        Images::check(self.image_shape.as_deref())
    }

    fn feed<'g>(&self, cx: &Scope<'g>, x: &[Tensor<'g>]) -> Option<Fed<'g>> {
        let seeds = cx.seed_generator("seed_generator", self.seed);
        let size = cx.number("size", self.size).floor().cast(DType::F32);
        let cut = |x: &Tensor<'g>| {
            let shape = self.image_shape.as_deref();
            let images = match Images::of("Cutout", *x, shape, self.data_format) {
                Ok(images) => images,
                Err(error) => return cx.trace().fail(error),
            };
            let edges = |extent: usize| {
                let centre = place(seeds.next().random_uniform([images.samples()]), extent);
                clipped(centre, size, extent)
            };
            let edges = Edges { rows: edges(images.height()), columns: edges(images.width()) };
            images.within(*x, &edges).select(x.fill(0.0), *x)
        };
        Some(Fed { x: x.iter().map(cut).collect(), blend: None })
    }
}
