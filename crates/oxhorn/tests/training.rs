//! Whole runs of `compile`, `fit`, `evaluate` and `predict` against those recorded from Keras.

mod support;

use std::cell::Cell;

use ndarray::{ArrayD, Axis};
use oxhorn::{
    callbacks::{Callback, Granularity},
    data::Samples,
    fit::Shuffle,
    losses::Loss,
    metrics::Metric,
    optimizers::Optimizer,
    prelude::*,
};
use serde_json::{Value, json};
use support::{golden, list, number, seeded, tensor};

/// How far a number may be from Keras', relative to the larger of it and one.
///
/// Both round every sum of products to single precision, in another order.
const TOLERANCE: f64 = 1e-6;

/// The case whose data hold NaN, which Oxhorn refuses before it trains on them.
const NOT_A_NUMBER: &str = "TerminateOnNaN";

/// An array as it was recorded: integers stay integers.
enum Data {
    Floats(ArrayD<f64>),
    Integers(ArrayD<i64>),
}

impl Data {
    fn new(json: &Value) -> Data {
        let values = tensor(json);
        match json["dtype"].as_str().unwrap().starts_with("float") {
            true => Data::Floats(values),
            false => Data::Integers(values.mapv(|value| value as i64)),
        }
    }

    fn samples(&self) -> Samples<'_> {
        match self {
            Data::Floats(values) => values.into(),
            Data::Integers(values) => values.into(),
        }
    }
}

/// The worst deviation seen so far, and where.
#[derive(Default)]
struct Deviation(Cell<f64>);

impl Deviation {
    #[track_caller]
    fn check(&self, got: f64, expected: f64, what: &str) {
        if got.is_nan() && expected.is_nan() {
            return;
        }
        let deviation = (got - expected).abs() / expected.abs().max(1.0);
        assert!(deviation <= TOLERANCE, "{what}: {got}, in Keras {expected}");
        self.0.set(self.0.get().max(deviation));
    }

    #[track_caller]
    fn check_all<'a>(
        &self,
        got: impl IntoIterator<Item = &'a f32>,
        expected: &ArrayD<f64>,
        what: &str,
    ) {
        let got: Vec<f64> = got.into_iter().map(|&got| got.into()).collect();
        assert_eq!(got.len(), expected.len(), "the size of {what}");
        for (got, expected) in got.iter().zip(expected) {
            self.check(*got, *expected, what);
        }
    }
}

/// Replays all cases of a file, and returns how many.
fn replay(name: &str) -> usize {
    let file = golden(&format!("training/{name}.json"));
    let (mut failed, mut replayed) = (vec![], 0);
    for case in list(&file["cases"]) {
        if case["name"] == NOT_A_NUMBER {
            continue;
        }
        replayed += 1;
        let layers = &file["models"][case["model"].as_u64().unwrap() as usize];
        let run = std::panic::AssertUnwindSafe(|| replay_case(layers, case));
        if std::panic::catch_unwind(run).is_err() {
            failed.push(case["name"].to_string());
        }
    }
    assert!(failed.is_empty(), "not as in Keras: {}", failed.join(", "));
    replayed
}

