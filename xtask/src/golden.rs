//! `cargo xtask golden`: records what Keras does, as `golden/README.md` describes.

use std::process::Command;

use crate::{root, run};

/// The Python whose packages the lists in `golden` are of.
const PYTHON: &str = "python3.11";

/// The kind that is recorded from other packages, which have their own list.
const APART: &str = "calibration";

/// Records these kinds of vectors, or all that are Keras', with the versions that are pinned.
pub(crate) fn record(kinds: &[&str]) -> Result<(), String> {
    let (apart, of_keras) = kinds.iter().partition::<Vec<&str>, _>(|kind| **kind == APART);
    if !apart.is_empty() {
        record_in("golden-calibration", "requirements-calibration.txt", &apart)?;
    }
    match apart.is_empty() || !of_keras.is_empty() {
        true => record_in("golden-python", "requirements.txt", &of_keras),
        false => Ok(()),
    }
}

/// Records with the packages of this list, in an environment of this name.
fn record_in(environment: &str, requirements: &str, kinds: &[&str]) -> Result<(), String> {
    let (golden, environment) = (root().join("golden"), root().join("target").join(environment));
    let python = environment.join("bin/python");
    if !python.exists() {
        run(Command::new(PYTHON).args(["-m", "venv"]).arg(&environment))?;
    }
    let requirements = golden.join(requirements);
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(requirements))?;
    run(Command::new(&python).arg(golden.join("record.py")).args(kinds))
}
