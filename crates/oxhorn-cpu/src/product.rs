//! The matrix product `c = a · b`, of f32 and of f64, in any arrangement of its operands.
//!
//! Every element of `c` is one chain of multiply-adds from zero, in the order of `k`. So its bits
//! depend neither on how the work is split over threads, nor on the tiles it is cut into, nor on
//! the instruction set, as long as that fuses a product with its sum. [`Isa::Plain`] does not.

mod vector;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod plain;

use crate::isa::Isa;
use std::ops::Range;
use vector::{Kernels, Start, Tile};

/// The longest piece of `k` that is taken at once: of packed `b`, 16 columns are half of the first
/// cache.
const DEPTH: usize = 256;

/// The most rows of `a` to go over with one piece of `b`: they stay in the second cache.
const HEIGHT: usize = 128;

/// The most bytes of results that pass through the second cache, where only rows at hand are kept.
const WINDOW: usize = 256 << 10;

/// The most columns of `b` that are packed at once, if several blocks of rows go over them.
const WIDTH: usize = 1024;

/// The same, if it is one block: they stay in the second cache.
const NARROW: usize = 256;

/// Rows of `b` that are packed together, across panels: as many pages are read side by side.
const PAGES: usize = 8;

/// From this many bytes on, `b` is packed though its rows are in order: rows that lie far apart
/// compete for the same few lines of the cache.
const LARGE: usize = 128 << 10;

/// From this many bytes on, `a` is packed along with `b`: it does not stay in the first cache while
/// tiles go over it again and again.
const LARGE_A: usize = 16 << 10;

/// Too few rows to earn back the packing of a large `b`.
const FEW_ROWS: usize = 16;

/// How a matrix lies in memory: `x[r, c]` is `r · row + c · column` elements from the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Strides {
    /// Elements from one row to the next.
    pub row: usize,
    /// Elements from one column to the next.
    pub column: usize,
}

impl Strides {
    /// Of a matrix stored row by row with this many columns.
    pub fn row_major(columns: usize) -> Strides {
        Strides { row: columns, column: 1 }
    }

    /// Of the transpose of a matrix stored row by row with this many columns.
    pub fn transposed(columns: usize) -> Strides {
        Strides { row: 1, column: columns }
    }

    fn at(&self, row: usize, column: usize) -> usize {
        row * self.row + column * self.column
    }
}

/// A type that products are compiled for: f32 and f64.
pub trait Element: Copy + Default + Send + Sync + sealed::Compiled {}

impl Element for f32 {}
impl Element for f64 {}

mod sealed {
    use super::{Isa, Kernels};

    pub trait Compiled: Sized + 'static {
        #[allow(private_interfaces, reason = "nobody outside can name this trait")]
        fn kernels(isa: Isa) -> &'static Kernels<Self>;

        /// With registers of half the width, where both widths are there to choose from.
        #[allow(private_interfaces, reason = "nobody outside can name this trait")]
        fn narrow_kernels(isa: Isa) -> Option<&'static Kernels<Self>>;
    }
}

macro_rules! compiled {
    ($element:ty, $name:ident, $narrow:ident) => {
        impl sealed::Compiled for $element {
            #[allow(private_interfaces, reason = "nobody outside can name this trait")]
            fn kernels(isa: Isa) -> &'static Kernels<$element> {
                match isa {
                    #[cfg(target_arch = "aarch64")]
                    Isa::Neon => &neon::$name,
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2 => &avx2::$name,
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512 => &avx512::$name,
                    _ => &plain::$name,
                }
            }

            #[allow(private_interfaces, reason = "nobody outside can name this trait")]
            fn narrow_kernels(isa: Isa) -> Option<&'static Kernels<$element>> {
                match isa {
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512 => Some(&avx512::$narrow),
                    _ => None,
                }
            }
        }
    };
}

compiled!(f32, F32, NARROW_F32);
compiled!(f64, F64, NARROW_F64);

/// Whether an operand is copied into the order its tiles read it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    /// Read where it lies.
    None,
    /// Copied row by row.
    Rows,
    /// Copied column by column, in squares turned within registers.
    Columns,
    /// Neither rows nor columns are contiguous: copied element by element.
    Elements,
}

