//! Every layer: its config, output, gradients, losses, constraints and noise.

use std::collections::HashMap;

use oxhorn_ir::{Array, Tensor, Trace, Type, grad};
use oxhorn_nn::{
    AnyLayer, Declarations, Initial, Json, Mode, Scope, Variable, config::Class, constraints,
    layers::CLASSES, regularizers,
};

use crate::golden::*;

/// The first and second seed that Keras draws after `set_random_seed(812)`.
const FIRST_SEED: u32 = 33_636_388;

#[test]
fn every_layer_keeps_its_word() {
    let of = |class: &Class<_>| match class.name() {
        "InputLayer" => cases("layers", "Input"),
        name => cases("layers", name),
    };
    for_each_case(CLASSES, of, |class, case, what| {
        let layer = AnyLayer::open(&case["config"]).expect("a layer");
        assert_same_config(&layer.envelope(), &case["config"], what);
        if class.name() == "InputLayer" {
            return input(&layer, case, what);
        }
        layer.check().expect("settings that Keras takes");
        let (inputs, (_, y)) = (inputs(case), tensor(&case["output"]));
        let shapes: Vec<Vec<usize>> = inputs.into_iter().map(|(_, x)| x.shape).collect();
        assert_signature(class, settings(&case["config"]), &shapes, &y.shape, what);
        infer(&layer, case, what);
        train(&layer, case, what);
    });
    // Refused whatever the case.
    let excused = [
        ("InputLayer", "sparse"),
        ("InputLayer", "ragged"),
        ("Embedding", "mask_zero"),
        ("UpSampling2D", "interpolation"),
        ("BatchNormalization", "synchronized"),
        ("BatchNormalization", "renorm"),
        ("BatchNormalization", "renorm_momentum"),
        ("SpatialDropout1D", "dtype"),
        ("SpatialDropout2D", "dtype"),
        ("SpatialDropout3D", "dtype"),
    ];
    assert_every_setting_is_tried(CLASSES, of, &excused);
}

#[test]
fn every_regularizer_and_constraint_is_tried_on_a_layer() {
    let text: String =
        cases("layers", "Dense").iter().map(|case| case["config"].to_string()).collect();
    let regularizers = regularizers::CLASSES.iter().filter(|class| class.is_keras());
    let constraints = constraints::CLASSES.iter().filter(|class| class.is_keras());
    let names = regularizers.map(|class| class.name());
    for name in names.chain(constraints.map(|class| class.name())) {
        assert!(text.contains(&format!("\"class_name\":\"{name}\"")), "`{name}` has no vectors");
    }
}

fn extent(json: &Json) -> Option<usize> {
    json.as_u64().map(|extent| extent as usize)
}

/// The shape that enters a model; what we do not support is refused.
fn input(layer: &AnyLayer, case: &Json, what: &str) {
    let shape: Vec<Option<usize>> = list(&case["output_shape"]).iter().map(extent).collect();
    assert_eq!(layer.layer.batch_shape(), Some(shape), "{what}");
    let flags = ["sparse", "ragged", "optional"].map(|flag| &settings(&case["config"])[flag]);
    assert_eq!(layer.check().is_err(), flags.contains(&&Json::Bool(true)), "{what}");
}

/// The inputs of a case, of which most have one.
fn inputs(case: &Json) -> Vec<(Type, Array)> {
    let key = if case["inputs"].is_array() { "inputs" } else { "input" };
    one_or_several(&case[key]).iter().map(tensor).collect()
}

/// A list, or the one element that is written without one; of nothing, an empty list.
fn one_or_several(json: &Json) -> &[Json] {
    if json.is_object() { std::slice::from_ref(json) } else { list(json) }
}

