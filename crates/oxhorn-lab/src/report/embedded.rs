//! The study within its report, as JSON: written so that no page can be broken by it, and read.

use std::io;

use oxhorn::{Error, Result};
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::study::Study;

const OPENING: &str = "<script type=\"application/json\" id=\"oxhorn-study\">\n";
const CLOSING: &str = "\n</script>";

/// A study as an element of a page, a line for each run, comparison and variant.
pub(super) fn element(study: &Study) -> String {
    let mut json = Vec::new();
    let mut to = Serializer::with_formatter(&mut json, Lines::default());
    // Writing to memory cannot fail, and a study has no key that is no string.
    let written = study.serialize(&mut to).is_ok();
    debug_assert!(written, "a study can be written as JSON");
    // Within a string, where alone it can be, a bracket may be written like this; so nothing in
    // the element looks like a tag or a comment.
    let json = String::from_utf8_lossy(&json).replace('<', "\\u003c");
    format!("{OPENING}{json}{CLOSING}")
}

/// The study of a report.
///
/// # Errors
/// When the page has no study, or one that cannot be read.
pub(crate) fn study(page: &str) -> Result<Study> {
    let help = "give a report that `oxhorn study` or `oxhorn demo` wrote";
    let (_, rest) = page
        .split_once(OPENING)
        .ok_or_else(|| Error::new("there is no study in this page").help(help))?;
    let (json, _) = rest
        .split_once(CLOSING)
        .ok_or_else(|| Error::new("the study in this page has no end").help(help))?;
    serde_json::from_str(json).map_err(|error| {
        Error::new(format!("the study in this page cannot be read: {error}"))
            .help("the report was cut off or changed, or another version of Oxhorn wrote it")
    })
}

/// JSON with a line for each entry of the outermost lists and each key that holds one.
#[derive(Default)]
struct Lines {
    depth: usize,
}

impl Lines {
    fn open<W: io::Write + ?Sized>(&mut self, to: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        to.write_all(bracket)
    }

    fn close<W: io::Write + ?Sized>(&mut self, to: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        to.write_all(bracket)
    }

    fn next<W: io::Write + ?Sized>(&self, to: &mut W, first: bool) -> io::Result<()> {
        if !first {
            to.write_all(b",")?;
        }
        if self.depth <= 2 { to.write_all(b"\n") } else { Ok(()) }
    }
}

impl Formatter for Lines {
    fn begin_array<W: io::Write + ?Sized>(&mut self, to: &mut W) -> io::Result<()> {
        self.open(to, b"[")
    }

    fn end_array<W: io::Write + ?Sized>(&mut self, to: &mut W) -> io::Result<()> {
        self.close(to, b"]")
    }

    fn begin_array_value<W: io::Write + ?Sized>(
        &mut self,
        to: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.next(to, first)
    }

    fn begin_object<W: io::Write + ?Sized>(&mut self, to: &mut W) -> io::Result<()> {
        self.open(to, b"{")
    }

    fn end_object<W: io::Write + ?Sized>(&mut self, to: &mut W) -> io::Result<()> {
        self.close(to, b"}")
    }

    fn begin_object_key<W: io::Write + ?Sized>(
        &mut self,
        to: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.next(to, first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::fixture;

    #[test]
    fn a_study_comes_back_from_its_page_as_it_was() {
        let mut it = fixture::study(&[&[0.1 + 0.2, 1.0 / 3.0], &[5e-324, 0.7]]);
        it.variants[1].name = "</script><!--<script>&\"\u{2028}\\".into();
        let element = element(&it);
        assert_eq!(element.matches("<").count(), 2, "{element}");
        assert_eq!(study(&format!("<p>{element}</p>")).unwrap(), it);
    }

    #[test]
    fn numbers_that_are_none_come_back_too() {
        let it = fixture::study(&[&[f64::NAN, f64::INFINITY], &[0.5, -0.0]]);
        let back = study(&element(&it)).unwrap();
        let bits = |study: &Study| -> Vec<u64> {
            (0..2).flat_map(|it| study.measured(it, "val_loss")).map(|(_, x)| x.to_bits()).collect()
        };
        assert_eq!(bits(&back), bits(&it));
    }

    #[test]
    fn a_line_is_a_run() {
        let element = element(&fixture::study(&[&[0.5, 0.6], &[0.4, 0.7]]));
        let runs = element.lines().filter(|line| line.starts_with("{\"variant\":"));
        // Four runs and one comparison.
        assert_eq!(runs.count(), 5, "{element}");
    }

    #[test]
    fn pages_without_a_study_are_refused() {
        let refused = |page: &str| study(page).unwrap_err().message;
        assert_eq!(refused(""), "there is no study in this page");
        assert_eq!(refused(OPENING), "the study in this page has no end");
        let broken = refused(&format!("{OPENING}{{\"oxhorn\": 1}}{CLOSING}"));
        assert!(broken.starts_with("the study in this page cannot be read: "), "{broken}");
    }
}
