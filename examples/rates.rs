//! Which rate of dropout is best on 1,000 images of MNIST: Srivastava et al. 2014, figure 9.
//!
//! One model serves all rates, for a rate is a number that is turned.
//! `cargo run --release --example rates`; a minute or two.

mod experiments;

use experiments::{SCORES, mnist, network, study, table};
use oxhorn::prelude::*;
use oxhorn_lab::{Plan, Variant};

fn main() -> Result<()> {
    let data = mnist(1_000, 2_000)?;
    let model = network(256, Some([0.0, 0.5, 0.5]))?;
    let at = |tenths: u32| {
        let rate = f64::from(tenths) / 10.0;
        let variant = Variant::new(format!("rate {rate:.1}"), &model)?;
        Ok(variant.number("dropout_1/rate", rate).number("dropout_2/rate", rate))
    };
    let variants = (0..10).map(at).collect::<Result<Vec<Variant>>>()?;
    let plan = Plan::new(40).seeds(5).batch_size(32).primary("val_nll");
    let study = study("rates", &variants, &data, &plan)?;
    println!("{}", table(&study, &SCORES));
    Ok(())
}
