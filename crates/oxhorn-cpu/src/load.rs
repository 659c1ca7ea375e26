//! What loading a program needs to know: addresses, constants, scratch memory.

use std::collections::HashMap;

use oxhorn_ir::{DType, Error, Result, Type};
use oxhorn_plan::{BufferId, Place, Program};

use crate::{isa::Isa, memory::ALIGNMENT, weights::Weights};

/// The allocations that a program works on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Base {
    /// Inputs and everything computed.
    Arena,
    /// Variables.
    Weights,
    /// Numbers known beforehand.
    #[default]
    Constants,
    /// A worker's own memory.
    Scratch,
    /// The result of a loop's product, where only the rows at hand are kept: the address at which
    /// row 0 would lie.
    Passing,
}

/// An address relative to a base, with the bytes from one row of the space to the next and from
/// one column to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Site {
    pub(crate) base: Base,
    pub(crate) offset: usize,
    pub(crate) row: usize,
    pub(crate) column: usize,
}

/// The addresses of the bases, for one worker.
#[derive(Clone, Copy)]
pub(crate) struct Bases {
    pub(crate) addresses: [*mut u8; 5],
    /// Bytes of scratch memory of each worker.
    pub(crate) scratch_bytes: usize,
}

// SAFETY: tasks on several threads use disjoint parts of what these addresses point to.
unsafe impl Sync for Bases {}

impl Bases {
    /// The same, with the scratch memory of this worker.
    pub(crate) fn of_worker(&self, worker: usize) -> Bases {
        let mut bases = *self;
        let scratch = &mut bases.addresses[Base::Scratch as usize];
        *scratch = scratch.wrapping_add(worker * self.scratch_bytes);
        bases
    }

    /// The same, while the rows from this one on pass through scratch memory.
    pub(crate) fn of_rows(&self, window: Site, row: usize) -> Bases {
        let mut bases = *self;
        let first = self.scratch(window.offset);
        bases.addresses[Base::Passing as usize] = first.wrapping_sub(row * window.row);
        bases
    }

    /// The address of a site at a row and a column of the space.
    #[inline(always)]
    pub(crate) fn at(&self, site: &Site, row: usize, column: usize) -> *mut u8 {
        let offset = site.offset + row * site.row + column * site.column;
        self.addresses[site.base as usize].wrapping_add(offset)
    }

    /// An address in this worker's scratch memory.
    pub(crate) fn scratch(&self, offset: usize) -> *mut u8 {
        self.addresses[Base::Scratch as usize].wrapping_add(offset)
    }
}

/// A program being loaded.
pub(crate) struct Loader<'a> {
    program: &'a Program,
    pub(crate) isa: Isa,
    pub(crate) threads: usize,
    /// Where each of the program's weights lies.
    weights: Vec<usize>,
    constants: Vec<u8>,
    known: HashMap<(u64, DType), (usize, usize)>,
    scratch_at: usize,
    scratch_max: usize,
    /// How many steps touch each buffer, and one more if it is a result.
    uses: Vec<usize>,
}

impl<'a> Loader<'a> {
    /// # Errors
    ///
    /// If one of the program's weights is not among `weights`, or of another type there.
    pub(crate) fn new(
        program: &'a Program,
        weights: &Weights,
        isa: Isa,
        threads: usize,
    ) -> Result<Loader<'a>> {
        let mut offsets = vec![];
        for (path, id) in &program.weights {
            let wanted = &program.buffer(*id).ty;
            match weights.offset(path) {
                Some((offset, ty)) if ty == wanted => offsets.push(offset),
                Some((_, ty)) => {
                    let message = format!("the program needs `{path}` as {wanted}, but it is {ty}");
                    return Err(Error::new(message));
                }
                None => return Err(Error::new(format!("there is no variable `{path}`"))),
            }
        }
        let (constants, known) = (vec![], HashMap::new());
        let (scratch_at, scratch_max) = (0, 0);
        let mut uses = vec![0; program.buffers.len()];
        for step in &program.steps {
            let again = |id: &&BufferId| !step.reads.contains(id);
            let touched = step.reads.iter().chain(step.writes.iter().filter(again));
            touched.for_each(|id| uses[id.0 as usize] += 1);
        }
        program.outputs.iter().for_each(|id| uses[id.0 as usize] += 1);
        Ok(Loader {
            program,
            isa,
            threads,
            weights: offsets,
            constants,
            known,
            scratch_at,
            scratch_max,
            uses,
        })
    }

    pub(crate) fn ty(&self, id: BufferId) -> &'a Type {
        &self.program.buffer(id).ty
    }

    /// Whether only one step touches what is in this buffer.
    pub(crate) fn is_of_one_step(&self, id: BufferId) -> bool {
        self.uses[id.0 as usize] == 1
    }

    /// The place of a buffer, walked with these strides in bytes.
    pub(crate) fn site(&self, id: BufferId, row: usize, column: usize) -> Site {
        match &self.program.buffer(id).place {
            Place::Arena(bytes) => Site { base: Base::Arena, offset: bytes.start, row, column },
            Place::Weight(index) => {
                Site { base: Base::Weights, offset: self.weights[*index], row, column }
            }
        }
    }

    /// `len` copies of a number, side by side.
    pub(crate) fn constant(&mut self, value: f64, dtype: DType, len: usize) -> Site {
        let key = (value.to_bits(), dtype);
        let offset = match self.known.get(&key) {
            Some(&(offset, known)) if known >= len => offset,
            _ => {
                let offset = self.constants.len();
                let bytes = bytes(value, dtype);
                (0..len).for_each(|_| self.constants.extend(&bytes[..dtype.bytes()]));
                let end = self.constants.len().next_multiple_of(ALIGNMENT) + ALIGNMENT;
                self.constants.resize(end, 0);
                self.known.insert(key, (offset, len));
                offset
            }
        };
        Site { base: Base::Constants, offset, row: 0, column: 0 }
    }

    /// The next step uses scratch memory from its beginning.
    pub(crate) fn begin_scratch(&mut self) {
        self.scratch_at = 0;
    }

    /// The offset of so many bytes of scratch memory.
    pub(crate) fn take_scratch(&mut self, bytes: usize) -> usize {
        let offset = self.scratch_at;
        self.scratch_at += bytes.next_multiple_of(ALIGNMENT);
        self.scratch_max = self.scratch_max.max(self.scratch_at);
        offset
    }

    /// The constants, and the bytes of scratch memory that each worker needs.
    pub(crate) fn finish(self) -> (Vec<u8>, usize) {
        (self.constants, self.scratch_max + ALIGNMENT)
    }
}

/// A number as its type lies in memory.
fn bytes(value: f64, dtype: DType) -> [u8; 8] {
    let mut bytes = [0; 8];
    match dtype {
        DType::Bool => bytes[0] = (value != 0.0) as u8,
        DType::I32 => bytes[..4].copy_from_slice(&(value as i32).to_ne_bytes()),
        DType::U32 => bytes[..4].copy_from_slice(&(value as u32).to_ne_bytes()),
        DType::F32 => bytes[..4].copy_from_slice(&(value as f32).to_ne_bytes()),
        DType::I64 => bytes.copy_from_slice(&(value as i64).to_ne_bytes()),
        DType::F64 => bytes.copy_from_slice(&value.to_ne_bytes()),
    }
    bytes
}
