//! Which nodes share a loop.
//!
//! Nodes are taken in order and put into [`Group`]s, each of which becomes one step. A node joins
//! the latest group that computes one of its arguments if it walks the same space; otherwise it
//! opens a new group at the end. Since groups run in the order they are opened and a node never
//! depends on a later one, no cycle can arise, and nothing is ever sorted.
//!
//! Three refinements make this fuse what a person would:
//!
//! - *Views* (reshape, broadcast, fill) are not computed but seen through: a loop reads a broadcast
//!   bias as one element a column.
//! - Nodes computed from leaves alone (a dropout mask, the step size) are *deferred*: the first
//!   group that needs one takes it in, or it is computed *early*, before everything else.
//! - Small independent loops over the same space are merged.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
};

use oxhorn_ir::{Graph, Op, Reduce, Transpose, Value};

use crate::program::Walk;

/// Rows longer than this are reduced by a step of their own, since a block must hold a whole row.
pub const ROW_MAX: usize = 4096;
/// Loops over fewer elements than this are merged with others like them.
const MERGE_MAX: usize = 4096;
/// Loops over more elements are kept free of what would bind them to one thread.
const ALONE_MAX: usize = 1 << 15;

/// Nodes that become one step.
#[derive(Clone, Debug)]
pub struct Group {
    /// The space of a loop; none if the one node is a step of its own.
    pub space: Option<Space>,
    /// The nodes, in order of execution. A product comes first.
    pub nodes: Vec<Value>,
}

/// The extents that a loop walks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Extent of all axes but the last.
    pub rows: usize,
    /// Extent of the last axis.
    pub columns: usize,
}

/// When a group runs: early groups before all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    late: bool,
    index: usize,
}

/// What becomes of a node.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Home {
    /// Leaves; and views as long as nobody needs them in memory.
    None,
    /// Computed from leaves alone, and not needed yet.
    Deferred,
    /// Computed by this group; `complete` if only once the group has run, as column sums are.
    Group { position: Position, part: Part },
}

/// How a value relates to the space of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// One element for each of the space.
    Element,
    /// One for each row.
    Row,
    /// Whole only once the group has run.
    Complete,
}

/// An argument as a loop sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Seen {
    /// One number for all.
    Constant(f64),
    /// A value that is in memory or computed in the same loop.
    Value(Value, Walk),
}

/// The groups of a graph.
pub struct Grouping<'a> {
    graph: &'a Graph,
    homes: Vec<Home>,
    early: Vec<Group>,
    late: Vec<Group>,
    /// What [`Grouping::fits`] found since a node was last placed.
    known: RefCell<HashMap<(Value, Position), bool>>,
}

/// The groups of `graph`, in order of execution.
pub fn fuse(graph: &Graph) -> Vec<Group> {
    let homes = vec![Home::None; graph.nodes().len()];
    let mut grouping =
        Grouping { graph, homes, early: vec![], late: vec![], known: RefCell::default() };
    let absorbed = absorbed(graph);
    for value in graph.values() {
        if !absorbed[value.index()] {
            grouping.place(value);
        }
    }
    let results = graph.outputs().iter().copied();
    let updates = graph.updates().iter().map(|(_, new)| *new);
    results.chain(updates).for_each(|value| grouping.force(value));
    grouping.early.append(&mut grouping.late);
    grouping.early
}

/// Transposes of the last two axes that only products read, which absorb them.
fn absorbed(graph: &Graph) -> Vec<bool> {
    let mut absorbed: Vec<bool> =
        graph.nodes().iter().map(|node| exchanges_last(&node.op)).collect();
    for node in graph.nodes().iter().filter(|node| !matches!(node.op, Op::MatMul(_))) {
        node.args.iter().for_each(|arg| absorbed[arg.index()] = false);
    }
    let updates = graph.updates().iter().map(|(_, new)| new);
    graph.outputs().iter().chain(updates).for_each(|value| absorbed[value.index()] = false);
    absorbed
}

fn exchanges_last(op: &Op) -> bool {
    let Op::Transpose(Transpose { order }) = op else { return false };
    let rank = order.len();
    let kept = order.iter().take(rank.saturating_sub(2)).copied().eq(0..rank.saturating_sub(2));
    rank >= 2 && kept && order[rank - 1] == rank - 2
}

/// The value whose memory `value` shares: reshapes are seen through.
pub fn base(graph: &Graph, mut value: Value) -> Value {
    while let Op::Reshape(_) = graph[value].op {
        value = graph[value].args[0];
    }
    value
}

