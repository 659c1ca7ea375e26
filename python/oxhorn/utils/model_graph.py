"""`ModelGraph`: which layers a model has and what is connected, as its configuration says."""

from __future__ import annotations

from typing import Any

from oxhorn import tree


class Node:
    """A layer, or a model in it that is not looked into.

    `layer` is `None` for operations that are no layers, of which only names are known.
    """

    def __init__(self, key: str, name: str, class_name: str, layer: Any) -> None:
        self.key = key
        self.name = name
        self.class_name = class_name
        self.layer = layer


class ModelGraph:
    """The nodes of a model, the models within it, and the connections of both.

    Attributes:
        key: what the graph is called within the graph around it.
        name: the name of the model.
        members: nodes and graphs, in the order in which the model has them.
        edges: pairs of keys of nodes, which may lie within graphs.
    """

    def __init__(self, key: str, name: str) -> None:
        self.key = key
        self.name = name
        self.members: list[Node | ModelGraph] = []
        self.edges: list[tuple[str, str]] = []
        self._entrances: list[str] = []
        self._exits: list[str] = []

    def entrance(self, index: int) -> str:
        """The key of the node that takes input `index`."""
        return self._entrances[min(index, len(self._entrances) - 1)]

    def exit(self, index: int) -> str:
        """The key of the node that gives output `index`."""
        return self._exits[min(index, len(self._exits) - 1)]

    def connect(self, source: str, target: str) -> None:
        if (source, target) not in self.edges:
            self.edges.append((source, target))


def model_graph(model: Any, expand_nested: bool, key: str = "") -> ModelGraph:
    """The graph of a model; models within it are looked into if `expand_nested`."""
    graph = ModelGraph(key, getattr(model, "name", type(model).__name__))
    if is_a(model, "Sequential"):
        _add_chain(graph, model, expand_nested)
    elif is_a(model, "Functional"):
        _add_functional(graph, model, expand_nested)
    else:
        node = Node(f"{key}/{graph.name}", graph.name, type(model).__name__, model)
        graph.members.append(node)
        graph._entrances = graph._exits = [node.key]
    return graph


def is_a(model: Any, class_name: str) -> bool:
    """Whether the object is of a class of that name, or of one derived from it."""
    return any(cls.__name__ == class_name for cls in type(model).__mro__)


def _add_member(graph: ModelGraph, name: str, class_name: str, layer: Any, expand: bool) -> Any:
    key = f"{graph.key}/{name}"
    member: Node | ModelGraph
    if expand and (is_a(layer, "Sequential") or is_a(layer, "Functional")):
        member = model_graph(layer, expand, key)
    else:
        member = Node(key, name, class_name, layer)
    graph.members.append(member)
    return member


def _entrance(member: Node | ModelGraph, index: int) -> str:
    return member.entrance(index) if isinstance(member, ModelGraph) else member.key


def _exit(member: Node | ModelGraph, index: int) -> str:
    return member.exit(index) if isinstance(member, ModelGraph) else member.key


def _add_chain(graph: ModelGraph, model: Any, expand: bool) -> None:
    previous = None
    for layer in model.layers:
        member = _add_member(graph, layer.name, type(layer).__name__, layer, expand)
        if previous is None:
            graph._entrances = [_entrance(member, 0)]
        else:
            graph.connect(_exit(previous, 0), _entrance(member, 0))
        previous = member
        graph._exits = [_exit(member, 0)]


def _add_functional(graph: ModelGraph, model: Any, expand: bool) -> None:
    config = model.get_config()
    layers = {layer.name: layer for layer in model.layers}
    members = {}
    for entry in config["layers"]:
        name = entry["config"]["name"]
        layer = layers.get(name)
        class_name = entry["class_name"] if layer is None else type(layer).__name__
        members[name] = _add_member(graph, name, class_name, layer, expand)
    for entry in config["layers"]:
        target = members[entry["config"]["name"]]
        for call in entry["inbound_nodes"]:
            for index, (name, tensor) in enumerate(_histories(call)):
                graph.connect(_exit(members[name], tensor), _entrance(target, index))
    graph._entrances = [_entrance(members[n], 0) for n, _ in _places(config["input_layers"])]
    graph._exits = [_exit(members[n], tensor) for n, tensor in _places(config["output_layers"])]


def _histories(part: Any) -> list[tuple[str, int]]:
    """The layers, and the numbers of their outputs, that a call takes its tensors from."""
    if isinstance(part, dict):
        if part.get("class_name") == "__keras_tensor__":
            name, _, tensor = part["config"]["keras_history"]
            return [(name, tensor)]
        part = list(part.values())
    if isinstance(part, (list, tuple)):
        return [history for inner in part for history in _histories(inner)]
    return []


def _places(structure: Any) -> list[tuple[str, int]]:
    """Layers and numbers of outputs in nested triples of layer, call and output."""
    flat = tree.flatten(structure)
    return [(flat[index], flat[index + 2]) for index in range(0, len(flat), 3)]
