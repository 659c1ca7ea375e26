//! `oxhorn demo`: one network on real data, trained without and with dropout.

mod verdict;

use std::{path::PathBuf, time::Instant};

use clap::Args;
use ndarray::{Array2, Axis};
use oxhorn::{
    lint::Rule,
    prelude::*,
    random::{self, Streams},
};
use oxhorn_lab::data::digits::{self, Digits};

use crate::{
    curves,
    output::{print, printing, wrapped},
    table::{self, Outcome},
};

/// Neurons in each of the two hidden layers: enough to learn 500 images by heart.
const UNITS: usize = 256;
const BATCH: usize = 32;
/// Where nothing is learnt, larger batches are faster and give the same mean.
const MEASURING_BATCH: usize = 256;
/// Of each run, the progress of so many epochs is printed, besides that of the first.
const SHOWN: usize = 5;
const NAMES: [&str; 2] = ["without dropout", "with dropout"];

/// What `oxhorn demo` can be told.
#[derive(Args)]
pub(crate) struct Demo {
    /// Decides how the data are split, and draws weights, batches and dropout.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u32,
    /// How often each network sees its training images.
    #[arg(long, value_name = "N", default_value_t = 100)]
    epochs: usize,
    /// How many of the 1,797 images to learn from; the others validate.
    #[arg(long, value_name = "N", default_value_t = 500)]
    train: usize,
    /// Fraction of the hidden layers' outputs that dropout sets to 0.
    #[arg(long, value_name = "R", default_value_t = 0.5, allow_negative_numbers = true)]
    rate: f64,
    /// Folder for the learning curves.
    #[arg(long, value_name = "DIR", default_value = "oxhorn-demo")]
    out: PathBuf,
    /// Threads to train on: the numbers are the same for any, and so small a network wants one.
    #[arg(long, value_name = "N", default_value_t = 1)]
    threads: usize,
}

impl Demo {
    /// Trains both networks, compares them, and draws how they learnt.
    ///
    /// # Errors
    /// When a setting is out of its range, or the curves cannot be written.
    pub(crate) fn run(&self) -> Result<()> {
        let ranges = [("--epochs", self.epochs, 100_000), ("--threads", self.threads, 256)];
        for (name, value, most) in ranges {
            if !(1..=most).contains(&value) {
                let message = format!("`{name}` must be from 1 to {most}, got {value}");
                return Err(Error::new(message));
            }
        }
        set_random_seed(self.seed);
        let data = Data::draw(self.train)?;
        let mut models = [self.model(None)?, self.model(Some(self.rate))?];
        for (path, value) in models[0].weights()? {
            models[1].set_weight(&path, &value)?;
        }
        // That there is no such folder is found out now, not after the training.
        std::fs::create_dir_all(&self.out).map_err(|error| {
            Error::new(format!("cannot create the folder {}: {error}", self.out.display()))
                .help("choose another with `--out`")
        })?;
        self.introduce(&models[1], &data)?;
        let streams = random::streams().clone();
        let [without, with] = &mut models;
        let shown = match self.shown() {
            1 => "epoch".to_owned(),
            epochs => format!("{epochs} epochs"),
        };
        print(format_args!("\nWithout dropout (a line every {shown}):"))?;
        let without = self.train(without, &data, &streams)?;
        print(format_args!("\nWith dropout of {}:", self.rate))?;
        let with = self.train(with, &data, &streams)?;
        self.conclude([&without, &with], data.x_val.nrows())
    }

    /// The tutorial's network: two hidden layers, each followed by dropout if there is a rate.
    fn model(&self, rate: Option<f64>) -> Result<Sequential> {
        let dropped = |model: Sequential| match rate {
            Some(rate) => model.add(Dropout::new(rate)),
            None => model,
        };
        let model = Sequential::new().threads(self.threads);
        let model = dropped(model.add(Dense::new(UNITS).activation("relu").input_dim(64)));
        let model = dropped(model.add(Dense::new(UNITS).activation("relu")));
        let mut model = model.add(Dense::new(10).activation("softmax"));
        let compile = Compile::new(Adam::default(), "categorical_crossentropy");
        // Whether so few images are too few for dropout is what is to be found out.
        model.compile_with(compile.metrics(["accuracy"]).allow([Rule::FewSamples]))?;
        Ok(model)
    }

    fn introduce(&self, model: &Sequential, data: &Data) -> Result<()> {
        let Demo { epochs, seed, rate, .. } = self;
        let (train, left) = (data.x.nrows(), data.x_val.nrows());
        print(format_args!(
            "Does dropout help a network that overfits?\n\n{}\n{}\n\n{}\n{}",
            wrapped(&format!(
                "{} images of handwritten digits, 8 by 8 pixels: {train} to learn from, {left} to \
                 validate on.",
                train + left
            )),
            digits::ATTRIBUTION,
            model.summary(),
            wrapped(&format!(
                "This network is trained for {epochs} epochs, once without its two dropout layers \
                 and once with them at a rate of {rate}: from the same weights, on the same \
                 batches in the same order, all drawn from seed {seed}."
            ))
        ))
    }

