//! `oxhorn inspect`: what a model consists of and what it compiles to, or what a file holds.

use std::path::PathBuf;

use clap::Args;
use oxhorn::{inspect::compile, losses::Loss, prelude::*};
use oxhorn_io::Format;

use crate::{held, model, output::print};

/// Samples in a batch if it is not said.
const BATCH: usize = 32;

/// What `oxhorn inspect` can be told.
#[derive(Args)]
pub(crate) struct Inspect {
    /// A .keras, .h5, .npz or .safetensors file; or what `model.to_json()` gives in Keras.
    file: PathBuf,
    /// Samples in a batch of the step whose graph and program are printed [default: 32]; of other
    /// files than JSON they are if this or --target is given
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
    /// Extents of one sample's target, such as 10 or 28,28 [default: those that the loss takes]
    #[arg(long, value_name = "N", value_delimiter = ',')]
    target: Option<Vec<usize>>,
}

impl Inspect {
    /// Prints what a file holds, or of JSON the model's summary, the graph of one step and the
    /// program made of it.
    ///
    /// # Errors
    /// When the file holds no model that can be built here.
    pub(crate) fn run(&self) -> Result<()> {
        if self.batch == Some(0) {
            return Err(Error::new("`--batch` must be at least 1, got 0"));
        }
        let in_file = |error: Error| error.at(self.file.display().to_string());
        let asked = self.batch.or(self.target.as_ref().map(|_| BATCH));
        if let Some(format) = Format::of(&self.file) {
            return match (held::print_all(&self.file, format)?, asked) {
                (_, None) => Ok(()),
                (None, Some(_)) => Err(Error::new("weights without a model have no step")
                    .help("leave out `--batch` and `--target`")),
                (Some(model), Some(batch)) => {
                    print(format_args!("\n{}", self.step(model, batch).map_err(in_file)?))
                }
            };
        }
        let json = model::json(&self.file)?;
        let model = Sequential::compiled_from_json(&json).map_err(in_file)?;
        let summary = model.summary();
        let step = self.step(model, asked.unwrap_or(BATCH)).map_err(in_file)?;
        print(summary)?;
        print(step)
    }

    /// The graph of one step, and the program made of it.
    fn step(&self, mut model: Sequential, batch: usize) -> Result<String> {
        let loss = model.loss().cloned();
        let summary = model.summary();
        let output = summary.rows.last().and_then(|row| row.output_shape.as_deref());
        let target = self.target.clone().unwrap_or_else(|| target(loss.as_ref(), output));
        let graph = model.graph(batch, &target)?;
        let program = compile(&graph)?;
        let step = if loss.is_some() { "training step" } else { "prediction" };
        let text = format!(
            "Graph of a {step} on a batch of {batch}: what is computed\n\n{graph}\nProgram: how it \
             is computed\n\n{program}"
        );
        Ok(text.trim_end().to_owned())
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
