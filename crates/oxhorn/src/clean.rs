//! The clean pass: training data measured as `evaluate` measures them, after every epoch of `fit`.
//!
//! The `loss` of an epoch is a mean over its steps, with noise on and before each step; `val_loss`
//! is measured after the last, with noise off. So a network with dropout has a `loss` above its
//! `val_loss`, which says nothing. `clean_loss` is measured as `val_loss` is, and the two compare:
//! their difference is the generalization gap.

use oxhorn_ir::{Result, ensure};

use crate::{
    callbacks::Callback,
    data::{Feeder, Permute, Source},
    engine::{Engine, Kind},
    history::Logs,
    training::Run,
};

/// What names of clean numbers begin with.
pub(crate) const PREFIX: &str = "clean_";

/// The generalization gap: `val_loss - clean_loss`.
pub(crate) const GAP: &str = "clean_gap";

/// The share of penalties in `clean_loss`.
const PENALTY: &str = "clean_penalty";

/// Measures the training data, epoch after epoch.
pub(crate) struct Clean<'a> {
    feeder: Feeder<'a>,
}

impl<'a> Clean<'a> {
    /// Makes the programs that it will need.
    ///
    /// # Errors
    ///
    /// If the data do not fit the network, or a metric has a name that is ours.
    pub(crate) fn new(source: Source<'a>, engine: &mut Engine) -> Result<Clean<'a>> {
        if let Some(key) = source.key(Kind::Test) {
            engine.prepare(&key)?;
        }
        for taken in [GAP, PENALTY] {
            let metric = taken.trim_start_matches(PREFIX);
            ensure!(
                engine.result_names().all(|name| name != metric),
                "`{taken}` would stand for two numbers, for a metric is called `{metric}`";
                help: "give the metric another name, or fit without `clean_train_eval`"
            );
        }
        let kind = if engine.penalizes()? { Kind::Apart } else { Kind::Test };
        let mut feeder = Feeder::new(source, kind);
        feeder.load(engine)?;
        Ok(Clean { feeder })
    }

    /// Adds what it measures to the numbers of an epoch. The epoch's totals stay as they are, and
    /// callbacks are told of no test.
    pub(crate) fn measure(
        &mut self,
        run: &mut Run<'_, '_>,
        callbacks: &mut dyn Callback,
        permute: &mut Permute<'_>,
        logs: Logs,
    ) -> Result<Logs> {
        let totals = run.engine.totals();
        run.engine.reset_metrics();
        let (mut penalty, mut samples) = (None, 0);
        self.feeder.begin_epoch()?;
        while let Some(program) = self.feeder.next(run.engine, permute)? {
            let program = run.engine.program(program);
            if program.output_types().len() > 1 {
                let of_batch = f64::from(program.output::<f32>(1)?[0]) * program.rows() as f64;
                penalty = Some(penalty.unwrap_or(0.0) + of_batch);
            }
            samples += program.rows();
            callbacks.between_steps(run)?;
        }
        self.feeder.end_epoch()?;
        let clean = run.logs(PREFIX)?;
        run.engine.set_totals(&totals);
        let gap = logs.get("val_loss").zip(clean.get("clean_loss")).map(|(val, clean)| val - clean);
        let penalty = penalty.map(|sum| sum / samples.max(1) as f64);
        let ours = [(GAP, gap), (PENALTY, penalty)];
        let ours = ours.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let measured = clean.iter().map(|(name, value)| (name, *value));
        Ok(logs.iter().map(|(name, value)| (name, *value)).chain(measured).chain(ours).collect())
    }
}
