//! `tune_rate`: which rate a network's drop layers should have, and whether that beats none.

use std::{collections::BTreeMap, ops::ControlFlow};

use oxhorn::callbacks::Direction;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    compare::{Lab, compare_in},
    data::Dataset,
    measure::{self, Losses},
    session::{Job, Session},
    statistics,
    study::{Outcome, Plan, Study, Variant},
    train::model_of,
};

/// Where a rate is looked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    rates: Vec<f64>,
    seeds: usize,
    layers: Layers,
}

/// Which layers have a rate in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layers {
    /// All.
    Together,
    /// None: after the best common rate, each layer's own is looked for.
    Each,
}

/// What a search has found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    /// How it was found, rung by rung.
    pub ladder: Vec<Rung>,
    /// The rate of each number that was turned, by path: `dropout/rate`.
    pub rates: BTreeMap<String, f64>,
    /// The network without dropout, and with these rates unless they are all 0, at seeds that the
    /// search has not seen.
    pub study: Study,
}

/// Rates that were trained for equally long, of which the better half went on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rung {
    /// The numbers that had these rates; all others were as the rungs before left them.
    pub turned: Vec<String>,
    /// For how many epochs.
    pub epochs: usize,
    /// At which seeds.
    pub seeds: Vec<u32>,
    /// What came of each rate, in the order in which rates were given.
    pub tried: Vec<Tried>,
}

/// What came of a rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// The rate.
    pub rate: f64,
    /// The mean of the primary measure over the seeds, `val_loss` unless the plan says otherwise;
    /// `None` if a run diverged.
    pub mean: Option<f64>,
    /// Whether it went on.
    pub kept: bool,
}

impl Search {
    /// The rates 0, 0.1 to 0.7, each at three seeds, the same for all layers.
    pub fn new() -> Search {
        let rates = (0..8).map(|tenths| f64::from(tenths) / 10.0).collect();
        Search { rates, seeds: 3, layers: Layers::Together }
    }

    /// The rates among which the best is looked for, from 0 to 1.
    #[must_use]
    pub fn rates(self, rates: impl IntoIterator<Item = f64>) -> Search {
        Search { rates: rates.into_iter().collect(), ..self }
    }

    /// At how many seeds each rate is trained in each rung.
    #[must_use]
    pub fn seeds(self, seeds: usize) -> Search {
        Search { seeds, ..self }
    }

    /// Looks for a rate for each layer, one layer after the other, once the best common rate is
    /// known.
    #[must_use]
    pub fn each_layer(self) -> Search {
        Search { layers: Layers::Each, ..self }
    }

    fn check(&self) -> Result<()> {
        if self.rates.is_empty() || self.seeds == 0 {
            let (rates, seeds) = (self.rates.len(), self.seeds);
            return Err(Error::new(format!(
                "a search needs a rate and a seed at least, got {rates} rates and {seeds} seeds"
            ))
            .help("three seeds tell rates apart better than one"));
        }
        if let Some(rate) = self.rates.iter().find(|rate| !(0.0..=1.0).contains(*rate)) {
            return Err(Error::new(format!("a rate must be from 0 to 1, got {rate}"))
                .help("it is the fraction of inputs that is dropped"));
        }
        if let Some(i) = (1..self.rates.len()).find(|&i| self.rates[..i].contains(&self.rates[i])) {
            return Err(Error::new(format!("the rate {} is given twice", self.rates[i])));
        }
        Ok(())
    }

    /// The seeds of a search: none of those at which the plan confirms what was found.
    fn seeds_beside(&self, plan: &Plan) -> Vec<u32> {
        let fresh = (1_000_000_u32..).filter(|seed| !plan.seeds.contains(seed));
        fresh.take(self.seeds).collect()
    }

    /// How many rates each rung has, and for how many epochs they are trained: half as many for
    /// twice as long, until one is left after a rung of all the plan's epochs.
    fn rungs(&self, plan: &Plan) -> Vec<(usize, usize)> {
        let halvings = usize::BITS - (self.rates.len() - 1).leading_zeros();
        let rung = |i: u32| {
            let epochs = plan.epochs >> (halvings - 1 - i).min(usize::BITS - 1);
            (self.rates.len().div_ceil(1 << i), epochs.max(1))
        };
        (0..halvings).map(rung).collect()
    }
}

impl Default for Search {
    fn default() -> Self {
        Search::new()
    }
}

