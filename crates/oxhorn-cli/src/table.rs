//! The table at the end of the demo: what two runs came to, side by side.

use comfy_table::{Cell, CellAlignment, Table, presets::UTF8_FULL_CONDENSED};

/// What a run came to after its last epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Outcome {
    /// Mean loss over the training data with dropout off, in nats.
    pub(crate) training_loss: f64,
    /// Mean loss over the validation data, in nats.
    pub(crate) validation_loss: f64,
    /// Fraction of the training data classified correctly, with dropout off.
    pub(crate) training_accuracy: f64,
    /// Fraction of the validation data classified correctly.
    pub(crate) validation_accuracy: f64,
    /// The lowest validation loss of all epochs, in nats.
    pub(crate) best_validation_loss: f64,
    /// The epoch with that loss, counted from 0.
    pub(crate) best_epoch: usize,
    /// Time that training took.
    pub(crate) seconds: f64,
}

/// A table with a column for each run under its name.
pub(crate) fn compare(runs: &[(&str, Outcome)]) -> String {
    type Show = fn(&Outcome) -> String;
    let rows: [(&str, Show); 7] = [
        ("training loss (dropout off)", |o| format!("{:.4}", o.training_loss)),
        ("validation loss", |o| format!("{:.4}", o.validation_loss)),
        ("gap between them", |o| format!("{:.4}", o.validation_loss - o.training_loss)),
        ("lowest validation loss", |o| {
            format!("{:.4} in epoch {}", o.best_validation_loss, o.best_epoch + 1)
        }),
        ("training accuracy", |o| percent(o.training_accuracy)),
        ("validation accuracy", |o| percent(o.validation_accuracy)),
        ("training time", |o| format!("{:.2} s", o.seconds)),
    ];
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    let names = runs.iter().map(|(name, _)| right((*name).to_owned()));
    table.set_header(std::iter::once(Cell::new("after the last epoch")).chain(names));
    for (name, show) in rows {
        let values = runs.iter().map(|(_, outcome)| right(show(outcome)));
        table.add_row(std::iter::once(Cell::new(name)).chain(values));
    }
    table.to_string()
}

fn percent(fraction: f64) -> String {
    format!("{:.2} %", 100.0 * fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn puts_the_runs_side_by_side() {
        let without = Outcome {
            training_loss: 0.0003,
            validation_loss: 0.1821,
            training_accuracy: 1.0,
            validation_accuracy: 0.9561,
            best_validation_loss: 0.1459,
            best_epoch: 27,
            seconds: 1.234,
        };
        let with = Outcome { training_loss: 0.2, validation_loss: 0.15, ..without };
        let text = compare(&[("without dropout", without), ("with dropout", with)]);
        let rows: Vec<Vec<&str>> = text
            .lines()
            .filter(|line| line.starts_with('│'))
            .map(|line| line.split(['│', '┆']).map(str::trim).filter(|s| !s.is_empty()).collect())
            .collect();
        assert_eq!(rows[0], ["after the last epoch", "without dropout", "with dropout"]);
        assert_eq!(rows[3], ["gap between them", "0.1818", "-0.0500"]);
        assert_eq!(rows[4][1], "0.1459 in epoch 28");
        assert_eq!(rows[6][1], "95.61 %");
        assert_eq!(rows[7][1], "1.23 s");
        assert_eq!(rows.len(), 8);
        let widths: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|&width| width == widths[0] && width <= 80), "{widths:?}");
    }
}
