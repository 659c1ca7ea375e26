//! `cargo xtask golden`: records what Keras does, as `golden/README.md` describes.

use std::process::Command;

use crate::{root, run};

/// The Python whose packages `golden/requirements.txt` lists.
const PYTHON: &str = "python3.11";

/// Records these kinds of vectors, or all, with the versions of Keras and JAX that are pinned.
pub(crate) fn record(kinds: &[&str]) -> Result<(), String> {
    let (golden, environment) = (root().join("golden"), root().join("target/golden-python"));
    let python = environment.join("bin/python");
    if !python.exists() {
        run(Command::new(PYTHON).args(["-m", "venv"]).arg(&environment))?;
    }
    let requirements = golden.join("requirements.txt");
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(requirements))?;
    run(Command::new(&python).arg(golden.join("record.py")).args(kinds))
}
