//! How much dropout helps by how much there is to learn from: Srivastava et al. 2014, figure 10.
//!
//! `cargo run --release --example data_size`; some minutes.

mod experiments;

use experiments::{SCORES, mnist, network, study, table};
use oxhorn::prelude::*;
use oxhorn_lab::{Plan, Variant};

/// Images to learn from, and how often they are seen: more often the fewer they are.
const SIZES: [(usize, usize); 6] =
    [(100, 200), (500, 100), (1_000, 60), (5_000, 30), (10_000, 20), (50_000, 8)];

fn main() -> Result<()> {
    for (train, epochs) in SIZES {
        let data = mnist(train, 2_000)?;
        let variants = [
            Variant::new("no dropout", &network(256, None)?)?,
            Variant::new("dropout 0.2, 0.5, 0.5", &network(256, Some([0.2, 0.5, 0.5]))?)?,
        ];
        let batch_size = if train > 5_000 { 128 } else { 32 };
        let plan = Plan::new(epochs).seeds(5).batch_size(batch_size).primary("val_nll");
        let study = study(&format!("{train} images"), &variants, &data, &plan)?;
        println!("{train} images, {epochs} epochs\n\n{}", table(&study, &SCORES));
    }
    Ok(())
}