/// Output, gradients and losses, as in `evaluate`.
fn infer(layer: &AnyLayer, case: &Json, what: &str) {
    let (trace, declared) = (Trace::new("test"), Declarations::new());
    let cx = Scope::new(&trace, &declared, Mode::Infer);
    let (types, values): (Vec<Type>, Vec<Array>) = inputs(case).into_iter().unzip();
    let x: Vec<Tensor> = (0..).zip(types).map(|(i, ty)| trace.input(format!("x{i}"), ty)).collect();
    let y = cx.layer_all("layer", layer, &x);
    let losses = cx.losses();

    let mut wanted = vec![y];
    let weights = cx.trainable_weights();
    let mut wrt = x.clone();
    wrt.extend(weights.iter().map(|(_, weight)| *weight));
    let dx = one_or_several(&case["dx"]);
    if !dx.is_empty() {
        let (ty, _) = tensor(&case["dy"]);
        wanted.extend(grad((y * trace.input("dy", ty)).sum(..), &wrt));
    }
    wanted.extend(&losses);
    if let Some((first, rest)) = losses.split_first() {
        let total = rest.iter().fold(*first, |sum, loss| sum + *loss);
        wanted.extend(grad(total, &wrt));
    }
    let constrain = |(variable, weight): &(Variable, Tensor<'_>)| match &variable.constraint {
        Some(constraint) => constraint.apply(*weight).value(),
        None => weight.value(),
    };
    let mut wanted: Vec<_> = wanted.iter().map(|tensor| tensor.value()).collect();
    wanted.extend(weights.iter().map(constrain));
    let (count, trainable, given) = (losses.len(), weights.len(), x.len());
    drop(cx);

    let variables = declared.variables().to_vec();
    let inputs = (0..).zip(values).map(|(i, value)| (format!("x{i}"), value));
    let mut values = weights_of(case, &variables, what);
    values.extend(inputs);
    if case["dy"].is_object() {
        values.insert("dy".to_owned(), tensor(&case["dy"]).1);
    }
    values.extend(numbers(&declared));
    let graph = trace.finish(&wanted).unwrap_or_else(|error| panic!("{what}: {error}"));
    let (results, _) = run(&graph, |leaf| values[&leaf.name].clone());
    let mut results = results.into_iter();
    let mut next = || results.next().expect("a result");

    assert_close(&next(), &case["output"], what);
    if !dx.is_empty() {
        assert_eq!(dx.len(), given, "inputs of {what}");
        for dx in dx {
            assert_close(&next(), dx, &format!("dx of {what}"));
        }
        assert_eq!(list(&case["dweights"]).len(), trainable, "trainable weights of {what}");
        for dw in list(&case["dweights"]) {
            assert_close(&next(), dw, &format!("dweights of {what}"));
        }
    }
    assert_eq!(list(&case["losses"]).len(), count, "losses of {what}");
    for loss in list(&case["losses"]) {
        assert_near(next().scalar(), number(loss), &format!("losses of {what}"));
    }
    if count > 0 {
        assert_close(&next(), &case["losses_dx"], &format!("losses_dx of {what}"));
        for dw in list(&case["losses_dweights"]) {
            assert_close(&next(), dw, &format!("losses_dweights of {what}"));
        }
    }
    // Weights that gradients leave alone come last, and have no constraints.
    for weight in list(&case["constrained"]).iter().take(trainable) {
        assert_close(&next(), weight, &format!("constrained weights of {what}"));
    }
}

/// Noise, and state that follows what is seen, as in `fit`.
fn train(layer: &AnyLayer, case: &Json, what: &str) {
    let mut weights = &case["weights"];
    for call in list(&case["training"]) {
        train_once(layer, case, weights, call, what);
        if call["weights"].is_array() {
            weights = &call["weights"];
        }
    }
}

/// One call with `training=True`, of a layer that has these weights before it.
fn train_once(layer: &AnyLayer, case: &Json, weights: &Json, call: &Json, what: &str) {
    let (trace, declared) = (Trace::new("test"), Declarations::new());
    let cx = Scope::new(&trace, &declared, Mode::Train);
    let (ty, x) = tensor(&case["input"]);
    let tx = trace.input("x", ty);
    let y = cx.layer("layer", layer, tx);
    let mut wanted = vec![y];
    if call["dx"].is_object() {
        let mut wrt = vec![tx];
        wrt.extend(cx.trainable_weights().iter().map(|(_, weight)| *weight));
        let (ty, _) = tensor(&case["dy"]);
        wanted.extend(grad((y * trace.input("dy", ty)).sum(..), &wrt));
    }
    let wanted: Vec<_> = wanted.iter().map(|tensor| tensor.value()).collect();
    cx.write_updates();
    drop(cx);

    let variables = declared.variables().to_vec();
    let mut values = numbers(&declared);
    values.insert("x".to_owned(), x);
    values.insert("dy".to_owned(), tensor(&case["dy"]).1);
    let after = if call["weights"].is_array() { &call["weights"] } else { weights };
    let mut expected = values_of(&variables, after, what);
    values.extend(values_of(&variables, weights, what));
    let seed = variables.iter().find(|it| matches!(it.initial, Initial::Seed(_)));
    assert_eq!(call["seed_state"].is_array(), seed.is_some(), "a seed generator in {what}");
    if let Some(seed) = seed {
        let state: Vec<f64> = list(&call["seed_state"]).iter().map(number).collect();
        assert_eq!(values[&seed.path].data[0], state[0], "the seed of {what}");
        expected.insert(seed.path.clone(), Array::new([2], vec![state[0], state[1] + 1.0]));
        values.insert(seed.path.clone(), Array::new([2], state));
    }
    let graph = trace.finish(&wanted).unwrap_or_else(|error| panic!("{what}: {error}"));
    let (results, updates) = run(&graph, |leaf| values[&leaf.name].clone());

    assert_close(&results[0], &call["output"], &format!("training output of {what}"));
    if seed.is_some() {
        let zeros = |data: &[f64]| data.iter().map(|x| *x == 0.0).collect::<Vec<bool>>();
        let (_, output) = tensor(&call["output"]);
        assert_eq!(zeros(&results[0].data), zeros(&output.data), "mask of {what}");
    }
    let gradients: Vec<&Json> = [&call["dx"]].into_iter().chain(list(&call["dweights"])).collect();
    for (got, expected) in results[1..].iter().zip(gradients) {
        assert_close(got, expected, &format!("training gradients of {what}"));
    }
    values.extend(updates);
    for Variable { path, .. } in &variables {
        let pairs = values[path].data.iter().zip(&expected[path].data);
        pairs
            .for_each(|(got, expected)| assert_near(*got, *expected, &format!("{path} of {what}")));
    }
}

