//! Diagnoses of curves that were made to have them, and of real trainings.

mod support;

use std::collections::BTreeMap;

use oxhorn::{prelude::*, random::Streams};
use oxhorn_lab::{
    Diagnosed,
    Diagnosis::{self, *},
    Facts, Target, diagnose,
    diagnose::curves_of,
};
use support::{INPUTS, blobs, curve};

type Curves = BTreeMap<String, Vec<f64>>;

/// A curve that falls from one number towards another, by a factor of e in `tau` epochs.
fn falling(epochs: usize, from: f64, to: f64, tau: f64) -> Vec<f64> {
    (0..epochs).map(|epoch| to + (from - to) * (-(epoch as f64) / tau).exp()).collect()
}

/// The same, and then rising by so much an epoch from some epoch on.
fn turning(epochs: usize, from: f64, to: f64, tau: f64, (at, slope): (usize, f64)) -> Vec<f64> {
    let values = falling(epochs, from, to, tau).into_iter().enumerate();
    values.map(|(epoch, value)| value + slope * epoch.saturating_sub(at) as f64).collect()
}

/// The same with normal noise, drawn from this seed.
fn noisy(values: Vec<f64>, deviation: f64, seed: u32) -> Vec<f64> {
    let numpy = &mut Streams::seeded(seed).numpy;
    values.into_iter().map(|value| value + deviation * numpy.standard_normal()).collect()
}

fn named<const N: usize>(curves: [(&str, Vec<f64>); N]) -> Curves {
    curves.into_iter().map(|(name, values)| (name.to_owned(), values)).collect()
}

fn two(loss: Vec<f64>, val_loss: Vec<f64>) -> Curves {
    named([("loss", loss), ("val_loss", val_loss)])
}

fn three(loss: Vec<f64>, clean_loss: Vec<f64>, val_loss: Vec<f64>) -> Curves {
    named([("loss", loss), ("clean_loss", clean_loss), ("val_loss", val_loss)])
}

fn diagnosed(curves: &Curves, facts: Facts) -> Diagnosed {
    let found = diagnose(curves, &facts).unwrap();
    assert!(!found.evidence.is_empty() && !found.next_step.is_empty());
    assert!(found.evidence.contains(|c: char| c.is_ascii_digit()) || found.diagnosis == Diverging);
    found
}

fn check(cases: Vec<(&str, Diagnosis, Curves, Facts)>) -> usize {
    let count = cases.len();
    for (name, expected, curves, facts) in cases {
        let found = diagnosed(&curves, facts);
        assert_eq!(found.diagnosis, expected, "{name}: {}", found.evidence);
    }
    count
}

fn none() -> Facts {
    Facts::default()
}

fn samples(count: usize) -> Facts {
    Facts { validation_samples: Some(count), classes: None }
}

fn classes(count: usize) -> Facts {
    Facts { validation_samples: None, classes: Some(count) }
}

#[test]
fn losses_that_settle_together_are_healthy() {
    let f = falling;
    let with_accuracy = |n: usize| {
        let mut curves = two(f(n, 2.3, 0.25, 3.0), f(n, 2.0, 0.3, 3.0));
        let right = f(n, 0.3, 0.93, 3.0);
        curves.insert("val_accuracy".to_owned(), noisy(right, 1e-3, 5));
        curves
    };
    check(vec![
        ("plain", Healthy, two(f(30, 2.3, 0.25, 3.0), f(30, 2.0, 0.3, 3.0)), none()),
        ("long", Healthy, two(f(200, 2.3, 0.25, 9.0), f(200, 2.0, 0.3, 9.0)), classes(10)),
        (
            "jittery",
            Healthy,
            two(noisy(f(40, 2.3, 0.25, 3.0), 0.005, 1), noisy(f(40, 2.0, 0.3, 3.0), 0.01, 2)),
            none(),
        ),
        (
            "clean",
            Healthy,
            three(f(30, 2.3, 0.3, 3.0), f(30, 2.1, 0.24, 3.0), f(30, 2.1, 0.3, 3.0)),
            none(),
        ),
        ("accurate", Healthy, with_accuracy(30), samples(1000)),
        ("many samples", Healthy, two(f(30, 2.3, 0.25, 3.0), f(30, 2.0, 0.3, 3.0)), samples(5000)),
        ("regression", Healthy, two(f(50, 140.0, 20.0, 4.0), f(50, 120.0, 22.0, 4.0)), none()),
        ("tiny", Healthy, two(f(50, 1.4e-3, 2e-5, 4.0), f(50, 1.2e-3, 2.4e-5, 4.0)), none()),
        ("learnt at once", Healthy, two(f(12, 0.5, 0.28, 2.0), f(12, 0.4, 0.3, 2.0)), classes(10)),
    ]);
}

