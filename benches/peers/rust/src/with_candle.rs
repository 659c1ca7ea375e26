//! Candle, on the processor.

use candle_core::{D, DType, Device, Tensor};
use candle_nn::{
    AdamW, Dropout, Linear, Module, Optimizer, ParamsAdamW, VarBuilder, VarMap, linear,
    loss::cross_entropy,
};

use crate::{Network, Random, Result};

/// The layers.
struct Mlp {
    dropout_of_inputs: Option<Dropout>,
    hidden: Vec<Linear>,
    dropout: Option<Dropout>,
    output: Linear,
}

impl Mlp {
    fn new(network: &Network, weights: &VarBuilder) -> candle_core::Result<Mlp> {
        let mut width = network.inputs;
        let mut dense = |name: usize, units: usize| {
            let layer = linear(width, units, weights.pp(name));
            width = units;
            layer
        };
        let dropout = |rate: f64| (rate > 0.0).then(|| Dropout::new(rate as f32));
        let hidden = network.hidden.iter().enumerate();
        Ok(Mlp {
            dropout_of_inputs: dropout(network.dropout_of_inputs),
            hidden: hidden
                .map(|(name, &units)| dense(name, units))
                .collect::<candle_core::Result<_>>()?,
            dropout: dropout(network.dropout),
            output: dense(network.hidden.len(), network.classes)?,
        })
    }

    /// Logits.
    fn forward(&self, x: Tensor) -> candle_core::Result<Tensor> {
        let dropped = |dropout: &Option<Dropout>, x: Tensor| match dropout {
            Some(dropout) => dropout.forward(&x, true),
            None => Ok(x),
        };
        let mut x = dropped(&self.dropout_of_inputs, x)?;
        for layer in &self.hidden {
            x = dropped(&self.dropout, layer.forward(&x)?.relu()?)?;
        }
        self.output.forward(&x)
    }
}

/// What trains an epoch, in shuffled order.
///
/// # Errors
///
/// If Candle refuses the network.
pub(crate) fn training(network: &Network) -> Result<impl FnMut() -> Result<()> + use<>> {
    let device = Device::Cpu;
    let (samples, batch) = (network.samples(), network.batch);
    let mut random = Random(812);
    let x = Tensor::rand(0_f32, 1.0, (samples, network.inputs), &device)?;
    let y = Tensor::new(network.labels(&mut random), &device)?;
    let weights = VarMap::new();
    let model = Mlp::new(network, &VarBuilder::from_varmap(&weights, DType::F32, &device))?;
    let settings = ParamsAdamW { weight_decay: 0.0, eps: 1e-7, ..ParamsAdamW::default() };
    let mut optimizer = AdamW::new(weights.all_vars(), settings)?;
    Ok(move || {
        let (mut losses, mut hits) = (vec![], vec![]);
        for rows in random.order(samples).chunks(batch) {
            let rows = Tensor::new(rows, &device)?;
            let y = y.index_select(&rows, 0)?;
            let logits = model.forward(x.index_select(&rows, 0)?)?;
            hits.push(logits.argmax(D::Minus1)?.eq(&y)?.to_dtype(DType::F32)?.sum_all()?);
            let loss = cross_entropy(&logits, &y)?;
            optimizer.backward_step(&loss)?;
            losses.push(loss.detach());
        }
        // Reading the results is part of the epoch, as it is of everybody's.
        Tensor::stack(&losses, 0)?.mean_all()?.to_scalar::<f32>()?;
        Tensor::stack(&hits, 0)?.sum_all()?.to_scalar::<f32>()?;
        Ok(())
    })
}
