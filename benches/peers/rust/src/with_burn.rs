//! Burn, on its Flex back end, which is Rust alone.

use burn::{
    module::Module,
    nn::{Dropout, DropoutConfig, Linear, LinearConfig, loss::CrossEntropyLossConfig},
    optim::{AdamConfig, GradientsParams},
    tensor::{Device, Distribution, Int, Tensor, TensorData, activation::relu},
};

use crate::{Network, Random, Result};

/// The layers.
#[derive(Module, Debug)]
struct Mlp {
    dropout_of_inputs: Dropout,
    hidden: Vec<Linear>,
    dropout: Dropout,
    output: Linear,
}

impl Mlp {
    fn new(network: &Network, device: &Device) -> Mlp {
        let mut width = network.inputs;
        let mut dense = |units: usize| {
            let layer = LinearConfig::new(width, units).init(device);
            width = units;
            layer
        };
        Mlp {
            dropout_of_inputs: DropoutConfig::new(network.dropout_of_inputs).init(),
            hidden: network.hidden.iter().map(|&units| dense(units)).collect(),
            dropout: DropoutConfig::new(network.dropout).init(),
            output: dense(network.classes),
        }
    }

    /// Logits.
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let x = self.dropout_of_inputs.forward(x);
        let x = self.hidden.iter().fold(x, |x, layer| self.dropout.forward(relu(layer.forward(x))));
        self.output.forward(x)
    }
}

/// What trains an epoch, in shuffled order.
pub(crate) fn training(network: &Network) -> impl FnMut() -> Result<()> + use<> {
    let device = Device::flex().autodiff();
    let (samples, batch) = (network.samples(), network.batch);
    let mut random = Random(812);
    let x = Tensor::<2>::random([samples, network.inputs], Distribution::Default, &device);
    let labels: Vec<i32> = network.labels(&mut random).into_iter().map(|it| it as i32).collect();
    let y = Tensor::<1, Int>::from_data(TensorData::new(labels, [samples]), &device);
    let mut model = Mlp::new(network, &device);
    let mut optimizer = AdamConfig::new().with_epsilon(1e-7).init();
    let loss = CrossEntropyLossConfig::new().init(&device);
    move || {
        let (mut losses, mut hits) = (vec![], vec![]);
        for rows in random.order(samples).chunks(batch) {
            let rows: Vec<i32> = rows.iter().map(|&row| row as i32).collect();
            let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [batch]), &device);
            let y = y.clone().select(0, rows.clone());
            let logits = model.forward(x.clone().select(0, rows));
            hits.push(logits.clone().argmax(1).squeeze::<1>().equal(y.clone()).int().sum());
            let batch_loss = loss.forward(logits, y);
            let gradients = GradientsParams::from_grads(batch_loss.backward(), &model);
            losses.push(batch_loss.detach());
            model = optimizer.step(1e-3, model.clone(), gradients);
        }
        // Reading the results is part of the epoch, as it is of everybody's.
        Tensor::cat(losses, 0).mean().into_scalar::<f32>();
        Tensor::cat(hits, 0).sum().into_scalar::<i32>();
        Ok(())
    }
}
