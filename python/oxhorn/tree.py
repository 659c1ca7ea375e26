"""Nested structures: lists, tuples, dictionaries and their kin, with leaves in them.

A node is a `list`, `tuple`, `dict`, `OrderedDict`, `defaultdict` or `deque`, a named tuple, or of
a class registered with `register_tree_node_class`; subclasses of the former are leaves, as is
`None`. Entries of dictionaries are visited in the order of their keys.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

MISMATCH = "Structures don't have the same nested structure."
DICTIONARIES = (dict, OrderedDict, defaultdict)
SEQUENCES = (list, tuple, deque)

_registered: set[type] = set()


class MAP_TO_NONE:
    """Returned by a function of `traverse` in order to put `None` into the result."""


def register_tree_node_class(cls: type) -> type:
    """Makes a class a node; it needs the methods `tree_flatten` and `tree_unflatten`.

    `tree_flatten(self)` returns the children and what else the object consists of;
    `tree_unflatten(metadata, children)`, a class method, makes the object again.
    """
    _registered.add(cls)
    return cls


def is_nested(structure: Any) -> bool:
    """Whether the structure is a node, be it an empty one, and not a leaf."""
    kind = type(structure)
    return kind in SEQUENCES or kind in DICTIONARIES or _is_special(structure)


def flatten(structure: Any) -> list[Any]:
    """The leaves from left to right."""
    return [leaf for _, leaf in _walk(structure, ())]


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """Pairs of path and leaf; a path is the tuple of indices and keys that lead to its leaf."""
    return list(_walk(structure, ()))


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """The first structure with `func(leaf, ...)` in place of its leaves.

    Further structures must be nested in the same way; their leaves are further arguments. With
    `none_is_leaf=False`, `None` stays as it is and `func` is not called.
    """
    if not structures:
        raise ValueError("Must provide at least one structure")
    return _map(func, structures, none_is_leaf)


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """The shallow structure with `func(...)` of what the others have in place of its leaves."""
    if not structures:
        raise ValueError("Must provide at least one structure")

    def call(shallow: Any, *deep: Any) -> Any:
        if shallow is None:
            raise ValueError(MISMATCH)
        return func(*deep)

    return _map_shallow(call, shallow_structure, structures)


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """The structure with `func(part)` in place of every part for which it is not `None`.

    Parts are nodes and leaves. Top down, what `func` has replaced is not looked into; bottom up,
    `func` sees nodes whose parts have been replaced. `MAP_TO_NONE` stands for `None`.
    """
    result = func(structure) if top_down else None
    if result is None:
        if is_nested(structure):
            children = [traverse(func, child, top_down) for _, child in _children(structure)]
            structure = _rebuild(structure, children)
        result = structure if top_down else func(structure)
        if result is None:
            return structure
    return None if result is MAP_TO_NONE else result


def assert_same_structure(a: Any, b: Any, check_types: bool | None = None) -> None:
    """Raises a `ValueError` unless both are nested in the same way, with nodes of one type."""
    if check_types is not None:
        advice = "please remove."
        if not check_types:
            advice = (
                "For a looser check, use `keras.tree.assert_same_paths()`, which considers "
                "`list`, `tuple`, `namedtuple` and `deque` as matching"
            )
        warnings.warn(
            "The `check_types` argument is deprecated and no longer has any effect"
            f"{', ' if check_types else '. '}{advice}",
            DeprecationWarning,
            stacklevel=2,
        )
    _map(lambda *leaves: None, (a, b), True)


def assert_same_paths(a: Any, b: Any) -> None:
    """Raises a `ValueError` unless the paths of all leaves are the same."""
    a_paths = {path for path, _ in _walk(a, ())}
    b_paths = {path for path, _ in _walk(b, ())}
    if a_paths == b_paths:
        return
    message = "`a` and `b` don't have the same paths."
    if a_paths - b_paths:
        message += f"\nPaths in `a` missing in `b`:\n{a_paths - b_paths}"
    if b_paths - a_paths:
        message += f"\nPaths in `b` missing in `a`:\n{b_paths - a_paths}"
    raise ValueError(message)


def pack_sequence_as(structure: Any, flat_sequence: Iterable[Any]) -> Any:
    """The structure with the elements of the sequence as its leaves, from left to right."""
    leaves = list(flat_sequence)
    expected = len(flatten(structure))
    if len(leaves) > expected:
        raise ValueError(f"Too many leaves for PyTreeSpec; expected: {expected}.")
    if len(leaves) < expected:
        raise ValueError(
            f"Too few leaves for PyTreeSpec; expected: {expected}, got: {len(leaves)}."
        )
    remaining = iter(leaves)
    return _map(lambda leaf: next(remaining), (structure,), True)


def lists_to_tuples(structure: Any) -> Any:
    """The structure with a tuple in place of every list."""
    as_tuple = lambda part: tuple(part) if isinstance(part, list) else None  # noqa: E731
    return traverse(as_tuple, structure, top_down=False)


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """Like `map_structure`, where lists and tuples of integers and `None` are leaves."""
    if isinstance(structure, (list, tuple)):
        if all(isinstance(extent, (int, type(None))) for extent in structure):
            return func(structure)
    if not is_nested(structure):
        return func(structure)
    children = [map_shape_structure(func, child) for _, child in _children(structure)]
    return _rebuild(structure, children)


def _is_special(structure: Any) -> bool:
    """Whether the structure is a named tuple, one of CPython's own kind, or registered."""
    kind = type(structure)
    if kind in _registered:
        return True
    if not isinstance(structure, tuple) or kind is tuple:
        return False
    return hasattr(kind, "_fields") or hasattr(kind, "n_sequence_fields")


