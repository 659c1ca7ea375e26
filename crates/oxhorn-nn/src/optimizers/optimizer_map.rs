//! `OptimizerMap`: which optimizer is for which weights.

use super::{LossScaleOptimizer, MultiOptimizer, Optimizer, pattern};
use crate::{
    config::{Envelope, Map, envelope},
    prelude::*,
};

/// Optimizers by the paths of their weights, and one for all others.
///
/// A key is the path of a weight, `encoder/dense/kernel`, or a regular expression that describes
/// one as a whole: `encoder/.*`.
#[derive(Clone, Debug, PartialEq)]
pub struct OptimizerMap {
    /// The optimizer of weights that no key describes.
    pub default_optimizer: Optimizer,
    /// The optimizers of others, by their keys.
    pub optimizer_map: Vec<(String, Optimizer)>,
}

impl OptimizerMap {
    /// A map that has this optimizer for all weights.
    pub fn new(default_optimizer: impl Into<Optimizer>) -> OptimizerMap {
        OptimizerMap { default_optimizer: default_optimizer.into(), optimizer_map: vec![] }
    }

    /// The same map, with this optimizer for the weights that `key` describes.
    #[must_use]
    pub fn add(mut self, key: impl Into<String>, optimizer: impl Into<Optimizer>) -> OptimizerMap {
        self.optimizer_map.push((key.into(), optimizer.into()));
        self
    }

    /// The optimizer of the weight at this path.
    ///
    /// # Errors
    ///
    /// If several keys describe the path, and none is the path itself.
    pub fn choose(&self, path: &str) -> Result<&Optimizer> {
        let mut entries = self.optimizer_map.iter();
        if let Some((_, optimizer)) = entries.find(|(key, _)| key == path) {
            return Ok(optimizer);
        }
        let matches = |(key, _): &&(String, Optimizer)| pattern::is_whole(key, path);
        let found: Vec<_> = self.optimizer_map.iter().filter(matches).collect();
        match found.as_slice() {
            [] => Ok(&self.default_optimizer),
            [(_, optimizer)] => Ok(optimizer),
            several => {
                let keys: Vec<&str> = several.iter().map(|(key, _)| key.as_str()).collect();
                Err(Error::new(format!("Multiple optimizers assigned to variable {path}."))
                    .help(format!("of these keys only one may describe it: {}", keys.join(", "))))
            }
        }
    }

    /// Every optimizer once, that of the other weights last.
    pub(super) fn optimizers(&self) -> Vec<&Optimizer> {
        let mut optimizers: Vec<&Optimizer> = vec![];
        let mapped = self.optimizer_map.iter().map(|(_, optimizer)| optimizer);
        for optimizer in mapped.chain([&self.default_optimizer]) {
            if !optimizers.iter().any(|known| known.is(optimizer)) {
                optimizers.push(optimizer);
            }
        }
        optimizers
    }

    /// Rejects keys that are no patterns or not unique, and what is for all weights or for none.
    pub(super) fn check(&self) -> Result<()> {
        for (i, (key, _)) in self.optimizer_map.iter().enumerate() {
            pattern::check("optimizer_map", key)?;
            ensure!(
                self.optimizer_map[..i].iter().all(|(known, _)| known != key),
                "'{key}' already exists in the OptimizerMap.";
                help: "Please make sure to not use duplicated keys."
            );
        }
        for optimizer in self.optimizers() {
            let class = optimizer.get()?.class();
            ensure!(
                class != LossScaleOptimizer::CLASS,
                "LossScaleOptimizer cannot be used inside an MultiOptimizer.";
                help: "put the MultiOptimizer into the LossScaleOptimizer"
            );
            ensure!(
                class != MultiOptimizer::CLASS,
                "MultiOptimizer cannot be used inside an MultiOptimizer."
            );
        }
        Ok(())
    }
}

impl Field for OptimizerMap {
    fn kind() -> String {
        "an OptimizerMap".to_owned()
    }

    fn read(json: &Json) -> Result<OptimizerMap> {
        let Envelope { class_name, config } = Envelope::open(json)?;
        let unexpected = || Error::new(format!("expected {}, got {json}", Self::kind()));
        let (default, map) = (config.get("default_optimizer"), config.get("optimizer_map"));
        let (Some(default), Some(map), "OptimizerMap") =
            (default, map.and_then(Json::as_object), class_name)
        else {
            return Err(unexpected());
        };
        let entry = |(key, json): (&String, &Json)| Ok((key.clone(), Optimizer::read(json)?));
        let optimizer_map = map.iter().map(entry).collect::<Result<_>>()?;
        Ok(OptimizerMap { default_optimizer: Optimizer::read(default)?, optimizer_map })
    }

    fn write(&self) -> Json {
        let entry = |(key, optimizer): &(String, Optimizer)| (key.clone(), optimizer.write());
        let map: Map = self.optimizer_map.iter().map(entry).collect();
        let config = [
            ("default_optimizer".to_owned(), self.default_optimizer.write()),
            ("optimizer_map".to_owned(), map.into()),
        ];
        envelope("keras.optimizers.OptimizerMap", config.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizers::{Adam, SGD};

    fn chosen(map: &OptimizerMap, path: &str) -> &'static str {
        map.choose(path).and_then(Optimizer::get).expect("an optimizer").class_name()
    }

    #[test]
    fn a_path_is_its_own_key_before_any_pattern() {
        let map = OptimizerMap::new("rmsprop")
            .add("encoder/dense", Adam::new())
            .add("encoder/.*", SGD::new())
            .add("decoder", Adam::new());
        let paths = ["encoder/dense", "encoder/query", "decoder", "decoder/dense"];
        let names = paths.map(|path| chosen(&map, path));
        assert_eq!(names, ["Adam", "SGD", "Adam", "RMSprop"]);
    }

    #[test]
    fn a_path_with_two_optimizers_is_refused() {
        let map = OptimizerMap::new("sgd").add("a.*", "adam").add(".*b", "lion");
        assert_eq!(
            map.choose("ab").expect_err("a mistake").to_string(),
            "Multiple optimizers assigned to variable ab.\n  \
             help: of these keys only one may describe it: a.*, .*b"
        );
    }

    #[test]
    fn keys_are_unique_patterns() {
        let map = OptimizerMap::new("sgd").add("a", "adam").add("a", "lion");
        assert_eq!(
            map.check().expect_err("a mistake").message,
            "'a' already exists in the OptimizerMap."
        );
        let map = OptimizerMap::new("sgd").add("(", "adam");
        let begin = "`optimizer_map` needs regular expressions, got `(`: ";
        assert!(map.check().expect_err("a mistake").message.starts_with(begin));
    }

    #[test]
    fn only_a_map_is_read_as_one() {
        let json = serde_json::json!({"class_name": "Map", "config": {}});
        let error = OptimizerMap::read(&json).expect_err("a mistake").message;
        assert!(error.starts_with("expected an OptimizerMap, got {"), "{error}");
    }
}
