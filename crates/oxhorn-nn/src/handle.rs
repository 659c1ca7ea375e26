//! Objects that may be given by name: what `activation="relu"` and `activation=Relu()` have in
//! common.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    config::{Class, Envelope, Error, Field, Json, Map, Object, Result, snake_case, unexpected},
    trust::{self, Origin},
};

/// Members that a program has added to a category.
pub type Registered<T> = RwLock<Vec<Class<T>>>;

/// A category of objects, such as initializers: the trait object that its members become.
pub trait Category: Object {
    /// What Keras' error messages call a member: `initializer`.
    const NOUN: &'static str;

    /// All members of Keras' own that a string or a dictionary can name.
    fn classes() -> &'static [Class<Self>];

    /// Members that the program has added: see [`register`].
    fn registered() -> &'static Registered<Self>;

    /// What is done with the class of this description, if there is one.
    fn with_class<R>(
        is_it: impl Fn(&Class<Self>) -> bool,
        and_then: impl FnOnce(&Class<Self>) -> R,
    ) -> Option<R> {
        if let Some(class) = Self::classes().iter().find(|class| is_it(class)) {
            return Some(and_then(class));
        }
        // The list is only ever added to: what a panic elsewhere has left is whole.
        let registered = Self::registered().read().unwrap_or_else(PoisonError::into_inner);
        registered.iter().find(|class| is_it(class)).map(and_then)
    }

    /// The string that names an object of this class with its defaults.
    fn identifier(class: &Class<Self>) -> String {
        snake_case(class.name())
    }

    /// Whether this string names the class.
    fn answers(class: &Class<Self>, text: &str) -> bool {
        text == class.name() || text == snake_case(class.name()) || class.aliases.contains(&text)
    }

    /// What `None` stands for, if anything.
    fn absent() -> Option<Handle<Self>> {
        None
    }

    /// What stands for the handle in the dictionary of its owner.
    fn write(handle: &Handle<Self>) -> Json {
        handle.envelope()
    }
}

/// Adds a class to its category, so that dictionaries and strings can name its objects.
///
/// As in Keras, this holds for the whole process. Keras' own classes come first.
pub fn register<T: Category + ?Sized>(class: Class<T>) {
    T::registered().write().unwrap_or_else(PoisonError::into_inner).push(class);
}

/// An object of a category, given itself or by name.
///
/// Making one from a string never fails: an unknown string is kept, and refused by
/// [`Handle::get`] where the model is built.
pub struct Handle<T: ?Sized> {
    name: Option<String>,
    object: Option<Arc<T>>,
}

impl<T: Category + ?Sized> Handle<T> {
    /// A handle on this very object.
    pub fn of(object: Arc<T>) -> Handle<T> {
        Handle { name: None, object: Some(object) }
    }

    /// The object.
    ///
    /// # Errors
    ///
    /// If it was given by a string that names nothing.
    pub fn get(&self) -> Result<&T> {
        self.object.as_deref().ok_or_else(|| {
            let (noun, name) = (T::NOUN, self.name.as_deref().unwrap_or_default());
            // What needs more than a name is not named by a string.
            let is_named = |class: &&Class<T>| (class.read)(&Map::new()).is_ok();
            let named = T::classes().iter().filter(is_named);
            let mut known: Vec<String> = named.map(T::identifier).collect();
            known.sort_unstable();
            Error::new(format!("Could not interpret {noun} identifier: {name}"))
                .help(format!("known are {}", known.join(", ")))
        })
    }

    /// Whether both are handles on one object, not only on equal ones.
    pub(crate) fn is(&self, other: &Handle<T>) -> bool {
        match (&self.object, &other.object) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => self.name == other.name,
        }
    }

    /// The string it was given by.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The object of another handle under the string that this one was given by.
    pub(crate) fn renamed(&self, other: Handle<T>) -> Handle<T> {
        Handle { name: self.name.clone(), object: other.object }
    }

    /// The string it was given by, or else the envelope: as `compile` settings are saved.
    pub fn as_given(&self) -> Json {
        match &self.name {
            Some(name) => name.as_str().into(),
            None => self.envelope(),
        }
    }

    /// The envelope of the object; of an unknown string, the string.
    pub fn envelope(&self) -> Json {
        match (&self.object, &self.name) {
            (Some(object), _) => object.envelope(),
            (None, name) => name.clone().into(),
        }
    }

    /// The object that an envelope describes.
    pub fn open(json: &Json) -> Result<Handle<T>> {
        if let Some(name) = trust::function(json)? {
            return Handle::read(&name.into());
        }
        let origin = Origin::of(json)?;
        let Envelope { class_name, config } = Envelope::open(json)?;
        let is_it = |class: &Class<T>| class.name() == class_name && origin.may_be(class);
        match T::with_class(is_it, |class| (class.read)(config)) {
            Some(object) => Ok(Handle::of(object?)),
            None => Err(origin.unknown(T::NOUN, class_name)),
        }
    }

    /// The object that a string names, with all its defaults.
    fn named(name: String) -> Handle<T> {
        let made = |class: &Class<T>| (class.read)(&Map::new()).ok();
        let object = T::with_class(|class| T::answers(class, &name), made).flatten();
        Handle { name: Some(name), object }
    }
}

