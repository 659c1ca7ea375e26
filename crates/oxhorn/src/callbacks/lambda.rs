//! A callback put together from closures.

use std::fmt;

use oxhorn_ir::Result;

use super::{Callback, Granularity, Training};
use crate::history::Logs;

type Begin<'a> = Box<dyn FnMut(&mut dyn Training) -> Result<()> + 'a>;
type End<'a> = Box<dyn FnMut(&Logs, &mut dyn Training) -> Result<()> + 'a>;
type PartBegin<'a> = Box<dyn FnMut(usize, &mut dyn Training) -> Result<()> + 'a>;
type EpochEnd<'a> = Box<dyn FnMut(usize, &mut Logs, &mut dyn Training) -> Result<()> + 'a>;
type BatchEnd<'a> = Box<dyn FnMut(usize, &Logs, &mut dyn Training) -> Result<()> + 'a>;

/// A callback made of closures, for what is too small to be a type of its own.
///
/// ```
/// use oxhorn::callbacks::LambdaCallback;
///
/// // Dropout that grows by 0.05 with every epoch, up to 0.5.
/// let schedule = LambdaCallback::new().on_epoch_begin(|epoch, training| {
///     training.set_number("dropout/rate", (0.05 * epoch as f64).min(0.5))
/// });
/// ```
#[derive(Default)]
pub struct LambdaCallback<'a> {
    train_begin: Option<Begin<'a>>,
    train_end: Option<End<'a>>,
    epoch_begin: Option<PartBegin<'a>>,
    epoch_end: Option<EpochEnd<'a>>,
    train_batch_begin: Option<PartBegin<'a>>,
    train_batch_end: Option<BatchEnd<'a>>,
}

impl<'a> LambdaCallback<'a> {
    /// Does nothing yet.
    pub fn new() -> LambdaCallback<'a> {
        LambdaCallback::default()
    }

    /// What to do when `fit` begins.
    pub fn on_train_begin(
        self,
        action: impl FnMut(&mut dyn Training) -> Result<()> + 'a,
    ) -> LambdaCallback<'a> {
        LambdaCallback { train_begin: Some(Box::new(action)), ..self }
    }

    /// What to do when `fit` ends.
    pub fn on_train_end(
        self,
        action: impl FnMut(&Logs, &mut dyn Training) -> Result<()> + 'a,
    ) -> LambdaCallback<'a> {
        LambdaCallback { train_end: Some(Box::new(action)), ..self }
    }

    /// What to do when an epoch begins.
    pub fn on_epoch_begin(
        self,
        action: impl FnMut(usize, &mut dyn Training) -> Result<()> + 'a,
    ) -> LambdaCallback<'a> {
        LambdaCallback { epoch_begin: Some(Box::new(action)), ..self }
    }

    /// What to do when an epoch has ended.
    pub fn on_epoch_end(
        self,
        action: impl FnMut(usize, &mut Logs, &mut dyn Training) -> Result<()> + 'a,
    ) -> LambdaCallback<'a> {
        LambdaCallback { epoch_end: Some(Box::new(action)), ..self }
    }

    /// What to do when a training step begins.
    pub fn on_train_batch_begin(
        self,
        action: impl FnMut(usize, &mut dyn Training) -> Result<()> + 'a,
    ) -> LambdaCallback<'a> {
        LambdaCallback { train_batch_begin: Some(Box::new(action)), ..self }
    }

    /// What to do when a training step has ended.
    pub fn on_train_batch_end(
        self,
        action: impl FnMut(usize, &Logs, &mut dyn Training) -> Result<()> + 'a,
    ) -> LambdaCallback<'a> {
        LambdaCallback { train_batch_end: Some(Box::new(action)), ..self }
    }
}

impl fmt::Debug for LambdaCallback<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LambdaCallback").finish_non_exhaustive()
    }
}

impl Callback for LambdaCallback<'_> {
    fn granularity(&self) -> Granularity {
        match (&self.train_batch_begin, &self.train_batch_end) {
            (None, None) => Granularity::Epochs,
            _ => Granularity::Batches,
        }
    }

    fn on_train_begin(&mut self, training: &mut dyn Training) -> Result<()> {
        self.train_begin.as_mut().map_or(Ok(()), |action| action(training))
    }

    fn on_train_end(&mut self, logs: &Logs, training: &mut dyn Training) -> Result<()> {
        self.train_end.as_mut().map_or(Ok(()), |action| action(logs, training))
    }

    fn on_epoch_begin(&mut self, epoch: usize, training: &mut dyn Training) -> Result<()> {
        self.epoch_begin.as_mut().map_or(Ok(()), |action| action(epoch, training))
    }

    fn on_epoch_end(
        &mut self,
        epoch: usize,
        logs: &mut Logs,
        training: &mut dyn Training,
    ) -> Result<()> {
        self.epoch_end.as_mut().map_or(Ok(()), |action| action(epoch, logs, training))
    }

    fn on_train_batch_begin(&mut self, batch: usize, training: &mut dyn Training) -> Result<()> {
        self.train_batch_begin.as_mut().map_or(Ok(()), |action| action(batch, training))
    }

    fn on_train_batch_end(
        &mut self,
        batch: usize,
        logs: &Logs,
        training: &mut dyn Training,
    ) -> Result<()> {
        self.train_batch_end.as_mut().map_or(Ok(()), |action| action(batch, logs, training))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callbacks::testing::{Fake, Stopped};

    #[test]
    fn calls_each_closure_at_its_time() {
        let mut seen = vec![];
        let mut lambda = LambdaCallback::new()
            .on_train_begin(|training| training.print("begin"))
            .on_epoch_begin(|epoch, training| training.set_learning_rate(0.5 / (epoch + 1) as f64))
            .on_epoch_end(|epoch, logs, training| {
                seen.push(epoch);
                logs.set("learning_rate", training.learning_rate()?);
                training.stop();
                Ok(())
            })
            .on_train_end(|logs, training| training.print(&logs.to_string()));
        let callback: &mut dyn Callback = &mut lambda;
        assert_eq!(callback.granularity(), Granularity::Epochs);
        let (mut fake, mut logs) = (Fake::default(), Logs::new());
        callback.on_train_begin(&mut fake).unwrap();
        callback.on_epoch_begin(3, &mut fake).unwrap();
        callback.on_train_batch_begin(0, &mut fake).unwrap();
        callback.on_epoch_end(3, &mut logs, &mut fake).unwrap();
        callback.on_train_end(&logs, &mut fake).unwrap();
        drop(lambda);
        assert_eq!(fake.printed, "begin\nlearning_rate: 0.1250\n");
        assert_eq!((seen, fake.stopped), (vec![3], Stopped::Yes));
    }

    #[test]
    fn listens_to_batches_when_it_has_a_closure_for_them() {
        let mut lambda = LambdaCallback::new()
            .on_train_batch_begin(|batch, training| training.print(&format!("begin {batch}")))
            .on_train_batch_end(|batch, logs, training| {
                training.print(&format!("end {batch}: {logs}"))
            });
        let callback: &mut dyn Callback = &mut lambda;
        assert_eq!(callback.granularity(), Granularity::Batches);
        let (mut fake, logs) = (Fake::default(), [("loss", 0.5)].into_iter().collect());
        callback.on_train_batch_begin(4, &mut fake).unwrap();
        callback.on_train_batch_end(4, &logs, &mut fake).unwrap();
        assert_eq!(fake.printed, "begin 4\nend 4: loss: 0.5000\n");
    }
}
