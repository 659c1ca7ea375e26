//! What a network predicts as a graph of ONNX, which other programs run.
//!
//! Every extent in a graph of ours is a number, the batch's too. So the graph is written down for
//! three batches of different sizes: what is the same in all of them is fixed, and what differs is
//! worked out, at each run, from the size that the batch then has.

mod extents;
mod nodes;

use std::path::Path;

use oxhorn_io::{Tensor, disk, onnx};
use oxhorn_ir::{Error, Graph, Result, Type, ensure, prune};

use self::{extents::SIZES, nodes::Writer};
use crate::{
    Sequential,
    engine::{Engine, Key, Kind},
};

impl Engine {
    /// The network as ONNX Runtime runs it, noise off, for batches of any size: the bytes of a
    /// file, with the weights as they are now. Inputs and outputs get these names.
    ///
    /// # Errors
    ///
    /// If the network has not been built, there is another number of inputs or outputs than of
    /// names, or it does something that is not written as ONNX here, which is named.
    pub fn onnx(&self, name: &str, inputs: &[String], outputs: &[String]) -> Result<Vec<u8>> {
        let known = self.inputs();
        ensure!(!known.is_empty(), "a network that was never called cannot be exported");
        let graphs = SIZES.map(|rows| self.prediction(rows));
        let [first, second, third] = graphs;
        let graphs = [first?, second?, third?];
        let counts = (known.len(), graphs[0].outputs().len());
        ensure!(
            counts == (inputs.len(), outputs.len()),
            "the network has {} inputs and {} outputs, got {} and {} names",
            counts.0,
            counts.1,
            inputs.len(),
            outputs.len()
        );
        let mut taken: Vec<&String> = inputs.iter().chain(outputs).collect();
        taken.sort();
        let twice = taken.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
        let weight = taken.iter().find(|name| self.weights().ty(name).is_some());
        if let Some(name) = twice.or(weight.copied()) {
            return Err(Error::new(format!("the name `{name}` stands for two things"))
                .help("inputs and outputs need names of their own, other than those of weights"));
        }
        let leaf = |path: &str| match self.numbers().iter().find(|(known, _)| known == path) {
            Some((_, number)) => Ok(Tensor::of([], &[*number])),
            None => self.tensor(path),
        };
        onnx::write(&Writer::new(&graphs, inputs, &leaf)?.graph(name, outputs)?)
    }

    /// The graph of a prediction for so many samples.
    fn prediction(&self, rows: usize) -> Result<Graph> {
        let resized = |ty: &Type| {
            let shape = [rows].into_iter().chain(ty.shape.iter().skip(1).copied());
            Type::new(ty.dtype, shape.collect::<Vec<usize>>())
        };
        let x = self.inputs().iter().map(resized).collect();
        let key = Key { kind: Kind::Predict, x, y: vec![], weights: vec![] };
        Ok(prune(&self.graph(&key)?))
    }
}

impl Sequential {
    /// Writes what the model predicts to a file that ONNX Runtime and others run, for batches of
    /// any size. Its input is called `input`, its output `output`.
    ///
    /// Another file of that name is replaced when this one is whole.
    ///
    /// # Errors
    ///
    /// If the model has not been built, the path does not end in `.onnx` or cannot be written to,
    /// or a layer does something that is not written as ONNX here, which is named.
    pub fn export(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        if path.extension().is_none_or(|ending| ending != "onnx") {
            let message = format!("`export` writes files of ONNX, got `{}`", path.display());
            return Err(Error::new(message).help("the path must end in `.onnx`"));
        }
        let names = ["input", "output"].map(|name| [name.to_owned()]);
        let [input, output] = &names;
        disk::replace(path, &self.built()?.onnx(self.title(), input, output)?)
    }
}
