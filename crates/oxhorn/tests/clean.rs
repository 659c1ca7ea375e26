//! `fit` with a clean pass: training data measured after every epoch as `evaluate` measures them.

mod support;

use std::{cell::Cell, io::Write};

use ndarray::{Array1, Array2, s};
use oxhorn::{
    Result,
    callbacks::{Callback, Granularity, Training},
    history::History,
    metrics::MeanSquaredError,
    prelude::*,
};
use support::{bits, seeded};

/// Samples: a prime number, which no batch size divides.
const SAMPLES: usize = 23;

/// A network with all that makes training differ from measuring, and with penalties.
fn network() -> Sequential {
    let mut model = Sequential::new()
        .threads(1)
        .add(
            Dense::new(7)
                .activation("relu")
                .kernel_regularizer("l2")
                .activity_regularizer("l1")
                .input_dim(5),
        )
        .add(BatchNormalization::new())
        .add(GaussianNoise::new(0.5))
        .add(Dropout::new(0.5))
        .add(Dense::new(3).activation("softmax").bias_regularizer("l1"));
    model.compile(SGD::default(), "sparse_categorical_crossentropy", ["accuracy"]).unwrap();
    model
}

fn data() -> (Array2<f64>, Array1<i64>, Array1<f64>) {
    (random((SAMPLES, 5)), randint(3, SAMPLES), random(SAMPLES))
}

/// A fit of so many epochs that prints nothing.
fn quiet<'a>(epochs: usize) -> Fit<'a> {
    Fit::epochs(epochs).batch_size(5).verbose(0)
}

/// What `evaluate` gives for the samples before this one.
fn evaluated(
    model: &mut Sequential,
    (x, y, weights): &(Array2<f64>, Array1<i64>, Array1<f64>),
    until: usize,
) -> Logs {
    let evaluate = Evaluate::new().batch_size(5).verbose(0);
    let (x, y, weights) =
        (x.slice(s![..until, ..]), y.slice(s![..until]), weights.slice(s![..until]));
    model.evaluate_with(x, y, evaluate.sample_weight(weights)).unwrap()
}

#[test]
fn the_clean_numbers_are_those_of_evaluate_to_the_bit() {
    let _guard = seeded(1);
    let data = data();
    let mut model = network();
    for _ in 0..3 {
        let (x, y, weights) = &data;
        let fit = quiet(1).sample_weight(weights).validation_split(0.2).clean_train_eval();
        let history = model.fit(x, y, fit).unwrap();
        // 23 samples of which a fifth is kept: batches of 5, 5, 5 and 3.
        let expected = evaluated(&mut model, &data, 18);
        assert_eq!(history["clean_loss"], [expected["loss"]]);
        assert_eq!(history["clean_accuracy"], [expected["accuracy"]]);
        assert_ne!(history["loss"], history["clean_loss"]);
        assert_eq!(history["clean_gap"], [history["val_loss"][0] - history["clean_loss"][0]]);
    }
}

#[test]
fn nothing_else_changes() {
    fn run(clean: impl Fn(Fit<'static>) -> Fit<'static>) -> (History, Vec<(String, Vec<u32>)>) {
        let _guard = seeded(2);
        let (x, y, _) = data();
        let mut model = network();
        let fit = clean(quiet(3).validation_split(0.3).shuffle(true));
        let history = model.fit(&x, &y, fit).unwrap();
        (history, bits(&model))
    }
    let ((plain, plain_bits), (clean, clean_bits)) = (run(|fit| fit), run(Fit::clean_train_eval));
    assert_eq!(plain_bits, clean_bits);
    for name in ["accuracy", "loss", "val_accuracy", "val_loss"] {
        assert_eq!(plain[name], clean[name]);
    }
    let names = |history: &History| history.history.names().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(names(&plain), ["accuracy", "loss", "val_accuracy", "val_loss"]);
    assert_eq!(
        names(&clean),
        [
            "accuracy",
            "clean_accuracy",
            "clean_gap",
            "clean_loss",
            "clean_penalty",
            "loss",
            "val_accuracy",
            "val_loss"
        ]
    );
}

#[test]
fn weights_of_classes_do_not_count() {
    let _guard = seeded(3);
    let (x, y, _) = data();
    let mut model = network();
    let fit = quiet(1).class_weight([(0, 5.0), (1, 0.1)]).clean_train_eval();
    let history = model.fit(&x, &y, fit).unwrap();
    let evaluate = Evaluate::new().batch_size(5).verbose(0);
    let expected = model.evaluate_with(&x, &y, evaluate).unwrap();
    assert_eq!(history["clean_loss"], [expected["loss"]]);
    assert!(history.history.get("clean_gap").is_none());
}

#[test]
fn the_share_of_penalties_is_what_the_formula_says() {
    let _guard = seeded(4);
    let (x, y, _) = data();
    let regularized = |strength: Option<&str>| {
        let mut dense = Dense::new(3).activation("softmax");
        if let Some(strength) = strength {
            dense = dense.kernel_regularizer(strength);
        }
        let mut model = Sequential::new().threads(1).add(Dropout::new(0.5)).add(dense);
        model.compile("sgd", "sparse_categorical_crossentropy", NO_METRICS).unwrap();
        model
    };
    let mut model = regularized(Some("l2"));
    let history = model.fit(&x, &y, quiet(1).clean_train_eval()).unwrap();
    let kernel = model.weight("dense/kernel").unwrap();
    let expected = 0.01 * kernel.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>();
    let penalty = history["clean_penalty"][0];
    assert!((penalty - expected).abs() < 1e-7 * expected.abs().max(1.0), "{penalty} {expected}");
    // Without it, the loss is that of the same weights without a regularizer.
    let mut plain = regularized(None);
    plain.build(&[5]).unwrap();
    plain.set_weight("dense/kernel", &kernel).unwrap();
    plain.set_weight("dense/bias", &model.weight("dense/bias").unwrap()).unwrap();
    let evaluate = Evaluate::new().batch_size(5).verbose(0);
    let expected = plain.evaluate_with(&x, &y, evaluate).unwrap()["loss"];
    let loss = history["clean_loss"][0] - penalty;
    assert!((loss - expected).abs() < 1e-6, "{loss} {expected}");
    let history = plain.fit(&x, &y, quiet(1).clean_train_eval()).unwrap();
    assert!(history.history.get("clean_penalty").is_none());
}

#[test]
fn the_gap_is_there_where_a_validation_is() {
    let _guard = seeded(5);
    let (x, y, _) = data();
    let fit = quiet(4).validation_split(0.3).validation_freq(3).clean_train_eval();
    let history = network().fit(&x, &y, fit).unwrap();
    let lengths = ["loss", "clean_loss", "val_loss", "clean_gap"].map(|name| history[name].len());
    assert_eq!(lengths, [4, 4, 1, 1]);
    assert_eq!(history["clean_gap"][0], history["val_loss"][0] - history["clean_loss"][2]);
}

/// Counts what it is told, and what the epoch's numbers are afterwards.
struct Told<'a>(&'a Cell<usize>);

