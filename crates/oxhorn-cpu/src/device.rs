//! The processor: the instruction set to use, and the threads.

use crate::{isa::Isa, pool::Pool};

/// What programs run on.
pub struct Device {
    pub(crate) isa: Isa,
    pub(crate) pool: Pool,
}

impl Device {
    /// This machine, with its widest instruction set and this many threads, the caller's included.
    pub fn new(threads: usize) -> Device {
        Device { isa: Isa::best(), pool: Pool::new(threads) }
    }

    /// This machine, with an instruction set it has; a narrower one is for tests and comparisons.
    ///
    /// # Panics
    ///
    /// If the machine does not have it.
    pub fn with_isa(threads: usize, isa: Isa) -> Device {
        assert!(isa.is_available(), "this machine has no {isa}");
        Device { isa, pool: Pool::new(threads) }
    }

    /// The instruction set in use.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// The threads in use, the caller's included.
    pub fn threads(&self) -> usize {
        self.pool.threads()
    }
}
