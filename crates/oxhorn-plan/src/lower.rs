//! From groups to steps: the instructions of each loop, and the buffers they read and write.

use std::collections::HashMap;

use oxhorn_ir::{Error, Graph, Op, Reduce, Result, Role, Value};

use crate::{
    fuse::{Group, Part, Seen, Space, base, operand, see, wish},
    program::{
        Action, Buffer, BufferId, CopyKernel, Destination, Instruction, Kernel, Loop, Operand,
        Place, Product, Program, RowAction, Span, Step, Walk,
    },
};

/// The program of `graph` as these groups compute it, with every buffer but weights at byte 0 of
/// the arena: [`crate::memory`] finds their places.
pub fn lower(graph: &Graph, groups: &[Group]) -> Result<Program> {
    let mut lowering = Lowering::new(graph, groups);
    let mut steps = lowering.keep_old_weights();
    for (index, group) in groups.iter().enumerate() {
        lowering.group(index, group, &mut steps)?;
    }
    lowering.update_weights(&mut steps);
    let outputs =
        graph.outputs().iter().map(|&value| lowering.result(base(graph, value))).collect();
    steps.iter_mut().for_each(|kernel| {
        if let Kernel::Loop(it) = kernel {
            assign_registers(it);
        }
    });
    let named = |role| -> Vec<(String, BufferId)> {
        graph
            .leaves(role)
            .map(|(value, leaf)| (leaf.name.clone(), lowering.known[&value]))
            .collect()
    };
    Ok(Program {
        name: graph.name.clone(),
        inputs: named(Role::Input),
        weights: named(Role::Weight),
        outputs,
        steps: steps.into_iter().map(Step::new).collect(),
        buffers: lowering.buffers,
        arena_bytes: 0,
    })
}

struct Lowering<'a> {
    graph: &'a Graph,
    buffers: Vec<Buffer>,
    /// The buffer of each value that has one; values here are never reshapes.
    known: HashMap<Value, BufferId>,
    /// The group that computes each value.
    home: Vec<Option<usize>>,
    /// Whether a value must be in memory.
    stored: Vec<bool>,
    /// Copies of old weights that are results, or the new values of others.
    kept: HashMap<Value, BufferId>,
}

/// A loop in the making.
struct Code {
    group: usize,
    space: Space,
    code: Vec<Instruction>,
    /// Where each value computed so far is; registers are numbered without reuse.
    results: HashMap<Value, Operand>,
    /// Row values already repeated along their rows.
    spread: HashMap<Value, usize>,
    registers: usize,
}

