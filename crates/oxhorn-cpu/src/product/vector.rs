//! What the product asks of a vector register, and the tile written once over it.

/// A register of `LANES` elements.
///
/// # Safety
/// Every method belongs inside a function compiled for the instruction set of the register, and
/// pointers must be good for the elements they are read or written for.
pub(super) trait Vector: Copy {
    /// A number of the register.
    type Element: Copy + Default;
    /// Some first elements of a register.
    type Mask: Copy;
    /// Numbers in a register.
    const LANES: usize;

    unsafe fn zero() -> Self;
    unsafe fn splat(x: *const Self::Element) -> Self;
    /// `self · b + c`, rounded once wherever the machine can.
    unsafe fn mul_add(self, b: Self, c: Self) -> Self;
    unsafe fn load(x: *const Self::Element) -> Self;
    unsafe fn store(self, y: *mut Self::Element);
    /// The first `count` elements, `1 ..= LANES`.
    unsafe fn mask(count: usize) -> Self::Mask;
    /// Zero where the mask is not.
    unsafe fn load_masked(x: *const Self::Element, mask: Self::Mask) -> Self;
    unsafe fn store_masked(self, y: *mut Self::Element, mask: Self::Mask);

    /// `y[p][j] = x[j][p]` for a square block of `LANES` each way; rows lie `x_row` and `y_row`
    /// elements apart.
    #[inline(always)]
    unsafe fn transpose(
        x: *const Self::Element,
        x_row: isize,
        y: *mut Self::Element,
        y_row: usize,
    ) {
        for j in 0..Self::LANES {
            for p in 0..Self::LANES {
                // SAFETY: as promised by the caller.
                unsafe { *y.add(p * y_row + j) = *x.offset(j as isize * x_row).add(p) };
            }
        }
    }
}

/// Implements [`Vector`] for a register of x86 or ARM by naming its instructions.
macro_rules! vector {
    (
        $register:ty: [$element:ty; $lanes:literal],
        zero: $zero:expr,
        splat: |$number:ident| $splat:expr,
        mul_add: |$a:ident, $b:ident, $c:ident| $mul_add:expr,
        load: |$from:ident| $load:expr,
        store: |$whole:ident, $to:ident| $store:expr,
        mask: |$count:ident| $mask:ty = $to_mask:expr,
        load_masked: |$x:ident, $x_mask:ident| $load_masked:expr,
        store_masked: |$v:ident, $y:ident, $y_mask:ident| $store_masked:expr,
        $(transpose: $transpose:ident,)?
    ) => {
        // SAFETY (all methods): callers are compiled for the instruction set, and promise that
        // pointers are good for the elements of the register or of the mask.
        impl Vector for $register {
            type Element = $element;
            type Mask = $mask;
            const LANES: usize = $lanes;

            #[inline(always)]
            unsafe fn zero() -> Self {
                // SAFETY: see above.
                unsafe { $zero }
            }

            #[inline(always)]
            unsafe fn splat(x: *const $element) -> Self {
                // SAFETY: see above.
                unsafe {
                    let $number = *x;
                    $splat
                }
            }

            #[inline(always)]
            unsafe fn mul_add(self, $b: Self, $c: Self) -> Self {
                let $a = self;
                // SAFETY: see above.
                unsafe { $mul_add }
            }

            #[inline(always)]
            unsafe fn load($from: *const $element) -> Self {
                // SAFETY: see above.
                unsafe { $load }
            }

            #[inline(always)]
            unsafe fn store(self, $to: *mut $element) {
                let $whole = self;
                // SAFETY: see above.
                unsafe { $store }
            }

            #[inline(always)]
            unsafe fn mask($count: usize) -> $mask {
                // SAFETY: see above.
                #[allow(unused_unsafe, reason = "some masks are made of plain numbers")]
                unsafe { $to_mask }
            }

            #[inline(always)]
            unsafe fn load_masked($x: *const $element, $x_mask: $mask) -> Self {
                // SAFETY: see above.
                unsafe { $load_masked }
            }

            #[inline(always)]
            unsafe fn store_masked(self, $y: *mut $element, $y_mask: $mask) {
                let $v = self;
                // SAFETY: see above.
                unsafe { $store_masked }
            }

            $(
                #[inline(always)]
                unsafe fn transpose(
                    x: *const $element,
                    x_row: isize,
                    y: *mut $element,
                    y_row: usize,
                ) {
                    // SAFETY: see above.
                    unsafe { $transpose(x, x_row, y, y_row) }
                }
            )?
        }
    };
}
pub(super) use vector;

