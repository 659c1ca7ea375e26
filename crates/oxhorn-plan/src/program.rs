//! The program: a graph with every decision made, ready to run without allocating.
//!
//! Compiling chooses kernels, their order and the place of every byte; running only runs. All
//! working memory is one arena; weights live outside it and are updated in place.
//!
//! Nearly all work is done by one kind of step, the [`Loop`]: it walks a space of `rows × columns`
//! in blocks, may begin with a matrix product, and then runs a list of elementwise
//! [`Instruction`]s on each block while it is in the nearest cache. A dense layer with its bias,
//! activation and dropout is one loop; so is the product that gives a weight's gradient, together
//! with the optimizer's update of that weight.

use std::{fmt, ops::Range};

use oxhorn_ir::{Binary, Compare, DType, Error, Reduction, Result, Type, Unary, ensure};

/// A graph with every decision made.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// The graph's name.
    pub name: String,
    /// Every tensor that lives in memory.
    pub buffers: Vec<Buffer>,
    /// What is run, in order.
    pub steps: Vec<Step>,
    /// Name and buffer of each input, in the graph's order. They are written before every run,
    /// which may leave anything there.
    pub inputs: Vec<(String, BufferId)>,
    /// Path and buffer of each weight, in the graph's order.
    pub weights: Vec<(String, BufferId)>,
    /// The buffer of each result.
    pub outputs: Vec<BufferId>,
    /// The extent of the arena, which holds inputs and everything computed.
    pub arena_bytes: usize,
}

/// The name of a buffer, printed `b7`: an index into its program's buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BufferId(pub u32);

/// A tensor in memory, in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Buffer {
    /// Element type and shape.
    pub ty: Type,
    /// Where it lives.
    pub place: Place,
}

/// Where a buffer lives.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// In these bytes of the arena.
    Arena(Range<usize>),
    /// In the memory of this weight (an index into the program's weights).
    Weight(usize),
}

/// One kernel launch, with the buffers that it reads and writes.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What is done.
    pub kernel: Kernel,
    /// Everything read, once each.
    pub reads: Vec<BufferId>,
    /// Everything written.
    pub writes: Vec<BufferId>,
}

/// The kinds of step.
#[derive(Clone, Debug, PartialEq)]
pub enum Kernel {
    /// A fused loop.
    Loop(Loop),
    /// Elements moved from one strided layout to another.
    Copy(CopyKernel),
    /// A reduction that no loop could take in: `x[outer, extent, inner] → y[outer, inner]`.
    Reduce {
        /// How elements combine.
        reduction: Reduction,
        /// The argument.
        x: BufferId,
        /// The result.
        y: BufferId,
        /// Extents before, along and after the reduced axes.
        extents: [usize; 3],
    },
    /// The index of the greatest: `x[outer, extent, inner] → y[outer, inner]`.
    ArgMax {
        /// The argument.
        x: BufferId,
        /// The result, `i32`.
        y: BufferId,
        /// Extents before, along and after the axis.
        extents: [usize; 3],
    },
    /// Slices of `x[outer, extent, inner]` picked by index: `y[outer, indices, inner]`.
    Gather {
        /// The argument.
        x: BufferId,
        /// The indices, `i32` or `i64`.
        indices: BufferId,
        /// The result.
        y: BufferId,
        /// Extents before, along and after the axis.
        extents: [usize; 3],
    },
    /// `y = x`, then `updates[outer, indices, inner]` added to `y[outer, extent, inner]`.
    ScatterAdd {
        /// What is added to.
        x: BufferId,
        /// The indices, `i32` or `i64`.
        indices: BufferId,
        /// What is added.
        updates: BufferId,
        /// The result.
        y: BufferId,
        /// Extents before, along and after the axis.
        extents: [usize; 3],
    },
}

/// A fused loop over `rows × columns`.
#[derive(Clone, Debug, PartialEq)]
pub struct Loop {
    /// Extent of all axes but the last.
    pub rows: usize,
    /// Extent of the last axis.
    pub columns: usize,
    /// A matrix product computed first, whose result instructions read from memory.
    pub product: Option<Product>,
    /// What is done to each block, in order.
    pub code: Vec<Instruction>,
    /// How many registers the code uses, each holding one block.
    pub registers: usize,
}

