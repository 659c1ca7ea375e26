//! How far a study is: a bar on a terminal, elsewhere a line for each run.

use std::{io, io::IsTerminal, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use oxhorn::Result;
use oxhorn_lab::{Outcome, Progress, Variant, show};

use crate::output::print;

/// A bar has so many steps, more than a terminal shows.
const STEPS: u64 = 1000;
/// How often the time that is left is worked out.
const TICK: Duration = Duration::from_millis(500);

/// Tells how far a study is.
pub(crate) enum Teller<'a> {
    /// A bar that moves.
    Bar(ProgressBar),
    /// A line for each run, which names its variant and gives this measure.
    Lines {
        /// The variants of the study.
        variants: &'a [Variant],
        /// The measure that the verdict is about.
        primary: String,
    },
}

impl<'a> Teller<'a> {
    /// For whoever reads the standard output.
    pub(crate) fn new(variants: &'a [Variant], primary: &str) -> Teller<'a> {
        if !io::stdout().is_terminal() {
            let primary = if primary.is_empty() { "val_loss" } else { primary }.to_owned();
            return Teller::Lines { variants, primary };
        }
        let bar = ProgressBar::with_draw_target(Some(STEPS), ProgressDrawTarget::stdout());
        let style =
            ProgressStyle::with_template("{msg:>16} {bar:40.cyan/dim} {percent:>3} %  {eta}");
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("━━─"));
        }
        bar.enable_steady_tick(TICK);
        Teller::Bar(bar)
    }

    /// Tells what has happened.
    ///
    /// # Errors
    /// When a line cannot be printed.
    pub(crate) fn tell(&self, progress: Progress<'_>) -> Result<()> {
        let Progress { done, total, run, fraction } = progress;
        match self {
            Teller::Bar(bar) => {
                bar.set_message(format!("{done} of {} ", show::of(total, "run", "runs")));
                bar.set_position((STEPS as f64 * fraction) as u64);
                if done == total {
                    bar.finish_and_clear();
                }
                Ok(())
            }
            Teller::Lines { variants, primary } => {
                let Some(run) = run else { return Ok(()) };
                let name = variants.get(run.variant).map_or("", |variant| &variant.name);
                let came_to = match &run.outcome {
                    Outcome::Finished(measured) => {
                        let value = measured.measures.get(primary).copied();
                        value.map_or(String::new(), |it| format!("{primary} {}, ", show::value(it)))
                    }
                    Outcome::Diverged { epoch } => format!("diverged in epoch {epoch}, "),
                };
                print(format_args!(
                    "run {done} of {total}: {name}, seed {}: {came_to}{:.2} s",
                    run.seed, run.seconds
                ))
            }
        }
    }
}

impl Drop for Teller<'_> {
    /// A study that was decided early, or failed, leaves no bar behind.
    fn drop(&mut self) {
        if let Teller::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
