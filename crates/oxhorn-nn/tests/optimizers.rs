//! Optimizers and schedules do what Keras does.

use std::{collections::BTreeMap, fs, path::Path, slice::from_ref};

use oxhorn_ir::{Array, Binary, DType, Graph, Op, Role, Tensor, Trace, Type, interpret::interpret};
use oxhorn_nn::{
    Config, Declarations, Json, Mode, Scope, Weight,
    config::Field,
    constraints::NonNeg,
    initializers::Zeros,
    optimizers::{
        Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Ftrl, Lamb, LearningRate, Lion,
        LossScaleOptimizer, MultiOptimizer, Muon, Nadam, Optimizer, OptimizerMap,
        OptimizerSettings, RMSprop, SGD, ScheduleFreeAdamW,
    },
    schedules::{CosineDecayRestarts, ExponentialDecay, LearningRateSchedule},
};

/// Every file of this kind, with its name.
fn golden(kind: &str) -> Vec<(String, Json)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden").join(kind);
    let mut files = vec![];
    for entry in fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("a file").path();
        let text = fs::read_to_string(&path).expect("a text");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        files.push((name, serde_json::from_str(&text).expect("JSON")));
    }
    assert!(files.len() > 5, "only {} files of {kind}", files.len());
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files
}

fn list(json: &Json) -> &[Json] {
    json.as_array().expect("a list")
}

fn numbers(json: &Json) -> Vec<f64> {
    let number = |json: &Json| match json.as_str() {
        Some("inf") => f64::INFINITY,
        Some("nan") => f64::NAN,
        _ => json.as_f64().expect("a number"),
    };
    list(json).iter().map(number).collect()
}

fn tensor(json: &Json) -> Array {
    let shape = list(&json["shape"]).iter().map(|extent| extent.as_u64().expect("an extent"));
    Array::new(shape.map(|extent| extent as usize).collect::<Vec<_>>(), numbers(&json["data"]))
}

fn tensors(json: &Json) -> Vec<Array> {
    list(json).iter().map(tensor).collect()
}

/// Compares numbers that Keras computed in `f32`.
fn assert_close(got: &Array, expected: &Array, what: &str) {
    assert_near(got, expected, 1e-7, what);
}

/// The same, of numbers with a rounding error of so much even near 0.
fn assert_near(got: &Array, expected: &Array, error: f64, what: &str) {
    assert_eq!(got.shape, expected.shape, "shape of {what}");
    for (got, expected) in got.data.iter().zip(&expected.data) {
        let allowed = 1e-5 * expected.abs() + error;
        let is_close = (got - expected).abs() <= allowed || got.is_nan() && expected.is_nan();
        assert!(is_close, "{what}: {got}, in Keras {expected}");
    }
}

/// A step of an optimizer for weights of these names and shapes, with everything it keeps.
struct Stepper {
    graph: Graph,
    values: BTreeMap<String, Array>,
    names: Vec<String>,
    declared: Declarations,
}

impl Stepper {
    fn new(optimizer: &Optimizer, names: &[String], weights: &[Array]) -> Stepper {
        Stepper::with(optimizer, names, weights, &Weight::new(Zeros::new()))
    }

    fn with(
        optimizer: &Optimizer,
        names: &[String],
        weights: &[Array],
        policy: &Weight,
    ) -> Stepper {
        let declared = Declarations::new();
        let trace = Trace::new("step");
        let cx = Scope::new(&trace, &declared, Mode::Train);
        let gradient = |(name, w): (&String, &Array)| {
            cx.weight(name, &w.shape[..], policy);
            trace.input(format!("gradient of {name}"), Type::f32(&w.shape[..]))
        };
        let gradients: Vec<Tensor> = names.iter().zip(weights).map(gradient).collect();
        optimizer.apply(&cx, &cx.trainable_weights(), &gradients);
        cx.write_updates();
        drop(cx);
        let graph = trace.finish(&[]).expect("no mistake");
        let mut values: BTreeMap<String, Array> =
            names.iter().cloned().zip(weights.iter().cloned()).collect();
        for state in declared.variables().iter().filter(|variable| !variable.trainable) {
            values.insert(state.path.clone(), state.first_value(0).expect("a value"));
        }
        for number in declared.numbers().iter() {
            values.insert(number.path.clone(), Array::new([], vec![number.value]));
        }
        Stepper { graph, values, names: names.to_vec(), declared }
    }

