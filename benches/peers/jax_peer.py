"""JAX without Keras: an epoch is one compiled function, which scans over its batches."""

from __future__ import annotations

import os
import time

import serve
from networks import Network

RATE, BETA_1, BETA_2, EPSILON = 0.001, 0.9, 0.999, 1e-7


def first_values(network: Network) -> list:
    """Kernels and biases, layer by layer."""
    import jax

    widths = [network.inputs, *network.hidden, network.classes]
    draw = jax.nn.initializers.glorot_uniform()
    keys = jax.random.split(jax.random.key(812), len(widths))
    pairs = zip(keys, widths, widths[1:])
    return [(draw(key, (n, m)), jax.numpy.zeros(m)) for key, n, m in pairs]


def first_state(network: Network) -> tuple:
    """Weights, Adam's means and squares of gradients, its count of steps, a key, and the data."""
    import jax
    import jax.numpy as jnp

    weights = first_values(network)
    # Two arrays, for each is given away and comes back changed.
    means, squares = (jax.tree.map(jnp.zeros_like, weights) for _ in range(2))
    x, y = (jnp.asarray(array) for array in network.data())
    return weights, means, squares, jnp.zeros(()), jax.random.key(1), x, y


def loss_and_hits(network: Network, weights, x, y, key):
    """Cross-entropy and how many are right, with dropout."""
    import jax
    import jax.numpy as jnp

    def dropped(x, rate, key):
        if not rate:
            return x
        kept = jax.random.bernoulli(key, 1 - rate, x.shape)
        return jnp.where(kept, x / (1 - rate), 0)

    keys = jax.random.split(key, len(weights))
    x = dropped(x, network.dropout_of_inputs, keys[-1])
    for key, (kernel, bias) in zip(keys, weights[:-1]):
        x = dropped(jax.nn.relu(x @ kernel + bias), network.dropout, key)
    kernel, bias = weights[-1]
    logits = x @ kernel + bias
    loss = -(y * jax.nn.log_softmax(logits)).sum(1).mean()
    return loss, (logits.argmax(1) == y.argmax(1)).sum()


def epoch(network: Network):
    """The function of an epoch: of the state and the data, to the state and its results."""
    import jax
    import jax.numpy as jnp

    measure = jax.value_and_grad(
        lambda weights, *batch: loss_and_hits(network, weights, *batch), has_aux=True
    )

    def step(state, rows):
        weights, means, squares, count, key, x, y = state
        key, own = jax.random.split(key)
        (loss, hits), slopes = measure(weights, x[rows], y[rows], own)
        count += 1
        rate = RATE * jnp.sqrt(1 - BETA_2**count) / (1 - BETA_1**count)
        each = jax.tree.map
        means = each(lambda m, g: m + (g - m) * (1 - BETA_1), means, slopes)
        squares = each(lambda v, g: v + (g * g - v) * (1 - BETA_2), squares, slopes)
        weights = each(
            lambda w, m, v: w - rate * m / (jnp.sqrt(v) + EPSILON), weights, means, squares
        )
        return (weights, means, squares, count, key, x, y), (loss, hits)

    def run(state):
        *rest, key, x, y = state
        key, own = jax.random.split(key)
        order = jax.random.permutation(own, len(x)).reshape(network.steps, network.batch)
        return jax.lax.scan(step, (*rest, key, x, y), order)

    return jax.jit(run, donate_argnums=0)


def main() -> None:
    """Builds the network and serves."""
    asked = serve.asked()
    os.environ["JAX_PLATFORMS"] = "cpu"
    serve.use_cores(asked.threads)
    import jax

    network = serve.of(asked.network)
    state, run = first_state(network), epoch(network)

    def turn() -> dict[str, float]:
        nonlocal state
        # The first epoch fills the caches.
        for _ in range(2):
            begun = time.perf_counter()
            state, results = run(state)
            jax.block_until_ready(results)
        return {"step": (time.perf_counter() - begun) / network.steps}

    serve.serve({"JAX": jax.__version__}, turn)


if __name__ == "__main__":
    main()
