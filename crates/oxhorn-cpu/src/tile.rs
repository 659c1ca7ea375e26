//! The fused loop: blocks of a space of rows and columns, and instructions run on each block.
//!
//! Loading turns a [`Loop`] into [`Micro`] operations whose every operand is a base address and
//! strides. Running walks the space in blocks that fit the nearest cache: several whole rows where
//! rows are short or must be reduced, pieces of one row otherwise. Threads share the rows, or the
//! columns; no sum is ever split between them.

use std::ops::Range;

use oxhorn_ir::{DType, Error, Result};
use oxhorn_plan::{
    Action, BufferId, Destination, Instruction, Loop, Operand, Product, RowAction, Span, Walk,
};

use crate::{
    isa::Isa,
    kernels::{
        elementwise::{self, Loop as Elementwise},
        pairs::{self, Side},
        positions, reduce, rows,
    },
    load::{Base, Bases, Loader, Site},
    memory::ALIGNMENT,
    pool::Pool,
    product::{self, Element, Strides},
    threefry,
};

/// Elements of a block: with a handful of registers, what the first cache holds.
const BLOCK: usize = 1024;

/// Work below which a second thread costs more than it brings, in nanoseconds.
const ALONE_NS: f64 = 10_000.0;

/// A loop ready to run.
pub(crate) struct Tile {
    rows: usize,
    columns: usize,
    /// Whether blocks are whole rows, and how many; else pieces of a row.
    whole_rows: Option<usize>,
    product: Option<Bound>,
    /// What is accumulated, as it is before the first block.
    begins: Vec<Begin>,
    /// Done by each task before its first block: copies of what is the same for all blocks.
    prologue: Vec<Micro>,
    body: Vec<Micro>,
    split: Split,
}

/// Fills what is accumulated with the value for no elements.
struct Begin {
    run: Elementwise,
    span: Span,
    to: Site,
    x: Site,
}

/// How the space is shared between threads.
#[derive(Clone, Copy, Debug)]
enum Split {
    None,
    Rows { tasks: usize, grain: usize },
    Columns { tasks: usize, grain: usize },
}

/// One operation on a block of `k` rows and `n` elements.
enum Micro {
    /// A loop over elements, or over rows.
    Map { run: Elementwise, span: Span, to: Site, args: [Site; 3] },
    /// Random words of the elements' positions.
    Random { run: RandomLoop, to: Site, key: Site },
    /// Positions along an axis.
    Positions { run: positions::PositionLoop, to: Site, extent: usize, inner: usize },
    /// Rows to one value each, or one value each to rows.
    Rows { run: reduce::MatrixLoop, to: Site, x: Site },
    /// Elements combined, column by column, with those of earlier blocks.
    Accumulate { run: reduce::MatrixLoop, to: Site, x: Site },
    /// Row values reduced to one, as exactly as a row is, and combined with those of earlier
    /// blocks.
    Total { run: [reduce::MatrixLoop; 2], to: Site, x: Site, between: Site },
    /// `columns` elements, repeated for each row of a block.
    Repeat { bytes: usize, to: Site, x: Site },
}

type RandomLoop = unsafe fn(key: [u32; 2], counter: u64, words: *mut u32, len: usize);

/// A matrix product with its operands' places.
struct Bound {
    kernel: Kernel,
    batch: usize,
    mkn: [usize; 3],
    a: Site,
    b: Site,
    c: Site,
    element_bytes: usize,
    scratch: usize,
}

enum Kernel {
    F32(product::Product<f32>),
    F64(product::Product<f64>),
}

impl Tile {
    /// The loop with its kernels and places looked up.
    pub(crate) fn load(it: &Loop, loader: &mut Loader<'_>) -> Result<Tile> {
        let mut builder = Builder::new(it, loader);
        let product = match &it.product {
            Some(product) => Some(builder.product(product)?),
            None => None,
        };
        let (mut body, mut rest) = (vec![], it.code.as_slice());
        while let Some((instruction, after)) = rest.split_first() {
            let paired = after.split_first().and_then(|(next, after)| {
                builder.pair(instruction, next, after).map(|micro| (micro, after))
            });
            let (micro, after) = match paired {
                Some(paired) => paired,
                None => (builder.micro(instruction)?, after),
            };
            body.push(micro);
            rest = after;
        }
        let Builder { rows, columns, whole_rows, begins, prologue, .. } = builder;
        let split = split(it, (rows, columns), whole_rows.is_some(), &product, loader);
        Ok(Tile { rows, columns, whole_rows, product, begins, prologue, body, split })
    }

