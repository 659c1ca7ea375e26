//! The networks that studies of this command compare: dense layers, each followed by dropout.

use oxhorn::prelude::*;
use oxhorn_lab::{Dataset, Target, Variant};

/// What the networks of a study have in common.
pub(crate) struct Network {
    /// Neurons of the hidden layers.
    pub(crate) hidden: Vec<usize>,
    /// Of Adam.
    pub(crate) learning_rate: f64,
}

/// A network with dropout at a rate, by which it is called; at rate 0, without dropout.
///
/// # Errors
/// When the rate or a size is out of its range.
pub(crate) fn variant(network: &Network, rate: f64, data: &Dataset) -> Result<Variant> {
    let name = if rate == 0.0 { "no dropout".to_owned() } else { format!("dropout {rate}") };
    Variant::new(name, &network.model(rate, data)?)
}

impl Network {
    /// For classes a softmax and cross-entropy, for numbers a linear layer and squared errors.
    pub(crate) fn model(&self, rate: f64, data: &Dataset) -> Result<Sequential> {
        let sample = data.x.shape()[1..].iter().map(|&extent| Some(extent));
        let shape: Vec<Option<usize>> = std::iter::once(None).chain(sample).collect();
        let mut model = Sequential::new().add(Input::new(shape));
        if data.x.ndim() > 2 {
            model = model.add(Flatten::new());
        }
        for &units in &self.hidden {
            model = model.add(Dense::new(units).activation("relu"));
            if rate != 0.0 {
                model = model.add(Dropout::new(rate));
            }
        }
        let adam = Adam::new().learning_rate(self.learning_rate);
        match &data.y {
            Target::Classes { names, .. } => {
                let mut model = model.add(Dense::new(names.len()).activation("softmax"));
                model.compile(adam, "sparse_categorical_crossentropy", ["accuracy"])?;
                Ok(model)
            }
            Target::Values(values) => {
                let mut model = model.add(Dense::new(values.shape()[1..].iter().product()));
                model.compile(adam, "mse", [""; 0])?;
                Ok(model)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, ArrayD, IxDyn};
    use oxhorn_lab::{Source, Split};

    use super::*;

    fn parameters(data: &Dataset, hidden: &[usize], rate: f64) -> usize {
        let network = Network { hidden: hidden.to_vec(), learning_rate: 1e-3 };
        let model = network.model(rate, data).unwrap();
        let weights = model.weights().unwrap();
        weights.iter().map(|(_, weight)| weight.len()).sum()
    }

    #[test]
    fn the_digits_have_the_network_of_the_tutorial() {
        let count = 64 * 256 + 256 + 256 * 256 + 256 + 256 * 10 + 10;
        assert_eq!(parameters(&Dataset::digits(500), &[256, 256], 0.5), count);
        assert_eq!(parameters(&Dataset::digits(500), &[256, 256], 0.0), count);
        assert_eq!(parameters(&Dataset::digits(500), &[], 0.0), 650);
    }

    #[test]
    fn pictures_are_flattened_and_numbers_are_predicted() {
        let data = Dataset {
            name: "numbers".into(),
            x: ArrayD::zeros(IxDyn(&[7, 3, 2])),
            y: Target::Values(Array::zeros((7, 5)).into_dyn()),
            split: Split::Fixed { train: 4 },
            source: Source::Memory,
        };
        assert_eq!(parameters(&data, &[2], 0.1), 6 * 2 + 2 + 2 * 5 + 5);
    }
}
