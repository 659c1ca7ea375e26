//! `CutMix`: a box of each image is another's.

use super::{
    blending::{beta, permutation},
    category::{Blend, Blends, Fed, Intervene, Strength},
    images::{Edges, Images, clipped, place},
};
use crate::{layers::DataFormat, prelude::*};

/// Trains on images, a box of which is cut from another image of the batch, and on the losses of
/// both.
///
/// The box is the same in the whole batch. Its sides are `√(1 - share)` of the image's, with a
/// share of the law Beta(`alpha`, `alpha`), and its centre is any pixel; what would reach over the
/// edge is cut off. The loss is `share · L(y, ŷ) + (1 - share) · L(y', ŷ)`, where the share is by
/// now exactly that of the pixels outside of the box; a sample's weight goes with its target.
/// Metrics count a prediction for both targets, with these shares.
///
/// `alpha` and `probability` are numbers that can be turned while a model trains; where one of them
/// is 0, nothing is cut.
///
/// Yun et al., *CutMix: regularization strategy to train strong classifiers with localizable
/// features*, 2019, <https://arxiv.org/abs/1905.04899>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "oxhorn.techniques.CutMix")]
pub struct CutMix {
    /// How evenly samples are mixed, 0 or more; with 1, any share is as likely as any other.
    #[config(default = 1.0)]
    pub alpha: f64,
    /// Of how many batches, from 0 to 1, the images are cut; the paper takes 0.5 for CIFAR and 1
    /// for ImageNet.
    #[config(default = 1.0)]
    pub probability: f64,
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

impl Intervene for CutMix {
    fn numbers(&self) -> Vec<Strength> {
        vec![
            Strength::new("alpha", self.alpha),
            Strength::new("probability", self.probability).up_to(1.0),
        ]
    }

    fn check(&self) -> Result<()> {
        Images::check(self.image_shape.as_deref())
    }

    fn blends(&self) -> Blends {
        Blends::Samples
    }

    fn feed<'g>(&self, cx: &Scope<'g>, x: &[Tensor<'g>]) -> Option<Fed<'g>> {
        let [x] = x else {
            let message = format!("`CutMix` needs one input, got {}", x.len());
            cx.trace().fail(Error::new(message).help("a box would be in one of the inputs only"));
            return None;
        };
        let x = *x;
        if x.is_void() {
            return None;
        }
        let shape = self.image_shape.as_deref();
        let images = match Images::of("CutMix", x, shape, self.data_format) {
            Ok(images) => images,
            Err(error) => {
                cx.trace().fail(error);
                return None;
            }
        };
        let seeds = cx.seed_generator("seed_generator", self.seed);
        let number = |name: &str, value: f64| cx.number(name, value).cast(DType::F32);
        let share = beta(&seeds, number("alpha", self.alpha));
        let [cuts, row, column] = [(); 3].map(|()| seeds.next().random_uniform([]));
        let cuts = cuts.less(number("probability", self.probability));
        let side = cuts.select((1.0 - share).sqrt(), 0.0);
        let (height, width) = (images.height(), images.width());
        let edges = |u: Tensor<'g>, extent: usize| {
            // As in the paper's code, the box reaches as far on both sides of its centre.
            let half = (side * extent as f64 * 0.5).floor();
            clipped(place(u, extent), half * 2.0, extent)
        };
        let edges = Edges { rows: edges(row, height), columns: edges(column, width) };
        let length = |[from, to]: [Tensor<'g>; 2]| (to - from).cast(DType::F32);
        let pixels = (height * width).max(1) as f64;
        let share = 1.0 - length(edges.rows) * length(edges.columns) / pixels;
        let partner = permutation(&seeds, images.samples());
        let x = images.within(x, &edges).select(x.gather(partner, 0), x);
        Some(Fed { x: vec![x], blend: Some(Blend { share, partner }) })
    }
}
