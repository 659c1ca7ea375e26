//! The fused loop: blocks of a space of rows and columns, and instructions run on each block.
//!
//! Loading turns a [`Loop`] into [`Micro`] operations whose every operand is a base address and
//! strides. Running walks the space in blocks that fit the nearest cache: several whole rows where
//! rows are short or must be reduced, pieces of one row otherwise. Threads share the rows, or the
//! columns; no sum is ever split between them.

mod builder;
mod chains;
mod share;

use std::ops::Range;

use oxhorn_plan::Span;

use self::share::{Split, share};
use crate::{
    kernels::{
        chains::{ARRAYS, Pass},
        elementwise::Loop as Elementwise,
        positions, reduce,
    },
    load::{Bases, Site},
    pool::Pool,
    product, threefry,
};

/// Elements of a block: with a handful of registers, what the first cache holds.
const BLOCK: usize = 1024;

/// A loop ready to run.
pub(crate) struct Tile {
    rows: usize,
    columns: usize,
    /// Whether blocks are whole rows, and how many; else pieces of a row.
    whole_rows: Option<usize>,
    product: Option<Box<Bound>>,
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

/// One operation on a block of `k` rows and `n` elements.
enum Micro {
    /// A loop over elements, or over rows.
    Map { run: Elementwise, span: Span, to: Site, args: [Site; 3] },
    /// Random words of the elements' positions.
    Random { run: threefry::Fill, to: Site, key: Site },
    /// Whether random words of the elements' positions are below a limit.
    Below { run: threefry::Below, to: Site, key: Site, limit: Site },
    /// A chain of instructions: its arguments, then its results.
    Chain { run: Pass, sites: Box<[Site]> },
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

/// A matrix product with its operands' places.
struct Bound {
    kernel: Kernel,
    batch: usize,
    mkn: [usize; 3],
    a: Site,
    b: Site,
    element_bytes: usize,
    scratch: usize,
    keep: Keep,
}

/// What is kept of a product.
#[derive(Clone, Copy)]
enum Keep {
    /// All of it, at this place.
    All(Site),
    /// The rows at hand, in scratch memory.
    Passing(Site),
}

enum Kernel {
    F32(product::Product<f32>),
    F64(product::Product<f64>),
}

impl From<product::Product<f32>> for Kernel {
    fn from(product: product::Product<f32>) -> Kernel {
        Kernel::F32(product)
    }
}

impl From<product::Product<f64>> for Kernel {
    fn from(product: product::Product<f64>) -> Kernel {
        Kernel::F64(product)
    }
}

impl Tile {
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
                    let done = &mut |rows: Range<usize>| match product.keep {
                        Keep::All(_) => self.blocks(bases, rows, columns.clone()),
                        Keep::Passing(window) => {
                            let bases = bases.of_rows(window, rows.start);
                            self.blocks(&bases, rows, columns.clone());
                        }
                    };
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
                Micro::Below { run, to, key, limit } => {
                    let (key, limit) = (*at(key).cast::<[u32; 2]>(), *at(limit).cast::<f32>());
                    run(key, position as u64, limit, at(to), rows * columns);
                }
                Micro::Chain { run, sites } => {
                    let mut arrays = [std::ptr::null_mut(); ARRAYS];
                    arrays.iter_mut().zip(sites).for_each(|(array, site)| *array = at(site));
                    run(rows * columns, arrays);
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
            let (a, b) = (at(&self.a, m * k), at(&self.b, k * n));
            let c = match &self.keep {
                Keep::All(c) => at(c, m * n),
                Keep::Passing(window) => bases.at(window, 0, 0),
            };
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