fn replay_case(layers: &Value, case: &Value) {
    let deviation = Deviation::default();
    let _guard = seeded(case["seed"].as_u64().unwrap() as u32);
    let mut model = model(layers);
    check_initial_weights(&model, &case["weights_before"]);
    model.compile_with(compile(&case["compile"])).unwrap();
    let data = &case["data"];
    let [x, y] = ["x", "y"].map(|name| Data::new(&data[name]));
    let weights = data.get("sample_weight").map(Data::new);
    let validation: Vec<Data> = list(&data["validation_data"]).iter().map(Data::new).collect();
    for recorded in list(&case["fits"]) {
        let mut fit = arguments(&recorded["arguments"]);
        if let Some(weights) = &weights {
            fit = fit.sample_weight(weights.samples());
        }
        fit = match &validation[..] {
            [] | [_] => fit,
            [x, y] => fit.validation_data(x.samples(), y.samples()),
            [x, y, w, ..] => fit.weighted_validation_data(x.samples(), y.samples(), w.samples()),
        };
        run_fit(&mut model, fit, &x, &y, recorded, &deviation);
    }
    let test: Vec<Data> = list(&case["test"]).iter().map(Data::new).collect();
    let (x, y, weights) = match &test[..] {
        [x, y, rest @ ..] => (x, y, rest.first()),
        _ => (&x, &y, None),
    };
    let mut evaluate = Evaluate::new().verbose(0);
    if let Some(weights) = weights {
        evaluate = evaluate.sample_weight(weights.samples());
    }
    let logs = model.evaluate_with(x.samples(), y.samples(), evaluate).unwrap();
    check_logs(&logs, &case["evaluate_return_dict"], &deviation);
    let Data::Floats(x) = x else { panic!("x is made of floats") };
    let first = x.select(Axis(0), &[0, 1, 2]);
    let predictions = model.predict(&first).unwrap();
    deviation.check_all(&predictions, &tensor(&case["predictions_of_3"]), "predictions");
    check_weights(&model, &case["weights_after"], &deviation);
    println!("{}: within {:.1e}", case["name"], deviation.0.get());
}

fn model(layers: &Value) -> Sequential {
    let config = json!({"name": "sequential", "layers": layers});
    Sequential::from_json(&json!({"class_name": "Sequential", "config": config})).unwrap()
}

fn compile(json: &Value) -> Compile {
    let optimizer = match &json["optimizer"] {
        Value::String(name) => Optimizer::from(name),
        envelope => Optimizer::open(envelope).unwrap(),
    };
    let loss = match &json["loss"] {
        Value::String(name) => Loss::from(name),
        envelope => Loss::open(envelope).unwrap(),
    };
    let metric = |json: &Value| match json {
        Value::String(name) => Metric::from(name),
        envelope => Metric::open(envelope).unwrap(),
    };
    let mut compile = Compile::new(optimizer, loss);
    if let Some(weight) = json["loss_weights"].as_f64() {
        compile = compile.loss_weights(weight);
    }
    compile
        .metrics(list(&json["metrics"]).iter().map(metric))
        .weighted_metrics(list(&json["weighted_metrics"]).iter().map(metric))
}

fn arguments<'a>(json: &Value) -> Fit<'a> {
    let mut fit = Fit::default().verbose(0);
    for (name, value) in json.as_object().unwrap() {
        let integer = || value.as_u64().unwrap() as usize;
        fit = match name.as_str() {
            "epochs" => Fit::epochs(integer()).verbose(0),
            "batch_size" => fit.batch_size(integer()),
            "steps_per_epoch" => fit.steps_per_epoch(integer()),
            "validation_steps" => fit.validation_steps(integer()),
            "validation_batch_size" => fit.validation_batch_size(integer()),
            "initial_epoch" => fit.initial_epoch(integer()),
            "validation_split" => fit.validation_split(number(value)),
            "shuffle" => match value.as_bool() {
                Some(shuffle) => fit.shuffle(shuffle),
                None => fit.shuffle(Shuffle::Batch),
            },
            "validation_freq" => match value.as_u64() {
                Some(every) => fit.validation_freq(every as usize),
                None => {
                    let after = list(value).iter().map(|epoch| epoch.as_u64().unwrap() as usize);
                    fit.validation_freq(after.collect::<Vec<_>>())
                }
            },
            "class_weight" => {
                let weights = value.as_object().unwrap().iter();
                fit.class_weight(weights.map(|(class, w)| (class.parse().unwrap(), number(w))))
            }
            other => panic!("no way is known to replay `{other}`"),
        };
    }
    fit
}

