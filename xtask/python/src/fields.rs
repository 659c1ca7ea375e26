//! What Python makes of a setting: its kind and its annotation.

use oxhorn_nn::{
    activations::Activation,
    config::{Constraint, Field, FieldInfo, Initializer, Json, Regularizer},
    optimizers::{LearningRate, Optimizer},
};

use crate::layout::COLUMNS;

/// What a kind of setting may be when its owner takes `None` for it.
const OR_NONE: &str = ", or none";
const LIST: &str = "a list whose every element is ";

/// Settings that are objects: what Rust says of the kind, and what Python calls it.
fn objects() -> [(String, &'static str); 6] {
    [
        (Activation::kind(), "activation"),
        (Initializer::kind(), "initializer"),
        (Regularizer::kind(), "regularizer"),
        (Constraint::kind(), "constraint"),
        (Optimizer::kind(), "optimizer"),
        (LearningRate::kind(), "learning_rate"),
    ]
}

/// How the bases of the Python package treat a setting.
pub(crate) fn kind(field: &FieldInfo) -> &'static str {
    let kind = field.kind.trim_end_matches(OR_NONE);
    match objects().into_iter().find(|(known, _)| known == kind) {
        Some((_, name)) => name,
        None if field.name == "seed" => "seed",
        None => "plain",
    }
}

/// The type of a parameter that sets the field.
fn annotation(field: &FieldInfo, default: Option<&str>) -> String {
    let inner = match kind(field) {
        "plain" => plain(&field.kind, default),
        "seed" => "int | SeedGenerator | None".to_owned(),
        "learning_rate" => "float | Identifier".to_owned(),
        "activation" => "Identifier | None".to_owned(),
        _ if field.kind.ends_with(OR_NONE) => "Identifier | None".to_owned(),
        _ => "Identifier".to_owned(),
    };
    let annotation = or_none(inner, default);
    let line = format!("        {}: {annotation} = {},", field.name, default.unwrap_or_default());
    match annotation.starts_with("Literal") && line.chars().count() > COLUMNS {
        // The docstring says which words there are.
        true => or_none("str".to_owned(), annotation.ends_with("| None").then_some("None")),
        false => annotation,
    }
}

/// The type of a parameter that sets the field, and what its documentation says.
pub(crate) fn described(field: &FieldInfo, default: Option<&str>) -> (String, String) {
    let annotation = annotation(field, default);
    let words = field.kind.strip_prefix("one of ").filter(|_| !annotation.starts_with("Literal"));
    let words = words.map(|words| format!(" One of {}.", words.replace('"', "`")));
    (annotation, field.doc.clone() + &words.unwrap_or_default())
}

/// What Rust takes for a parameter of this default: where that is `None`, and Rust has no such
/// value, Rust's own default.
pub(crate) fn passed(field: &FieldInfo, default: Option<&str>) -> String {
    let name = &field.name;
    let takes_none = field.kind.ends_with(OR_NONE) || kind(field) == "activation";
    if name == "data_format" && default == Some("None") {
        // The setting of the whole process, which is "channels_last" until somebody changes it.
        return "data_format=data_format or image_data_format()".to_owned();
    }
    match &field.default {
        Some(own) if default == Some("None") && !takes_none => {
            format!("{name}={} if {name} is None else {name}", literal(own))
        }
        _ => format!("{name}={name}"),
    }
}

/// The default of a parameter of a class that Keras lacks, as Python writes it: that of Rust.
pub(crate) fn own_default(field: &FieldInfo) -> Result<Option<String>, String> {
    match &field.default {
        // The setting of the whole process is looked up where the object is made.
        Some(_) if field.name == "data_format" => Ok(Some("None".to_owned())),
        Some(default @ Json::Object(_)) => {
            Err(format!("no signature shows an object as a default: {default}"))
        }
        default => Ok(default.as_ref().map(literal)),
    }
}

