//! Where every byte lives: lifetimes, then offsets in one arena.

use std::ops::Range;

use crate::program::{BufferId, Destination, Instruction, Kernel, Operand, Place, Program, Walk};

/// Buffers begin at multiples of this, the extent of a cache line and of the widest vector.
pub const ALIGNMENT_BYTES: usize = 64;

/// Finds a place in the arena for everything that is not a weight.
///
/// Inputs have theirs from the beginning, since callers write them beforehand, and lose it after
/// their last use like everything else. A result of a loop may lie on an argument that is needed no
/// more, if the loop walks both alike; otherwise it takes the first gap that is wide enough.
pub fn place(program: &mut Program) {
    let mut arena = Arena::default();
    for index in 0..program.inputs.len() {
        let id = program.inputs[index].1;
        program.buffers[id.0 as usize].place =
            Place::Arena(arena.take(program.buffer(id).ty.bytes()));
    }
    let last_use = last_uses(program);
    for at in 0..program.steps.len() {
        for id in program.steps[at].writes.clone() {
            if !matches!(&program.buffer(id).place, Place::Arena(bytes) if bytes.is_empty()) {
                continue; // A weight, or written in part before.
            }
            let place = match donor(program, at, id, &last_use) {
                Some(bytes) => bytes,
                None => arena.take(program.buffer(id).ty.bytes()),
            };
            program.buffers[id.0 as usize].place = Place::Arena(place);
        }
        let step = &program.steps[at];
        for &id in step.reads.iter().chain(&step.writes) {
            if let (Place::Arena(bytes), true) =
                (&program.buffer(id).place, last_use[id.0 as usize] == at)
            {
                let shared = step.writes.iter().any(|&write| {
                    write != id
                        && last_use[write.0 as usize] > at
                        && program.buffer(write).place == Place::Arena(bytes.clone())
                });
                if !shared {
                    arena.free(bytes);
                }
            }
        }
    }
    program.arena_bytes = arena.bytes;
}

/// The last step that touches each buffer; none, beyond all steps, for results.
fn last_uses(program: &Program) -> Vec<usize> {
    let mut last = vec![0; program.buffers.len()];
    for (at, step) in program.steps.iter().enumerate() {
        step.reads.iter().chain(&step.writes).for_each(|id| last[id.0 as usize] = at);
    }
    program.outputs.iter().for_each(|id| last[id.0 as usize] = usize::MAX);
    last
}

/// The bytes of an argument of step `at` on which its result `id` may lie.
fn donor(program: &Program, at: usize, id: BufferId, last_use: &[usize]) -> Option<Range<usize>> {
    let step = &program.steps[at];
    let Kernel::Loop(it) = &step.kernel else { return None };
    let wanted = program.buffer(id);
    let writer = it.code.iter().position(|it| it.to == Destination::Memory(id))?;
    let elementwise = it.code[writer].writes_elements();
    let taken = |place: &Place| {
        step.writes.iter().any(|&write| write != id && program.buffer(write).place == *place)
    };
    let candidates = it.code.iter().flat_map(|it| &it.args).filter_map(|arg| match arg {
        Operand::Memory(id, Walk::Element) => Some(*id),
        _ => None,
    });
    let mut candidates = candidates.filter(|&x| {
        let product = it.product.as_ref().is_some_and(|it| it.a == x || it.b == x);
        let fits = program.buffer(x).ty.bytes() == wanted.ty.bytes()
            && program.buffer(x).ty.dtype.bytes() == wanted.ty.dtype.bytes();
        let reads = |it: &Instruction| {
            it.args.iter().any(|arg| matches!(arg, Operand::Memory(id, _) if *id == x))
        };
        let read_later = it.code[writer + 1..].iter().any(reads);
        let other_walks = it.code.iter().flat_map(|it| &it.args).any(
            |arg| matches!(arg, Operand::Memory(id, walk) if *id == x && *walk != Walk::Element),
        );
        let dies = last_use[x.0 as usize] == at;
        dies && fits && !product && !read_later && !other_walks
    });
    let found = candidates.find_map(|x| match &program.buffer(x).place {
        place @ Place::Arena(bytes) if !bytes.is_empty() && !taken(place) => Some(bytes.clone()),
        _ => None,
    });
    found.filter(|_| elementwise)
}

/// Bytes handed out and given back.
#[derive(Default)]
struct Arena {
    /// What is in use, in order.
    used: Vec<Range<usize>>,
    /// The most that was ever in use.
    bytes: usize,
}

impl Arena {
    /// The first gap that is wide enough.
    fn take(&mut self, bytes: usize) -> Range<usize> {
        let wanted = bytes.max(1).next_multiple_of(ALIGNMENT_BYTES);
        let mut start = 0;
        let mut at = 0;
        for (index, used) in self.used.iter().enumerate() {
            if used.start - start >= wanted {
                break;
            }
            start = used.end;
            at = index + 1;
        }
        self.used.insert(at, start..start + wanted);
        self.bytes = self.bytes.max(start + wanted);
        start..start + bytes.max(1)
    }

    fn free(&mut self, bytes: &Range<usize>) {
        self.used.retain(|used| used.start != bytes.start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_used_again() {
        let mut arena = Arena::default();
        let (a, b) = (arena.take(100), arena.take(64));
        assert_eq!((a.clone(), b), (0..100, 128..192));
        arena.free(&a);
        assert_eq!(arena.take(128), 0..128);
        assert_eq!(arena.take(1), 192..193);
        assert_eq!(arena.bytes, 256);
    }
}
