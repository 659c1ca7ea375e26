//! Regular expressions that tell weights apart by their names.

use oxhorn_ir::{Error, Result};
use regex_lite::Regex;

/// Rejects what is no regular expression, or one that only Python could follow.
pub(super) fn check(setting: &str, pattern: &str) -> Result<()> {
    let error = |error| {
        let message = format!("`{setting}` needs regular expressions, got `{pattern}`: {error}");
        Error::new(message).help("looking around and back references are not supported")
    };
    Regex::new(pattern).map(|_| ()).map_err(error)
}

/// Whether the pattern describes a part of the name.
pub(super) fn is_found(pattern: &str, name: &str) -> bool {
    Regex::new(pattern).is_ok_and(|regex| regex.is_match(name))
}

/// Whether the pattern describes the whole name.
pub(super) fn is_whole(pattern: &str, name: &str) -> bool {
    is_found(&format!(r"\A(?:{pattern})\z"), name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_found_anywhere_or_is_the_whole() {
        assert!(is_found("dense_[12]", "model/dense_2/kernel"));
        assert!(is_found("^a|b$", "ab") && !is_found("^b", "ab"));
        assert!(is_whole("encoder/.*", "encoder/dense/kernel"));
        assert!(is_whole("a|ab", "ab") && !is_whole("encoder", "encoder/dense"));
    }

    #[test]
    fn what_only_python_could_follow_is_refused() {
        assert_eq!(check("exclude_layers", "dense"), Ok(()));
        for pattern in ["(", r"(a)\1", "a(?=b)"] {
            let error = check("exclude_layers", pattern).expect_err("a mistake");
            let begin = format!("`exclude_layers` needs regular expressions, got `{pattern}`: ");
            assert!(error.message.starts_with(&begin), "{error}");
        }
    }
}