/// Finds the rate that a network's drop layers should have, and confirms it against no dropout.
///
/// All numbers called `rate` are turned, by successive halving: all rates are trained for a short
/// time at the same seeds, the better half for twice as long, and so on until one is left. The
/// network is compiled once for each worker, since a rate is a number of its program. What the
/// plan says - seeds, epochs, measure - holds for the last rung and for the study that follows.
///
/// The first rungs are short, and a high rate wants long training: with few epochs in the plan,
/// rates are found that are too low.
///
/// Jamieson and Talwalkar, *Non-stochastic best arm identification and hyperparameter
/// optimization*, AISTATS 2016, <https://arxiv.org/abs/1502.07943>.
///
/// # Errors
///
/// If the network has no rate, a rate is out of its range, all rates diverge, and as
/// [`compare`](crate::compare()).
pub fn tune_rate(
    network: &Variant,
    data: &Dataset,
    search: &Search,
    plan: &Plan,
    lab: Lab<'_>,
) -> Result<Tuning> {
    tune_in(&mut Session::new(lab), network, data, search, plan)
}

fn tune_in(
    session: &mut Session<'_>,
    network: &Variant,
    data: &Dataset,
    search: &Search,
    plan: &Plan,
) -> Result<Tuning> {
    search.check()?;
    plan.check()?;
    data.check()?;
    let numbers = model_of(network, data)?.0.numbers()?;
    let paths: Vec<String> =
        numbers.into_iter().map(|(path, _)| path).filter(|path| path.ends_with("/rate")).collect();
    if paths.is_empty() {
        return Err(Error::new(format!("`{}` has no rate to tune", network.name))
            .help("add a layer that drops something: `Dropout::new(0.5)`"));
    }
    let mut turns = vec![paths.clone()];
    if search.layers == Layers::Each && paths.len() > 1 {
        turns.extend(paths.iter().map(|path| vec![path.clone()]));
    }
    for (rates, epochs) in turns.iter().flat_map(|_| search.rungs(plan)) {
        session.expect(rates * search.seeds, epochs);
    }
    session.expect(2 * plan.seeds.len(), plan.epochs);

    let (mut ladder, mut rates) = (vec![], BTreeMap::new());
    for turned in turns {
        let mut climb = Climb { session: &mut *session, network, data, search, plan };
        let best = climb.best(&turned, &rates, &mut ladder)?;
        rates.extend(turned.into_iter().map(|path| (path, best)));
    }
    let with_rates = |name: String, rate: &dyn Fn(f64) -> f64| {
        let turned = rates.iter().map(|(path, &found)| (path.clone(), rate(found)));
        let numbers = network.numbers.clone().into_iter().chain(turned).collect();
        Variant { name, numbers, ..network.clone() }
    };
    let mut variants = vec![with_rates("no dropout".to_owned(), &|_| 0.0)];
    if rates.values().any(|&rate| rate != 0.0) {
        variants.push(with_rates(name_of(&rates), &|found| found));
    }
    let title = format!("The rate of `{}`", network.name);
    let study = compare_in(session, &title, &variants, data, plan)?;
    Ok(Tuning { ladder, rates, study })
}

/// What a variant with these rates is called.
fn name_of(rates: &BTreeMap<String, f64>) -> String {
    let mut values: Vec<String> = rates.values().map(f64::to_string).collect();
    values.dedup();
    format!("dropout {}", values.join(", "))
}

/// A search for the rate of some numbers, others being what they are.
struct Climb<'s, 'w, 'a> {
    session: &'s mut Session<'w>,
    network: &'a Variant,
    data: &'a Dataset,
    search: &'a Search,
    plan: &'a Plan,
}

