//! What stands after an op's arguments in text form: `axes=[0, 1]`.

use std::fmt;

use crate::{Error, Result};

/// One setting of an op, as text knows it.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// `axis=1`
    Int(i64),
    /// `axes=[0, 1]`
    Ints(Vec<i64>),
    /// `value=0.5`
    Real(f64),
    /// `"dense/kernel"`, the only attribute without a name
    Text(String),
}

/// The settings of an op, in the order they are printed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes(pub Vec<(String, Attribute)>);

impl Attributes {
    /// One more list of integers.
    pub fn ints(mut self, name: &str, values: &[usize]) -> Attributes {
        let values = values.iter().map(|&value| value as i64).collect();
        self.0.push((name.to_owned(), Attribute::Ints(values)));
        self
    }

    /// One more integer.
    pub fn int(mut self, name: &str, value: usize) -> Attributes {
        self.0.push((name.to_owned(), Attribute::Int(value as i64)));
        self
    }

    /// One more real number.
    pub fn real(mut self, name: &str, value: f64) -> Attributes {
        self.0.push((name.to_owned(), Attribute::Real(value)));
        self
    }

    /// The quoted text.
    pub fn text(mut self, text: &str) -> Attributes {
        self.0.push((String::new(), Attribute::Text(text.to_owned())));
        self
    }

    /// The list of extents or axes called `name`.
    pub fn expect_ints(&self, name: &str) -> Result<Vec<usize>> {
        match self.find(name)? {
            Attribute::Ints(values) if values.iter().all(|&value| value >= 0) => {
                Ok(values.iter().map(|&value| value as usize).collect())
            }
            other => Err(Error::new(format!("`{name}` must be a list of extents, got {other}"))),
        }
    }

    /// The extent or axis called `name`.
    pub fn expect_int(&self, name: &str) -> Result<usize> {
        match self.find(name)? {
            Attribute::Int(value) if *value >= 0 => Ok(*value as usize),
            other => Err(Error::new(format!("`{name}` must be a natural number, got {other}"))),
        }
    }

    /// The number called `name`.
    pub fn expect_real(&self, name: &str) -> Result<f64> {
        match self.find(name)? {
            Attribute::Real(value) => Ok(*value),
            Attribute::Int(value) => Ok(*value as f64),
            other => Err(Error::new(format!("`{name}` must be a number, got {other}"))),
        }
    }

    /// The quoted text.
    pub fn expect_text(&self) -> Result<String> {
        match self.find("")? {
            Attribute::Text(text) => Ok(text.clone()),
            other => Err(Error::new(format!("a quoted name was expected, got {other}"))),
        }
    }

    fn find(&self, name: &str) -> Result<&Attribute> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value).ok_or_else(|| match name {
            "" => Error::new("a quoted name is missing"),
            _ => Error::new(format!("the attribute `{name}` is missing")),
        })
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Attribute::Int(value) => write!(f, "{value}"),
            Attribute::Ints(values) => write!(f, "{values:?}"),
            Attribute::Real(value) => write!(f, "{value:?}"),
            Attribute::Text(text) => write!(f, "{text:?}"),
        }
    }
}

impl fmt::Display for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.0 {
            match name.as_str() {
                "" => write!(f, " {value}")?,
                _ => write!(f, " {name}={value}")?,
            }
        }
        Ok(())
    }
}
