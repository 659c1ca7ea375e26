//! How learning curves are to be read: what they show of a variant, and what they do not.

use crate::{show, study::Study};

/// What is to be known of a variant's curves, over all seeds: a paragraph, or none.
///
/// Training loss above validation loss is what people take for underfitting first of all. With
/// noise on it is to be expected, and this says so where it is the case.
pub fn paragraph(study: &Study, variant: usize) -> Option<String> {
    let name = &study.variants.get(variant)?.name;
    let [loss, clean, val] =
        ["loss", "clean_loss", "val_loss"].map(|curve| study.mean_curve(variant, curve));
    let above = |loss: &[f64]| loss.iter().zip(&val).filter(|(loss, val)| loss > val).count();
    let reported = above(&loss);
    // In its first epochs, while all losses fall, hardly any network is without it.
    (10 * reported > loss.len()).then(|| {
        format!(
            "{name}: the training loss that `fit` reports is above the validation loss in {} of \
             {}. That alone is no sign of underfitting: it is taken while weights change and with \
             noise on. Measured after each epoch with noise off, it is above in {}.",
            show::count(reported),
            show::of(loss.len(), "epoch", "epochs"),
            show::count(above(&clean))
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::fixture;

    #[test]
    fn training_loss_above_validation_loss_is_explained_where_it_is_found() {
        // In the first two of the fixture's three epochs; with noise off in none.
        let study = fixture::study(&[&[0.5, 0.6]]);
        assert_eq!(
            paragraph(&study, 0).unwrap(),
            "none: the training loss that `fit` reports is above the validation loss in 2 of 3 \
             epochs. That alone is no sign of underfitting: it is taken while weights change and \
             with noise on. Measured after each epoch with noise off, it is above in 0."
        );
        assert_eq!(paragraph(&fixture::study(&[&[]]), 0), None);
        assert_eq!(paragraph(&study, 7), None);
    }
}
