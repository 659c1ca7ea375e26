//! Files that others wrote, and small ones of ours.
#![allow(dead_code, reason = "each test uses some of it")]

use std::{fs, path::PathBuf};

use oxhorn_io::{Dataset, Element, Group, Member, Tensor, Tensors, keras};
use serde_json::{Value, json};

/// A file of `tests/recorded`.
pub(crate) fn recorded(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/recorded").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What the recorded files hold.
pub(crate) fn expected() -> Value {
    serde_json::from_slice(&recorded("expected.json")).unwrap()
}

/// A tensor as `record.py` describes one.
pub(crate) fn described(value: &Value) -> Tensor {
    let name = value["dtype"].as_str().unwrap();
    let element = Element::ALL.into_iter().find(|element| element.name() == name).unwrap();
    let shape: Vec<usize> = serde_json::from_value(value["shape"].clone()).unwrap();
    let digits = value["hex"].as_str().unwrap();
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    let bytes: Vec<u8> = (0..digits.len()).step_by(2).map(byte).collect();
    Tensor::new(element, shape, bytes).unwrap()
}

/// Tensors as `record.py` describes them.
pub(crate) fn arrays(value: &Value) -> Tensors {
    let all = value.as_object().unwrap().iter();
    all.map(|(name, value)| (name.clone(), described(value))).collect()
}

/// A small model, with an optimizer and the state of a run.
pub(crate) fn archive() -> keras::Archive {
    let mut weights = Group::default();
    let dense = "layers/dense/vars";
    weights
        .insert(&format!("{dense}/0"), Tensor::of([3, 2], &[0.5f32, -1.0, 2.0, 0.0, 1.0, 7.0]))
        .unwrap();
    weights.insert(&format!("{dense}/1"), Tensor::of([2], &[0.25f32, -0.25])).unwrap();
    weights.group_mut(dense).unwrap().attributes.insert("name".into(), "dense".into());
    weights.insert("optimizer/vars/0", Tensor::of([], &[3i64])).unwrap();
    weights.group_mut("vars").unwrap().attributes.insert("name".into(), "sequential".into());
    let state = keras::State {
        facts: json!({"epoch": 3, "batch": 7, "best": 0.1}),
        tensors: [("seed".to_owned(), Tensor::of([2], &[1u32, 5]))].into_iter().collect(),
    };
    keras::Archive {
        metadata: json!({"keras_version": "3.15.1", "date_saved": "2026-11-23@07:59:42"}),
        config: json!({"module": "keras", "class_name": "Sequential", "config": {"layers": []}}),
        weights,
        state: Some(state),
    }
}

/// A tensor without attributes.
pub(crate) fn dataset(tensor: Tensor) -> Member {
    Member::Dataset(Dataset { attributes: Default::default(), tensor })
}
