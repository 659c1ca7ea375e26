"""`Layout`: places boxes in rows so that arrows point one way, after Sugiyama et al., 1981.

Boxes are given ranks by their distance from the beginning; arrows across several ranks bend at
points that take part as boxes without extent; within a rank, boxes are ordered by the mean place
of their neighbours, and then moved towards it as far as those beside them allow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

Edge = tuple[str, str]

GAP, RANK_GAP, SWEEPS = 24.0, 44.0, 8


class Box:
    """A rectangle by its extents across and along the direction of arrows, and its centre."""

    def __init__(self, key: str, across: float, along: float) -> None:
        self.key = key
        self.across = across
        self.along = along
        self.x = self.y = 0.0


class Layout:
    """Boxes with their places, and for every arrow the points at which it bends.

    Attributes:
        boxes: the boxes by their keys.
        bends: for every pair of keys the points between the two, from the first on; a point
            stands where an arrow enters or leaves a rank.
        leaves, arrives: for every pair of keys the ends along of the ranks of the two that face
            each other; between ranks there is nothing that an arrow could hit.
        across, along: the extents of everything.
    """

    def __init__(self, boxes: Iterable[Box], edges: Iterable[Edge]) -> None:
        self.boxes = {box.key: box for box in boxes}
        forward, backward = self._directions(list(edges))
        self._ranks: list[list[Box]] = []
        self._above: dict[str, list[Box]] = {}
        self._below: dict[str, list[Box]] = {}
        # Where the rank of a box begins and ends.
        self._ends: dict[str, tuple[float, float]] = {}
        chains = self._rank(forward)
        self._order()
        self.along = self._place_along()
        self.across = self._place_across()
        self.bends = {edge: self._through(chain) for edge, chain in chains.items()}
        self.leaves = {(s, t): self._ends[s][1] for s, t in [*forward, *backward]}
        self.arrives = {(s, t): self._ends[t][0] for s, t in [*forward, *backward]}
        for edge in backward:
            # Past everything else, back to where it came from.
            self.across += GAP
            self.bends[edge] = [(self.across, self.leaves[edge]), (self.across, self.arrives[edge])]

    def _through(self, chain: list[Box]) -> list[tuple[float, float]]:
        return [(box.x, end) for box in chain for end in self._ends[box.key]]

    def _directions(self, edges: list[Edge]) -> tuple[list[Edge], list[Edge]]:
        """Parts arrows into those that go forward, by their sources, and those that close a circle.

        Circles are there where a layer is called again with what was made of its own output.
        """
        waiting = dict.fromkeys(self.boxes)
        targets: dict[str, list[str]] = {key: [] for key in self.boxes}
        missing = dict.fromkeys(self.boxes, 0)
        for source, target in dict.fromkeys(edges):
            if source != target:
                targets[source].append(target)
                missing[target] += 1
        forward: dict[Edge, None] = {}
        while waiting:
            # Where all are waiting for others, the first one need not.
            key = next((k for k in waiting if not missing[k]), next(iter(waiting)))
            del waiting[key]
            for target in targets[key]:
                missing[target] -= 1
                if target in waiting:
                    forward[key, target] = None
        return list(forward), [edge for edge in edges if edge not in forward]

    def _rank(self, edges: list[Edge]) -> dict[Edge, list[Box]]:
        """Distributes boxes over ranks, and returns the bends that long arrows need."""
        rank = dict.fromkeys(self.boxes, 0)
        # Sources come before what they lead to.
        for source, target in edges:
            rank[target] = max(rank[target], rank[source] + 1)
        self._ranks = [[] for _ in range(max(rank.values(), default=-1) + 1)]
        for key, box in self.boxes.items():
            self._ranks[rank[key]].append(box)
        chains = {}
        for source, target in edges:
            chain = [Box("", 0.0, 0.0) for _ in range(rank[target] - rank[source] - 1)]
            for index, bend in enumerate(chain):
                bend.key = f"{source}>{target}>{index}"
                self._ranks[rank[source] + 1 + index].append(bend)
            path = [self.boxes[source], *chain, self.boxes[target]]
            for above, below in zip(path[:-1], path[1:]):
                self._below.setdefault(above.key, []).append(below)
                self._above.setdefault(below.key, []).append(above)
            chains[source, target] = chain
        return chains

    def _order(self) -> None:
        for rank in self._ranks:
            _number(rank)
        for sweep in range(SWEEPS):
            down = sweep % 2 == 0
            for rank in self._ranks if down else reversed(self._ranks):
                rank.sort(key=self._mean_place(self._above if down else self._below))
                _number(rank)

    def _mean_place(self, neighbours: dict[str, list[Box]]) -> Callable[[Box], float]:
        def mean(box: Box) -> float:
            near = neighbours.get(box.key)
            return sum(other.x for other in near) / len(near) if near else box.x

        return mean

    def _place_along(self) -> float:
        top = 0.0
        for rank in self._ranks:
            thickest = max(box.along for box in rank)
            for box in rank:
                box.y = top + thickest / 2
                self._ends[box.key] = top, top + thickest
            top += thickest + RANK_GAP
        return max(top - RANK_GAP, 0.0)

    def _place_across(self) -> float:
        for rank in self._ranks:
            left = -sum(box.across + GAP for box in rank) / 2
            for box in rank:
                box.x = left + (box.across + GAP) / 2
                left += box.across + GAP
        for sweep in range(SWEEPS):
            down = sweep % 2 == 0
            for rank in self._ranks if down else reversed(self._ranks):
                self._pull(rank, self._mean_place(self._above if down else self._below))
        everything = [box for rank in self._ranks for box in rank]
        left = min((box.x - box.across / 2 for box in everything), default=0.0)
        for box in everything:
            box.x -= left
        return max((box.x + box.across / 2 for box in everything), default=0.0)

    def _pull(self, rank: list[Box], wanted: Callable[[Box], float]) -> None:
        """Moves boxes to where they want to be, in the mean of the leftmost and rightmost ways."""
        wishes = [wanted(box) for box in rank]
        from_left, from_right = [], []
        edge = -float("inf")
        for box, wish in zip(rank, wishes):
            place = max(wish, edge + box.across / 2)
            from_left.append(place)
            edge = place + box.across / 2 + GAP
        edge = float("inf")
        for box, wish in zip(reversed(rank), reversed(wishes)):
            place = min(wish, edge - box.across / 2)
            from_right.append(place)
            edge = place - box.across / 2 - GAP
        for box, left, right in zip(rank, from_left, reversed(from_right)):
            box.x = (left + right) / 2


def _number(rank: list[Box]) -> None:
    """Gives boxes whole places in their order, with the middle of the rank at zero."""
    for place, box in enumerate(rank):
        box.x = place - (len(rank) - 1) / 2