impl<'a> Lowering<'a> {
    fn new(graph: &'a Graph, groups: &[Group]) -> Lowering<'a> {
        let len = graph.nodes().len();
        let mut lowering = Lowering {
            graph,
            buffers: vec![],
            known: HashMap::new(),
            home: vec![None; len],
            stored: vec![false; len],
            kept: HashMap::new(),
        };
        for (index, group) in groups.iter().enumerate() {
            group.nodes.iter().for_each(|value| lowering.home[value.index()] = Some(index));
        }
        for role in [Role::Input, Role::Weight] {
            for (index, (value, leaf)) in graph.leaves(role).enumerate() {
                let place = match role {
                    Role::Input => Place::Arena(0..0),
                    Role::Weight => Place::Weight(index),
                };
                let id = lowering.push(Buffer { ty: leaf.ty.clone(), place });
                lowering.known.insert(value, id);
            }
        }
        lowering.find_stored(groups);
        lowering
    }

    fn push(&mut self, buffer: Buffer) -> BufferId {
        self.buffers.push(buffer);
        BufferId(self.buffers.len() as u32 - 1)
    }

    /// The buffer of a value in memory.
    fn buffer(&mut self, value: Value) -> BufferId {
        let value = base(self.graph, value);
        if let Some(&id) = self.known.get(&value) {
            return id;
        }
        let ty = self.graph[value].ty.clone();
        let id = self.push(Buffer { ty, place: Place::Arena(0..0) });
        self.known.insert(value, id);
        id
    }

    /// Finds the values that another step reads, or that are results.
    fn find_stored(&mut self, groups: &[Group]) {
        let graph = self.graph;
        let updates = graph.updates().iter().map(|(_, new)| *new);
        for value in graph.outputs().iter().copied().chain(updates) {
            self.stored[base(graph, value).index()] = true;
        }
        for (index, group) in groups.iter().enumerate() {
            for &value in &group.nodes {
                let node = &graph[value];
                let looped = group.space.filter(|_| !matches!(node.op, Op::MatMul(_)));
                let Some(space) = looped else {
                    self.stored[value.index()] = true;
                    for &arg in &node.args {
                        self.stored[operand(graph, arg).0.index()] = true;
                        self.stored[base(graph, arg).index()] = true;
                    }
                    continue;
                };
                if let Op::RandomBits(_) = node.op {
                    self.stored[base(graph, node.args[0]).index()] = true;
                }
                for (arg, part) in wish(graph, value, space).map_or(vec![], |wish| wish.args) {
                    match see(graph, arg, space, part) {
                        Some(Seen::Value(root, _)) if self.home[root.index()] != Some(index) => {
                            self.stored[root.index()] = true;
                        }
                        None => self.stored[base(graph, arg).index()] = true,
                        _ => {}
                    }
                }
            }
        }
    }

    /// The buffer of a result of the program.
    fn result(&mut self, value: Value) -> BufferId {
        self.kept.get(&value).copied().unwrap_or_else(|| self.buffer(value))
    }

    /// Copies, before anything is updated, the weights whose old values are results, or become the
    /// new values of others.
    fn keep_old_weights(&mut self) -> Vec<Kernel> {
        let graph = self.graph;
        let mut copies = vec![];
        let results = graph.outputs().iter().chain(graph.updates().iter().map(|(_, new)| new));
        for &value in results {
            let value = base(graph, value);
            let is_weight = matches!(&graph[value].op, Op::Leaf(leaf) if leaf.role == Role::Weight);
            if is_weight && !self.kept.contains_key(&value) {
                let (x, ty) = (self.known[&value], self.graph[value].ty.clone());
                let y = self.push(Buffer { ty, place: Place::Arena(0..0) });
                copies.push(self.copy_whole(x, y));
                self.kept.insert(value, y);
            }
        }
        copies
    }

    fn group(&mut self, index: usize, group: &Group, steps: &mut Vec<Kernel>) -> Result<()> {
        let Some(space) = group.space else {
            return group.nodes.iter().try_for_each(|&value| self.alone(value, steps));
        };
        let mut nodes = group.nodes.as_slice();
        let mut product = None;
        let (results, spread) = (HashMap::new(), HashMap::new());
        let mut code = Code { group: index, space, code: vec![], results, spread, registers: 0 };
        if let Op::MatMul(_) = self.graph[nodes[0]].op {
            let made = self.product(nodes[0]);
            code.results.insert(nodes[0], Operand::Memory(made.c, Walk::Element));
            product = Some(made);
            nodes = &nodes[1..];
        }
        for &value in nodes {
            self.instruction(value, &mut code)?;
        }
        let Code { code, registers, .. } = code;
        let Space { rows, columns } = space;
        steps.push(Kernel::Loop(Loop { rows, columns, product, code, registers }));
        Ok(())
    }

    fn product(&mut self, value: Value) -> Product {
        let graph = self.graph;
        let node = &graph[value];
        let [(a, a_transposed), (b, b_transposed)] = [0, 1].map(|i| operand(graph, node.args[i]));
        let shape = |arg: usize| &graph[node.args[arg]].ty.shape;
        let (rank, k) = (node.ty.rank(), shape(0)[node.ty.rank() - 1]);
        let [m, n] = [node.ty.shape[rank - 2], node.ty.shape[rank - 1]];
        Product {
            a: self.buffer(a),
            b: self.buffer(b),
            c: self.buffer(value),
            batch: node.ty.shape[..rank - 2].iter().product(),
            mkn: [m, k, n],
            transposed: [a_transposed, b_transposed],
        }
    }

    /// Adds the instruction that computes `value`.
    fn instruction(&mut self, value: Value, code: &mut Code) -> Result<()> {
        let node = &self.graph[value];
        let wish = crate::fuse::wish(self.graph, value, code.space)
            .ok_or_else(|| Error::new(format!("no loop computes `{}`", node.op)))?;
        let mut args = vec![];
        for &(arg, part) in &wish.args {
            args.push(self.operand(arg, part, code));
        }
        let source = wish.args.first().map_or(value, |&(arg, _)| arg);
        let dtype = match node.op {
            Op::Select(_) => node.ty.dtype,
            _ => self.graph[source].ty.dtype,
        };
        let span = match (wish.part, wish.args.first()) {
            (Part::Complete | Part::Row, Some((_, Part::Row))) => Span::Row,
            _ => Span::Element,
        };
        let action = match &node.op {
            Op::Unary(op) => Action::Unary(*op),
            Op::Binary(op) => Action::Binary(*op),
            Op::Compare(op) => Action::Compare(*op),
            Op::Select(_) => Action::Select,
            Op::Cast(it) => Action::Cast(it.dtype),
            Op::Broadcast(_) | Op::Fill(_) => Action::Move,
            Op::RandomBits(_) => {
                let key = self.buffer(node.args[0]);
                args.push(Operand::Memory(key, Walk::Whole));
                Action::RandomBits
            }
            Op::Iota(it) => {
                let inner = node.ty.shape[it.axis + 1..].iter().product();
                Action::Iota { extent: node.ty.shape[it.axis], inner }
            }
            Op::Reduce(Reduce { reduction, .. }) => match wish.part {
                Part::Complete => Action::Accumulate(*reduction),
                _ => Action::Row(RowAction::Reduce(*reduction)),
            },
            Op::ArgMax(_) => Action::Row(RowAction::ArgMax),
            op => return Err(Error::new(format!("no loop computes `{op}`"))),
        };
        let walk = if wish.part == Part::Row { Walk::Row } else { Walk::Element };
        let (to, result) = match self.stored[value.index()] || wish.part == Part::Complete {
            true => {
                let id = self.buffer(value);
                (Destination::Memory(id), Operand::Memory(id, walk))
            }
            false => {
                code.registers += 1;
                let register = code.registers - 1;
                (Destination::Register(register), Operand::Register(register))
            }
        };
        code.code.push(Instruction { action, dtype, span, args, to });
        code.results.insert(value, result);
        Ok(())
    }

    /// How the next instruction reads `arg`, of which it needs one element for each `part`.
    fn operand(&mut self, arg: Value, part: Part, code: &mut Code) -> Operand {
        let by_part = if part == Part::Row { Walk::Row } else { Walk::Element };
        let (root, walk) = match see(self.graph, arg, code.space, part) {
            Some(Seen::Constant(value)) => return Operand::Constant(value),
            Some(Seen::Value(root, walk)) => (root, walk),
            None => (base(self.graph, arg), by_part),
        };
        let here = self.home[root.index()] == Some(code.group);
        let source = match (here, code.results.get(&root)) {
            (true, Some(&result)) => result,
            _ => Operand::Memory(self.buffer(root), walk),
        };
        let of_row = walk == Walk::Row || here && walk == Walk::Whole;
        if part != Part::Element || !of_row {
            return source;
        }
        let register = *code.spread.entry(root).or_insert_with(|| {
            code.registers += 1;
            let to = Destination::Register(code.registers - 1);
            let dtype = self.graph[root].ty.dtype;
            let args = vec![source];
            let span = Span::Element;
            code.code.push(Instruction { action: Action::Spread, dtype, span, args, to });
            code.registers - 1
        });
        Operand::Register(register)
    }

    /// A step of its own.
    fn alone(&mut self, value: Value, steps: &mut Vec<Kernel>) -> Result<()> {
        let node = &self.graph[value];
        let y = self.buffer(value);
        let mut args = vec![];
        for &arg in &node.args {
            args.push(self.buffer(arg));
        }
        let types: Vec<_> = node.args.iter().map(|&arg| &self.graph[arg].ty).collect();
        let around = |axes: &[usize]| {
            let (shape, end) = (&types[0].shape, axes.last().map_or(0, |axis| axis + 1));
            let start = axes.first().copied().unwrap_or(0);
            [&shape[..start], &shape[start..end], &shape[end..]].map(|part| part.iter().product())
        };
        match &node.op {
            Op::Reduce(Reduce { reduction, axes }) => {
                let (reduction, extents) = (*reduction, around(axes));
                steps.push(Kernel::Reduce { reduction, x: args[0], y, extents });
            }
            Op::ArgMax(it) => {
                steps.push(Kernel::ArgMax { x: args[0], y, extents: around(&[it.axis]) });
            }
            Op::Gather(it) => {
                let extents = around(&[it.axis]);
                steps.push(Kernel::Gather { x: args[0], indices: args[1], y, extents });
            }
            Op::ScatterAdd(it) => {
                let (x, indices, updates) = (args[0], args[1], args[2]);
                let extents = around(&[it.axis]);
                steps.push(Kernel::ScatterAdd { x, indices, updates, y, extents });
            }
            Op::Pad(_) => {
                let Space { rows, columns } = Space::of(self.graph, value);
                let (dtype, span) = (node.ty.dtype, Span::Element);
                let (action, to) = (Action::Move, Destination::Memory(y));
                let args = vec![Operand::Memory(args[1], Walk::Whole)];
                let code = vec![Instruction { action, dtype, span, args, to }];
                steps.push(Kernel::Loop(Loop { rows, columns, product: None, code, registers: 0 }));
                self.moves(value, steps)?;
            }
            _ => self.moves(value, steps)?,
        }
        Ok(())
    }

    /// The copies that make up an op which only moves elements.
    fn moves(&mut self, value: Value, steps: &mut Vec<Kernel>) -> Result<()> {
        let node = &self.graph[value];
        let y = self.buffer(value);
        let x = self.buffer(node.args[0]);
        let from_shape = &self.graph[node.args[0]].ty.shape;
        let (source, target) = (strides(from_shape), strides(&node.ty.shape));
        let zeros = vec![0; node.ty.rank()];
        let dot = |a: &[usize], b: &[usize]| a.iter().zip(b).map(|(a, b)| a * b).sum::<usize>();
        let times =
            |a: &[usize], b: &[usize]| a.iter().zip(b).map(|(a, b)| a * b).collect::<Vec<_>>();
        let copy = match &node.op {
            Op::Transpose(it) => CopyKernel {
                extents: node.ty.shape.clone(),
                from: (0, it.order.iter().map(|&axis| source[axis]).collect()),
                to: (0, target),
                x,
                y,
            },
            Op::Broadcast(_) => {
                let new = node.ty.rank() - from_shape.len();
                let mut strides = zeros;
                for (axis, &extent) in from_shape.iter().enumerate().filter(|(_, e)| **e != 1) {
                    debug_assert_eq!(extent, node.ty.shape[new + axis]);
                    strides[new + axis] = source[axis];
                }
                CopyKernel {
                    extents: node.ty.shape.clone(),
                    from: (0, strides),
                    to: (0, target),
                    x,
                    y,
                }
            }
            Op::Slice(it) => CopyKernel {
                extents: node.ty.shape.clone(),
                from: (dot(&it.start, &source), times(&it.step, &source)),
                to: (0, target),
                x,
                y,
            },
            Op::Pad(it) => {
                let step: Vec<usize> = it.interior.iter().map(|gap| gap + 1).collect();
                CopyKernel {
                    extents: from_shape.clone(),
                    from: (0, source),
                    to: (dot(&it.low, &target), times(&step, &target)),
                    x,
                    y,
                }
            }
            Op::Concatenate(it) => {
                let mut start = 0;
                for &arg in &node.args {
                    let x = self.buffer(arg);
                    let extents = self.graph[arg].ty.shape.clone();
                    let from = (0, strides(&extents));
                    let to = (start * target[it.axis], target.clone());
                    start += extents[it.axis];
                    steps.push(Kernel::Copy(CopyKernel { x, y, extents, from, to }));
                }
                return Ok(());
            }
            op => return Err(Error::new(format!("no step computes `{op}`"))),
        };
        steps.push(Kernel::Copy(copy));
        Ok(())
    }

    fn copy_whole(&self, x: BufferId, y: BufferId) -> Kernel {
        let len = self.buffers[x.0 as usize].ty.len();
        Kernel::Copy(CopyKernel { x, y, extents: vec![len], from: (0, vec![1]), to: (0, vec![1]) })
    }

    /// Lets the loops that compute new weights write them in place, where no later step needs the
    /// old ones; copies the rest at the end.
    fn update_weights(&mut self, steps: &mut Vec<Kernel>) {
        let mut commits = vec![];
        let outputs: Vec<Value> =
            self.graph.outputs().iter().map(|&value| base(self.graph, value)).collect();
        for &(weight, new) in self.graph.updates() {
            let (target, value) = (self.known[&weight], base(self.graph, new));
            let source = self.result(value);
            // Results lie in the arena, where callers read them.
            let is_result = outputs.contains(&value);
            if !is_result && write_in_place(steps, source, target) {
                self.known.insert(value, target);
            } else {
                commits.push(self.copy_whole(source, target));
            }
        }
        steps.extend(commits);
    }
}

/// Row-major strides, in elements.
fn strides(shape: &[usize]) -> Vec<usize> {
    (0..shape.len()).map(|axis| shape[axis + 1..].iter().product()).collect()
}

/// Makes the instruction that writes `source` write `target` instead, if that changes no result.
fn write_in_place(steps: &mut [Kernel], source: BufferId, target: BufferId) -> bool {
    let Some((at, writer)) = find_writer(steps, source) else { return false };
    let later_reads = steps[at + 1..].iter().any(|step| step.reads().contains(&target));
    let Kernel::Loop(it) = &mut steps[at] else { return false };
    let in_product = it.product.as_ref().is_some_and(|it| it.a == target || it.b == target);
    let reads_target = |instruction: &Instruction| {
        instruction.args.iter().any(|arg| matches!(arg, Operand::Memory(id, _) if *id == target))
    };
    let otherwise_walked = it.code.iter().flat_map(|it| &it.args).any(
        |arg| matches!(arg, Operand::Memory(id, walk) if *id == target && *walk != Walk::Element),
    );
    let accumulates = matches!(it.code[writer].action, Action::Accumulate(_) | Action::Row(_));
    if later_reads || in_product || otherwise_walked || accumulates {
        return false;
    }
    // Where the old weight is read again in the same block, the new one waits in a register.
    if it.code[writer + 1..].iter().any(reads_target) {
        let register = it.registers;
        it.registers += 1;
        it.code[writer].to = Destination::Register(register);
        let Instruction { dtype, span, .. } = it.code[writer];
        for arg in it.code[writer + 1..].iter_mut().flat_map(|it| &mut it.args) {
            if matches!(arg, Operand::Memory(id, _) if *id == source) {
                *arg = Operand::Register(register);
            }
        }
        let (action, args) = (Action::Move, vec![Operand::Register(register)]);
        it.code.push(Instruction { action, dtype, span, args, to: Destination::Memory(source) });
    }
    steps.iter_mut().for_each(|step| step.rename(source, target));
    true
}

fn find_writer(steps: &[Kernel], buffer: BufferId) -> Option<(usize, usize)> {
    steps.iter().enumerate().find_map(|(at, step)| {
        let Kernel::Loop(it) = step else { return None };
        let writer = it.code.iter().position(|it| it.to == Destination::Memory(buffer))?;
        Some((at, writer))
    })
}

/// Renumbers registers so that one whose value is no longer needed is used again.
fn assign_registers(it: &mut Loop) {
    let mut last_use = vec![0; it.registers];
    for (at, instruction) in it.code.iter().enumerate() {
        for arg in &instruction.args {
            if let Operand::Register(register) = arg {
                last_use[*register] = at;
            }
        }
    }
    let (mut free, mut new, mut count) = (vec![], vec![usize::MAX; it.registers], 0);
    for (at, instruction) in it.code.iter_mut().enumerate() {
        // An argument that dies here may lend its register to the result, if elements are read
        // before they are written: not by reductions, nor by results of wider elements.
        let elementwise = !matches!(instruction.action, Action::Row(_) | Action::Spread);
        let (mut lent, mut dying) = (vec![], vec![]);
        let result = instruction.result().bytes();
        for index in 0..instruction.args.len() {
            let wide_enough = result <= instruction.argument(index).bytes();
            let Operand::Register(register) = &mut instruction.args[index] else { continue };
            let (old, assigned) = (*register, new[*register]);
            *register = assigned;
            if last_use[old] == at && !lent.contains(&assigned) && !dying.contains(&assigned) {
                let list = if elementwise && wide_enough { &mut lent } else { &mut dying };
                list.push(assigned);
            }
        }
        free.append(&mut lent);
        if let Destination::Register(register) = &mut instruction.to {
            let assigned = free.pop().unwrap_or_else(|| {
                count += 1;
                count - 1
            });
            new[*register] = assigned;
            *register = assigned;
        }
        free.append(&mut dying);
    }
    it.registers = count;
}
