//! Callbacks: what a training run tells its listeners, and what they may do to it.

mod backup_and_restore;
mod csv_logger;
mod early_stopping;
mod file_name;
mod lambda;
mod learning_rate_scheduler;
mod model_checkpoint;
mod monitor;
mod rate_scheduler;
mod reduce_lr_on_plateau;
mod save_freq;
mod swap_ema_weights;
mod terminate_on_nan;
#[cfg(test)]
pub(crate) mod testing;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use oxhorn_cpu::Weights;
use oxhorn_ir::{Error, Result, Type, ensure};

pub use backup_and_restore::BackupAndRestore;
pub use csv_logger::CSVLogger;
pub use early_stopping::EarlyStopping;
pub use lambda::LambdaCallback;
pub use learning_rate_scheduler::LearningRateScheduler;
pub use model_checkpoint::ModelCheckpoint;
pub use monitor::Mode;
pub use oxhorn_nn::metrics::Direction;
pub use rate_scheduler::RateScheduler;
pub use reduce_lr_on_plateau::ReduceLROnPlateau;
pub use save_freq::SaveFreq;
pub use swap_ema_weights::SwapEMAWeights;
pub use terminate_on_nan::TerminateOnNaN;

use crate::{
    engine::{Engine, values},
    files::Contents,
    history::{Logs, Params},
    looping::Predictions,
    state::State,
};

/// Is told how a run of `fit`, `evaluate` or `predict` goes along, and may act on it.
///
/// Every hook does nothing unless it is written; epochs and batches are counted from 0. An error
/// ends the run and is what `fit` returns.
///
/// ```
/// use oxhorn::{callbacks::{Callback, Training}, history::Logs};
///
/// /// Ends training once the training loss is small enough.
/// struct GoodEnough(f64);
///
/// impl Callback for GoodEnough {
///     fn on_epoch_end(
///         &mut self,
///         epoch: usize,
///         logs: &mut Logs,
///         training: &mut dyn Training,
///     ) -> oxhorn_ir::Result<()> {
///         if logs.get("loss").is_some_and(|loss| loss < self.0) {
///             training.print(&format!("Epoch {}: good enough", epoch + 1))?;
///             training.stop();
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait Callback {
    /// The finest events this callback is told about. A callback that has one of the
    /// `on_..._batch_...` hooks must answer [`Granularity::Batches`], or they are not called: the
    /// numbers of a batch are not even computed while nobody wants them.
    fn granularity(&self) -> Granularity {
        Granularity::Epochs
    }

    /// What the callback would need to know to go on with this run after an interruption. Nothing,
    /// for callbacks that do not look back.
    ///
    /// # Errors
    ///
    /// What keeps it from being told.
    fn state(&self) -> Result<State> {
        Ok(State::new())
    }

    /// `fit` goes on with a run that was interrupted, and in which this was the callback's
    /// [`Callback::state`]: what happens in place of [`Callback::on_train_begin`]. The model is as
    /// it was by then.
    ///
    /// # Errors
    ///
    /// If it is not the state of such a callback; then `fit` ends.
    fn resume(&mut self, state: &State, training: &mut dyn Training) -> Result<()> {
        let _ = state;
        self.on_train_begin(training)
    }

    /// The backup that `fit` goes on from, if there is one at this place.
    fn backup(&self) -> Option<PathBuf> {
        None
    }

    /// `fit` begins; nothing has been changed yet.
    fn on_train_begin(&mut self, training: &mut dyn Training) -> Result<()> {
        let _ = training;
        Ok(())
    }

    /// `fit` ends. The numbers are those of the last epoch.
    fn on_train_end(&mut self, logs: &Logs, training: &mut dyn Training) -> Result<()> {
        let _ = (logs, training);
        Ok(())
    }

    /// An epoch begins.
    fn on_epoch_begin(&mut self, epoch: usize, training: &mut dyn Training) -> Result<()> {
        let _ = (epoch, training);
        Ok(())
    }

    /// An epoch has ended, its validation included. What is added to the numbers here is seen by
    /// the callbacks that follow, by the history and on the screen.
    fn on_epoch_end(
        &mut self,
        epoch: usize,
        logs: &mut Logs,
        training: &mut dyn Training,
    ) -> Result<()> {
        let _ = (epoch, logs, training);
        Ok(())
    }

    /// A training step begins.
    fn on_train_batch_begin(&mut self, batch: usize, training: &mut dyn Training) -> Result<()> {
        let _ = (batch, training);
        Ok(())
    }

    /// A training step is about to begin: for what is set step by step. Called whatever the
    /// granularity, and however many steps other callbacks see as one.
    fn before_step(&mut self, training: &mut dyn Training) -> Result<()> {
        let _ = training;
        Ok(())
    }

    /// A step of any kind has ended, and the next has not begun: for what must not wait for the end
    /// of an epoch, such as a key that is pressed. Called whatever the granularity.
    fn between_steps(&mut self, training: &mut dyn Training) -> Result<()> {
        let _ = training;
        Ok(())
    }

    /// A training step has ended. The numbers are those of the epoch up to here.
    fn on_train_batch_end(
        &mut self,
        batch: usize,
        logs: &Logs,
        training: &mut dyn Training,
    ) -> Result<()> {
        let _ = (batch, logs, training);
        Ok(())
    }

    /// `evaluate`, or the validation of an epoch, begins.
    fn on_test_begin(&mut self, training: &mut dyn Training) -> Result<()> {
        let _ = training;
        Ok(())
    }

    /// `evaluate`, or the validation of an epoch, has ended. Its numbers have no `val_` here.
    fn on_test_end(&mut self, logs: &Logs, training: &mut dyn Training) -> Result<()> {
        let _ = (logs, training);
        Ok(())
    }

    /// A step of `evaluate` or of validation begins.
    fn on_test_batch_begin(&mut self, batch: usize, training: &mut dyn Training) -> Result<()> {
        let _ = (batch, training);
        Ok(())
    }

    /// A step of `evaluate` or of validation has ended. The numbers are those up to here.
    fn on_test_batch_end(
        &mut self,
        batch: usize,
        logs: &Logs,
        training: &mut dyn Training,
    ) -> Result<()> {
        let _ = (batch, logs, training);
        Ok(())
    }

    /// `predict` begins.
    fn on_predict_begin(&mut self, training: &mut dyn Training) -> Result<()> {
        let _ = training;
        Ok(())
    }

    /// `predict` has ended.
    fn on_predict_end(&mut self, training: &mut dyn Training) -> Result<()> {
        let _ = training;
        Ok(())
    }

    /// A step of `predict` begins.
    fn on_predict_batch_begin(&mut self, batch: usize, training: &mut dyn Training) -> Result<()> {
        let _ = (batch, training);
        Ok(())
    }

    /// A step of `predict` has ended, and gave these outputs.
    fn on_predict_batch_end(
        &mut self,
        batch: usize,
        outputs: &Predictions,
        training: &mut dyn Training,
    ) -> Result<()> {
        let _ = (batch, outputs, training);
        Ok(())
    }
}

