//! The tutorial's network on made-up data, where dropout helps and where it does not.
//!
//! Five classes around five points of 25 dimensions, 20 paired seeds: little and noisy data, of
//! which a share of the labels is wrong; so much data that nothing is learnt by heart; and a
//! training that ends before there is anything to overfit.
//! `cargo run --release --example tutorial_study`; half a minute.

mod experiments;

use experiments::{study, table};
use ndarray::{Array2, ArrayD};
use oxhorn::{
    prelude::*,
    random::{Numpy, Streams},
};
use oxhorn_lab::{Dataset, Plan, Source, Split, Target, Variant, verdict};

const CLASSES: usize = 5;
const FEATURES: usize = 25;
const VALIDATION: usize = 2_000;

/// How the data are made.
struct Setting {
    name: &'static str,
    /// Samples to learn from.
    train: usize,
    /// Which share of the labels is drawn anew.
    wrong: f64,
    epochs: usize,
}

const SETTINGS: [Setting; 3] = [
    Setting { name: "200 samples, 30 % of the labels random", train: 200, wrong: 0.3, epochs: 60 },
    Setting { name: "20,000 samples, each seen twice", train: 20_000, wrong: 0.0, epochs: 2 },
    Setting { name: "1,000 samples, each seen three times", train: 1_000, wrong: 0.0, epochs: 3 },
];

/// Points around one centre for each class.
fn data(setting: &Setting) -> Dataset {
    let numpy: &mut Numpy = &mut Streams::seeded(812).numpy;
    let centres =
        Array2::from_shape_simple_fn((CLASSES, FEATURES), || 0.6 * numpy.standard_normal());
    let rows = setting.train + VALIDATION;
    let (mut x, mut labels) = (Array2::zeros((rows, FEATURES)), vec![]);
    for mut row in x.rows_mut() {
        let class = (numpy.random() * CLASSES as f64) as usize;
        row.iter_mut().zip(centres.row(class)).for_each(|(x, centre)| {
            *x = (centre + numpy.standard_normal()) as f32;
        });
        let is_wrong = numpy.random() < setting.wrong;
        let drawn = (numpy.random() * CLASSES as f64) as usize;
        labels.push(if is_wrong { drawn } else { class } as i64);
    }
    let names = (0..CLASSES).map(|class| class.to_string()).collect();
    Dataset {
        name: setting.name.to_owned(),
        x: ArrayD::from(x.into_dyn()),
        y: Target::Classes { labels, names },
        split: Split::Drawn { train: setting.train },
        source: Source::Memory,
    }
}

/// The tutorial's network.
fn network(rate: Option<f64>) -> Result<Sequential> {
    let drop = |model: Sequential| match rate {
        Some(rate) => model.add(Dropout::new(rate)),
        None => model,
    };
    let model = drop(Sequential::new().add(Dense::new(64).activation("relu").input_dim(FEATURES)));
    let model = drop(model.add(Dense::new(64).activation("relu")));
    let mut model = model.add(Dense::new(CLASSES).activation("softmax"));
    model.compile("adam", "categorical_crossentropy", ["accuracy"])?;
    Ok(model)
}

fn main() -> Result<()> {
    let columns = [
        ("val_error", "error, %", 100.0),
        ("val_nll", "NLL", 1.0),
        ("clean_loss", "training", 1.0),
    ];
    for setting in &SETTINGS {
        let variants = [
            Variant::new("no dropout", &network(None)?)?,
            Variant::new("dropout 0.4", &network(Some(0.4))?)?,
        ];
        let plan = Plan::new(setting.epochs).seeds(20).batch_size(32);
        let study = study(setting.name, &variants, &data(setting), &plan)?;
        println!("{}\n\n{}", setting.name, table(&study, &columns));
        println!("{}\n", verdict::paragraphs(&study).join(" "));
    }
    Ok(())
}
