//! The lines that `fit`, `evaluate` and `predict` print while they work.

use std::{
    fmt::{self, Write as _},
    io::{self, IsTerminal, Write},
    time::Duration,
};

use oxhorn_ir::{Error, Result};

use crate::history::Logs;

/// Least time between two drawings of a bar.
const INTERVAL: Duration = Duration::from_millis(50);
/// Width of a bar in characters.
const WIDTH: usize = 20;
const BOLD: &str = "\x1b[1m";
const GREEN: &str = "\x1b[32m";
const WHITE: &str = "\x1b[37m";
const RESET: &str = "\x1b[0m";

/// How much is printed: Keras' `verbose`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// Nothing: 0.
    Silent,
    /// A bar: 1. It moves on a terminal; elsewhere it is one line for each epoch.
    #[default]
    Bar,
    /// One line for each epoch: 2.
    Lines,
}

/// Keras' numbers for it.
impl TryFrom<u8> for Verbosity {
    type Error = Error;

    fn try_from(verbose: u8) -> Result<Verbosity> {
        match verbose {
            0 => Ok(Verbosity::Silent),
            1 => Ok(Verbosity::Bar),
            2 => Ok(Verbosity::Lines),
            other => Err(Error::new(format!("`verbose` must be 0, 1 or 2, got {other}"))
                .help("0 prints nothing, 1 a progress bar, 2 one line for each epoch")),
        }
    }
}

impl From<Verbosity> for u8 {
    fn from(verbosity: Verbosity) -> u8 {
        verbosity as u8
    }
}

/// Where the lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// A terminal, whose last line can be drawn again, in colour.
    Terminal,
    /// A file, a pipe, a log: whole lines of plain text, without control characters.
    Plain,
}

impl Screen {
    /// What standard output is.
    pub fn of_stdout() -> Screen {
        if io::stdout().is_terminal() { Screen::Terminal } else { Screen::Plain }
    }
}

/// Prints the progress of one call of `fit`, `evaluate` or `predict`, as Keras prints it.
///
/// Times are durations since any one moment of the caller's choice. A step costs a comparison
/// unless it is due to be drawn:
///
/// ```
/// use std::time::Instant;
///
/// use oxhorn::{history::Logs, progress::{Progress, Screen, Verbosity}};
///
/// let clock = Instant::now();
/// let mut out = Vec::new();
/// let mut progress = Progress::new(&mut out, Verbosity::Lines, Screen::Plain);
/// progress = progress.epochs(2).steps(Some(3));
/// progress.begin_epoch(0, clock.elapsed())?;
/// for step in 1..=3 {
///     if progress.step(step, clock.elapsed()) {
///         progress.draw(&Logs::new())?;
///     }
/// }
/// progress.finish(clock.elapsed(), &Logs::new())?;
/// assert!(String::from_utf8_lossy(&out).starts_with("Epoch 1/2\n3/3 - 0s - "));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Progress<W> {
    out: W,
    verbosity: Verbosity,
    screen: Screen,
    epochs: usize,
    /// Steps in an epoch, where known; after an epoch it always is.
    steps: Option<usize>,
    run: Run,
    /// The text being put together, kept for its memory.
    line: String,
}

/// One epoch or evaluation.
#[derive(Debug, Default)]
struct Run {
    start: Duration,
    now: Duration,
    step: usize,
    /// When the first step ended, which is left out of the time for a step: it is often slower.
    first_step: Option<Duration>,
    drawn: Option<Duration>,
    /// Characters that the last drawing shows.
    width: usize,
    /// The numbers last shown, in the order in which their names first appeared.
    logs: Logs,
}

impl<W: Write> Progress<W> {
    /// Prints to `out`; for one epoch of an unknown number of steps, until told otherwise.
    pub fn new(out: W, verbosity: Verbosity, screen: Screen) -> Progress<W> {
        let (run, line) = (Run::default(), String::new());
        Progress { out, verbosity, screen, epochs: 1, steps: None, run, line }
    }