/// How closely a callback listens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Granularity {
    /// To epochs, and to the beginning and end of a run.
    #[default]
    Epochs,
    /// To every batch as well.
    Batches,
}

/// A run of `fit`, `evaluate` or `predict`, as far as callbacks may look into it and change it.
pub trait Training {
    /// What runs the model, for callbacks that reach further than the methods below.
    fn engine(&mut self) -> Option<&mut Engine> {
        None
    }

    /// How `fit` was called.
    fn params(&self) -> Params;

    /// Ends the run after the current batch, or with the epoch that is ending.
    fn stop(&mut self);

    /// Lets training begin with this epoch; of use before it has begun.
    fn begin_with(&mut self, _epoch: usize) {}

    /// Asks for a backup in that file: all that another `fit` needs to go on from here. It is
    /// written when all callbacks have been told of the end of this batch or epoch.
    ///
    /// # Errors
    ///
    /// If this is no run of `fit`.
    fn back_up(&mut self, path: &Path) -> Result<()> {
        let message = format!("this run cannot be backed up in `{}`", path.display());
        Err(Error::new(message).help("only `fit` can"))
    }

    /// Saves the model, or its weights, as it is now.
    ///
    /// # Errors
    ///
    /// If whoever runs the model does not know how, or the file cannot be written.
    fn save(&mut self, path: &Path, contents: Contents) -> Result<()> {
        let _ = contents;
        Err(unsaved(path))
    }