/// A batched matrix product `C[b] = A[b] · B[b]`, each row-major, `A` or `B` perhaps transposed.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    /// The left operand.
    pub a: BufferId,
    /// The right operand.
    pub b: BufferId,
    /// The result.
    pub c: BufferId,
    /// The number of products.
    pub batch: usize,
    /// Rows of `A` and `C`, columns of `A`, columns of `B` and `C`.
    pub mkn: [usize; 3],
    /// Whether `A` and `B` are stored transposed.
    pub transposed: [bool; 2],
}

/// One elementwise action on a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Instruction {
    /// What is done.
    pub action: Action,
    /// The element type of the arguments that are numbers (a mask's is always `bool`).
    pub dtype: DType,
    /// Whether it is done for each element or for each row.
    pub span: Span,
    /// To what.
    pub args: Vec<Operand>,
    /// Where the result goes.
    pub to: Destination,
}

/// What an instruction does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// A function of one element.
    Unary(Unary),
    /// A function of two elements.
    Binary(Binary),
    /// A question about two elements.
    Compare(Compare),
    /// One of two elements, by a mask.
    Select,
    /// The same number as another type.
    Cast(DType),
    /// The same number.
    Move,
    /// The random word of each element's position, under the key that is the argument.
    RandomBits,
    /// The position along an axis: `(position / inner) % extent`.
    Iota {
        /// The extent of the axis.
        extent: usize,
        /// The product of the extents after it.
        inner: usize,
    },
    /// The elements of each row, combined: from [`Span::Element`] to [`Span::Row`].
    Row(RowAction),
    /// Each row's value, repeated along the row: from [`Span::Row`] to [`Span::Element`].
    Spread,
    /// Elements combined over all rows, into memory, complete when the loop is.
    Accumulate(Reduction),
}

/// How the elements of a row become one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RowAction {
    /// They are combined.
    Reduce(Reduction),
    /// The index of the greatest.
    ArgMax,
}

/// How often an instruction is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// For each element of the block.
    Element,
    /// For each row of the block.
    Row,
}

/// Where an argument comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operand {
    /// A register.
    Register(usize),
    /// Memory.
    Memory(BufferId, Walk),
    /// One number for all.
    Constant(f64),
}

/// How memory is walked along with the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// One element for each of the loop's.
    Element,
    /// One element for each row.
    Row,
    /// One element for each column.
    Column,
    /// The same for all.
    Whole,
}

/// Where a result goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Destination {
    /// A register.
    Register(usize),
    /// Memory, walked as the instruction's span says.
    Memory(BufferId),
}

/// `y[start_y + Σ i·stride_y] = x[start_x + Σ i·stride_x]` for all `i` below `extents`; strides and
/// starts count elements.
#[derive(Clone, Debug, PartialEq)]
pub struct CopyKernel {
    /// The source.
    pub x: BufferId,
    /// The target.
    pub y: BufferId,
    /// The extents of the walk.
    pub extents: Vec<usize>,
    /// Start and strides in the source.
    pub from: (usize, Vec<usize>),
    /// Start and strides in the target.
    pub to: (usize, Vec<usize>),
}

impl Program {
    /// The buffer of this name.
    pub fn buffer(&self, id: BufferId) -> &Buffer {
        &self.buffers[id.0 as usize]
    }

    /// Checks the planner's work by replaying it: every read must find its value whole, just where
    /// it was written, and nothing may be written over what is still being read.
    pub fn verify(&self) -> Result<()> {
        let mut live: Vec<BufferId> = self.inputs.iter().map(|(_, id)| *id).collect();
        live.extend(self.weights.iter().map(|(_, id)| *id));
        for (index, step) in self.steps.iter().enumerate() {
            for &read in &step.reads {
                let known = live.contains(&read) || step.writes.contains(&read);
                ensure!(
                    known,
                    "step {index} reads {read}, which is overwritten or not yet written"
                );
            }
            if let Some(read) = step.kernel.reads_ahead(&live) {
                let message = format!("step {index} reads all of {read} while it computes it");
                return Err(Error::new(message));
            }
            for &write in &step.writes {
                if let Place::Arena(bytes) = &self.buffer(write).place {
                    let inside = bytes.end <= self.arena_bytes;
                    ensure!(inside, "step {index} writes {write} outside the arena");
                }
                for &read in &step.reads {
                    let (a, b) = (self.buffer(read), self.buffer(write));
                    let apart = a.place == b.place || !a.place.overlaps(&b.place);
                    ensure!(apart, "step {index} writes {write} over part of {read}, its input");
                }
            }
            for &write in &step.writes {
                let place = &self.buffer(write).place;
                live.retain(|&id| id != write && !self.buffer(id).place.overlaps(place));
            }
            live.extend(&step.writes);
        }
        for output in &self.outputs {
            ensure!(live.contains(output), "the result {output} is overwritten before the end");
        }
        Ok(())
    }
}

