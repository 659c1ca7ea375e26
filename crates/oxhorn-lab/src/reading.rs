//! How learning curves are to be read: what they show of a variant, and what they do not.

use crate::{
    data::Card,
    diagnose::{Diagnosis, Facts, diagnose},
    show,
    study::Study,
};

/// What is to be known of a variant's curves, in the mean of all seeds: a diagnosis with its
/// evidence and what to try next; `None` of a variant without curves.
///
/// Training loss above validation loss is what people take for underfitting first of all. With
/// noise on it is to be expected, and this says so where it is the case.
pub fn paragraph(study: &Study, variant: usize) -> Option<String> {
    let name = &study.variants.get(variant)?.name;
    let finished = study.finished(variant).next();
    let names = finished.map(|(_, it)| it.curves.keys()).into_iter().flatten();
    let curves = names.map(|name| (name.clone(), study.mean_curve(variant, name))).collect();
    let found = diagnose(&curves, &facts(&study.data)).ok()?;
    let next = match found.diagnosis {
        Diagnosis::Healthy => String::new(),
        _ => format!(" To try next: {}.", found.next_step),
    };
    let artefact = artefact(study, variant).map_or(String::new(), |text| format!(" {text}"));
    Some(format!("{name}: {}: {}.{next}{artefact}", word(found.diagnosis), found.evidence))
}

fn word(diagnosis: Diagnosis) -> &'static str {
    match diagnosis {
        Diagnosis::Overfitting => "overfitting",
        Diagnosis::Underfitting => "underfitting",
        Diagnosis::ValidationTooSmall => "too little validation data to tell",
        Diagnosis::Noise => "too noisy to tell",
        Diagnosis::Diverging => "diverging",
        Diagnosis::Healthy => "healthy curves",
    }
}

fn facts(card: &Card) -> Facts {
    let rows = card.shape.first().copied().unwrap_or(0);
    Facts {
        validation_samples: Some(rows.saturating_sub(card.split.train())),
        classes: card.classes,
    }
}

/// What training loss above validation loss says, where it was for more than the first epochs.
fn artefact(study: &Study, variant: usize) -> Option<String> {
    let [loss, clean, val] =
        ["loss", "clean_loss", "val_loss"].map(|curve| study.mean_curve(variant, curve));
    let above = |loss: &[f64]| loss.iter().zip(&val).filter(|(loss, val)| loss > val).count();
    let reported = above(&loss);
    // In its first epochs, while all losses fall, hardly any network is without it; and of the last
    // the diagnosis speaks.
    let at_last = loss.last().zip(val.last()).is_some_and(|(loss, val)| loss > val);
    (10 * reported > loss.len() && !at_last).then(|| {
        format!(
            "That `loss` is above `val_loss` in {} of {} says nothing, for it is measured with \
             noise on and while the network learns; `clean_loss` is in {}.",
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
    fn a_variant_is_diagnosed_by_the_means_of_its_curves() {
        let study = fixture::study(&[&[0.5, 0.6]]);
        let text = paragraph(&study, 0).unwrap();
        let expected = diagnose(
            &["loss", "clean_loss", "val_loss"]
                .map(|name| (name.to_owned(), study.mean_curve(0, name)))
                .into(),
            &Facts { validation_samples: Some(1297), classes: Some(10) },
        )
        .unwrap();
        assert!(text.starts_with("none: ") && text.contains(&expected.evidence), "{text}");
        let next = format!(" To try next: {}.", expected.next_step);
        assert_eq!(text.contains(&next), expected.diagnosis != Diagnosis::Healthy, "{text}");
        assert_eq!(paragraph(&fixture::study(&[&[]]), 0), None);
        assert_eq!(paragraph(&study, 7), None);
    }

    #[test]
    fn training_loss_above_validation_loss_is_explained_where_it_is_found() {
        // In the first two of the fixture's three epochs; with noise off in none.
        let study = fixture::study(&[&[0.5, 0.6]]);
        assert!(paragraph(&study, 0).unwrap().ends_with(
            " That `loss` is above `val_loss` in 2 of 3 epochs says nothing, for it is measured \
             with noise on and while the network learns; `clean_loss` is in 0."
        ));
    }
}
