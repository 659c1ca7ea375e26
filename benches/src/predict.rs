//! One prediction of the tutorial's network: as people ask for it, and the program alone.

use std::{hint::black_box, time::Instant};

use ndarray::Array2;
use oxhorn::{inspect::compile, prelude::*};
use oxhorn_cpu::{Device, Executable, Weights};

use crate::{network::Network, turns::Rival};

/// Predictions in a turn.
const CALLS: usize = 2_000;

/// `predict` on one sample, and the program that it runs.
///
/// # Errors
///
/// None but a mistake here.
pub(crate) fn rivals(threads: usize) -> Result<Vec<Rival>> {
    let mut model = Network::Tutorial.layers().threads(threads);
    let x = Array2::from_elem((1, 25), 0.5_f32);
    model.predict(&x)?;
    let program = compile(&model.graph(1, &[])?)?;
    let variables = program.weights.iter().map(|(path, id)| {
        let ty = program.buffer(*id).ty.clone();
        (path.clone(), ty)
    });
    let mut weights = Weights::room_for(variables)?;
    for (path, value) in model.weights()? {
        if let (Ok(place), Some(values)) = (weights.slice_mut::<f32>(&path), value.as_slice()) {
            place.copy_from_slice(values);
        }
    }
    let mut device = Device::new(threads);
    let mut executable = Executable::load(&program, &weights, &device)?;
    Ok(vec![
        Rival::new("predict", move || {
            let begun = Instant::now();
            for _ in 0..CALLS {
                black_box(model.predict(&x)?);
            }
            Ok(begun.elapsed().as_secs_f64() / CALLS as f64)
        }),
        Rival::new("program", move || {
            let begun = Instant::now();
            for _ in 0..CALLS {
                executable.input_at_mut::<f32>(0)?.fill(0.5);
                executable.run(&mut weights, &mut device);
            }
            let seconds = begun.elapsed().as_secs_f64() / CALLS as f64;
            black_box(executable.output::<f32>(0)?);
            Ok(seconds)
        }),
    ])
}
