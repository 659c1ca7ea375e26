"""How long JAX takes to trace and compile a training step."""

from __future__ import annotations

import time

import jax_peer
import serve


def main() -> None:
    """Serves."""
    asked = serve.asked()
    serve.use_cores(asked.threads)
    import jax

    network = serve.of(asked.network)
    state = jax_peer.first_state(network)

    def turn() -> dict[str, float]:
        # A function of its own each time, for compiled ones are kept.
        train = jax_peer.epoch(network)
        begun = time.perf_counter()
        train.lower(state).compile()
        return {"compile": time.perf_counter() - begun}

    serve.serve({"JAX": jax.__version__}, turn)


if __name__ == "__main__":
    main()
