//! The dictionary that names an object of Keras, and its mapping to Rust.
//!
//! Every object is written as an *envelope*, `{"module", "class_name", "config",
//! "registered_name"}`, around its flat `config`. [`Config`], which `#[derive(Config)]` writes,
//! maps a struct to that flat dictionary; a [`Field`] is a value that can stand in it.

use std::{fmt, sync::Arc};

use oxhorn_ir::ensure;
pub use oxhorn_ir::{Error, Result};
pub use oxhorn_macros::Config;
pub use serde_json::{Map as JsonMap, Value as Json};

use crate::trust::excerpt;
pub use crate::{
    axis_list::AxisList, constraints::Constraint, initializers::Initializer,
    regularizers::Regularizer, weight::Weight,
};

/// A flat Keras config: setting to value.
pub type Map = JsonMap<String, Json>;

/// An object whose struct is its Keras config. Written by `#[derive(Config)]`.
pub trait Config: fmt::Debug + Send + Sync + Sized + 'static {
    /// Module and name: `keras.layers.Dense`.
    const CLASS: &'static str;
    /// For layers, how shapes go in and come out: `batch .. input_dim -> batch .. units`.
    const SHAPE: Option<&'static str>;
    /// Strings that name the class besides its own name and that in snake case.
    const ALIASES: &'static [&'static str];
    /// The doc comment.
    const DOC: &'static str;

    /// What is known of each setting.
    fn fields() -> Vec<FieldInfo>;

    /// The object that the dictionary describes.
    ///
    /// # Errors
    ///
    /// If a setting is missing, unknown, unsupported, or of another type than it should be.
    fn from_config(config: &Map) -> Result<Self>;

    /// The dictionary that describes the object.
    fn config(&self) -> Map;
}

/// [`Config`] of an object whose class is known only when the program runs.
pub trait Object: fmt::Debug + Send + Sync + 'static {
    /// Module and name: `keras.layers.Dense`.
    fn class(&self) -> &'static str;

    /// The dictionary that describes the object.
    fn config(&self) -> Map;

    /// The name without the module: `Dense`.
    fn class_name(&self) -> &'static str {
        class_name(self.class())
    }

    /// The whole envelope.
    fn envelope(&self) -> Json {
        envelope(self.class(), self.config())
    }
}

impl<T: Config> Object for T {
    fn class(&self) -> &'static str {
        T::CLASS
    }

    fn config(&self) -> Map {
        Config::config(self)
    }
}

/// Settings that several classes share, flattened into their dictionaries.
pub trait Part: Sized {
    /// What is known of each setting.
    fn fields(default: &Self, fields: &mut Vec<FieldInfo>);

    /// The settings as `reader` has them, and elsewhere as `default` has them.
    fn read(reader: &mut Reader<'_>, default: Self) -> Result<Self>;

    /// Adds the settings to a dictionary.
    fn write(&self, map: &mut Map);
}

/// What is known of one setting: the source of signatures and reference pages.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldInfo {
    /// The key in the dictionary.
    pub name: String,
    /// What it takes, in words.
    pub kind: String,
    /// Its default; `None` if it has to be given.
    pub default: Option<Json>,
    /// The doc comment.
    pub doc: String,
}

impl FieldInfo {
    /// What is known of a setting of type `T`.
    pub fn new<T: Field>(name: &str, default: Option<&T>, doc: &str) -> FieldInfo {
        let default = default.map(Field::write);
        FieldInfo { name: name.to_owned(), kind: T::kind(), default, doc: doc.to_owned() }
    }
}

/// A value that can stand in a dictionary.
pub trait Field: Sized {
    /// What is taken, in words that follow "expected": `a boolean`.
    fn kind() -> String;

    /// The value that the JSON describes.
    fn read(json: &Json) -> Result<Self>;

    /// The JSON that describes the value.
    fn write(&self) -> Json;
}

/// Takes a dictionary apart and notices what nobody asked for.
#[derive(Debug)]
pub struct Reader<'a> {
    class: &'a str,
    map: &'a Map,
    unsupported: &'a [&'a str],
    asked: Vec<String>,
}