    /// The learning rate of the next step, whether it is a number or comes from a schedule.
    ///
    /// # Errors
    /// When the model has no optimizer, because it was not compiled.
    fn learning_rate(&self) -> Result<f64>;

    /// Sets the learning rate from the next step on. It is kept in the optimizer's precision.
    ///
    /// # Errors
    /// When the learning rate follows a schedule, or the model has no optimizer.
    fn set_learning_rate(&mut self, learning_rate: f64) -> Result<()>;

    /// A copy of the weights of all layers. What optimizer, seeds and metrics hold is not in it.
    fn weights(&self) -> Snapshot;

    /// Gives all layers the weights they had when the copy was made.
    ///
    /// # Errors
    /// When the copy was made of another model.
    fn restore(&mut self, weights: &Snapshot) -> Result<()>;

    /// The numbers that may be turned during training, by path: `dropout/rate`.
    fn numbers(&self) -> Vec<(String, f64)>;

    /// Sets one of [`Training::numbers`] from the next step on. Nothing is compiled anew, unless a
    /// rate that was configured as 0 is turned up for the first time.
    ///
    /// # Errors
    /// When there is no such number, or it cannot have that value.
    fn set_number(&mut self, path: &str, value: f64) -> Result<()>;

    /// Which way a metric gets better, as far as it says: asked for `accuracy`, not
    /// `val_accuracy`.
    fn direction(&self, metric: &str) -> Option<Direction>;

    /// Prints a line where the progress is printed, whatever the verbosity.
    ///
    /// # Errors
    /// When it cannot be written.
    fn print(&mut self, line: &str) -> Result<()>;
}

/// The error of a run in which nobody knows how the model is saved.
pub(crate) fn unsaved(path: &Path) -> Error {
    Error::new(format!("this model cannot be saved to `{}`", path.display()))
        .help("whoever runs it has not said how")
}

/// The weights of a model's layers at one moment: a copy made by [`Training::weights`].
#[derive(Clone)]
pub struct Snapshot {
    pub(crate) weights: Weights,
}

impl Snapshot {
    /// The weights as values by their paths.
    pub(crate) fn state(&self) -> Result<State> {
        let paths = self.weights.paths();
        let kept = paths.map(|path| Ok((path.to_owned(), values::tensor(&self.weights, path)?)));
        kept.collect::<Result<State>>()
    }

    /// The copy that was [`Snapshot::state`].
    pub(crate) fn of_state(state: &State) -> Result<Snapshot> {
        let types = state.entries().map(|(path, kept)| {
            let dtype = kept.element().dtype();
            let dtype = dtype.ok_or_else(|| Error::new(format!("no weight is like `{path}`")))?;
            Ok((path.to_owned(), Type::new(dtype, kept.shape())))
        });
        let mut weights = Weights::room_for(types.collect::<Result<Vec<_>>>()?)?;
        for (path, kept) in state.entries() {
            weights.bytes_mut(path)?.copy_from_slice(kept.bytes());
        }
        Ok(Snapshot { weights })
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.weights.paths()).finish()
    }
}

/// Passes every hook on: through references and boxes, and to each callback of a list in turn.
macro_rules! pass_on {
    ($($hook:ident($($argument:ident: $type:ty),*);)*) => {
        impl<C: Callback + ?Sized> Callback for &mut C {
            fn granularity(&self) -> Granularity {
                (**self).granularity()
            }

            fn state(&self) -> Result<State> {
                (**self).state()
            }

            fn resume(&mut self, state: &State, training: &mut dyn Training) -> Result<()> {
                (**self).resume(state, training)
            }

            fn backup(&self) -> Option<PathBuf> {
                (**self).backup()
            }

            $(fn $hook(&mut self, $($argument: $type,)* training: &mut dyn Training) -> Result<()> {
                (**self).$hook($($argument,)* training)
            })*
        }

        impl<C: Callback + ?Sized> Callback for Box<C> {
            fn granularity(&self) -> Granularity {
                (**self).granularity()
            }

            fn state(&self) -> Result<State> {
                (**self).state()
            }

            fn resume(&mut self, state: &State, training: &mut dyn Training) -> Result<()> {
                (**self).resume(state, training)
            }

            fn backup(&self) -> Option<PathBuf> {
                (**self).backup()
            }

            $(fn $hook(&mut self, $($argument: $type,)* training: &mut dyn Training) -> Result<()> {
                (**self).$hook($($argument,)* training)
            })*
        }

        impl<C: Callback> Callback for Vec<C> {
            fn granularity(&self) -> Granularity {
                self.iter().map(|callback| callback.granularity()).max().unwrap_or_default()
            }

            fn state(&self) -> Result<State> {
                let mut all = State::new().with("count", self.len());
                for (i, callback) in self.iter().enumerate() {
                    all.set_part(&i.to_string(), callback.state()?);
                }
                Ok(all)
            }

            fn resume(&mut self, state: &State, training: &mut dyn Training) -> Result<()> {
                let (before, now) = (state.value::<usize>("count")?, self.len());
                ensure!(
                    before == now,
                    "the run that was interrupted had {before} callbacks, this one has {now}";
                    help: "fit with the callbacks that it had, in their order"
                );
                self.iter_mut().enumerate().try_for_each(|(i, callback)| {
                    callback.resume(&state.part(&i.to_string()), training)
                })
            }

            fn backup(&self) -> Option<PathBuf> {
                self.iter().find_map(|callback| callback.backup())
            }

            $(fn $hook(&mut self, $($argument: $type,)* training: &mut dyn Training) -> Result<()> {
                self.iter_mut().try_for_each(|callback| callback.$hook($($argument,)* training))
            })*
        }
    };
}

