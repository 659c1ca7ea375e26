//! `compare`: variants of a network trained side by side at the same seeds, and what differs.

use std::{collections::BTreeMap, ops::ControlFlow, thread};

use oxhorn::callbacks::Direction;

use crate::{
    Error, Result,
    data::Dataset,
    measure::{self, Losses},
    session::{Job, Session},
    statistics::{self, effect_size, interval, seeds_needed, share_of_alpha},
    study::{
        Comparison, Finding, Interval, Measured, Outcome, Plan, Run, Stopping, Study, Variant,
    },
    train::{Trained, model_of},
};

/// Where a study is done, and who watches. What comes of it does not depend on either.
pub struct Lab<'a> {
    /// How many networks are trained at once, each on one thread; all cores if not said.
    pub workers: usize,
    /// Is told how far the study is, after each run and some times a second; an error ends the
    /// study, which returns it.
    pub watch: Option<Watch<'a>>,
}

/// Who is told how far a study is.
pub type Watch<'a> = Box<dyn FnMut(Progress<'_>) -> Result<()> + 'a>;

/// How far a study is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// How many runs have ended.
    pub done: usize,
    /// How many there are, unless the study is decided earlier.
    pub total: usize,
    /// The run that has just ended, if one has.
    pub run: Option<&'a Run>,
    /// Which fraction of all epochs of all runs is done, from 0 to 1.
    pub fraction: f64,
}

impl<'a> Lab<'a> {
    /// All cores, watched by nobody.
    pub fn new() -> Lab<'a> {
        let workers = thread::available_parallelism().map_or(1, |threads| threads.get());
        Lab { workers, watch: None }
    }

    /// How many networks are trained at once.
    #[must_use]
    pub fn workers(self, workers: usize) -> Lab<'a> {
        Lab { workers, ..self }
    }

    /// Tells how far the study is.
    #[must_use]
    pub fn watch(self, watch: impl FnMut(Progress<'_>) -> Result<()> + 'a) -> Lab<'a> {
        Lab { watch: Some(Box::new(watch)), ..self }
    }
}

impl Default for Lab<'_> {
    fn default() -> Self {
        Lab::new()
    }
}

/// Trains each variant once for each seed, and compares every other with the first.
///
/// At one seed, variants are trained on the same samples in the same order and validated on the
/// same others; what is drawn for a layer - its first weights, its noise - depends on the seed and
/// the layer's name, and so is the same wherever layers have the same name and shape. What a
/// variant would give alone it gives in any company, and on any number of workers.
///
/// # Errors
///
/// If the plan, the data or a variant are not fit for each other; if the variants cannot be
/// compared by the plan's primary measure; and what whoever watches returns. A variant that
/// diverges is no error: the others go on.
pub fn compare(
    title: &str,
    variants: &[Variant],
    data: &Dataset,
    plan: &Plan,
    lab: Lab<'_>,
) -> Result<Study> {
    let mut session = Session::new(lab);
    session.expect(plan.seeds.len() * variants.len(), plan.epochs);
    compare_in(&mut session, title, variants, data, plan)
}

