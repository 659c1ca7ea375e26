//! What all initializers have in common.

use oxhorn_ir::Result;

use super::CLASSES;
use crate::{
    config::Object,
    handle::{Handle, category},
};

/// A rule for the first value of a weight.
pub trait Initialize: Object {
    /// Rejects settings that no shape could make right.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Whether the values are random, and where the seed comes from.
    fn randomness(&self) -> Randomness {
        Randomness::None
    }

    /// The values of a weight of this shape, row-major, under a random key.
    ///
    /// # Errors
    ///
    /// If there are no such values for this shape.
    fn values(&self, shape: &[usize], key: [u32; 2]) -> Result<Vec<f32>>;
}

/// Where the seed of random values comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Randomness {
    /// The values are not random.
    None,
    /// From the initializer itself, which gives the same values every time.
    Seeded(u32),
    /// From the model.
    Unseeded,
}

impl From<Option<u32>> for Randomness {
    fn from(seed: Option<u32>) -> Randomness {
        seed.map_or(Randomness::Unseeded, Randomness::Seeded)
    }
}

/// An initializer, or its name.
pub type Initializer = Handle<dyn Initialize>;

category!(Initialize, "initializer", CLASSES);

/// How many inputs reach an output of a weight of this shape, and how many outputs an input.
///
/// The last two axes are inputs and outputs, those before them the receptive field, unless other
/// axes are named.
pub(super) fn fans(
    shape: &[usize],
    inputs: &Option<Vec<isize>>,
    outputs: &Option<Vec<isize>>,
) -> Result<(f64, f64)> {
    let rank = shape.len() as isize;
    let of = |axes: &[isize]| {
        let extent = |axis: &isize| {
            let index = if *axis < 0 { axis + rank } else { *axis };
            let extent = usize::try_from(index).ok().and_then(|index| shape.get(index));
            extent.copied().ok_or_else(|| {
                oxhorn_ir::Error::new(format!("the weight's shape {shape:?} has no axis {axis}"))
            })
        };
        axes.iter().map(extent).product::<Result<usize>>()
    };
    let (fan_in, fan_out) = match (inputs, outputs, shape) {
        (Some(inputs), Some(outputs), _) => (of(inputs)?, of(outputs)?),
        (Some(_), None, _) | (None, Some(_), _) => {
            let message = "`input_axes` and `output_axes` must be given together";
            return Err(oxhorn_ir::Error::new(message));
        }
        (None, None, []) => (1, 1),
        (None, None, [n]) => (*n, *n),
        (None, None, [field @ .., fan_in, fan_out]) => {
            let field: usize = field.iter().product();
            (fan_in * field, fan_out * field)
        }
    };
    Ok((fan_in as f64, fan_out as f64))
}