/// Runs a fit with its callbacks, and compares all that it leaves behind but the weights.
fn run_fit<'a>(
    model: &mut Sequential,
    mut fit: Fit<'a>,
    x: &'a Data,
    y: &'a Data,
    recorded: &Value,
    deviation: &Deviation,
) {
    let mut stopping = None;
    let mut others: Vec<Box<dyn Callback>> = vec![];
    for callback in list(&recorded["callbacks"]) {
        let arguments = &callback["arguments"];
        match callback["class_name"].as_str().unwrap() {
            "EarlyStopping" => stopping = Some(early_stopping(arguments)),
            "ReduceLROnPlateau" => others.push(Box::new(reduce_lr_on_plateau(arguments))),
            "TerminateOnNaN" => others.push(Box::new(TerminateOnNaN::new())),
            "LearningRateScheduler" => {
                assert_eq!(arguments["schedule"], "lr * 0.5 if epoch >= 2 else lr");
                let schedule = |epoch, lr| if epoch >= 2 { lr * 0.5 } else { lr };
                others.push(Box::new(LearningRateScheduler::new(schedule)));
            }
            other => panic!("no way is known to replay `{other}`"),
        }
    }
    fit = fit.callback(others).output(std::io::sink());
    let history = match &mut stopping {
        None => model.fit(x.samples(), y.samples(), fit),
        Some(stopping) => model.fit(x.samples(), y.samples(), fit.callback(stopping)),
    };
    let history = history.unwrap();
    let epochs: Vec<u64> = history.epoch.iter().map(|&epoch| epoch as u64).collect();
    assert_eq!(json!(epochs), recorded["epochs"], "epochs");
    let expected = recorded["history"].as_object().unwrap();
    let mut names: Vec<&str> = history.history.names().collect();
    let mut keys: Vec<&str> = expected.keys().map(String::as_str).collect();
    names.sort_unstable();
    keys.sort_unstable();
    assert_eq!(names, keys);
    for (name, values) in expected {
        let (got, expected) = (&history[name], list(values));
        assert_eq!(got.len(), expected.len(), "epochs with {name}");
        for (epoch, (got, expected)) in got.iter().zip(expected).enumerate() {
            deviation.check(*got, number(expected), &format!("{name} of epoch {epoch}"));
        }
    }
    if let Some(stopping) = stopping {
        let expected = &recorded["early_stopping"];
        let epoch = |name: &str| expected[name].as_u64().unwrap() as usize;
        assert_eq!(stopping.stopped_epoch().unwrap_or(0), epoch("stopped_epoch"));
        assert_eq!(stopping.best_epoch(), Some(epoch("best_epoch")));
        deviation.check(stopping.best().unwrap(), number(&expected["best"]), "the best");
    }
}

fn early_stopping(arguments: &Value) -> EarlyStopping {
    let monitor = arguments["monitor"].as_str().unwrap_or("val_loss");
    let mut callback = EarlyStopping::new(monitor);
    for (name, value) in arguments.as_object().unwrap() {
        let integer = || value.as_u64().unwrap() as usize;
        callback = match name.as_str() {
            "monitor" => callback,
            "patience" => callback.patience(integer()),
            "min_delta" => callback.min_delta(number(value)),
            "mode" => callback.mode(value.as_str().unwrap()),
            "baseline" => callback.baseline(number(value)),
            "start_from_epoch" => callback.start_from_epoch(integer()),
            "restore_best_weights" => callback.restore_best_weights(),
            other => panic!("no way is known to replay `{other}`"),
        };
    }
    callback
}

fn reduce_lr_on_plateau(arguments: &Value) -> ReduceLROnPlateau {
    let monitor = arguments["monitor"].as_str().unwrap_or("val_loss");
    let mut callback = ReduceLROnPlateau::new(monitor);
    for (name, value) in arguments.as_object().unwrap() {
        let integer = || value.as_u64().unwrap() as usize;
        callback = match name.as_str() {
            "monitor" => callback,
            "patience" => callback.patience(integer()),
            "cooldown" => callback.cooldown(integer()),
            "factor" => callback.factor(number(value)),
            "min_delta" => callback.min_delta(number(value)),
            "min_lr" => callback.min_lr(number(value)),
            other => panic!("no way is known to replay `{other}`"),
        };
    }
    callback
}

