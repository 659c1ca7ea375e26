//! `ablate`: what each regularizer of a network contributes, and what it costs.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::{
    Error, Result,
    compare::{Lab, compare},
    data::Dataset,
    study::{Comparison, Finding, Interval, Plan, Study, Variant},
};

/// What each regularizer of a network is good for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ablation {
    /// The network as it is, and then without each of its regularizers.
    pub study: Study,
    /// What the study says of each.
    pub parts: Vec<Part>,
}

/// A regularizer of a network, and what it is good for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// What it is and where: `Dropout 0.5 (dropout)`, `L2 (dense/kernel_regularizer)`.
    pub regularizer: String,
    /// The position of the variant without it.
    pub variant: usize,
    /// The primary measure with it minus that without it, over the seeds; `None` if there are too
    /// few.
    pub contribution: Option<Interval>,
    /// How long the steps of training take with it, where those without it take 1.
    pub cost: Option<f64>,
    /// Whether to keep it.
    pub verdict: Verdict,
    /// The same in words.
    pub sentence: String,
}

/// Whether to keep a regularizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It helps: without it the network is worse, or diverges.
    Keep,
    /// It harms: without it the network is better.
    Harms,
    /// It has no effect that could be found, or one of less than a thousandth.
    NoEffect,
    /// There are too few seeds to say.
    TooFewSeeds,
    /// The network diverges with it.
    Diverged,
}

/// What is less than this part of a measure is no effect, however sure it is: a constraint that
/// never binds still rounds.
const NEGLIGIBLE: f64 = 1e-3;

/// Settings of a model that regularize it, when they stand in a layer's config and are not 0.
const NOISE: [&str; 2] = ["rate", "stddev"];

/// Trains a network as it is and without each of its regularizers, and says what each contributes.
///
/// Regularizers are: rates and deviations of layers that drop or add noise; penalties for weights
/// and outputs; constraints; label smoothing; weight decay; a moving average of the weights; and
/// techniques. Each is left out alone, all others being there: two that do the same for a network
/// may both seem to have no effect. Intervals are those of the plan for each regularizer by itself.
///
/// # Errors
///
/// If the network has no regularizer; and as [`compare`].
pub fn ablate(network: &Variant, data: &Dataset, plan: &Plan, lab: Lab<'_>) -> Result<Ablation> {
    let found = regularizers_of(&network.model);
    if found.is_empty() {
        return Err(Error::new(format!("`{}` has no regularizer to leave out", network.name))
            .help("add one, such as `Dropout::new(0.5)`"));
    }
    let mut variants = vec![network.clone()];
    for removal in &found {
        let mut variant = network.clone();
        variant.name = format!("without {}", removal.what);
        variant.numbers.retain(|path, _| !removal.numbers.contains(path));
        for change in &removal.changes {
            change.apply(&mut variant.model);
        }
        variants.push(variant);
    }
    let title = format!("What the regularizers of `{}` contribute", network.name);
    let study = compare(&title, &variants, data, plan, lab)?;
    let parts = found.iter().enumerate().map(|(i, it)| part(&it.what, i + 1, &study)).collect();
    Ok(Ablation { study, parts })
}

/// What a study says of the regularizer that a variant is without.
fn part(what: &str, variant: usize, study: &Study) -> Part {
    let primary = &study.plan.primary;
    let comparison = study.comparison(variant, primary);
    let without_diverged = study.diverged(variant).next().is_some();
    let verdict = match comparison.map(|it| it.finding) {
        _ if study.diverged(0).next().is_some() => Verdict::Diverged,
        _ if without_diverged => Verdict::Keep,
        Some(Finding::Worse | Finding::Better) if comparison.is_some_and(is_negligible) => {
            Verdict::NoEffect
        }
        Some(Finding::Worse) => Verdict::Keep,
        Some(Finding::Better) => Verdict::Harms,
        Some(Finding::NoDifference) => Verdict::NoEffect,
        Some(Finding::Diverged | Finding::TooFewSeeds) | None => Verdict::TooFewSeeds,
    };
    let contribution = comparison.and_then(|it| it.difference).map(|without| Interval {
        mean: -without.mean,
        low: -without.high,
        high: -without.low,
    });
    let seconds = |variant: usize| {
        let runs = study.runs.iter().filter(|run| run.variant == variant);
        median(runs.map(|run| run.seconds).collect())
    };
    let cost = seconds(0).zip(seconds(variant)).map(|(with, without)| with / without);
    let sentence = sentence(verdict, comparison, study, variant);
    Part {
        regularizer: what.to_owned(),
        variant,
        contribution,
        cost: cost.filter(|cost| cost.is_finite()),
        verdict,
        sentence,
    }
}

/// Whether all that a difference may be is next to nothing.
fn is_negligible(comparison: &Comparison) -> bool {
    let least = NEGLIGIBLE * comparison.baseline.abs();
    comparison.difference.is_some_and(|it| it.low.abs().max(it.high.abs()) < least)
}