/// Copies `rows` rows of `columns` elements that lie `x_row` and `y_row` elements apart.
///
/// # Safety
/// Both arrays hold that many, and do not overlap.
#[inline(always)]
pub(super) unsafe fn copy<V: Vector>(
    [rows, columns]: [usize; 2],
    x: *const V::Element,
    x_row: isize,
    y: *mut V::Element,
    y_row: usize,
) {
    let last = (columns - 1) / V::LANES * V::LANES;
    for r in 0..rows {
        // SAFETY: as promised by the caller.
        unsafe {
            let (x, y) = (x.offset(r as isize * x_row), y.add(r * y_row));
            for c in (0..last).step_by(V::LANES) {
                V::load(x.add(c)).store(y.add(c));
            }
            let mask = V::mask(columns - last);
            V::load_masked(x.add(last), mask).store_masked(y.add(last), mask);
        }
    }
}

/// Where the sums of a tile begin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Start {
    /// At zero.
    Zero,
    /// At what the tile holds: the sum over earlier `k`.
    Resume,
}

/// `c += a · b` over `k`, for the few rows and columns of `c` that registers hold.
pub(super) struct Tile<T> {
    pub(super) k: usize,
    /// Rows of `a` lie `a_row` elements apart, columns `a_column`.
    pub(super) a: *const T,
    pub(super) a_row: isize,
    pub(super) a_column: isize,
    /// Rows of `b` lie `b_row` elements apart, columns side by side.
    pub(super) b: *const T,
    pub(super) b_row: isize,
    pub(super) c: *mut T,
    pub(super) c_row: usize,
    /// Columns of `b` and `c`.
    pub(super) columns: usize,
    pub(super) start: Start,
}

/// The last register of a row.
trait Last<V: Vector>: Copy {
    unsafe fn load(self, x: *const V::Element) -> V;
    unsafe fn store(self, v: V, y: *mut V::Element);
}

/// All of it. Apart from [`Part`], for some processors take twenty times as long over a masked
/// store, and over reading again what one has written.
#[derive(Clone, Copy)]
struct Whole;

/// As much of it as the mask says.
#[derive(Clone, Copy)]
struct Part<M>(M);

// SAFETY (both methods): callers promise that pointers are good for the elements of a register.
impl<V: Vector> Last<V> for Whole {
    #[inline(always)]
    unsafe fn load(self, x: *const V::Element) -> V {
        // SAFETY: see above.
        unsafe { V::load(x) }
    }

    #[inline(always)]
    unsafe fn store(self, v: V, y: *mut V::Element) {
        // SAFETY: see above.
        unsafe { v.store(y) }
    }
}

// SAFETY (both methods): callers promise that pointers are good for the elements of the mask.
impl<V: Vector> Last<V> for Part<V::Mask> {
    #[inline(always)]
    unsafe fn load(self, x: *const V::Element) -> V {
        // SAFETY: see above.
        unsafe { V::load_masked(x, self.0) }
    }

    #[inline(always)]
    unsafe fn store(self, v: V, y: *mut V::Element) {
        // SAFETY: see above.
        unsafe { v.store_masked(y, self.0) }
    }
}

