//! The tables of a report: what differs, and every run.

use std::{collections::BTreeSet, fmt::Write};

use crate::{
    escape::escaped,
    show,
    study::{Comparison, Finding, Outcome, Study},
    verdict, words,
};

/// Every variant against the first, for each measure; nothing if there is no comparison.
pub(super) fn differences(study: &Study) -> String {
    if study.comparisons.is_empty() {
        return String::new();
    }
    let confidence = show::percent(study.plan.confidence);
    let mut html = format!(
        "<h2>Differences from {}</h2>\n<div class=\"wide\"><table class=\"cards\">\n<thead><tr>\
         <th>Variant<th>Measure<th class=\"n\">Mean, {0} → variant\
         <th class=\"n\">Difference ({confidence} interval)<th class=\"n\">Effect size\
         <th class=\"n\">Seeds<th class=\"n\">Needed<th>Finding</tr></thead>\n",
        first(study)
    );
    for variant in 1..study.variants.len() {
        html.push_str("<tbody>\n");
        let of_it = study.comparisons.iter().filter(|it| it.variant == variant);
        // The measure that the verdict is about comes first.
        let (primary, others): (Vec<_>, Vec<_>) =
            of_it.partition(|it| it.measure == study.plan.primary);
        for comparison in primary.into_iter().chain(others) {
            html.push_str(&difference(study, comparison));
        }
        html.push_str("</tbody>\n");
    }
    html + "</table></div>\n<p class=\"note\">Differences are variant minus the first, at the same \
            seed. The effect size is the mean difference in units of the differences’ standard \
            deviation. <i>Needed</i> is how many seeds would find a difference of this size, if it \
            is real, in 80 of 100 studies.</p>\n"
}

fn first(study: &Study) -> String {
    study.variants.first().map_or(String::new(), |variant| escaped(&variant.name))
}

fn difference(study: &Study, it: &Comparison) -> String {
    let name = study.variants.get(it.variant).map_or("", |variant| &variant.name);
    let interval = it.difference.map_or("—".to_owned(), |it| {
        let [mean, low, high] = [it.mean, it.low, it.high].map(show::signed);
        format!("{mean} ({low} to {high})")
    });
    let primary = if it.measure == study.plan.primary { " class=\"primary\"" } else { "" };
    let cell = |label: &str, class: &str, content: &str| {
        format!("<td data-label=\"{label}\"{class}>{content}")
    };
    let number = |label: &str, content: &str| cell(label, " class=\"n\"", content);
    let finding = format!(
        "<span class=\"finding {}\">{}</span>",
        if words::is_of_validation(&it.measure) { class(it.finding) } else { "open" },
        verdict::word(it)
    );
    [
        format!("<tr{primary}><th scope=\"row\">{}", escaped(name)),
        cell("measure", "", &escaped(&words::measure(&it.measure))),
        number("means", &format!("{} → {}", show::value(it.baseline), show::value(it.mean))),
        number("difference", &interval),
        number("effect size", &it.effect_size.map_or("—".to_owned(), |d| minus(format!("{d:.2}")))),
        number("seeds", &show::count(it.seeds)),
        number("seeds needed", &it.seeds_needed.map_or("—".to_owned(), show::count)),
        cell("finding", "", &finding),
        "</tr>\n".to_owned(),
    ]
    .concat()
}

/// The class of what was found, which has a colour.
pub(super) fn class(finding: Finding) -> &'static str {
    match finding {
        Finding::Better => "better",
        Finding::Worse | Finding::Diverged => "worse",
        Finding::NoDifference | Finding::TooFewSeeds => "open",
    }
}

fn minus(number: String) -> String {
    number.replace('-', "−")
}

/// Every run, with what it came to.
pub(super) fn runs(study: &Study) -> String {
    let finished = (0..study.variants.len()).flat_map(|variant| study.finished(variant));
    let names: BTreeSet<&String> = finished.flat_map(|(_, it)| it.measures.keys()).collect();
    let mut html = format!(
        "<details><summary>Every run ({})</summary>\n<div class=\"wide\"><table>\n\
         <thead><tr><th class=\"n\">Seed<th>Variant",
        show::count(study.runs.len())
    );
    for name in &names {
        let _ = write!(html, "<th class=\"n\">{}", escaped(&words::measure(name)));
    }
    html.push_str("<th class=\"n\">Seconds</tr></thead>\n<tbody>\n");
    for run in &study.runs {
        let name = study.variants.get(run.variant).map_or("", |variant| &variant.name);
        let _ = write!(html, "<tr><td class=\"n\">{}<td>{}", run.seed, escaped(name));
        match &run.outcome {
            Outcome::Finished(measured) => {
                for name in &names {
                    let value = measured.measures.get(*name);
                    let value = value.map_or("—".to_owned(), |&value| show::value(value));
                    let _ = write!(html, "<td class=\"n\">{value}");
                }
            }
            Outcome::Diverged { epoch } => {
                let columns = names.len().max(1);
                let _ = write!(html, "<td colspan=\"{columns}\">diverged in epoch {epoch}");
            }
        }
        let _ = writeln!(html, "<td class=\"n\">{:.2}</tr>", run.seconds);
    }
    html + "</tbody></table></div></details>\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::fixture;

    #[test]
    fn a_row_is_a_comparison() {
        let study = fixture::study(&[&[0.5, 0.6, 0.7], &[0.4, 0.5, 0.61]]);
        let html = differences(&study);
        for part in [
            "<th scope=\"row\">dropout 0.5",
            "<td data-label=\"measure\">validation loss",
            ">0.6000 → 0.5033",
            ">−0.0967 (−0.1033 to −0.0900)",
            ">−16.74",
            "<span class=\"finding better\">better</span>",
        ] {
            assert!(html.contains(part), "{part} is not in {html}");
        }
        assert_eq!(differences(&fixture::study(&[&[0.5]])), "");
    }

    #[test]
    fn runs_that_diverged_say_so() {
        let mut study = fixture::study(&[&[0.5, 0.6], &[0.4, 0.5]]);
        study.runs[1].outcome = Outcome::Diverged { epoch: 2 };
        let html = runs(&study);
        assert!(html.contains("<td>dropout 0.5<td colspan=\"3\">diverged in epoch 2"), "{html}");
        assert_eq!(html.matches("<tr>").count(), 1 + 4, "{html}");
    }
}