def _children(node: Any) -> list[tuple[Any, Any]]:
    kind = type(node)
    if kind in DICTIONARIES:
        return [(key, node[key]) for key in _keys(node)]
    if kind in _registered:
        children = node.tree_flatten()
        # A third element, if any, names the children.
        return list(zip(children[2] if len(children) > 2 else range(1 << 30), children[0]))
    return list(enumerate(node))


def _keys(node: dict[Any, Any]) -> list[Any]:
    """Keys as they are visited: sorted, unless the dictionary has an order or they have none."""
    if type(node) is OrderedDict:
        return list(node)
    try:
        return sorted(node)
    except TypeError:
        pass
    try:
        return sorted(node, key=lambda key: (type(key).__module__, type(key).__qualname__, key))
    except TypeError:
        return list(node)


def _rebuild(node: Any, children: list[Any]) -> Any:
    kind = type(node)
    if kind in (list, tuple):
        return kind(children)
    if kind is deque:
        return deque(children, node.maxlen)
    if kind in _registered:
        return kind.tree_unflatten(node.tree_flatten()[1], children)
    if kind not in DICTIONARIES:
        return kind(*children) if hasattr(kind, "_fields") else kind(children)
    by_key = dict(zip(_keys(node), children))
    entries = [(key, by_key[key]) for key in node]
    return defaultdict(node.default_factory, entries) if kind is defaultdict else kind(entries)


def _walk(structure: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if not is_nested(structure):
        yield path, structure
        return
    for key, child in _children(structure):
        yield from _walk(child, (*path, key))


def _map(func: Callable[..., Any], structures: tuple[Any, ...], none_is_leaf: bool) -> Any:
    def call(*leaves: Any) -> Any:
        # Where `None` is no leaf, it is a node without children.
        if any(is_nested(leaf) or (leaf is None and not none_is_leaf) for leaf in leaves):
            raise ValueError(MISMATCH)
        return func(*leaves)

    return _map_shallow(call, structures[0], structures[1:], none_is_leaf)


def _map_shallow(
    func: Callable[..., Any], first: Any, others: tuple[Any, ...], none_is_leaf: bool = True
) -> Any:
    if first is None and not none_is_leaf:
        for other in others:
            if other is not None:
                raise ValueError(f"Expected None, got {other!r}.")
        return None
    if not is_nested(first):
        return func(first, *others)
    for other in others:
        _check_same_node(first, other)
    keys = [key for key, _ in _children(first)]
    columns = [[child for _, child in _children(first)]]
    for other in others:
        if type(other) in DICTIONARIES:
            columns.append([other[key] for key in keys])
        else:
            columns.append([child for _, child in _children(other)])
    parts = [_map_shallow(func, c[0], tuple(c[1:]), none_is_leaf) for c in zip(*columns)]
    return _rebuild(first, parts)


def _check_same_node(first: Any, other: Any) -> None:
    kind = type(first)
    if kind in DICTIONARIES and type(other) in DICTIONARIES:
        _check_same_keys(first, other)
        return
    if type(other) is not kind:
        if _is_special(first) and _is_special(other):
            raise ValueError(
                f"namedtuple type mismatch; expected type: {kind}, got type: {type(other)}; "
                f"tuple: {other!r}."
            )
        name = "collections.namedtuple" if _is_special(first) else kind.__name__
        name = f"collections.{name}" if kind in (deque, OrderedDict, defaultdict) else name
        raise ValueError(f"Expected an instance of {name}, got {other!r}.")
    sizes = len(_children(first)), len(_children(other))
    if sizes[0] != sizes[1]:
        raise ValueError(
            f"{kind.__name__} arity mismatch; expected: {sizes[0]}, got: {sizes[1]}; "
            f"{kind.__name__}: {other!r}."
        )


def _check_same_keys(first: dict[Any, Any], other: dict[Any, Any]) -> None:
    expected, got = _keys(first), _keys(other)
    missing = [key for key in expected if key not in other]
    extra = [key for key in got if key not in first]
    if not missing and not extra:
        return
    message = f"dictionary key mismatch; expected key(s): {expected}, got key(s): {got}"
    message += f", missing key(s): {missing}" if missing else ""
    message += f", extra key(s): {extra}" if extra else ""
    raise ValueError(f"{message}; dict: {other!r}.")
