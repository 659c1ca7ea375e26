//! Does dropout help a network that learns from 1,000 images of MNIST? Five paired seeds.
//!
//! `cargo run --release --example mnist1000`, once `cargo xtask data` has brought the data.

mod experiments;

use experiments::{SCORES, mnist, network, study, table};
use oxhorn::prelude::*;
use oxhorn_lab::{Plan, Variant, verdict};

fn main() -> Result<()> {
    let data = mnist(1_000, 5_000)?;
    let variants = [
        Variant::new("no dropout", &network(256, None)?)?,
        Variant::new("dropout 0.2, 0.5, 0.5", &network(256, Some([0.2, 0.5, 0.5]))?)?,
    ];
    let plan = Plan::new(40).seeds(5).batch_size(32).primary("val_nll");
    let study = study("MNIST-1000", &variants, &data, &plan)?;
    println!("{}", table(&study, &SCORES));
    for paragraph in verdict::paragraphs(&study) {
        println!("{paragraph}");
    }
    Ok(())
}
