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

/// The longest piece of `k` that is packed at once: with 48 columns, 72 KiB of f32.
const DEPTH: usize = 384;

/// The most rows of `a` to go over with one piece of packed `b`: they stay in the second cache.
const HEIGHT: usize = 240;

/// From this many bytes on, `b` is packed though its rows are in order: rows that lie far apart
/// compete for the same few lines of the cache.
const LARGE: usize = 128 << 10;

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

/// A product of known extents, its kernels chosen.
#[derive(Clone, Copy)]
pub struct Product<T: Element> {
    extents: [usize; 3],
    a: Strides,
    b: Strides,
    c_row: usize,
    kernels: &'static Kernels<T>,
    packing: Packing,
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
        Product { extents, a, b, c_row, kernels, packing }
    }

    /// Elements of scratch memory that [`Product::run`] needs.
    pub fn scratch_len(&self) -> usize {
        match self.packing {
            Packing::None => 0,
            _ => self.depth() * self.panel() + alignment::<T>(),
        }
    }

    /// Numbers of rows and of columns that are worth a call: parts that are multiples of these
    /// waste no lanes.
    pub fn grain(&self) -> [usize; 2] {
        [self.kernels.tiles[self.kernels.tiles.len() - 1].len(), self.panel()]
    }

    /// Computes the given rows and columns of `c`; parts may be computed by several threads at
    /// once, each with its own scratch memory.
    ///
    /// # Safety
    /// `a`, `b` and `c` are matrices of the extents and strides given to [`Product::new`]; nobody
    /// else writes to `a` or `b` or looks at this part of `c` meanwhile, and `c` overlaps neither.
    /// `scratch` has room for [`Product::scratch_len`] elements. The machine has the instruction
    /// set given.
    pub unsafe fn run(
        &self,
        a: *const T,
        b: *const T,
        c: *mut T,
        (rows, columns): (Range<usize>, Range<usize>),
        scratch: *mut T,
    ) {
        let [m, k, n] = self.extents;
        debug_assert!(rows.end <= m && columns.end <= n, "a part of {m} by {n}");
        if rows.is_empty() || columns.is_empty() {
            return;
        }
        if k == 0 {
            for r in rows {
                // SAFETY: row r of c has these columns.
                unsafe { c.add(r * self.c_row + columns.start).write_bytes(0, columns.len()) };
            }
            return;
        }
        let panel = scratch.wrapping_add(match self.packing {
            Packing::None => 0,
            _ => scratch.align_offset(alignment::<T>() * size_of::<T>()),
        });
        for depth in split(0..k, self.depth()) {
            for rows in split(rows.clone(), self.height()) {
                for columns in self.panels(columns.clone()) {
                    // SAFETY: as promised by the caller.
                    unsafe { self.run_panel(a, b, c, (&rows, &columns, &depth), panel) };
                }
            }
        }
    }

    /// Adds the products over `depth` to a panel of `c`, after packing that of `b`.
    ///
    /// # Safety
    /// As [`Product::run`]; the columns are at most a panel of them.
    unsafe fn run_panel(
        &self,
        a: *const T,
        b: *const T,
        c: *mut T,
        (rows, columns, depth): (&Range<usize>, &Range<usize>, &Range<usize>),
        panel: *mut T,
    ) {
        let mut b = b.wrapping_add(depth.start * self.b.row + columns.start * self.b.column);
        let mut b_row = self.b.row;
        if self.packing != Packing::None {
            // SAFETY: this part of b exists, and the panel has room for it.
            unsafe { self.pack([depth.len(), columns.len()], b, panel) };
            (b, b_row) = (panel, self.panel());
        }
        let tiles = self.kernels.tiles[columns.len().div_ceil(self.kernels.lanes) - 1];
        for rows in split(rows.clone(), tiles.len()) {
            let tile = Tile {
                k: depth.len(),
                a: a.wrapping_add(rows.start * self.a.row + depth.start * self.a.column),
                a_row: self.a.row as isize,
                a_column: self.a.column as isize,
                b,
                b_row: b_row as isize,
                c: c.wrapping_add(rows.start * self.c_row + columns.start),
                c_row: self.c_row,
                columns: columns.len(),
                start: if depth.start == 0 { Start::Zero } else { Start::Resume },
            };
            // SAFETY: the rows, columns and depth of the tile lie within the matrices, and the
            // kernel is the one for this number of rows and of registers.
            unsafe { tiles[rows.len() - 1](&tile) };
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

    /// The most of `k` that is taken at once.
    fn depth(&self) -> usize {
        match self.packing {
            Packing::None => self.extents[1],
            _ => self.extents[1].min(DEPTH),
        }
    }

    /// The most rows that are taken at once.
    fn height(&self) -> usize {
        match self.packing {
            Packing::None => self.extents[0],
            _ => HEIGHT,
        }
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

    const SHAPES: [[usize; 3]; 19] = [
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
                    let (a, b) = (self.a.0.as_ptr(), self.b.0.as_ptr());
                    product.run(a, b, c.as_mut_ptr(), part.clone(), scratch.as_mut_ptr());
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
    fn parts_are_even_and_cover_the_whole() {
        let parts: Vec<_> = split(3..23, 8).collect();
        assert_eq!(parts, [3..10, 10..17, 17..23]);
        assert_eq!(split(5..5, 8).count(), 0);
        assert_eq!(squares(16, 16).collect::<Vec<_>>(), [0]);
        assert_eq!(squares(41, 16).collect::<Vec<_>>(), [0, 16, 25]);
    }
}
