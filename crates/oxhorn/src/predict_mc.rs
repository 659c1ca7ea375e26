//! `predict_mc`: Monte Carlo dropout, many predictions of one model with other units dropped.
//!
//! All samples of a batch are one run of one program, in which every input comes once for each
//! sample. Whatever else training does, such as following statistics, stays off, and what the
//! draws change is put back: the model is afterwards what it was, bit for bit.

use ndarray::{ArrayD, IxDyn};
use oxhorn_ir::{Result, Type, ensure, threefry};
use oxhorn_nn::{Masks, Sampling};

use crate::{
    callbacks::Callback,
    data::{self, Data, Feeder, Samples, Shuffle, Source},
    engine::{Engine, Kind},
    evaluate::NAMES,
    history::Params,
    looping::Loop,
    mc_prediction::McPrediction,
    sequential::Sequential,
    training::Run,
};

/// Rows that a program takes at once where nobody says how many: enough for the matrix product to
/// be fast, and few enough for caches.
const ROWS: usize = 2048;

/// Inputs in a batch where nobody says how many, for so many samples of each.
pub fn rows_at_once(samples: usize) -> usize {
    (ROWS / samples.max(1)).max(1)
}

/// How to predict by Monte Carlo dropout.
///
/// ```
/// # use oxhorn::prelude::*;
/// let often = PredictMc::samples(200).seed(1).common_mask();
/// ```
#[derive(Clone, Debug)]
pub struct PredictMc {
    samples: usize,
    masks: Masks,
    seed: Option<u32>,
    batch_size: Option<usize>,
}

impl Default for PredictMc {
    fn default() -> Self {
        PredictMc::samples(50)
    }
}

impl PredictMc {
    /// So many samples of each input, each input with masks of its own.
    ///
    /// Srivastava et al. (JMLR 2014, figure 11) needed about 50 until their mean was as good as the
    /// usual prediction.
    pub fn samples(samples: usize) -> PredictMc {
        PredictMc { samples, masks: Masks::Own, seed: None, batch_size: None }
    }

    /// Drops the same units for all inputs of one sample, so that each sample is one network.
    ///
    /// Then a sample of an input depends neither on the batch size nor on the other inputs, and
    /// samples of different inputs can be compared.
    #[must_use]
    pub fn common_mask(self) -> PredictMc {
        PredictMc { masks: Masks::Common, ..self }
    }

    /// Makes the samples reproducible: they are those of this seed, whatever the model's own seeds
    /// are and have been used for. Without it they differ from call to call, and follow
    /// [`set_random_seed`](crate::set_random_seed), or the model's own
    /// [`seed`](Sequential::seed), as layers without a seed do.
    #[must_use]
    pub fn seed(self, seed: u32) -> PredictMc {
        PredictMc { seed: Some(seed), ..self }
    }

    /// Inputs in a batch, of which a program takes that many times the samples; if not given, about
    /// 2,048 rows in all. Where each input has masks of its own, they depend on it.
    #[must_use]
    pub fn batch_size(self, batch_size: usize) -> PredictMc {
        PredictMc { batch_size: Some(batch_size), ..self }
    }
}

impl Sequential {
    /// Predicts many times, each time with other units dropped: Monte Carlo dropout (Gal and
    /// Ghahramani, [arXiv 1506.02142](https://arxiv.org/abs/1506.02142)).
    ///
    /// Only layers that drop are random; normalization uses the statistics it has, and noise that
    /// only regularizes is off. The model, its seeds included, is afterwards what it was.
    ///
    /// ```
    /// # use oxhorn::prelude::*;
    /// # fn main() -> oxhorn::Result<()> {
    /// # let mut model = Sequential::new()
    /// #     .add(Dense::new(16).activation("relu").input_dim(4))
    /// #     .add(Dropout::new(0.5))
    /// #     .add(Dense::new(3).activation("softmax"));
    /// let y = model.predict_mc(&random((5, 4)), PredictMc::samples(20).seed(1))?;
    /// assert_eq!(y.mean().shape(), [5, 3]);
    /// assert_eq!(y.mutual_information()?.shape(), [5]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the data do not fit the model, nothing in it drops, or a setting is out of its range.
    pub fn predict_mc<'a>(
        &mut self,
        x: impl Into<Samples<'a>>,
        predict: PredictMc,
    ) -> Result<McPrediction> {
        self.begin_run();
        let x = x.into();
        data::check(&[("x", &x)])?;
        self.build_for(NAMES[0], &x.shape()[1..])?;
        let PredictMc { samples, masks, seed, batch_size } = predict;
        let rows = batch_size.unwrap_or_else(|| rows_at_once(samples));
        let source = Source::arrays(Data::single(x, None, None), rows, Shuffle::Off)?;
        let seed = seed.unwrap_or_else(|| self.random.streams().python.next_seed());
        let sampling = Sampling { samples, masks };
        let engine = self.engine_mut()?;
        let mut outputs = engine.sample(source, sampling, seed, Loop::new())?;
        let none = || McPrediction::new(ArrayD::zeros(IxDyn(&[samples, 0])));
        outputs.pop().map_or_else(none, Ok)
    }
}

