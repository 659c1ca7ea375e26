//! What a network is trained for, output by output.

use oxhorn_ir::{Result, ensure};
use oxhorn_nn::{
    losses::Loss,
    metrics::{Direction, Metric},
    optimizers::Optimizer,
    techniques::{Averages, Technique, check_together},
};

use super::Key;

/// An optimizer, and what is asked of each output of the network.
#[derive(Clone, Debug)]
pub struct Objective {
    /// The rule by which weights change.
    pub optimizer: Optimizer,
    /// What is asked of each output, in order.
    pub outputs: Vec<Asked>,
    /// What is done to each step of training from outside of the network, in this order.
    pub techniques: Vec<Technique>,
}

/// What is asked of one output.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The name of the output, which names of its numbers begin with where there are several.
    pub output: String,
    /// What training makes small; `None` if nothing is.
    pub loss: Option<Loss>,
    /// What the loss is multiplied with in the sum of all; 1 if not given.
    pub loss_weight: Option<f64>,
    /// What is measured besides, whatever weights samples have.
    pub metrics: Vec<Metric>,
    /// What is measured besides, with the samples' weights.
    pub weighted_metrics: Vec<Metric>,
}

/// Whether a metric takes the samples' weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weighted {
    /// It counts all samples alike.
    No,
    /// It weighs them.
    Yes,
}

/// A number that is kept over the batches of an epoch, as it is logged.
pub(super) struct Tracked {
    /// The key in the logs: `accuracy`.
    pub(super) name: String,
    /// The position of the output that it judges.
    pub(super) output: usize,
    pub(super) of: Quantity,
}

/// What is tracked.
pub(super) enum Quantity {
    /// The mean of an output's loss, where there are several.
    Loss,
    /// A metric.
    Metric(Metric, Weighted),
}

impl Objective {
    /// One output with this loss, and no metrics.
    pub fn new(optimizer: impl Into<Optimizer>, loss: impl Into<Loss>) -> Objective {
        let asked = Asked { loss: Some(loss.into()), ..Asked::default() };
        Objective { optimizer: optimizer.into(), outputs: vec![asked], techniques: vec![] }
    }

    /// Rejects names that name nothing, and settings that no data could make right.
    ///
    /// # Errors
    ///
    /// In Keras' words, where Keras has any.
    pub fn check(&self) -> Result<()> {
        self.optimizer.check()?;
        self.techniques.iter().try_for_each(Technique::check)?;
        check_together(&self.techniques)?;
        self.check_averages()?;
        for asked in &self.outputs {
            // Classes may depend on shapes that are not known yet; names do not.
            if let Some(loss) = &asked.loss {
                loss.resolve(&[1, 1], &[1, 1])?;
            }
            for metric in asked.metrics.iter().chain(&asked.weighted_metrics) {
                metric.resolve(&[1, 1], &[1, 1])?;
            }
        }
        Ok(())
    }

    /// How the weights of epochs are averaged, if they are.
    pub(crate) fn averages(&self) -> Option<Averages> {
        self.techniques.iter().find_map(|technique| technique.get().ok()?.averages())
    }

    /// Rejects two means of weights, of which a model could end with one only.
    fn check_averages(&self) -> Result<()> {
        let settings = self.optimizer.get()?.settings();
        let follows = settings.is_some_and(|settings| settings.use_ema);
        ensure!(
            !(follows && self.averages().is_some()),
            "`SWA` and the optimizer's `use_ema` both replace the weights when training ends";
            help: "give one of them"
        );
        Ok(())
    }

    /// Rejects networks with more or fewer outputs than are trained.
    pub(super) fn check_outputs(&self, outputs: usize) -> Result<()> {
        let wanted = self.outputs.len();
        ensure!(
            outputs == wanted,
            "the network gives {outputs} outputs, but {wanted} are trained";
            help: "state for each output what is asked of it, if only that nothing is"
        );
        Ok(())
    }

    /// Rejects batches that do not say of each output what its target and its weights are.
    pub(super) fn check_targets(&self, key: &Key) -> Result<()> {
        let (targets, weights, wanted) = (key.y.len(), key.weights.len(), self.outputs.len());
        ensure!(
            targets == wanted && weights == wanted,
            "there are {targets} targets and {weights} weights of samples for {wanted} outputs";
            help: "give one of each for every output, which may be `None`"
        );
        Ok(())
    }

