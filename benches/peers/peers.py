"""Who is measured, and by which commands."""

from __future__ import annotations

import platform
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from child import Turns, start, take_turns
from networks import NETWORKS
from turnstile import Turnstile

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

OXHORN = "Oxhorn"
FROM_PYTHON = f"{OXHORN}, from Python"
KERAS_JAX = "Keras on JAX"
KERAS_TENSORFLOW = "Keras on TensorFlow"
EAGER = "PyTorch, eager"
COMPILED = "PyTorch, compiled"

# How each peer in Python is started: its file, and what else it is told.
PYTHON_PEERS = {
    KERAS_JAX: ["keras_peer.py", "--backend", "jax"],
    KERAS_TENSORFLOW: ["keras_peer.py", "--backend", "tensorflow"],
    "Keras on PyTorch": ["keras_peer.py", "--backend", "torch"],
    EAGER: ["torch_peer.py", "--mode", "eager"],
    COMPILED: ["torch_peer.py", "--mode", "compiled"],
    "JAX": ["jax_peer.py"],
}
RUST_PEERS = {"Burn": "burn", "Candle": "candle"}

Commands = dict[str, list[str]]
Measured = dict[tuple[str, str], Turns]


@dataclass
class Setup:
    """Who is measured and how often, who has the machine, and the versions met so far."""

    peers: str
    oxhorn: str
    rounds: int
    machine: Turnstile
    without: list[str]
    versions: dict[str, str] = field(default_factory=lambda: {"Python": platform.python_version()})

    def build(self) -> None:
        """Compiles what is Rust."""
        builds = [
            (ROOT, ["-p", "oxhorn-bench"]),
            (ROOT, ["-p", "oxhorn-cpu", "--example", "peak"]),
        ]
        if not set(RUST_PEERS) <= set(self.without):
            builds.append((HERE / "rust", ["--target-dir", str(ROOT / "target" / "peers")]))
        for folder, what in builds:
            subprocess.run(["cargo", "build", "--release", *what], cwd=folder, check=True)
            self.machine.offer()

    def program(self, *path: str) -> str:
        """A compiled program."""
        return str(ROOT.joinpath("target", *path))

    def bench(self, what: str, *threads: int) -> list[str]:
        """Oxhorn's own benchmark."""
        counts = ",".join(map(str, threads))
        return [self.program("release", "oxhorn-bench"), what, "--threads", counts, "--serve"]

    def peak(self, threads: int) -> list[str]:
        """Multiply-adds in registers."""
        return [self.program("release", "examples", "peak"), str(threads), "--serve"]

    def peer(self, *file_and_options: str) -> list[str]:
        """A file here, run by the Python that has the peers."""
        file, *options = file_and_options
        return [self.peers, str(HERE / file), *options]

    def training(self, name: str, threads: int) -> Commands:
        """All that train this network, but Oxhorn from Rust."""
        asked = [name, "--threads", str(threads)]
        oxhorn = [self.oxhorn, str(HERE / "keras_peer.py"), *asked, "--backend", "oxhorn"]
        python = {
            peer: self.peer(file, *asked, *more) for peer, (file, *more) in PYTHON_PEERS.items()
        }
        numbers = NETWORKS[name].numbers()
        program = self.program("peers", "release", "oxhorn-peers")
        environment = ["env", f"RAYON_NUM_THREADS={threads}"]
        rust = {
            peer: [*environment, program, framework, *numbers]
            for peer, framework in RUST_PEERS.items()
        }
        all_of_them = {FROM_PYTHON: oxhorn, **python, **rust}
        return {name: it for name, it in all_of_them.items() if name not in self.without}

    def measured(self, commands: Commands) -> Measured:
        """The turns of all, by process and rival."""
        children = start(commands, self.machine)
        turns = take_turns(children, self.rounds, self.machine)
        for child in children:
            self.versions |= child.versions
            child.end()
        return turns
