//! A program ready to run: every kernel chosen, every address known.

use std::time::{Duration, Instant};

use oxhorn_ir::{Error, Result};
use oxhorn_plan::{BufferId, Kernel, Place, Program};

use crate::{
    device::Device,
    isa::Isa,
    load::{Base, Bases, Loader},
    memory::{Memory, Number},
    moves::Move,
    tile::Tile,
    weights::Weights,
};

/// A loaded program with its own working memory.
///
/// After [`Executable::load`], running allocates nothing, locks nothing, and cannot fail.
pub struct Executable {
    steps: Vec<Ready>,
    arena: Memory,
    constants: Memory,
    scratch: Memory,
    scratch_bytes: usize,
    inputs: Vec<(String, Port)>,
    outputs: Vec<Port>,
    /// What the program was loaded for.
    isa: Isa,
    threads: usize,
    weights: (usize, usize),
}

enum Ready {
    Tile(Tile),
    Move(Move),
}

/// Where an input or a result lies in the arena.
#[derive(Clone)]
struct Port {
    ty: oxhorn_ir::Type,
    offset: usize,
}

impl Executable {
    /// Makes `program` ready to run on `device` over variables laid out as `weights` are.
    ///
    /// # Errors
    ///
    /// If a weight of the program is missing or of another type, an instruction has no kernel for
    /// its element type, a result was planned outside the arena, or there is not enough memory.
    pub fn load(program: &Program, weights: &Weights, device: &Device) -> Result<Executable> {
        let mut loader = Loader::new(program, weights, device.isa, device.threads())?;
        let mut steps = vec![];
        for step in &program.steps {
            steps.push(match &step.kernel {
                Kernel::Loop(it) => Ready::Tile(Tile::load(it, &mut loader)?),
                kernel => Ready::Move(Move::load(kernel, &mut loader)?),
            });
        }
        let (numbers, scratch_bytes) = loader.finish();
        let mut constants = Memory::new(numbers.len())?;
        constants.slice_mut::<u8>(0, numbers.len()).copy_from_slice(&numbers);
        let port = |id: BufferId| {
            let buffer = program.buffer(id);
            match &buffer.place {
                Place::Arena(bytes) => Ok(Port { ty: buffer.ty.clone(), offset: bytes.start }),
                Place::Weight(_) => Err(Error::new("inputs and results lie in the arena")),
            }
        };
        let mut inputs = vec![];
        for (name, id) in &program.inputs {
            inputs.push((name.clone(), port(*id)?));
        }
        Ok(Executable {
            steps,
            arena: Memory::new(program.arena_bytes)?,
            constants,
            scratch: Memory::new(scratch_bytes * device.threads())?,
            scratch_bytes,
            inputs,
            outputs: program.outputs.iter().map(|&id| port(id)).collect::<Result<_>>()?,
            isa: device.isa,
            threads: device.threads(),
            weights: weights.fingerprint(),
        })
    }

    /// The position of the input called `name`, for [`Executable::input_at_mut`].
    pub fn input_index(&self, name: &str) -> Option<usize> {
        self.inputs.iter().position(|(known, _)| known == name)
    }

    /// Where the caller writes the elements of the input called `name`, before every run: what is
    /// computed may lie there when an input has been read for the last time.
    ///
    /// # Errors
    ///
    /// If there is no such input, or its elements are of another type.
    pub fn input_mut<T: Number>(&mut self, name: &str) -> Result<&mut [T]> {
        match self.input_index(name) {
            Some(index) => self.input_at_mut(index),
            None => Err(Error::new(format!("the program has no input `{name}`"))),
        }
    }

