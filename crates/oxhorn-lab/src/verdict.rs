//! What a study says, in words that follow from its numbers and from nothing else.

use crate::{
    show,
    study::{Comparison, Finding, Interval, Stopping, Study},
    words::{self, Better},
};

/// The head of a report, and of its curves: the finding for the primary measure in a line.
pub fn title(study: &Study) -> String {
    let primary: Vec<&Comparison> = primary(study).collect();
    let measure = words::measure(&study.plan.primary);
    match primary[..] {
        [] => study.title.clone(),
        [one] => {
            let name = name(study, one.variant);
            match one.finding {
                Finding::Better | Finding::Worse => {
                    format!("With {name}, {measure} is {}", change(study, one))
                }
                Finding::NoDifference => {
                    format!("No difference found between {} and {name}", name_of_first(study))
                }
                Finding::TooFewSeeds => "Too few seeds for a verdict".to_owned(),
                Finding::Diverged => "No verdict: training diverged".to_owned(),
            }
        }
        _ => {
            let better = primary.iter().filter(|it| it.finding == Finding::Better);
            // Those that are better differ in the same direction.
            let best = better.max_by(|a, b| size(a).total_cmp(&size(b)));
            match best {
                Some(best) => format!(
                    "Best with {}: {measure} {} than with {}",
                    name(study, best.variant),
                    change(study, best),
                    name_of_first(study)
                ),
                None if primary.iter().all(|it| it.finding == Finding::TooFewSeeds) => {
                    "Too few seeds for a verdict".to_owned()
                }
                None => format!("Nothing was found better than {}", name_of_first(study)),
            }
        }
    }
}

/// The verdict: a paragraph for each variant, and what is to be known of them together.
pub fn paragraphs(study: &Study) -> Vec<String> {
    let mut paragraphs: Vec<String> = primary(study).map(|it| of_variant(study, it)).collect();
    paragraphs.extend(diverged(study));
    paragraphs.extend(ended_early(study));
    let intervals = primary(study).filter(|it| it.difference.is_some()).count();
    if intervals > 1 {
        paragraphs.push(format!(
            "Each of these {intervals} intervals stands for itself: among several, one may exclude \
             zero by chance."
        ));
    }
    if paragraphs.is_empty() {
        paragraphs.push("There is one variant, and nothing to compare it with.".to_owned());
    }
    paragraphs
}

/// What a comparison found, in a word or three.
pub fn word(it: &Comparison) -> &'static str {
    match it.finding {
        // Less loss in training is not better in itself, nor is a smaller gap.
        Finding::Better | Finding::Worse if !words::is_of_validation(&it.measure) => {
            if it.mean < it.baseline { "lower" } else { "higher" }
        }
        Finding::Better => "better",
        Finding::Worse => "worse",
        Finding::NoDifference => "no difference found",
        Finding::TooFewSeeds => "too few seeds",
        Finding::Diverged => "diverged",
    }
}

fn primary(study: &Study) -> impl Iterator<Item = &Comparison> {
    study.comparisons.iter().filter(|it| it.measure == study.plan.primary)
}

fn name(study: &Study, variant: usize) -> &str {
    study.variants.get(variant).map_or("a variant that is not there", |it| &it.name)
}

/// How far the means are from one another.
fn size(it: &Comparison) -> f64 {
    (it.mean - it.baseline).abs()
}

fn name_of_first(study: &Study) -> &str {
    name(study, 0)
}

fn of_variant(study: &Study, it: &Comparison) -> String {
    let name = name(study, it.variant);
    let seeds = show::of(it.seeds, "seed", "seeds");
    let words = match (it.finding, it.difference) {
        (Finding::Diverged, _) => {
            return format!("{name}: no verdict, for not every run came to its end.");
        }
        (Finding::Better | Finding::Worse, Some(interval)) => found(study, it, interval),
        (Finding::NoDifference, Some(interval)) => not_found(study, it, interval),
        (_, None) | (Finding::TooFewSeeds, _) => {
            return format!(
                "{name}: nothing can be said. There {} {seeds} at which both it and {} were \
                 trained, too few for an interval.",
                if it.seeds == 1 { "is" } else { "are" },
                name_of_first(study)
            );
        }
    };
    [words, others(study, it.variant)].join(" ").trim_end().to_owned()
}