/// What is kept of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    /// All of it.
    All,
    /// The rows at hand, which lie where those of the block before lay.
    Block,
}

/// A product of known extents, its kernels chosen.
#[derive(Clone, Copy)]
pub struct Product<T: Element> {
    extents: [usize; 3],
    a: Strides,
    b: Strides,
    c_row: usize,
    kernels: &'static Kernels<T>,
    packing: Packing,
    packs_a: bool,
    keep: Keep,
    /// The most rows of a block.
    height: usize,
}

/// A part of the product.
struct Block {
    rows: Range<usize>,
    columns: Range<usize>,
    depth: Range<usize>,
}

/// A block of `a`.
#[derive(Clone, Copy)]
enum Left<T> {
    /// Where it lies in the matrix.
    Strided(*const T, Strides),
    /// Tile by tile, each column by column.
    Packed(*const T),
}

impl<T: Element> Product<T> {
    /// Of `a: [m, k]` and `b: [k, n]`, to be written to `c: [m, n]`, whose rows lie `c_row`
    /// elements apart and whose columns side by side. `extents` is `[m, k, n]`.
    pub fn new(isa: Isa, extents: [usize; 3], a: Strides, b: Strides, c_row: usize) -> Product<T> {
        let [m, k, n] = extents;
        let mut kernels = T::kernels(isa);
        // Half of a wide register would idle, and narrow ones come in twice the number.
        if let Some(narrow) = T::narrow_kernels(isa)
            && n <= narrow.lanes
        {
            kernels = narrow;
        }
        let large = k * n * size_of::<T>() > LARGE && m > FEW_ROWS;
        let packing = match b {
            _ if b.column == 1 || n == 1 => {
                if large {
                    Packing::Rows
                } else {
                    Packing::None
                }
            }
            _ if b.row == 1 || k == 1 => Packing::Columns,
            _ => Packing::Elements,
        };
        let packs_a = packing != Packing::None && m * k * size_of::<T>() > LARGE_A;
        let (keep, height) = (Keep::All, HEIGHT);
        Product { extents, a, b, c_row, kernels, packing, packs_a, keep, height }
    }

    /// The same for results that nobody looks at after `done`, where that is possible: `c` then has
    /// room for the rows of one block, [`Product::window_len`] elements, and each block overwrites
    /// the one before. What passes so never leaves the second cache.
    pub fn passing(self) -> Option<Product<T>> {
        let [m, k, n] = self.extents;
        let rows = self.packed_rows();
        let wanted = WINDOW / size_of::<T>() / self.c_row.max(1) / rows * rows;
        let height = wanted.clamp(rows, HEIGHT).min(m.max(1));
        let it = Product { keep: Keep::Block, height, ..self };
        // Otherwise sums go on over later pieces, of `k` or of the columns.
        let in_one_piece = it.packing == Packing::None || k <= DEPTH && n <= it.width();
        in_one_piece.then_some(it)
    }

    /// Elements of room that the rows of one block need, of a product that is [passing].
    ///
    /// [passing]: Product::passing
    pub fn window_len(&self) -> usize {
        self.height * self.c_row
    }

    /// Elements of scratch memory that [`Product::run`] needs.
    pub fn scratch_len(&self) -> usize {
        match self.packing {
            Packing::None => 0,
            _ => self.packed_a() + self.packed_b() + alignment::<T>(),
        }
    }

    /// Numbers of rows and of columns that are worth a call: parts that are multiples of these
    /// waste no lanes.
    pub fn grain(&self) -> [usize; 2] {
        [self.kernels.tiles[self.kernels.tiles.len() - 1].len(), self.panel()]
    }

