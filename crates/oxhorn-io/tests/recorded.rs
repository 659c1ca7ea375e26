//! Files of Keras, h5py, NumPy and safetensors are read as they read them, and ours by them.

mod support;

use std::{fs, path::Path};

use oxhorn_io::{Attribute, Format, Group, Member, Tensor, h5, keras, npz, safetensors, seal};
use serde_json::Value;

use crate::support::{arrays, described, expected, recorded};

#[track_caller]
fn assert_tree(found: &Group, expected: &Value, path: &str) {
    let named = expected["attributes"].as_object().unwrap();
    let expected_names: Vec<_> = named.keys().collect();
    assert_eq!(found.attributes.keys().collect::<Vec<_>>(), expected_names, "{path}");
    for (name, value) in named {
        let expected = match value {
            Value::String(text) => Attribute::Text(text.clone()),
            Value::Array(_) => Attribute::Texts(serde_json::from_value(value.clone()).unwrap()),
            _ => Attribute::Numbers(described(value)),
        };
        assert_eq!(found.attributes[name], expected, "{path}@{name}");
    }
    let members = expected["members"].as_object().unwrap();
    let expected_names: Vec<_> = members.keys().collect();
    assert_eq!(found.members.keys().collect::<Vec<_>>(), expected_names, "{path}");
    for (name, value) in members {
        match &found.members[name] {
            Member::Group(group) => assert_tree(group, value, &format!("{path}/{name}")),
            Member::Dataset(dataset) => {
                assert_eq!(dataset.tensor, described(value), "{path}/{name}");
            }
        }
    }
}

#[test]
fn hdf5_is_read_as_h5py_reads_it() {
    let expected = expected();
    for name in ["model.weights.h5", "legacy.h5", "kinds.h5", "latest.h5"] {
        let found = h5::read(recorded(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_tree(&found, &expected[name], name);
    }
}

#[test]
fn an_archive_of_keras_is_read() {
    let expected = expected();
    let archive = keras::read(recorded("model.keras")).unwrap();
    assert_eq!(archive.config, expected["config"]);
    assert_eq!(archive.metadata["keras_version"], "3.15.1");
    assert_eq!(archive.state, None);
    assert_tree(&archive.weights, &expected["model.weights.h5"], "model.keras");
}

#[test]
fn a_legacy_file_has_its_config() {
    let root = h5::read(recorded("legacy.h5")).unwrap();
    let config = root.attributes["model_config"].as_text().unwrap();
    let config: Value = serde_json::from_str(config).unwrap();
    assert_eq!(config["class_name"], "Sequential");
    let weights = root.group("model_weights/first").unwrap();
    let names = weights.attributes["weight_names"].as_texts().unwrap();
    assert_eq!(names, ["first/kernel", "first/bias"].map(|it| format!("sequential/{it}")));
    assert_eq!(weights.tensor(&names[0]).map(Tensor::shape), Some(&[5, 3][..]));
}

#[test]
fn npz_is_read_as_numpy_reads_it() {
    let expected = arrays(&expected()["arrays"]);
    let found = npz::read(recorded("kinds.npz")).unwrap();
    assert_eq!(found.len(), expected.len() - 1, "all but bfloat16, which NumPy lacks");
    for (name, tensor) in &found {
        assert_eq!(*tensor, expected[name], "{name}");
    }
    let packed = npz::read(recorded("packed.npz")).unwrap();
    assert_eq!(packed["layers/dense/vars/0"], expected["prime"]);
}

#[test]
fn safetensors_are_read_as_their_own_package_reads_them() {
    let expected = arrays(&expected()["arrays"]);
    let found = safetensors::read(recorded("kinds.safetensors")).unwrap();
    assert_eq!(found.metadata["format"], "np");
    assert_eq!(found.tensors.len(), 15);
    for (name, tensor) in &found.tensors {
        assert_eq!(*tensor, expected[name], "{name}");
    }
}

/// What others were seen to read: `record.py check` was run on files with these checksums. When one
/// differs, run it again on the folder that the message names, and write down the new one.
const CHECKED: [(&str, &str); 6] = [
    ("model.keras", "9c8f67eb141e344d3f5de5f4e51750976743a1f032ec026580b2b299d4423f79"),
    ("model.weights.h5", "f907af9877bbbabb3d6f77175d68364b0157925f88c8417ca5993dbb1a0210c6"),
    ("legacy.h5", "5ddf94367c6156f0b1f2f7e60fc587d839ff2dab8d2214aa0e7c410847b32add"),
    ("kinds.h5", "d2c1facb3344573940d117c142779b6164ba8cda584f9fc0e38912f6aab5e758"),
    ("kinds.npz", "52bc3594424dfe98817616bd4b2056e31ee2198d9909cdf4ebead71a3e60b582"),
    ("kinds.safetensors", "6aec055af1693f678092b753b386500debcaadff10821c9146d208eb62b4930b"),
];

#[test]
fn writes_for_peers() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers");
    fs::create_dir_all(&folder).unwrap();
    let mut archive = keras::read(recorded("model.keras")).unwrap();
    archive.state = support::archive().state;
    let kinds = safetensors::read(recorded("kinds.safetensors")).unwrap();
    let files = [
        ("model.keras", keras::write(&archive)),
        ("model.weights.h5", h5::write(&archive.weights)),
        ("legacy.h5", h5::write(&h5::read(recorded("legacy.h5")).unwrap())),
        ("kinds.h5", h5::write(&h5::read(recorded("kinds.h5")).unwrap())),
        ("kinds.npz", npz::write(&npz::read(recorded("kinds.npz")).unwrap())),
        ("kinds.safetensors", safetensors::write(&kinds)),
    ];
    let mut differing = vec![];
    for (name, bytes) in files {
        let bytes = bytes.unwrap_or_else(|error| panic!("{name}: {error}"));
        fs::write(folder.join(name), &bytes).unwrap();
        let format = Format::of(Path::new(name)).unwrap();
        let seal::Seal::Intact(digest) = seal::check(&bytes, format).unwrap() else {
            panic!("{name} has no seal");
        };
        if !CHECKED.contains(&(name, &digest)) {
            differing.push(format!("{name} {digest}"));
        }
    }
    assert!(differing.is_empty(), "{}: {differing:#?}", folder.display());
}

#[test]
fn what_was_read_can_be_written_and_read_again() {
    let root = h5::read(recorded("kinds.h5")).unwrap();
    assert_eq!(h5::read(h5::write(&root).unwrap()).unwrap(), root);
    let archive = support::archive();
    assert_eq!(keras::read(keras::write(&archive).unwrap()).unwrap(), archive);
    let contents = safetensors::read(recorded("kinds.safetensors")).unwrap();
    assert_eq!(safetensors::read(safetensors::write(&contents).unwrap()).unwrap(), contents);
    let tensors = npz::read(recorded("kinds.npz")).unwrap();
    assert_eq!(npz::read(npz::write(&tensors).unwrap()).unwrap(), tensors);
}

#[test]
fn an_archive_may_keep_its_weights_as_npz() {
    use std::io::{Cursor, Write};
    let npz = recorded("packed.npz");
    let mut zip = zip::ZipWriter::new(Cursor::new(vec![]));
    for (name, bytes) in
        [("metadata.json", &b"{}"[..]), ("config.json", b"{}"), ("model.weights.npz", &npz)]
    {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    let archive = keras::read(zip.finish().unwrap().into_inner()).unwrap();
    let expected = described(&expected()["arrays"]["prime"]);
    assert_eq!(archive.weights.tensor("layers/dense/vars/0"), Some(&expected));
}
