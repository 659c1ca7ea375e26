//! Rates that follow schedules while a model trains.

mod support;

use std::cell::RefCell;

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
    let compile = Compile::new("sgd", "categorical_crossentropy").technique(Mixup::new(0.3));
    model.compile_with(compile).unwrap();
    model
}

/// Two epochs of three steps, the last with fewer samples.
fn fit<'a>() -> Fit<'a> {
    Fit::epochs(2).batch_size(8).verbose(0)
}

/// The weights that a model with these rates has after training with these callbacks.
fn trained(rates: [f64; 2], schedulers: Vec<RateScheduler<'_>>) -> Vec<(String, Vec<u32>)> {
    let _guard = seeded(812);
    let (x, y) = samples(21);
    let mut model = model(rates);
    let fit = schedulers.into_iter().fold(fit(), Fit::callback);
    model.fit(&x, &y, fit).unwrap();
    bits(&model)
}

#[test]
fn a_constant_schedule_is_a_rate_to_the_bit() {
    let constant = || PolynomialDecay::new(0.1, 1).end_learning_rate(0.1);
    let both = RateScheduler::new("dropout/rate", constant()).and("dropout_1/rate");
    assert_eq!(trained([0.4, 0.2], vec![both]), trained([0.1, 0.1], vec![]));
    let functions = ["dropout/rate", "dropout_1/rate"].map(|path| RateScheduler::by(path, |_| 0.1));
    assert_eq!(trained([0.4, 0.2], functions.into()), trained([0.1, 0.1], vec![]));
    assert_ne!(trained([0.4, 0.2], vec![]), trained([0.1, 0.1], vec![]));
}

#[test]
fn every_step_has_its_rate_and_steps_go_on_in_the_next_fit() {
    let _guard = seeded(812);
    let (x, y) = samples(21);
    let mut model = model([0.4, 0.4]);
    let (asked, seen) = (RefCell::new(vec![]), RefCell::new(vec![]));
    let mut logged = vec![];
    for _ in 0..2 {
        let rate = RateScheduler::by("dropout/rate", |step| {
            asked.borrow_mut().push(step);
            step as f64 / 100.0
        });
        let listen = LambdaCallback::new().on_train_batch_end(|_, _, training| {
            let numbers = training.numbers();
            let rate = numbers.iter().find(|(path, _)| path == "dropout/rate").unwrap();
            seen.borrow_mut().push(rate.1);
            Ok(())
        });
        let validated = fit().validation_data(&x, &y).callback(rate).callback(listen);
        logged.extend_from_slice(&model.fit(&x, &y, validated).unwrap()["dropout_rate"]);
    }
    assert_eq!(asked.into_inner(), (0..12).collect::<Vec<_>>());
    assert_eq!(seen.into_inner(), (0..12).map(|step| f64::from(step) / 100.0).collect::<Vec<_>>());
    assert_eq!(logged, [0.02, 0.05, 0.08, 0.11]);
    assert!(model.numbers().unwrap().contains(&("dropout/rate".to_owned(), 0.11)));
}

#[test]
fn a_rate_of_0_wakes_when_its_schedule_says_so() {
    let late = |begin: usize| {
        RateScheduler::by("dropout/rate", move |step| if step < begin { 0.0 } else { 0.5 })
    };
    assert_eq!(trained([0.0, 0.2], vec![late(100)]), trained([0.0, 0.2], vec![]));
    assert_ne!(trained([0.0, 0.2], vec![late(4)]), trained([0.0, 0.2], vec![]));
    assert_eq!(trained([0.0, 0.2], vec![late(4)]), trained([0.0, 0.2], vec![late(4)]));
}

#[test]
fn strengths_of_techniques_follow_schedules_too() {
    let scheduler = RateScheduler::by("techniques/mixup/alpha", |_| 0.3);
    assert_eq!(trained([0.2, 0.2], vec![scheduler]), trained([0.2, 0.2], vec![]));
    let scheduler = RateScheduler::by("techniques/mixup/alpha", |_| 0.0);
    assert_ne!(trained([0.2, 0.2], vec![scheduler]), trained([0.2, 0.2], vec![]));
}

#[test]
fn rates_out_of_their_range_are_refused_with_the_step() {
    let _guard = seeded(812);
    let (x, y) = samples(21);
    let mut model = model([0.4, 0.4]);
    let rate = RateScheduler::by("dropout/rate", |step| 0.5 * step as f64);
    let error = model.fit(&x, &y, fit().callback(rate)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "at step 3 of a schedule: Invalid value received for argument `rate`. Expected a float \
         value between 0 and 1. Received: rate=1.5\n    in: dropout/rate\n  help: the rate is the \
         fraction of inputs that is dropped"
    );
    let alpha = RateScheduler::by("techniques/mixup/alpha", |_| -1.0);
    let error = model.fit(&x, &y, fit().callback(alpha)).unwrap_err();
    assert!(error.message.ends_with("must be a number of 0 or more, got -1"), "{error}");
    let before = bits(&model);
    let unknown = RateScheduler::by("dropout/date", |_| 0.5);
    let error = model.fit(&x, &y, fit().callback(unknown)).unwrap_err();
    assert_eq!(error.message, "there is no number `dropout/date` to schedule");
    assert!(error.help.unwrap().contains("dropout_1/rate"));
    assert_eq!(bits(&model), before);
}
