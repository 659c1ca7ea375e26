//! Paths with placeholders, `{epoch:02d}-{val_loss:.2f}.keras`, filled as Python fills them.

use oxhorn_ir::{Error, Result};

use super::Python;
use crate::history::Logs;

/// A value that stands in a path.
#[derive(Clone, Copy)]
enum Value {
    Integer(usize),
    Number(f64),
}

/// How a value is written: `[0][width][.precision][type]`.
#[derive(Default)]
struct Spec {
    zeros: bool,
    width: usize,
    precision: Option<usize>,
    kind: Option<char>,
}

/// No value needs more room than this; a path has not got it.
const WIDTH_MAX: usize = 255;

/// The path with the epoch, the batch if there is one, and numbers of the logs in place of their
/// names. `{{` and `}}` are braces.
///
/// # Errors
///
/// If a name is not there, or a format is none that is supported here.
pub(super) fn filled(
    path: &str,
    epoch: usize,
    batch: Option<usize>,
    logs: &Logs,
) -> Result<String> {
    let failed = |reason: String| {
        Error::new(format!("Failed to format this callback filepath: \"{path}\". Reason: {reason}"))
            .help(
                "placeholders are `{epoch}`, `{batch}` and the names of the logs, such as \
                   `{val_loss:.2f}`",
            )
    };
    let (mut text, mut rest) = (String::new(), path);
    while let Some(at) = rest.find(['{', '}']) {
        text += &rest[..at];
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            text += brace;
            rest = after;
            continue;
        }
        let field = rest.split_once('}').filter(|_| brace == "{");
        let Some((field, after)) = field else {
            return Err(failed(format!("a single `{brace}`")));
        };
        let (name, spec) = field.split_once(':').unwrap_or((field, ""));
        let value = match name {
            "epoch" => Some(Value::Integer(epoch)),
            "batch" if batch.is_some() => batch.map(Value::Integer),
            name => logs.get(name).map(Value::Number),
        };
        let value = value.ok_or_else(|| failed(format!("'{name}'")))?;
        let spec = Spec::read(spec).filter(|spec| spec.is_for(value));
        let unknown = || failed(format!("the format of `{{{field}}}` is not supported"));
        text += &spec.ok_or_else(unknown)?.write(value);
        rest = after;
    }
    Ok(text + rest)
}

impl Spec {
    fn read(text: &str) -> Option<Spec> {
        let kind = text.chars().last().filter(|last| last.is_ascii_alphabetic());
        let sizes = text.strip_suffix(|last: char| Some(last) == kind).unwrap_or(text);
        let (width, precision) = match sizes.split_once('.') {
            Some((width, precision)) => (width, Some(precision)),
            None => (sizes, None),
        };
        let size = |text: &str| {
            let digits = text.chars().all(|digit| digit.is_ascii_digit());
            text.parse().ok().filter(|size| digits && *size <= WIDTH_MAX)
        };
        Some(Spec {
            zeros: width.starts_with('0'),
            width: if width.is_empty() { 0 } else { size(width)? },
            precision: precision.map_or(Some(None), |precision| size(precision).map(Some))?,
            kind,
        })
    }

    fn is_for(&self, value: Value) -> bool {
        match (self.kind, value) {
            (None, Value::Number(_)) => self.precision.is_none(),
            (None | Some('d'), Value::Integer(_)) => self.precision.is_none(),
            (Some('e' | 'f'), _) => true,
            _ => false,
        }
    }

    fn write(&self, value: Value) -> String {
        let number = match value {
            Value::Integer(integer) => integer as f64,
            Value::Number(number) => number,
        };
        let places = self.precision.unwrap_or(6);
        let text = match (self.kind, value) {
            (None | Some('d'), Value::Integer(integer)) => integer.to_string(),
            _ if !number.is_finite() => Python(number).to_string(),
            (Some('f'), _) => format!("{number:.places$}"),
            (Some(_), _) => {
                let text = format!("{number:.places$e}");
                let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                let sign = if exponent.starts_with('-') { '-' } else { '+' };
                format!("{digits}e{sign}{:0>2}", exponent.trim_start_matches('-'))
            }
            (None, _) => Python(number).to_string(),
        };
        let missing = self.width.saturating_sub(text.chars().count());
        match (self.zeros, text.strip_prefix('-')) {
            (true, Some(digits)) => format!("-{}{digits}", "0".repeat(missing)),
            (true, None) => "0".repeat(missing) + &text,
            (false, _) => " ".repeat(missing) + &text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs() -> Logs {
        [("loss", 0.06955), ("val_loss", -1.0), ("acc", 1e-7), ("bad", f64::NAN)]
            .into_iter()
            .collect()
    }

    #[test]
    fn is_filled_as_python_fills_it() {
        // "{epoch:02d}".format(epoch=3) and so on, CPython 3.11.
        for (path, expected) in [
            ("{epoch:02d}-{val_loss:.2f}.keras", "03--1.00.keras"),
            ("{epoch}", "3"),
            ("{epoch:4d}|{epoch:04}", "   3|0003"),
            ("{loss}", "0.06955"),
            ("{acc}", "1e-07"),
            ("{acc:.3e}", "1.000e-07"),
            ("{loss:e}", "6.955000e-02"),
            ("{loss:f}", "0.069550"),
            ("{loss:8.3f}|{val_loss:07.2f}", "   0.070|-001.00"),
            ("{bad:.2f}", "nan"),
            ("{epoch:.1f}", "3.0"),
            ("{{epoch}}.{batch:03d}", "{epoch}.012"),
            ("plain.keras", "plain.keras"),
        ] {
            assert_eq!(filled(path, 3, Some(12), &logs()).as_deref(), Ok(expected), "{path}");
        }
    }

    #[test]
    fn names_and_formats_that_are_not_there_are_refused() {
        let message = |path: &str| filled(path, 1, None, &logs()).expect_err("refused").message;
        assert_eq!(
            message("{val_accuracy:.2f}.keras"),
            "Failed to format this callback filepath: \"{val_accuracy:.2f}.keras\". Reason: \
             'val_accuracy'"
        );
        assert!(message("{batch}").ends_with("Reason: 'batch'"));
        for path in ["{loss:x}", "{loss:d}", "{epoch:.2}", "{epoch:999d}", "{loss:>5}", "{loss:+f}"]
        {
            let expected = format!("Reason: the format of `{path}` is not supported");
            assert!(message(path).ends_with(&expected), "{}", message(path));
        }
        for path in ["{epoch", "a}b", "{"] {
            assert!(message(path).contains("a single `"), "{path}");
        }
    }
}
