//! The process' random streams, which give the numbers Python gives from the same seed.

mod numpy;
mod python;
mod twister;

use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
};

use ndarray::{Array, Array1, IntoDimension};
use oxhorn_ir::{Error, Result};

pub use numpy::Numpy;
pub use python::Python;

use crate::state::State;

static STREAMS: LazyLock<Mutex<Streams>> = LazyLock::new(|| Mutex::new(Streams::from_entropy()));

/// The two generators a Keras program draws from: Python's `random`, where layers and initializers
/// find their seeds, and NumPy's global generator, which makes and shuffles data.
#[derive(Clone, Debug)]
pub struct Streams {
    /// Python's `random`.
    pub python: Python,
    /// NumPy's global generator, `np.random`.
    pub numpy: Numpy,
}

impl Streams {
    /// Both generators as `keras.utils.set_random_seed(seed)` leaves them.
    pub fn seeded(seed: u32) -> Streams {
        Streams { python: Python::seeded(&[seed]), numpy: Numpy::seeded(seed) }
    }

    /// Both generators seeded from the operating system's entropy.
    pub fn from_entropy() -> Streams {
        Streams { python: Python::seeded(&entropy()), numpy: Numpy::seeded_by_key(&entropy()) }
    }
}

/// Where a model takes its random numbers from.
#[derive(Clone, Debug, Default)]
pub enum Source {
    /// The process' streams, as in Keras.
    #[default]
    Process,
    /// Streams of its own, which nothing else draws from: models may train side by side, and each
    /// gives what it would give alone.
    Own(Arc<Mutex<Streams>>),
    /// Every seed is a function of this one and of the path of what it is for: models that differ
    /// in some layers have the same first weights and the same noise in all others. Orders of
    /// samples come from a stream that no model's layers shift.
    ByPath {
        /// What all seeds are made of.
        seed: u32,
        /// Orders of samples.
        orders: Arc<Mutex<Streams>>,
    },
}

impl Source {
    /// Streams of its own, as [`set_random_seed`] leaves those of the process.
    pub fn seeded(seed: u32) -> Source {
        Source::Own(Arc::new(Mutex::new(Streams::seeded(seed))))
    }

    /// Seeds by path, all of them functions of this one.
    pub fn by_path(seed: u32) -> Source {
        let mut orders = Streams::seeded(seed);
        orders.numpy = Numpy::seeded_by_key(&key_of(seed, "orders of samples"));
        Source::ByPath { seed, orders: Arc::new(Mutex::new(orders)) }
    }

    /// A seed for the variable of this path, from 1 to 10⁹.
    pub fn seed_for(&self, path: &str) -> u32 {
        match self {
            Source::Process | Source::Own(_) => self.streams().python.next_seed(),
            Source::ByPath { seed, .. } => Python::seeded(&key_of(*seed, path)).next_seed(),
        }
    }

    /// The streams, held until the guard is dropped.
    pub fn streams(&self) -> MutexGuard<'_, Streams> {
        match self {
            Source::Process => streams(),
            Source::Own(own) | Source::ByPath { orders: own, .. } => {
                own.lock().unwrap_or_else(PoisonError::into_inner)
            }
        }
    }
}

/// What draws orders of samples, for a run that is to go on elsewhere as it would have here.
pub trait Randomness {
    /// Where it is.
    ///
    /// # Errors
    ///
    /// If that cannot be told.
    fn state(&self) -> Result<State>;

    /// Goes on from there.
    ///
    /// # Errors
    ///
    /// If something else was there.
    fn restore(&mut self, state: &State) -> Result<()>;
}

impl Randomness for Source {
    fn state(&self) -> Result<State> {
        let streams = self.streams();
        let (numpy, spare) = streams.numpy.state();
        let state = State::new().with("python", streams.python.state()).with("numpy", numpy);
        let seed = match self {
            Source::ByPath { seed, .. } => Some(*seed as usize),
            Source::Process | Source::Own(_) => None,
        };
        Ok(state.with_some("spare_normal", spare).with_some("seed", seed))
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let python = Python::of_state(&state.value::<Vec<u32>>("python")?);
        let numpy = state.value::<Vec<u32>>("numpy")?;
        let numpy = Numpy::of_state(&numpy, state.find("spare_normal")?);
        let (Some(python), Some(numpy)) = (python, numpy) else {
            return Err(Error::new("the random streams that were kept are not whole"));
        };
        let seed: Option<usize> = state.find("seed")?;
        let known = match self {
            Source::ByPath { seed, .. } => Some(*seed as usize),
            Source::Process | Source::Own(_) => None,
        };
        if seed != known {
            let message = format!("seeds by path were made of {seed:?} and are made of {known:?}");
            return Err(Error::new(message).help("give the model the seed that it had"));
        }
        *self.streams() = Streams { python, numpy };
        Ok(())
    }
}

/// A key of the generators that is another for every seed and name.
fn key_of(seed: u32, name: &str) -> Vec<u32> {
    [seed].into_iter().chain(name.bytes().map(u32::from)).collect()
}

/// 256 bits that differ from call to call and from process to process. The standard library takes
/// the keys of its hash tables from the operating system, which spares us a dependency.
fn entropy() -> [u32; 8] {
    let keys = RandomState::new();
    std::array::from_fn(|i| keys.hash_one(i) as u32)
}

/// The streams of this process, held until the guard is dropped. Whoever draws several numbers
/// that belong together holds it while drawing them.
pub fn streams() -> MutexGuard<'static, Streams> {
    // A thread that panicked while drawing leaves a valid generator behind.
    STREAMS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Seeds every random stream of the process, so that the same program gives the same data, the
