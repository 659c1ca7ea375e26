//! What the numbers of two runs say about dropout, in words that follow from them.

use crate::table::Outcome;

/// A sentence with the numbers, and one about what they are worth.
pub(super) fn of(outcomes: [&Outcome; 2], images: usize, seed: u32) -> String {
    let [without, with] = outcomes;
    let gap = outcomes.map(|outcome| outcome.validation_loss - outcome.training_loss);
    let correct = outcomes.map(|outcome| (outcome.validation_accuracy * images as f64).round());
    let more = correct[1] - correct[0];
    let effect = match (change(outcomes), more) {
        (change, more) if change < 0.0 && more >= 0.0 => "Dropout helped here",
        (change, more) if change > 0.0 && more <= 0.0 => "Dropout did not help here",
        (0.0, 0.0) => "Dropout changed nothing here",
        _ => "Here dropout helped in one respect and not in another",
    };
    let compared = match more {
        0.0 => "as many".to_owned(),
        more if more > 0.0 => format!("{more} more"),
        fewer => format!("{} fewer", -fewer),
    };
    let than = if more == 0.0 { "as" } else { "than" };
    format!(
        "{effect}: validation loss {:.4} instead of {:.4} ({}), a gap to the training loss of \
         {:.4} instead of {:.4}, and {compared} of the {images} validation images right {than} \
         without. That is one split, one set of weights and one order of batches: \
         `--seed {}` draws others.",
        with.validation_loss,
        without.validation_loss,
        percent(change(outcomes)),
        gap[1],
        gap[0],
        seed.wrapping_add(1)
    )
}

/// What the picture shows, for its head.
pub(super) fn title(outcomes: [&Outcome; 2]) -> String {
    let text = percent(change(outcomes));
    format!("With dropout, the validation loss ends {text}")
}

/// By which fraction the validation loss is higher with dropout; negative if it is lower.
fn change([without, with]: [&Outcome; 2]) -> f64 {
    let change = with.validation_loss / without.validation_loss - 1.0;
    if with.validation_loss == without.validation_loss { 0.0 } else { change }
}

fn percent(change: f64) -> String {
    match 100.0 * change {
        0.0 => "the same".to_owned(),
        percent if percent > 0.0 => format!("{percent:.1} % higher"),
        percent => format!("{:.1} % lower", -percent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(validation_loss: f64, validation_accuracy: f64) -> Outcome {
        Outcome {
            training_loss: 0.1,
            validation_loss,
            training_accuracy: 1.0,
            validation_accuracy,
            best_validation_loss: validation_loss,
            best_epoch: 0,
            seconds: 1.0,
        }
    }

    fn said(with: Outcome) -> String {
        of([&outcome(0.5, 0.8), &with], 200, 7)
    }

    #[test]
    fn praises_dropout_only_where_it_helped() {
        let expected = "Dropout helped here: validation loss 0.4000 instead of 0.5000 (20.0 % \
                        lower), a gap to the training loss of 0.3000 instead of 0.4000, and 10 \
                        more of the 200 validation images right than without. That is one \
                        split, one set of weights and one order of batches: `--seed 8` draws \
                        others.";
        assert_eq!(said(outcome(0.4, 0.85)), expected);
        assert!(said(outcome(0.4, 0.8)).contains("and as many of the 200 validation images right"));
        let worse = said(outcome(0.6, 0.795));
        assert!(worse.starts_with("Dropout did not help here: "), "{worse}");
        assert!(worse.contains("(20.0 % higher)") && worse.contains("1 fewer of"), "{worse}");
        for mixed in [outcome(0.4, 0.75), outcome(0.6, 0.85), outcome(0.5, 0.85)] {
            let mixed = said(mixed);
            assert!(mixed.starts_with("Here dropout helped in one respect and not"), "{mixed}");
        }
        assert!(said(outcome(0.5, 0.8)).starts_with("Dropout changed nothing here: "));
    }

    #[test]
    fn heads_the_picture_with_what_it_shows() {
        let without = outcome(0.5, 0.8);
        let title = |loss| title([&without, &outcome(loss, 0.8)]);
        assert_eq!(title(0.45), "With dropout, the validation loss ends 10.0 % lower");
        assert_eq!(title(0.55), "With dropout, the validation loss ends 10.0 % higher");
        assert_eq!(title(0.5), "With dropout, the validation loss ends the same");
    }
}