impl<T: Category + ?Sized> From<&str> for Handle<T> {
    fn from(name: &str) -> Handle<T> {
        Handle::named(name.to_owned())
    }
}

impl<T: Category + ?Sized> From<String> for Handle<T> {
    fn from(name: String) -> Handle<T> {
        Handle::named(name)
    }
}

impl<T: Category + ?Sized> From<&String> for Handle<T> {
    fn from(name: &String) -> Handle<T> {
        Handle::named(name.clone())
    }
}

impl<T: Category + ?Sized> Field for Handle<T> {
    fn kind() -> String {
        let article = if T::NOUN.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        format!("{article} {} or its name", T::NOUN)
    }

    fn read(json: &Json) -> Result<Handle<T>> {
        match json {
            Json::String(name) => {
                let handle = Handle::named(name.clone());
                handle.get()?;
                Ok(handle)
            }
            Json::Object(_) => Handle::open(json),
            Json::Null => T::absent().ok_or_else(|| unexpected::<Self>(json)),
            _ => Err(unexpected::<Self>(json)),
        }
    }

    fn write(&self) -> Json {
        T::write(self)
    }
}

impl<T: ?Sized> Clone for Handle<T> {
    fn clone(&self) -> Handle<T> {
        Handle { name: self.name.clone(), object: self.object.clone() }
    }
}

impl<T: Category + ?Sized> PartialEq for Handle<T> {
    /// Whether both describe the same object.
    fn eq(&self, other: &Handle<T>) -> bool {
        self.envelope() == other.envelope()
    }
}

impl<T: Category + ?Sized> fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.object, &self.name) {
            (Some(object), _) => fmt::Debug::fmt(object, f),
            (None, name) => fmt::Debug::fmt(name, f),
        }
    }
}

/// The category of a trait: `category!(Initialize, "initializer", CLASSES)`, perhaps followed by
/// further methods of [`Category`].
macro_rules! category {
    ($trait:ident, $noun:literal, $classes:expr $(, $($more:tt)*)?) => {
        impl $crate::handle::Category for dyn $trait {
            const NOUN: &'static str = $noun;

            fn classes() -> &'static [$crate::config::Class<dyn $trait>] {
                $classes
            }

            fn registered() -> &'static $crate::handle::Registered<dyn $trait> {
                static REGISTERED: $crate::handle::Registered<dyn $trait> =
                    $crate::handle::Registered::new(Vec::new());
                &REGISTERED
            }

            $($($more)*)?
        }

        impl<T: $trait> From<T> for $crate::handle::Handle<dyn $trait> {
            fn from(object: T) -> Self {
                $crate::handle::Handle::of(::std::sync::Arc::new(object))
            }
        }
    };
}
pub(crate) use category;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        activations::Activation,
        initializers::{GlorotUniform, Initializer},
    };

    #[test]
    fn strings_and_objects_are_the_same_thing() {
        let by_name = Initializer::from("glorot_uniform");
        assert_eq!(by_name, Initializer::from(GlorotUniform::new()));
        assert_eq!(by_name, Initializer::from("GlorotUniform"));
        assert_eq!(by_name.as_given(), Json::from("glorot_uniform"));
        assert_eq!(Initializer::read(&by_name.envelope()), Ok(by_name));
    }

    #[test]
    fn own_classes_can_be_named_once_they_are_registered() {
        use crate::config::Config;
        use oxhorn_ir::Tensor;

        /// Twice its argument; named as functions are.
        #[derive(Clone, Debug, PartialEq, Config)]
        #[config(class = "mine.double")]
        struct Double {}

        impl crate::activations::Activate for Double {
            fn call<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
                x + x
            }
        }

        assert!(Activation::from("double").get().is_err());
        register::<dyn crate::activations::Activate>(Class {
            class: Double::CLASS,
            shape: None,
            aliases: &[],
            doc: Double::DOC,
            fields: Double::fields,
            read: |config| Ok(Arc::new(Double::from_config(config)?)),
        });
        assert_eq!(Activation::from("double"), Activation::from(Double {}));
        let json = Activation::from(Double {}).envelope();
        assert_eq!(Activation::open(&json), Ok(Activation::from("double")));
    }

    #[test]
    fn unknown_strings_are_kept_until_they_are_needed() {
        let handle = Activation::from("foo");
        assert_eq!(handle.as_given(), Json::from("foo"));
        let error = handle.get().unwrap_err();
        assert_eq!(error.message, "Could not interpret activation function identifier: foo");
        assert!(error.help.unwrap().starts_with("known are celu, elu, exponential, gelu"));
    }
}