/// Computes a tile of `R` rows and of `C` registers, the last of them perhaps in part.
///
/// Each element is one chain of multiply-adds in the order of `k`, so that its bits depend neither
/// on the shape of the tile nor on the width of the registers.
///
/// # Safety
/// The pointers of the tile are good for `R` rows and its `k` and columns, and nobody else looks at
/// its part of `c`. It takes more than `C - 1` registers to hold the columns, and at most `C`.
#[inline(always)]
pub(super) unsafe fn multiply<V: Vector, const R: usize, const C: usize>(tile: &Tile<V::Element>) {
    let last = tile.columns - (C - 1) * V::LANES;
    // SAFETY: as promised by the caller; the mask ends where the columns do.
    unsafe {
        if last == V::LANES {
            accumulate::<V, Whole, R, C>(tile, Whole);
        } else {
            accumulate::<V, Part<V::Mask>, R, C>(tile, Part(V::mask(last)));
        }
    }
}

/// # Safety
/// As [`multiply`], and `last` is as much of the last register as there are columns.
#[inline(always)]
unsafe fn accumulate<V: Vector, L: Last<V>, const R: usize, const C: usize>(
    tile: &Tile<V::Element>,
    last: L,
) {
    // SAFETY: as promised by the caller.
    unsafe {
        let row = |r: usize| tile.c.add(r * tile.c_row);
        let mut sums = [[V::zero(); C]; R];
        if tile.start == Start::Resume {
            for (r, sums) in sums.iter_mut().enumerate() {
                *sums = load_row::<V, L, C>(row(r), last);
            }
        }
        // Were it told that the rows lie evenly apart, the compiler would step from one to the next
        // and wait for each step.
        let rows: [isize; R] = std::array::from_fn(|r| opaque(r as isize * tile.a_row));
        let (mut a, mut b) = (tile.a, tile.b);
        for _ in 0..tile.k {
            let columns = load_row::<V, L, C>(b, last);
            for r in 0..R {
                let x = V::splat(a.offset(rows[r]));
                for c in 0..C {
                    sums[r][c] = x.mul_add(columns[c], sums[r][c]);
                }
            }
            a = a.wrapping_offset(tile.a_column);
            b = b.wrapping_offset(tile.b_row);
        }
        for (r, sums) in sums.iter().enumerate() {
            for (c, sum) in sums[..C - 1].iter().enumerate() {
                sum.store(row(r).add(c * V::LANES));
            }
            last.store(sums[C - 1], row(r).add((C - 1) * V::LANES));
        }
    }
}

/// # Safety
/// `x` holds `C - 1` whole registers and as many elements more as the last has.
#[inline(always)]
unsafe fn load_row<V: Vector, L: Last<V>, const C: usize>(x: *const V::Element, last: L) -> [V; C] {
    // SAFETY: as promised by the caller.
    unsafe {
        let mut row = [V::zero(); C];
        for (c, lanes) in row[..C - 1].iter_mut().enumerate() {
            *lanes = V::load(x.add(c * V::LANES));
        }
        row[C - 1] = last.load(x.add((C - 1) * V::LANES));
        row
    }
}

/// The same number, of which the compiler knows nothing. Unlike that of the standard library, it
/// stays in its register.
#[inline(always)]
fn opaque(x: isize) -> isize {
    #[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
    {
        let mut x = x;
        // SAFETY: there is no instruction in it.
        unsafe {
            std::arch::asm!(
                "/* {0} */",
                inout(reg) x,
                options(pure, nomem, nostack, preserves_flags)
            );
        }
        x
    }
    #[cfg(not(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri))))]
    std::hint::black_box(x)
}

