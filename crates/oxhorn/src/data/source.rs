//! Where batches come from: arrays that are at hand, or a stream that makes them as it goes.

use std::mem::take;

use oxhorn_ir::{Result, ensure};

use super::{
    Data, Shuffle,
    order::{Order, Permute},
};
use crate::{
    engine::{Engine, Key, Kind},
    state::State,
};

/// Batches that someone makes one after the other.
pub trait Stream {
    /// An epoch begins, which need not be a pass over the data.
    ///
    /// # Errors
    ///
    /// What keeps it from beginning.
    fn begin_epoch(&mut self) -> Result<()> {
        Ok(())
    }

    /// The steps of an epoch have been taken.
    ///
    /// # Errors
    ///
    /// What goes wrong then.
    fn end_epoch(&mut self) -> Result<()> {
        Ok(())
    }

    /// A pass over the data begins, the first or another.
    ///
    /// # Errors
    ///
    /// What keeps it from beginning.
    fn begin(&mut self) -> Result<()>;

    /// The next batch of this pass; `None` if there is none left.
    ///
    /// # Errors
    ///
    /// What keeps it from being made.
    fn next(&mut self) -> Result<Option<Data<'_>>>;

    /// How many batches a pass has, where that is known beforehand.
    ///
    /// If there are fewer, the epoch ends with the last there is.
    fn batches(&self) -> Option<usize>;
}

/// Where batches come from.
pub struct Source<'a> {
    origin: Origin<'a>,
    steps: Option<usize>,
}

enum Origin<'a> {
    Arrays { data: Data<'a>, order: Order },
    Stream(Box<dyn Stream + 'a>),
}

impl<'a> Source<'a> {
    /// Arrays, taken so many samples at a time.
    ///
    /// # Errors
    ///
    /// When a batch were to hold none, or the arrays do not hold equally many.
    pub fn arrays(data: Data<'a>, batch_size: usize, shuffle: Shuffle) -> Result<Source<'a>> {
        data.check()?;
        let order = Order::new(data.rows(), batch_size, shuffle)?;
        Ok(Source { origin: Origin::Arrays { data, order }, steps: None })
    }

    /// A stream of batches.
    pub fn stream(stream: impl Stream + 'a) -> Source<'a> {
        Source { origin: Origin::Stream(Box::new(stream)), steps: None }
    }

    /// Lets an epoch have so many steps, or fewer if a pass over the data ends before: the next
    /// epoch goes on where this one ended, and begins another pass where that one did.
    #[must_use]
    pub fn steps(self, steps: Option<usize>) -> Source<'a> {
        Source { steps, ..self }
    }

    /// How many steps an epoch has, where that is known.
    pub fn steps_per_epoch(&self) -> Option<usize> {
        self.steps.or(self.batches())
    }

    fn batches(&self) -> Option<usize> {
        match &self.origin {
            Origin::Arrays { order, .. } => Some(order.len()),
            Origin::Stream(stream) => stream.batches(),
        }
    }

    /// The program that takes a whole batch of these data, where they are at hand.
    pub fn key(&self, kind: Kind) -> Option<Key> {
        match &self.origin {
            Origin::Arrays { data, order } => Some(Key::new(kind, data, order.batch(0).len())),
            Origin::Stream(_) => None,
        }
    }
}

/// Where a run was interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// Before an epoch, or after the last.
    BetweenEpochs,
    /// After a step of one.
    WithinEpoch,
}

/// Runs the batches of a source through the programs that take them.
pub(crate) struct Feeder<'a> {
    source: Source<'a>,
    kind: Kind,
    /// Steps taken in this epoch.
    step: usize,
    /// Batches taken in this pass; `None` between passes.
    taken: Option<usize>,
    /// How many batches a pass turned out to have.
    found: Option<usize>,
    programs: Programs,
}

/// The programs of whole batches and of smaller ones, as long as their indices hold.
#[derive(Default)]
struct Programs {
    generation: usize,
    known: Vec<(usize, usize)>,
}

impl<'a> Feeder<'a> {
    pub(crate) fn new(source: Source<'a>, kind: Kind) -> Feeder<'a> {
        let (step, taken, found) = (0, None, None);
        Feeder { source, kind, step, taken, found, programs: Programs::default() }
    }

    /// The same data from the beginning, for programs of another kind: of arrays, all samples.
    pub(crate) fn over_again(self, kind: Kind) -> Feeder<'a> {
        let Source { origin, steps } = self.source;
        let steps = steps.filter(|_| matches!(origin, Origin::Stream(_)));
        Feeder { found: self.found, ..Feeder::new(Source { origin, steps }, kind) }
    }

    /// Draws what Keras draws, the first time it fits a compiled model, to have a look at a batch.
    pub(crate) fn skip_first_look(&self, permute: &mut Permute<'_>) -> Result<()> {
        match &self.source.origin {
            Origin::Arrays { order, .. } => order.skip_first_look(permute),
            Origin::Stream(_) => Ok(()),
        }
    }