impl<'a> Reader<'a> {
    /// A reader of `map`, the config of a `class`.
    pub fn new(class: &'a str, map: &'a Map, unsupported: &'a [&'a str]) -> Reader<'a> {
        Reader { class, map, unsupported, asked: vec![] }
    }

    /// A setting that has to be given.
    pub fn required<T: Field>(&mut self, key: &str) -> Result<T> {
        let class = self.class;
        match self.take(key)? {
            Some(value) => Ok(value),
            None => Err(Error::new(format!("`{class}` needs `{key}`, {}", T::kind()))),
        }
    }

    /// A setting, or its default.
    pub fn or<T: Field>(&mut self, key: &str, default: impl FnOnce() -> T) -> Result<T> {
        Ok(self.take(key)?.unwrap_or_else(default))
    }

    /// The three settings of a weight.
    pub fn weight(&mut self, key: &str, default: Weight) -> Result<Weight> {
        Ok(Weight {
            initializer: self.or(&format!("{key}_initializer"), || default.initializer)?,
            regularizer: self.or(&format!("{key}_regularizer"), || default.regularizer)?,
            constraint: self.or(&format!("{key}_constraint"), || default.constraint)?,
        })
    }

    /// Refuses by name what the class does not have, and what we do not support of it.
    pub fn finish(self) -> Result<()> {
        let (class, known) = (self.class, self.asked.join(", "));
        for (key, value) in self.map {
            if self.unsupported.contains(&key.as_str()) {
                let given = excerpt(value);
                ensure!(value.is_null(), "`{key}` of `{class}` is not supported, got {given}");
                continue;
            }
            let known = if known.is_empty() { "no settings" } else { &known };
            ensure!(
                self.asked.contains(key),
                "`{class}` has no setting `{key}`"; help: "it has {known}"
            );
        }
        Ok(())
    }

    fn take<T: Field>(&mut self, key: &str) -> Result<Option<T>> {
        self.asked.push(key.to_owned());
        let class = self.class;
        let read = |json| {
            T::read(json).map_err(|error| {
                let message = format!("`{key}` of `{class}`: {}", error.message);
                Error { message, ..error }
            })
        };
        self.map.get(key).map(read).transpose()
    }
}

/// What an envelope holds.
#[derive(Clone, Debug)]
pub struct Envelope<'a> {
    /// `Dense`.
    pub class_name: &'a str,
    /// The flat dictionary.
    pub config: &'a Map,
}

impl<'a> Envelope<'a> {
    /// Opens an envelope.
    ///
    /// # Errors
    ///
    /// If `class_name` is missing or `config` is not a dictionary.
    pub fn open(json: &'a Json) -> Result<Envelope<'a>> {
        static EMPTY: std::sync::LazyLock<Map> = std::sync::LazyLock::new(Map::new);
        let class_name = json.get("class_name").and_then(Json::as_str);
        let config = match json.get("config") {
            None => Some(&*EMPTY),
            Some(config) => config.as_object(),
        };
        match (class_name, config) {
            (Some(class_name), Some(config)) => Ok(Envelope { class_name, config }),
            _ => {
                let given = excerpt(json);
                Err(Error::new(format!("expected an object with a `class_name`, got {given}")))
            }
        }
    }
}

/// The envelope of an object of this class.
pub fn envelope(class: &str, config: Map) -> Json {
    let (module, name) = class.rsplit_once('.').unwrap_or(("", class));
    serde_json::json!({
        "module": module, "class_name": name, "config": config, "registered_name": null,
    })
}

/// The name of a class without its module.
pub fn class_name(class: &'static str) -> &'static str {
    class.rsplit('.').next().unwrap_or(class)
}

/// The name in snake case, by Keras' rule: `KLDivergence` is `kl_divergence`.
pub fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut text = String::new();
    for (i, letter) in letters.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| letters[i]);
        let starts_word = letters.get(i + 1).is_some_and(|next| next.is_lowercase());
        let after_lower = before.is_some_and(char::is_lowercase);
        if letter.is_uppercase() && before.is_some() && (starts_word || after_lower) {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

/// `value` as a `T`: what the derive calls for defaults.
pub fn into<T>(value: impl Into<T>) -> T {
    value.into()
}

/// One class of a category, as the registry lists it.
pub struct Class<T: ?Sized> {
    /// Module and name: `keras.layers.Dense`.
    pub class: &'static str,
    /// How shapes go in and come out, of layers.
    pub shape: Option<&'static str>,
    /// Strings that name the class besides its own name and that in snake case.
    pub aliases: &'static [&'static str],
    /// The doc comment.
    pub doc: &'static str,
    /// What is known of each setting.
    pub fields: fn() -> Vec<FieldInfo>,
    /// The object that a dictionary describes.
    pub read: fn(&Map) -> Result<Arc<T>>,
}

impl<T: ?Sized> Class<T> {
    /// The name without the module: `Dense`.
    pub fn name(&self) -> &'static str {
        class_name(self.class)
    }