/// Copies `k` columns of `R` rows of `a` to where they lie in the order a tile reads them in:
/// column by column.
///
/// # Safety
/// `a` has them, rows `a_row` and columns `a_column` elements apart, and `y` room for them.
#[inline(always)]
pub(super) unsafe fn gather<T: Copy, const R: usize>(
    k: usize,
    (a, a_row, a_column): (*const T, isize, isize),
    y: *mut T,
) {
    let rows: [isize; R] = std::array::from_fn(|r| opaque(r as isize * a_row));
    let (mut a, mut y) = (a, y);
    for _ in 0..k {
        // SAFETY: as promised by the caller.
        unsafe {
            for (r, row) in rows.into_iter().enumerate() {
                *y.add(r) = *a.offset(row);
            }
        }
        (a, y) = (a.wrapping_offset(a_column), y.wrapping_add(R));
    }
}

/// [`multiply`] for so many rows and registers.
pub(super) type Multiply<T> = unsafe fn(&Tile<T>);

/// [`gather`] for so many rows.
pub(super) type Gather<T> = unsafe fn(usize, (*const T, isize, isize), *mut T);

/// The tiles and the packing of one instruction set, for one type of element.
pub(super) struct Kernels<T: 'static> {
    /// Elements of a register.
    pub(super) lanes: usize,
    /// `tiles[c - 1][r - 1]` computes `r` rows and `c` registers. A wider tile has fewer rows, for
    /// there are only so many registers.
    pub(super) tiles: &'static [&'static [Multiply<T>]],
    /// `gather[r - 1]` copies `r` rows.
    pub(super) gather: &'static [Gather<T>],
    /// [`Vector::transpose`]
    pub(super) transpose: unsafe fn(*const T, isize, *mut T, usize),
    /// [`copy`]
    pub(super) copy: unsafe fn([usize; 2], *const T, isize, *mut T, usize),
}

/// Declares the kernels of a register: `kernels!(NAME, "features", Register, Element, rows..)` with
/// the greatest number of rows of tiles 1, 2 and 3 registers wide.
macro_rules! kernels {
    ($name:ident, $vector:ty, $element:ty $(, $features:literal)?; $($rows:tt)*) => {
        pub(in crate::product) static $name: $crate::product::vector::Kernels<$element> = {
            use $crate::product::vector::{self, Kernels, Tile, Vector};

            $(#[target_feature(enable = $features)])?
            unsafe fn tile<const R: usize, const C: usize>(tile: &Tile<$element>) {
                // SAFETY: as promised by the caller.
                unsafe { vector::multiply::<$vector, R, C>(tile) }
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn gather<const R: usize>(
                k: usize,
                a: (*const $element, isize, isize),
                y: *mut $element,
            ) {
                // SAFETY: as promised by the caller.
                unsafe { vector::gather::<$element, R>(k, a, y) }
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn transpose(x: *const $element, x_row: isize, y: *mut $element, y_row: usize) {
                // SAFETY: as promised by the caller.
                unsafe { <$vector>::transpose(x, x_row, y, y_row) }
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn copy(
                size: [usize; 2],
                x: *const $element,
                x_row: isize,
                y: *mut $element,
                y_row: usize,
            ) {
                // SAFETY: as promised by the caller.
                unsafe { vector::copy::<$vector>(size, x, x_row, y, y_row) }
            }

            Kernels {
                lanes: <$vector as Vector>::LANES,
                tiles: kernels!(@tiles $($rows)*),
                gather: &[
                    gather::<1>,
                    gather::<2>,
                    gather::<3>,
                    gather::<4>,
                    gather::<5>,
                    gather::<6>,
                    gather::<7>,
                    gather::<8>,
                ],
                transpose,
                copy,
            }
        };
    };
    (@tiles $one:tt $two:tt) => { &[kernels!(@rows $one 1), kernels!(@rows $two 2)] };
    (@tiles $one:tt $two:tt $three:tt) => {
        &[kernels!(@rows $one 1), kernels!(@rows $two 2), kernels!(@rows $three 3)]
    };
    (@rows [$($r:literal)*] $c:literal) => { &[$(tile::<$r, $c>),*] };
}
pub(super) use kernels;