    /// Computes the given rows and columns of `c`; parts may be computed by several threads at
    /// once, each with its own scratch memory. Calls `done` with each block of rows that is
    /// finished, in order, while it is in a near cache.
    ///
    /// # Safety
    /// `a`, `b` and `c` are matrices of the extents and strides given to [`Product::new`], but `c`
    /// of a product that is passing is room for a block of this task's own. Nobody else writes to
    /// `a` or `b` or looks at this part of `c` meanwhile, and `c` overlaps neither. `scratch` has
    /// room for [`Product::scratch_len`] elements. The machine has the instruction set given.
    pub unsafe fn run(
        &self,
        (a, b, c): (*const T, *const T, *mut T),
        (rows, columns): (Range<usize>, Range<usize>),
        scratch: *mut T,
        done: &mut dyn FnMut(Range<usize>),
    ) {
        let [m, k, n] = self.extents;
        debug_assert!(rows.end <= m && columns.end <= n, "a part of {m} by {n}");
        if rows.is_empty() {
            return;
        }
        if k == 0 || columns.is_empty() {
            for rows in split(rows, self.height) {
                let c = self.row_zero(c, rows.start);
                for r in rows.clone() {
                    let to = c.wrapping_add(r * self.c_row + columns.start);
                    // SAFETY: row r of c has these columns.
                    unsafe { to.write_bytes(0, columns.len()) };
                }
                done(rows);
            }
            return;
        }
        if self.packing == Packing::None {
            for rows in split(rows, self.height) {
                let c = self.row_zero(c, rows.start);
                for panel in self.panels(columns.clone()) {
                    let b = b.wrapping_add(panel.start * self.b.column);
                    let block = Block { rows: rows.clone(), columns: panel, depth: 0..k };
                    let a = Left::Strided(a.wrapping_add(rows.start * self.a.row), self.a);
                    // SAFETY: as promised by the caller.
                    unsafe { self.tiles(&block, a, (b, self.b.row), c) };
                }
                done(rows);
            }
            return;
        }
        let whole = Block { rows, columns, depth: 0..k };
        let aligned = scratch.align_offset(alignment::<T>() * size_of::<T>());
        // SAFETY: as promised by the caller.
        unsafe { self.run_packed((a, b, c), whole, scratch.wrapping_add(aligned), done) };
    }

    /// Block by block: of `k`, of the columns, and of the rows.
    ///
    /// # Safety
    /// As [`Product::run`].
    unsafe fn run_packed(
        &self,
        (a, b, c): (*const T, *const T, *mut T),
        whole: Block,
        packed_b: *mut T,
        done: &mut dyn FnMut(Range<usize>),
    ) {
        let packed_a = packed_b.wrapping_add(self.packed_b());
        for depth in split(whole.depth.clone(), DEPTH) {
            for columns in split(whole.columns.clone(), self.width()) {
                let right = Block { rows: 0..0, columns: columns.clone(), depth: depth.clone() };
                // SAFETY: this part of b exists, and there is room for it.
                unsafe { self.pack_b(&right, b, packed_b) };
                let last = depth.end == whole.depth.end && columns.end == whole.columns.end;
                for rows in split(whole.rows.clone(), self.height) {
                    let c = self.row_zero(c, rows.start);
                    let from = a.wrapping_add(self.a.at(rows.start, depth.start));
                    let mut left = Left::Strided(from, self.a);
                    if self.packs_a {
                        left = Left::Packed(packed_a);
                    }
                    if self.packs_a && (self.many_blocks() || columns.start == whole.columns.start)
                    {
                        // SAFETY: this part of a exists, and there is room for it.
                        unsafe { self.pack_a([rows.len(), depth.len()], from, packed_a) };
                    }
                    for (index, columns) in self.panels(columns.clone()).enumerate() {
                        let slot = packed_b.wrapping_add(index * self.slot());
                        let block = Block { rows: rows.clone(), columns, depth: depth.clone() };
                        // SAFETY: the parts of a and b are those of the block.
                        unsafe { self.tiles(&block, left, (slot, self.panel()), c) };
                    }
                    if last {
                        done(rows);
                    }
                }
            }
        }
    }

    /// Where row 0 would lie, of a result whose block begins with this row.
    fn row_zero(&self, c: *mut T, row: usize) -> *mut T {
        match self.keep {
            Keep::All => c,
            Keep::Block => c.wrapping_sub(row * self.c_row),
        }
    }