    /// Whether Keras has the class too: its module says so.
    pub fn is_keras(&self) -> bool {
        self.class.starts_with("keras.")
    }
}

impl<T: ?Sized> fmt::Debug for Class<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.class)
    }
}

/// The list of a category's classes, which all derive [`Config`]: `classes! { dyn Layer: Dense }`.
macro_rules! classes {
    (dyn $category:ident: $($object:ident)*) => {
        /// All classes that a name or a dictionary can stand for.
        pub static CLASSES: &[$crate::config::Class<dyn $category>] = &[
            $($crate::config::Class {
                class: <$object as $crate::config::Config>::CLASS,
                shape: <$object as $crate::config::Config>::SHAPE,
                aliases: <$object as $crate::config::Config>::ALIASES,
                doc: <$object as $crate::config::Config>::DOC,
                fields: <$object as $crate::config::Config>::fields,
                read: |config| {
                    let object = <$object as $crate::config::Config>::from_config(config)?;
                    Ok(::std::sync::Arc::new(object))
                },
            }),*
        ];
    };
}
pub(crate) use classes;

/// `expected a boolean, got 3`
pub(crate) fn unexpected<T: Field>(json: &Json) -> Error {
    Error::new(format!("expected {}, got {}", T::kind(), excerpt(json)))
}

macro_rules! integers {
    ($($ty:ty: $kind:expr;)*) => {$(
        impl Field for $ty {
            fn kind() -> String {
                $kind.to_owned()
            }

            fn read(json: &Json) -> Result<Self> {
                let integer = json.as_i64().and_then(|integer| integer.try_into().ok());
                integer.ok_or_else(|| unexpected::<Self>(json))
            }

            fn write(&self) -> Json {
                (*self).into()
            }
        }
    )*};
}

integers! {
    usize: "a non-negative integer";
    u32: "an integer from 0 to 4294967295";
    i64: "an integer";
    isize: "an integer";
}

impl Field for f64 {
    fn kind() -> String {
        "a number".to_owned()
    }

    fn read(json: &Json) -> Result<f64> {
        json.as_f64().ok_or_else(|| unexpected::<f64>(json))
    }

    fn write(&self) -> Json {
        (*self).into()
    }
}

impl Field for bool {
    fn kind() -> String {
        "a boolean".to_owned()
    }

    fn read(json: &Json) -> Result<bool> {
        json.as_bool().ok_or_else(|| unexpected::<bool>(json))
    }

    fn write(&self) -> Json {
        (*self).into()
    }
}

impl Field for String {
    fn kind() -> String {
        "a string".to_owned()
    }

    fn read(json: &Json) -> Result<String> {
        json.as_str().map(str::to_owned).ok_or_else(|| unexpected::<String>(json))
    }

    fn write(&self) -> Json {
        self.as_str().into()
    }
}

impl<T: Field> Field for Option<T> {
    fn kind() -> String {
        format!("{}, or none", T::kind())
    }

    fn read(json: &Json) -> Result<Option<T>> {
        if json.is_null() { Ok(None) } else { T::read(json).map(Some) }
    }

    fn write(&self) -> Json {
        self.as_ref().map_or(Json::Null, Field::write)
    }
}

impl<T: Field> Field for Vec<T> {
    fn kind() -> String {
        format!("a list whose every element is {}", T::kind())
    }

    fn read(json: &Json) -> Result<Vec<T>> {
        match json.as_array() {
            Some(array) => array.iter().map(T::read).collect(),
            None => Err(unexpected::<Vec<T>>(json)),
        }
    }

    fn write(&self) -> Json {
        self.iter().map(Field::write).collect()
    }
}

/// Keras' `dtype`, of which `float32` is supported so far: a string, or a `DTypePolicy` object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Float32;

impl Field for Float32 {
    fn kind() -> String {
        "the dtype float32".to_owned()
    }

