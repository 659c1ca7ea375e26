//! The graph of a sampled prediction: a batch through many networks at once, each with other units
//! dropped.

use oxhorn_ir::{DType, Error, Graph, Result, Tensor, Trace};
use oxhorn_nn::{Mode, Sampling, Scope};

use super::{
    Key,
    step::{Parts, inputs},
};

impl Parts<'_> {
    /// The graph of the network alone, with what drops at work: each input of the batch comes once
    /// for each sample, and outputs have an axis of samples in front of that of the batch.
    pub(super) fn sample_graph(&self, key: &Key, sampling: Sampling) -> Result<Graph> {
        let trace = Trace::new("sample");
        let outputs = {
            let cx = Scope::new(&trace, self.declarations, Mode::Sample(sampling));
            let x = inputs(&trace, &key.x).into_iter().map(|x| repeat(x, sampling.samples));
            let y = self.call(&cx, &x.collect::<Vec<_>>());
            let rows = key.x.first().map_or(0, |ty| ty.shape[0]);
            let y =
                y.into_iter().map(|y| apart(y, sampling.samples, rows).value()).collect::<Vec<_>>();
            if cx.write_seeds() == 0 {
                let message = "nothing in the model drops, so that all samples would be the same";
                trace.fail(Error::new(message).help(
                    "add `Dropout`, or another layer that drops, with a rate above 0; a layer of \
                     one's own takes part where it calls such a layer, or with `training=True`",
                ));
            }
            y
        };
        trace.finish(&outputs)
    }
}

/// The batch so many times, one after the other.
fn repeat(x: Tensor<'_>, samples: usize) -> Tensor<'_> {
    let shape = x.shape();
    let Some((rows, row)) = shape.split_first() else { return x };
    x.reshape([&[1], &shape[..]].concat())
        .broadcast([&[samples], &shape[..]].concat())
        .reshape([&[samples * rows], row].concat())
}

/// What the network gives for a batch that was repeated, with an axis of samples.
fn apart(y: Tensor<'_>, samples: usize, rows: usize) -> Tensor<'_> {
    let shape = y.shape();
    match shape.split_first() {
        Some((&all, row)) if all == samples * rows && y.dtype() == DType::F32 => {
            y.reshape([&[samples, rows], row].concat())
        }
        _ if y.is_void() => y,
        _ => {
            let message = format!("an output is {} for a batch of {} rows", y.ty(), samples * rows);
            y.trace().fail(
                Error::new(message)
                    .help("what is sampled has one row of `float32` for each row of the inputs"),
            )
        }
    }
}
