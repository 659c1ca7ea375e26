//! `Zeros`, `Ones` and `Constant`: known values.

use crate::prelude::*;

/// 0 everywhere.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.initializers.Zeros", aliases = ["zero"])]
pub struct Zeros;

impl Initialize for Zeros {
    fn values(&self, shape: &[usize], _: [u32; 2]) -> Result<Vec<f32>> {
        Ok(vec![0.0; shape.iter().product()])
    }
}

/// 1 everywhere.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.initializers.Ones", aliases = ["one"])]
pub struct Ones;

impl Initialize for Ones {
    fn values(&self, shape: &[usize], _: [u32; 2]) -> Result<Vec<f32>> {
        Ok(vec![1.0; shape.iter().product()])
    }
}

/// The same value everywhere, or the values of an array, repeated along leading axes.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.initializers.Constant")]
pub struct Constant {
    /// The value or values.
    #[config(default = 0.0)]
    pub value: Values,
}

/// A number, or an array of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    shape: Vec<usize>,
    data: Vec<f32>,
    json: Json,
}

impl Values {
    /// The extents; none of a number.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements, row-major.
    pub fn data(&self) -> &[f32] {
        &self.data
    }
}

impl From<f64> for Values {
    fn from(value: f64) -> Values {
        Values { shape: vec![], data: vec![value as f32], json: value.into() }
    }
}

impl<const N: usize> From<[f64; N]> for Values {
    fn from(values: [f64; N]) -> Values {
        Values::from(values.to_vec())
    }
}

impl From<Vec<f64>> for Values {
    fn from(values: Vec<f64>) -> Values {
        let data = values.iter().map(|&value| value as f32).collect();
        Values { shape: vec![values.len()], data, json: values.into() }
    }
}

impl Field for Values {
    fn kind() -> String {
        "a number or an array of numbers".to_owned()
    }

    fn read(json: &Json) -> Result<Values> {
        // Keras writes an array as an object that holds nested lists: {"config": {"value": [..]}}.
        let nested = json.get("config").and_then(|config| config.get("value")).unwrap_or(json);
        let mut values = Values { shape: vec![], data: vec![], json: json.clone() };
        let fits = flatten(nested, 0, &mut values);
        ensure!(fits, "expected {}, got {json}", Values::kind());
        Ok(values)
    }

    fn write(&self) -> Json {
        self.json.clone()
    }
}

/// Appends nested lists of equal lengths; whether they are that.
fn flatten(json: &Json, depth: usize, values: &mut Values) -> bool {
    match json {
        Json::Array(items) => {
            if values.shape.len() == depth {
                values.shape.push(items.len());
            }
            values.shape.get(depth) == Some(&items.len())
                && items.iter().all(|item| flatten(item, depth + 1, values))
        }
        _ => match json.as_f64() {
            Some(number) => {
                values.data.push(number as f32);
                values.shape.len() == depth
            }
            None => false,
        },
    }
}

impl Initialize for Constant {
    fn values(&self, shape: &[usize], _: [u32; 2]) -> Result<Vec<f32>> {
        let Values { shape: own, data, .. } = &self.value;
        ensure!(
            shape.ends_with(own),
            "`Constant` has values of shape {own:?}, which do not fill {shape:?}"
        );
        let len = shape.iter().product();
        Ok(data.iter().copied().cycle().take(len).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_repeated_along_leading_axes() {
        let values = Constant::new().value([1.0, -2.0]).values(&[2, 2], [0, 0]).unwrap();
        assert_eq!(values, [1.0, -2.0, 1.0, -2.0]);
        let error = Constant::new().value([1.0, -2.0]).values(&[3], [0, 0]).unwrap_err();
        assert_eq!(error.message, "`Constant` has values of shape [2], which do not fill [3]");
    }

    #[test]
    fn lists_of_unequal_lengths_are_refused() {
        let json = serde_json::json!([[1.0], [2.0, 3.0]]);
        assert!(Values::read(&json).is_err());
    }
}