pass_on! {
    on_train_begin();
    on_train_end(logs: &Logs);
    on_epoch_begin(epoch: usize);
    before_step();
    between_steps();
    on_epoch_end(epoch: usize, logs: &mut Logs);
    on_train_batch_begin(batch: usize);
    on_train_batch_end(batch: usize, logs: &Logs);
    on_test_begin();
    on_test_end(logs: &Logs);
    on_test_batch_begin(batch: usize);
    on_test_batch_end(batch: usize, logs: &Logs);
    on_predict_begin();
    on_predict_end();
    on_predict_batch_begin(batch: usize);
    on_predict_batch_end(batch: usize, outputs: &Predictions);
}

/// A number as Python writes it: `0.1`, `1.0`, `1e-05`, `nan`.
struct Python(f64);

impl fmt::Display for Python {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Python(value) = *self;
        if value.is_nan() {
            return f.write_str("nan");
        }
        let text = format!("{value:e}");
        let exponent = text.split_once('e').and_then(|(_, exponent)| exponent.parse::<i32>().ok());
        match exponent {
            Some(exponent) if value != 0.0 && !(-4..16).contains(&exponent) => {
                let digits = text.split('e').next().unwrap_or_default();
                let sign = if exponent < 0 { '-' } else { '+' };
                write!(f, "{digits}e{sign}{:02}", exponent.unsigned_abs())
            }
            _ => write!(f, "{value:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{testing::Fake, *};

    /// Writes down what it is told.
    struct Listener(&'static str, Granularity);

    impl Callback for Listener {
        fn granularity(&self) -> Granularity {
            self.1
        }

        fn on_epoch_end(
            &mut self,
            epoch: usize,
            logs: &mut Logs,
            training: &mut dyn Training,
        ) -> Result<()> {
            training.print(&format!("{} {epoch} {}", self.0, logs.len()))?;
            logs.set(self.0, 1.0);
            Ok(())
        }
    }

    #[test]
    fn tells_every_callback_of_a_list_in_turn() {
        let mut first = Listener("a", Granularity::Epochs);
        let mut callbacks: Vec<Box<dyn Callback + '_>> = vec![Box::new(&mut first)];
        assert_eq!(callbacks.granularity(), Granularity::Epochs);
        callbacks.push(Box::new(Listener("b", Granularity::Batches)));
        assert_eq!(callbacks.granularity(), Granularity::Batches);

        let (mut fake, mut logs) = (Fake::default(), Logs::new());
        callbacks.on_epoch_end(3, &mut logs, &mut fake).unwrap();
        assert_eq!(fake.printed, "a 3 0\nb 3 1\n");
        assert_eq!(logs.names().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn writes_numbers_as_python_does() {
        for (value, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.05000000074505806, "0.05000000074505806"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (-1.25e-7, "-1.25e-07"),
            (1e15, "1000000000000000.0"),
            (1.5e16, "1.5e+16"),
            (1e-300, "1e-300"),
            (f64::NAN, "nan"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(Python(value).to_string(), expected);
        }
    }
}