/// The value as Python writes it.
fn literal(json: &Json) -> String {
    match json {
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(literal).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

/// The type of a parameter of which nothing but the default is known.
pub(crate) fn of_default(default: Option<&str>) -> String {
    match default {
        Some("True" | "False") => "bool".to_owned(),
        Some(text) if text.starts_with('"') => "str".to_owned(),
        _ => "Any".to_owned(),
    }
}

fn or_none(annotation: String, default: Option<&str>) -> String {
    match default == Some("None") && annotation != "Any" && !annotation.ends_with("| None") {
        true => annotation + " | None",
        false => annotation,
    }
}

fn plain(kind: &str, default: Option<&str>) -> String {
    // "A list of numbers, or none" says two things: which one is meant follows from the default.
    if let Some(element) = kind.strip_prefix(LIST) {
        let nones = element.matches(OR_NONE).count();
        let of_whole = usize::from(nones > 1 || default == Some("None")).min(nones);
        let element = plain(element.trim_end_matches(OR_NONE), None);
        let element = if nones > of_whole { or_none(element, Some("None")) } else { element };
        let whole = format!("Sequence[{element}]");
        return if of_whole > 0 { whole + " | None" } else { whole };
    }
    if let Some(kind) = kind.strip_suffix(OR_NONE) {
        return or_none(plain(kind, None), Some("None"));
    }
    match kind {
        "a boolean" => "bool",
        "a number" => "float",
        "a string" => "str",
        "a non-negative integer" | "an integer" => "int",
        "an axis or a list of axes" => "int | Sequence[int]",
        "a number or a list of numbers" => "float | Sequence[float]",
        "a non-negative integer or a list of two" => "int | Sequence[int]",
        "a number or an array of numbers" => "float | ArrayLike",
        _ if kind.starts_with("an integer from ") => "int",
        _ => match kind.strip_prefix("one of ").filter(|words| words.split(", ").all(is_quoted)) {
            Some(words) => return format!("Literal[{words}]"),
            None => "Any",
        },
    }
    .to_owned()
}

fn is_quoted(word: &str) -> bool {
    word.len() > 1 && word.starts_with('"') && word.ends_with('"') && !word[1..].contains(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<T: Field>(name: &str, default: Option<&str>) -> (&'static str, String) {
        let field = FieldInfo::new::<T>(name, None, "");
        (kind(&field), annotation(&field, default))
    }

    #[test]
    fn settings_are_told_apart_by_what_rust_takes() {
        assert_eq!(
            of::<Activation>("activation", Some("None")),
            ("activation", "Identifier | None".into())
        );
        assert_eq!(of::<Initializer>("a", Some("\"zeros\"")), ("initializer", "Identifier".into()));
        let regularizer = of::<Option<Regularizer>>("b", Some("None"));
        assert_eq!(regularizer, ("regularizer", "Identifier | None".into()));
        let seed = of::<Option<u32>>("seed", Some("None"));
        assert_eq!(seed, ("seed", "int | SeedGenerator | None".into()));
        assert_eq!(
            of::<LearningRate>("c", Some("0.1")),
            ("learning_rate", "float | Identifier".into())
        );
    }

    #[test]
    fn none_goes_where_the_default_says() {
        assert_eq!(of::<Option<Vec<usize>>>("a", Some("None")).1, "Sequence[int] | None");
        assert_eq!(of::<Vec<Option<usize>>>("a", None).1, "Sequence[int | None]");
        let both = of::<Option<Vec<Option<usize>>>>("a", Some("None")).1;
        assert_eq!(both, "Sequence[int | None] | None");
        assert_eq!(of::<bool>("a", Some("None")).1, "bool | None");
        assert_eq!(of::<Option<f64>>("a", Some("None")).1, "float | None");
    }

    #[test]
    fn classes_that_keras_lacks_have_the_defaults_of_rust() {
        let default = |json: Json| {
            let field = FieldInfo { default: Some(json), ..FieldInfo::new::<f64>("a", None, "") };
            own_default(&field)
        };
        assert_eq!(default(0.5.into()), Ok(Some("0.5".to_owned())));
        assert_eq!(default("sample".into()), Ok(Some("\"sample\"".to_owned())));
        assert_eq!(default(Json::Null), Ok(Some("None".to_owned())));
        assert!(default(Json::Object(Default::default())).is_err());
        let format = FieldInfo::new("data_format", Some(&"channels_last".to_owned()), "");
        assert_eq!(own_default(&format), Ok(Some("None".to_owned())));
    }

    #[test]
    fn what_rust_cannot_be_given_is_its_default() {
        let field = FieldInfo::new("names", Some(&Vec::<String>::new()), "");
        assert_eq!(passed(&field, Some("None")), "names=[] if names is None else names");
        assert_eq!(passed(&field, Some("()")), "names=names");
        let field = FieldInfo::new("count", Some(&None::<usize>), "");
        assert_eq!(passed(&field, Some("None")), "count=count");
    }
}
