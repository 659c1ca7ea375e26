//! Standard output, for readers who may leave before the end.

use std::{
    fmt::Display,
    io::{self, Write},
    process,
};

use oxhorn::{Error, Result};

/// As wide as a terminal is everywhere.
const COLUMNS: usize = 80;

/// Standard output. Once its reader is gone, as in `oxhorn demo | head`, the command ends quietly.
pub(crate) struct Output;

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        unless_abandoned(io::stdout().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        unless_abandoned(io::stdout().flush())
    }
}

fn unless_abandoned<T>(result: io::Result<T>) -> io::Result<T> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => process::exit(0),
        result => result,
    }
}

/// Prints a line, or several.
///
/// # Errors
/// When it cannot be written, say because the disk is full.
pub(crate) fn print(text: impl Display) -> Result<()> {
    writeln!(Output, "{}", plain(&text.to_string())).and_then(|()| Output.flush()).map_err(
        |error| {
            Error::new(format!("cannot print: {error}"))
                .help("look at where the standard output goes")
        },
    )
}

/// A text without control characters, by which whatever a file contains could command a terminal.
pub(crate) fn plain(text: &str) -> String {
    let shown = |c: char| if c.is_control() && c != '\n' { '\u{fffd}' } else { c };
    text.chars().map(shown).collect()
}

/// The words of a text in lines of at most 80 columns.
pub(crate) fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    let mut width = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        let separator = match width {
            0 => "",
            width if width + 1 + length <= COLUMNS => " ",
            _ => "\n",
        };
        width = if separator == " " { width + 1 + length } else { length };
        lines.extend([separator, word]);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_printed_commands_a_terminal() {
        assert_eq!(plain("a\x1b[2Jb\r\nc\u{9b}d — é"), "a\u{fffd}[2Jb\u{fffd}\nc\u{fffd}d — é");
    }

    #[test]
    fn breaks_lines_between_words_only() {
        let word = "a".repeat(39);
        assert_eq!(wrapped(&format!("{word} {word}b c")), format!("{word} {word}b\nc"));
        assert_eq!(wrapped(&format!("b {word} {word} c")), format!("b {word}\n{word} c"));
        let long = "é".repeat(81);
        assert_eq!(wrapped(&format!("a {long}\nb")), format!("a\n{long}\nb"));
        assert_eq!(wrapped(" \n"), "");
    }
}