    /// Runs the loop.
    ///
    /// # Safety
    ///
    /// `bases` are the addresses that the program was loaded for, with scratch memory for each of
    /// the pool's threads, and nobody else uses them.
    pub(crate) unsafe fn run(&self, bases: &Bases, pool: &mut Pool) {
        let (rows, columns) = (0..self.rows, 0..self.columns);
        match self.split {
            // SAFETY: the caller's promise; one task has everything to itself.
            Split::None => unsafe { self.task(&bases.of_worker(0), rows, columns) },
            Split::Rows { tasks, grain } => pool.run(tasks, &|task, worker| {
                let rows = share(self.rows, tasks, grain, task);
                // SAFETY: tasks write to different rows, and workers have scratch of their own.
                unsafe { self.task(&bases.of_worker(worker), rows, columns.clone()) }
            }),
            Split::Columns { tasks, grain } => pool.run(tasks, &|task, worker| {
                let columns = share(self.columns, tasks, grain, task);
                // SAFETY: tasks write to different columns, and workers have scratch of their own.
                unsafe { self.task(&bases.of_worker(worker), rows.clone(), columns) }
            }),
        }
    }

    /// Does a part of the space.
    ///
    /// # Safety
    ///
    /// As [`Tile::run`], and no other task has this part.
    unsafe fn task(&self, bases: &Bases, rows: Range<usize>, columns: Range<usize>) {
        // SAFETY: the caller's promises, for parts of the part.
        unsafe {
            for Begin { run, span, to, x } in &self.begins {
                let len = if *span == Span::Row { 1 } else { columns.len() };
                let x = bases.at(x, 0, 0).cast_const();
                run(len, bases.at(to, 0, columns.start), [x; 3]);
            }
            let (height, width) = match self.whole_rows {
                Some(height) => (height, self.columns),
                None => (1, BLOCK.min(columns.len())),
            };
            let first = Block { row: 0, rows: height, column: 0, columns: width };
            self.prologue.iter().for_each(|micro| micro.run(bases, &first, self.columns));
            match &self.product {
                Some(product) => {
                    let done = &mut |rows| self.blocks(bases, rows, columns.clone());
                    product.run(bases, rows, columns.clone(), done);
                }
                None => self.blocks(bases, rows, columns),
            }
        }
    }

