"""Scenarios of `tree`: every function on every kind of node, and on nodes that do not match."""

from __future__ import annotations

import time
from collections import OrderedDict, UserDict, defaultdict, deque, namedtuple

Point = namedtuple("Point", "x y")
Other = namedtuple("Other", "x y")


class List(list):
    pass


class Dict(dict):
    pass


ONE = [
    *([], (), {}, None, 1, "a", [1], Point(1, [2]), List([1]), Dict(a=1), {1}),
    *(OrderedDict(b=1, a=2), defaultdict(int, b=1, a=2), deque([1, 2], 7), UserDict(a=1)),
    *({"b": [1, {"z": 2}], "a": (None, 3)}, {2: 1, "a": 2}, {"a": []}, [[[]], ((), None)]),
    *(time.struct_time(range(9)), [(1,), [(2, [3])]], {(1, 2): 3, (0, 5): 4}),
]
TWO = [
    *(([1], (1,)), ([1, 2], [1]), ((1, 2), (1,)), ({"a": 1}, {"b": 1}), ([1], [[1]]), ([[1]], [1])),
    *(({"a": 1}, {"a": 1, "b": 2}), ({"a": 1, "b": 2}, {"a": 1}), (1, [1]), ([1], 1), (1, 2)),
    *((Point(1, 2), (1, 2)), (Point(1, 2), Other(1, 2)), (Point(1, 2), Point(3, 4))),
    *(([None], [[1]]), ([1], [None]), ([None], [1]), (None, [1]), (None, None), ([], ())),
    *(({"a": 1}, OrderedDict(a=1)), (OrderedDict(b=1, a=2), {"a": 3, "b": 4}), (deque([1]), [1])),
    *(({"b": (1, 2), "a": [3]}, {"a": [4], "b": (5, 6)}), (deque([1, 2]), deque([1]))),
]


def _attempt(function, *arguments, **settings):
    try:
        return function(*arguments, **settings)
    except ValueError as error:
        return f"ValueError: {error}"


def is_nested_asks_for_exact_types(keras):
    return [keras.tree.is_nested(s) for s in ONE]


def flatten_visits_leaves_in_order(keras):
    return [keras.tree.flatten(s) for s in ONE]


def flatten_with_path_names_every_leaf(keras):
    return [keras.tree.flatten_with_path(s) for s in ONE]


def map_structure_keeps_nodes(keras):
    return [keras.tree.map_structure(lambda leaf: (leaf,), s) for s in ONE]


def map_structure_may_leave_none_alone(keras):
    return [keras.tree.map_structure(lambda leaf: [leaf], s, none_is_leaf=False) for s in ONE]


def map_structure_visits_in_the_order_of_keys(keras):
    order = []
    result = keras.tree.map_structure(order.append, {"b": 1, "a": 2})
    return order, result


def map_structure_needs_a_structure(keras):
    keras.tree.map_structure(abs)


def map_structure_up_to_needs_a_structure(keras):
    keras.tree.map_structure_up_to([1], abs)


def map_structure_takes_several(keras):
    return [_attempt(keras.tree.map_structure, lambda x, y: (x, y), a, b) for a, b in TWO]


def map_structure_takes_several_where_none_is_no_leaf(keras):
    pair = lambda x, y: (x, y)  # noqa: E731
    return [_attempt(keras.tree.map_structure, pair, a, b, none_is_leaf=False) for a, b in TWO]


def map_structure_up_to_stops_at_shallow_leaves(keras):
    return [_attempt(keras.tree.map_structure_up_to, a, lambda y: [y], b) for a, b in TWO]


def assert_same_structure_compares_types(keras):
    return [_attempt(keras.tree.assert_same_structure, a, b) for a, b in TWO]


def assert_same_structure_warns_of_check_types(keras):
    keras.tree.assert_same_structure([1], [2], check_types=True)
    keras.tree.assert_same_structure([1], [2], check_types=False)


def assert_same_paths_compares_paths_alone(keras):
    # Sets of several paths print in no certain order.
    few = [(a, b) for a, b in TWO if len(keras.tree.flatten(a)) < 3]
    return [_attempt(keras.tree.assert_same_paths, a, b) for a, b in few]


def pack_sequence_as_fills_leaves(keras):
    counts = [len(keras.tree.flatten(s)) for s in ONE]
    return [keras.tree.pack_sequence_as(s, range(10, 10 + n)) for s, n in zip(ONE, counts)]


def pack_sequence_as_refuses_too_many(keras):
    keras.tree.pack_sequence_as([1], [1, 2])


def pack_sequence_as_refuses_too_few(keras):
    keras.tree.pack_sequence_as([1, (2, 3)], [1])


def lists_to_tuples_goes_to_the_bottom(keras):
    return [keras.tree.lists_to_tuples(s) for s in ONE]


def traverse_stops_at_what_was_replaced(keras):
    replace = lambda x: ("t", len(x)) if isinstance(x, tuple) else None  # noqa: E731
    return [keras.tree.traverse(replace, s) for s in ONE]


def traverse_from_below_sees_what_was_replaced(keras):
    def replace(x):
        if isinstance(x, int):
            return x * 2
        return ("t", x) if isinstance(x, tuple) else None

    return [keras.tree.traverse(replace, s, top_down=False) for s in ONE]


def traverse_maps_to_none(keras):
    none = keras.tree.MAP_TO_NONE
    return keras.tree.traverse(lambda x: none if x == 2 else None, [1, (2, {"a": 2})])


def map_shape_structure_takes_shapes_as_leaves(keras):
    shapes = [{"a": (None, 2), "b": [[1, 2], (3, None)]}, (), [[]], None, (2,), [(2,), "x"]]
    return [keras.tree.map_shape_structure(lambda s: ["shape", s], s) for s in shapes]
