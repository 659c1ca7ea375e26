//! Signatures as Python writes them, read: `x, axis=None, keepdims=False`.

use super::Argument;

/// One parameter of a function.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// Its name, without stars.
    pub name: &'static str,
    /// How it can be given.
    pub kind: Kind,
    /// Its default as Python writes it; `None` if it has to be given.
    pub default: Option<&'static str>,
}

/// How a parameter can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// By position or by name.
    Plain,
    /// `*x`: all positions that are left.
    Variadic,
    /// By name alone: it stands behind `*x`.
    Named,
    /// `**kwargs`: names that Keras forwards or forgets, and that are refused here.
    Rest,
}

/// The parameters of a signature, in their order.
pub(super) fn parameters(signature: &'static str) -> Vec<Parameter> {
    let mut after_star = Kind::Plain;
    let mut parameter = |text: &'static str| {
        let (name, default) = match text.split_once('=') {
            Some((name, default)) => (name, Some(default)),
            None => (text, None),
        };
        let (name, kind) = match (name.strip_prefix("**"), name.strip_prefix('*')) {
            (Some(name), _) => (name, Kind::Rest),
            (None, Some(name)) => (name, Kind::Variadic),
            (None, None) => (name, after_star),
        };
        if kind == Kind::Variadic {
            after_star = Kind::Named;
        }
        Parameter { name, kind, default }
    };
    split(signature).into_iter().map(&mut parameter).collect()
}

/// The value that a default stands for.
pub(super) fn literal<'g>(text: &str) -> Argument<'g> {
    match text {
        "None" => return Argument::None,
        "True" => return Argument::Bool(true),
        "False" => return Argument::Bool(false),
        _ => (),
    }
    if let Some(quoted) = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        return Argument::Text(quoted.to_owned());
    }
    let inside = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    match (inside, text.parse(), text.parse()) {
        (Some(inside), ..) => Argument::List(split(inside).into_iter().map(literal).collect()),
        (None, Ok(int), _) => Argument::Int(int),
        (None, _, Ok(float)) => Argument::Float(float),
        _ => unreachable!("the default `{text}`"),
    }
}

/// The parts between commas that stand in no parentheses.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (vec![], 0, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
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

    #[test]
    fn reads_names_defaults_and_stars() {
        let read = parameters("array, k=1, axes=(0, 1)");
        let plain = |name, default| Parameter { name, kind: Kind::Plain, default };
        let expected = [plain("array", None), plain("k", Some("1")), plain("axes", Some("(0, 1)"))];
        assert_eq!(read, expected);
        let kinds = |signature| parameters(signature).into_iter().map(|it| it.kind).collect();
        let kinds: Vec<Vec<Kind>> = ["*x, indexing='xy'", "x, **kwargs", ""].map(kinds).into();
        let expected = [vec![Kind::Variadic, Kind::Named], vec![Kind::Plain, Kind::Rest], vec![]];
        assert_eq!(kinds, expected);
    }

    #[test]
    fn reads_every_kind_of_default() {
        let shown = |text| literal(text).to_string();
        for text in ["None", "True", "False", "-1", "1e-05", "0.001", "'xy'", "(0, 1)"] {
            let expected = text.replace("1e-05", "0.00001");
            assert_eq!(shown(text), expected);
        }
    }
}
