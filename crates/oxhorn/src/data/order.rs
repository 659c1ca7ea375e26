//! The order in which samples are taken, and which are kept for validation.

use oxhorn_ir::{Result, ensure};

use crate::state::State;

/// Draws a random order of so many samples.
pub type Permute<'a> = dyn FnMut(usize) -> Result<Vec<usize>> + 'a;

/// How the order of samples changes from epoch to epoch: Keras' `shuffle`, which is `true`,
/// `false` or `"batch"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shuffle {
    /// All samples anew in every epoch.
    #[default]
    Samples,
    /// The samples of each batch among themselves. Batches hold the same samples in every epoch.
    Batch,
    /// Never.
    Off,
}

impl From<bool> for Shuffle {
    fn from(shuffle: bool) -> Shuffle {
        if shuffle { Shuffle::Samples } else { Shuffle::Off }
    }
}

/// The samples of an epoch in the order in which they are taken, in batches.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    rows: Vec<usize>,
    batch_size: usize,
    shuffle: Shuffle,
}

impl Order {
    /// Samples as they come, until an epoch is drawn.
    ///
    /// # Errors
    /// When a batch were to hold none.
    pub(crate) fn new(samples: usize, batch_size: usize, shuffle: Shuffle) -> Result<Order> {
        ensure!(
            batch_size > 0,
            "`batch_size` must be at least 1, got {batch_size}";
            help: "Keras' own default is 32"
        );
        Ok(Order { rows: (0..samples).collect(), batch_size, shuffle })
    }

    /// Draws what Keras draws, the first time it fits a compiled model, to have a look at a batch:
    /// numbers that are thrown away but move the generator.
    pub(crate) fn skip_first_look(&self, permute: &mut Permute<'_>) -> Result<()> {
        match self.shuffle {
            Shuffle::Samples => permute(self.rows.len()).map(drop),
            Shuffle::Batch => permute(self.batch_size.min(self.rows.len())).map(drop),
            Shuffle::Off => Ok(()),
        }
    }

    /// Draws the order of an epoch, as Keras on JAX draws it.
    pub(crate) fn draw(&mut self, permute: &mut Permute<'_>) -> Result<()> {
        match self.shuffle {
            Shuffle::Samples => self.rows = permute(self.rows.len())?,
            Shuffle::Batch => {
                for (i, batch) in self.rows.chunks_mut(self.batch_size).enumerate() {
                    let start = i * self.batch_size;
                    let drawn = permute(batch.len())?;
                    batch.iter_mut().zip(drawn).for_each(|(row, drawn)| *row = start + drawn);
                }
            }
            Shuffle::Off => {}
        }
        Ok(())
    }

    /// The order as it is, and what it is an order of.
    pub(crate) fn state(&self) -> State {
        let state = State::new().with("rows", self.rows.clone());
        state.with("batch_size", self.batch_size)
    }

    /// Goes on with the order that there was.
    ///
    /// # Errors
    /// If it was of more or fewer samples, or of other batches.
    pub(crate) fn restore(&mut self, state: &State) -> Result<()> {
        let rows: Vec<usize> = state.value("rows")?;
        let (before, now) = (rows.len(), self.rows.len());
        ensure!(
            before == now,
            "the run that was interrupted had {before} samples to train on, this one has {now}";
            help: "go on with the samples that it had"
        );
        let mut all = rows.clone();
        all.sort_unstable();
        ensure!(all.into_iter().eq(0..now), "the order of samples that was kept is not one");
        let (before, now) = (state.value::<usize>("batch_size")?, self.batch_size);
        ensure!(
            before == now,
            "the run that was interrupted had batches of {before} samples, this one has {now}";
            help: "go on with `batch_size` {before}"
        );
        self.rows = rows;
        Ok(())
    }

    /// How many batches an epoch has.
    pub(crate) fn len(&self) -> usize {
        self.rows.len().div_ceil(self.batch_size)
    }

    /// The rows of a batch, of which the last may be smaller.
    pub(crate) fn batch(&self, index: usize) -> &[usize] {
        let start = (index * self.batch_size).min(self.rows.len());
        &self.rows[start..(start + self.batch_size).min(self.rows.len())]
    }
}

