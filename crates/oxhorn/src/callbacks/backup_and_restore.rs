//! Backs a run up, and goes on with it after an interruption.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use oxhorn_ir::{Error, Result, ensure};

use super::{Callback, Granularity, SaveFreq, Training, save_freq::Batches};
use crate::{history::Logs, state::State};

/// Keeps a backup of a run of `fit`. If the run is interrupted, by whatever, the same call of `fit`
/// with the same model goes on from the backup, and ends with the weights and the history that the
/// run would have had, bit for bit.
///
/// The backup holds the weights, what the optimizer, the seed generators, the metrics and the
/// techniques keep, numbers that were turned, the random streams and the order of samples, what
/// every callback has to remember, the history, and the position within the epoch. It is one file,
/// `latest.safetensors`, with a checksum over all of it. The one before stays until the next is
/// whole, so that there is always one. When training ends, it is deleted.
///
/// What closures of one's own remember is not part of it, nor is what is printed.
///
/// ```no_run
/// # use oxhorn::prelude::*;
/// # fn main() -> oxhorn::Result<()> {
/// # let (x, y) = (random((60, 4)), randint(3, 60));
/// # let mut model = Sequential::new().add(Dense::new(3).input_dim(4));
/// let backup = BackupAndRestore::new("backup").save_freq(100);
/// model.fit(&x, &y, Fit::epochs(50).callback(backup))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BackupAndRestore {
    folder: PathBuf,
    due: Batches,
    afterwards: Afterwards,
}

/// What becomes of the backup when training ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Afterwards {
    Delete,
    Keep,
}

/// The file within the folder.
const NAME: &str = "latest.safetensors";

impl BackupAndRestore {
    /// Keeps the backup in this folder, which belongs to one run and is made if there is none.
    /// There is a backup after every epoch.
    pub fn new(backup_dir: impl Into<PathBuf>) -> BackupAndRestore {
        let (folder, due) = (backup_dir.into(), Batches::new(SaveFreq::Epoch));
        BackupAndRestore { folder, due, afterwards: Afterwards::Delete }
    }

    /// Backs up after so many batches, or, by default, after every `"epoch"`.
    #[must_use]
    pub fn save_freq(self, save_freq: impl Into<SaveFreq>) -> BackupAndRestore {
        BackupAndRestore { due: Batches::new(save_freq.into()), ..self }
    }

    /// Leaves the last backup where it is when training ends: Keras' `delete_checkpoint=False`.
    #[must_use]
    pub fn keep_checkpoint(self) -> BackupAndRestore {
        BackupAndRestore { afterwards: Afterwards::Keep, ..self }
    }

    /// The file that the backup is in.
    pub fn path(&self) -> PathBuf {
        self.folder.join(NAME)
    }

    fn check(&self) -> Result<()> {
        ensure!(!self.folder.as_os_str().is_empty(), "Empty `backup_dir` argument passed");
        self.due.check()
    }
}

impl Callback for BackupAndRestore {
    fn granularity(&self) -> Granularity {
        self.due.granularity()
    }

    fn backup(&self) -> Option<PathBuf> {
        Some(self.path())
    }

    fn state(&self) -> Result<State> {
        Ok(self.due.state())
    }

    fn resume(&mut self, state: &State, _: &mut dyn Training) -> Result<()> {
        self.check()?;
        self.due.resume(state)
    }

    fn on_train_begin(&mut self, _: &mut dyn Training) -> Result<()> {
        self.due.begin();
        self.check()
    }

    fn on_train_batch_end(
        &mut self,
        batch: usize,
        _: &Logs,
        training: &mut dyn Training,
    ) -> Result<()> {
        if self.due.after_batch(batch) { training.back_up(&self.path()) } else { Ok(()) }
    }

    fn on_epoch_end(&mut self, _: usize, _: &mut Logs, training: &mut dyn Training) -> Result<()> {
        if self.due.after_epoch() { training.back_up(&self.path()) } else { Ok(()) }
    }

    fn on_train_end(&mut self, _: &Logs, _: &mut dyn Training) -> Result<()> {
        match self.afterwards {
            Afterwards::Keep => Ok(()),
            Afterwards::Delete => delete(&self.path(), &self.folder),
        }
    }
}

/// Deletes the file, and the folder if there is nothing else in it.
fn delete(path: &Path, folder: &Path) -> Result<()> {
    let failed = |error: io::Error| {
        Error::new(format!("the backup `{}` cannot be deleted: {error}", path.display()))
    };
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        removed => removed.map_err(failed)?,
    }
    match fs::remove_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::DirectoryNotEmpty => Err(failed(error)),
        _ => Ok(()),
    }
}
