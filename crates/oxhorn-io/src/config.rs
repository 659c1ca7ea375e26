//! JSON that nobody vouches for: nothing twice, nothing too deep, not too much.

use std::{cell::Cell, fmt};

use oxhorn_ir::{Error, Result};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// How deep lists and dictionaries of JSON may be nested.
pub const DEPTH_MAX: usize = 100;
/// How many values there may be in one text: two characters can stand for a value, which takes a
/// hundred bytes in memory. Models of a thousand layers have some fifty thousand.
pub const VALUES_MAX: usize = 250_000;

/// The value that JSON text describes.
///
/// # Errors
///
/// If it is no JSON, deeper than [`DEPTH_MAX`], of more than [`VALUES_MAX`] values, has a number
/// that no `f64` can hold, or has a dictionary with one key twice, of which other readers may see
/// the other one.
pub fn parse(bytes: &[u8]) -> Result<Value> {
    let remaining = Cell::new(VALUES_MAX);
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let strict = Strict { depth: DEPTH_MAX, remaining: &remaining };
    let value = strict.deserialize(&mut json).map_err(|error| no_json(&error))?;
    json.end().map_err(|error| no_json(&error))?;
    Ok(value)
}

fn no_json(error: &serde_json::Error) -> Error {
    Error::new(format!("the JSON cannot be read: {error}"))
}

/// Reads one value, of what is left of depth and number.
#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: usize,
    remaining: &'a Cell<usize>,
}

impl<'a> Strict<'a> {
    fn deeper<E: de::Error>(self) -> Result<Strict<'a>, E> {
        let depth = self.depth.checked_sub(1);
        let deep = || E::custom(format!("lists and dictionaries are deeper than {DEPTH_MAX}"));
        Ok(Strict { depth: depth.ok_or_else(deep)?, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let Some(remaining) = self.remaining.get().checked_sub(1) else {
            return Err(de::Error::custom(format!("there are more than {VALUES_MAX} values")));
        };
        self.remaining.set(remaining);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(flag.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        let number = serde_json::Number::from_f64(number);
        number.map(Value::Number).ok_or_else(|| E::custom("a number is not finite"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut values = vec![];
        while let Some(value) = list.next_element_seed(inner)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(de::Error::custom(format!("the key {key:?} is there twice")));
            }
            map.insert(key, entries.next_value_seed(inner)?);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        parse(text.as_bytes()).unwrap_err().message
    }

    #[test]
    fn reads_what_serde_json_reads() {
        let text = r#"{"b": [1, -2, 1.5e300, 18446744073709551615], "a": {"": null}, "c": true}"#;
        let expected: Value = serde_json::from_str(text).unwrap();
        assert_eq!(parse(text.as_bytes()).unwrap(), expected);
        let keys: Vec<_> = expected.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["b", "a", "c"]);
    }

    #[test]
    fn a_key_twice_is_refused() {
        assert_eq!(
            refused(r#"{"rate": 0.5, "rate": 1}"#),
            "the JSON cannot be read: the key \"rate\" is there twice at line 1 column 20"
        );
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(DEPTH_MAX).as_bytes()).is_ok());
        let message = refused(&nested(DEPTH_MAX + 1));
        assert!(message.contains("lists and dictionaries are deeper than 100"), "{message}");
        assert!(parse("[".repeat(10_000_000).as_bytes()).is_err());
    }

    #[test]
    fn the_number_of_values_is_bounded() {
        let list = |count: usize| format!("[{}0]", "0,".repeat(count - 1));
        assert!(parse(list(VALUES_MAX - 1).as_bytes()).is_ok());
        let message = refused(&list(VALUES_MAX));
        assert!(message.contains("there are more than 250000 values"), "{message}");
    }

    #[test]
    fn numbers_that_are_none_are_refused() {
        for text in ["1e999", "NaN", "[-Infinity]", "01", "1 2", ""] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