impl Callback for Told<'_> {
    fn granularity(&self) -> Granularity {
        Granularity::Batches
    }

    fn on_test_begin(&mut self, _: &mut dyn Training) -> Result<()> {
        self.0.set(self.0.get() + 100);
        Ok(())
    }

    fn on_test_batch_end(&mut self, _: usize, _: &Logs, _: &mut dyn Training) -> Result<()> {
        self.0.set(self.0.get() + 1);
        Ok(())
    }

    fn on_epoch_end(&mut self, _: usize, logs: &mut Logs, run: &mut dyn Training) -> Result<()> {
        // The totals are the validation's, as they are without a clean pass.
        let results = run.engine().expect("an engine").results()?;
        assert_eq!(results[0], ("loss".to_owned(), logs["val_loss"]));
        Ok(())
    }
}

#[test]
fn callbacks_see_its_numbers_and_are_told_of_no_test() {
    let _guard = seeded(6);
    let (x, y, _) = data();
    let count = Cell::new(0);
    let fit = quiet(2).validation_split(0.3).callback(Told(&count)).clean_train_eval();
    network().fit(&x, &y, fit).unwrap();
    // Two validations of 7 samples in two batches.
    assert_eq!(count.get(), 204);
    for name in ["clean_loss", "clean_accuracy", "clean_gap"] {
        // No epoch can be that much better than the first.
        let stopping = EarlyStopping::new(name).min_delta(100.0).patience(2);
        let fit = quiet(50).validation_split(0.3).callback(stopping).clean_train_eval();
        assert_eq!(network().fit(&x, &y, fit).unwrap().epoch.len(), 3, "{name}");
    }
}

#[test]
fn its_numbers_are_printed() {
    let _guard = seeded(7);
    let (x, y, _) = data();
    let mut printed = vec![];
    let fit = Fit::epochs(1).verbose(2).output(printed.by_ref()).clean_train_eval();
    let history = network().fit(&x, &y, fit).unwrap();
    let text = String::from_utf8(printed).unwrap();
    let expected = format!(" - clean_loss: {:.4} - clean_penalty: ", history["clean_loss"][0]);
    assert!(text.contains(&expected), "{text}");
}

#[test]
fn a_metric_that_would_have_a_name_of_ours_is_refused() {
    let _guard = seeded(8);
    let (x, y) = (random((7, 2)), random((7, 1)));
    for name in ["gap", "penalty"] {
        let mut model = Sequential::new().add(Dense::new(1));
        model.compile("sgd", "mse", [MeanSquaredError::new().name(name)]).unwrap();
        let error = model.fit(&x, &y, quiet(1).clean_train_eval()).unwrap_err();
        let expected = format!(
            "`clean_{name}` would stand for two numbers, for a metric is called `{name}`\n  \
             help: give the metric another name, or fit without `clean_train_eval`"
        );
        assert_eq!(error.to_string(), expected);
        model.fit(&x, &y, quiet(1)).unwrap();
    }
}
