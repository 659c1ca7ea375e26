//! How much memory dropout needs: that of a step with it, less that of a step without.

use oxhorn::{inspect::compile, prelude::*};

use crate::{network::Network, turns::print};

/// Prints the bits that the step of `mlp` needs for each number that may be dropped.
///
/// # Errors
///
/// None but a mistake here, or if nothing can be printed.
pub(crate) fn measure() -> Result<()> {
    let [with, without] = [arena_bytes(Network::Mlp)?, arena_bytes(Network::MlpPlain)?];
    let elements = Network::Mlp.batch() * (784 + 3 * 1024);
    let bits = (with as f64 - without as f64) * 8.0 / elements as f64;
    print(|out| writeln!(out, "{bits:.2} bits an element; {with} bytes with, {without} without"))
}

/// Of the working memory of a step of training.
fn arena_bytes(network: Network) -> Result<usize> {
    let graph = network.model(1)?.graph(network.batch(), &[network.extents().1])?;
    Ok(compile(&graph)?.arena_bytes)
}
