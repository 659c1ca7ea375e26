//! Ends training as soon as the loss is no number any more.

use oxhorn_ir::{Error, Result};

use super::{Callback, Granularity, Python, Training};
use crate::history::Logs;

/// Ends training after a batch that leaves the epoch's loss NaN or infinite.
#[derive(Clone, Copy, Debug, Default)]
pub struct TerminateOnNaN {
    ending: Ending,
}

/// How training ends.
#[derive(Clone, Copy, Debug, Default)]
enum Ending {
    /// As if it had been asked to stop.
    #[default]
    Stop,
    /// With an error.
    Error,
}

impl TerminateOnNaN {
    /// Says so and stops.
    pub fn new() -> TerminateOnNaN {
        TerminateOnNaN::default()
    }

    /// Makes `fit` return an error instead.
    pub fn raise_error(self) -> TerminateOnNaN {
        TerminateOnNaN { ending: Ending::Error }
    }
}

impl Callback for TerminateOnNaN {
    fn granularity(&self) -> Granularity {
        Granularity::Batches
    }

    fn on_train_batch_end(
        &mut self,
        batch: usize,
        logs: &Logs,
        training: &mut dyn Training,
    ) -> Result<()> {
        let Some(loss) = logs.get("loss").filter(|loss| !loss.is_finite()) else {
            return Ok(());
        };
        match self.ending {
            Ending::Stop => {
                training.print(&format!("Batch {batch}: Invalid loss, terminating training"))?;
                training.stop();
                Ok(())
            }
            Ending::Error => Err(Error::new(format!(
                "NaN or Inf loss encountered at batch {batch}. Loss value: {}. Terminating \
                 training immediately.",
                Python(loss)
            ))
            .help("a lower learning rate, or `clipnorm` in the optimizer, often prevents it")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callbacks::testing::{Fake, Stopped, case};

    fn batch(callback: &mut TerminateOnNaN, batch: usize, loss: f64) -> Result<Fake> {
        let (mut fake, logs) = (Fake::default(), [("loss", loss)].into_iter().collect());
        callback.on_train_batch_end(batch, &logs, &mut fake)?;
        Ok(fake)
    }

    #[test]
    fn stops_with_the_words_of_keras() {
        let case = case("text/callbacks.json", "TerminateOnNaN");
        let fake = batch(&mut TerminateOnNaN::new(), 0, f64::NAN).unwrap();
        assert_eq!(case["printed"], fake.printed);
        assert_eq!(fake.stopped, Stopped::Yes);
        let fake = batch(&mut TerminateOnNaN::new(), 7, f64::NEG_INFINITY).unwrap();
        assert_eq!(fake.printed, "Batch 7: Invalid loss, terminating training\n");
    }

    #[test]
    fn raises_the_error_of_keras() {
        let case = case("text/callbacks.json", "TerminateOnNaN raises");
        let error = batch(&mut TerminateOnNaN::new().raise_error(), 0, f64::NAN).err().unwrap();
        assert_eq!(case["error"]["message"], error.message);
    }

    #[test]
    fn listens_to_batches_and_lets_numbers_pass() {
        let mut callback = TerminateOnNaN::new();
        assert_eq!(callback.granularity(), Granularity::Batches);
        let fake = batch(&mut callback, 0, 1e30).unwrap();
        assert_eq!((fake.stopped, fake.printed.as_str()), (Stopped::No, ""));
        let mut fake = Fake::default();
        callback.on_train_batch_end(0, &Logs::new(), &mut fake).unwrap();
        assert_eq!(fake.stopped, Stopped::No);
    }
}
