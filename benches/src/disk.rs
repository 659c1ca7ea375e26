//! How long a model of 100 MB takes to be saved and loaded, beside Keras.

use std::{
    env, fs,
    io::{self, Write},
    path::Path,
    process::{self, Command},
    time::Instant,
};

use oxhorn::prelude::*;

/// Width of each of four dense layers: 25 million weights, 100 MB.
const UNITS: usize = 2500;

/// Seconds of saving and loading, of the median round.
struct Medians {
    save: f64,
    load: f64,
}

/// Measures this, and Keras under a Python that has it, in turn.
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
        .map_err(|error| Error::new(format!("cannot print: {error}")))
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

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

fn report(rounds: u32, ours: &Medians, keras: Option<&Medians>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let megabytes = 4.0 * (UNITS * (UNITS + 1) * 4) as f64 / 1e6;
    writeln!(out, "a model of {megabytes:.0} MB as `.keras`, medians of {rounds} rounds\n")?;
    writeln!(out, "{:<6}{:>12}{:>12}{:>9}", "", "oxhorn ms", "keras ms", "ratio")?;
    for (name, of) in [("save", Medians::save as fn(&Medians) -> f64), ("load", Medians::load)] {
        let (own, other) = (1e3 * of(ours), keras.map(|it| 1e3 * of(it)));
        let text = |number: Option<f64>| number.map_or("-".to_owned(), |it| format!("{it:.1}"));
        let ratio = other.map(|other| other / own);
        writeln!(out, "{name:<6}{own:>12.1}{:>12}{:>9}", text(other), text(ratio))?;
    }
    Ok(())
}

impl Medians {
    fn save(&self) -> f64 {
        self.save
    }

    fn load(&self) -> f64 {
        self.load
    }
}
