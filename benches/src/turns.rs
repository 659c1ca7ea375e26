//! Rivals that take turns, and what their turns took.

use std::io::{self, Write};

use oxhorn::Result;

/// Something that is measured beside others.
pub(crate) struct Rival {
    name: String,
    turn: Box<dyn FnMut() -> Result<f64>>,
}

impl Rival {
    /// `turn` does what is measured, often enough for a clock, and gives the seconds of one.
    pub(crate) fn new(
        name: impl Into<String>,
        turn: impl FnMut() -> Result<f64> + 'static,
    ) -> Rival {
        Rival { name: name.into(), turn: Box::new(turn) }
    }
}

/// Lets all take so many turns, after one that does not count, and prints medians and bests.
///
/// # Errors
///
/// If a turn fails, or nothing can be printed.
pub(crate) fn report(rivals: &mut [Rival], rounds: u32) -> Result<()> {
    let mut seconds = vec![vec![]; rivals.len()];
    for round in 0..=rounds {
        for (rival, seconds) in rivals.iter_mut().zip(&mut seconds) {
            let turn = (rival.turn)()?;
            if round > 0 {
                seconds.push(turn);
            }
        }
    }
    print(|out| {
        writeln!(out, "{:<28}{:>14}{:>14}", "", "median", "best")?;
        for (rival, seconds) in rivals.iter().zip(&mut seconds) {
            seconds.sort_unstable_by(f64::total_cmp);
            let (median, best) = (seconds[seconds.len() / 2], seconds[0]);
            writeln!(out, "{:<28}{:>14}{:>14}", rival.name, duration(median), duration(best))?;
        }
        Ok(())
    })
}

/// The one in the middle.
pub(crate) fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_unstable_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

/// Lets all take a turn for each line of standard input, and answers each with a line of JSON: the
/// seconds by the rivals' names. The first answer, unasked, is an empty object.
///
/// # Errors
///
/// If a turn fails, or nothing can be read or printed.
pub(crate) fn serve(rivals: &mut [Rival]) -> Result<()> {
    for rival in rivals.iter_mut() {
        (rival.turn)()?;
    }
    print(|out| writeln!(out, "{{}}"))?;
    for line in io::stdin().lines() {
        line.map_err(|error| oxhorn::Error::new(format!("cannot read: {error}")))?;
        let mut answers = vec![];
        for rival in rivals.iter_mut() {
            answers.push(format!("\"{}\": {:e}", rival.name, (rival.turn)()?));
        }
        print(|out| writeln!(out, "{{{}}}", answers.join(", ")))?;
    }
    Ok(())
}

/// Writes to standard output.
///
/// # Errors
///
/// If nobody reads it.
pub(crate) fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let mut out = io::stdout().lock();
    let written = write(&mut out).and_then(|()| out.flush());
    written.map_err(|error| oxhorn::Error::new(format!("cannot print: {error}")))
}

fn duration(seconds: f64) -> String {
    match seconds {
        ..1e-3 => format!("{:.2} µs", seconds * 1e6),
        1e-3..1.0 => format!("{:.2} ms", seconds * 1e3),
        _ => format!("{seconds:.2} s"),
    }
}
