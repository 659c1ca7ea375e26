"""PyTorch, eager and compiled, with the fused Adam: a loop over batches, as in its guides."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import serve
from networks import Network


def build(network: Network):
    """The network, up to its logits."""
    from torch import nn

    layers = [nn.Dropout(network.dropout_of_inputs)] if network.dropout_of_inputs else []
    width = network.inputs
    for units in network.hidden:
        layers += [nn.Linear(width, units), nn.ReLU()]
        if network.dropout:
            layers.append(nn.Dropout(network.dropout))
        width = units
    return nn.Sequential(*layers, nn.Linear(width, network.classes)).train()


def epoch(network: Network, mode: str) -> Callable[[], float]:
    """What trains an epoch, in shuffled order, and gives the seconds of a step."""
    import torch
    from torch.nn.functional import cross_entropy

    model = build(network)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, eps=1e-7, fused=True)
    x, y = (torch.from_numpy(array) for array in network.data())

    def loss_and_hits(x, y):
        logits = model(x)
        return cross_entropy(logits, y), (logits.argmax(1) == y.argmax(1)).sum()

    forward = torch.compile(loss_and_hits, dynamic=False) if mode == "compiled" else loss_and_hits

    def train() -> float:
        begun = time.perf_counter()
        loss_total, hits_total = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for rows in torch.randperm(len(x)).split(network.batch):
            loss, hits = forward(x[rows], y[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            loss_total += loss.detach()
            hits_total += hits
        # Reading the results is part of the epoch, as it is of everybody's.
        loss_total.item(), hits_total.item()
        return (time.perf_counter() - begun) / network.steps

    return train


def main() -> None:
    """Builds the network and serves."""
    asked = serve.asked(mode=["eager", "compiled"])
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    import torch

    torch.set_num_threads(asked.threads)
    train = epoch(serve.of(asked.network), asked.mode)

    def turn() -> dict[str, float]:
        # The first epoch fills the caches.
        train()
        return {"step": train()}

    serve.serve({"PyTorch": torch.__version__}, turn)


if __name__ == "__main__":
    main()