    /// All that is tracked beside the total loss, for targets and predictions of these shapes.
    ///
    /// # Errors
    ///
    /// If there are more or fewer outputs than are trained, or a metric was given by a string that
    /// names none.
    pub(super) fn tracked(
        &self,
        y_true: &[Option<Vec<usize>>],
        y_pred: &[Vec<usize>],
    ) -> Result<Vec<Tracked>> {
        self.check_outputs(y_pred.len())?;
        let several = self.outputs.len() > 1;
        let named = |asked: &Asked, name: &str| match several {
            true => format!("{}_{name}", asked.output),
            false => name.to_owned(),
        };
        let mut tracked: Vec<Tracked> = vec![];
        for (output, asked) in self.outputs.iter().enumerate() {
            let all = [(&asked.metrics, Weighted::No), (&asked.weighted_metrics, Weighted::Yes)];
            for (metrics, weighted) in all {
                for metric in metrics {
                    let Some(y_true) = &y_true[output] else { continue };
                    let metric = metric.resolve(y_true, &y_pred[output])?;
                    let named = |metric: &str| named(asked, metric);
                    let name = unique(&metric.log_name(), weighted, named, &tracked);
                    tracked.push(Tracked { name, output, of: Quantity::Metric(metric, weighted) });
                }
            }
        }
        if several {
            // Keras lists what it cannot find by a metric's own name last, by the alphabet.
            tracked.sort_by(|a, b| a.name.cmp(&b.name));
        }
        let losses = self.outputs.iter().enumerate().filter(|(_, asked)| asked.loss.is_some());
        if losses.clone().count() > 1 {
            let losses = losses.map(|(output, asked)| Tracked {
                name: named(asked, "loss"),
                output,
                of: Quantity::Loss,
            });
            tracked.splice(0..0, losses);
        }
        Ok(tracked)
    }
}

impl Tracked {
    /// Which way it gets better, as far as it says.
    pub(super) fn direction(&self) -> Option<Direction> {
        match &self.of {
            Quantity::Loss => Some(Direction::Down),
            Quantity::Metric(metric, _) => metric.get().ok()?.direction(),
        }
    }
}

/// The name of a metric in the logs, which none of `taken` has, in Keras' way: `mae`, then
/// `weighted_mae` if it weighs, then `mae_1` or `weighted_mae_1` and so on; `named` puts the output
/// before it.
fn unique(
    metric: &str,
    weighted: Weighted,
    named: impl Fn(&str) -> String,
    taken: &[Tracked],
) -> String {
    let plain = named(metric);
    let last = match weighted {
        Weighted::Yes => named(&format!("weighted_{metric}")),
        Weighted::No => plain.clone(),
    };
    let numbered = (1..).map(|i| format!("{last}_{i}"));
    let mut candidates = [plain, last.clone()].into_iter().chain(numbered);
    let is_free = |name: &String| taken.iter().all(|tracked| tracked.name != *name);
    candidates.find(is_free).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of what is tracked for these metrics of outputs `a` and `b`, or of a single one.
    fn names(outputs: &[(&[&str], &[&str])]) -> Vec<String> {
        let metrics = |names: &[&str]| names.iter().map(|&name| Metric::from(name)).collect();
        let asked = |(output, (plain, weighted)): (&str, &(&[&str], &[&str]))| Asked {
            output: output.to_owned(),
            loss: Some("mse".into()),
            metrics: metrics(plain),
            weighted_metrics: metrics(weighted),
            ..Asked::default()
        };
        let outputs: Vec<Asked> = ["a", "b"].into_iter().zip(outputs).map(asked).collect();
        let shapes = vec![vec![2, 3]; outputs.len()];
        let objective = Objective { outputs, ..Objective::new("sgd", "mse") };
        let y_true: Vec<_> = shapes.iter().cloned().map(Some).collect();
        let tracked = objective.tracked(&y_true, &shapes).unwrap();
        tracked.into_iter().map(|tracked| tracked.name).collect()
    }

    #[test]
    fn metrics_of_one_name_are_told_apart_as_in_keras() {
        assert_eq!(names(&[(&["mae", "mse"], &["mae"])]), ["mae", "mse", "weighted_mae"]);
        assert_eq!(
            names(&[(&["mae", "mae", "mae"], &["mae", "mae", "mae"])]),
            ["mae", "mae_1", "mae_2", "weighted_mae", "weighted_mae_1", "weighted_mae_2"]
        );
        assert_eq!(
            names(&[(&["mae"], &["mae", "mae"]), (&[], &["mae"])]),
            ["a_loss", "b_loss", "a_mae", "a_weighted_mae", "a_weighted_mae_1", "b_mae"]
        );
    }

    #[test]
    fn losses_are_tracked_by_output_only_where_there_are_several() {
        assert_eq!(names(&[(&[], &[])]), [""; 0]);
        assert_eq!(names(&[(&[], &[]), (&[], &[])]), ["a_loss", "b_loss"]);
    }
}