/// The first of the samples that are kept for validation, the last ones, given their share.
///
/// # Errors
/// When that is no share, or leaves nothing on one side.
pub fn validation_start(samples: usize, validation_split: f64) -> Result<usize> {
    ensure!(
        (0.0..1.0).contains(&validation_split),
        "`validation_split` must be at least 0 and below 1, got {validation_split}";
        help: "it is the share of the samples that is kept for validation"
    );
    let start = (samples as f64 * (1.0 - validation_split)).floor() as usize;
    ensure!(
        (1..samples).contains(&start),
        "Training data contains {samples} samples, which is not sufficient to split it into a \
         validation and training set as specified by `validation_split={validation_split}`. Either \
         provide more data, or a different value for the `validation_split` argument."
    );
    Ok(start)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::{
        callbacks::testing::{case, golden},
        random::Numpy,
    };

    /// What a fit of a recorded case draws, in Keras' words.
    fn fit(fit: &Value, samples: usize, first: usize, numpy: &mut Numpy) -> Vec<Vec<usize>> {
        let arguments = &fit["arguments"];
        let shuffle = match &arguments["shuffle"] {
            Value::String(_) => Shuffle::Batch,
            shuffle => shuffle.as_bool().unwrap_or(true).into(),
        };
        let split = arguments["validation_split"].as_f64();
        let samples = split.map_or(samples, |split| validation_start(samples, split).unwrap());
        let batch_size = arguments["batch_size"].as_u64().unwrap_or(32) as usize;
        let mut order = Order::new(samples, batch_size, shuffle).unwrap();
        let mut permute = |n: usize| Ok(numpy.permutation(n));
        if first == 0 {
            order.skip_first_look(&mut permute).unwrap();
        }
        let mut drawn = vec![];
        for _ in fit["epochs"].as_array().unwrap() {
            order.draw(&mut permute).unwrap();
            match shuffle {
                Shuffle::Samples => drawn.push(batches(&order).concat()),
                Shuffle::Off => assert!(batches(&order).concat().into_iter().eq(0..samples)),
                Shuffle::Batch => {
                    drawn.extend(batches(&order).into_iter().enumerate().map(|(i, batch)| {
                        batch.iter().map(|row| row - i * batch_size).collect::<Vec<_>>()
                    }));
                }
            }
        }
        drawn
    }

    /// The rows of every batch.
    fn batches(order: &Order) -> Vec<Vec<usize>> {
        (0..order.len()).map(|i| order.batch(i).to_vec()).collect()
    }

    #[test]
    fn draws_what_keras_draws() {
        let mut cases = 0;
        for path in ["training/orders.json", "training/validation.json"] {
            for case in golden(path)["cases"].as_array().unwrap() {
                let fits = case["fits"].as_array().unwrap();
                if !fits[0]["arguments"]["steps_per_epoch"].is_null() {
                    continue; // Its epochs are no passes; `tests/training.rs` replays it whole.
                }
                let seed = case["seed"].as_u64().unwrap() as u32;
                let samples = case["data"]["x"]["shape"][0].as_u64().unwrap() as usize;
                let mut numpy = Numpy::seeded(seed);
                for (i, recorded) in fits.iter().enumerate() {
                    let drawn = fit(recorded, samples, i, &mut numpy);
                    let all: Vec<Vec<usize>> =
                        serde_json::from_value(recorded["permutations_drawn"].clone()).unwrap();
                    let thrown_away = usize::from(i == 0 && !all.is_empty());
                    assert_eq!(drawn, all[thrown_away..], "{}", case["name"]);
                    cases += 1;
                }
            }
        }
        assert!(cases > 10);
    }

    #[test]
    fn makes_a_smaller_batch_of_what_is_left() {
        let sizes = |samples, batch_size| {
            let order = Order::new(samples, batch_size, Shuffle::Off).unwrap();
            batches(&order).iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(7, 3), [3, 3, 1]);
        assert_eq!(sizes(6, 3), [3, 3]);
        assert_eq!(sizes(2, 32), [2]);
        assert!(sizes(0, 4).is_empty());
        assert!(Order::new(3, 2, Shuffle::Off).unwrap().batch(2).is_empty());
        let error = Order::new(7, 0, Shuffle::Samples).unwrap_err();
        assert_eq!(error.message, "`batch_size` must be at least 1, got 0");
    }

    #[test]
    fn keeps_the_last_samples_for_validation() {
        assert_eq!(validation_start(13, 0.3), Ok(9));
        assert_eq!(validation_start(2, 0.5), Ok(1));
        for (samples, split) in [(13, 0.99), (1, 0.5), (0, 0.5), (13, 0.0)] {
            let message = validation_start(samples, split).unwrap_err().message;
            let expected = format!("Training data contains {samples} samples, which is not");
            assert!(message.starts_with(&expected), "{message}");
        }
        for split in [1.0, -0.1, 1.5, f64::NAN] {
            let message = validation_start(13, split).unwrap_err().message;
            let expected = "`validation_split` must be at least 0 and below 1, got ";
            assert_eq!(message, format!("{expected}{split}"));
        }
    }

    #[test]
    fn refuses_a_split_in_the_words_of_keras() {
        let name = "compiled(); model.fit(X, Y, validation_split=0.99, verbose=0)";
        let raised = &case("text/model_errors.json", name)["raised"];
        assert_eq!(raised["message"], validation_start(13, 0.99).unwrap_err().message);
    }
}