impl Climb<'_, '_, '_> {
    /// The best rate for these numbers, and how it was found.
    fn best(
        &mut self,
        turned: &[String],
        others: &BTreeMap<String, f64>,
        ladder: &mut Vec<Rung>,
    ) -> Result<f64> {
        let mut left = self.search.rates.clone();
        for (_, epochs) in self.search.rungs(self.plan) {
            let means = self.means(turned, others, &left, epochs)?;
            let mut order: Vec<usize> = (0..left.len()).collect();
            // Of equals the first is as good; what diverged comes last.
            order.sort_by(|&a, &b| f64::total_cmp(&means[a].cost, &means[b].cost));
            let kept = &order[..left.len().div_ceil(2)];
            if means[kept[0]].mean.is_none() {
                return Err(Error::new("the network diverges at every rate")
                    .help("lower its learning rate"));
            }
            let tried =
                |i: usize| Tried { rate: left[i], mean: means[i].mean, kept: kept.contains(&i) };
            let tried: Vec<Tried> = (0..left.len()).map(tried).collect();
            left = tried.iter().filter(|tried| tried.kept).map(|tried| tried.rate).collect();
            let seeds = self.search.seeds_beside(self.plan);
            ladder.push(Rung { turned: turned.to_vec(), epochs, seeds, tried });
        }
        left.first().copied().ok_or_else(|| Error::new("a search needs a rate at least"))
    }

    /// What each rate is worth after so many epochs.
    fn means(
        &mut self,
        turned: &[String],
        others: &BTreeMap<String, f64>,
        rates: &[f64],
        epochs: usize,
    ) -> Result<Vec<Worth>> {
        let variant = |rate: &f64| {
            let mut numbers = self.network.numbers.clone();
            numbers.extend(others.clone());
            numbers.extend(turned.iter().map(|path| (path.clone(), *rate)));
            Variant { name: format!("dropout {rate}"), numbers, ..self.network.clone() }
        };
        let variants: Vec<Variant> = rates.iter().map(variant).collect();
        let seeds = self.search.seeds_beside(self.plan);
        let at_seed =
            |&seed: &u32| (0..rates.len()).map(move |variant| Job { variant, seed, epochs });
        let jobs: Vec<Job> = seeds.iter().flat_map(at_seed).collect();
        let mut found = vec![None; jobs.len()];
        let mut better = Direction::Down;
        let common = (self.data, &variants[..], self.plan.batch_size);
        self.session.round(common, &jobs, |job, trained| {
            if let Outcome::Finished(measured) = &trained.run.outcome {
                let primary = Losses::Same.primary(&self.plan.primary, &measured.measures)?;
                better = measure::direction(&primary, &trained.directions).unwrap_or(better);
                found[job] = measured.measures.get(&primary).copied();
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let worth = |rate: usize| {
            let values = found.iter().skip(rate).step_by(rates.len());
            let values: Option<Vec<f64>> = values.copied().collect();
            let mean = values.map(|values| statistics::mean(&values));
            let cost = match (mean, better) {
                (None, _) => f64::INFINITY,
                (Some(mean), Direction::Down) => mean,
                (Some(mean), Direction::Up) => -mean,
            };
            Worth { mean, cost }
        };
        Ok((0..rates.len()).map(worth).collect())
    }
}

/// What a rate is worth: the mean of a measure, and that as something to be made small.
struct Worth {
    mean: Option<f64>,
    cost: f64,
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use oxhorn::{callbacks::LambdaCallback, prelude::*, random::Streams};

    use super::*;
    use crate::data::{Source, Split, Target};

    /// Few samples with many numbers, of which two say something: what a network learns by heart.
    fn data() -> Dataset {
        let numpy = &mut Streams::seeded(3).numpy;
        let labels: Vec<i64> = (0..140).map(|_| numpy.randint(2).unwrap()).collect();
        let x = Array2::from_shape_fn((140, 20), |(row, column)| {
            let signal = if column < 2 { 1.2 * (labels[row] as f64 - 0.5) } else { 0.0 };
            (signal + numpy.standard_normal()) as f32
        });
        let names = vec!["no".to_owned(), "yes".to_owned()];
        Dataset {
            name: "needles".to_owned(),
            x: x.into_dyn(),
            y: Target::Classes { labels, names },
            split: Split::Drawn { train: 40 },
            source: Source::Memory,
        }
    }

    fn network(rate: f64) -> Variant {
        let mut model = Sequential::new()
            .add(Dropout::new(rate).input_shape([20]))
            .add(Dense::new(32).activation("relu"))
            .add(Dropout::new(rate))
            .add(Dense::new(2).activation("softmax"));
        let adam = Adam::new().learning_rate(0.01);
        model.compile(adam, "sparse_categorical_crossentropy", ["accuracy"]).unwrap();
        Variant::new("needles", &model).unwrap()
    }

    fn plan() -> Plan {
        Plan::new(24).seeds(3).batch_size(20)
    }

    #[test]
    fn rungs_halve_what_is_tried_and_double_how_long() {
        let rungs = |rates: usize, epochs: usize| {
            let rates = (0..rates).map(|i| i as f64 / 100.0);
            Search::new().rates(rates).rungs(&Plan::new(epochs))
        };
        assert_eq!(rungs(8, 100), [(8, 25), (4, 50), (2, 100)]);
        assert_eq!(rungs(5, 8), [(5, 2), (3, 4), (2, 8)]);
        assert_eq!(rungs(2, 7), [(2, 7)]);
        assert_eq!(rungs(1, 7), []);
        assert_eq!(rungs(9, 2), [(9, 1), (5, 1), (3, 1), (2, 2)]);
    }

    #[test]
    fn a_network_that_learns_by_heart_gets_a_rate_and_is_better_for_it() {
        let (network, data) = (network(0.1), data());
        let search = Search::new().rates([0.0, 0.2, 0.5, 0.8]);
        let tuning = tune_rate(&network, &data, &search, &plan(), Lab::new()).unwrap();
        let tried: Vec<usize> = tuning.ladder.iter().map(|rung| rung.tried.len()).collect();
        assert_eq!(tried, [4, 2]);
        for rung in &tuning.ladder {
            assert_eq!(rung.turned, ["dropout/rate", "dropout_1/rate"]);
            let mean = |tried: &&Tried| tried.mean.unwrap();
            let (kept, dropped): (Vec<&Tried>, Vec<&Tried>) =
                rung.tried.iter().partition(|tried| tried.kept);
            let worst = kept.iter().map(mean).fold(f64::NEG_INFINITY, f64::max);
            assert!(dropped.iter().map(mean).all(|mean| mean >= worst));
            assert!(rung.seeds.iter().all(|seed| !plan().seeds.contains(seed)));
        }
        assert!(tuning.rates["dropout/rate"] > 0.0);
        assert_eq!(tuning.rates["dropout/rate"], tuning.rates["dropout_1/rate"]);
        let comparison = tuning.study.comparison(1, "val_loss").unwrap();
        assert!(comparison.difference.unwrap().mean < 0.0);
        assert_eq!(tuning.study.variants[0].name, "no dropout");
        assert_eq!(tuning.study.variants[0].numbers["dropout_1/rate"], 0.0);
    }

    #[test]
    fn each_layer_gets_a_rate_of_its_own() {
        let (network, data) = (network(0.1), data());
        let search = Search::new().rates([0.0, 0.6]).seeds(2).each_layer();
        let plan = Plan::new(6).seeds(3).batch_size(20);
        let tuning = tune_rate(&network, &data, &search, &plan, Lab::new()).unwrap();
        let turned: Vec<usize> = tuning.ladder.iter().map(|rung| rung.turned.len()).collect();
        assert_eq!(turned, [2, 1, 1]);
        let both: Vec<&str> = tuning.rates.keys().map(String::as_str).collect();
        assert_eq!(both, ["dropout/rate", "dropout_1/rate"]);
    }

    #[test]
    fn nothing_is_compiled_anew_for_another_rate() {
        let (data, search) = (data(), Search::new().rates([0.0, 0.2, 0.5]).seeds(2));
        // What a model has been through: programs that were let go, and those that are kept.
        let state = |model: &mut Sequential, data: &Dataset| {
            let mut seen = (0, 0);
            let look = LambdaCallback::new().on_epoch_begin(|_, training| {
                seen = training.engine().map_or((0, 0), |it| (it.generation(), it.programs()));
                Ok(())
            });
            let y = Array2::from_shape_fn((40, 1), |(row, _)| row as i64 % 2);
            let fit = Fit::epochs(1).batch_size(20).clean_train_eval().callback(look).verbose(0);
            model.fit(&data.x_at(&(0..40).collect::<Vec<_>>()), &y, fit).unwrap();
            seen
        };
        let mut once = Session::new(Lab::new().workers(1));
        once.expect(1, 1);
        let job = [Job { variant: 0, seed: 0, epochs: 1 }];
        let variants = [network(0.1)];
        once.round((&data, &variants, 20), &job, |_, _| Ok(ControlFlow::Continue(()))).unwrap();
        let expected = state(once.models()[0], &data);

        let mut session = Session::new(Lab::new().workers(1));
        let tuning = tune_in(&mut session, &network(0.1), &data, &search, &plan()).unwrap();
        assert_eq!(tuning.ladder.len(), 2);
        let mut models = session.models();
        assert_eq!(models.len(), 1);
        assert_eq!(state(models[0], &data), expected);
    }

    #[test]
    fn searches_for_nothing_are_refused() {
        let (data, lab) = (data(), || Lab::new());
        let message = |network: &Variant, search: Search| {
            tune_rate(network, &data, &search, &plan(), lab()).unwrap_err().message
        };
        let some = network(0.1);
        let search = Search::new();
        assert_eq!(
            message(&some, search.clone().rates([])),
            "a search needs a rate and a seed at least, got 0 rates and 3 seeds"
        );
        assert_eq!(
            message(&some, search.clone().rates([0.5, 1.5])),
            "a rate must be from 0 to 1, got 1.5"
        );
        assert_eq!(
            message(&some, search.clone().rates([0.5, f64::NAN])),
            "a rate must be from 0 to 1, got NaN"
        );
        assert_eq!(message(&some, search.clone().rates([0.5, 0.5])), "the rate 0.5 is given twice");
        let mut model = Sequential::new().add(Dense::new(2).activation("softmax").input_dim(20));
        model.compile("adam", "sparse_categorical_crossentropy", NO_METRICS).unwrap();
        let none = Variant::new("plain", &model).unwrap();
        assert_eq!(message(&none, search), "`plain` has no rate to tune");
    }
}