    /// Runs the instructions on the blocks of a part of the space.
    ///
    /// # Safety
    ///
    /// As [`Tile::task`]; the prologue has been run, and the product of these rows is there.
    unsafe fn blocks(&self, bases: &Bases, rows: Range<usize>, columns: Range<usize>) {
        if self.body.is_empty() {
            return;
        }
        // SAFETY: the caller's promises, for parts of the part.
        unsafe {
            match self.whole_rows {
                Some(height) => {
                    let mut row = rows.start;
                    while row < rows.end {
                        let count = height.min(rows.end - row);
                        let block = Block { row, rows: count, column: 0, columns: self.columns };
                        self.block(bases, &block);
                        row += count;
                    }
                }
                None => {
                    for row in rows {
                        let mut column = columns.start;
                        while column < columns.end {
                            let count = BLOCK.min(columns.end - column);
                            self.block(bases, &Block { row, rows: 1, column, columns: count });
                            column += count;
                        }
                    }
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn block(&self, bases: &Bases, block: &Block) {
        for micro in &self.body {
            // SAFETY: the caller's promises.
            unsafe { micro.run(bases, block, self.columns) };
        }
    }
}

/// A part of the space.
struct Block {
    row: usize,
    rows: usize,
    column: usize,
    columns: usize,
}

impl Micro {
    /// # Safety
    ///
    /// As [`Tile::run`]; `stride` is the extent of a row of the space.
    #[inline(always)]
    unsafe fn run(&self, bases: &Bases, block: &Block, stride: usize) {
        let Block { row, rows, column, columns } = *block;
        let at = |site: &Site| bases.at(site, row, column);
        let position = row * stride + column;
        // SAFETY: every site was made for its buffer's extent, and blocks lie inside the space.
        unsafe {
            match self {
                Micro::Map { run, span, to, args } => {
                    let len = if *span == Span::Row { rows } else { rows * columns };
                    let args = [
                        at(&args[0]).cast_const(),
                        at(&args[1]).cast_const(),
                        at(&args[2]).cast_const(),
                    ];
                    run(len, at(to), args);
                }
                Micro::Random { run, to, key } => {
                    let key = *at(key).cast::<[u32; 2]>();
                    run(key, position as u64, at(to).cast(), rows * columns);
                }
                Micro::Positions { run, to, extent, inner } => {
                    run(rows * columns, at(to), position, *extent, *inner);
                }
                Micro::Rows { run, to, x } => run([rows, columns], columns, at(to), at(x)),
                Micro::Accumulate { run, to, x } => {
                    run([rows, columns], columns, at(to), at(x));
                }
                Micro::Total { run: [reduce, combine], to, x, between } => {
                    reduce([1, rows], rows, at(between), at(x));
                    combine([1, 1], 1, at(to), at(between));
                }
                Micro::Repeat { bytes, to, x } => {
                    let (to, x) = (at(to), at(x));
                    for row in 0..rows {
                        to.add(row * bytes).copy_from_nonoverlapping(x, *bytes);
                    }
                }
            }
        }
    }
}

impl Bound {
    /// Computes a part, and calls `done` with rows that are complete.
    ///
    /// # Safety
    ///
    /// As [`Tile::task`].
    unsafe fn run(
        &self,
        bases: &Bases,
        rows: Range<usize>,
        columns: Range<usize>,
        done: &mut dyn FnMut(Range<usize>),
    ) {
        let [m, k, n] = self.mkn;
        for batch in 0..self.batch {
            let first = batch * m;
            let part = rows.start.max(first)..rows.end.min(first + m);
            if part.is_empty() {
                continue;
            }
            let part = (part.start - first..part.end - first, columns.clone());
            let size = self.element_bytes;
            let at = |site: &Site, elements: usize| {
                bases.at(site, 0, 0).wrapping_add(batch * elements * size)
            };
            let (a, b, c) = (at(&self.a, m * k), at(&self.b, k * n), at(&self.c, m * n));
            let scratch = bases.scratch(self.scratch);
            let done = &mut |rows: Range<usize>| done(first + rows.start..first + rows.end);
            // SAFETY: the matrices have the extents the kernel was made for, and the part is ours.
            unsafe {
                match &self.kernel {
                    Kernel::F32(it) => {
                        it.run((a.cast(), b.cast(), c.cast()), part, scratch.cast(), done);
                    }
                    Kernel::F64(it) => {
                        it.run((a.cast(), b.cast(), c.cast()), part, scratch.cast(), done);
                    }
                }
            }
        }
    }

    fn grain(&self) -> [usize; 2] {
        match &self.kernel {
            Kernel::F32(it) => it.grain(),
            Kernel::F64(it) => it.grain(),
        }
    }
}

/// The rows or columns of task number `task`, in multiples of `grain`.
fn share(extent: usize, tasks: usize, grain: usize, task: usize) -> Range<usize> {
    let grains = extent.div_ceil(grain);
    let at = |task: usize| (grains * task / tasks * grain).min(extent);
    at(task)..at(task + 1)
}

/// Decides, by the work there is, how many threads share a loop and along which axis.
fn split(
    it: &Loop,
    (rows, columns): (usize, usize),
    whole_rows: bool,
    product: &Option<Bound>,
    loader: &Loader<'_>,
) -> Split {
    let threads = loader.threads;
    if threads == 1 || work_ns(it) < ALONE_NS {
        return Split::None;
    }
    let accumulates = |wanted: Span| {
        it.code.iter().any(|it| matches!(it.action, Action::Accumulate(_)) && it.span == wanted)
    };
    let grain = product.as_ref().map_or([1, ALIGNMENT], Bound::grain);
    let parts = |extent: usize, grain: usize| threads.min(extent.div_ceil(grain));
    let by_rows = parts(rows, grain[0]);
    let by_columns = parts(columns, grain[1]);
    if accumulates(Span::Row) {
        Split::None
    } else if !whole_rows && by_columns > 1 {
        Split::Columns { tasks: by_columns, grain: grain[1] }
    } else if !accumulates(Span::Element) && by_rows > 1 {
        Split::Rows { tasks: by_rows, grain: grain[0] }
    } else {
        Split::None
    }
}

/// Bytes of the widest element that any register holds.
fn widest(it: &Loop) -> usize {
    let bytes = |it: &Instruction| it.result().bytes().max(it.dtype.bytes());
    it.code.iter().map(bytes).max().unwrap_or(1)
}

/// What a loop costs, roughly.
fn work_ns(it: &Loop) -> f64 {
    let elements = (it.rows * it.columns) as f64;
    let product = it.product.as_ref().map_or(0.0, |it| {
        let [m, k, n] = it.mkn;
        (2 * it.batch * m * k * n) as f64 / 50.0
    });
    it.code.iter().map(|instruction| cost_ns(instruction) * elements).sum::<f64>() + product
}

/// What an instruction costs an element, roughly: to decide on threads, never on results.
fn cost_ns(instruction: &Instruction) -> f64 {
    match instruction.action {
        Action::RandomBits => 1.0,
        Action::Unary(_) => 0.3,
        Action::Row(_) | Action::Accumulate(_) => 0.2,
        _ => 0.1,
    }
}

/// Makes the operations of one loop.
struct Builder<'a, 'p> {
    loader: &'a mut Loader<'p>,
    rows: usize,
    columns: usize,
    whole_rows: Option<usize>,
    registers: usize,
    register_bytes: usize,
    begins: Vec<Begin>,
    prologue: Vec<Micro>,
    /// What the prologue has made, and where.
    made: Vec<(Operand, DType, Site)>,
}

impl<'a, 'p> Builder<'a, 'p> {
    fn new(it: &Loop, loader: &'a mut Loader<'p>) -> Builder<'a, 'p> {
        loader.begin_scratch();
        let operands = || it.code.iter().flat_map(|it| &it.args);
        let by_row =
            it.code.iter().any(|it| it.span == Span::Row || matches!(it.action, Action::Row(_)));
        let walks =
            |walk: Walk| operands().any(|arg| matches!(arg, Operand::Memory(_, it) if *it == walk));
        let accumulates = it.code.iter().any(|it| matches!(it.action, Action::Accumulate(_)));
        let shaped = by_row || accumulates || it.product.is_some();
        let shaped = shaped || walks(Walk::Row) || walks(Walk::Column);
        // Without anything that tells rows from columns, the space is one long row.
        let (rows, columns) =
            if shaped { (it.rows, it.columns) } else { (1, it.rows * it.columns) };
        let fits = BLOCK / columns.max(1);
        // Column sums bind rows together, so threads must share columns: in pieces of rows.
        let shared = accumulates && loader.threads > 1 && work_ns(it) >= ALONE_NS;
        let whole = by_row || shaped && fits > 0 && !shared;
        let whole_rows = whole.then_some(fits.clamp(1, rows.max(1)));
        let block = whole_rows.map_or(BLOCK, |height| height * columns).max(1);
        // One cache line more than a block, so that registers do not compete for the same sets.
        let register_bytes = (block * widest(it)).next_multiple_of(ALIGNMENT) + ALIGNMENT;
        let registers = loader.take_scratch(it.registers * register_bytes);
        let (begins, prologue, made) = (vec![], vec![], vec![]);
        Builder {
            loader,
            rows,
            columns,
            whole_rows,
            registers,
            register_bytes,
            begins,
            prologue,
            made,
        }
    }

    fn isa(&self) -> Isa {
        self.loader.isa
    }

    fn block_len(&self) -> usize {
        self.whole_rows.map_or(BLOCK.min(self.columns), |height| height * self.columns).max(1)
    }

    fn product(&mut self, it: &Product) -> Result<Bound> {
        let (isa, [m, k, n], loader) = (self.isa(), it.mkn, &mut *self.loader);
        let dtype = loader.ty(it.c).dtype;
        let strides = |rows: usize, columns: usize, transposed: bool| match transposed {
            true => Strides::transposed(rows),
            false => Strides::row_major(columns),
        };
        let (a, b) = (strides(m, k, it.transposed[0]), strides(k, n, it.transposed[1]));
        fn bind<T: Element>(
            kernel: product::Product<T>,
            loader: &mut Loader<'_>,
            wrap: impl Fn(product::Product<T>) -> Kernel,
        ) -> (Kernel, usize) {
            let bytes = kernel.scratch_len() * size_of::<T>();
            (wrap(kernel), loader.take_scratch(bytes))
        }
        let (kernel, scratch) = match dtype {
            DType::F32 => bind(product::Product::new(isa, it.mkn, a, b, n), loader, Kernel::F32),
            DType::F64 => bind(product::Product::new(isa, it.mkn, a, b, n), loader, Kernel::F64),
            other => return Err(Error::new(format!("there is no product of {other}"))),
        };
        let place = |id| loader.site(id, 0, 0);
        let (a, b, c) = (place(it.a), place(it.b), place(it.c));
        let element_bytes = dtype.bytes();
        Ok(Bound { kernel, batch: it.batch, mkn: it.mkn, a, b, c, element_bytes, scratch })
    }

    fn micro(&mut self, it: &Instruction) -> Result<Micro> {
        let (isa, dtype) = (self.isa(), it.dtype);
        let unsupported = || Error::new(format!("this processor has no kernel for `{it}`"));
        let run = match it.action {
            Action::Unary(op) => elementwise::unary(isa, op, dtype).ok_or_else(unsupported)?,
            Action::Binary(op) => elementwise::binary(isa, op, dtype).ok_or_else(unsupported)?,
            Action::Compare(op) => elementwise::compare(isa, op, dtype),
            Action::Select => elementwise::select(isa, dtype),
            Action::Cast(to) => elementwise::cast(isa, dtype, to),
            Action::Move => elementwise::cast(isa, dtype, dtype),
            _ => return self.other(it),
        };
        let mut args = [Site::default(); 3];
        for (index, (site, arg)) in args.iter_mut().zip(&it.args).enumerate() {
            let dtype = if it.action == Action::Select && index == 0 { DType::Bool } else { dtype };
            *site = self.operand(arg, dtype);
        }
        Ok(Micro::Map { run, span: it.span, to: self.destination(it), args })
    }

    /// Two instructions as one loop, if the second alone reads what the first gives.
    fn pair(
        &mut self,
        first: &Instruction,
        second: &Instruction,
        rest: &[Instruction],
    ) -> Option<Micro> {
        let (Action::Binary(one), Action::Binary(two)) = (first.action, second.action) else {
            return None;
        };
        let Destination::Register(register) = first.to else { return None };
        let floats = first.dtype == DType::F32 && second.dtype == DType::F32;
        let between = Operand::Register(register);
        let side = match (second.args[0] == between, second.args[1] == between) {
            (true, false) => Side::Left,
            (false, true) => Side::Right,
            _ => return None,
        };
        // Later readers of the register must come after another writer.
        let overwritten = second.to == first.to;
        let written = rest.iter().position(|it| it.to == first.to).unwrap_or(rest.len());
        let reads = |it: &Instruction| it.args.contains(&between);
        let until = rest.len().min(written + 1);
        if !floats || first.span != second.span || !overwritten && rest[..until].iter().any(reads) {
            return None;
        }
        let run = pairs::pair(self.isa(), one, two, side)?;
        let other = second.args[if side == Side::Left { 1 } else { 0 }];
        let [a, b, c] =
            [first.args[0], first.args[1], other].map(|arg| self.operand(&arg, DType::F32));
        Some(Micro::Map { run, span: second.span, to: self.destination(second), args: [a, b, c] })
    }

    /// The operations that are not loops over single elements.
    fn other(&mut self, it: &Instruction) -> Result<Micro> {
        let (isa, dtype) = (self.isa(), it.dtype);
        let unsupported = || Error::new(format!("this processor has no kernel for `{it}`"));
        let to = self.destination(it);
        let x = match it.args.first() {
            Some(Operand::Memory(id, _)) if it.action == Action::RandomBits => {
                self.loader.site(*id, 0, 0)
            }
            Some(arg) => self.operand(arg, dtype),
            None => Site::default(),
        };
        Ok(match it.action {
            Action::RandomBits => Micro::Random { run: threefry::fill(isa), to, key: x },
            Action::Iota { extent, inner } => {
                let run = positions::positions(dtype).ok_or_else(unsupported)?;
                Micro::Positions { run, to, extent, inner }
            }
            Action::Row(RowAction::Reduce(reduction)) => {
                let run = reduce::rows(isa, reduction, dtype).ok_or_else(unsupported)?;
                Micro::Rows { run, to, x }
            }
            Action::Row(RowAction::ArgMax) => Micro::Rows { run: rows::argmax(isa, dtype), to, x },
            Action::Spread => Micro::Rows { run: rows::spread(dtype), to, x },
            Action::Accumulate(reduction) => {
                let run = reduce::columns(isa, reduction, dtype).ok_or_else(unsupported)?;
                self.begin_at(reduction.identity(dtype), dtype, to, it.span);
                if it.span == Span::Element {
                    return Ok(Micro::Accumulate { run, to, x });
                }
                // Blocks of whole rows follow from the shape alone, and so does the order of a sum.
                let reduce = reduce::rows(isa, reduction, dtype).ok_or_else(unsupported)?;
                let offset = self.loader.take_scratch(dtype.bytes());
                let between = Site { base: Base::Scratch, offset, row: 0, column: 0 };
                Micro::Total { run: [reduce, run], to, x, between }
            }
            _ => return Err(unsupported()),
        })
    }

    /// Sets what is accumulated to the value for no elements, before the first block.
    fn begin_at(&mut self, identity: f64, dtype: DType, to: Site, span: Span) {
        let x = self.loader.constant(identity, dtype, 1);
        self.begins.push(Begin { run: elementwise::splat(self.isa(), dtype), span, to, x });
    }

    fn destination(&mut self, it: &Instruction) -> Site {
        let to_rows = it.span == Span::Row || matches!(it.action, Action::Row(_));
        match (it.to, it.action, it.span) {
            (Destination::Register(register), ..) => self.register(register),
            (Destination::Memory(id), Action::Accumulate(_), Span::Row) => {
                self.loader.site(id, 0, 0)
            }
            (Destination::Memory(id), Action::Accumulate(_), Span::Element) => {
                self.walked(id, Walk::Column)
            }
            (Destination::Memory(id), ..) if to_rows => self.walked(id, Walk::Row),
            (Destination::Memory(id), ..) => self.walked(id, Walk::Element),
        }
    }

    fn register(&self, register: usize) -> Site {
        let offset = self.registers + register * self.register_bytes;
        Site { base: Base::Scratch, offset, row: 0, column: 0 }
    }

    fn walked(&self, id: BufferId, walk: Walk) -> Site {
        let bytes = self.loader.ty(id).dtype.bytes();
        let (row, column) = match walk {
            Walk::Element => (self.columns * bytes, bytes),
            Walk::Row => (bytes, 0),
            Walk::Column => (0, bytes),
            Walk::Whole => (0, 0),
        };
        self.loader.site(id, row, column)
    }

    /// The place of an operand; what is the same for every block is spread out in the prologue.
    fn operand(&mut self, arg: &Operand, dtype: DType) -> Site {
        let len = self.block_len();
        match *arg {
            Operand::Register(register) => self.register(register),
            Operand::Constant(value) => self.loader.constant(value, dtype, len),
            Operand::Memory(id, Walk::Whole) => self.once(arg, dtype, |it| {
                let (run, to) = (elementwise::splat(it.isa(), dtype), it.block(dtype));
                let args = [it.loader.site(id, 0, 0), Site::default(), Site::default()];
                (Micro::Map { run, span: Span::Element, to, args }, to)
            }),
            Operand::Memory(id, Walk::Column) if self.whole_rows.is_some() => {
                self.once(arg, dtype, |it| {
                    let (x, to) = (it.walked(id, Walk::Column), it.block(dtype));
                    (Micro::Repeat { bytes: it.columns * dtype.bytes(), to, x }, to)
                })
            }
            Operand::Memory(id, walk) => self.walked(id, walk),
        }
    }

    /// Room for a block in scratch memory.
    fn block(&mut self, dtype: DType) -> Site {
        let bytes = self.block_len() * dtype.bytes();
        let offset = self.loader.take_scratch(bytes + ALIGNMENT);
        Site { base: Base::Scratch, offset, row: 0, column: 0 }
    }

    fn once(
        &mut self,
        arg: &Operand,
        dtype: DType,
        make: impl FnOnce(&mut Self) -> (Micro, Site),
    ) -> Site {
        let found = self.made.iter().find(|(known, ty, _)| known == arg && *ty == dtype);
        if let Some((.., site)) = found {
            return *site;
        }
        let (micro, site) = make(self);
        self.prologue.push(micro);
        self.made.push((*arg, dtype, site));
        site
    }
}
