//! What a model is compiled with, as Keras writes it beside a model: its `compile_config`; and the
//! techniques, which Keras has not.

use oxhorn_ir::{Error, Result};
use oxhorn_nn::{
    Handle, Json, config::Field, handle::Category, losses::Loss, metrics::Metric,
    optimizers::Optimizer, techniques::Intervene,
};
use serde_json::json;

use crate::{
    lint::Rule,
    sequential::{Compile, Sequential},
};

impl Compile {
    /// What Keras' `compile_config` says. The linter is silent then, for it spoke when the model was
    /// first compiled.
    ///
    /// # Errors
    ///
    /// If an object in it is unknown, unsupported or ill-typed.
    pub fn from_json(config: &Json) -> Result<Compile> {
        let optimizer: Optimizer = object(&config["optimizer"])?;
        let loss: Loss = object(&config["loss"])?;
        let metrics = |key: &str| match &config[key] {
            Json::Null => Ok(vec![]),
            Json::Array(metrics) => metrics.iter().map(metric).collect::<Result<Vec<Metric>>>(),
            other => Err(unsupported(key, other)),
        };
        if !config["loss_weights"].is_null() {
            return Err(unsupported("loss_weights", &config["loss_weights"]));
        }
        let compile = Compile::new(optimizer, loss)
            .allow(Rule::ALL)
            .metrics(metrics("metrics")?)
            .weighted_metrics(metrics("weighted_metrics")?);
        let techniques = match &config["techniques"] {
            Json::Null => &[][..],
            Json::Array(techniques) => techniques,
            other => return Err(unsupported("techniques", other)),
        };
        techniques.iter().try_fold(compile, |compile, technique| {
            Ok(compile.technique(object::<dyn Intervene>(technique)?))
        })
    }
}

impl Sequential {
    /// What the model is compiled with, as Keras writes it; `None` before [`Sequential::compile`].
    pub fn compile_config(&self) -> Option<Json> {
        let objective = self.objective.as_ref()?;
        let asked = objective.outputs.first()?;
        let metrics = |metrics: &[Metric]| match metrics {
            [] => Json::Null,
            // What "accuracy" is depends on shapes, and so is not decided here.
            metrics => metrics.iter().map(Metric::as_given).collect(),
        };
        let mut config = json!({
            "optimizer": objective.optimizer.write(),
            "loss": asked.loss.as_ref().map(Field::write),
            "loss_weights": asked.loss_weight,
            "metrics": metrics(&asked.metrics),
            "weighted_metrics": metrics(&asked.weighted_metrics),
            "run_eagerly": false, "steps_per_execution": 1, "jit_compile": true,
        });
        // Keras knows no techniques, and reads what has none.
        if !objective.techniques.is_empty() {
            config["techniques"] = objective.techniques.iter().map(Field::write).collect();
        }
        Some(config)
    }

    /// The model that Keras' JSON describes, compiled as its `compile_config` says if it has one.
    ///
    /// # Errors
    ///
    /// As [`Sequential::from_json`] and [`Compile::from_json`].
    pub fn compiled_from_json(json: &Json) -> Result<Sequential> {
        let mut model = Sequential::from_json(json)?;
        let config = &json["compile_config"];
        if config.is_object() {
            model.compile_with(Compile::from_json(config)?)?;
        }
        Ok(model)
    }
}

/// An object, or its name.
fn object<T: Category + ?Sized>(json: &Json) -> Result<Handle<T>> {
    match json {
        Json::String(name) => Ok(Handle::from(name)),
        other => Handle::read(other),
    }
}

fn metric(json: &Json) -> Result<Metric> {
    match json {
        Json::String(_) | Json::Object(_) => object(json),
        other => Err(unsupported("metrics", other)),
    }
}

fn unsupported(key: &str, value: &Json) -> Error {
    Error::new(format!("`{key}` of the compile_config is not supported: {value}"))
        .help("a model has one output here: give the name of each metric or the metric itself")
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn a_compiled_model_comes_back_as_it_was() {
        let mut model = Sequential::new()
            .add(Dense::new(4).activation("relu").input_dim(3))
            .add(Dropout::new(0.25))
            .add(Dense::new(2).activation("softmax"));
        assert_eq!(model.compile_config(), None);
        let adam = Adam::new().learning_rate(0.01).clipnorm(1.0);
        model.compile(adam, "categorical_crossentropy", ["accuracy"]).expect("names that exist");
        let mut json = model.to_json();
        json["compile_config"] = model.compile_config().expect("a compiled model");
        let again = Sequential::compiled_from_json(&json).expect("a model that was written");
        assert_eq!(again.to_json(), model.to_json());
        assert_eq!(again.compile_config(), model.compile_config());
        assert_eq!(json["compile_config"]["metrics"][0], "accuracy");
    }
}