/// The memory of a product's operand, and whether it lies transposed there.
pub fn operand(graph: &Graph, value: Value) -> (Value, bool) {
    match exchanges_last(&graph[value].op) {
        true => (base(graph, graph[value].args[0]), true),
        false => (base(graph, value), false),
    }
}

/// How a loop over `space` sees `value`, of which it needs one element for each `part`.
pub fn see(graph: &Graph, value: Value, space: Space, part: Part) -> Option<Seen> {
    let value = base(graph, value);
    let node = &graph[value];
    let len = space.len(part);
    match &node.op {
        Op::Fill(fill) => Some(Seen::Constant(fill.value())),
        Op::Broadcast(_) => {
            let source = base(graph, node.args[0]);
            let walk = stretch(graph, value, source, space, part)?;
            match &graph[source].op {
                Op::Fill(fill) => Some(Seen::Constant(fill.value())),
                _ => Some(Seen::Value(source, walk)),
            }
        }
        _ if node.ty.len() != len => None,
        _ if part == Part::Row => Some(Seen::Value(value, Walk::Row)),
        _ => Some(Seen::Value(value, Walk::Element)),
    }
}

/// How the loop walks `source`, which `value` repeats.
fn stretch(graph: &Graph, value: Value, source: Value, space: Space, part: Part) -> Option<Walk> {
    // The broadcast's own argument has the axes; `source` is the same memory without reshapes.
    let (from, to) = (&graph[graph[value].args[0]].ty.shape, &graph[value].ty.shape);
    if matches!(graph[source].op, Op::Broadcast(_)) || graph[value].ty.len() != space.len(part) {
        return None;
    }
    if from.iter().product::<usize>() == 1 {
        return Some(Walk::Whole);
    }
    let new = to.len() - from.len();
    let leading_kept = new == 0 && from[..from.len() - 1] == to[..to.len() - 1];
    let leading_one = from[..from.len() - 1].iter().all(|&extent| extent == 1);
    let (last, columns) = (from.last().copied(), to.last().copied());
    match part {
        Part::Element if columns != Some(space.columns) => None,
        Part::Element if last == Some(1) && leading_kept => Some(Walk::Row),
        Part::Element if last == columns && leading_one => Some(Walk::Column),
        _ => None,
    }
}

impl Space {
    /// The natural space of a value: its last axis, and all others together.
    pub fn of(graph: &Graph, value: Value) -> Space {
        let shape = &graph[value].ty.shape;
        match shape.split_last() {
            Some((&columns, leading)) => Space { rows: leading.iter().product(), columns },
            None => Space { rows: 1, columns: 1 },
        }
    }

    /// How many elements a value has that is this part of the space.
    pub fn len(self, part: Part) -> usize {
        match part {
            Part::Element => self.rows * self.columns,
            Part::Row | Part::Complete => self.rows,
        }
    }
}

/// What a node asks of the group that takes it in.
pub struct Wish {
    /// The values it reads, each with the part it reads one element for.
    pub args: Vec<(Value, Part)>,
    /// What its result is to the group.
    pub part: Part,
}

/// What `value` asks of a loop over `space`; none if no such loop can compute it.
pub fn wish(graph: &Graph, value: Value, space: Space) -> Option<Wish> {
    let node = &graph[value];
    let all = |part| Wish { args: node.args.iter().map(|&arg| (arg, part)).collect(), part };
    let len = node.ty.len();
    match &node.op {
        Op::Reduce(Reduce { axes, .. }) => reduction_wish(graph, node.args[0], axes, space),
        Op::ArgMax(it) => reduction_wish(graph, node.args[0], &[it.axis], space)
            .filter(|wish| wish.part == Part::Row),
        Op::MatMul(_) => Some(Wish { args: vec![], part: Part::Element }),
        // The key is read whole, whatever the space.
        Op::RandomBits(_) | Op::Iota(_) => {
            let fits = len == space.len(Part::Element);
            fits.then_some(Wish { args: vec![], part: Part::Element })
        }
        // A view that is needed in memory.
        Op::Broadcast(_) | Op::Fill(_) => {
            Some(Wish { args: vec![(value, Part::Element)], part: Part::Element })
        }
        Op::Unary(_) | Op::Binary(_) | Op::Compare(_) | Op::Select(_) | Op::Cast(_) => {
            match (len == space.len(Part::Element), len == space.len(Part::Row)) {
                (true, _) => Some(all(Part::Element)),
                (_, true) => Some(all(Part::Row)),
                _ => None,
            }
        }
        _ => None,
    }
}

