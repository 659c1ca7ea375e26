//! The numbers that people turn while a model trains.

mod support;

use oxhorn::{callbacks::LambdaCallback, prelude::*};
use support::{bits, samples, seeded};

/// A small model with two dropouts of these rates, compiled; what it draws is always the same.
fn model(rates: [f64; 2]) -> Sequential {
    let mut model = Sequential::new()
        .threads(1)
        .add(Dense::new(7).activation("relu").input_dim(25))
        .add(Dropout::new(rates[0]))
        .add(Dense::new(6).activation("relu"))
        .add(Dropout::new(rates[1]))
        .add(Dense::new(5).activation("softmax"));
    model.compile("sgd", "categorical_crossentropy", ["accuracy"]).unwrap();
    model
}

/// Two epochs, the last step of each with fewer samples.
fn fit<'a>() -> Fit<'a> {
    Fit::epochs(2).batch_size(8).verbose(0)
}

/// The operations of the training step that draw random words.
fn noise(model: &mut Sequential) -> usize {
    let text = model.graph(8, &[5]).unwrap().to_string();
    text.matches("random_bits").count()
}

#[test]
fn a_rate_of_0_is_absent_from_the_graph_and_draws_no_seed() {
    let trained = |between: fn(Sequential) -> Sequential| {
        let _guard = seeded(812);
        let first = Sequential::new().threads(1).add(Dense::new(7).input_dim(25));
        let last = Dense::new(5).activation("softmax");
        let mut model = between(first).add(Dropout::new(0.3)).add(last);
        model.compile("sgd", "categorical_crossentropy", ["accuracy"]).unwrap();
        let (x, y) = samples(21);
        model.fit(&x, &y, fit()).unwrap();
        (bits(&model), noise(&mut model))
    };
    let (weights, noise) = trained(|model| model.add(Dropout::new(0.0)));
    assert_eq!(noise, 1);
    assert_eq!((weights, noise), trained(|model| model));
}

#[test]
fn a_rate_of_0_can_be_turned_up_between_epochs() {
    let trained = |rate: f64| {
        let _guard = seeded(812);
        let (x, y) = samples(21);
        let mut model = model([0.0, 0.0]);
        let turn = LambdaCallback::new().on_epoch_begin(move |epoch, training| {
            training.set_number("dropout_1/rate", rate * epoch as f64)
        });
        let validated = fit().shuffle(false).validation_data(&x, &y).callback(turn);
        let history = model.fit(&x, &y, validated).unwrap();
        (noise(&mut model), bits(&model), history)
    };
    let ((none, quiet, quiet_history), (some, noisy, noisy_history)) = (trained(0.0), trained(0.5));
    assert_eq!((none, some), (0, 1));
    assert_ne!(quiet, noisy);
    let [quiet, noisy] = [quiet_history, noisy_history].map(|it| it["loss"].to_vec());
    assert!(quiet[0] == noisy[0] && quiet[1] != noisy[1], "{quiet:?} {noisy:?}");
    assert_eq!(trained(0.5).1, trained(0.5).1);
}

#[test]
fn a_rate_that_was_turned_up_and_back_to_0_changes_nothing() {
    let trained = |turn: &[f64]| {
        let _guard = seeded(812);
        let (x, y) = samples(21);
        let mut model = model([0.0, 0.0]);
        for &rate in turn {
            model.set_number("dropout/rate", rate).unwrap();
        }
        model.fit(&x, &y, fit().shuffle(false)).unwrap();
        bits(&model)
    };
    assert_eq!(trained(&[0.5, 0.0]), trained(&[]));
    assert_ne!(trained(&[0.5]), trained(&[]));
}

#[test]
fn a_rate_that_was_turned_up_stays_when_the_model_is_compiled_anew() {
    let _guard = seeded(812);
    let mut model = model([0.0, 0.0]);
    model.set_number("dropout/rate", 0.5).unwrap();
    model.compile("adam", "categorical_crossentropy", ["accuracy"]).unwrap();
    assert_eq!(noise(&mut model), 1);
    assert!(model.numbers().unwrap().contains(&("dropout/rate".to_owned(), 0.5)));
}

#[test]
fn a_rate_whose_noise_does_not_fit_stays_at_0() {
    let _guard = seeded(812);
    let (x, y) = samples(9);
    let mut model = Sequential::new()
        .add(Dropout::new(0.0).noise_shape([None, Some(2)]).input_dim(25))
        .add(Dense::new(5).activation("softmax"));
    model.compile("sgd", "categorical_crossentropy", ["accuracy"]).unwrap();
    model.fit(&x, &y, fit()).unwrap();
    for _ in 0..2 {
        assert!(model.set_number("dropout/rate", 0.5).is_err());
    }
    assert_eq!(model.numbers().unwrap()[0], ("dropout/rate".to_owned(), 0.0));
    model.fit(&x, &y, fit()).unwrap();
}