/// The weights of a case by their paths; those that Keras initialised are what ours would be.
fn weights_of(case: &Json, variables: &[Variable], what: &str) -> HashMap<String, Array> {
    let name = case["name"].as_str().unwrap_or_default();
    if name.contains("initializer") {
        let weights = variables.iter().filter(|it| it.is_weight());
        for (variable, weight) in weights.zip(list(&case["weights"])) {
            let made = variable.first_value(FIRST_SEED).expect("a value");
            assert_close(&made, weight, &format!("first {} of {what}", variable.path));
        }
    }
    values_of(variables, &case["weights"], what)
}

/// The variables' values by their paths: these, of weights, and of others their first.
fn values_of(variables: &[Variable], weights: &Json, what: &str) -> HashMap<String, Array> {
    let mut given = list(weights).iter();
    let mut value = |variable: &Variable| match variable.is_weight() {
        true => tensor(given.next().unwrap_or_else(|| panic!("weights of {what}"))).1,
        false => variable.first_value(FIRST_SEED).expect("a value"),
    };
    let values = variables.iter().map(|it| (it.path.clone(), value(it))).collect();
    assert_eq!(given.next(), None, "weights of {what}");
    values
}

fn numbers(declared: &Declarations) -> HashMap<String, Array> {
    let numbers = declared.numbers();
    let scalar = |value: f64| Array::new([], vec![value]);
    numbers.iter().map(|number| (number.path.clone(), scalar(number.value))).collect()
}

/// Checks that the `shape = ".. -> .."` of a class tells the truth: a name stands for one extent,
/// that of the setting of this name if there is one, and `..` for any number of extents. What is in
/// brackets holds for each of several inputs, which may differ in what `..` stands for.
pub(crate) fn assert_signature(
    class: &Class<dyn oxhorn_nn::Layer>,
    config: &oxhorn_nn::Map,
    inputs: &[Vec<usize>],
    output: &[usize],
    what: &str,
) {
    let signature = class.shape.unwrap_or_else(|| panic!("`{}` has no shape", class.name()));
    let (from, to) = signature.split_once(" -> ").expect("an arrow");
    let several = from.strip_prefix('[').and_then(|from| from.strip_suffix(']'));
    assert!(several.is_some() || inputs.len() == 1, "`{signature}` is of one input");
    let from = several.unwrap_or(from);
    let mut bound: HashMap<String, Vec<usize>> = HashMap::new();
    let sides = inputs.iter().map(|input| (from, &input[..])).chain([(to, output)]);
    for (side, shape) in sides {
        if several.is_some() {
            bound.retain(|name, _| !name.starts_with(".."));
        }
        let names: Vec<&str> = side.split_whitespace().collect();
        let rest = (shape.len() + 1).checked_sub(names.len());
        let rest = rest.unwrap_or_else(|| panic!("{what}: {signature} and {shape:?}"));
        let mut shape = shape.iter().copied();
        for name in names {
            let count = if name.starts_with("..") { rest } else { 1 };
            let extents: Vec<usize> = shape.by_ref().take(count).collect();
            if let Some(units) = config.get(name).and_then(Json::as_u64) {
                assert_eq!(extents, [units as usize], "`{name}` of {what}");
            }
            let known = bound.entry(name.to_owned()).or_insert_with(|| extents.clone());
            assert_eq!(*known, extents, "`{name}` in `{signature}` of {what}");
        }
    }
}