fn reduction_wish(graph: &Graph, x: Value, axes: &[usize], space: Space) -> Option<Wish> {
    let (shape, len) = (&graph[x].ty.shape, graph[x].ty.len());
    let rank = shape.len();
    let whole_space = len == space.len(Part::Element) && shape.last() == Some(&space.columns);
    let along_rows = axes == [rank.wrapping_sub(1)] && whole_space && space.columns <= ROW_MAX;
    let over_rows = rank >= 2 && axes.iter().copied().eq(0..rank - 1) && whole_space;
    let over_row_values = axes.len() == rank && len == space.rows && space.columns != 1;
    if along_rows {
        return Some(Wish { args: vec![(x, Part::Element)], part: Part::Row });
    }
    if over_rows {
        return Some(Wish { args: vec![(x, Part::Element)], part: Part::Complete });
    }
    let small = space.len(Part::Element) <= ALONE_MAX;
    (over_row_values && small).then(|| Wish { args: vec![(x, Part::Row)], part: Part::Complete })
}

impl<'a> Grouping<'a> {
    fn home(&self, value: Value) -> Home {
        self.homes[value.index()]
    }

    fn group(&mut self, position: Position) -> &mut Group {
        let list = if position.late { &mut self.late } else { &mut self.early };
        &mut list[position.index]
    }

    fn space(&self, position: Position) -> Option<Space> {
        let list = if position.late { &self.late } else { &self.early };
        list[position.index].space
    }

    fn nodes(&self, position: Position) -> &[Value] {
        let list = if position.late { &self.late } else { &self.early };
        &list[position.index].nodes
    }

    /// Decides where a node is computed, or that it need not be yet.
    fn place(&mut self, value: Value) {
        let node = &self.graph[value];
        match &node.op {
            Op::Leaf(_) | Op::Fill(_) | Op::Reshape(_) | Op::Broadcast(_) => {}
            Op::MatMul(_) => {
                for &arg in &node.args {
                    self.force(operand(self.graph, arg).0);
                }
                self.open(value);
            }
            Op::Transpose(_)
            | Op::Slice(_)
            | Op::Pad(_)
            | Op::Concatenate(_)
            | Op::Gather(_)
            | Op::ScatterAdd(_) => self.alone(value),
            Op::Reduce(_) | Op::ArgMax(_) => self.join_or_open(value),
            Op::Unary(_)
            | Op::Binary(_)
            | Op::Compare(_)
            | Op::Select(_)
            | Op::Cast(_)
            | Op::Iota(_)
            | Op::RandomBits(_) => {
                self.force_unseen_args(value);
                let leafy = self.could_be_early(value);
                match leafy {
                    true => self.homes[value.index()] = Home::Deferred,
                    false => self.join_or_open(value),
                }
            }
        }
    }

    /// What a node reads, views seen through.
    fn roots(&self, value: Value) -> Vec<Value> {
        let mut roots = vec![];
        for &arg in &self.graph[value].args {
            let mut root = base(self.graph, arg);
            while let (Op::Broadcast(_), Home::None) = (&self.graph[root].op, self.home(root)) {
                root = base(self.graph, self.graph[root].args[0]);
            }
            roots.push(root);
        }
        roots
    }

    /// Makes sure that `value` will be in memory.
    fn force(&mut self, value: Value) {
        let value = base(self.graph, value);
        match (self.home(value), &self.graph[value].op) {
            (Home::Group { .. }, _) | (Home::None, Op::Leaf(_)) => {}
            (Home::Deferred, _) if self.could_be_early(value) => self.early(value),
            (Home::Deferred, _) => self.join_or_open(value),
            (Home::None, _) => self.open(value),
        }
    }

    /// Whether a value can be computed before everything else: from leaves, and from values that
    /// are. A deferred value can no more once a late group has taken in what it reads.
    fn could_be_early(&self, value: Value) -> bool {
        let (mut seen, mut open) = (HashSet::new(), self.roots(value));
        while let Some(root) = open.pop() {
            if !seen.insert(root) {
                continue;
            }
            match self.home(root) {
                Home::Deferred => open.extend(self.roots(root)),
                Home::None if matches!(self.graph[root].op, Op::Leaf(_) | Op::Fill(_)) => {}
                Home::Group { position, .. } if !position.late => {}
                _ => return false,
            }
        }
        true
    }

    /// Computes a deferred value before everything else.
    fn early(&mut self, value: Value) {
        for root in self.roots(value) {
            if self.home(root) == Home::Deferred {
                self.early(root);
            }
        }
        let after = self.roots(value).into_iter().filter_map(|root| self.position(root)).max();
        let fitting = (0..self.early.len())
            .map(|index| Position { late: false, index })
            .find(|&at| after.is_none_or(|after| at >= after) && self.fits(value, at));
        match fitting {
            Some(at) => self.join(value, at),
            None => self.open_in(value, false),
        }
    }