    fn run(&mut self, gradients: &[Array]) {
        for (name, gradient) in self.names.iter().zip(gradients) {
            self.values.insert(format!("gradient of {name}"), gradient.clone());
        }
        let mut leaves: Vec<_> =
            self.graph.leaves(Role::Input).chain(self.graph.leaves(Role::Weight)).collect();
        leaves.sort_by_key(|(value, _)| *value);
        let given: Vec<Array> =
            leaves.iter().map(|(_, leaf)| self.values[&*leaf.name].clone()).collect();
        let results = interpret(&self.graph, &given).expect("a run");
        let paths: BTreeMap<_, String> =
            leaves.iter().map(|(value, leaf)| (*value, leaf.name.to_string())).collect();
        for ((value, _), new) in self.graph.updates().iter().zip(results.updates) {
            self.values.insert(paths[value].clone(), new);
        }
    }

    /// The paths of the optimizer's states, in the order of their declaration.
    fn states(&self) -> Vec<String> {
        let variables = self.declared.variables();
        variables.iter().filter(|it| !it.trainable).map(|it| it.path.clone()).collect()
    }
}

/// The optimizer of a case.
fn optimizer_of(case: &Json) -> Optimizer {
    macro_rules! excluding {
        ($excluded:expr, $config:expr; $($class:ident)*) => {
            match $config["class_name"].as_str() {
                $(Some(stringify!($class)) => {
                    let map = $config["config"].as_object().expect("a config");
                    let object = <$class as Config>::from_config(map).expect("a config");
                    object.exclude_from_weight_decay($excluded).into()
                })*
                other => panic!("unknown optimizer {other:?}"),
            }
        };
    }
    let config = &case["config"];
    match case["exclude_from_weight_decay"].as_array() {
        None => Optimizer::read(config).expect("a config"),
        Some(names) => excluding!(names.iter().map(|name| name.as_str().expect("a name")), config;
            Adadelta Adafactor Adagrad Adam AdamW Adamax Ftrl Lamb Lion Muon Nadam RMSprop SGD
            ScheduleFreeAdamW),
    }
}

#[test]
fn optimizers_move_weights_as_keras_does() {
    for (name, file) in golden("optimizers") {
        let names = list(&file["variables"]).iter().map(|it| it.as_str().expect("text").to_owned());
        let names: Vec<String> = names.collect();
        for case in list(&file["cases"]) {
            let title = format!("{name}, {}", case["name"]);
            let optimizer = optimizer_of(case);
            let mut stepper = Stepper::new(&optimizer, &names, &tensors(&file["initial"]));
            let steps = list(&file["gradients"]).iter().zip(list(&case["values"]));
            for (i, (gradients, expected)) in steps.enumerate() {
                stepper.run(&tensors(gradients));
                for (name, expected) in names.iter().zip(tensors(expected)) {
                    let what = format!("{title}: {name} after step {i}");
                    assert_close(&stepper.values[name], &expected, &what);
                }
            }
            check_states(&stepper, case, &title);
            check_averages(&optimizer, &stepper, case, &title);
        }
    }
}

/// Compares what the optimizer keeps, and its order.
fn check_states(stepper: &Stepper, case: &Json, title: &str) {
    let Some(states) = case["state"].as_array() else { return };
    let (mut paths, mut expected) = (vec![], vec![]);
    for state in states {
        let name = state["name"].as_str().expect("a name");
        if let Some(path) = path_of_state(&case["config"], name, &paths) {
            paths.push(path);
            expected.push(tensor(&state["value"]));
        }
    }
    assert_eq!(stepper.states(), paths, "{title}");
    for (path, expected) in paths.iter().zip(expected) {
        // Ftrl divides differences of roots, which are about 1, by the learning rate of 0.001.
        let error = if path.ends_with("_linear") { 3e-4 } else { 1e-7 };
        assert_near(&stepper.values[path], &expected, error, &format!("{title}: {path}"));
    }
}

