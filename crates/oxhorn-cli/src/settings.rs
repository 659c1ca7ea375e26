//! Settings that several commands share, and what they may be.

use clap::Args;
use oxhorn::{Error, Result};
use oxhorn_lab::Lab;

/// How much is done at once.
#[derive(Args)]
pub(crate) struct Jobs {
    /// Networks to train at once, each on one thread: the numbers are the same for any
    /// [default: one for each core]
    #[arg(long, value_name = "N", visible_alias = "threads")]
    jobs: Option<usize>,
}

impl Jobs {
    /// Where studies are done.
    ///
    /// # Errors
    /// When the number is out of its range.
    pub(crate) fn lab<'a>(&self) -> Result<Lab<'a>> {
        let lab = Lab::new();
        match self.jobs {
            None => Ok(lab),
            Some(jobs) => {
                within("--jobs", jobs, 256)?;
                Ok(lab.workers(jobs))
            }
        }
    }
}

/// Rejects a count that is 0 or more than the most.
///
/// # Errors
/// With the name of the setting and its range.
pub(crate) fn within(name: &str, value: usize, most: usize) -> Result<()> {
    if (1..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::new(format!("`{name}` must be from 1 to {most}, got {value}")))
}

/// So many seeds from the first on.
///
/// # Errors
/// When there are too many, or too few.
pub(crate) fn seeds(first: u32, count: usize) -> Result<Vec<u32>> {
    within("--seeds", count, 10_000)?;
    // Within 32 bits, the number after the last is the first.
    Ok((0..count as u32).map(|i| first.wrapping_add(i)).collect())
}

/// Rejects settings of columns for arrays, which have none.
///
/// # Errors
/// With the name of the first that was given.
pub(crate) fn not_for_arrays(settings: &[(&str, bool)]) -> Result<()> {
    match settings.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((name, _)) => Err(Error::new(format!("`{name}` has no meaning for arrays"))
            .help("those of a .npz file are taken as they are")),
    }
}

/// The name of the one array of targets.
///
/// # Errors
/// When several were named.
pub(crate) fn array_of(targets: &[String]) -> Result<&str> {
    match targets {
        [] => Ok("y"),
        [target] => Ok(target),
        _ => Err(Error::new(format!("`--target` names {} arrays", targets.len()))
            .help("the targets of a .npz file are one array, with a row for each sample")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_follow_one_another_round_the_end() {
        assert_eq!(seeds(7, 3).unwrap(), [7, 8, 9]);
        assert_eq!(seeds(u32::MAX, 2).unwrap(), [u32::MAX, 0]);
        let error = seeds(0, 0).unwrap_err();
        assert_eq!(error.message, "`--seeds` must be from 1 to 10000, got 0");
    }
}