    /// Sets the number of epochs. The line `Epoch 1/10` is printed when there is more than one.
    pub fn epochs(self, epochs: usize) -> Progress<W> {
        Progress { epochs, ..self }
    }

    /// Sets the number of steps of an epoch, where it is known beforehand.
    pub fn steps(self, steps: Option<usize>) -> Progress<W> {
        Progress { steps, ..self }
    }

    /// Begins an epoch of `fit`, counted from 0.
    ///
    /// # Errors
    /// Those of the output.
    pub fn begin_epoch(&mut self, epoch: usize, now: Duration) -> io::Result<()> {
        self.begin(now);
        if self.verbosity == Verbosity::Silent || self.epochs <= 1 {
            return Ok(());
        }
        writeln!(self.out, "Epoch {}/{}", epoch + 1, self.epochs)?;
        self.out.flush()
    }

    /// Begins a call of `evaluate` or `predict`.
    pub fn begin(&mut self, now: Duration) {
        self.run = Run { start: now, now, ..Run::default() };
    }

    /// Notes that `step` steps are done, and says whether the caller shall [`Progress::draw`].
    #[inline]
    pub fn step(&mut self, step: usize, now: Duration) -> bool {
        let run = &mut self.run;
        run.step = step;
        run.now = now;
        if self.verbosity != Verbosity::Bar {
            return false;
        }
        if step == 1 {
            run.first_step = Some(now);
        }
        match (run.drawn, self.screen) {
            (None, _) => true,
            (Some(drawn), Screen::Terminal) => now.saturating_sub(drawn) >= INTERVAL,
            (Some(_), Screen::Plain) => false,
        }
    }

    /// Draws the bar of a step with the means so far. Where the output is no terminal nothing is
    /// printed, but the order of the names is learnt.
    ///
    /// # Errors
    /// Those of the output.
    pub fn draw(&mut self, logs: &Logs) -> io::Result<()> {
        self.show(logs);
        self.run.drawn = Some(self.run.now);
        match self.screen {
            Screen::Terminal => self.draw_bar(Stage::Running),
            Screen::Plain => Ok(()),
        }
    }

    /// Ends an epoch, an evaluation or a prediction with its final numbers.
    ///
    /// # Errors
    /// Those of the output.
    pub fn finish(&mut self, now: Duration, logs: &Logs) -> io::Result<()> {
        self.show(logs);
        let steps = *self.steps.get_or_insert(self.run.step);
        self.run.step = steps;
        self.run.now = now;
        match self.verbosity {
            Verbosity::Silent => Ok(()),
            Verbosity::Bar => self.draw_bar(Stage::Finished),
            Verbosity::Lines if steps == 0 => Ok(()),
            Verbosity::Lines => self.print_line(steps),
        }
    }

    fn show(&mut self, logs: &Logs) {
        for (name, &value) in logs.iter() {
            self.run.logs.set(name, value);
        }
    }

    fn print_line(&mut self, steps: usize) -> io::Result<()> {
        let Run { start, now, logs, .. } = &self.run;
        let elapsed = now.saturating_sub(*start).as_secs_f64();
        let text = compose(&mut self.line, |line| {
            write!(line, "{steps}/{steps} - {elapsed:.0}s - ")?;
            write_step_time(line, self.run.seconds_per_step())?;
            for (name, &value) in logs.iter() {
                write!(line, " - {name}: ")?;
                // Keras asks `value > 1e-3` here but `abs(value) > 1e-3` for the bar.
                if value > 1e-3 {
                    write!(line, "{value:.4}")?;
                } else {
                    write_scientific(line, value)?;
                }
            }
            writeln!(line)
        })?;
        self.out.write_all(text)?;
        self.out.flush()
    }

