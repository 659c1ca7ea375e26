//! How long it takes until a compiled model can train: trace, plan, load.

use std::{hint::black_box, time::Instant};

use ndarray::s;
use oxhorn::{inspect, prelude::*};

use crate::{network::Network, turns::Rival};

/// The tutorial's network and one of 100 layers: the whole, and of it the trace and the plan.
///
/// # Errors
///
/// None but a mistake here.
pub(crate) fn rivals(threads: usize) -> Result<Vec<Rival>> {
    let networks = [("tutorial", Network::Tutorial), ("100 layers", Network::Deep(100))];
    let of = |(name, network): (&str, Network)| {
        [
            Rival::new(name, move || whole(network, threads)),
            Rival::new(format!("{name}, trace"), move || trace(network)),
            Rival::new(format!("{name}, plan"), move || plan(network)),
        ]
    };
    Ok(networks.into_iter().flat_map(of).collect())
}

/// From `compile` to the end of the first step, less what a later step takes. The weights have
/// their first values before.
fn whole(network: Network, threads: usize) -> Result<f64> {
    let (x, y) = network.data();
    let (x, y) = (x.slice(s![..network.batch(), ..]), y.slice(s![..network.batch(), ..]));
    let mut model = network.layers().threads(threads);
    model.build(&[network.extents().0])?;
    let begun = Instant::now();
    network.compile(&mut model)?;
    model.train_on_batch(x, y)?;
    let first = begun.elapsed();
    let begun = Instant::now();
    model.train_on_batch(x, y)?;
    Ok((first.saturating_sub(begun.elapsed())).as_secs_f64())
}

/// The graph of the training step, simplified by nobody yet.
fn trace(network: Network) -> Result<f64> {
    let mut model = built(network)?;
    let begun = Instant::now();
    black_box(model.graph(network.batch(), &[network.extents().1])?);
    Ok(begun.elapsed().as_secs_f64())
}

/// The program of that graph.
fn plan(network: Network) -> Result<f64> {
    let graph = built(network)?.graph(network.batch(), &[network.extents().1])?;
    let begun = Instant::now();
    black_box(inspect::compile(&graph)?);
    Ok(begun.elapsed().as_secs_f64())
}

fn built(network: Network) -> Result<Sequential> {
    let mut model = network.layers();
    model.build(&[network.extents().0])?;
    network.compile(&mut model)?;
    Ok(model)
}
