//! Signatures of Keras as text, read: `(units, activation=None, **kwargs)`.

/// One parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parameter {
    /// Its name, without stars.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Its default as Python writes it; `None` if it has to be given.
    pub(crate) default: Option<String>,
}

/// How a parameter can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// By position or by name.
    Plain,
    /// `*x`: all positions that are left.
    Variadic,
    /// By name alone: it stands behind a star.
    Named,
    /// `**kwargs`: all names that are left.
    Rest,
}

impl Parameter {
    /// The parameter as it stands between parentheses, with its type.
    pub(crate) fn declared(&self, annotation: &str) -> String {
        let stars = match self.kind {
            Kind::Plain | Kind::Named => "",
            Kind::Variadic => "*",
            Kind::Rest => "**",
        };
        let default = self.default.as_ref().map(|it| format!(" = {it}")).unwrap_or_default();
        format!("{stars}{}: {annotation}{default}", self.name)
    }

    /// The same value handed on to a function that has this parameter too.
    pub(crate) fn passed(&self) -> String {
        let name = &self.name;
        match (self.kind, &self.default) {
            (Kind::Variadic, _) => format!("*{name}"),
            (Kind::Rest, _) => format!("**{name}"),
            (Kind::Plain, None) => name.clone(),
            (Kind::Plain | Kind::Named, _) => format!("{name}={name}"),
        }
    }
}

/// The parameters of a signature, in their order. Strings get the quotes of ruff.
pub(crate) fn parameters(signature: &str) -> Vec<Parameter> {
    let inside = signature.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    let (mut found, mut kind_of_plain) = (vec![], Kind::Plain);
    for text in split(inside.unwrap_or(signature)) {
        let (name, default) = match text.split_once('=') {
            Some((name, default)) => (name, Some(default.replace('\'', "\""))),
            None => (text, None),
        };
        let (name, kind) = match (name.strip_prefix("**"), name.strip_prefix('*')) {
            (Some(name), _) => (name, Kind::Rest),
            (None, Some(name)) => (name, Kind::Variadic),
            (None, None) => (name, kind_of_plain),
        };
        if kind == Kind::Variadic {
            kind_of_plain = Kind::Named;
        }
        // A star alone only says that the names behind it have to be written.
        if !name.is_empty() {
            found.push(Parameter { name: name.to_owned(), kind, default });
        }
    }
    found
}

/// The parts between commas that stand in no brackets.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (vec![], 0, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => (),
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(signature: &str) -> Vec<String> {
        parameters(signature).iter().map(|it| it.declared("Any")).collect()
    }

    #[test]
    fn reads_names_defaults_and_stars() {
        assert_eq!(texts("()"), [""; 0]);
        let expected = ["x: Any", "axes: Any = (0, 1)", "mode: Any = \"a\"", "**kwargs: Any"];
        assert_eq!(texts("(x, axes=(0, 1), mode='a', **kwargs)"), expected);
    }

    #[test]
    fn names_behind_a_star_are_passed_by_name() {
        let passed = |signature| -> Vec<String> {
            parameters(signature).iter().map(Parameter::passed).collect()
        };
        assert_eq!(passed("*x, indexing='xy'"), ["*x", "indexing=indexing"]);
        assert_eq!(passed("*, a, b=1"), ["a=a", "b=b"]);
        assert_eq!(passed("a, b=1, **kwargs"), ["a", "b=b", "**kwargs"]);
    }
}
