"""PyTorch's fused Adam on three million weights."""

from __future__ import annotations

import argparse
import os
import time

import serve

WEIGHTS = (3000, 1000)
# In a turn.
UPDATES = 4


def main() -> None:
    """Makes the weights and serves."""
    parser = argparse.ArgumentParser(description="A peer, which is asked by run.py.")
    parser.add_argument("--threads", type=int, required=True)
    asked = parser.parse_args()
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    import torch

    torch.set_num_threads(asked.threads)
    weights = torch.full(WEIGHTS, 0.25, requires_grad=True)
    weights.grad = torch.full(WEIGHTS, 0.25)
    optimizer = torch.optim.Adam([weights], fused=True)

    def turn() -> dict[str, float]:
        # The first update fills the caches.
        optimizer.step()
        begun = time.perf_counter()
        for _ in range(UPDATES):
            optimizer.step()
        return {"step": (time.perf_counter() - begun) / UPDATES}

    serve.serve({"PyTorch": torch.__version__}, turn)


if __name__ == "__main__":
    main()