/// The path of what Keras calls `adam/kernel_momentum`, if it is a state here; `known` come before.
fn path_of_state(config: &Json, name: &str, known: &[String]) -> Option<String> {
    let class = config["class_name"].as_str().expect("a name");
    let (owner, own) = name.split_once('/').unwrap_or(("", name));
    match (class, own) {
        // A constant learning rate is no state here, but a number given from outside.
        (_, "learning_rate") => None,
        // Nobody counts there: the steps are those of the optimizer within.
        ("LossScaleOptimizer", "iteration") if owner == "loss_scale_optimizer" => None,
        ("LossScaleOptimizer", _) => {
            let inner = &config["config"]["inner_optimizer"];
            let is_own = ["loss_scale_optimizer", "mine"].contains(&owner);
            if is_own {
                Some(format!("optimizer/{own}"))
            } else {
                path_of_state(inner, name, known)
            }
        }
        ("MultiOptimizer", "iteration") if owner.starts_with("multi") => {
            Some("optimizer/iteration".to_owned())
        }
        ("MultiOptimizer", _) => Some(format!("optimizer/{name}")),
        // Keras gives it no name.
        ("Nadam", "variable") => Some("optimizer/u_product".to_owned()),
        // Keras gives rows and columns one name, that of the weight.
        ("Adafactor", _) if own != "iteration" && !own.contains('_') => {
            let paths = ["row", "column"].map(|part| format!("optimizer/{own}_{part}"));
            paths.into_iter().find(|path| !known.contains(path))
        }
        _ => Some(format!("optimizer/{own}")),
    }
}

/// Compares what the weights become when training ends.
fn check_averages(optimizer: &Optimizer, stepper: &Stepper, case: &Json, title: &str) {
    let variables = stepper.declared.variables();
    let weights = variables.iter().filter(|variable| variable.trainable);
    let averages: Vec<_> = weights.filter_map(|weight| optimizer.average_of(weight)).collect();
    let expected =
        case["finalized"].as_array().map_or(vec![], |it| it.iter().map(tensor).collect());
    assert_eq!(averages.len(), expected.len(), "{title}");
    for (path, expected) in averages.iter().zip(expected) {
        assert_close(&stepper.values[path], &expected, &format!("{title}: {path}"));
    }
}

/// The dictionary with the numbers that were meant, where Keras wrote the nearest `f32` as learning
/// rate, and an integer as Muon's ratio.
fn meant(json: &Json) -> Json {
    let entry = |(key, json): (&String, &Json)| {
        let value = match (key.as_str(), json) {
            ("learning_rate", Json::Number(_)) => {
                LearningRate::read(json).expect("a learning rate").write()
            }
            ("adam_lr_ratio", _) => f64::read(json).expect("a number").write(),
            _ => meant(json),
        };
        (key.clone(), value)
    };
    match json {
        Json::Object(map) => Json::Object(map.iter().map(entry).collect()),
        other => other.clone(),
    }
}

/// The classes that are made of other optimizers.
const HOLDERS: [&str; 2] = ["LossScaleOptimizer", "MultiOptimizer"];

#[test]
fn optimizers_are_written_as_keras_writes_them() {
    for (name, file) in golden("optimizers") {
        for case in list(&file["cases"]) {
            let expected = meant(&case["config"]);
            let got = optimizer_of(case).envelope();
            assert_eq!(got.to_string(), expected.to_string(), "{name}, {}", case["name"]);
        }
        let default = meant(&list(&file["cases"])[0]["config"]);
        let named = Optimizer::from(name.to_uppercase());
        match HOLDERS.contains(&name.as_str()) {
            true => assert!(named.check().is_err(), "{name} needs another optimizer"),
            false => assert_eq!(named.envelope(), default, "the default of {name}"),
        }
    }
}