#[test]
fn a_training_loss_above_that_of_validation_is_no_sign_of_anything() {
    let f = falling;
    let cases = vec![
        ("strong", Healthy, two(f(40, 2.4, 0.9, 4.0), f(40, 1.9, 0.4, 4.0)), none()),
        ("stronger", Healthy, two(f(40, 2.4, 1.85, 4.0), f(40, 2.1, 0.9, 4.0)), classes(10)),
        ("mild", Healthy, two(f(40, 2.4, 0.42, 4.0), f(40, 1.9, 0.4, 4.0)), none()),
        (
            "jittery",
            Healthy,
            two(noisy(f(60, 2.4, 0.9, 5.0), 0.02, 3), noisy(f(60, 1.9, 0.4, 5.0), 0.006, 4)),
            none(),
        ),
        (
            "clean",
            Healthy,
            three(f(40, 2.4, 0.9, 4.0), f(40, 1.9, 0.35, 4.0), f(40, 1.9, 0.4, 4.0)),
            none(),
        ),
        // Where something else is the matter, it is found all the same.
        (
            "overfitting",
            Overfitting,
            three(
                f(40, 2.4, 0.6, 4.0),
                f(40, 1.9, 0.05, 6.0),
                turning(40, 1.9, 0.4, 3.0, (12, 0.006)),
            ),
            none(),
        ),
        (
            "rising",
            Overfitting,
            two(f(60, 2.4, 0.9, 9.0), turning(60, 1.9, 0.4, 3.0, (20, 0.005))),
            none(),
        ),
        (
            "learning",
            Underfitting,
            three(f(12, 2.4, 0.5, 9.0), f(12, 2.1, 0.3, 9.0), f(12, 2.1, 0.3, 9.0)),
            none(),
        ),
        (
            "learning nothing",
            Underfitting,
            two(f(20, 2.5, 2.29, 4.0), f(20, 2.3, 2.2, 4.0)),
            classes(10),
        ),
    ];
    for (name, _, curves, facts) in &cases {
        let found = diagnosed(curves, *facts);
        let last = |name: &str| *curves[name].last().unwrap();
        if last("loss") > last("val_loss") {
            assert!(found.evidence.contains("says nothing"), "{name}: {}", found.evidence);
        }
    }
    check(cases);
}

#[test]
fn what_gets_worse_on_what_it_has_not_seen_overfits() {
    let (f, t) = (falling, turning);
    check(vec![
        (
            "plain",
            Overfitting,
            two(f(50, 2.3, 0.02, 6.0), t(50, 2.0, 0.4, 3.0, (10, 0.01))),
            none(),
        ),
        (
            "slow",
            Overfitting,
            two(f(200, 2.3, 0.02, 20.0), t(200, 2.0, 0.4, 9.0, (60, 0.001))),
            none(),
        ),
        ("steep", Overfitting, two(f(20, 2.3, 0.001, 2.0), t(20, 2.0, 0.4, 1.0, (4, 0.1))), none()),
        (
            "jittery",
            Overfitting,
            two(
                noisy(f(60, 2.3, 0.05, 6.0), 0.004, 5),
                noisy(t(60, 2.0, 0.4, 3.0, (15, 0.01)), 0.02, 6),
            ),
            none(),
        ),
        (
            "clean",
            Overfitting,
            three(f(50, 2.3, 0.2, 6.0), f(50, 2.0, 0.02, 6.0), t(50, 2.0, 0.4, 3.0, (10, 0.01))),
            none(),
        ),
        ("by heart", Overfitting, two(f(60, 2.3, 0.001, 5.0), f(60, 2.0, 0.5, 4.0)), none()),
        (
            "by heart, many samples",
            Overfitting,
            two(f(60, 2.3, 0.01, 5.0), f(60, 2.0, 0.5, 4.0)),
            samples(2000),
        ),
        (
            "regression",
            Overfitting,
            two(f(80, 90.0, 1.0, 9.0), t(80, 80.0, 20.0, 5.0, (20, 0.3))),
            none(),
        ),
        (
            "few samples, but clear",
            Overfitting,
            two(f(50, 2.3, 0.02, 6.0), t(50, 2.0, 0.4, 3.0, (10, 0.02))),
            samples(40),
        ),
    ]);
}

