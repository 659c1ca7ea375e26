//! `oxhorn convert`: models and weights in other formats, as far as nothing is lost.

use std::path::{Path, PathBuf};

use clap::Args;
use oxhorn::{Error, Result, Sequential};
use oxhorn_io::{Format, Group, disk, h5, keras, npz, safetensors};

use crate::{held, model, output::print};

/// What `oxhorn convert` can be told.
#[derive(Args)]
pub(crate) struct Convert {
    /// A model in a .keras or .h5 file, or weights in a .weights.h5, .npz or .safetensors file.
    from: PathBuf,
    /// Where to write it: .keras or .h5 for the model, .weights.h5, .npz or .safetensors for its
    /// weights and what the optimizer keeps, .onnx for what it predicts. From weights to weights
    /// tensors stay what they are; the names of layers, which .weights.h5 notes beside them, are
    /// written only where a model is at hand.
    to: PathBuf,
    /// The model whose weights are in the file, to make one model of both: Keras' JSON, or a
    /// .keras or .h5 file.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Convert even where something of a model is lost, and say what: .h5 has no place for random
    /// states, numbers that were turned, techniques and the columns of data.
    #[arg(long)]
    lossy: bool,
}

/// What a file is to hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Contents {
    Model(Format),
    Weights(Format),
    Predictions,
}

/// What can be read.
const FORMATS: &str = "there are .keras, .h5, .weights.h5, .npz, .safetensors, and .onnx to write";

impl Convert {
    /// Reads one file and writes the other.
    ///
    /// # Errors
    ///
    /// When a format is not known, something would be lost, or a file cannot be read or written.
    pub(crate) fn run(&self) -> Result<()> {
        let Convert { from, to, .. } = self;
        let wanted = contents(to)?;
        if from == to {
            return Err(Error::new(format!("both files are {}", to.display())));
        }
        let weights = match contents(from)? {
            Contents::Predictions => {
                let message = format!("{} cannot be read: ONNX is only written", from.display());
                return Err(Error::new(message).help("convert the model that it was made of"));
            }
            Contents::Weights(format) => Some(format),
            // Weights in Keras' older format end like models.
            Contents::Model(Format::H5) if !held::is_model(&tree(from, Format::H5)?) => {
                Some(Format::H5)
            }
            Contents::Model(_) => None,
        };
        match (weights, &self.model) {
            (None, None) => {
                let model = Sequential::load(from)?;
                self.say_losses(wanted)?;
                write(&model, to, wanted)?;
            }
            (None, Some(_)) => {
                let message = format!("`--model` has no meaning: {} is a model", from.display());
                return Err(Error::new(message).help("it is for files of weights"));
            }
            (Some(_), Some(path)) => {
                let mut model = described(path)?;
                model.load_weights(from)?;
                write(&model, to, wanted)?;
            }
            (Some(read), None) => match wanted {
                Contents::Weights(written) => self.convert_tree(read, written)?,
                Contents::Model(_) | Contents::Predictions => {
                    let message = format!("{} holds weights, and no model", from.display());
                    return Err(Error::new(message)
                        .help("`--model` says which: Keras' JSON, or a .keras or .h5 file"));
                }
            },
        }
        print(format_args!("{}: {}", from.display(), to.display()))
    }

    /// Refuses to lose something, or says what is lost.
    fn say_losses(&self, wanted: Contents) -> Result<()> {
        let is_archive = Format::of(&self.from) == Some(Format::Keras);
        if wanted != Contents::Model(Format::H5) || !is_archive {
            return Ok(());
        }
        let Some(state) = keras::read(&disk::read(&self.from)?)?.state else { return Ok(()) };
        let lost = [
            ("random states and numbers that were turned", !state.tensors.is_empty()),
            ("techniques", !state.facts["techniques"].is_null()),
            ("the columns of its data", !state.facts["notes"].is_null()),
        ];
        let lost: Vec<&str> =
            lost.into_iter().filter(|(_, lost)| *lost).map(|(what, _)| what).collect();
        match (lost.is_empty(), self.lossy) {
            (true, _) => Ok(()),
            (false, true) => print(format_args!("Lost: {}", lost.join(", "))),
            (false, false) => {
                let message = format!("a .h5 file would lose: {}", lost.join(", "));
                Err(Error::new(message).help("`--lossy` converts all the same; .keras keeps all"))
            }
        }
    }

    /// Weights as a tree, of whatever model.
    fn convert_tree(&self, read: Format, written: Format) -> Result<()> {
        let root = tree(&self.from, read)?;
        if root.attributes.contains_key("layer_names") {
            let message = format!("{} is in Keras' older format", self.from.display());
            return Err(Error::new(message)
                .help("there tensors have other names; `--model` says of which layers they are"));
        }
        let tensors = root.flatten();
        let bytes = match written {
            Format::Npz => npz::write(&tensors)?,
            Format::Safetensors => {
                let contents = safetensors::Contents { tensors, ..Default::default() };
                safetensors::write(&contents)?
            }
            Format::H5 | Format::Keras => h5::write(&root)?,
        };
        disk::replace(&self.to, &bytes)
    }
}

/// What a file is to hold, by its ending.
fn contents(path: &Path) -> Result<Contents> {
    let name = path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
    if name.ends_with(".onnx") {
        return Ok(Contents::Predictions);
    }
    match Format::of(path) {
        Some(Format::H5) if name.ends_with(".weights.h5") => Ok(Contents::Weights(Format::H5)),
        Some(format @ (Format::Keras | Format::H5)) => Ok(Contents::Model(format)),
        Some(format @ (Format::Npz | Format::Safetensors)) => Ok(Contents::Weights(format)),
        None => {
            let message = format!("{} ends in no format that is converted", path.display());
            Err(Error::new(message).help(FORMATS))
        }
    }
}

fn write(model: &Sequential, to: &Path, wanted: Contents) -> Result<()> {
    match wanted {
        Contents::Model(_) => model.save(to),
        Contents::Weights(_) => model.save_weights(to),
        Contents::Predictions => model.export(to),
    }
}

/// The model that weights are for.
fn described(path: &Path) -> Result<Sequential> {
    if !model::is_json(path) {
        return Sequential::load(path);
    }
    let model = Sequential::compiled_from_json(&model::json(path)?);
    model.map_err(|error| error.at(path.display().to_string()))
}

fn tree(path: &Path, format: Format) -> Result<Group> {
    let bytes = disk::read(path)?;
    let root = match format {
        Format::Keras => keras::read(&bytes).map(|archive| archive.weights),
        Format::H5 => h5::read(bytes),
        Format::Npz => npz::read(&bytes).and_then(Group::unflatten),
        Format::Safetensors => {
            safetensors::read(&bytes).and_then(|contents| Group::unflatten(contents.tensors))
        }
    };
    root.map_err(|error| error.at(path.display().to_string()))
}
