//! The tables that a study ends with: measures of one variant, or variants by one measure.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use oxhorn_lab::{Comparison, Finding, Study, show, verdict};

/// As wide as a terminal is everywhere.
const COLUMNS: u16 = 80;
/// The measures that are printed, if they were compared; the report has all.
const MEASURES: [&str; 7] =
    ["val_loss", "best_val_loss", "clean_loss", "gap", "val_accuracy", "val_ece", "val_mse"];

/// What differs between the variants: if there are two, in each measure; if there are more, in the
/// one that the verdict is about. `None` if nothing was compared.
pub(crate) fn differences(study: &Study) -> Option<String> {
    if study.comparisons.is_empty() {
        return None;
    }
    let interval = format!("difference ({} interval)", show::percent(study.plan.confidence));
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(COLUMNS);
    match &study.variants[..] {
        [first, other] => {
            // On two lines, that there is room for the numbers.
            let means = format!("{}\n→ {}", first.name, other.name);
            table.set_header(header([study_of(study), means, interval, String::new()]));
            let primary = &study.plan.primary;
            let others = MEASURES.into_iter().filter(|measure| measure != primary);
            let measures = std::iter::once(primary.as_str()).chain(others);
            for comparison in measures.filter_map(|measure| study.comparison(1, measure)) {
                let means = [comparison.baseline, comparison.mean].map(show::value).join(" → ");
                table.add_row(row(comparison.measure.clone(), means, Some(comparison)));
            }
        }
        variants => {
            let mean = format!("mean {}", study.plan.primary);
            table.set_header(header([study_of(study), mean, interval, String::new()]));
            for (position, variant) in variants.iter().enumerate() {
                let values: Vec<f64> =
                    study.measured(position, &study.plan.primary).map(|(_, x)| x).collect();
                let mean = match &values[..] {
                    [] => "—".to_owned(),
                    all => show::value(all.iter().sum::<f64>() / all.len() as f64),
                };
                let comparison = study.comparison(position, &study.plan.primary);
                table.add_row(row(variant.name.clone(), mean, comparison));
            }
        }
    }
    Some(table.to_string())
}

fn study_of(study: &Study) -> String {
    show::of(study.seeds(), "seed", "seeds")
}

fn header([what, means, interval, finding]: [String; 4]) -> [Cell; 4] {
    [Cell::new(what), right(means), right(interval), Cell::new(finding)]
}

fn row(what: String, means: String, comparison: Option<&Comparison>) -> [Cell; 4] {
    let difference = match comparison.map(|it| it.difference) {
        None => String::new(),
        Some(None) => "—".to_owned(),
        Some(Some(it)) => show::interval(&it),
    };
    let finding = comparison.map_or("", word);
    [Cell::new(what), right(means), right(difference), Cell::new(finding)]
}

/// What was found, in one word: the verdict has more.
fn word(comparison: &Comparison) -> &'static str {
    match comparison.finding {
        Finding::NoDifference => "open",
        Finding::TooFewSeeds => "too few",
        _ => verdict::word(comparison),
    }
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

#[cfg(test)]
mod tests {
    use oxhorn_lab::{Dataset, Lab, Plan, compare};

    use super::*;
    use crate::network::{Network, variant};

    fn study(rates: &[f64]) -> Study {
        let data = Dataset::digits(50);
        let network = Network { hidden: vec![3], learning_rate: 1e-3 };
        let variants: Vec<_> =
            rates.iter().map(|&rate| variant(&network, rate, &data).unwrap()).collect();
        let plan = Plan::new(1).seeds(3).primary("val_loss");
        compare("test", &variants, &data, &plan, Lab::new().workers(1)).unwrap()
    }

    fn rows(text: &str) -> Vec<Vec<&str>> {
        let rows = text.lines().filter(|line| line.starts_with('│'));
        rows.map(|line| line.trim_matches('│').split('┆').map(str::trim).collect()).collect()
    }

    #[test]
    fn two_variants_are_compared_in_each_measure() {
        let text = differences(&study(&[0.0, 0.5])).unwrap();
        let rows = rows(&text);
        assert_eq!(
            [rows[0][0], rows[0][1], rows[1][1]],
            ["3 seeds", "no dropout", "→ dropout 0.5"]
        );
        let names: Vec<&str> = rows[2..].iter().map(|row| row[0]).collect();
        assert_eq!(
            names,
            ["val_loss", "best_val_loss", "clean_loss", "gap", "val_accuracy", "val_ece"]
        );
        assert!(rows[2][1].contains(" → ") && rows[2][2].contains(" to "), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn nothing_is_printed_where_nothing_was_compared() {
        assert_eq!(differences(&study(&[0.0])), None);
    }

    #[test]
    fn more_variants_are_compared_in_one_measure() {
        let mut study = study(&[0.0, 0.2, 0.5]);
        study.comparisons.retain(|it| it.variant == 2);
        study.variants[2].name = "a name that is longer than a terminal is wide ".repeat(3);
        let text = differences(&study).unwrap();
        let rows = rows(&text);
        assert_eq!(rows[0][..2], ["3 seeds", "mean val_loss"]);
        let first = rows.iter().find(|row| row[0] == "no dropout").unwrap();
        assert_eq!(first[2..], ["", ""]);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
}