#[test]
fn schedules_do_what_keras_does() {
    for (name, file) in golden("schedules") {
        for case in list(&file["cases"]) {
            let schedule = LearningRateSchedule::read(&case["config"]).expect("a config");
            assert_eq!(schedule.write().to_string(), case["config"].to_string(), "{name}");
            let trace = Trace::new("schedule");
            let rate = schedule.apply(trace.input("step", Type::new(DType::I64, [])));
            assert_eq!(rate.ty(), Type::f32([]));
            let outputs = [rate.value()];
            let graph = trace.finish(&outputs).expect("no mistake");
            for (step, expected) in
                numbers(&case["steps"]).into_iter().zip(numbers(&case["values"]))
            {
                let results = interpret(&graph, &[Array::new([], vec![step])]).expect("a run");
                let expected = Array::new([], vec![expected]);
                let what = format!("{name}, {}, step {step}", case["name"]);
                assert_close(&results.outputs[0], &expected, &what);
            }
        }
    }
}

/// What the weight `[2, -1]` becomes under the gradients `[1, -0.5]`, `[2, -0.5]`, `[3, -0.5]`, ..
fn path_of(optimizer: impl Into<Optimizer>, policy: &Weight, steps: usize) -> Vec<Array> {
    let vector = |data: [f64; 2]| Array::new([2], data.to_vec());
    let (optimizer, names) = (optimizer.into(), ["kernel".to_owned()]);
    let mut stepper = Stepper::with(&optimizer, &names, &[vector([2.0, -1.0])], policy);
    let values = (0..steps).map(|step| {
        stepper.run(&[vector([1.0 + step as f64, -0.5])]);
        stepper.values["kernel"].clone()
    });
    values.collect()
}

/// The expected values are those of Keras 3.15.1 on JAX.
#[test]
fn means_are_taken_over_batches_and_overwrite_after_steps() {
    let sgd = SGD::new().momentum(0.5).learning_rate(0.1).gradient_accumulation_steps(3);
    let sgd = sgd.use_ema(true).ema_momentum(0.5).ema_overwrite_frequency(2);
    let (start, first, second) = ([2.0, -1.0], [1.8, -0.95], [1.5, -0.9125]);
    let expected = [start, start, first, first, first, second, second];
    let path = path_of(sgd, &Weight::new("zeros"), expected.len());
    for (got, expected) in path.iter().zip(expected) {
        assert_close(got, &Array::new([2], expected.to_vec()), "weight");
    }
}

/// The expected values are those of Keras 3.15.1 on JAX.
#[test]
fn schedules_count_batches_even_where_several_make_a_step() {
    let sgd = SGD::new().learning_rate(ExponentialDecay::new(0.1, 1, 0.5));
    let (start, first, second) = ([2.0, -1.0], [1.925, -0.975], [1.88125, -0.96875]);
    let expected = [start, first, first, second, second];
    let path = path_of(sgd.gradient_accumulation_steps(2), &Weight::new("zeros"), expected.len());
    for (got, expected) in path.iter().zip(expected) {
        assert_close(got, &Array::new([2], expected.to_vec()), "weight");
    }
}

/// The expected values are those of Keras 3.15.1 on JAX.
#[test]
fn constraints_bring_weights_back_after_each_step() {
    let policy = Weight { constraint: Some(NonNeg::new().into()), ..Weight::new("zeros") };
    let path = path_of(SGD::new().learning_rate(0.5), &policy, 3);
    for (got, expected) in path.iter().zip([[1.5, 0.0], [0.5, 0.25], [0.0, 0.5]]) {
        assert_eq!(got.data, expected);
    }
}

#[test]
fn weights_of_every_shape_are_moved() {
    let names = ["a", "b", "c"].map(str::to_owned);
    let weights = [&[][..], &[0], &[1, 3, 5]].map(|shape| Array::from_fn(shape, |_| 1.0));
    let rules = [
        "sgd",
        "rmsprop",
        "adam",
        "nadam",
        "adagrad",
        "adadelta",
        "adamax",
        "lion",
        "adafactor",
        "ftrl",
        "lamb",
        "muon",
        "schedulefreeadamw",
    ];
    let multi = MultiOptimizer::new(OptimizerMap::new("sgd").add("[ac]", "adam"));
    let holders = [multi.clone().into(), LossScaleOptimizer::new(multi).into()];
    for optimizer in rules.map(Optimizer::from).into_iter().chain(holders) {
        let mut stepper = Stepper::new(&optimizer, &names, &weights);
        stepper.run(&weights);
        for (name, before) in names.iter().zip(&weights) {
            let after = &stepper.values[name];
            assert_eq!(after.shape, before.shape);
            assert!(after.data.iter().all(|w| *w < 1.0), "{optimizer:?}, {name}: {after:?}");
        }
    }
}

