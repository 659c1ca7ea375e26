//! Files that are in order, and whose model is made to do harm, are refused by what they ask for.
//!
//! They are those of `oxhorn-io/tests/hostile` that are read there, as data; `record_hostile.py`
//! beside them says what each is.

use std::{fs, path::PathBuf};

use oxhorn::Sequential;

const REFUSALS: [(&str, &str); 14] = [
    ("h01_lambda.keras", "`Lambda` is not made from a file: it is Python code"),
    ("h02_any_function.keras", "unknown layer: `system` of `os`"),
    (
        "h02_function_as_activation.keras",
        "`activation` of `Dense`: Could not interpret activation function identifier: eval",
    ),
    (
        "h03_gadget.keras",
        "`activation` of `Dense`: Could not interpret activation function identifier: get_file",
    ),
    ("h04_unsafe_first.keras", "unknown layer: `enable_unsafe_deserialization`"),
    ("h05_legacy_lambda.h5", "`Lambda` is not made from a file: it is Python code"),
    (
        "h06_torch.keras",
        "`TorchModuleWrapper` is not made from a file: it is a pickled PyTorch module, which is \
         Python code",
    ),
    (
        "h07_lookup.keras",
        "`StringLookup` is not made from a file: its vocabulary may be the path of another file",
    ),
    (
        "h07_remote.keras",
        "`IntegerLookup` is not made from a file: its vocabulary may be the path of another file",
    ),
    (
        "h13_saved_model.keras",
        "`TFSMLayer` is not made from a file: it loads another model from a path",
    ),
    ("h14_wrapped.keras", "unknown layer: `TimeDistributed`"),
    ("h15_legacy_path.keras", "the model's config has no list of `layers`"),
    ("h20_cycle.keras", "expected a Sequential model, got \"Functional\""),
    ("h20_units.keras", "no memory can hold f32[3, 4611686018427387904]"),
];

#[test]
fn models_that_would_do_harm_are_refused() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../oxhorn-io/tests");
    let folder = folder.canonicalize().unwrap();
    for (name, expected) in REFUSALS {
        let loaded = Sequential::load(folder.join("hostile").join(name));
        let error = loaded.err().unwrap_or_else(|| panic!("{name} was loaded"));
        assert_eq!(error.message, expected, "{name}");
    }
    // None is forgotten: all others are refused where files are read.
    let refusals = fs::read_to_string(folder.join("refusals.txt")).unwrap();
    let left =
        refusals.lines().filter_map(|line| line.strip_suffix(": only its config is hostile"));
    assert_eq!(left.collect::<Vec<_>>(), REFUSALS.map(|(name, _)| name));
}