    fn draw_bar(&mut self, stage: Stage) -> io::Result<()> {
        let Progress { run, steps, screen, .. } = self;
        let (before, mut width) = (run.width, 0);
        let text = compose(&mut self.line, |line| {
            if *screen == Screen::Terminal {
                line.extend(std::iter::repeat_n('\x08', before));
                line.push('\r');
            }
            let mut bar = Painter { line, screen: *screen, width: 0 };
            bar.write_bar(run.step, *steps)?;
            bar.write_time(run, *steps, stage)?;
            bar.write_logs(&run.logs)?;
            width = bar.width;
            if *screen == Screen::Terminal {
                line.extend(std::iter::repeat_n(' ', before.saturating_sub(width)));
            }
            if stage == Stage::Finished { writeln!(line) } else { Ok(()) }
        })?;
        run.width = width;
        self.out.write_all(text)?;
        self.out.flush()
    }
}

/// Whether a bar shows the time that is left or the time that it took.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Running,
    Finished,
}

impl Run {
    fn seconds_per_step(&self) -> f64 {
        let (since, steps) = match (self.step, self.first_step) {
            (0, _) => return 0.0,
            (step @ 2.., Some(first)) => (first, step - 1),
            (step, _) => (self.start, step),
        };
        self.now.saturating_sub(since).as_secs_f64() / steps as f64
    }
}

/// Writes to a line and counts the characters that a terminal shows of it.
struct Painter<'l> {
    line: &'l mut String,
    screen: Screen,
    width: usize,
}

impl Painter<'_> {
    fn paint(
        &mut self,
        style: &str,
        write: impl FnOnce(&mut Painter<'_>) -> fmt::Result,
    ) -> fmt::Result {
        if self.screen == Screen::Plain {
            return write(self);
        }
        self.line.push_str(style);
        write(self)?;
        self.line.push_str(RESET);
        Ok(())
    }

    fn write_bar(&mut self, step: usize, steps: Option<usize>) -> fmt::Result {
        let Some(steps) = steps.filter(|&steps| steps > 0) else {
            return write!(self, "{step:7}/Unknown");
        };
        let digits = steps.ilog10() as usize + 1;
        self.paint(BOLD, |text| write!(text, "{step:digits$}/{steps}"))?;
        self.write_char(' ')?;
        let done = (WIDTH as f64 * (step as f64 / steps as f64)) as usize;
        let rule =
            |n: usize| move |text: &mut Painter<'_>| (0..n).try_for_each(|_| text.write_char('━'));
        if done > 0 {
            self.paint(GREEN, rule(done))?;
        }
        self.paint(WHITE, rule(WIDTH.saturating_sub(done)))
    }

    fn write_time(&mut self, run: &Run, steps: Option<usize>, stage: Stage) -> fmt::Result {
        let step_time = run.seconds_per_step();
        self.write_char(' ')?;
        self.paint(BOLD, |text| match (stage, steps) {
            (Stage::Running, Some(steps)) if steps > 0 => {
                let left = step_time * (steps as f64 - run.step as f64);
                let seconds = left.max(0.0) as u64;
                let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
                match left {
                    3600.0.. if left > 3600.0 => write!(text, "{h}:{m:02}:{s:02}"),
                    60.0.. if left > 60.0 => write!(text, "{}:{s:02}", seconds / 60),
                    _ => write!(text, "{seconds}s"),
                }
            }
            _ => write!(text, "{:.0}s", run.now.saturating_sub(run.start).as_secs_f64()),
        })?;
        self.write_char(' ')?;
        write_step_time(self, step_time)
    }

    fn write_logs(&mut self, logs: &Logs) -> fmt::Result {
        for (name, &value) in logs.iter() {
            write!(self, " - {name}: ")?;
            write_number(self, value)?;
        }
        Ok(())
    }
}

impl fmt::Write for Painter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.width += text.chars().count();
        self.line.push_str(text);
        Ok(())
    }
}

/// Fills the line anew.
fn compose(line: &mut String, write: impl FnOnce(&mut String) -> fmt::Result) -> io::Result<&[u8]> {
    line.clear();
    write(line).map_err(io::Error::other)?;
    Ok(line.as_bytes())
}

