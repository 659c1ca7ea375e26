//! Adam's update of three million weights alone, and a plain stream of the same bytes.

use std::time::Instant;

use oxhorn::{
    inspect::{Program, compile},
    prelude::*,
};
use oxhorn_cpu::{Device, Executable, Weights};
use oxhorn_ir::{DType, Trace, Type};
use oxhorn_nn::{Declarations, Mode, Scope, Weight, initializers, optimizers::Optimizer};

use crate::turns::Rival;

/// Of the one weight: three million elements.
const SHAPE: [usize; 2] = [3000, 1000];
/// Updates in a turn.
const UPDATES: usize = 4;

/// The update and the stream, on this many threads.
///
/// # Errors
///
/// None but a mistake here, or if there is no memory.
pub(crate) fn rivals(threads: usize) -> Result<Vec<Rival>> {
    let program = program()?;
    let types = program.weights.iter().map(|(path, id)| (path, program.buffer(*id).ty.clone()));
    let mut weights = Weights::room_for(types.map(|(path, ty)| (path.clone(), ty)))?;
    let mut device = Device::new(threads);
    let mut update = Executable::load(&program, &weights, &device)?;
    for (index, (_, id)) in program.inputs.iter().enumerate() {
        match program.buffer(*id).ty.dtype {
            DType::F64 => update.input_at_mut::<f64>(index)?.fill(1e-3),
            _ => update.input_at_mut::<f32>(index)?.fill(0.25),
        }
    }
    let len = SHAPE.iter().product();
    let [mut w, mut m, mut v] = [(); 3].map(|()| vec![0.25_f32; len]);
    Ok(vec![
        Rival::new("update", move || {
            Ok(mean_seconds(UPDATES, || update.run(&mut weights, &mut device)))
        }),
        Rival::new("stream", move || {
            Ok(mean_seconds(UPDATES, || stream(&mut w, &mut m, &mut v, threads)))
        }),
    ])
}

/// What Adam does to one weight, of which the gradient is a product of the same loop, as it is in a
/// step of training: here of one sample.
fn program() -> Result<Program> {
    let (declarations, trace) = (Declarations::new(), Trace::new("adam"));
    {
        let cx = Scope::new(&trace, &declarations, Mode::Train);
        cx.weight("w", SHAPE, &Weight::new(initializers::Zeros::new()));
        let [rows, columns] = SHAPE;
        let x = trace.input("x", Type::f32([rows, 1]));
        let gradient = x.matmul(trace.input("dy", Type::f32([1, columns])));
        Optimizer::from(Adam::default()).apply(&cx, &cx.trainable_weights(), &[gradient]);
        cx.write_updates();
    }
    compile(&trace.finish(&[])?)
}

/// Reads and writes three arrays, as the update must.
fn stream(w: &mut [f32], m: &mut [f32], v: &mut [f32], threads: usize) {
    let share = w.len().div_ceil(threads);
    let chunks = w.chunks_mut(share).zip(m.chunks_mut(share)).zip(v.chunks_mut(share));
    std::thread::scope(|scope| {
        for ((w, m), v) in chunks {
            let pass = move || {
                for ((w, m), v) in w.iter_mut().zip(m).zip(v) {
                    (*w, *m, *v) = (*w * 0.5 + 0.1, *m * 0.5 + 0.1, *v * 0.5 + 0.1);
                }
            };
            match threads {
                1 => pass(),
                _ => drop(scope.spawn(pass)),
            }
        }
    });
}

/// How long one of so many calls takes, after one that is not measured.
fn mean_seconds(calls: usize, mut call: impl FnMut()) -> f64 {
    call();
    let begun = Instant::now();
    (0..calls).for_each(|_| call());
    begun.elapsed().as_secs_f64() / calls as f64
}