/// Initial weights are Keras' to one unit in the last place.
fn check_initial_weights(model: &Sequential, recorded: &Value) {
    for weight in list(recorded) {
        let path = own_path(weight);
        let got = model.weight(path).unwrap();
        let expected = match weight.get("value") {
            Some(value) => tensor(value),
            None => tensor(&weight["first"]),
        };
        for (got, expected) in got.iter().zip(&expected) {
            let expected = *expected as f32;
            let ulps = (i64::from(got.to_bits()) - i64::from(expected.to_bits())).abs();
            assert!(ulps <= 1, "{path} begins with {got}, in Keras {expected}");
        }
    }
}

fn check_weights(model: &Sequential, recorded: &Value, deviation: &Deviation) {
    let recorded = list(recorded);
    let paths: Vec<&str> = recorded.iter().map(own_path).collect();
    let weights = model.weights().unwrap();
    let known: Vec<&str> = weights.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(known, paths);
    for ((path, got), expected) in weights.iter().zip(recorded) {
        deviation.check_all(got, &tensor(&expected["value"]), path);
    }
}

fn check_logs(logs: &Logs, expected: &Value, deviation: &Deviation) {
    let expected = expected.as_object().unwrap();
    assert_eq!(logs.names().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, value) in expected {
        deviation.check(logs[name], number(value), name);
    }
}

/// The path of a weight, which Keras begins with the model's name.
fn own_path(weight: &Value) -> &str {
    weight["path"].as_str().unwrap().split_once('/').unwrap().1
}

#[test]
fn takes_samples_in_keras_order() {
    assert_eq!(replay("orders"), 11);
}

#[test]
fn validates_as_keras_does() {
    assert_eq!(replay("validation"), 9);
}

#[test]
fn weighs_classes_and_samples_as_keras_does() {
    assert_eq!(replay("weighting"), 8);
}

#[test]
fn regresses_decides_and_classifies_as_keras_does() {
    assert_eq!(replay("tasks"), 13);
}

#[test]
fn takes_optimizers_by_name() {
    assert_eq!(replay("optimizers_by_name"), 6);
}

#[test]
fn stops_early_where_keras_stops() {
    assert_eq!(replay("early_stopping"), 8);
}

#[test]
fn changes_the_learning_rate_when_keras_does() {
    assert_eq!(replay("learning_rates"), 3);
}

#[test]
fn refuses_the_data_on_which_keras_ends_with_nan() {
    let file = golden("training/learning_rates.json");
    let case = list(&file["cases"]).iter().find(|case| case["name"] == NOT_A_NUMBER).unwrap();
    let _guard = seeded(812);
    let mut model = model(&file["models"][0]);
    model.compile_with(compile(&case["compile"])).unwrap();
    let [x, y] = ["x", "y"].map(|name| tensor(&case["data"][name]));
    let error = model.fit(&x, &y, Fit::epochs(1).verbose(0)).unwrap_err();
    assert_eq!(error.message, "`x` holds NaN at [11, 0]");
}

/// Writes down loss and accuracy after every batch.
#[derive(Default)]
struct BatchLogs(Vec<Logs>);

impl Callback for BatchLogs {
    fn granularity(&self) -> Granularity {
        Granularity::Batches
    }

    fn on_train_batch_end(
        &mut self,
        batch: usize,
        logs: &Logs,
        _: &mut dyn Training,
    ) -> oxhorn::Result<()> {
        // Batches are counted anew in every epoch.
        assert_eq!(batch, self.0.len() % 7);
        self.0.push(logs.clone());
        Ok(())
    }
}