/// A verdict in words.
fn sentence(
    verdict: Verdict,
    comparison: Option<&Comparison>,
    study: &Study,
    variant: usize,
) -> String {
    let primary = &study.plan.primary;
    let seeds = study.runs.iter().filter(|run| run.variant == variant).count();
    let means = comparison.map_or(String::new(), |it| {
        format!("`{primary}` is {:.4} with it and {:.4} without", it.baseline, it.mean)
    });
    match verdict {
        Verdict::Keep => match study.diverged(variant).count() {
            0 => format!("keep: {means}"),
            diverged => format!("keep: without it {diverged} of {seeds} runs diverge"),
        },
        Verdict::Harms => format!("remove: it harms, {means}"),
        Verdict::NoEffect => format!("remove: no effect, {means}"),
        Verdict::TooFewSeeds => format!("{seeds} seeds are too few to say"),
        Verdict::Diverged => {
            let diverged = study.diverged(0).count();
            format!("the network diverges with it, in {diverged} of {seeds} runs")
        }
    }
}

fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_unstable_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    match numbers.len() {
        0 => None,
        even if even % 2 == 0 => Some((numbers[middle - 1] + numbers[middle]) / 2.0),
        _ => Some(numbers[middle]),
    }
}

/// A regularizer, and how it is left out.
struct Removal {
    what: String,
    changes: Vec<Change>,
    /// Numbers that would bring it back, by path.
    numbers: Vec<String>,
}

/// A change of a model's JSON.
enum Change {
    /// Something else stands there.
    Set(String, Json),
    /// An item of a list is left out.
    Remove(String, usize),
}

impl Change {
    fn apply(&self, model: &mut Json) {
        match self {
            Change::Set(pointer, value) => {
                if let Some(place) = model.pointer_mut(pointer) {
                    *place = value.clone();
                }
            }
            Change::Remove(pointer, item) => {
                if let Some(list) = model.pointer_mut(pointer).and_then(Json::as_array_mut) {
                    list.remove(*item);
                }
            }
        }
    }
}

/// The regularizers of a model, in the order of its layers; what it is compiled with comes last.
fn regularizers_of(model: &Json) -> Vec<Removal> {
    let mut found = vec![];
    for (i, layer) in list(&model["config"]["layers"]).iter().enumerate() {
        of_layer(layer, &format!("/config/layers/{i}"), "", &mut found);
    }
    of_compiling(&model["compile_config"], &mut found);
    found
}

/// Those of a layer, and of the layers in its config.
fn of_layer(layer: &Json, pointer: &str, scope: &str, found: &mut Vec<Removal>) {
    let class = layer["class_name"].as_str().unwrap_or_default();
    let Some(config) = layer["config"].as_object() else { return };
    let name = config.get("name").and_then(Json::as_str).unwrap_or(class);
    let path = format!("{scope}{name}");
    let pointer = format!("{pointer}/config");
    if class == "ActivityRegularization" {
        let zero = |factor: &str| Change::Set(format!("{pointer}/{factor}"), json!(0.0));
        let changes = ["l1", "l2"].map(zero).into();
        found.push(Removal { what: format!("{class} ({path})"), changes, numbers: vec![] });
        return;
    }
    for (key, value) in config {
        let place = format!("{pointer}/{key}");
        if NOISE.contains(&key.as_str()) && !is_nothing(value) {
            let much = value.as_f64().map_or(String::new(), |rate| format!(" {rate}"));
            found.push(Removal {
                what: format!("{class}{much} ({path})"),
                changes: vec![Change::Set(place, json!(0.0))],
                numbers: vec![format!("{path}/{key}")],
            });
        } else if (key.ends_with("_regularizer") || key.ends_with("_constraint"))
            && !value.is_null()
        {
            let what = value["class_name"].as_str().or(value.as_str()).unwrap_or(key);
            found.push(Removal {
                what: format!("{what} ({path}/{key})"),
                changes: vec![Change::Set(place, Json::Null)],
                numbers: vec![],
            });
        } else if value["config"].is_object() && key.ends_with("layer") {
            of_layer(value, &place, &format!("{path}/"), found);
        }
    }
}

/// Those that a model is compiled with.
fn of_compiling(config: &Json, found: &mut Vec<Removal>) {
    let settings = [
        ("label smoothing", "loss", "label_smoothing", json!(0.0)),
        ("weight decay", "optimizer", "weight_decay", json!(0.0)),
        ("moving average of the weights", "optimizer", "use_ema", json!(false)),
    ];
    for (what, object, key, nothing) in settings {
        let value = &config[object]["config"][key];
        if is_nothing(value) {
            continue;
        }
        let much = value.as_f64().map_or(String::new(), |much| format!(" {much}"));
        let place = format!("/compile_config/{object}/config/{key}");
        found.push(Removal {
            what: format!("{what}{much}"),
            changes: vec![Change::Set(place, nothing)],
            numbers: vec![],
        });
    }
    let techniques = list(&config["techniques"]);
    for (i, technique) in techniques.iter().enumerate() {
        let class = technique["class_name"].as_str().or(technique.as_str()).unwrap_or("technique");
        let changes = vec![Change::Remove("/compile_config/techniques".to_owned(), i)];
        found.push(Removal { what: class.to_owned(), changes, numbers: vec![] });
    }
}

/// Whether a setting does nothing.
fn is_nothing(value: &Json) -> bool {
    value.is_null() || *value == Json::Bool(false) || value.as_f64() == Some(0.0)
}

/// The items of a list; none of what is none.
fn list(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}
