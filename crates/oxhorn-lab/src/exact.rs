//! Numbers in JSON, to the bit: JSON has none that are infinite or no number, so these are words.

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Unexpected, Visitor},
};

/// A number, or `"NaN"`, `"Infinity"` or `"-Infinity"`.
struct Exact(f64);

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            x if x.is_nan() => to.serialize_str("NaN"),
            f64::INFINITY => to.serialize_str("Infinity"),
            f64::NEG_INFINITY => to.serialize_str("-Infinity"),
            x => to.serialize_f64(x),
        }
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Exact, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = Exact;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number, \"NaN\", \"Infinity\" or \"-Infinity\"")
            }

            fn visit_f64<E: Error>(self, x: f64) -> Result<Exact, E> {
                Ok(Exact(x))
            }

            fn visit_i64<E: Error>(self, x: i64) -> Result<Exact, E> {
                Ok(Exact(x as f64))
            }

            fn visit_u64<E: Error>(self, x: u64) -> Result<Exact, E> {
                Ok(Exact(x as f64))
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<Exact, E> {
                match word {
                    "NaN" => Ok(Exact(f64::NAN)),
                    "Infinity" => Ok(Exact(f64::INFINITY)),
                    "-Infinity" => Ok(Exact(f64::NEG_INFINITY)),
                    _ => Err(E::invalid_value(Unexpected::Str(word), &self)),
                }
            }
        }

        from.deserialize_any(Number)
    }
}

/// For `#[serde(with = "exact::one")]` on a number.
pub(crate) mod one {
    use super::{Deserialize, Deserializer, Exact, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(x: &f64, to: S) -> Result<S::Ok, S::Error> {
        Exact(*x).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        Exact::deserialize(from).map(|Exact(x)| x)
    }
}

/// For numbers by name.
pub(crate) mod map {
    use std::collections::BTreeMap;

    use super::{Deserialize, Deserializer, Exact, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        map: &BTreeMap<String, f64>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_map(map.iter().map(|(name, &x)| (name, Exact(x))))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<String, f64>, D::Error> {
        let map = BTreeMap::<String, Exact>::deserialize(from)?;
        Ok(map.into_iter().map(|(name, Exact(x))| (name, x)).collect())
    }
}

/// For lists of numbers by name.
pub(crate) mod curves {
    use std::collections::BTreeMap;

    use super::{Deserialize, Deserializer, Exact, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        curves: &BTreeMap<String, Vec<f64>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let exact = |numbers: &[f64]| numbers.iter().copied().map(Exact).collect::<Vec<_>>();
        to.collect_map(curves.iter().map(|(name, numbers)| (name, exact(numbers))))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<String, Vec<f64>>, D::Error> {
        let curves = BTreeMap::<String, Vec<Exact>>::deserialize(from)?;
        let numbers = |exact: Vec<Exact>| exact.into_iter().map(|Exact(x)| x).collect();
        Ok(curves.into_iter().map(|(name, exact)| (name, numbers(exact))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Exact;

    #[test]
    fn every_number_comes_back_with_its_bits() {
        let odd = [0.1 + 0.2, -0.0, 5e-324, f64::MAX, 1.0 / 3.0, 123_456_789.123_456_79];
        let rare = [f64::INFINITY, f64::NEG_INFINITY];
        // Of a generator that goes through many exponents.
        let drawn = (0..1000_u64).map(|i| f64::from_bits(i.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        for x in odd.into_iter().chain(rare).chain(drawn).filter(|x| !x.is_nan()) {
            let text = serde_json::to_string(&Exact(x)).unwrap();
            let Exact(back) = serde_json::from_str(&text).unwrap();
            assert_eq!(back.to_bits(), x.to_bits(), "{text}");
        }
        let Exact(nan) = serde_json::from_str("\"NaN\"").unwrap();
        assert!(nan.is_nan());
        assert_eq!(serde_json::to_string(&Exact(f64::NAN)).unwrap(), "\"NaN\"");
        let Exact(whole) = serde_json::from_str("-7").unwrap();
        assert_eq!(whole, -7.0);
    }

    #[test]
    fn other_words_are_no_numbers() {
        let error = serde_json::from_str::<Exact>("\"many\"").map(|_| ()).unwrap_err();
        assert!(error.to_string().starts_with("invalid value: string \"many\""), "{error}");
        assert!(serde_json::from_str::<Exact>("null").is_err());
    }
}