#[test]
fn an_infinite_gradient_makes_all_weights_nan_under_global_clipnorm_only() {
    let names = ["a", "b"].map(str::to_owned);
    let scalar = |x| Array::new([], vec![x]);
    for (optimizer, is_nan) in
        [(SGD::new().global_clipnorm(1.0), true), (SGD::new().clipnorm(1.0), false)]
    {
        let mut stepper = Stepper::new(&optimizer.into(), &names, &[scalar(1.0), scalar(1.0)]);
        stepper.run(&[scalar(f64::INFINITY), scalar(1.0)]);
        assert!(stepper.values["a"].scalar().is_nan());
        assert_eq!(stepper.values["b"].scalar().is_nan(), is_nan);
    }
}

/// How many nodes of a step of this optimizer for so many weights are like this.
fn count(optimizer: impl Into<Optimizer>, weights: usize, is_like: fn(&Op) -> bool) -> usize {
    let names: Vec<String> = (0..weights).map(|i| format!("w{i}")).collect();
    let values = vec![Array::from_fn(&[3], |_| 1.0); weights];
    let graph = Stepper::new(&optimizer.into(), &names, &values).graph;
    graph.nodes().iter().filter(|node| is_like(&node.op)).count()
}

#[test]
fn what_all_weights_share_is_computed_once() {
    let optimizers: [Optimizer; 4] =
        [Adam::new().into(), AdamW::new().into(), Nadam::new().into(), Adamax::new().into()];
    for optimizer in optimizers {
        let is_power = |op: &Op| *op == Op::from(Binary::Pow);
        let powers = [1, 5].map(|weights| count(optimizer.clone(), weights, is_power));
        assert!(powers[0] > 0 && powers[0] == powers[1], "{optimizer:?}: {powers:?}");
    }
}

#[test]
fn only_clipping_by_length_looks_at_more_than_one_element() {
    let is_reduction = |op: &Op| matches!(op, Op::Reduce(_));
    let optimizers: [Optimizer; 6] = [
        RMSprop::new().momentum(0.9).centered(true).into(),
        Adam::new().amsgrad(true).weight_decay(0.1).clipvalue(1.0).use_ema(true).into(),
        Nadam::new().gradient_accumulation_steps(2).into(),
        Adagrad::new().into(),
        Adadelta::new().into(),
        Lion::new().into(),
    ];
    for optimizer in optimizers {
        assert_eq!(count(optimizer.clone(), 2, is_reduction), 0, "{optimizer:?}");
    }
    assert_eq!(count(SGD::new().clipnorm(1.0), 2, is_reduction), 2);
    assert_eq!(count(SGD::new().global_clipnorm(1.0), 2, is_reduction), 2);
}

#[test]
fn matrices_without_elements_or_with_one_row_are_evened() {
    for shape in [[0, 3], [3, 0], [1, 1], [1, 7], [7, 1], [5, 3]] {
        let names = ["kernel".to_owned()];
        let weight =
            Array::from_fn(&shape, |ix| ((ix[0] * (ix[0] + ix[1]) + 3 * ix[1]) as f64).cos());
        let plain = Muon::new().learning_rate(1.0).momentum(0.0).rms_rate(None);
        let plain = Muon { settings: plain.settings.clone().weight_decay(0.0), ..plain };
        let mut stepper = Stepper::new(&plain.into(), &names, from_ref(&weight));
        stepper.run(from_ref(&weight));
        let after = &stepper.values["kernel"];
        let moved = weight.data.iter().zip(&after.data).map(|(old, new)| (old - new).powi(2));
        // The squares of singular values, of which each is between 0.68 and 1.14.
        let square: f64 = moved.sum();
        let rank = if weight.data.is_empty() { 0 } else { shape[0].min(shape[1]) } as f64;
        assert!((0.4 * rank..=1.4 * rank).contains(&square), "{shape:?}: {square}");
    }
}

