//! Evaluates a model with the running means of its weights.

use oxhorn_ir::{Error, Result};

use super::{Callback, Snapshot, Training};
use crate::{
    engine::{Engine, uncompiled},
    history::Logs,
    state::State,
};

/// Shows the running means of the weights, which an optimizer with `use_ema` keeps, whenever the
/// model is evaluated or predicts, and the weights themselves while it trains.
///
/// Keras exchanges weights and means with one another, and training that is ended early while they
/// are exchanged ends with the weights; here the means stay where they are, and every training ends
/// with them.
#[derive(Debug, Default)]
pub struct SwapEMAWeights {
    on_epoch: OnEpoch,
    /// The weights, while the means stand in their place.
    own: Option<Snapshot>,
}

/// What is shown from the end of an epoch to the beginning of the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum OnEpoch {
    #[default]
    Weights,
    Means,
}

impl SwapEMAWeights {
    /// Shows the means to evaluation and prediction.
    pub fn new() -> SwapEMAWeights {
        SwapEMAWeights::default()
    }

    /// Shows them from the end of an epoch to the beginning of the next too, so that callbacks that
    /// save the model, and come after this one, save the means.
    #[must_use]
    pub fn swap_on_epoch(self) -> SwapEMAWeights {
        SwapEMAWeights { on_epoch: OnEpoch::Means, ..self }
    }

    fn show_means(&mut self, training: &mut dyn Training) -> Result<()> {
        if self.own.is_some() {
            return Ok(());
        }
        let own = training.weights();
        if let Some(engine) = training.engine() {
            show_means(engine)?;
            self.own = Some(own);
        }
        Ok(())
    }

    fn show_weights(&mut self, training: &mut dyn Training) -> Result<()> {
        self.own.take().map_or(Ok(()), |own| training.restore(&own))
    }
}

impl Callback for SwapEMAWeights {
    fn state(&self) -> Result<State> {
        self.own.as_ref().map_or(Ok(State::new()), Snapshot::state)
    }

    fn resume(&mut self, state: &State, training: &mut dyn Training) -> Result<()> {
        self.on_train_begin(training)?;
        if !state.is_empty() {
            self.own = Some(Snapshot::of_state(state)?);
        }
        Ok(())
    }

    fn on_train_begin(&mut self, training: &mut dyn Training) -> Result<()> {
        self.own = None;
        means(training.engine()).map(drop)
    }

    fn on_epoch_begin(&mut self, _: usize, training: &mut dyn Training) -> Result<()> {
        self.show_weights(training)
    }

    fn on_epoch_end(&mut self, _: usize, _: &mut Logs, training: &mut dyn Training) -> Result<()> {
        match self.on_epoch {
            OnEpoch::Means => self.show_means(training),
            OnEpoch::Weights => Ok(()),
        }
    }

    fn on_train_end(&mut self, _: &Logs, _: &mut dyn Training) -> Result<()> {
        // The model has the means now, for good.
        self.own = None;
        Ok(())
    }

    fn on_test_begin(&mut self, training: &mut dyn Training) -> Result<()> {
        self.show_means(training)
    }

    fn on_test_end(&mut self, _: &Logs, training: &mut dyn Training) -> Result<()> {
        self.show_weights(training)
    }

    fn on_predict_begin(&mut self, training: &mut dyn Training) -> Result<()> {
        self.show_means(training)
    }

    fn on_predict_end(&mut self, training: &mut dyn Training) -> Result<()> {
        self.show_weights(training)
    }
}

/// The paths of weights and of their running means.
fn means(engine: Option<&mut Engine>) -> Result<Vec<(String, String)>> {
    let Some(engine) = engine else { return Ok(vec![]) };
    let optimizer = &engine.objective().ok_or_else(uncompiled)?.optimizer;
    let trainable = engine.variables().into_iter().filter(|it| it.trainable);
    let means = trainable.map(|it| Some((it.path.clone(), optimizer.average_of(&it)?)));
    let means: Vec<Option<(String, String)>> = means.collect();
    if !means.is_empty() && means.iter().all(Option::is_none) {
        return Err(Error::new(
            "SwapEMAWeights must be used when `use_ema=True` is set on the optimizer. Received: \
             use_ema=False",
        ));
    }
    Ok(means.into_iter().flatten().collect())
}

/// Gives the weights their means, if there has been a step that means could follow.
fn show_means(engine: &mut Engine) -> Result<()> {
    let means = means(Some(&mut *engine))?;
    let counts = engine.variables().into_iter().filter(|it| it.path.ends_with("/iteration"));
    let has_begun = counts.into_iter().any(|count| {
        engine.weights().slice::<i64>(&count.path).is_ok_and(|steps| steps.iter().any(|it| *it > 0))
    });
    for (weight, mean) in means.into_iter().filter(|_| has_begun) {
        let weights = engine.weights_mut();
        let mean = weights.slice::<f32>(&mean)?.to_vec();
        weights.slice_mut::<f32>(&weight)?.copy_from_slice(&mean);
    }
    Ok(())
}
