//! What Keras lacks. There are no vectors of it: for each class stands an entry here, with what
//! proves its closed form, its moments, or the numbers of its paper or of a reference.
//!
//! The entries are by category, in the files of `own/`. A class without one fails.

mod layers;
mod metrics;
mod schedules;
mod techniques;

use oxhorn_nn::{
    Json, Layer,
    activations::Activate,
    constraints::Constrain,
    handle::{Category, Handle},
    initializers::Initialize,
    losses::Penalize,
    metrics::Measure,
    optimizers::Minimize,
    regularizers::Regularize,
    schedules::Schedule,
    techniques::Intervene,
};

use crate::golden::assert_settings_are_tried;

/// What is shown of one class.
pub(crate) struct Own {
    /// Module and name: `oxhorn.layers.DropPath`.
    class: &'static str,
    /// The envelope of an object whose every setting has another value than its default.
    example: fn() -> Json,
    /// What is true of the class, by the sentence that each test proves.
    proofs: &'static [(&'static str, fn())],
}

/// The entries of a category: `own! { "oxhorn.layers.DropPath": DropPath::new(0.3) => a, b; }`,
/// where `DropPath::new(0.3)` is the example, and `a` and `b` are functions that prove something.
macro_rules! own {
    ($($class:literal: $example:expr => $($proof:ident),+;)*) => {
        pub(crate) const OWN: &[crate::own::Own] = &[$(crate::own::Own {
            class: $class,
            example: || oxhorn_nn::Object::envelope(&$example),
            proofs: &[$((stringify!($proof), $proof)),+],
        }),*];
    };
}
pub(crate) use own;

/// All entries.
fn entries() -> impl Iterator<Item = &'static Own> {
    [layers::OWN, metrics::OWN, schedules::OWN, techniques::OWN].into_iter().flatten()
}

#[test]
fn every_class_that_keras_lacks_is_proved() {
    let mut failed = vec![];
    let mut known = vec![];
    let mut check = |names: Vec<&'static str>, wrong: Vec<String>| {
        known.extend(names);
        failed.extend(wrong);
    };
    macro_rules! categories {
        ($($category:ident)*) => { $({
            let (names, wrong) = proved::<dyn $category>();
            check(names, wrong);
        })* };
    }
    categories! {
        Activate Constrain Initialize Layer Penalize Measure Minimize Regularize Schedule Intervene
    }
    let unknown = entries().filter(|own| !known.contains(&own.class));
    failed.extend(unknown.map(|own| format!("{}: there is no such class", own.class)));
    assert!(failed.is_empty(), "not proved:\n  {}", failed.join("\n  "));
}

/// The classes of a category that Keras lacks, and what is wrong with them.
fn proved<T: Category + ?Sized>() -> (Vec<&'static str>, Vec<String>) {
    let (mut names, mut failed) = (vec![], vec![]);
    for class in T::classes().iter().filter(|class| !class.is_keras()) {
        names.push(class.class);
        let Some(own) = entries().find(|own| own.class == class.class) else {
            failed.push(format!("{}: an entry in tests/conformance/own is missing", class.class));
            continue;
        };
        let round_trip = || {
            let example = (own.example)();
            assert_eq!(example["module"], class.class.rsplit_once('.').expect("a module").0);
            let read = Handle::<T>::open(&example).expect("an object");
            assert_eq!(read.envelope(), example);
            let case = serde_json::json!({"config": example});
            assert_settings_are_tried(class, &[case], &[("", "dtype")]);
        };
        let proofs = own.proofs.iter().map(|(name, proof)| (*name, *proof as fn()));
        for (name, proof) in proofs {
            if std::panic::catch_unwind(proof).is_err() {
                failed.push(format!("{}: {name}", class.class));
            }
        }
        if std::panic::catch_unwind(round_trip).is_err() {
            failed.push(format!("{}: its dictionary goes both ways", class.class));
        }
    }
    (names, failed)
}