/// [`compare`] in a session that goes on.
pub(crate) fn compare_in(
    session: &mut Session<'_>,
    title: &str,
    variants: &[Variant],
    data: &Dataset,
    plan: &Plan,
) -> Result<Study> {
    plan.check()?;
    data.check()?;
    check_variants(variants, data)?;
    let losses = Losses::of(variants);
    losses.check_primary(&plan.primary)?;
    let mut notes = Notes::new(variants.len(), plan, losses);
    let epochs = plan.epochs;
    let at_seed =
        |&seed: &u32| (0..variants.len()).map(move |variant| Job { variant, seed, epochs });
    let jobs: Vec<Job> = plan.seeds.iter().flat_map(at_seed).collect();
    session.round((data, variants, plan.batch_size), &jobs, |job, trained| {
        notes.keep(job, trained)?;
        Ok(if notes.decided() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    let (plan, runs, comparisons) = notes.conclude();
    Ok(Study {
        oxhorn: env!("CARGO_PKG_VERSION").to_owned(),
        title: title.to_owned(),
        data: data.card(),
        plan,
        variants: variants.to_vec(),
        runs,
        comparisons,
    })
}

/// Rejects variants that cannot be told apart or trained.
fn check_variants(variants: &[Variant], data: &Dataset) -> Result<()> {
    if variants.is_empty() {
        return Err(
            Error::new("a study needs a variant").help("give the one to compare with first")
        );
    }
    for (i, variant) in variants.iter().enumerate() {
        let name = &variant.name;
        if variants[..i].iter().any(|other| other.name == *name) {
            return Err(Error::new(format!("two variants are called `{name}`"))
                .help("reports tell them apart by their names"));
        }
        model_of(variant, data)?;
    }
    Ok(())
}

/// The runs as they come, in order.
struct Notes {
    variants: usize,
    /// With its primary measure, once that is known.
    plan: Plan,
    losses: Losses,
    /// By seed, and then by variant.
    runs: Vec<Option<Run>>,
    directions: BTreeMap<String, Direction>,
    /// The seeds that were complete at the last look.
    looked: usize,
}

impl Notes {
    fn new(variants: usize, plan: &Plan, losses: Losses) -> Notes {
        let (runs, directions) = (vec![None; variants * plan.seeds.len()], BTreeMap::new());
        Notes { variants, plan: plan.clone(), losses, runs, directions, looked: 0 }
    }

    fn keep(&mut self, job: usize, trained: &Trained) -> Result<()> {
        if let Outcome::Finished(measured) = &trained.run.outcome {
            self.plan.primary = self.losses.primary(&self.plan.primary, &measured.measures)?;
        }
        self.directions.extend(trained.directions.clone());
        self.runs[job] = Some(trained.run.clone());
        Ok(())
    }

    fn run(&self, job: usize) -> Option<&Run> {
        self.runs.get(job)?.as_ref()
    }

    /// How many of the first seeds are complete.
    fn complete(&self) -> usize {
        self.runs.iter().take_while(|run| run.is_some()).count() / self.variants
    }

    /// Whether one of the looks that are due now, in their order, finds that every variant differs
    /// from the first.
    fn decided(&mut self) -> bool {
        let Stopping::WhenDecided { first } = self.plan.stopping else { return false };
        let complete = self.complete();
        while self.looked < complete {
            self.looked += 1;
            if self.looked >= first && self.decided_at(self.looked) {
                return true;
            }
        }
        false
    }

    fn decided_at(&self, seeds: usize) -> bool {
        let alpha = share_of_alpha(&self.plan, seeds);
        let excludes_zero = |variant: usize| {
            let pairs = self.pairs(variant, &self.plan.primary, seeds);
            interval(&pairs.differences, alpha).is_some_and(|it| it.excludes_zero())
        };
        self.variants > 1 && (1..self.variants).all(excludes_zero)
    }

    /// The plan, the runs up to the last look, and what they say.
    fn conclude(self) -> (Plan, Vec<Run>, Vec<Comparison>) {
        let seeds = match self.plan.stopping {
            Stopping::AfterAll => self.plan.seeds.len(),
            Stopping::WhenDecided { .. } => self.looked,
        };
        let comparisons = (1..self.variants).flat_map(|it| self.comparisons(it, seeds)).collect();
        let runs = self.runs.into_iter().take(seeds * self.variants).flatten().collect();
        (self.plan, runs, comparisons)
    }

    /// What was measured of a variant at one of the seeds, if it finished.
    fn measured(&self, variant: usize, seed: usize) -> Option<&Measured> {
        match &self.run(seed * self.variants + variant)?.outcome {
            Outcome::Finished(measured) => Some(measured),
            Outcome::Diverged { .. } => None,
        }
    }

    /// A measure of a variant and of the first, at those of the first seeds where both have it.
    fn pairs(&self, variant: usize, measure: &str, seeds: usize) -> Pairs {
        let mut pairs = Pairs::default();
        for seed in 0..seeds {
            let value = |variant: usize| self.measured(variant, seed)?.measures.get(measure);
            if let (Some(first), Some(other)) = (value(0), value(variant)) {
                pairs.first.push(*first);
                pairs.other.push(*other);
                pairs.differences.push(other - first);
            }
        }
        pairs
    }

    /// A variant against the first in every measure that says something of both, the primary
    /// before all others.
    fn comparisons(&self, variant: usize, seeds: usize) -> Vec<Comparison> {
        let mut names: Vec<&String> = vec![];
        for seed in 0..seeds {
            let known = self.measured(variant, seed).into_iter().flat_map(|it| it.measures.keys());
            names.extend(known);
        }
        names.sort_unstable_by_key(|name| (**name != self.plan.primary, *name));
        names.dedup();
        let diverged = (0..seeds).any(|seed| self.measured(variant, seed).is_none());
        let alpha = share_of_alpha(&self.plan, seeds);
        let comparable = names.into_iter().filter(|name| self.losses.compare(name));
        comparable
            .filter_map(|name| {
                let direction = measure::direction(name, &self.directions)?;
                let pairs = self.pairs(variant, name, seeds);
                (!pairs.first.is_empty()).then_some((name, direction, pairs))
            })
            .map(|(name, direction, pairs)| {
                let difference = interval(&pairs.differences, alpha);
                let effect_size = effect_size(&pairs.differences);
                let alpha = 1.0 - self.plan.confidence;
                Comparison {
                    variant,
                    measure: name.clone(),
                    seeds: pairs.first.len(),
                    baseline: statistics::mean(&pairs.first),
                    mean: statistics::mean(&pairs.other),
                    difference,
                    effect_size,
                    seeds_needed: effect_size.and_then(|size| seeds_needed(size, alpha)),
                    finding: match diverged {
                        true => Finding::Diverged,
                        false => finding(difference, direction),
                    },
                }
            })
            .collect()
    }
}

/// The values of a measure at the seeds where two variants have it, and how they differ.
#[derive(Default)]
struct Pairs {
    first: Vec<f64>,
    other: Vec<f64>,
    differences: Vec<f64>,
}

/// What an interval says of a variant, in a measure that gets better this way.
fn finding(difference: Option<Interval>, better: Direction) -> Finding {
    match difference {
        None => Finding::TooFewSeeds,
        Some(interval) if !interval.excludes_zero() => Finding::NoDifference,
        Some(interval) if (interval.mean > 0.0) == (better == Direction::Up) => Finding::Better,
        Some(_) => Finding::Worse,
    }
}
