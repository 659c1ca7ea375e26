//! `oxhorn inspect`: what a model consists of and what it compiles to, from its Keras JSON.

use std::path::PathBuf;

use clap::Args;
use oxhorn::{inspect::compile, losses::Loss, metrics::Metric, optimizers::Optimizer, prelude::*};
use serde_json::Value;

use crate::output::print;

/// What `oxhorn inspect` can be told.
#[derive(Args)]
pub(crate) struct Inspect {
    /// What `model.to_json()` gives in Keras, or `config.json` of a `.keras` file.
    file: PathBuf,
    /// Samples in a batch.
    #[arg(long, value_name = "N", default_value_t = 32)]
    batch: usize,
    /// Extents of one sample's target, such as 10 or 28,28 [default: those that the loss takes]
    #[arg(long, value_name = "N", value_delimiter = ',')]
    target: Option<Vec<usize>>,
}

impl Inspect {
    /// Prints the model's summary, the graph of one step and the program made of it.
    ///
    /// # Errors
    /// When the file holds no model that can be built here.
    pub(crate) fn run(&self) -> Result<()> {
        if self.batch == 0 {
            return Err(Error::new("`--batch` must be at least 1, got 0"));
        }
        let json = self.read()?;
        let in_file = |error: Error| error.at(self.file.display().to_string());
        let mut model = Sequential::from_json(&json).map_err(in_file)?;
        let compiled = &json["compile_config"];
        let loss = if compiled.is_object() {
            Some(compile_as(&mut model, compiled).map_err(in_file)?)
        } else {
            None
        };
        let summary = model.summary();
        let output = summary.rows.last().and_then(|row| row.output_shape.as_deref());
        let target = self.target.clone().unwrap_or_else(|| target(loss.as_ref(), output));
        let graph = model.graph(self.batch, &target).map_err(in_file)?;
        let program = compile(&graph).map_err(in_file)?;
        let step = if loss.is_some() { "training step" } else { "prediction" };
        let batch = self.batch;
        print(summary)?;
        print(format_args!("Graph of a {step} on a batch of {batch}: what is computed\n"))?;
        print(format!("{graph}\nProgram: how it is computed\n\n{program}").trim_end())
    }

    fn read(&self) -> Result<Value> {
        let path = self.file.display();
        let help = "give what `model.to_json()` returns in Keras, or `config.json` of a `.keras` \
                    file";
        let text = std::fs::read_to_string(&self.file)
            .map_err(|error| Error::new(format!("cannot read {path}: {error}")).help(help))?;
        serde_json::from_str(&text)
            .map_err(|error| Error::new(format!("{path} is not JSON: {error}")).help(help))
    }
}

/// Compiles the model as its JSON says, and returns the loss.
fn compile_as(model: &mut Sequential, config: &Value) -> Result<Loss> {
    let optimizer = match &config["optimizer"] {
        Value::String(name) => Optimizer::from(name),
        other => Optimizer::open(other)?,
    };
    let loss = match &config["loss"] {
        Value::String(name) => Loss::from(name),
        other => Loss::open(other)?,
    };
    let metrics = |key: &str| match &config[key] {
        Value::Null => Ok(vec![]),
        Value::Array(metrics) => metrics.iter().map(metric).collect::<Result<Vec<Metric>>>(),
        other => Err(unsupported(key, other)),
    };
    if !config["loss_weights"].is_null() {
        return Err(unsupported("loss_weights", &config["loss_weights"]));
    }
    let compile = Compile::new(optimizer, loss.clone())
        .metrics(metrics("metrics")?)
        .weighted_metrics(metrics("weighted_metrics")?);
    model.compile_with(compile)?;
    Ok(loss)
}

fn metric(json: &Value) -> Result<Metric> {
    match json {
        Value::String(name) => Ok(Metric::from(name)),
        Value::Object(_) => Metric::open(json),
        other => Err(unsupported("metrics", other)),
    }
}

fn unsupported(key: &str, value: &Value) -> Error {
    Error::new(format!("`{key}` of the compile_config is not supported: {value}"))
        .help("a model has one output here: give the name of each metric or the metric itself")
}

/// The shape of one sample's target that fits the loss, given that of the model's output.
fn target(loss: Option<&Loss>, output: Option<&[Option<usize>]>) -> Vec<usize> {
    let sample = output.unwrap_or_default().iter().skip(1);
    let mut sample: Vec<usize> = sample.map(|extent| extent.unwrap_or(1)).collect();
    let class = loss.and_then(|loss| loss.get().ok()).map(|loss| loss.class_name());
    if class == Some("SparseCategoricalCrossentropy") {
        sample.pop();
    }
    sample
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chooses_the_target_that_the_loss_takes() {
        let output = [None, Some(7), Some(5)];
        let target = |loss: &str| target(Some(&loss.into()), Some(&output));
        assert_eq!(target("categorical_crossentropy"), [7, 5]);
        assert_eq!(target("sparse_categorical_crossentropy"), [7]);
        assert!(super::target(None, None).is_empty());
    }
}
