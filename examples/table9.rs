//! Which regularizer is best on 5,000 images of MNIST: Srivastava et al. 2014, table 9, in small.
//!
//! `cargo run --release --example table9`; a few minutes.

mod experiments;

use experiments::{SCORES, mnist, study, table};
use oxhorn::{
    constraints::MaxNorm,
    prelude::*,
    regularizers::{L1L2, L2},
};
use oxhorn_lab::{Plan, Variant};

/// What a network has of each regularizer.
#[derive(Clone, Copy, Default)]
struct Has {
    l1: f64,
    l2: f64,
    max_norm: Option<f64>,
    rates: Option<[f64; 2]>,
}

fn network(has: Has) -> Result<Sequential> {
    let mut model = Sequential::new().add(Input::new([784]));
    for (i, units) in [256, 256, 10].into_iter().enumerate() {
        if let Some([first, others]) = has.rates {
            model = model.add(Dropout::new(if i == 0 { first } else { others }));
        }
        let mut dense = Dense::new(units).activation(if i == 2 { "softmax" } else { "relu" });
        if has.l1 > 0.0 {
            dense = dense.kernel_regularizer(L1L2::new().l1(has.l1).l2(has.l2));
        } else if has.l2 > 0.0 {
            dense = dense.kernel_regularizer(L2::new().l2(has.l2));
        }
        if let Some(most) = has.max_norm.filter(|_| i < 2) {
            dense = dense.kernel_constraint(MaxNorm::new().max_value(most));
        }
        model = model.add(dense);
    }
    model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])?;
    Ok(model)
}

fn main() -> Result<()> {
    let data = mnist(5_000, 2_000)?;
    let (l2, max_norm, rates) = (1e-4, Some(2.0), Some([0.2, 0.5]));
    let variants = [
        ("none", Has::default()),
        ("L2", Has { l2, ..Has::default() }),
        ("L2 + L1", Has { l2, l1: 1e-5, ..Has::default() }),
        ("max-norm", Has { max_norm, ..Has::default() }),
        ("dropout", Has { rates, ..Has::default() }),
        ("dropout + L2", Has { rates, l2: 1e-5, ..Has::default() }),
        ("dropout + max-norm", Has { rates, max_norm, ..Has::default() }),
    ];
    let variants = variants.into_iter().map(|(name, has)| Variant::new(name, &network(has)?));
    let variants = variants.collect::<Result<Vec<Variant>>>()?;
    let plan = Plan::new(30).seeds(5).batch_size(64).primary("val_nll");
    let study = study("table 9", &variants, &data, &plan)?;
    println!("{}", table(&study, &SCORES));
    Ok(())
}