    /// A step of its own, after all its arguments.
    fn alone(&mut self, value: Value) {
        for &arg in &self.graph[value].args {
            self.force(arg);
        }
        let position = Position { late: true, index: self.late.len() };
        self.known.get_mut().clear();
        self.late.push(Group { space: None, nodes: vec![value] });
        self.homes[value.index()] = Home::Group { position, part: Part::Complete };
    }

    /// Puts into memory what no loop over the natural space of `value` can see through.
    fn force_unseen_args(&mut self, value: Value) {
        let space = self.natural_space(value);
        for (arg, part) in wish(self.graph, value, space).map_or(vec![], |wish| wish.args) {
            if arg != value && see(self.graph, arg, space, part).is_none() {
                self.force(arg);
            }
        }
        // What waits, but can no more be early, is placed now.
        for root in self.roots(value) {
            if self.home(root) == Home::Deferred && !self.could_be_early(root) {
                self.force(root);
            }
        }
    }

    fn join_or_open(&mut self, value: Value) {
        self.force_unseen_args(value);
        let after = self.roots(value).into_iter().filter_map(|root| self.position(root)).max();
        let first = after.filter(|&at| self.fits(value, at));
        // Small loops are merged with any later one over the same space.
        let merge = || {
            let from = after.filter(|at| at.late).map_or(0, |at| at.index + 1);
            let small = Space::of(self.graph, value).len(Part::Element) <= MERGE_MAX;
            (from..self.late.len())
                .rev()
                .take(8)
                .map(|index| Position { late: true, index })
                .filter(|&at| small && self.merges(at))
                .find(|&at| {
                    self.space(at) == Some(Space::of(self.graph, value)) && self.fits(value, at)
                })
        };
        match first.or_else(merge) {
            Some(at) => self.join(value, at),
            None => self.open(value),
        }
    }

    /// Whether independent work may join this group: not if it has a product, whose epilogue it
    /// would lengthen.
    fn merges(&self, at: Position) -> bool {
        !matches!(self.graph[self.nodes(at)[0]].op, Op::MatMul(_))
    }

    fn position(&self, value: Value) -> Option<Position> {
        match self.home(value) {
            Home::Group { position, .. } => Some(position),
            _ => None,
        }
    }

    /// Opens a group for `value` at the end.
    fn open(&mut self, value: Value) {
        self.open_in(value, true);
    }

    fn open_in(&mut self, value: Value, late: bool) {
        let space = self.natural_space(value);
        let list = if late { &mut self.late } else { &mut self.early };
        let position = Position { late, index: list.len() };
        list.push(Group { space: Some(space), nodes: vec![] });
        self.known.get_mut().clear();
        if self.fits(value, position) {
            self.join(value, position);
        } else {
            // No loop can do it: a step of its own, for which all arguments must be in memory.
            let list = if late { &mut self.late } else { &mut self.early };
            list.pop();
            self.alone_in(value, late);
        }
    }

    fn alone_in(&mut self, value: Value, late: bool) {
        match late {
            true => self.alone(value),
            // Early values come from leaves; what they read has been computed early, too.
            false => {
                let position = Position { late, index: self.early.len() };
                self.known.get_mut().clear();
                self.early.push(Group { space: None, nodes: vec![value] });
                self.homes[value.index()] = Home::Group { position, part: Part::Complete };
            }
        }
    }

    /// The space that a group opened for `value` walks.
    fn natural_space(&self, value: Value) -> Space {
        let node = &self.graph[value];
        match node.op {
            Op::Reduce(_) | Op::ArgMax(_) => Space::of(self.graph, node.args[0]),
            _ => Space::of(self.graph, value),
        }
    }

    /// Whether the group at `at` can compute `value`.
    fn fits(&self, value: Value, at: Position) -> bool {
        if let Some(&known) = self.known.borrow().get(&(value, at)) {
            return known;
        }
        let fits = self.decide_fit(value, at);
        self.known.borrow_mut().insert((value, at), fits);
        fits
    }