    fn read(json: &Json) -> Result<Float32> {
        let name = match json {
            Json::Null => return Ok(Float32),
            Json::Object(_) => json.get("config").and_then(|config| config.get("name")),
            other => Some(other),
        };
        match name.and_then(Json::as_str) {
            Some("float32") => Ok(Float32),
            Some(name) => Err(Error::new(format!("the dtype `{name}` is not supported"))
                .help("use float32, the only one so far")),
            None => Err(unexpected::<Float32>(json)),
        }
    }

    fn write(&self) -> Json {
        "float32".into()
    }
}

/// An enumeration whose values Keras writes as strings.
///
/// `keyword! { /// What it is.  pub enum Mode { /// Of one.  Rows "rows" } }`
#[macro_export]
macro_rules! keyword {
    ($(#[$meta:meta])* pub enum $name:ident {
        $($(#[$variant_meta:meta])* $variant:ident $text:literal),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_meta])* $variant),*
        }

        impl $name {
            /// The word that stands for it in a dictionary.
            pub fn text(self) -> &'static str {
                match self { $($name::$variant => $text),* }
            }
        }

        impl $crate::config::Field for $name {
            fn kind() -> String {
                format!("one of {}", [$(concat!("\"", $text, "\"")),*].join(", "))
            }

            fn read(json: &$crate::config::Json) -> $crate::config::Result<$name> {
                match json.as_str() {
                    $(Some($text) => Ok($name::$variant),)*
                    _ => Err($crate::config::Error::new(format!(
                        "expected {}, got {json}", <$name as $crate::config::Field>::kind()
                    ))),
                }
            }

            fn write(&self) -> $crate::config::Json {
                self.text().into()
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{Dense, Dropout};

    fn map(json: Json) -> Map {
        json.as_object().expect("a dictionary").clone()
    }

    #[test]
    fn names_are_put_in_snake_case_as_keras_does() {
        let names = ["KLDivergence", "L1L2", "RMSprop", "AdamW", "SGD", "Dense", "LogCosh"];
        let snakes = names.map(snake_case);
        assert_eq!(
            snakes,
            ["kl_divergence", "l1l2", "rm_sprop", "adam_w", "sgd", "dense", "log_cosh"]
        );
    }

    #[test]
    fn a_dictionary_goes_both_ways() {
        let layer = Dense::new(3).activation("relu").kernel_regularizer("l2");
        let config = Config::config(&layer);
        let keys: Vec<&str> = config.keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "units",
                "activation",
                "use_bias",
                "kernel_initializer",
                "bias_initializer",
                "kernel_regularizer",
                "bias_regularizer",
                "kernel_constraint",
                "bias_constraint"
            ]
        );
        assert_eq!(Dense::from_config(&config).unwrap(), layer);
    }

    #[test]
    fn unknown_settings_are_refused_by_name() {
        let config = map(serde_json::json!({"rate": 0.5, "colour": "red"}));
        assert_eq!(
            Dropout::from_config(&config).unwrap_err().to_string(),
            "`Dropout` has no setting `colour`\n  help: it has rate, noise_shape, seed"
        );
    }

    #[test]
    fn unsupported_settings_are_taken_as_null_only() {
        let config = map(serde_json::json!({"units": 3, "lora_rank": null}));
        assert_eq!(Dense::from_config(&config).unwrap(), Dense::new(3));
        let config = map(serde_json::json!({"units": 3, "lora_rank": 2}));
        assert_eq!(
            Dense::from_config(&config).unwrap_err().to_string(),
            "`lora_rank` of `Dense` is not supported, got 2"
        );
    }

    #[test]
    fn values_of_another_type_are_refused() {
        let config = map(serde_json::json!({"units": "three"}));
        assert_eq!(
            Dense::from_config(&config).unwrap_err().to_string(),
            "`units` of `Dense`: expected a non-negative integer, got \"three\""
        );
        assert_eq!(
            Dense::from_config(&Map::new()).unwrap_err().to_string(),
            "`Dense` needs `units`, a non-negative integer"
        );
    }

    #[test]
    fn other_dtypes_are_refused_by_name() {
        let policy = serde_json::json!({
            "module": "keras", "class_name": "DTypePolicy", "config": {"name": "bfloat16"},
        });
        assert_eq!(
            Float32::read(&policy).unwrap_err().message,
            "the dtype `bfloat16` is not supported"
        );
        assert_eq!(Float32::read(&"float32".into()), Ok(Float32));
    }
}
