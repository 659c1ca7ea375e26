"""The linter: a model's layers and their connections, as Rust's rules look at them."""

from __future__ import annotations

import json
from typing import Any

from oxhorn import _native
from oxhorn._registry import RegistryObject, envelope
from oxhorn.layers.layer import RegistryLayer
from oxhorn.models.model import Model
from oxhorn.models.sequential import Sequential

# The positions of the layers that give a tensor, none if it is the model's input; `None` if only
# the code that calls the layers knows.
Givers = frozenset[int] | None


class LintWarning(UserWarning):
    """What the linter says of a layer.

    Args:
        rule: the name of the rule, by which `compile(allow=[...])` silences it.
        layer: the path of the layer.
        reason: what is wrong, and why.
        help: how to mend it.
        text: all of it.
    """

    def __init__(self, rule: str, layer: str, reason: str, help: str, text: str) -> None:
        super().__init__(text)
        self.rule = rule
        self.layer = layer
        self.reason = reason
        self.help = help


def found(model: Any, samples: int | None = None) -> list[LintWarning]:
    """All that is to be said of a model; of the number of samples too, where it is given."""
    said = _native.lint(described(model), None if samples is None else max(int(samples), 0))
    return [LintWarning(*parts) for parts in said]


def rules(allow: Any) -> frozenset[str]:
    """The rules of these names; all, for `"all"`."""
    if isinstance(allow, str):
        allow = None if allow == "all" else [allow]
    elif allow is None:
        allow = ()
    return frozenset(_native.lint_rules(None if allow is None else list(allow)))


def described(model: Any) -> list[tuple]:
    """The layers of a model, those of models and layers within it included."""
    walk = _Walk()
    if isinstance(model, Sequential) or model._graph is not None:
        count = 1 if isinstance(model, Sequential) else len(model._graph.flat_inputs)
        for givers in walk.through(model, "", [frozenset()] * count):
            walk.outputs |= givers or frozenset()
    else:
        walk.within(model, "")
    return walk.rows()


class _Site:
    """A layer, and what it takes its inputs from in all of its calls."""

    def __init__(self, layer: Any, path: str) -> None:
        self.layer = layer
        self.path = path
        self.inputs: Givers = frozenset()


class _Walk:
    """Meets every layer once, and every call."""

    def __init__(self) -> None:
        self.sites: list[_Site] = []
        self.known: dict[int, int] = {}
        self.outputs: frozenset[int] = frozenset()

    def through(self, called: Any, path: str, inputs: list[Givers]) -> list[Givers]:
        """A call of a layer, a model or an op: what gives its outputs, for inputs given by such."""
        prefix = f"{path}/" if path else ""
        if isinstance(called, Sequential):
            for layer in called.layers:
                inputs = self.through(layer, f"{prefix}{layer.name}", inputs)
            return inputs
        if isinstance(called, Model) and called._graph is not None:
            return self._through_graph(called._graph, prefix, inputs)
        index = self.known.setdefault(id(called), len(self.sites))
        if index == len(self.sites):
            self.sites.append(_Site(called, path))
            self.within(called, prefix)
        self.sites[index].inputs = _all([self.sites[index].inputs, *inputs])
        return [frozenset({index})]

    def within(self, layer: Any, prefix: str) -> None:
        """The layers that a layer calls in a way of its own."""
        for inner in getattr(layer, "_layers", ()):
            self.through(inner, f"{prefix}{inner.name}", [None])

    def _through_graph(self, graph: Any, prefix: str, inputs: list[Givers]) -> list[Givers]:
        if len(inputs) != len(graph.flat_inputs):
            inputs = [_all(inputs)] * len(graph.flat_inputs)
        givers = {id(x): given for x, given in zip(graph.flat_inputs, inputs)}
        for node in graph.nodes:
            taken = [givers[id(x)] for x in node.input_tensors]
            outputs = self.through(node.operation, f"{prefix}{node.operation.name}", taken)
            if len(outputs) != len(node.output_tensors):
                outputs = [_all(outputs)] * len(node.output_tensors)
            givers.update({id(x): given for x, given in zip(node.output_tensors, outputs)})
        return [givers[id(x)] for x in graph.flat_outputs]

    def rows(self) -> list[tuple]:
        """What Rust is given."""
        return [
            (
                site.path,
                getattr(site.layer, "_keras_name", type(site.layer).__name__),
                json.dumps(_settings(site.layer), default=lambda _: None),
                bool(getattr(site.layer, "trainable", True)),
                None if site.inputs is None else sorted(site.inputs),
                index in self.outputs,
            )
            for index, site in enumerate(self.sites)
        ]


def _all(each: list[Givers]) -> Givers:
    """What gives any of these; unknown if that of one is."""
    known = [givers for givers in each if givers is not None]
    return frozenset().union(*known) if len(known) == len(each) else None


def _settings(layer: Any) -> dict[str, Any]:
    """The settings of a layer that Rust has; a seed only if somebody gave it."""
    if not isinstance(layer, RegistryLayer):
        return {}
    settings = layer._settings()
    if getattr(layer, "seed", None) is None:
        settings.pop("seed", None)
    regularizer = layer.activity_regularizer
    if isinstance(regularizer, RegistryObject) and "activity_regularizer" not in settings:
        settings["activity_regularizer"] = json.loads(envelope(regularizer, "regularizers") or "{}")
    return settings