    /// The same, by position.
    ///
    /// # Errors
    ///
    /// If its elements are of another type.
    ///
    /// # Panics
    ///
    /// If there is no such input.
    pub fn input_at_mut<T: Number>(&mut self, index: usize) -> Result<&mut [T]> {
        let (name, port) = &self.inputs[index];
        if port.ty.dtype != T::DTYPE {
            let message = format!("the input `{name}` is {}, asked for as {}", port.ty, T::DTYPE);
            return Err(Error::new(message));
        }
        Ok(self.arena.slice_mut(port.offset, port.ty.len()))
    }

    /// The elements of an input as bytes, whatever their type.
    ///
    /// # Panics
    ///
    /// If there is no such input.
    pub fn input_bytes_mut(&mut self, index: usize) -> &mut [u8] {
        let (_, port) = &self.inputs[index];
        self.arena.slice_mut(port.offset, port.ty.bytes())
    }

    /// The elements of a result of the last run.
    ///
    /// # Errors
    ///
    /// If there is no such result, or its elements are of another type.
    pub fn output<T: Number>(&self, index: usize) -> Result<&[T]> {
        let Some(port) = self.outputs.get(index) else {
            let count = self.outputs.len();
            return Err(Error::new(format!("the program has {count} results, no number {index}")));
        };
        if port.ty.dtype != T::DTYPE {
            let message = format!("result {index} is {}, asked for as {}", port.ty, T::DTYPE);
            return Err(Error::new(message));
        }
        Ok(self.arena.slice(port.offset, port.ty.len()))
    }

    /// The same as bytes, whatever the type of the elements.
    ///
    /// # Errors
    ///
    /// If there is no such result.
    pub fn output_bytes(&self, index: usize) -> Result<&[u8]> {
        let count = self.outputs.len();
        let port = self.outputs.get(index);
        let port = port.ok_or_else(|| {
            Error::new(format!("the program has {count} results, no number {index}"))
        })?;
        Ok(self.arena.slice(port.offset, port.ty.bytes()))
    }

    /// Runs the program: reads inputs and weights, updates weights, leaves results.
    ///
    /// # Panics
    ///
    /// If device or weights are not like those that the program was loaded for.
    pub fn run(&mut self, weights: &mut Weights, device: &mut Device) {
        let bases = self.bases(weights, device);
        for step in &self.steps {
            // SAFETY: these are the memories that the steps were loaded for, borrowed for as long
            // as they run; each thread has its own scratch memory.
            unsafe { step.run(&bases, device) }
        }
    }

    /// [`Executable::run`], and how long each of the program's steps took.
    ///
    /// # Panics
    ///
    /// As [`Executable::run`].
    pub fn run_timed(&mut self, weights: &mut Weights, device: &mut Device) -> Vec<Duration> {
        let bases = self.bases(weights, device);
        let mut times = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let begun = Instant::now();
            // SAFETY: as above.
            unsafe { step.run(&bases, device) }
            times.push(begun.elapsed());
        }
        times
    }

    /// The addresses of the memories that the steps were loaded for.
    fn bases(&mut self, weights: &mut Weights, device: &Device) -> Bases {
        assert_eq!(self.weights, weights.fingerprint(), "the weights this was loaded for");
        assert_eq!((self.isa, self.threads), (device.isa, device.threads()), "the device likewise");
        let mut addresses = [std::ptr::null_mut(); 5];
        addresses[Base::Arena as usize] = self.arena.pointer_mut();
        addresses[Base::Weights as usize] = weights.memory().pointer_mut();
        addresses[Base::Constants as usize] = self.constants.pointer_mut();
        addresses[Base::Scratch as usize] = self.scratch.pointer_mut();
        Bases { addresses, scratch_bytes: self.scratch_bytes }
    }
}

impl Ready {
    /// # Safety
    ///
    /// `bases` are the addresses that the step was loaded for, for this device, and nobody else
    /// uses them.
    unsafe fn run(&self, bases: &Bases, device: &mut Device) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Ready::Tile(tile) => tile.run(bases, &mut device.pool),
                Ready::Move(it) => it.run(bases),
            }
        }
    }
}