    /// Trains on batches drawn from these streams, and measures after every epoch.
    fn train(&self, model: &mut Sequential, data: &Data, streams: &Streams) -> Result<Run> {
        *random::streams() = streams.clone();
        let Data { x, y, x_val, y_val } = data;
        let mut run = Run::default();
        for epoch in 0..self.epochs {
            let one_epoch = LambdaCallback::new().on_epoch_end(|_, _, training| {
                training.stop();
                Ok(())
            });
            let fit = Fit::epochs(self.epochs)
                .initial_epoch(epoch)
                .batch_size(BATCH)
                .validation_data(x_val, y_val)
                .validation_batch_size(MEASURING_BATCH)
                .callback(one_epoch)
                .verbose(u8::from(epoch == 0 || (epoch + 1) % self.shown() == 0));
            let clock = Instant::now();
            let history = model.fit(x, y, printing(fit))?;
            run.seconds += clock.elapsed().as_secs_f64();
            // The training loss of `fit` was measured with dropout on, while weights changed.
            let quiet = Evaluate::new().batch_size(MEASURING_BATCH).verbose(0);
            let measured = model.evaluate_with(x, y, quiet)?;
            run.loss.push(measured["loss"]);
            run.val_loss.push(history["val_loss"][0]);
            run.accuracy = measured["accuracy"];
            run.val_accuracy = history["val_accuracy"][0];
        }
        Ok(run)
    }

    /// Progress is printed after every so many epochs.
    fn shown(&self) -> usize {
        self.epochs.div_ceil(SHOWN)
    }

    fn conclude(&self, runs: [&Run; 2], images: usize) -> Result<()> {
        let [without, with] = runs.map(Run::outcome);
        print(format_args!(
            "\n{}\n\n{}\n\n{}\n",
            wrapped(
                "As in Keras, these lines give loss and accuracy with dropout on, while weights \
                 change. What follows was measured after the epochs with dropout off, on training \
                 and validation data alike."
            ),
            table::compare(&[(NAMES[0], without), (NAMES[1], with)]),
            wrapped(&verdict::of([&without, &with], images, self.seed))
        ))?;
        let paths = ["curves.svg", "curves.png"].map(|name| self.out.join(name));
        let [svg, png] = &paths;
        let curve = |i: usize| curves::Run {
            name: NAMES[i],
            training: &runs[i].loss,
            validation: &runs[i].val_loss,
        };
        let subtitle = format!(
            "{} images of handwritten digits to learn from, {images} to validate on; 64-{UNITS}-\
             {UNITS}-10; dropout {}; seed {}",
            self.train, self.rate, self.seed
        );
        let title = verdict::title([&without, &with]);
        curves::draw(&title, &subtitle, &[curve(0), curve(1)], svg, png)?;
        print(format_args!("Learning curves: {} and {}", png.display(), svg.display()))
    }
}

/// The images in a random order: the first to learn from, the rest to validate on.
///
/// Pixels are from 0 for paper to 1 for ink, classes are one-hot vectors.
struct Data {
    x: Array2<f32>,
    y: Array2<f64>,
    x_val: Array2<f32>,
    y_val: Array2<f64>,
}

impl Data {
    fn draw(train: usize) -> Result<Data> {
        let Digits { images, labels } = digits::load();
        let count = labels.len();
        if !(1..count).contains(&train) {
            let message = format!("`--train` must be from 1 to {}, got {train}", count - 1);
            let help = format!("there are {count} images, and some are needed to validate on");
            return Err(Error::new(message).help(help));
        }
        let order = permutation(count).to_vec();
        let x = |rows| images.select(Axis(0), rows) / 16.0;
        let y = |rows| to_categorical(&labels.select(Axis(0), rows), 10);
        let (rows, rows_val) = order.split_at(train);
        Ok(Data { x: x(rows), y: y(rows), x_val: x(rows_val), y_val: y(rows_val) })
    }
}

/// What was measured of one network; losses after each epoch, accuracies after the last.
#[derive(Default)]
struct Run {
    loss: Vec<f64>,
    val_loss: Vec<f64>,
    accuracy: f64,
    val_accuracy: f64,
    seconds: f64,
}

impl Run {
    fn outcome(&self) -> Outcome {
        let last = |losses: &[f64]| losses.last().copied().unwrap_or(f64::NAN);
        let epochs = self.val_loss.iter().copied().enumerate();
        let best = epochs.min_by(|a, b| a.1.total_cmp(&b.1));
        let (best_epoch, best_validation_loss) = best.unwrap_or((0, f64::NAN));
        Outcome {
            training_loss: last(&self.loss),
            validation_loss: last(&self.val_loss),
            training_accuracy: self.accuracy,
            validation_accuracy: self.val_accuracy,
            best_validation_loss,
            best_epoch,
            seconds: self.seconds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validates_on_the_images_it_does_not_learn_from() {
        set_random_seed(3);
        let Data { x, y, x_val, y_val } = Data::draw(500).unwrap();
        assert_eq!((x.dim(), y.dim()), ((500, 64), (500, 10)));
        assert_eq!((x_val.dim(), y_val.dim()), ((1297, 64), (1297, 10)));
        let pixels = || x.iter().chain(&x_val);
        assert!(pixels().all(|pixel| (0.0..=1.0).contains(pixel)));
        // Every image is on one side, whatever the order.
        assert_eq!(pixels().map(|&pixel| f64::from(pixel)).sum::<f64>(), 561_718.0 / 16.0);
        assert_eq!(
            Data::draw(1797).err().map(|error| error.message).as_deref(),
            Some("`--train` must be from 1 to 1796, got 1797")
        );
        assert!(Data::draw(0).is_err());
    }

    #[test]
    fn reports_the_last_epoch_and_the_best() {
        let (loss, val_loss) = (vec![0.9, 0.5, 0.1], vec![1.0, 0.7, 0.8]);
        let run = Run { loss, val_loss, accuracy: 1.0, val_accuracy: 0.75, seconds: 2.0 };
        let outcome = run.outcome();
        assert_eq!((outcome.training_loss, outcome.validation_loss), (0.1, 0.8));
        assert_eq!((outcome.best_epoch, outcome.best_validation_loss), (1, 0.7));
    }
}
