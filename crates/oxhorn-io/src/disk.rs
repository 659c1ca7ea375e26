//! Whole files: read at once, and replaced so that a reader finds the old one or the new one.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use oxhorn_ir::{Error, Result};

/// What the names of files end with that are not yet whole.
const UNFINISHED: &str = ".oxhorn-new";

/// All bytes of a file.
///
/// # Errors
///
/// If there is no regular file at the path, or it cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let failed = |error: io::Error| failure(path, "read", &error);
    // A pipe or a device may never end: looked at before it is opened, and once more behind.
    let mut length = fs::metadata(path).and_then(regular).map_err(failed)?;
    let file = File::open(path).map_err(failed)?;
    length = file.metadata().and_then(regular).map_err(failed)?.min(length);
    let mut bytes = Vec::with_capacity(length as usize);
    file.take(length).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// Puts a file in the place of another, or where there was none.
///
/// The bytes go to a new file in the same folder, which is synced and renamed; then the folder is
/// synced. Whatever happens meanwhile, whoever opens the path finds the old file or the new one,
/// whole. The new file has the permissions of the old one. A symbolic link at the path is replaced,
/// and what it points to left alone. What writers that were killed have left is removed.
///
/// # Errors
///
/// If the folder is not there or cannot be written to, or the disk is full: the file at the path is
/// as it was, but where only the syncing of the folder failed.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    replace_by(&mut Disk { file: None }, path, bytes)
}

/// The steps of which [`replace`] consists.
trait Steps {
    /// Creates a file that must not exist, and keeps it open.
    fn create(&mut self, path: &Path, like: Option<&fs::Metadata>) -> io::Result<()>;
    /// Writes to the open file.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Waits until the open file is on the disk.
    fn sync(&mut self) -> io::Result<()>;
    /// Gives a file another name, in place of whatever has it.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
    /// Waits until the names in a folder are on the disk.
    fn sync_folder(&mut self, folder: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&mut self, path: &Path) -> io::Result<()>;
}

/// The steps as the operating system takes them.
struct Disk {
    file: Option<File>,
}

impl Steps for Disk {
    fn create(&mut self, path: &Path, like: Option<&fs::Metadata>) -> io::Result<()> {
        // `create_new` follows no link and opens nothing that is there.
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        // Files that somebody writes are told from those that were left behind by their lock. Where
        // there are no locks, nothing is ever removed.
        let _ = file.try_lock();
        if let Some(like) = like {
            file.set_permissions(like.permissions())?;
        }
        self.file = Some(file);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(bytes))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), File::sync_all)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        // Windows has no way to sync a folder, and opens none.
        if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
}

fn replace_by(steps: &mut dyn Steps, path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |error: io::Error| failure(path, "written", &error);
    let Some(name) = path.file_name() else {
        return Err(Error::new(format!("`{}` is no name of a file", path.display())));
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let old = match fs::symlink_metadata(path) {
        Ok(old) if old.is_symlink() => None,
        Ok(old) => {
            regular(old.clone()).map_err(failed)?;
            Some(old)
        }
        Err(_) => None,
    };
    let prefix = format!(".{}.", name.display());
    remove_left_behind(folder, &prefix);
    let new = folder.join(unfinished_name(&prefix));
    let written = (|| {
        steps.create(&new, old.as_ref())?;
        steps.write(bytes)?;
        steps.sync()?;
        steps.rename(&new, path)
    })();
    if let Err(error) = written {
        // That the new file cannot be removed is no news: the first error is what matters.
        let _ = steps.remove(&new);
        return Err(failed(error));
    }
    steps.sync_folder(folder).map_err(failed)
}

/// A name that no other writer takes, of this process or another.
fn unfinished_name(prefix: &str) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    PathBuf::from(format!("{prefix}{}-{count}{UNFINISHED}", process::id()))
}

/// Removes what writers of the same file have left behind that were killed.
fn remove_left_behind(folder: &Path, prefix: &str) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let ours =
            name.to_str().is_some_and(|it| it.starts_with(prefix) && it.ends_with(UNFINISHED));
        if !ours || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        // Whoever writes it holds the lock, and the system lets go of those of the dead.
        let Ok(file) = OpenOptions::new().write(true).open(entry.path()) else { continue };
        match file.try_lock() {
            Ok(()) => drop(fs::remove_file(entry.path())),
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
        }
    }
}

/// The length of a regular file; an error for anything else.
fn regular(metadata: fs::Metadata) -> io::Result<u64> {
    match metadata.is_file() {
        true => Ok(metadata.len()),
        false => Err(io::Error::other("it is no regular file")),
    }
}

fn failure(path: &Path, what: &str, error: &io::Error) -> Error {
    Error::new(format!("`{}` cannot be {what}: {error}", path.display()))
}

#[cfg(test)]
#[path = "disk/tests.rs"]
mod tests;