impl Step {
    /// A step with the buffers its kernel touches.
    pub fn new(kernel: Kernel) -> Step {
        Step { reads: kernel.reads(), writes: kernel.writes(), kernel }
    }
}

impl Kernel {
    /// A buffer that a loop writes and of which an earlier turn reads what a later one computes.
    fn reads_ahead(&self, live: &[BufferId]) -> Option<BufferId> {
        let Kernel::Loop(it) = self else { return None };
        let writes = self.writes();
        it.code.iter().flat_map(|instruction| &instruction.args).find_map(|arg| match arg {
            Operand::Memory(id, Walk::Column | Walk::Whole)
                if writes.contains(id) && !live.contains(id) =>
            {
                Some(*id)
            }
            _ => None,
        })
    }

    /// Everything read, once each.
    pub fn reads(&self) -> Vec<BufferId> {
        let mut reads = match self {
            Kernel::Loop(it) => {
                let mut reads: Vec<BufferId> =
                    it.product.iter().flat_map(|product| [product.a, product.b]).collect();
                for arg in it.code.iter().flat_map(|instruction| &instruction.args) {
                    if let Operand::Memory(id, _) = arg {
                        reads.push(*id);
                    }
                }
                reads
            }
            Kernel::Copy(it) => vec![it.x],
            Kernel::Reduce { x, .. } | Kernel::ArgMax { x, .. } => vec![*x],
            Kernel::Gather { x, indices, .. } => vec![*x, *indices],
            Kernel::ScatterAdd { x, indices, updates, .. } => vec![*x, *indices, *updates],
        };
        reads.sort_unstable();
        reads.dedup();
        reads
    }

    /// Everything written, once each.
    pub fn writes(&self) -> Vec<BufferId> {
        match self {
            Kernel::Loop(it) => {
                let mut writes: Vec<BufferId> = it.product.iter().map(|it| it.c).collect();
                for instruction in &it.code {
                    if let Destination::Memory(id) = instruction.to {
                        writes.push(id);
                    }
                }
                writes
            }
            Kernel::Copy(CopyKernel { y, .. })
            | Kernel::Reduce { y, .. }
            | Kernel::ArgMax { y, .. }
            | Kernel::Gather { y, .. }
            | Kernel::ScatterAdd { y, .. } => vec![*y],
        }
    }

    /// Puts one buffer in the place of another.
    pub(crate) fn rename(&mut self, from: BufferId, to: BufferId) {
        let change = |id: &mut BufferId| {
            if *id == from {
                *id = to;
            }
        };
        match self {
            Kernel::Loop(it) => {
                if let Some(Product { a, b, c, .. }) = &mut it.product {
                    [a, b, c].into_iter().for_each(change);
                }
                for instruction in &mut it.code {
                    for arg in &mut instruction.args {
                        if let Operand::Memory(id, _) = arg {
                            change(id);
                        }
                    }
                    if let Destination::Memory(id) = &mut instruction.to {
                        change(id);
                    }
                }
            }
            Kernel::Copy(CopyKernel { x, y, .. })
            | Kernel::Reduce { x, y, .. }
            | Kernel::ArgMax { x, y, .. } => [x, y].into_iter().for_each(change),
            Kernel::Gather { x, indices, y, .. } => [x, indices, y].into_iter().for_each(change),
            Kernel::ScatterAdd { x, indices, updates, y, .. } => {
                [x, indices, updates, y].into_iter().for_each(change);
            }
        }
    }
}

impl Instruction {
    /// The element type of the result.
    pub fn result(&self) -> DType {
        match self.action {
            Action::Compare(_) => DType::Bool,
            Action::Unary(op) => op.result(self.dtype),
            Action::Cast(to) => to,
            Action::RandomBits => DType::U32,
            Action::Row(RowAction::ArgMax) => DType::I32,
            _ => self.dtype,
        }
    }

