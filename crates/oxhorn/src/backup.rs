//! Backups of runs: all that `fit` needs to go on with one that was interrupted, in one file.

use std::{
    fs,
    path::{Path, PathBuf},
};

use oxhorn_io::{disk, safetensors};
use oxhorn_ir::{Error, Result, ensure};

use crate::{callbacks::Callback, state::State};

/// What a file that holds a backup says of itself; another layout is another number.
const KIND: (&str, &str) = ("oxhorn.backup", "1");

/// The backup that a run is to go on from: the one it was told to, which there has to be, or the
/// one that a callback knows of, if there is one by now.
pub(crate) fn wanted(told: Option<PathBuf>, callbacks: &impl Callback) -> Result<Option<State>> {
    match (told, callbacks.backup()) {
        (Some(path), _) => read(&path).map(Some),
        (None, Some(path)) if is_there(&path)? => read(&path).map(Some),
        (None, _) => Ok(None),
    }
}

/// A file that cannot be looked for is not one that is missing: a run must not begin anew then.
fn is_there(path: &Path) -> Result<bool> {
    let there = fs::exists(path);
    there.map_err(|error| Error::new(format!("`{}` cannot be read: {error}", path.display())))
}

/// The backup in a file, which was written whole and is as it was.
pub(crate) fn read(path: &Path) -> Result<State> {
    let contents = safetensors::read(disk::read(path)?)?;
    let (key, version) = KIND;
    let known = contents.metadata.get(key).map(String::as_str);
    ensure!(
        known == Some(version),
        "`{}` is no backup of a run that can be read here", path.display();
        help: "backups are written by `BackupAndRestore`; weights are read by `load_weights`"
    );
    Ok(contents.tensors.into_iter().collect())
}

/// Writes a backup in the place of an older one, which stays until this one is whole.
pub(crate) fn write(path: &Path, state: State) -> Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let made = fs::create_dir_all(folder);
        made.map_err(|error| Error::new(format!("`{}`: {error}", folder.display())))?;
    }
    let (key, version) = KIND;
    let contents = safetensors::Contents {
        tensors: state.into_entries().collect(),
        metadata: [(key.to_owned(), version.to_owned())].into_iter().collect(),
    };
    disk::replace(path, &safetensors::write(&contents)?)
}
