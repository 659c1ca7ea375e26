//! The steps that are no fused loop: elements moved, picked, scattered, and reductions in general.

use oxhorn_ir::{Binary, DType, Error, Reduction, Result};
use oxhorn_plan::{CopyKernel, Kernel};

use crate::{
    kernels::{elementwise, elementwise::Loop as Elementwise, reduce, rows::first_greatest},
    load::{Bases, Loader, Site},
};

/// The most axes that a copy walks, neighbours that lie alike counted as one.
const AXES_MAX: usize = 12;

/// A step ready to run.
pub(crate) enum Move {
    Copy(Copy),
    /// Rows of `extent` elements to one each.
    ReduceRows {
        run: reduce::MatrixLoop,
        x: Site,
        y: Site,
        rows: usize,
        extent: usize,
    },
    /// `extent` rows of `inner` elements to one row, `outer` times.
    ReduceColumns {
        run: reduce::MatrixLoop,
        begin: Elementwise,
        identity: Site,
        at: Strided,
    },
    ArgMax {
        dtype: DType,
        at: Strided,
    },
    Gather {
        wide: bool,
        indices: Site,
        count: usize,
        at: Strided,
    },
    ScatterAdd {
        add: Elementwise,
        wide: bool,
        indices: Site,
        updates: Site,
        count: usize,
        at: Strided,
    },
}

/// `x[outer, extent, inner]` and a result `y`.
pub(crate) struct Strided {
    x: Site,
    y: Site,
    extents: [usize; 3],
    bytes: usize,
}

/// Elements moved from one strided layout to another.
pub(crate) struct Copy {
    x: Site,
    y: Site,
    /// Extents, and strides of source and target in bytes; the last axis runs fastest.
    axes: Vec<[usize; 3]>,
    bytes: usize,
}

impl Move {
    pub(crate) fn load(kernel: &Kernel, loader: &mut Loader<'_>) -> Result<Move> {
        let isa = loader.isa;
        let place = |id| loader.site(id, 0, 0);
        match kernel {
            Kernel::Loop(_) => unreachable!("loops are loaded as such"),
            Kernel::Copy(copy) => Copy::load(copy, loader).map(Move::Copy),
            Kernel::Reduce { reduction, x, y, extents } => {
                let dtype = loader.ty(*x).dtype;
                let none = || Error::new(format!("there is no reduction of {dtype}"));
                let (x, y, [outer, extent, inner]) = (place(*x), place(*y), *extents);
                if inner == 1 {
                    let run = reduce::rows(isa, *reduction, dtype).ok_or_else(none)?;
                    return Ok(Move::ReduceRows { run, x, y, rows: outer, extent });
                }
                let run = reduce::columns(isa, *reduction, dtype).ok_or_else(none)?;
                let identity = loader.constant(Reduction::identity(*reduction, dtype), dtype, 1);
                let at = Strided { x, y, extents: *extents, bytes: dtype.bytes() };
                let begin = elementwise::splat(isa, dtype);
                Ok(Move::ReduceColumns { run, begin, identity, at })
            }
            Kernel::ArgMax { x, y, extents } => {
                let dtype = loader.ty(*x).dtype;
                let at = Strided { x: place(*x), y: place(*y), extents: *extents, bytes: 0 };
                Ok(Move::ArgMax { dtype, at })
            }
            Kernel::Gather { x, indices, y, extents } => {
                let (bytes, ty) = (loader.ty(*x).dtype.bytes(), loader.ty(*indices));
                let at = Strided { x: place(*x), y: place(*y), extents: *extents, bytes };
                let (wide, count) = (ty.dtype == DType::I64, ty.len());
                Ok(Move::Gather { wide, indices: place(*indices), count, at })
            }
            Kernel::ScatterAdd { x, indices, updates, y, extents } => {
                let (dtype, ty) = (loader.ty(*x).dtype, loader.ty(*indices));
                let none = || Error::new(format!("there is no sum of {dtype}"));
                let add = elementwise::binary(isa, Binary::Add, dtype);
                let bytes = dtype.bytes();
                let at = Strided { x: place(*x), y: place(*y), extents: *extents, bytes };
                Ok(Move::ScatterAdd {
                    add: add.ok_or_else(none)?,
                    wide: ty.dtype == DType::I64,
                    indices: place(*indices),
                    updates: place(*updates),
                    count: ty.len(),
                    at,
                })
            }
        }
    }

