//! Models that the Rust crate has saved, and what becomes of them there: the tests of the Python
//! package load them, into Oxhorn and into real Keras.

use std::{fs, path::Path};

use ndarray::{Array2, ArrayD};
use oxhorn::{prelude::*, random::set_random_seed};
use serde_json::json;

const ROWS: usize = 12;
const STEPS: usize = 3;

/// Every optimizer that needs no other.
const OPTIMIZERS: [&str; 14] = [
    "adadelta",
    "adafactor",
    "adagrad",
    "adam",
    "adamax",
    "adamw",
    "ftrl",
    "lamb",
    "lion",
    "muon",
    "nadam",
    "rmsprop",
    "schedulefreeadamw",
    "sgd",
];

/// Saves a model for each optimizer, and weights alone in two ways, with a description of what each
/// model then predicts, loses in further steps, and predicts after those.
///
/// # Errors
///
/// None but a mistake of the crate, or if nothing can be written.
pub(crate) fn write(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).expect("a folder in `target`");
    let (x, y) = samples();
    for optimizer in OPTIMIZERS {
        let mut model = trained(optimizer)?;
        model.save(folder.join(optimizer).with_extension("keras"))?;
        if optimizer == "adam" {
            weights(&mut model, folder)?;
        }
        let prediction = model.predict(&x)?;
        let losses = (0..STEPS).map(|_| Ok(model.train_on_batch(&x, &y)?["loss"]));
        let losses = losses.collect::<Result<Vec<f64>>>()?;
        let described = json!({
            "x": rows(&x.clone().into_dyn()), "y": rows(&y.clone().into_dyn()),
            "prediction": rows(&prediction),
            "losses": losses, "after": rows(&model.predict(&x)?),
        });
        let path = folder.join(optimizer).with_extension("json");
        fs::write(path, described.to_string()).expect("a file in `target`");
    }
    Ok(())
}

/// The weights of a model, in Keras' own format and by way of NumPy's.
fn weights(model: &mut Sequential, folder: &Path) -> Result<()> {
    model.save_weights(folder.join("adam.weights.h5"))?;
    model.save_weights(folder.join("adam.npz"))?;
    let mut other = untrained("adam")?;
    other.load_weights(folder.join("adam.npz"))?;
    other.save_weights(folder.join("converted.weights.h5"))
}

/// A model whose optimizer has something to keep, and whose noise has begun.
fn trained(optimizer: &str) -> Result<Sequential> {
    set_random_seed(7);
    let mut model = untrained(optimizer)?;
    let (x, y) = samples();
    model.fit(&x, &y, Fit::epochs(2).batch_size(5).verbose(0))?;
    Ok(model)
}

fn untrained(optimizer: &str) -> Result<Sequential> {
    let mut model = Sequential::new()
        .add(Dense::new(8).activation("relu").input_dim(6))
        .add(Dropout::new(0.3))
        .add(BatchNormalization::new())
        .add(GaussianNoise::new(0.1))
        .add(Dense::new(3).activation("softmax"));
    model.compile(optimizer, "categorical_crossentropy", ["accuracy"])?;
    Ok(model)
}

fn samples() -> (Array2<f32>, Array2<f32>) {
    let x =
        Array2::from_shape_fn((ROWS, 6), |(row, i)| ((row * 7 + i * 5) % 11) as f32 / 5.0 - 1.0);
    (x, Array2::from_shape_fn((ROWS, 3), |(row, class)| f32::from(u8::from(row % 3 == class))))
}

fn rows(array: &ArrayD<f32>) -> Vec<Vec<f32>> {
    array.outer_iter().map(|row| row.iter().copied().collect()).collect()
}
