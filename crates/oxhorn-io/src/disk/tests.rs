//! Writing fails at every step, and is cut off at every byte: the old file or the new one is there.

use std::cell::Cell;

use tempfile::TempDir;

use super::*;

/// What happens when a writer comes to its last step.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// The step fails, and the writer can go on with what it does then.
    Fails,
    /// The power goes off: nothing that comes later happens.
    Ends,
}

/// The steps of the operating system, until one of them does not succeed.
struct Faulty {
    disk: Disk,
    /// Steps that succeed before the fault.
    remaining: usize,
    /// How much a write at the fault has written.
    torn: usize,
    fault: Fault,
    met: Cell<bool>,
}

impl Faulty {
    fn step(&mut self) -> io::Result<()> {
        if self.met.get() && matches!(self.fault, Fault::Ends) {
            return Err(io::Error::other("the power is off"));
        }
        if self.remaining == 0 && !self.met.get() {
            self.met.set(true);
            return Err(io::Error::new(io::ErrorKind::StorageFull, "no space left"));
        }
        self.remaining = self.remaining.saturating_sub(1);
        Ok(())
    }
}

impl Steps for Faulty {
    fn create(&mut self, path: &Path, like: Option<&fs::Metadata>) -> io::Result<()> {
        self.step()?;
        self.disk.create(path, like)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let step = self.step();
        let written = if step.is_ok() { bytes.len() } else { self.torn.min(bytes.len()) };
        self.disk.write(&bytes[..written])?;
        step
    }

    fn sync(&mut self) -> io::Result<()> {
        self.step()?;
        self.disk.sync()
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        self.disk.rename(from, to)
    }

    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        self.step()?;
        self.disk.sync_folder(folder)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.step()?;
        self.disk.remove(path)
    }
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn whatever_step_fails_the_old_file_or_the_new_one_is_there() {
    let (old, new) = (vec![1; 23], vec![2; 31]);
    for fault in [Fault::Fails, Fault::Ends] {
        let mut outcomes = vec![];
        for remaining in 0..6 {
            for torn in 0..=new.len() {
                let folder = TempDir::new().unwrap();
                let path = folder.path().join("model.keras");
                fs::write(&path, &old).unwrap();
                let disk = Disk { file: None };
                let met = Cell::new(false);
                let mut faulty = Faulty { disk, remaining, torn, fault, met };
                let result = replace_by(&mut faulty, &path, &new);
                let found = read(&path).unwrap();
                assert!(found == old || found == new, "{fault:?} after {remaining} and {torn}");
                assert_eq!(result.is_err(), faulty.met.get(), "every failure is told");
                assert!(result.is_err() || found == new, "no failure, no old file");
                outcomes.push(found == new);
                // What the writer could not remove is no hindrance to the next, which removes it.
                drop(faulty);
                replace(&path, &new).unwrap();
                assert_eq!(read(&path).unwrap(), new);
                assert_eq!(names(&folder), ["model.keras"]);
            }
        }
        assert!(outcomes.contains(&false) && outcomes.contains(&true));
        // Create, write, sync, rename: the fifth is the folder's, when the new file has its name.
        assert!(outcomes[..4 * 32].iter().all(|is_new| !is_new));
        assert!(outcomes[4 * 32..].iter().all(|is_new| *is_new));
    }
}

#[test]
fn a_first_file_is_whole_or_not_there() {
    for remaining in 0..4 {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("model.keras");
        let (disk, met) = (Disk { file: None }, Cell::new(false));
        let mut faulty = Faulty { disk, remaining, torn: 5, fault: Fault::Ends, met };
        assert!(replace_by(&mut faulty, &path, &[7; 9]).is_err());
        assert!(!path.exists());
    }
}

#[test]
fn what_another_writer_is_writing_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("model.keras");
    let mut other = Disk { file: None };
    let unfinished = folder.path().join(".model.keras.1-0.oxhorn-new");
    other.create(&unfinished, None).unwrap();
    replace(&path, b"new").unwrap();
    assert!(unfinished.exists());
    drop(other);
    replace(&path, b"newer").unwrap();
    assert!(!unfinished.exists());
}

#[test]
fn a_file_in_the_current_folder_needs_no_folder() {
    // The folder of a bare name is the empty path, which cannot be opened. This one is not written.
    let error = replace(Path::new("no\0name"), b"").unwrap_err();
    assert!(error.message.starts_with("`no\0name` cannot be written"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_link_is_replaced_and_what_it_points_to_left_alone() {
    let folder = TempDir::new().unwrap();
    let (victim, link) = (folder.path().join("victim"), folder.path().join("model.keras"));
    fs::write(&victim, "precious").unwrap();
    std::os::unix::fs::symlink(&victim, &link).unwrap();
    replace(&link, b"new").unwrap();
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    assert!(fs::symlink_metadata(&link).unwrap().is_file());
    assert_eq!(read(&link).unwrap(), b"new");
}

#[cfg(unix)]
#[test]
fn permissions_are_those_of_the_old_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("model.keras");
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    replace(&path, b"new").unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn what_is_no_file_is_neither_read_nor_replaced() {
    let folder = TempDir::new().unwrap();
    let is_folder = format!("`{}` cannot be", folder.path().display());
    let expected = format!("{is_folder} read: it is no regular file");
    assert_eq!(read(folder.path()).unwrap_err().message, expected);
    let expected = format!("{is_folder} written: it is no regular file");
    assert_eq!(replace(folder.path(), b"").unwrap_err().message, expected);
    assert!(replace(Path::new("/"), b"").is_err());
    assert!(replace(&folder.path().join("no/such"), b"").is_err());
    if cfg!(unix) {
        // It has no end.
        assert!(read(Path::new("/dev/zero")).is_err());
    }
}
