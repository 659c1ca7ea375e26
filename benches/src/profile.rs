//! How long each step of a training program takes.

use std::{
    io::{self, Write},
    time::Duration,
};

use oxhorn::{inspect::compile, prelude::*};
use oxhorn_cpu::{Device, Executable, Weights};
use oxhorn_ir::DType;

/// Prints the steps of the program that trains `model` on batches of `batch` samples, each with its
/// fastest time of `rounds` and with its share of the sum.
pub(crate) fn profile(
    model: &mut Sequential,
    (batch, classes): (usize, usize),
    (threads, rounds): (usize, u32),
) -> Result<()> {
    let program = compile(&model.graph(batch, &[classes])?)?;
    let types =
        program.weights.iter().map(|(path, id)| (path.clone(), program.buffer(*id).ty.clone()));
    let mut weights = Weights::room_for(types)?;
    fill(&program, &mut weights)?;
    let mut device = Device::new(threads);
    let mut executable = Executable::load(&program, &weights, &device)?;
    for (index, (_, id)) in program.inputs.iter().enumerate() {
        if program.buffer(*id).ty.dtype == DType::F32 {
            executable.input_at_mut::<f32>(index)?.fill(0.25);
        }
    }
    let mut best = vec![Duration::MAX; program.steps.len()];
    let mut whole = Duration::MAX;
    for _ in 0..rounds {
        let times = executable.run_timed(&mut weights, &mut device);
        whole = whole.min(times.iter().sum());
        for (best, time) in best.iter_mut().zip(times) {
            *best = time.min(*best);
        }
    }
    print(&program, &best, whole).map_err(|error| Error::new(format!("cannot print: {error}")))
}

/// Gives all weights small numbers, for zeros and subnormal numbers have a speed of their own.
fn fill(program: &oxhorn::inspect::Program, weights: &mut Weights) -> Result<()> {
    for (path, id) in &program.weights {
        if program.buffer(*id).ty.dtype == DType::F32 {
            for (i, x) in weights.slice_mut::<f32>(path)?.iter_mut().enumerate() {
                *x = ((i * 37 % 101) as f32 - 50.0).abs() * 1e-3;
            }
        }
    }
    Ok(())
}

fn print(program: &oxhorn::inspect::Program, best: &[Duration], whole: Duration) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let sum: Duration = best.iter().sum();
    for (step, time) in program.steps.iter().zip(best) {
        let share = time.as_secs_f64() / sum.as_secs_f64() * 100.0;
        writeln!(out, "{:>10.1} µs {share:>5.1} %", time.as_secs_f64() * 1e6)?;
        writeln!(out, "{}", step.kernel)?;
    }
    let [sum, whole] = [sum, whole].map(|time| time.as_secs_f64() * 1e6);
    writeln!(out, "{sum:>10.1} µs, the sum of these; {whole:.1} µs the fastest round")
}