fn found(study: &Study, it: &Comparison, interval: Interval) -> String {
    let pairs = study.differences(it.variant, &it.measure);
    let (helped, word) = match it.finding {
        Finding::Better => ("helped here", "better"),
        _ => ("did harm here", "worse"),
    };
    let agreeing = pairs.iter().filter(|(_, difference)| difference * interval.mean > 0.0);
    format!(
        "{} {helped}: {} {}, and was {word} at {} of {}. The {} interval of the difference, {}, \
         excludes zero. That holds for this network, these data and this training.",
        name(study, it.variant),
        means(it),
        in_brackets(study, it),
        agreeing.count(),
        show::of(pairs.len(), "seed", "seeds"),
        show::percent(study.plan.confidence),
        show::range(&interval),
    )
}

fn not_found(study: &Study, it: &Comparison, interval: Interval) -> String {
    let needed = match it.seeds_needed {
        Some(needed) if needed > it.seeds => format!(
            " If a difference of this size is real, {} would find it in 80 of 100 studies.",
            show::of(needed, "seed", "seeds")
        ),
        _ => String::new(),
    };
    format!(
        "{}: no difference was found. {} {} over {}; the {} interval of the difference, {}, \
         includes zero. That is not to say that there is none.{needed}",
        name(study, it.variant),
        capital(&means(it)),
        in_brackets(study, it),
        show::of(it.seeds, "seed", "seeds"),
        show::percent(study.plan.confidence),
        show::range(&interval),
    )
}

/// `validation loss was 0.1204 instead of 0.1443`.
fn means(it: &Comparison) -> String {
    format!(
        "{} was {} instead of {}",
        words::measure(&it.measure),
        show::value(it.mean),
        show::value(it.baseline)
    )
}

fn in_brackets(study: &Study, it: &Comparison) -> String {
    format!("({})", change(study, it))
}

/// `16.6 % lower`, or without a share where that has no meaning.
fn change(study: &Study, it: &Comparison) -> String {
    let difference = it.difference.map_or(it.mean - it.baseline, |it| it.mean);
    let direction = match difference {
        d if d > 0.0 => "higher",
        d if d < 0.0 => "lower",
        _ => return "the same".to_owned(),
    };
    // Of a fraction such as an accuracy, percent could be taken for points.
    let share = 100.0 * (difference / it.baseline).abs();
    let loss = Better::of(&study.plan.primary) == Better::Lower;
    if loss && it.baseline > 0.0 && share.is_finite() {
        format!("{share:.1} % {direction}")
    } else {
        format!("{} {direction}", show::value(difference.abs()))
    }
}

/// What was found of a variant in the other measures of validation, each told once: the error rate
/// is the accuracy again, and the loss of a classifier its negative log-likelihood.
fn others(study: &Study, variant: usize) -> String {
    let primary = study.comparison(variant, &study.plan.primary);
    let again = |it: &Comparison| {
        let same = |a: f64, b: f64| (a - b).abs() <= 1e-3 * a.abs();
        let same_as = |one: &Comparison| same(one.baseline, it.baseline) && same(one.mean, it.mean);
        it.measure == "val_error" || primary.is_some_and(same_as)
    };
    let found = |finding: Finding| {
        let all = study.comparisons.iter().filter(|it| {
            let told = it.measure != study.plan.primary && !again(it);
            it.variant == variant && it.finding == finding && told
        });
        let all = all.filter(|it| words::is_of_validation(&it.measure));
        all.map(|it| words::measure(&it.measure)).collect::<Vec<_>>()
    };
    let groups = [
        ("better in", Finding::Better),
        ("worse in", Finding::Worse),
        ("no difference found in", Finding::NoDifference),
    ];
    let groups = groups.into_iter().map(|(words, finding)| (words, found(finding)));
    let said: Vec<String> = groups
        .filter(|(_, measures)| !measures.is_empty())
        .map(|(words, measures)| format!("{words} {}", list(&measures)))
        .collect();
    if said.is_empty() {
        return String::new();
    }
    format!("Of the other measures: {}.", said.join("; "))
}