    /// Makes the programs that arrays will need before anything is changed by a step.
    pub(crate) fn load(&mut self, engine: &mut Engine) -> Result<()> {
        if let Origin::Arrays { data, order } = &self.source.origin {
            for batch in [0, order.len().saturating_sub(1)] {
                let rows = order.batch(batch).len();
                self.programs.of(engine, self.kind, data, rows)?;
            }
        }
        Ok(())
    }

    /// How many steps an epoch has, where that is known by now.
    pub(crate) fn steps(&self) -> Option<usize> {
        self.source.steps_per_epoch().or(self.found)
    }

    /// An epoch begins. Training goes on where the last one ended, if epochs are not passes;
    /// measuring starts at the beginning.
    pub(crate) fn begin_epoch(&mut self) -> Result<()> {
        self.step = 0;
        let goes_on = self.kind == Kind::Train && self.source.steps.is_some();
        if !goes_on || self.taken == self.batches() {
            self.taken = None;
        }
        match &mut self.source.origin {
            Origin::Stream(stream) => stream.begin_epoch(),
            Origin::Arrays { .. } => Ok(()),
        }
    }

    /// How far it is: in its epoch, in its pass over the data, and the order of that.
    pub(crate) fn state(&self) -> State {
        let order = match &self.source.origin {
            Origin::Arrays { order, .. } => order.state(),
            Origin::Stream(_) => State::new(),
        };
        let state = State::new().with("step", self.step).with_some("taken", self.taken);
        state.with_some("found", self.found).with_part("order", order)
    }

    /// Goes on from there, in the middle of an epoch or between two. A stream gives again the
    /// batches of its pass that have been taken, and they are left out.
    pub(crate) fn restore(&mut self, state: &State, position: Position) -> Result<()> {
        let (taken, found) = (state.find("taken")?, state.find("found")?);
        match &mut self.source.origin {
            Origin::Arrays { order, .. } => order.restore(&state.part("order"))?,
            Origin::Stream(stream) => {
                if position == Position::WithinEpoch {
                    stream.begin_epoch()?;
                }
                if taken.is_some() {
                    stream.begin()?;
                }
                for batch in 0..taken.unwrap_or(0) {
                    let again = stream.next()?.is_some();
                    let taken = taken.unwrap_or(0);
                    ensure!(
                        again,
                        "the run that was interrupted had taken {taken} batches, and there are \
                         {batch} now";
                        help: "go on with a stream that gives the same batches"
                    );
                }
            }
        }
        (self.step, self.taken, self.found) = (state.value("step")?, taken, found);
        Ok(())
    }

    /// The steps of an epoch have been taken.
    pub(crate) fn end_epoch(&mut self) -> Result<()> {
        match &mut self.source.origin {
            Origin::Stream(stream) => stream.end_epoch(),
            Origin::Arrays { .. } => Ok(()),
        }
    }

    fn batches(&self) -> Option<usize> {
        self.source.batches().or(self.found)
    }

    /// Whether this epoch has another step, as far as is known before its batch is asked for.
    pub(crate) fn has_next(&self) -> bool {
        let ran_out = self.taken.is_some() && self.taken == self.batches();
        !ran_out && self.steps().is_none_or(|steps| self.step < steps)
    }

    /// Runs the next batch of the epoch; the index of its program, or `None` if there is none left.
    pub(crate) fn next(
        &mut self,
        engine: &mut Engine,
        permute: &mut Permute<'_>,
    ) -> Result<Option<usize>> {
        if !self.has_next() {
            return Ok(None);
        }
        let begins = self.taken.is_none();
        let taken = self.taken.unwrap_or(0);
        let kind = self.kind;
        let program = match &mut self.source.origin {
            Origin::Arrays { data, order } => {
                if begins {
                    order.draw(permute)?;
                }
                let rows = order.batch(taken);
                let program = self.programs.of(engine, kind, data, rows.len())?;
                engine.program(program).feed(data, rows)?;
                program
            }
            Origin::Stream(stream) => {
                if begins {
                    stream.begin()?;
                }
                let Some(data) = stream.next()? else {
                    self.found = Some(taken);
                    self.taken = None;
                    return Ok(None);
                };
                data.check()?;
                let rows: Vec<usize> = (0..data.rows()).collect();
                let key = Key::new(kind, &data, rows.len());
                if kind.measures() {
                    engine.prepare(&key)?;
                }
                let program = engine.load(&key)?;
                engine.program(program).feed(&data, &rows)?;
                program
            }
        };
        self.taken = Some(taken + 1);
        self.step += 1;
        engine.run(program);
        Ok(Some(program))
    }
}

impl Programs {
    fn of(
        &mut self,
        engine: &mut Engine,
        kind: Kind,
        data: &Data<'_>,
        rows: usize,
    ) -> Result<usize> {
        if self.generation != engine.generation() {
            take(&mut self.known);
        }
        if let Some((_, index)) = self.known.iter().find(|(known, _)| *known == rows) {
            return Ok(*index);
        }
        let index = engine.load_for(kind, data, rows)?;
        // Loading one program may have made the variables anew, and with them all programs.
        if self.generation != engine.generation() {
            take(&mut self.known);
            self.generation = engine.generation();
        }
        self.known.push((rows, index));
        Ok(index)
    }
}
