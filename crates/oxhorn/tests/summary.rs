//! What a model says of itself: Keras' table, and Keras' JSON.

mod support;

use oxhorn::prelude::*;
use serde_json::{Value, json};
use support::{golden, list, seeded, tensor};

/// The recorded table of that name.
fn printed(name: &str) -> String {
    let file = golden("text/summary.json");
    let case = list(&file["cases"]).iter().find(|case| case["name"] == name).unwrap();
    case["printed"].as_str().unwrap().to_owned()
}

/// The model of a recorded layer list.
fn open(name: &str, layers: &Value) -> oxhorn::Result<Sequential> {
    let config = json!({"name": name, "layers": layers});
    Sequential::from_json(&json!({"class_name": "Sequential", "config": config}))
}

fn table(model: &Sequential) -> String {
    model.summary().at_width(80)
}

#[test]
fn every_recorded_model_has_keras_table_at_every_width() {
    let _guard = seeded(1);
    let file = golden("text/summary.json");
    let (mut compared, mut refused) = (0, vec![]);
    for case in list(&file["cases"]) {
        let no_arguments = case["arguments"] == json!({});
        // Once compiled, a model has an optimizer to count: see the next test.
        let compiled = ["compiled_only", "fitted"].iter().any(|name| starts(case, name));
        if !no_arguments || compiled {
            continue;
        }
        let layers = match case["layers"].as_str() {
            None => &case["layers"],
            Some(other) => {
                let of_other = |case: &&Value| starts(case, other) && case["layers"].is_array();
                &list(&file["cases"]).iter().find(of_other).unwrap()["layers"]
            }
        };
        match open(case["model"].as_str().unwrap(), layers) {
            Ok(model) => {
                let width = case["columns"].as_u64().unwrap() as usize;
                let table = model.summary().at_width(width);
                assert_eq!(table, case["printed"].as_str().unwrap(), "{}", case["name"]);
                compared += 1;
            }
            Err(error) => refused.push(error.message),
        }
    }
    let open = "the input shape [None, None, Some(4)] leaves extents of a sample open";
    assert_eq!((compared, refused), (8, vec![open.to_owned()]));
}

fn starts(case: &Value, name: &str) -> bool {
    case["name"].as_str().unwrap().split(',').next() == Some(name)
}

#[test]
fn the_optimizer_is_counted_once_it_is_built() {
    let _guard = seeded(812);
    let data = &golden("training/validation.json")["cases"][0]["data"];
    let (x, y) = (tensor(&data["x"]), tensor(&data["y"]));
    let mut model = Sequential::new()
        .add(Input::new([4]))
        .add(Dense::new(5).activation("relu"))
        .add(Dropout::new(0.25))
        .add(Dense::new(3).activation("softmax"));
    model.compile(Adam::default(), "categorical_crossentropy", ["accuracy"]).unwrap();
    assert_eq!(table(&model), printed("compiled_only, 80 columns"));
    model.fit(&x, &y, Fit::epochs(1).verbose(0)).unwrap();
    assert_eq!(table(&model), printed("fitted, 80 columns"));
    // Another optimizer has no slots until it is built in its turn.
    model.compile("sgd", "categorical_crossentropy", ["accuracy"]).unwrap();
    assert_eq!(table(&model), printed("compiled_only, 80 columns"));
    model.fit(&x, &y, Fit::epochs(1).verbose(0)).unwrap();
    assert!(table(&model).contains(" Optimizer params: 2 (8.00 B)\n"), "{}", table(&model));
}

#[test]
fn a_model_without_input_shape_is_unbuilt_until_it_sees_data() {
    let _guard = seeded(1);
    let mut model = Sequential::new().add(Dense::new(3)).add(Dropout::new(0.5)).add(Dense::new(2));
    let cells = |model: &Sequential| {
        let table = table(model);
        let row = table.lines().find(|line| line.contains("dense (Dense)")).unwrap();
        row.split('│').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(cells(&model), ["", "dense (Dense)", "?", "0 (unbuilt)", ""]);
    model.predict(&ndarray::Array2::<f32>::zeros((1, 7))).unwrap();
    assert_eq!(cells(&model), ["", "dense (Dense)", "(None, 3)", "24", ""]);
    assert!(table(&model).contains("Total params: 32 (128.00 B)"));
}

#[test]
fn json_is_read_back_as_the_same_model() {
    let _guard = seeded(1);
    let models = [
        support::tutorial(1),
        Sequential::new()
            .name("shapes")
            .add(Input::new([2, 6]))
            .add(Rescaling::new(0.5))
            .add(Flatten::new())
            .add(Dense::new(6).use_bias(false).kernel_regularizer("l2").name("wide"))
            .add(Activation::new("relu").name("bend"))
            .add(Reshape::new([3, -1]))
            .add(Dropout::new(0.5).seed(7).noise_shape([None, Some(1), None]))
            .add(Dense::new(1).kernel_initializer("he_normal").trainable(false)),
        Sequential::new().add(Dense::new(2)),
    ];
    for mut model in models {
        // What reads it: a file of text.
        let text = model.to_json().to_string();
        let mut again = Sequential::from_json(&serde_json::from_str(&text).unwrap()).unwrap();
        assert_eq!(again.to_json().to_string(), text);
        assert_eq!(table(&again), table(&model));
        let sample: Vec<usize> = match model.weights() {
            Ok(_) => continue,
            Err(_) => vec![4],
        };
        model.build(&sample).unwrap();
        again.build(&sample).unwrap();
        assert_eq!(table(&again), table(&model));
    }
}

#[test]
fn a_model_recorded_from_keras_is_written_back_as_keras_wrote_it() {
    let _guard = seeded(1);
    let file = golden("training/tasks.json");
    let mut compared = 0;
    for layers in list(&file["models"]) {
        let model = open("sequential", layers).unwrap();
        let again = model.to_json();
        for (ours, keras) in list(&again["config"]["layers"]).iter().zip(list(layers)) {
            assert_same(ours, keras);
            compared += 1;
        }
        assert_eq!(list(&again["config"]["layers"]).len(), list(layers).len());
    }
    assert_eq!(compared, 29);
}

/// Settings that are null may be left out; numbers are those of single precision.
#[track_caller]
fn assert_same(ours: &Value, keras: &Value) {
    match (ours, keras) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys()) {
                let of = |map: &serde_json::Map<String, Value>| {
                    map.get(key).cloned().unwrap_or(Value::Null)
                };
                assert_same(&of(a), &of(b));
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len());
            a.iter().zip(b).for_each(|(a, b)| assert_same(a, b));
        }
        (Value::Number(a), Value::Number(b)) => {
            assert_eq!(a.as_f64().map(|a| a as f32), b.as_f64().map(|b| b as f32));
        }
        _ => assert_eq!(ours, keras),
    }
}