    fn decide_fit(&self, value: Value, at: Position) -> bool {
        let Some(space) = self.space(at) else { return false };
        let Some(wish) = self::wish(self.graph, value, space) else { return false };
        // Rows must be whole where they are reduced, columns where they are summed: large loops,
        // which threads split one way or the other, do only one of the two.
        let sums_columns = wish.part == Part::Complete && wish.args[0].1 == Part::Element;
        let crosses = space.len(Part::Element) > ALONE_MAX
            && (sums_columns && self.reduces_rows(at)
                || wish.part == Part::Row && self.sums_columns(at));
        let key_ready = match self.graph[value].op {
            Op::RandomBits(_) => {
                let key = base(self.graph, self.graph[value].args[0]);
                match self.home(key) {
                    Home::Group { position, .. } => position < at,
                    Home::Deferred => self.could_be_early(key),
                    Home::None => matches!(self.graph[key].op, Op::Leaf(_)),
                }
            }
            _ => true,
        };
        let one_way =
            || self.read_in_two_ways(value, at).is_none_or(|root| self.could_be_early(root));
        !crosses
            && key_ready
            && one_way()
            && wish.args.iter().all(|&(arg, part)| self.readable(arg, part, at))
    }

    /// Whether the group at `at` can read `arg`, perhaps after taking it in.
    fn readable(&self, arg: Value, part: Part, at: Position) -> bool {
        let Some(space) = self.space(at) else { return false };
        match see(self.graph, arg, space, part) {
            None => match self.home(base(self.graph, arg)) {
                Home::Group { position, .. } if position < at => {
                    self.graph[arg].ty.len() == space.len(part)
                }
                _ => false,
            },
            Some(Seen::Constant(_)) => true,
            Some(Seen::Value(root, walk)) => match self.home(root) {
                Home::None => matches!(self.graph[root].op, Op::Leaf(_)),
                Home::Deferred => self.takes(root, walk, at) || self.could_be_early(root),
                Home::Group { position, .. } if position < at => true,
                Home::Group { position, part } => {
                    position == at && Some(part) == walk_part(walk, space)
                }
            },
        }
    }

    /// Whether the group at `at` can take in a deferred value that it walks like this.
    fn takes(&self, root: Value, walk: Walk, at: Position) -> bool {
        let part = self.space(at).and_then(|space| Some((space, walk_part(walk, space)?)));
        part.is_some_and(|(space, part)| {
            wish(self.graph, root, space).is_some_and(|wish| wish.part == part)
                && self.fits(root, at)
        })
    }

    /// Puts `value` into the group at `at`, with the deferred values it reads.
    fn join(&mut self, value: Value, at: Position) {
        let space = self.space(at).expect("only loops are joined");
        let Wish { args, part: own_part } =
            wish(self.graph, value, space).expect("only what fits joins");
        if let Op::RandomBits(_) = self.graph[value].op {
            self.force(self.graph[value].args[0]);
        }
        // What is read in two ways cannot be taken in for one of them.
        while let Some(root) = self.read_in_two_ways(value, at) {
            self.early(root);
        }
        for (arg, part) in args {
            let Some(Seen::Value(root, walk)) = see(self.graph, arg, space, part) else { continue };
            if root == value || self.home(root) != Home::Deferred {
                continue;
            }
            match self.takes(root, walk, at) {
                true => self.join(root, at),
                false => self.early(root),
            }
        }
        self.known.get_mut().clear();
        self.group(at).nodes.push(value);
        self.homes[value.index()] = Home::Group { position: at, part: own_part };
    }

    /// A deferred value that the group at `at` would read in two ways, or take in and read as well,
    /// once it had taken in `value` and all that `value` brings along.
    fn read_in_two_ways(&self, value: Value, at: Position) -> Option<Value> {
        let space = self.space(at)?;
        let (mut walks, mut open) = (HashMap::new(), vec![value]);
        while let Some(reader) = open.pop() {
            for (arg, part) in wish(self.graph, reader, space)?.args {
                let Some(Seen::Value(root, walk)) = see(self.graph, arg, space, part) else {
                    continue;
                };
                if root == reader || self.home(root) != Home::Deferred {
                    continue;
                }
                match walks.insert(root, walk) {
                    None if self.takes(root, walk, at) => open.push(root),
                    Some(other) if other != walk => return Some(root),
                    _ => {}
                }
            }
        }
        None
    }

    fn reduces_rows(&self, at: Position) -> bool {
        self.has(at, Part::Row)
    }

    fn sums_columns(&self, at: Position) -> bool {
        self.has(at, Part::Complete)
    }

    fn has(&self, at: Position, wanted: Part) -> bool {
        self.nodes(at)
            .iter()
            .any(|&value| matches!(self.home(value), Home::Group { part, .. } if part == wanted))
    }
}

/// What a value computed in the same loop must be to be walked like this, if it can be at all.
fn walk_part(walk: Walk, space: Space) -> Option<Part> {
    match walk {
        Walk::Element => Some(Part::Element),
        Walk::Row => Some(Part::Row),
        // Of a single row, a row's value is one for all.
        Walk::Whole if space.rows == 1 => Some(Part::Row),
        Walk::Whole | Walk::Column => None,
    }
}