/// same initial weights and the same batches: `keras.utils.set_random_seed`.
///
/// Call it before layers are made: each takes its seed when it is made. The seeds are those that
/// Python accepts, 0 to 2³² - 1.
pub fn set_random_seed(seed: u32) {
    *streams() = Streams::seeded(seed);
}

/// The next seed for a layer or an initializer that was given none, from 1 to 10⁹.
pub fn next_seed() -> u32 {
    streams().python.next_seed()
}

/// Numbers from the uniform distribution on [0, 1), in an array of the given shape:
/// `np.random.random(shape)`.
///
/// ```
/// let x = oxhorn::random::random((1200, 25));
/// assert_eq!(x.dim(), (1200, 25));
/// ```
pub fn random<S: IntoDimension>(shape: S) -> Array<f64, S::Dim> {
    let numpy = &mut streams().numpy;
    Array::from_shape_simple_fn(shape.into_dimension(), || numpy.random())
}

/// Integers from 0 to `high` - 1, all equally likely, in an array of the given shape:
/// `np.random.randint(high, size=shape)`.
///
/// There is no such integer when `high` is below 1; the array is then filled with -1, which
/// whatever takes it as a label or an index refuses with an error.
///
/// ```
/// let labels = oxhorn::random::randint(5, 1200);
/// assert!(labels.iter().all(|label| (0..5).contains(label)));
/// ```
pub fn randint<S: IntoDimension>(high: i64, shape: S) -> Array<i64, S::Dim> {
    let numpy = &mut streams().numpy;
    Array::from_shape_simple_fn(shape.into_dimension(), || numpy.randint(high).unwrap_or(-1))
}

/// Numbers from the normal distribution with mean 0 and standard deviation 1:
/// `np.random.standard_normal(shape)`.
pub fn standard_normal<S: IntoDimension>(shape: S) -> Array<f64, S::Dim> {
    normal(0.0, 1.0, shape)
}

/// Numbers from the normal distribution: `np.random.normal(mean, deviation, shape)`.
pub fn normal<S: IntoDimension>(mean: f64, deviation: f64, shape: S) -> Array<f64, S::Dim> {
    let numpy = &mut streams().numpy;
    Array::from_shape_simple_fn(shape.into_dimension(), || {
        mean + deviation * numpy.standard_normal()
    })
}

/// The numbers 0 to `n` - 1 in a random order: `np.random.permutation(n)`.
pub fn permutation(n: usize) -> Array1<usize> {
    streams().numpy.permutation(n).into()
}

/// Puts the items in a random order: `np.random.shuffle(items)`.
pub fn shuffle<T>(items: &mut [T]) {
    streams().numpy.shuffle(items);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differs_between_unseeded_streams() {
        let (mut a, mut b) = (Streams::from_entropy(), Streams::from_entropy());
        assert_ne!(a.numpy.random(), b.numpy.random());
        let seeds = |streams: &mut Streams| [(); 4].map(|()| streams.python.next_seed());
        assert_ne!(seeds(&mut a), seeds(&mut b));
    }

    #[test]
    fn seeds_by_path_depend_on_nothing_else() {
        let (a, b) = (Source::by_path(7), Source::by_path(7));
        a.seed_for("dropout/seed_generator_state");
        assert_eq!(a.seed_for("dense/kernel"), b.seed_for("dense/kernel"));
        let orders = |source: &Source| source.streams().numpy.permutation(11);
        assert_eq!(orders(&a), orders(&b));
        // random.seed(7 + sum(ord(c) << 32 * (i + 1) for i, c in enumerate("ab")))
        assert_eq!(b.seed_for("ab"), 985_213_818);
        let mut seeds: Vec<u32> = (0..50)
            .flat_map(|seed| ["", "a", "b", "ab", "ba"].map(|it| (seed, it)))
            .map(|(seed, path)| Source::by_path(seed).seed_for(path))
            .collect();
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), 250);
    }

    #[test]
    fn streams_go_on_from_where_they_were() {
        let mut source = Source::seeded(3);
        source.streams().numpy.standard_normal();
        source.streams().python.next_seed();
        let state = source.state().expect("a state");
        let draws = |source: &Source| {
            let mut streams = source.streams();
            let seed = streams.python.next_seed();
            (seed, streams.numpy.standard_normal(), streams.numpy.permutation(13))
        };
        let expected = draws(&source);
        let mut other = Source::seeded(4);
        other.restore(&state).expect("a state");
        assert_eq!(draws(&other), expected);
        source.restore(&state).expect("a state");
        assert_eq!(draws(&source), expected);
        let error = Source::by_path(1).restore(&state).expect_err("another kind").message;
        assert_eq!(error, "seeds by path were made of None and are made of Some(1)");
    }

    #[test]
    fn makes_arrays_of_every_rank_and_of_no_elements() {
        assert_eq!(random(()).len(), 1);
        assert_eq!(random((0, 3)).dim(), (0, 3));
        assert_eq!(standard_normal([2, 1, 3]).dim(), (2, 1, 3));
        assert_eq!(normal(1.0, 0.0, 7).to_vec(), [1.0; 7]);
        assert_eq!(permutation(0).len(), 0);
    }

    #[test]
    fn has_no_integers_below_one() {
        assert_eq!(randint(0, 3).to_vec(), [-1; 3]);
        assert_eq!(randint(-5, 2).to_vec(), [-1; 2]);
        assert_eq!(randint(1, 4).to_vec(), [0; 4]);
    }
}