#[test]
fn what_could_still_learn_underfits() {
    let f = falling;
    check(vec![
        ("short", Underfitting, two(f(10, 2.3, 0.3, 9.0), f(10, 2.2, 0.35, 9.0)), none()),
        ("shorter", Underfitting, two(f(3, 2.3, 0.3, 6.0), f(3, 2.2, 0.35, 6.0)), none()),
        ("slow", Underfitting, two(f(100, 2.3, 0.3, 90.0), f(100, 2.2, 0.35, 90.0)), none()),
        (
            "jittery",
            Underfitting,
            two(noisy(f(30, 2.3, 0.3, 25.0), 0.01, 7), noisy(f(30, 2.2, 0.35, 25.0), 0.02, 8)),
            none(),
        ),
        ("guessing", Underfitting, two(f(20, 1.65, 1.6, 3.0), f(20, 1.63, 1.61, 3.0)), classes(5)),
        ("stuck", Underfitting, two(f(30, 2.31, 2.0, 3.0), f(30, 2.2, 2.02, 3.0)), none()),
        (
            "too much noise",
            Underfitting,
            three(f(30, 2.4, 2.2, 3.0), f(30, 2.3, 1.9, 3.0), f(30, 2.3, 1.92, 3.0)),
            classes(10),
        ),
    ]);
}

#[test]
fn too_few_samples_are_said_to_be_so() {
    let f = falling;
    let accurate = |n: u32, count: f64, end: f64| {
        let right = noisy(f(30, 0.4, end, 3.0), 0.04, n);
        let mut curves = two(f(30, 2.3, 0.3, 3.0), f(30, 2.0, 0.35, 3.0));
        let right = right.into_iter().map(|p| f64::from(((p * count).round() / count) as f32));
        curves.insert("val_accuracy".to_owned(), right.collect());
        curves
    };
    check(vec![
        ("16", ValidationTooSmall, accurate(1, 16.0, 0.8), samples(16)),
        ("40", ValidationTooSmall, accurate(2, 40.0, 0.9), samples(40)),
        ("16, untold", ValidationTooSmall, accurate(3, 16.0, 0.8), none()),
        ("25, untold", ValidationTooSmall, accurate(4, 25.0, 0.7), none()),
        (
            "loss only",
            ValidationTooSmall,
            two(f(30, 2.3, 0.3, 3.0), f(30, 2.0, 0.33, 3.0)),
            samples(20),
        ),
        (
            "jumping",
            ValidationTooSmall,
            two(noisy(f(50, 2.3, 0.3, 4.0), 0.003, 9), noisy(f(50, 2.0, 0.5, 4.0), 0.1, 10)),
            none(),
        ),
        ("enough", Healthy, accurate(5, 1000.0, 0.93), samples(1000)),
        ("enough, untold", Healthy, accurate(6, 1009.0, 0.93), none()),
    ]);
}

#[test]
fn losses_that_jump_or_grow_are_told_apart() {
    let f = falling;
    let both = |deviation: f64, seed: u32| {
        let jumping = |from: f64, to: f64, seed: u32| {
            let values = noisy(f(60, from, to, 5.0), deviation, seed);
            values.into_iter().map(|value| value.max(0.01)).collect()
        };
        two(jumping(2.3, 0.6, seed), jumping(2.0, 0.7, seed + 1))
    };
    let growing = |n: usize| (0..n).map(|epoch| 1.0 + 0.2 * epoch as f64).collect::<Vec<_>>();
    let with = |at: usize, value: f64| {
        let mut values = f(20, 2.3, 0.3, 4.0);
        values[at] = value;
        values
    };
    check(vec![
        ("jumping", Noise, both(0.3, 11), none()),
        ("jumping more", Noise, both(0.5, 13), classes(10)),
        ("jumping, many samples", Noise, both(0.4, 15), samples(5000)),
        ("nan", Diverging, two(with(3, f64::NAN), f(20, 2.0, 0.3, 4.0)), none()),
        ("infinite", Diverging, two(with(19, f64::INFINITY), f(20, 2.0, 0.3, 4.0)), none()),
        ("nan in validation", Diverging, two(f(20, 2.0, 0.3, 4.0), with(7, f64::NAN)), none()),
        ("growing", Diverging, two(growing(20), growing(20)), none()),
        (
            "bursting",
            Diverging,
            two(growing(9).iter().map(|x| x.exp()).collect(), growing(9)),
            none(),
        ),
        ("only a loss", Diverging, named([("loss", vec![1.0, f64::NAN])]), none()),
        (
            "falling, then growing",
            Diverging,
            two(
                [f(20, 2.3, 0.5, 4.0), growing(20)].concat(),
                [f(20, 2.3, 0.5, 4.0), growing(20)].concat(),
            ),
            none(),
        ),
    ]);
}

