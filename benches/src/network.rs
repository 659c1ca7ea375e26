//! The networks whose training is measured, and what a turn of each is.

use std::{cell::Cell, time::Instant};

use ndarray::Array2;
use oxhorn::prelude::*;

/// A network to train.
#[derive(Clone, Copy)]
pub(crate) enum Network {
    /// 25-64-64-5 with dropout of 0.4 after both hidden layers, batches of 32.
    Tutorial,
    /// 784-1024-1024-1024-10 with dropout of 0.2 on the input and 0.5 behind it, batches of 128.
    Mlp,
    /// The same without dropout.
    MlpPlain,
    /// So many layers of 64 units, one after the other, batches of 32.
    Deep(usize),
}

impl Network {
    /// The compiled model, which runs on this many threads.
    ///
    /// # Errors
    ///
    /// None but a mistake here.
    pub(crate) fn model(self, threads: usize) -> Result<Sequential> {
        let mut model = self.layers().threads(threads);
        self.compile(&mut model)?;
        Ok(model)
    }

    /// Gives the model its loss, its metrics and Adam.
    ///
    /// # Errors
    ///
    /// None but a mistake here.
    pub(crate) fn compile(self, model: &mut Sequential) -> Result<()> {
        match self {
            Network::Deep(_) => model.compile(Adam::default(), "mean_squared_error", NO_METRICS),
            _ => model.compile(Adam::default(), "categorical_crossentropy", ["accuracy"]),
        }
    }

    /// The model before it is compiled.
    pub(crate) fn layers(self) -> Sequential {
        let dense = |units| Dense::new(units).activation("relu");
        match self {
            Network::Tutorial => Sequential::new()
                .add(dense(64).input_dim(25))
                .add(Dropout::new(0.4))
                .add(dense(64))
                .add(Dropout::new(0.4))
                .add(Dense::new(5).activation("softmax")),
            Network::Mlp => Sequential::new()
                .add(Dropout::new(0.2).input_shape([784]))
                .add(dense(1024))
                .add(Dropout::new(0.5))
                .add(dense(1024))
                .add(Dropout::new(0.5))
                .add(dense(1024))
                .add(Dropout::new(0.5))
                .add(Dense::new(10).activation("softmax")),
            Network::MlpPlain => Sequential::new()
                .add(dense(1024).input_dim(784))
                .add(dense(1024))
                .add(dense(1024))
                .add(Dense::new(10).activation("softmax")),
            Network::Deep(layers) => (1..layers)
                .fold(Sequential::new().add(dense(64).input_dim(64)), |model, _| {
                    model.add(dense(64))
                }),
        }
    }

    /// Numbers in a sample, and in a target.
    pub(crate) fn extents(self) -> (usize, usize) {
        match self {
            Network::Tutorial => (25, 5),
            Network::Mlp | Network::MlpPlain => (784, 10),
            Network::Deep(_) => (64, 64),
        }
    }

    pub(crate) fn batch(self) -> usize {
        match self {
            Network::Tutorial | Network::Deep(_) => 32,
            Network::Mlp | Network::MlpPlain => 128,
        }
    }

    /// Steps in a turn: enough that what happens once in an epoch does not count.
    pub(crate) fn steps(self) -> usize {
        match self {
            Network::Tutorial => 250,
            Network::Mlp | Network::MlpPlain => 16,
            Network::Deep(layers) => (1_000 / layers).max(20),
        }
    }

    /// Samples between 0 and 1, and one-hot targets: enough for a turn.
    pub(crate) fn data(self) -> (Array2<f32>, Array2<f32>) {
        let (samples, (inputs, outputs)) = (self.batch() * self.steps(), self.extents());
        let x = random((samples, inputs)).mapv(|x| x as f32);
        let y = to_categorical(&randint(outputs as i64, samples), outputs);
        (x, y.mapv(|y| y as f32))
    }

    /// What trains the network for a turn, and gives the seconds of a step.
    ///
    /// # Errors
    ///
    /// None but a mistake here.
    pub(crate) fn training(
        self,
        threads: usize,
        shuffle: Shuffle,
    ) -> Result<impl FnMut() -> Result<f64>> {
        let (mut model, (x, y)) = (self.model(threads)?, self.data());
        Ok(move || {
            // Neither compiling nor the checks of the data are measured, and the first epoch fills
            // the caches.
            let (begun, seconds) = (Cell::new(Instant::now()), Cell::new(0.0));
            let clock = LambdaCallback::new()
                .on_epoch_begin(|_, _| {
                    begun.set(Instant::now());
                    Ok(())
                })
                .on_epoch_end(|_, _, _| {
                    seconds.set(begun.get().elapsed().as_secs_f64());
                    Ok(())
                });
            let fit = Fit::epochs(2).batch_size(self.batch()).shuffle(shuffle).verbose(0);
            model.fit(&x, &y, fit.callback(clock))?;
            Ok(seconds.get() / self.steps() as f64)
        })
    }
}