    /// Adds the products over a piece of `k` to the tiles of a panel of `c`. `a` is where the block
    /// begins, `b` likewise.
    ///
    /// # Safety
    /// As [`Product::run`]; the columns are at most a panel of them.
    unsafe fn tiles(&self, block: &Block, a: Left<T>, (b, b_row): (*const T, usize), c: *mut T) {
        let Block { rows, columns, depth } = block;
        let tiles = self.kernels.tiles[columns.len().div_ceil(self.kernels.lanes) - 1];
        let start = if depth.start == 0 { Start::Zero } else { Start::Resume };
        let most = match a {
            Left::Strided(..) => tiles.len(),
            Left::Packed(_) => self.packed_rows(),
        };
        for part in split(rows.clone(), most) {
            let first = part.start - rows.start;
            let (a, a_row, a_column) = match a {
                Left::Strided(a, Strides { row, column }) => {
                    (a.wrapping_add(first * row), row, column)
                }
                Left::Packed(a) => (a.wrapping_add(first * depth.len()), 1, part.len()),
            };
            let tile = Tile {
                k: depth.len(),
                a,
                a_row: a_row as isize,
                a_column: a_column as isize,
                b,
                b_row: b_row as isize,
                c: c.wrapping_add(part.start * self.c_row + columns.start),
                c_row: self.c_row,
                columns: columns.len(),
                start,
            };
            // SAFETY: the rows, columns and depth of the tile lie within the matrices, and the
            // kernel is the one for this number of rows and of registers.
            unsafe { tiles[part.len() - 1](&tile) };
        }
    }

    /// Copies a block of `a` into the order of its tiles, one after the other, each column by
    /// column.
    ///
    /// # Safety
    /// The block exists, and there is room for it.
    unsafe fn pack_a(&self, [m, k]: [usize; 2], a: *const T, packed: *mut T) {
        let (row, column) = (self.a.row as isize, self.a.column as isize);
        for part in split(0..m, self.packed_rows()) {
            let from = (a.wrapping_add(part.start * self.a.row), row, column);
            // SAFETY: these rows are some of the block's.
            unsafe { self.kernels.gather[part.len() - 1](k, from, packed.add(part.start * k)) };
        }
    }

    /// Copies a block of `b`, panel by panel.
    ///
    /// # Safety
    /// It exists, and there is room for it.
    unsafe fn pack_b(&self, block: &Block, b: *const T, packed: *mut T) {
        let pieces = match self.packing {
            Packing::Rows => PAGES,
            _ => block.depth.len(),
        };
        for depth in split(block.depth.clone(), pieces) {
            for (index, panel) in self.panels(block.columns.clone()).enumerate() {
                let row = depth.start - block.depth.start;
                let to = packed.wrapping_add(index * self.slot() + row * self.panel());
                let from = b.wrapping_add(self.b.at(depth.start, panel.start));
                // SAFETY: this part of b exists, and there is room for it.
                unsafe { self.pack([depth.len(), panel.len()], from, to) };
            }
        }
    }

    /// Copies `k` rows and `n` columns from `b` to the panel, whose rows are one panel wide.
    ///
    /// # Safety
    /// They exist, and the panel has room for them.
    unsafe fn pack(&self, [k, n]: [usize; 2], b: *const T, panel: *mut T) {
        let width = self.panel();
        let lanes = self.kernels.lanes;
        // SAFETY: indices stay below k and n, and squares lie within both.
        unsafe {
            match self.packing {
                Packing::None => {}
                Packing::Rows => {
                    (self.kernels.copy)([k, n], b, self.b.row as isize, panel, width);
                }
                Packing::Columns if k >= lanes && n >= lanes => {
                    for j in squares(n, lanes) {
                        for p in squares(k, lanes) {
                            let (from, to) =
                                (b.add(j * self.b.column + p), panel.add(p * width + j));
                            (self.kernels.transpose)(from, self.b.column as isize, to, width);
                        }
                    }
                }
                Packing::Columns | Packing::Elements => {
                    for j in 0..n {
                        for p in 0..k {
                            *panel.add(p * width + j) = *b.add(p * self.b.row + j * self.b.column);
                        }
                    }
                }
            }
        }
    }

    /// Columns of the widest tile.
    fn panel(&self) -> usize {
        self.kernels.tiles.len() * self.kernels.lanes
    }

    /// Rows of the widest tile: as many as tiles of any width have, and packed rows lie together.
    fn packed_rows(&self) -> usize {
        self.kernels.tiles[self.kernels.tiles.len() - 1].len()
    }

    /// The most of `k` that is taken at once from packed operands.
    fn depth(&self) -> usize {
        self.extents[1].min(DEPTH)
    }

