//! How long a model of 100 MB takes to be saved and loaded, beside Keras.

use std::{
    env, fs,
    path::Path,
    process::{self, Command},
    time::Instant,
};

use oxhorn::prelude::*;

use crate::turns::{median, print};

/// Width of each of four dense layers: 25 million weights, 100 MB.
const UNITS: usize = 2500;

/// Seconds of saving and loading, of the median round.
struct Medians {
    save: f64,
    load: f64,
}

/// Measures this, and then Keras under a Python that has it.
///
/// # Errors
///
/// If a file cannot be written, or Python or its script fails.
pub(crate) fn measure(rounds: u32, python: Option<&Path>) -> Result<()> {
    let path = env::temp_dir().join(format!("oxhorn-bench-{}.keras", process::id()));
    let ours = own(rounds, &path);
    // Whatever became of it, the file is of no use any more.
    let _ = fs::remove_file(&path);
    let ours = ours?;
    let keras = python.map(|python| keras(python, rounds)).transpose()?;
    report(rounds, &ours, keras.as_ref())
}

fn own(rounds: u32, path: &Path) -> Result<Medians> {
    let mut model = Sequential::new().add(Dense::new(UNITS).input_dim(UNITS));
    for _ in 0..3 {
        model = model.add(Dense::new(UNITS));
    }
    let (mut save, mut load) = (vec![], vec![]);
    // The first round is of memory that was never touched.
    for round in 0..=rounds {
        let begun = Instant::now();
        model.save(path)?;
        let saved = begun.elapsed();
        let begun = Instant::now();
        let again = Sequential::load(path)?;
        let loaded = begun.elapsed();
        drop(again);
        if round > 0 {
            save.push(saved.as_secs_f64());
            load.push(loaded.as_secs_f64());
        }
    }
    Ok(Medians { save: median(save), load: median(load) })
}

fn keras(python: &Path, rounds: u32) -> Result<Medians> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/save_load.py");
    let mut command = Command::new(python);
    command.arg(script).args(["--rounds", &rounds.to_string(), "--units", &UNITS.to_string()]);
    let failed = |what: &str| Error::new(format!("{}: {what}", python.display()));
    let output = command.output().map_err(|error| failed(&error.to_string()))?;
    let (text, errors) = [output.stdout, output.stderr]
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .into();
    let seconds: Option<Vec<f64>> =
        text.split_whitespace().map(|number| number.parse().ok()).collect();
    match seconds.as_deref() {
        Some([save, load]) if output.status.success() => Ok(Medians { save: *save, load: *load }),
        _ => Err(failed(&errors)),
    }
}

fn report(rounds: u32, ours: &Medians, keras: Option<&Medians>) -> Result<()> {
    let megabytes = 4.0 * (UNITS * (UNITS + 1) * 4) as f64 / 1e6;
    let rows = [
        ("save", ours.save, keras.map(|it| it.save)),
        ("load", ours.load, keras.map(|it| it.load)),
    ];
    print(|out| {
        writeln!(out, "a model of {megabytes:.0} MB as `.keras`, medians of {rounds} rounds\n")?;
        writeln!(out, "{:<6}{:>12}{:>12}{:>9}", "", "oxhorn ms", "keras ms", "ratio")?;
        for (name, own, other) in rows {
            let text = |number: Option<f64>| number.map_or("-".to_owned(), |it| format!("{it:.1}"));
            let (milliseconds, ratio) = (text(other.map(|it| 1e3 * it)), other.map(|it| it / own));
            writeln!(out, "{name:<6}{:>12.1}{milliseconds:>12}{:>9}", 1e3 * own, text(ratio))?;
        }
        Ok(())
    })
}