/// One paragraph for each variant that diverged.
fn diverged(study: &Study) -> impl Iterator<Item = String> {
    (0..study.variants.len()).filter_map(|variant| {
        let runs: Vec<(u32, usize)> = study.diverged(variant).collect();
        let &(seed, epoch) = runs.first()?;
        let all = study.runs.iter().filter(|run| run.variant == variant).count();
        Some(format!(
            "{} diverged at {} of {}: its loss was no finite number any more, at seed {seed} in \
             epoch {epoch}{}.",
            name(study, variant),
            show::count(runs.len()),
            show::of(all, "seed", "seeds"),
            if runs.len() > 1 { " to begin with" } else { "" }
        ))
    })
}

fn ended_early(study: &Study) -> Option<String> {
    let (done, planned) = (study.seeds(), study.plan.seeds.len());
    let Stopping::WhenDecided { .. } = study.plan.stopping else { return None };
    (done < planned).then(|| {
        format!(
            "The study ended after {done} of {}, when the primary measure was decided. It looked \
             several times, and the looks share the probability of an error.",
            show::of(planned, "seed", "seeds")
        )
    })
}

/// `a, b and c`.
fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::{Outcome, fixture};

    #[test]
    fn says_that_a_variant_helped_where_the_interval_excludes_zero() {
        let study = fixture::study(&[&[0.5, 0.6, 0.7], &[0.4, 0.5, 0.61]]);
        assert_eq!(title(&study), "With dropout 0.5, validation loss is 16.1 % lower");
        assert_eq!(
            paragraphs(&study),
            ["dropout 0.5 helped here: validation loss was 0.5033 instead of 0.6000 (16.1 % \
                 lower), and was better at 3 of 3 seeds. The 95 % interval of the difference, \
                 −0.1033 to −0.0900, excludes zero. That holds for this network, these data and \
                 this training."]
        );
    }

    #[test]
    fn says_that_a_variant_did_harm() {
        let study = fixture::study(&[&[0.4, 0.5, 0.6], &[0.5, 0.6, 0.71]]);
        assert_eq!(title(&study), "With dropout 0.5, validation loss is 20.7 % higher");
        assert_eq!(
            paragraphs(&study),
            ["dropout 0.5 did harm here: validation loss was 0.6033 instead of 0.5000 (20.7 % \
                 higher), and was worse at 3 of 3 seeds. The 95 % interval of the difference, \
                 +0.0967 to +0.1100, excludes zero. That holds for this network, these data and \
                 this training."]
        );
    }

    #[test]
    fn says_that_nothing_was_found_and_that_this_is_no_proof_of_the_contrary() {
        let study = fixture::study(&[&[0.5, 0.6, 0.7], &[0.4, 0.7, 0.7]]);
        assert_eq!(title(&study), "No difference found between none and dropout 0.5");
        assert_eq!(
            paragraphs(&study),
            ["dropout 0.5: no difference was found. Validation loss was 0.6000 instead of \
                 0.6000 (the same) over 3 seeds; the 95 % interval of the difference, −0.1155 to \
                 +0.1155, includes zero. That is not to say that there is none. If a difference \
                 of this size is real, 12 seeds would find it in 80 of 100 studies."]
        );
    }

    #[test]
    fn says_that_seeds_are_too_few() {
        let study = fixture::study(&[&[0.5], &[0.4]]);
        assert_eq!(title(&study), "Too few seeds for a verdict");
        assert_eq!(
            paragraphs(&study),
            ["dropout 0.5: nothing can be said. There is 1 seed at which both it and none were \
                 trained, too few for an interval."]
        );
        let study = fixture::study(&[&[0.5], &[0.4], &[0.3]]);
        assert_eq!(title(&study), "Too few seeds for a verdict");
    }

    #[test]
    fn names_the_best_of_several_and_warns_of_many_intervals() {
        let first: &[f64] = &[0.5, 0.6, 0.7];
        let study = fixture::study(&[first, &[0.4, 0.5, 0.61], &[0.3, 0.4, 0.51]]);
        assert_eq!(title(&study), "Best with noise: validation loss 32.8 % lower than with none");
        let said = paragraphs(&study);
        assert_eq!(said.len(), 3);
        assert_eq!(
            said[2],
            "Each of these 2 intervals stands for itself: among several, one may exclude zero by \
             chance."
        );
        let study = fixture::study(&[first, &[0.6, 0.7, 0.81], &[0.5, 0.6, 0.7]]);
        assert_eq!(title(&study), "Nothing was found better than none");
    }

    #[test]
    fn says_where_training_diverged() {
        let mut study = fixture::study(&[&[0.5, 0.6, 0.7], &[0.4, 0.5, 0.61]]);
        study.runs[3].outcome = Outcome::Diverged { epoch: 2 };
        study.comparisons[0].finding = Finding::Diverged;
        assert_eq!(title(&study), "No verdict: training diverged");
        assert_eq!(
            paragraphs(&study),
            [
                "dropout 0.5: no verdict, for not every run came to its end.",
                "dropout 0.5 diverged at 1 of 3 seeds: its loss was no finite number any more, at \
                 seed 1 in epoch 2."
            ]
        );
    }

    #[test]
    fn says_what_was_found_of_other_measures() {
        let mut study = fixture::study(&[&[0.5, 0.6, 0.7], &[0.4, 0.5, 0.61]]);
        for (measure, finding) in [
            ("val_accuracy", Finding::NoDifference),
            ("val_ece", Finding::Better),
            ("val_brier", Finding::Better),
            ("val_nll", Finding::Worse),
            ("val_error", Finding::Worse),
            ("clean_loss", Finding::Worse),
        ] {
            let like = study.comparisons[0].clone();
            let (measure, baseline) = (measure.to_owned(), 0.1);
            study.comparisons.push(Comparison { measure, finding, baseline, ..like });
        }
        // The same numbers as the primary measure's.
        let like = study.comparisons[0].clone();
        study.comparisons.push(Comparison { measure: "val_again".into(), ..like });
        let said = paragraphs(&study);
        assert!(
            said[0].ends_with(
                "and this training. Of the other measures: better in validation calibration error \
                 (ECE) and validation Brier score; worse in validation negative log-likelihood; \
                 no difference found in validation accuracy."
            ),
            "{said:?}"
        );
    }

    #[test]
    fn gives_no_share_of_what_is_a_fraction_itself_or_has_no_sign() {
        let mut study = fixture::study(&[&[-0.5, -0.6, -0.7], &[-0.6, -0.7, -0.81]]);
        assert_eq!(title(&study), "With dropout 0.5, validation loss is 0.1033 lower");
        study.plan.primary = "val_accuracy".into();
        study.comparisons[0].measure = "val_accuracy".into();
        study.comparisons[0].finding = Finding::Worse;
        assert_eq!(title(&study), "With dropout 0.5, validation accuracy is 0.1033 lower");
    }

    #[test]
    fn says_that_it_ended_early_and_that_one_variant_is_no_comparison() {
        let mut study = fixture::study(&[&[0.5, 0.6, 0.7], &[0.4, 0.5, 0.61]]);
        study.plan.stopping = Stopping::WhenDecided { first: 3 };
        study.plan.seeds = (0..10).collect();
        assert_eq!(
            paragraphs(&study)[1],
            "The study ended after 3 of 10 seeds, when the primary measure was decided. It looked \
             several times, and the looks share the probability of an error."
        );
        let study = fixture::study(&[&[0.5]]);
        assert_eq!(title(&study), "dropout on digits");
        assert_eq!(paragraphs(&study), ["There is one variant, and nothing to compare it with."]);
    }

    #[test]
    fn survives_studies_that_do_not_hold_together() {
        let mut study = fixture::study(&[&[0.5, 0.6], &[0.4, 0.5]]);
        study.comparisons[0].variant = 7;
        assert!(paragraphs(&study)[0].starts_with("a variant that is not there"));
        study.comparisons[0].difference = None;
        title(&study);
        paragraphs(&study);
    }
}