    /// Whether several blocks of rows go over `b`.
    fn many_blocks(&self) -> bool {
        self.extents[0] > self.height
    }

    /// The most columns of `b` that are packed at once.
    fn width(&self) -> usize {
        if self.many_blocks() { WIDTH } else { NARROW }
    }

    /// Elements of room for a packed panel.
    fn slot(&self) -> usize {
        self.depth() * self.panel()
    }

    /// Elements of room for packed `b`.
    fn packed_b(&self) -> usize {
        let columns = self.extents[2].min(self.width());
        columns.div_ceil(self.kernels.lanes).div_ceil(self.kernels.tiles.len()) * self.slot()
    }

    /// Elements of room for packed `a`.
    fn packed_a(&self) -> usize {
        if self.packs_a { self.extents[0].min(self.height) * self.depth() } else { 0 }
    }

    /// The columns in parts of whole registers, as even as can be.
    fn panels(&self, columns: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let lanes = self.kernels.lanes;
        let registers = columns.len().div_ceil(lanes);
        split(0..registers, self.kernels.tiles.len()).map(move |part| {
            let start = columns.start + part.start * lanes;
            start..columns.end.min(columns.start + part.end * lanes)
        })
    }
}

/// Elements in a line of the cache, which packed panels begin with.
fn alignment<T>() -> usize {
    64 / size_of::<T>()
}

/// As few parts as can be, none longer than `most`, whose lengths differ by one at most.
fn split(range: Range<usize>, most: usize) -> impl Iterator<Item = Range<usize>> {
    let parts = range.len().div_ceil(most.max(1));
    let mut start = range.start;
    (0..parts).map(move |i| {
        let end = start + (range.end - start).div_ceil(parts - i);
        std::mem::replace(&mut start, end)..end
    })
}

