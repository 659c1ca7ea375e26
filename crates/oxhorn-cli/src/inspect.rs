//! `oxhorn inspect`: what a model consists of and what it compiles to, from its Keras JSON.

use std::path::PathBuf;

use clap::Args;
use oxhorn::{inspect::compile, losses::Loss, prelude::*};
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
        let mut model = Sequential::compiled_from_json(&json).map_err(in_file)?;
        let loss = model.loss().cloned();
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