    /// Runs the step.
    ///
    /// # Safety
    ///
    /// `bases` are the addresses that the program was loaded for, and nobody else uses them.
    pub(crate) unsafe fn run(&self, bases: &Bases) {
        // SAFETY: the planner gave every buffer the extent that its kernel walks.
        unsafe {
            match self {
                Move::Copy(copy) => copy.run(bases),
                Move::ReduceRows { run, x, y, rows, extent } => {
                    run([*rows, *extent], *extent, bases.at(y, 0, 0), bases.at(x, 0, 0));
                }
                Move::ReduceColumns { run, begin, identity, at } => {
                    let [outer, extent, inner] = at.extents;
                    let (mut x, mut y) =
                        (bases.at(&at.x, 0, 0).cast_const(), bases.at(&at.y, 0, 0));
                    let identity = bases.at(identity, 0, 0).cast_const();
                    for _ in 0..outer {
                        begin(inner, y, [identity; 3]);
                        run([extent, inner], inner, y, x);
                        x = x.add(extent * inner * at.bytes);
                        y = y.add(inner * at.bytes);
                    }
                }
                Move::ArgMax { dtype, at } => match dtype {
                    DType::F32 => at.argmax::<f32>(bases),
                    DType::F64 => at.argmax::<f64>(bases),
                    DType::I32 => at.argmax::<i32>(bases),
                    DType::I64 => at.argmax::<i64>(bases),
                    DType::U32 => at.argmax::<u32>(bases),
                    DType::Bool => at.argmax::<u8>(bases),
                },
                Move::Gather { wide, indices, count, at } => {
                    let [outer, extent, inner] = at.extents;
                    let (x, mut y) = (bases.at(&at.x, 0, 0), bases.at(&at.y, 0, 0));
                    let (row, indices) = (inner * at.bytes, bases.at(indices, 0, 0));
                    for block in 0..outer {
                        for i in 0..*count {
                            let index = block * extent + clamped(indices, i, *wide, extent);
                            y.copy_from_nonoverlapping(x.add(index * row), row);
                            y = y.add(row);
                        }
                    }
                }
                Move::ScatterAdd { add, wide, indices, updates, count, at } => {
                    let [outer, extent, inner] = at.extents;
                    let (x, y) = (bases.at(&at.x, 0, 0), bases.at(&at.y, 0, 0));
                    let (row, indices) = (inner * at.bytes, bases.at(indices, 0, 0));
                    let mut update = bases.at(updates, 0, 0).cast_const();
                    y.copy_from_nonoverlapping(x, outer * extent * row);
                    for block in 0..outer {
                        for i in 0..*count {
                            let index = block * extent + clamped(indices, i, *wide, extent);
                            let target = y.add(index * row);
                            add(inner, target, [target, update, update]);
                            update = update.add(row);
                        }
                    }
                }
            }
        }
    }
}

/// Index number `i`, brought into `0..extent`.
///
/// # Safety
///
/// There is such an index.
unsafe fn clamped(indices: *const u8, i: usize, wide: bool, extent: usize) -> usize {
    // SAFETY: the caller's promise.
    let index = unsafe {
        match wide {
            true => *indices.cast::<i64>().add(i),
            false => i64::from(*indices.cast::<i32>().add(i)),
        }
    };
    index.clamp(0, extent as i64 - 1) as usize
}

impl Strided {
    /// # Safety
    ///
    /// As [`Move::run`], for elements of type `T`.
    unsafe fn argmax<T: std::marker::Copy + PartialOrd>(&self, bases: &Bases) {
        let [outer, extent, inner] = self.extents;
        let (x, y) = (bases.at(&self.x, 0, 0).cast::<T>(), bases.at(&self.y, 0, 0).cast::<i32>());
        for block in 0..outer {
            for i in 0..inner {
                // SAFETY: the extents are those of `x` and of `y`.
                unsafe {
                    let first = x.add(block * extent * inner + i);
                    let best = if inner == 1 {
                        first_greatest(std::slice::from_raw_parts(first, extent))
                    } else {
                        let mut best = 0;
                        for at in 1..extent {
                            let pair = [*first.add(best * inner), *first.add(at * inner)];
                            if first_greatest(&pair) == 1 {
                                best = at;
                            }
                        }
                        best
                    };
                    *y.add(block * inner + i) = best as i32;
                }
            }
        }
    }
}

impl Copy {
    fn load(it: &CopyKernel, loader: &Loader<'_>) -> Result<Copy> {
        let bytes = loader.ty(it.x).dtype.bytes();
        let (mut x, mut y) = (loader.site(it.x, 0, 0), loader.site(it.y, 0, 0));
        x.offset += it.from.0 * bytes;
        y.offset += it.to.0 * bytes;
        let mut axes: Vec<[usize; 3]> = vec![];
        for (axis, &extent) in it.extents.iter().enumerate() {
            let (source, target) = (it.from.1[axis] * bytes, it.to.1[axis] * bytes);
            match axes.last_mut() {
                _ if extent == 1 => {}
                // An axis that goes on where the next ends is part of it.
                Some(last) if last[1] == source * extent && last[2] == target * extent => {
                    *last = [last[0] * extent, source, target];
                }
                _ => axes.push([extent, source, target]),
            }
        }
        if axes.len() > AXES_MAX {
            let message = format!("a copy along {} axes; at most {AXES_MAX} can be", axes.len());
            return Err(Error::new(message));
        }
        Ok(Copy { x, y, axes, bytes })
    }

    /// # Safety
    ///
    /// As [`Move::run`].
    unsafe fn run(&self, bases: &Bases) {
        let (x, y) = (bases.at(&self.x, 0, 0).cast_const(), bases.at(&self.y, 0, 0));
        // SAFETY: the planner gave both buffers the extents that the axes walk.
        unsafe {
            match self.bytes {
                1 => copy::<u8>(x, y, &self.axes),
                4 => copy::<u32>(x, y, &self.axes),
                _ => copy::<u64>(x, y, &self.axes),
            }
        }
    }
}

/// # Safety
///
/// Every element that the axes lead to lies inside its buffer, and the buffers do not overlap.
unsafe fn copy<T: std::marker::Copy>(x: *const u8, y: *mut u8, axes: &[[usize; 3]]) {
    // SAFETY: the caller's promise.
    unsafe {
        match axes {
            [] => *y.cast::<T>() = *x.cast::<T>(),
            [[extent, source, target]] if *source == size_of::<T>() && source == target => {
                y.copy_from_nonoverlapping(x, extent * source);
            }
            [[extent, source, target]] => {
                for i in 0..*extent {
                    *y.add(i * target).cast::<T>() = *x.add(i * source).cast::<T>();
                }
            }
            [[extent, source, target], inner @ ..] => {
                for i in 0..*extent {
                    copy::<T>(x.add(i * source), y.add(i * target), inner);
                }
            }
        }
    }
}