/// Where squares of `lanes` begin that cover `0..len`: the last is moved back to end where it does.
fn squares(len: usize, lanes: usize) -> impl Iterator<Item = usize> {
    (0..len).step_by(lanes).map(move |i| i.min(len - lanes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which operands are stored transposed.
    #[derive(Clone, Copy, Debug)]
    enum Form {
        Nn,
        Tn,
        Nt,
        Tt,
        /// Every other column of every third row.
        Spaced,
    }

    const FORMS: [Form; 5] = [Form::Nn, Form::Tn, Form::Nt, Form::Tt, Form::Spaced];

    const SHAPES: [[usize; 3]; 21] = [
        [0, 3, 4],
        [3, 0, 4],
        [3, 4, 0],
        [1, 1, 1],
        [1, 7, 1],
        [2, 1, 3],
        [5, 3, 8],
        [9, 17, 5],
        [7, 16, 16],
        [8, 33, 17],
        [13, 16, 33],
        [17, 25, 47],
        [32, 64, 10],
        [19, 31, 49],
        [1, 400, 97],
        [25, 385, 100],
        [241, 20, 51],
        [33, 400, 113],
        [250, 390, 97],
        [20, 300, 530],
        [131, 259, 290],
    ];

    fn strides(form: Form, [m, k, n]: [usize; 3]) -> (Strides, Strides) {
        match form {
            Form::Nn => (Strides::row_major(k), Strides::row_major(n)),
            Form::Tn => (Strides::transposed(m), Strides::row_major(n)),
            Form::Nt => (Strides::row_major(k), Strides::transposed(k)),
            Form::Tt => (Strides::transposed(m), Strides::transposed(k)),
            Form::Spaced => {
                let spaced = |columns: usize| Strides { row: 6 * columns, column: 2 };
                (spaced(k), spaced(n))
            }
        }
    }

    /// Numbers in -1..1 that are not small multiples of one another.
    fn numbers<T: Element>(len: usize, seed: u32, number: fn(f64) -> T) -> Vec<T> {
        let mut words = vec![0; len];
        // SAFETY: there is room for `len` words, and every machine is plain.
        unsafe { crate::threefry::fill(Isa::Plain)([seed, 1], 0, words.as_mut_ptr(), len) };
        words.into_iter().map(|w| number(w as f64 / 2f64.powi(31) - 1.0)).collect()
    }

    struct Case<T> {
        extents: [usize; 3],
        a: (Vec<T>, Strides),
        b: (Vec<T>, Strides),
    }

    impl<T: Element> Case<T> {
        fn new(form: Form, extents: [usize; 3], number: fn(f64) -> T) -> Case<T> {
            let [m, k, n] = extents;
            let (a, b) = strides(form, extents);
            let len = |rows: usize, columns: usize, s: Strides| match rows.min(columns) {
                0 => 0,
                _ => (rows - 1) * s.row + (columns - 1) * s.column + 1,
            };
            Case {
                extents,
                a: (numbers(len(m, k, a), 1, number), a),
                b: (numbers(len(k, n, b), 2, number), b),
            }
        }

        /// `c` in rows one longer than needed, computed in parts; where nothing was computed,
        /// `hole`.
        fn run(&self, isa: Isa, hole: T, parts: &[(Range<usize>, Range<usize>)]) -> Vec<T> {
            let [m, _, n] = self.extents;
            let mut c = vec![hole; m * (n + 1)];
            let product = Product::new(isa, self.extents, self.a.1, self.b.1, n + 1);
            let mut scratch = vec![hole; product.scratch_len()];
            for part in parts {
                // SAFETY: the matrices are as large as the product was told, the scratch as it
                // asked, and this machine has the instruction set.
                unsafe {
                    let matrices = (self.a.0.as_ptr(), self.b.0.as_ptr(), c.as_mut_ptr());
                    product.run(matrices, part.clone(), scratch.as_mut_ptr(), &mut |_| {});
                }
            }
            c
        }

        /// The sum of products at a row and a column, and that of their sizes.
        fn exact(&self, r: usize, c: usize, number: fn(T) -> f64) -> (f64, f64) {
            let (a, b) = (&self.a, &self.b);
            (0..self.extents[1]).fold((0.0, 0.0), |(sum, size), p| {
                let x = number(a.0[r * a.1.row + p * a.1.column]);
                let y = number(b.0[p * b.1.row + c * b.1.column]);
                (sum + x * y, size + (x * y).abs())
            })
        }
    }

    impl Case<f32> {
        /// Checks that all rows are given, in order, and are then those of `whole`. The result has
        /// room for `len` elements, and the first row that is given lies in its row `first`.
        fn check_given(
            &self,
            whole: &[f32],
            product: &Product<f32>,
            len: usize,
            first: impl Fn(usize) -> usize,
        ) {
            let [m, _, n] = self.extents;
            let (mut c, mut scratch) = (vec![7f32; len], vec![7.0; product.scratch_len()]);
            let (start, mut given) = (c.as_mut_ptr(), 0);
            let mut done = |rows: Range<usize>| {
                assert_eq!(rows.start, given, "{:?}", self.extents);
                given = rows.end;
                let from = first(rows.start) * (n + 1);
                let expected = &whole[rows.start * (n + 1)..rows.end * (n + 1)];
                for (i, expected) in expected.iter().enumerate() {
                    // SAFETY: the product has finished with these rows.
                    let value = unsafe { *start.add(from + i) };
                    assert_eq!(value.to_bits(), expected.to_bits(), "{:?} {i}", self.extents);
                }
            };
            // SAFETY: as in `Case::run`, and the result has the room that the product asks for.
            unsafe {
                let matrices = (self.a.0.as_ptr(), self.b.0.as_ptr(), start);
                product.run(matrices, (0..m, 0..n), scratch.as_mut_ptr(), &mut done);
            }
            assert_eq!(given, m, "{:?}", self.extents);
        }
    }

    fn check<T: Element + PartialEq>(number: fn(f64) -> T, back: fn(T) -> f64, precision: f64) {
        let hole = number(777.0);
        for form in FORMS {
            for extents in SHAPES {
                let case = Case::new(form, extents, number);
                let [m, _, n] = extents;
                for isa in Isa::available() {
                    let c = case.run(isa, hole, &[(0..m, 0..n)]);
                    for (i, &value) in c.iter().enumerate() {
                        let (row, column) = (i / (n + 1), i % (n + 1));
                        if column == n {
                            assert!(value == hole, "{isa} {form:?} {extents:?} wrote beyond {row}");
                            continue;
                        }
                        let (sum, size) = case.exact(row, column, back);
                        let error = (back(value) - sum).abs();
                        let allowed = (extents[1] as f64).sqrt() * precision * size;
                        assert!(
                            error <= allowed,
                            "{isa} {form:?} {extents:?} at {row}, {column}: {} is not {sum}",
                            back(value)
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn f32_is_the_sum_of_products() {
        check::<f32>(|x| x as f32, |x| x as f64, 1e-7);
    }

    #[test]
    fn f64_is_the_sum_of_products() {
        check::<f64>(|x| x, |x| x, 2e-16);
    }

    #[test]
    fn bits_are_those_of_one_chain_of_multiply_adds() {
        for form in FORMS {
            for extents in SHAPES {
                let case = Case::<f32>::new(form, extents, |x| x as f32);
                let [m, k, n] = extents;
                let chain = |r: usize, c: usize, fused: bool| {
                    (0..k).fold(0.0, |sum: f32, p| {
                        let x = case.a.0[r * case.a.1.row + p * case.a.1.column];
                        let y = case.b.0[p * case.b.1.row + c * case.b.1.column];
                        if fused { x.mul_add(y, sum) } else { x * y + sum }
                    })
                };
                for isa in Isa::available() {
                    let c = case.run(isa, 7.0, &[(0..m, 0..n)]);
                    for r in 0..m {
                        for j in 0..n {
                            let expected = chain(r, j, isa.fuses());
                            let value = c[r * (n + 1) + j];
                            assert_eq!(
                                value.to_bits(),
                                expected.to_bits(),
                                "{isa} {form:?} {extents:?}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn bits_do_not_depend_on_how_the_work_is_split() {
        for form in FORMS {
            for extents in SHAPES {
                let case = Case::<f32>::new(form, extents, |x| x as f32);
                let [m, _, n] = extents;
                for isa in Isa::available() {
                    let whole = case.run(isa, 7.0, &[(0..m, 0..n)]);
                    for (r, c) in [(m / 2, n / 3), (m / 3, n), (m, n / 2), (m.min(1), n.min(1))] {
                        let parts = [(0..r, 0..c), (r..m, 0..c), (0..r, c..n), (r..m, c..n)];
                        let split = case.run(isa, 7.0, &parts);
                        assert_eq!(whole, split, "{isa} {form:?} {extents:?} at {r}, {c}");
                    }
                }
            }
        }
    }

    #[test]
    fn rows_are_complete_when_they_are_given() {
        for extents in [[3, 4, 0], [3, 0, 4], [9, 17, 5], [33, 400, 113], [300, 270, 70]] {
            let case = Case::<f32>::new(Form::Tn, extents, |x| x as f32);
            let [m, _, n] = extents;
            for isa in Isa::available() {
                let whole = case.run(isa, 7.0, &[(0..m, 0..n)]);
                let product = Product::new(isa, extents, case.a.1, case.b.1, n + 1);
                case.check_given(&whole, &product, m * (n + 1), |row| row);
            }
        }
    }

    #[test]
    fn rows_that_pass_are_those_of_the_whole() {
        for form in FORMS {
            let more = [[3, 4, 0], [3, 0, 4], [300, 70, 270], [129, 256, 1024], [200, 7, 3000]];
            for extents in SHAPES.into_iter().chain(more) {
                let case = Case::<f32>::new(form, extents, |x| x as f32);
                let [m, k, n] = extents;
                for isa in Isa::available() {
                    let whole = case.run(isa, 7.0, &[(0..m, 0..n)]);
                    let product = Product::new(isa, extents, case.a.1, case.b.1, n + 1);
                    let Some(product) = product.passing() else {
                        assert!(k > DEPTH || n > NARROW, "{isa} {form:?} {extents:?}");
                        continue;
                    };
                    case.check_given(&whole, &product, product.window_len(), |_| 0);
                }
            }
        }
    }

    #[test]
    fn parts_are_even_and_cover_the_whole() {
        let parts: Vec<_> = split(3..23, 8).collect();
        assert_eq!(parts, [3..10, 10..17, 17..23]);
        assert_eq!(split(5..5, 8).count(), 0);
        assert_eq!(squares(16, 16).collect::<Vec<_>>(), [0]);
        assert_eq!(squares(41, 16).collect::<Vec<_>>(), [0, 16, 25]);
    }
}