#[test]
fn the_tutorial_goes_as_in_keras_batch_by_batch() {
    let file = golden("training/tutorial.json");
    let case = &file["cases"][0];
    let deviation = Deviation::default();
    let _guard = seeded(812);
    // The recorded recipe for the data.
    let (x, y) = (random((200, 25)), to_categorical(&randint(5, (200, 1)), 5));
    let (test_x, test_y) = (random((50, 25)), to_categorical(&randint(5, (50, 1)), 5));
    let first = x.iter().take(6).copied().collect::<Vec<_>>();
    assert_eq!(first, tensor(&case["made"]["x"]["first"]).into_raw_vec_and_offset().0);
    let sum = number(&case["made"]["test_x"]["sum"]);
    assert!((test_x.sum() - sum).abs() < 1e-9);

    let mut model = model(&file["models"][0]);
    check_initial_weights(&model, &case["weights_before"]);
    model.compile_with(compile(&case["compile"])).unwrap();
    let mut logs = BatchLogs::default();
    let fit = Fit::epochs(3).validation_data(&test_x, &test_y).callback(&mut logs).verbose(0);
    let history = model.fit(&x, &y, fit).unwrap();
    let recorded = &case["fits"][0];
    for (name, values) in recorded["history"].as_object().unwrap() {
        for (got, expected) in history[name].iter().zip(list(values)) {
            deviation.check(*got, number(expected), name);
        }
    }
    assert_eq!(logs.0.len(), list(&recorded["batch_logs"]).len());
    for (got, expected) in logs.0.iter().zip(list(&recorded["batch_logs"])) {
        for name in ["accuracy", "loss"] {
            deviation.check(got[name], number(&expected[name]), name);
        }
    }
    let test = model.evaluate_with(&test_x, &test_y, Evaluate::new().verbose(0)).unwrap();
    check_logs(&test, &case["evaluate_return_dict"], &deviation);
    let predictions = model.predict(test_x.slice(ndarray::s![..3, ..])).unwrap();
    deviation.check_all(&predictions, &tensor(&case["predictions_of_3"]), "predictions");
    for weight in list(&case["weights_after"]) {
        let got = model.weight(own_path(weight)).unwrap();
        deviation.check_all(got.iter().take(6), &tensor(&weight["first"]), own_path(weight));
        let squares: f64 = got.iter().map(|&w| f64::from(w).powi(2)).sum();
        deviation.check(squares, number(&weight["sum_of_squares"]), own_path(weight));
    }
    for (path, expected) in ["dense_2/kernel", "dense_2/bias"].iter().zip(list(&case["last_layer"]))
    {
        deviation.check_all(&model.weight(path).unwrap(), &tensor(expected), path);
    }
    println!("{}: within {:.1e}", case["name"], deviation.0.get());
}

#[test]
fn trains_and_tests_on_single_batches_as_keras_does() {
    let file = golden("training/on_batches.json");
    let case = &file["cases"][0];
    let deviation = Deviation::default();
    let _guard = seeded(812);
    let mut model = model(&file["models"][0]);
    check_initial_weights(&model, &case["weights_before"]);
    model.compile_with(compile(&case["compile"])).unwrap();
    let [x, y] = ["x", "y"].map(|name| tensor(&case[name]));
    let mut replayed = 0;
    for call in list(&case["calls"]) {
        let [from, to] = ["from", "to"].map(|end| call[end].as_u64().unwrap() as usize);
        let (x, y) =
            (x.slice_axis(Axis(0), (from..to).into()), y.slice_axis(Axis(0), (from..to).into()));
        let (mut weights, arguments) = (OnBatch::new(), &call["arguments"]);
        let by_sample = arguments.get("sample_weight").map(tensor);
        if let Some(by_sample) = &by_sample {
            weights = weights.sample_weight(by_sample);
        }
        if let Some(by_class) = arguments["class_weight"].as_object() {
            let by_class = by_class.iter().map(|(class, w)| (class.parse().unwrap(), number(w)));
            weights = weights.class_weight(by_class);
        }
        let logs = match call["call"].as_str().unwrap() {
            "train_on_batch" => model.train_on_batch_with(x, y, weights),
            _ => model.test_on_batch_with(x, y, weights),
        };
        let logs = logs.unwrap();
        let expected = match &call["result"] {
            Value::Array(values) => json!({"accuracy": values[1], "loss": values[0]}),
            named => named.clone(),
        };
        check_logs(&logs, &expected, &deviation);
        replayed += 1;
    }
    assert_eq!(replayed, 7);
    println!("{}: within {:.1e}", case["name"], deviation.0.get());
}
