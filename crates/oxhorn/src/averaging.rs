//! The mean of a network's weights over the ends of epochs, with which training may end.

use oxhorn_ir::Result;
use oxhorn_nn::techniques::Averages;

use crate::{
    data::{Feeder, Permute},
    engine::{Engine, Kind},
    state::State,
};

/// The mean so far.
pub(crate) struct Averaging {
    averages: Averages,
    /// Of how many epochs.
    epochs: usize,
    /// The mean of each weight that is trained.
    means: Vec<(String, Vec<f64>)>,
}

impl Averaging {
    /// Of no epoch yet, if the network's objective asks for a mean.
    pub(crate) fn of(engine: &Engine) -> Option<Averaging> {
        let averages = engine.objective()?.averages()?;
        Some(Averaging { averages, epochs: 0, means: vec![] })
    }

    /// The mean so far, and of how many epochs.
    pub(crate) fn state(&self) -> State {
        let mut means = State::new();
        for (path, mean) in &self.means {
            means.set(path, mean.clone());
        }
        State::new().with("epochs", self.epochs).with_part("means", means)
    }

    /// Goes on with the mean that there was.
    pub(crate) fn restore(&mut self, state: &State) -> Result<()> {
        self.epochs = state.value("epochs")?;
        let means = state.part("means");
        let mean = |(path, _)| Ok((String::from(path), means.value(path)?));
        self.means = means.entries().map(mean).collect::<Result<_>>()?;
        Ok(())
    }

    /// An epoch has ended: its weights count, if they should.
    pub(crate) fn follow(&mut self, epoch: usize, engine: &Engine) -> Result<()> {
        if !self.averages.has(epoch) {
            return Ok(());
        }
        self.epochs += 1;
        if self.epochs == 1 {
            let weights = engine.variables().into_iter().filter(|it| it.trainable);
            let first = weights.map(|it| Ok((it.path.clone(), engine.value(&it.path)?)));
            self.means = first.collect::<Result<_>>()?;
            return Ok(());
        }
        for (path, mean) in &mut self.means {
            let share = 1.0 / self.epochs as f64;
            mean.iter_mut()
                .zip(engine.value(path)?)
                .for_each(|(mean, w)| *mean += (w - *mean) * share);
        }
        Ok(())
    }

    /// Training ends: the weights become their mean, and moving statistics those of the training
    /// data, if any epoch counted.
    pub(crate) fn finish(self, engine: &mut Engine, training: Feeder<'_>) -> Result<()> {
        if self.epochs == 0 {
            return Ok(());
        }
        for (path, mean) in &self.means {
            engine.set_value(path, mean)?;
        }
        let numbers: Vec<(String, f64)> = momenta(engine);
        if numbers.is_empty() {
            return Ok(());
        }
        let measured = measure(engine, training, &numbers);
        for (path, momentum) in &numbers {
            engine.set_number(path, *momentum)?;
        }
        measured
    }
}

/// The numbers that say how much of moving statistics stays at each step, with their values.
fn momenta(engine: &Engine) -> Vec<(String, f64)> {
    let follows = |path: &str| {
        let layer = path.strip_suffix("/momentum");
        layer.is_some_and(|layer| engine.weights().ty(&format!("{layer}/moving_mean")).is_some())
    };
    engine.numbers().iter().filter(|(path, _)| follows(path)).cloned().collect()
}

/// Lets moving statistics become their means over all batches.
fn measure(engine: &mut Engine, training: Feeder<'_>, momenta: &[(String, f64)]) -> Result<()> {
    let mut batches = training.over_again(Kind::Noisy);
    // The order of samples changes no mean of whole batches that matters, and draws nothing here.
    let in_order: &mut Permute<'_> = &mut |n| Ok((0..n).collect());
    batches.begin_epoch()?;
    for seen in 0.. {
        let stays = f64::from(seen) / f64::from(seen + 1);
        for (path, _) in momenta {
            engine.set_number(path, stays)?;
        }
        if batches.next(engine, in_order)?.is_none() {
            break;
        }
    }
    batches.end_epoch()
}