impl Engine {
    /// The network's outputs for all batches, sampled: one prediction for each output. Of the
    /// callbacks in `settings`, only what goes on between steps is called.
    ///
    /// # Errors
    ///
    /// As [`Sequential::predict_mc`]; and what streams return. The engine's variables are as they
    /// were in any case.
    pub fn sample(
        &mut self,
        source: Source<'_>,
        sampling: Sampling,
        seed: u32,
        settings: Loop<'_>,
    ) -> Result<Vec<McPrediction>> {
        sampling.check()?;
        let mut feeder = Feeder::new(source, Kind::Sample(sampling));
        feeder.load(self)?;
        let before = self.seeds();
        let drawn = self.draw(&mut feeder, sampling, seed, settings);
        self.set_seeds(&before)?;
        drawn?
            .into_iter()
            .map(|output| McPrediction::new(output.joined(sampling.samples)))
            .collect()
    }

    /// Runs all batches, with keys that follow from the seed alone.
    fn draw(
        &mut self,
        feeder: &mut Feeder<'_>,
        sampling: Sampling,
        seed: u32,
        mut settings: Loop<'_>,
    ) -> Result<Vec<Batches>> {
        let mut callbacks = std::mem::take(&mut settings.callbacks);
        let mut run = Run::new(self, Params::default(), settings.output.clone());
        let mut outputs: Vec<Batches> = vec![];
        let seeds = run.engine.seeds_from(seed);
        run.engine.set_seeds(&seeds)?;
        feeder.begin_epoch()?;
        while let Some(program) = feeder.next(run.engine, &mut *settings.permute)? {
            let program = run.engine.program(program);
            let types = program.output_types().to_vec();
            outputs.resize_with(types.len(), Batches::default);
            for (i, (output, ty)) in outputs.iter_mut().zip(types).enumerate() {
                output.push(&ty, program.output(i)?)?;
            }
            if sampling.masks == Masks::Common {
                // The next batch meets the same networks.
                run.engine.set_seeds(&seeds)?;
            }
            callbacks.between_steps(&mut run)?;
        }
        feeder.end_epoch()?;
        Ok(outputs)
    }

    /// The states of all seed generators, by path.
    fn seeds(&self) -> Vec<(String, [u32; 2])> {
        let seeds = self.variables().into_iter().filter(|it| it.is_seed()).map(|it| it.path);
        let state = |path: &String| self.weights().slice(path).ok()?.try_into().ok();
        seeds.filter_map(|path| state(&path).map(|state| (path, state))).collect()
    }

    /// States that follow from a seed, different for each generator.
    fn seeds_from(&self, seed: u32) -> Vec<(String, [u32; 2])> {
        let numbered = self.seeds().into_iter().zip(0..);
        numbered.map(|((path, _), i)| (path, [threefry([seed, 0], [0, i])[0], 0])).collect()
    }

    fn set_seeds(&mut self, states: &[(String, [u32; 2])]) -> Result<()> {
        for (path, state) in states {
            self.weights_mut().slice_mut(path)?.copy_from_slice(state);
        }
        Ok(())
    }
}

/// What one output gave for the batches so far.
#[derive(Default)]
struct Batches {
    /// The shape of what one input gives.
    row: Vec<usize>,
    /// How many inputs a batch had, and what it gave, sample by sample.
    all: Vec<(usize, Vec<f32>)>,
}

impl Batches {
    fn push(&mut self, ty: &Type, values: &[f32]) -> Result<()> {
        let (rows, row) = (ty.shape[1], &ty.shape[2..]);
        ensure!(
            self.all.is_empty() || self.row == row,
            "one batch gave rows of shape {row:?}, another {:?}, which cannot be put together",
            self.row
        );
        self.row = row.to_vec();
        self.all.push((rows, values.to_vec()));
        Ok(())
    }

    /// All batches: samples, then inputs, then what one input gives.
    fn joined(self, samples: usize) -> ArrayD<f32> {
        let inputs: usize = self.all.iter().map(|(rows, _)| rows).sum();
        let len: usize = self.row.iter().product();
        let mut values = Vec::with_capacity(samples * inputs * len);
        for sample in 0..samples {
            for (rows, batch) in &self.all {
                values.extend_from_slice(&batch[sample * rows * len..(sample + 1) * rows * len]);
            }
        }
        let shape = [&[samples, inputs], &self.row[..]].concat();
        ArrayD::from_shape_vec(IxDyn(&shape), values).unwrap_or_default()
    }
}