    /// The element type of argument number `index`.
    pub fn argument(&self, index: usize) -> DType {
        match self.action {
            Action::Select if index == 0 => DType::Bool,
            _ => self.dtype,
        }
    }

    /// Whether the result has one element for each of the loop's.
    pub fn writes_elements(&self) -> bool {
        self.span == Span::Element && !matches!(self.action, Action::Row(_) | Action::Accumulate(_))
    }
}

impl Place {
    fn overlaps(&self, other: &Place) -> bool {
        match (self, other) {
            (Place::Arena(a), Place::Arena(b)) => a.start < b.end && b.start < a.end,
            (Place::Weight(a), Place::Weight(b)) => a == b,
            _ => false,
        }
    }
}

impl fmt::Display for BufferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b{}", self.0)
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operand::Register(register) => write!(f, "r{register}"),
            Operand::Memory(id, Walk::Element) => write!(f, "{id}"),
            Operand::Memory(id, Walk::Row) => write!(f, "{id}[row]"),
            Operand::Memory(id, Walk::Column) => write!(f, "{id}[column]"),
            Operand::Memory(id, Walk::Whole) => write!(f, "{id}[]"),
            Operand::Constant(value) => write!(f, "{value}"),
        }
    }
}

impl fmt::Display for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to {
            Destination::Register(register) => write!(f, "r{register} = ")?,
            Destination::Memory(id) => write!(f, "{id} = ")?,
        }
        let name = match self.action {
            Action::Unary(op) => oxhorn_ir::Op::from(op).to_string(),
            Action::Binary(op) => oxhorn_ir::Op::from(op).to_string(),
            Action::Compare(op) => oxhorn_ir::Op::from(op).to_string(),
            Action::Select => "select".to_owned(),
            Action::Cast(dtype) => format!("cast.{dtype}"),
            Action::Move => "move".to_owned(),
            Action::RandomBits => "random_bits".to_owned(),
            Action::Iota { extent, inner } => format!("iota[{extent}, {inner}]"),
            Action::Row(RowAction::Reduce(reduction)) => {
                format!("row_{reduction:?}").to_lowercase()
            }
            Action::Row(RowAction::ArgMax) => "row_argmax".to_owned(),
            Action::Spread => "spread".to_owned(),
            Action::Accumulate(reduction) => format!("accumulate_{reduction:?}").to_lowercase(),
        };
        write!(f, "{name}.{}", self.dtype)?;
        if self.span == Span::Row {
            write!(f, "/row")?;
        }
        self.args.iter().try_for_each(|arg| write!(f, " {arg}"))
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kernel::Loop(Loop { rows, columns, product, code, .. }) => {
                write!(f, "loop {rows} × {columns}")?;
                if let Some(Product { a, b, c, transposed, mkn: [m, k, n], batch }) = product {
                    let mark = |transposed: bool| if transposed { "ᵀ" } else { "" };
                    let (left, right) = (mark(transposed[0]), mark(transposed[1]));
                    write!(f, "\n        {c} = {a}{left} · {b}{right}  ({batch}×{m}×{k}×{n})")?;
                }
                code.iter().try_for_each(|instruction| write!(f, "\n        {instruction}"))
            }
            Kernel::Copy(CopyKernel { x, y, extents, .. }) => {
                write!(f, "copy {y} = {x} {extents:?}")
            }
            Kernel::Reduce { reduction, x, y, extents } => {
                write!(f, "reduce {y} = {reduction:?} {x} {extents:?}")
            }
            Kernel::ArgMax { x, y, extents } => write!(f, "argmax {y} = {x} {extents:?}"),
            Kernel::Gather { x, indices, y, extents } => {
                write!(f, "gather {y} = {x} {indices} {extents:?}")
            }
            Kernel::ScatterAdd { x, indices, updates, y, extents } => {
                write!(f, "scatter_add {y} = {x} {indices} {updates} {extents:?}")
            }
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "program {} ({} bytes of arena)", self.name, self.arena_bytes)?;
        for (name, id) in self.inputs.iter().chain(&self.weights) {
            writeln!(f, "    {id}: {} = {name:?}", self.buffer(*id).ty)?;
        }
        for (index, step) in self.steps.iter().enumerate() {
            writeln!(f, "    {index}: {}", step.kernel)?;
        }
        let outputs: Vec<String> = self.outputs.iter().map(BufferId::to_string).collect();
        writeln!(f, "    return {}", outputs.join(", "))
    }
}