#[test]
fn one_optimizer_for_two_keys_sees_their_gradients_together() {
    let names = ["a", "b", "c"].map(str::to_owned);
    let vector = |data: [f64; 2]| Array::new([2], data.to_vec());
    let (weights, gradients) =
        (vec![vector([2.0, -1.0]); 3], [[3.0, 4.0], [12.0, 0.0], [5.0, 0.0]]);
    let sgd = Optimizer::from(SGD::new().learning_rate(1.0).global_clipnorm(1.0));
    let two = OptimizerMap::new("sgd").add("a", sgd.clone()).add("b", sgd.clone());
    let rest = OptimizerMap::new(sgd.clone()).add("c", "sgd").add("b", sgd);
    for map in [two, rest] {
        let optimizer = Optimizer::from(MultiOptimizer::new(map));
        let mut stepper = Stepper::new(&optimizer, &names, &weights);
        stepper.run(&gradients.map(vector));
        // Together, (3, 4) and (12, 0) are 13 long.
        assert_close(&stepper.values["a"], &vector([2.0 - 3.0 / 13.0, -1.0 - 4.0 / 13.0]), "a");
        assert_close(&stepper.values["b"], &vector([2.0 - 12.0 / 13.0, -1.0]), "b");
        assert_close(&stepper.values["c"], &vector([2.0 - 0.01 * 5.0, -1.0]), "c");
    }
}

#[test]
fn a_step_that_is_left_out_changes_nothing_but_the_scale() {
    let inner = Adam::new().learning_rate(0.1).use_ema(true).gradient_accumulation_steps(2);
    let optimizer = LossScaleOptimizer::new(inner.weight_decay(0.1)).initial_scale(8.0);
    let policy = Weight { constraint: Some(NonNeg::new().into()), ..Weight::new("zeros") };
    let (names, vector) = (["kernel".to_owned()], |data: [f64; 2]| Array::new([2], data.to_vec()));
    let mut stepper = Stepper::with(&optimizer.into(), &names, &[vector([2.0, -1.0])], &policy);
    for scale in [4.0, 2.0] {
        let before = stepper.values.clone();
        stepper.run(&[vector([f64::INFINITY, 1.0])]);
        for (path, value) in &stepper.values {
            let expected = match path.as_str() {
                "optimizer/dynamic_scale" => &Array::new([], vec![scale]),
                "gradient of kernel" => continue,
                path => &before[path],
            };
            assert_eq!(value, expected, "{path}");
        }
    }
    stepper.run(&[vector([1.0, 1.0])]);
    assert_eq!(stepper.values["optimizer/iteration"].data, [1.0]);
    assert_eq!(stepper.values["optimizer/step_counter"].data, [1.0]);
    assert_eq!(stepper.values["kernel"].data, [2.0, 0.0]);
}

#[test]
fn restarts_fall_on_their_steps_whatever_the_ratio() {
    for (ratio, starts) in
        [(3.0, [1.0, 4.0, 13.0, 40.0, 121.0]), (5.0, [1.0, 6.0, 31.0, 156.0, 781.0])]
    {
        let schedule = LearningRateSchedule::from(CosineDecayRestarts::new(1.0, 7).t_mul(ratio));
        let trace = Trace::new("schedule");
        let rate = schedule.apply(trace.input("step", Type::new(DType::I64, []))).value();
        let graph = trace.finish(&[rate]).expect("no mistake");
        let rate = |step| {
            let step = Array::new([], vec![step]);
            interpret(&graph, &[step]).expect("a run").outputs[0].scalar()
        };
        for start in starts {
            assert!(rate(start * 7.0) > 0.9999, "ratio {ratio}, step {}", start * 7.0);
            assert!(rate(start * 7.0 - 1.0) < 0.1, "ratio {ratio}, before {}", start * 7.0);
        }
    }
}
