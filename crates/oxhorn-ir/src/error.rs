//! The one error type: what went wrong, where, and what to do about it.

use std::fmt;

/// A result whose error is Oxhorn's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, where it happened and how to mend it.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    /// What went wrong, with the values received.
    pub message: String,
    /// Path of the layer being traced, outermost first: `mnist/dense_1 (Dense)`.
    pub origin: Option<String>,
    /// How to mend it, when that is known.
    pub help: Option<String>,
}

impl Error {
    /// An error that says what went wrong.
    pub fn new(message: impl Into<String>) -> Error {
        Error { message: message.into(), origin: None, help: None }
    }

    /// The same error, saying also how to mend it.
    pub fn help(self, help: impl Into<String>) -> Error {
        Error { help: Some(help.into()), ..self }
    }

    /// The same error, saying also where it happened, unless that is known already.
    pub fn at(self, origin: impl Into<String>) -> Error {
        Error { origin: self.origin.or_else(|| Some(origin.into())), ..self }
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        if let Some(origin) = &self.origin {
            write!(f, "\n    in: {origin}")?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

/// Returns early with an [`Error`] unless the condition holds.
///
/// `ensure!(condition, "message {x}"; help: "what to do")`, the help being optional.
#[macro_export]
macro_rules! ensure {
    (
        $condition:expr, $message:literal $(, $arg:expr)* ;
        help: $help:literal $(, $help_arg:expr)*
    ) => {
        if !$condition {
            return Err($crate::Error::new(format!($message $(, $arg)*))
                .help(format!($help $(, $help_arg)*)));
        }
    };
    ($condition:expr, $message:literal $(, $arg:expr)*) => {
        if !$condition {
            return Err($crate::Error::new(format!($message $(, $arg)*)));
        }
    };
}