/// A time for a step in the largest unit of which there is at least one: `59ms/step`.
fn write_step_time(out: &mut impl fmt::Write, seconds: f64) -> fmt::Result {
    match seconds {
        s if s >= 1.0 || s == 0.0 => write!(out, "{s:.0}s/step"),
        s if s >= 1e-3 => write!(out, "{:.0}ms/step", s * 1e3),
        s => write!(out, "{:.0}us/step", s * 1e6),
    }
}

/// Four digits after the point, in scientific notation for what that would show too little of.
pub(crate) fn write_number(out: &mut impl fmt::Write, value: f64) -> fmt::Result {
    if value.abs() > 1e-3 { write!(out, "{value:.4}") } else { write_scientific(out, value) }
}

/// A number as Python's `%.4e` writes it: with a sign and two digits in the exponent.
fn write_scientific(out: &mut impl fmt::Write, value: f64) -> fmt::Result {
    if value.is_nan() {
        return out.write_str("nan");
    }
    let text = format!("{value:.4e}");
    match text.split_once('e') {
        None => out.write_str(&text),
        Some((digits, exponent)) => {
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ('-', exponent),
                None => ('+', exponent),
            };
            write!(out, "{digits}e{sign}{exponent:0>2}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs(entries: &[(&str, f64)]) -> Logs {
        entries.iter().copied().collect()
    }

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn printed(
        verbosity: Verbosity,
        screen: Screen,
        run: impl FnOnce(&mut Progress<&mut Vec<u8>>) -> io::Result<()>,
    ) -> String {
        let mut out = Vec::new();
        run(&mut Progress::new(&mut out, verbosity, screen).epochs(2).steps(Some(3))).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// The first epoch of the run whose text is in `draws_the_bars_that_keras_draws`.
    fn fit(progress: &mut Progress<&mut Vec<u8>>) -> io::Result<()> {
        progress.begin_epoch(0, at(100.0))?;
        for (step, now) in [(1, 101.7), (2, 101.74), (3, 102.1)] {
            if progress.step(step, at(now)) && step == 1 {
                progress.draw(&logs(&[("accuracy", 0.0625), ("loss", 1.7223)]))?;
            }
        }
        let last =
            [("accuracy", 0.15), ("loss", 1.7061), ("val_accuracy", 0.2), ("val_loss", -1.0)];
        progress.finish(at(102.178), &logs(&last))
    }

    #[test]
    fn draws_the_bars_that_keras_draws() {
        let expected = [
            "Epoch 1/2\n\r\x1b[1m1/3\x1b[0m \x1b[32m━━━━━━\x1b[0m\x1b[37m━━━━━━━━━━━━━━\x1b[0m ",
            "\x1b[1m3s\x1b[0m 2s/step - accuracy: 0.0625 - loss: 1.7223",
            &"\x08".repeat(69),
            "\r\x1b[1m3/3\x1b[0m \x1b[32m━━━━━━━━━━━━━━━━━━━━\x1b[0m\x1b[37m\x1b[0m ",
            "\x1b[1m2s\x1b[0m 239ms/step - accuracy: 0.1500 - loss: 1.7061",
            " - val_accuracy: 0.2000 - val_loss: -1.0000\n",
        ];
        assert_eq!(printed(Verbosity::Bar, Screen::Terminal, fit), expected.concat());
    }

    #[test]
    fn prints_plain_lines_where_there_is_no_terminal() {
        let expected = "Epoch 1/2\n3/3 ━━━━━━━━━━━━━━━━━━━━ 2s 239ms/step - accuracy: 0.1500 \
                        - loss: 1.7061 - val_accuracy: 0.2000 - val_loss: -1.0000\n";
        assert_eq!(printed(Verbosity::Bar, Screen::Plain, fit), expected);
    }

    #[test]
    fn prints_one_line_an_epoch_at_verbosity_two() {
        // The time for a step includes the first step here, and negative numbers look as Keras
        // prints them.
        let expected = "Epoch 1/2\n3/3 - 2s - 726ms/step - accuracy: 0.1500 - loss: 1.7061 \
                        - val_accuracy: 0.2000 - val_loss: -1.0000e+00\n";
        for screen in [Screen::Plain, Screen::Terminal] {
            assert_eq!(printed(Verbosity::Lines, screen, fit), expected);
        }
    }

    #[test]
    fn has_the_numbers_that_keras_gives_it() {
        for verbose in 0..3 {
            assert_eq!(Verbosity::try_from(verbose).map(u8::from), Ok(verbose));
        }
        let error = Verbosity::try_from(3).unwrap_err();
        assert_eq!(error.message, "`verbose` must be 0, 1 or 2, got 3");
    }

    #[test]
    fn prints_nothing_when_silent() {
        assert_eq!(printed(Verbosity::Silent, Screen::Terminal, fit), "");
    }

    #[test]
    fn blanks_what_a_shorter_line_leaves_over() {
        let text = printed(Verbosity::Bar, Screen::Terminal, |progress| {
            progress.begin(at(0.0));
            assert!(progress.step(1, at(0.01)));
            progress.draw(&logs(&[("loss", 1e-4)]))?;
            progress.finish(at(0.04), &logs(&[("loss", 1.0)]))
        });
        assert!(text.starts_with("\r\x1b[1m1/3"), "{text:?}");
        assert!(text.ends_with("loss: 1.0000    \n"), "{text:?}");
    }

    #[test]
    fn is_not_drawn_more_often_than_every_fifty_milliseconds() {
        printed(Verbosity::Bar, Screen::Terminal, |progress| {
            progress.begin(at(1.0));
            assert!(progress.step(1, at(1.001)));
            progress.draw(&Logs::new())?;
            assert!(!progress.step(2, at(1.05)));
            assert!(progress.step(3, at(1.051)));
            Ok(())
        });
    }

    #[test]
    fn learns_an_unknown_number_of_steps_from_the_first_epoch() {
        let text = printed(Verbosity::Bar, Screen::Terminal, |progress| {
            progress.steps = None;
            progress.begin(at(0.0));
            progress.step(1, at(2.0));
            progress.draw(&Logs::new())?;
            progress.step(2, at(4.0));
            progress.finish(at(4.0), &Logs::new())?;
            progress.begin(at(4.0));
            progress.step(1, at(5.0));
            progress.draw(&Logs::new())
        });
        let visible = text.replace("\x1b[1m", "").replace("\x1b[0m", "").replace('\x08', "");
        assert!(visible.starts_with("\r      1/Unknown 2s 2s/step\r2/2 "), "{visible:?}");
        assert!(visible.ends_with("\r1/2 \x1b[32m━━━━━━━━━━\x1b[37m━━━━━━━━━━ 1s 1s/step"));
    }

    #[test]
    fn shows_the_time_left_in_minutes_and_hours() {
        for (seconds, expected) in [(0.5, " 1s 500ms"), (30.25, "1:00"), (1830.0, "1:01:00")] {
            let text = printed(Verbosity::Bar, Screen::Terminal, |progress| {
                progress.begin(at(0.0));
                progress.step(1, at(seconds));
                progress.draw(&Logs::new())
            });
            let visible = text.replace("\x1b[1m", "").replace("\x1b[0m", "");
            assert!(visible.contains(expected), "{visible:?} has no {expected}");
        }
    }

    #[test]
    fn writes_numbers_as_python_does() {
        for (value, expected) in [
            (1.0, "1.0000"),
            (0.00100001, "0.0010"),
            (1e-3, "1.0000e-03"),
            (-0.25, "-0.2500"),
            (-1.23456e-5, "-1.2346e-05"),
            (0.0, "0.0000e+00"),
            (1e-120, "1.0000e-120"),
            (123456.75, "123456.7500"),
            (f64::NAN, "nan"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            let mut text = String::new();
            write_number(&mut text, value).unwrap();
            assert_eq!(text, expected);
        }
    }
}