#[test]
fn the_evidence_has_the_numbers() {
    let curves = two(falling(50, 2.3, 0.02, 6.0), turning(50, 2.0, 0.4, 3.0, (10, 0.01)));
    let found = diagnosed(&curves, none());
    assert_eq!(
        found.evidence,
        "`val_loss` was least after epoch 13, at 0.449, and has risen to 0.770 while the training \
         loss fell to 0.0209"
    );
    assert!(found.next_step.contains("Dropout"));
    let curves = named([("val_loss", vec![1.0])]);
    let error = diagnose(&curves, &none()).unwrap_err();
    assert_eq!(error.message, "there is no `loss` to diagnose");
    let curves = named([("loss", vec![1.0, 0.5])]);
    let error = diagnose(&curves, &none()).unwrap_err();
    assert_eq!(error.message, "there is no `val_loss`, without which a training says little");
    // One epoch is enough to say something.
    let curves = two(vec![2.3], vec![2.2]);
    assert_eq!(diagnosed(&curves, classes(10)).diagnosis, Underfitting);
}

/// Whether training data are measured with noise off as well.
#[derive(Clone, Copy)]
enum Pass {
    Keras,
    Clean,
}

/// What a training of `blobs` looks like: with these layers between, for so many epochs.
fn trained(
    (units, epochs, rate): (usize, usize, f64),
    learning_rate: f64,
    train: usize,
    pass: Pass,
) -> Curves {
    let data = blobs(800, train);
    let Target::Classes { labels, .. } = &data.y else { panic!("blobs are classes") };
    let mut model = Sequential::new()
        .seed_by_path(2)
        .add(Dropout::new(rate).input_shape([INPUTS]))
        .add(Dense::new(units).activation("relu"))
        .add(Dropout::new(rate))
        .add(Dense::new(units).activation("relu"))
        .add(Dense::new(3).activation("softmax"));
    let adam = Adam::new().learning_rate(learning_rate);
    model.compile(adam, "sparse_categorical_crossentropy", ["accuracy"]).unwrap();
    let share = 1.0 - train as f64 / 800.0;
    let settings = Fit::epochs(epochs).batch_size(20).validation_split(share).verbose(0);
    let settings = match pass {
        Pass::Keras => settings,
        Pass::Clean => settings.clean_train_eval(),
    };
    curves_of(&model.fit(&data.x, labels, settings).unwrap())
}

#[test]
fn real_trainings_are_known_for_what_they_are() {
    let facts = Facts { validation_samples: Some(700), classes: Some(3) };
    let by_heart = trained((64, 60, 0.0), 0.01, 100, Pass::Keras);
    assert_eq!(diagnosed(&by_heart, facts).diagnosis, Overfitting);
    let short = trained((8, 3, 0.0), 0.001, 100, Pass::Keras);
    assert_eq!(diagnosed(&short, facts).diagnosis, Underfitting);
    // Dropout keeps the loss above that of validation, with which all is well.
    for pass in [Pass::Keras, Pass::Clean] {
        let curves = trained((32, 60, 0.4), 0.003, 500, pass);
        let last = |name: &str| *curves[name].last().unwrap();
        let (loss, val_loss) = (last("loss"), last("val_loss"));
        assert!(loss > val_loss, "{loss}, {val_loss}");
        let facts = Facts { validation_samples: Some(300), classes: Some(3) };
        let found = diagnosed(&curves, facts);
        assert_eq!(found.diagnosis, Healthy, "{}", found.evidence);
        assert!(found.evidence.contains("says nothing"));
    }
}

#[test]
fn a_real_training_that_diverges_is_known_as_such() {
    let data = curve(60, 40);
    let Target::Values(y) = &data.y else { panic!("`curve` is about numbers") };
    let mut model = Sequential::new().add(Dense::new(1).input_dim(INPUTS));
    model.compile(SGD::new().learning_rate(3.0), "mse", NO_METRICS).unwrap();
    let fit = Fit::epochs(8).validation_split(0.3).verbose(0);
    let curves = curves_of(&model.fit(&data.x, y, fit).unwrap());
    assert_eq!(diagnosed(&curves, none()).diagnosis, Diverging);
}
