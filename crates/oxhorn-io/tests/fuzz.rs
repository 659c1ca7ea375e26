//! Readers given bytes without end: damaged files of every format, and how much memory they take.
//!
//! Each target starts from files that are in order and changes some of them. `cargo test` runs all
//! of them for a minute; with `BOLERO_RANDOM_TEST_TIME_MS=3600000`, `cargo test --release -p
//! oxhorn-io --test fuzz hdf5` runs one for an hour. With `cargo bolero test hdf5 -p oxhorn-io` the
//! same target is led by what code it reaches. A failure prints `BOLERO_RANDOM_SEED`, which repeats
//! it.

mod support;

use std::{
    panic::RefUnwindSafe,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bolero::{TypeGenerator, check};
use oxhorn_io::{config, h5, keras, npz, safetensors};
use oxhorn_ir::{Error, Result};
use peak_alloc::PeakAlloc;

use crate::support::recorded;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;
/// Memory is counted for the whole process: one reader at a time.
static ONE: Mutex<()> = Mutex::new(());

/// How long a target runs, unless the environment says otherwise: half of it waiting for another.
const TEST_TIME: Duration = Duration::from_secs(20);
/// What is allowed besides four times the file.
const FREE_BYTES: usize = 64 << 20;

/// A file, and what is done to it.
#[derive(Debug, TypeGenerator)]
struct Damage {
    file: u8,
    edits: [Option<Edit>; 4],
}

/// A change of a file; places are taken modulo its length.
#[derive(Debug, TypeGenerator)]
enum Edit {
    /// Another byte.
    Byte { at: u32, value: u8 },
    /// A bit turned.
    Bit { at: u32, bit: u8 },
    /// A number of some bytes, of those that are near a bound.
    Number { at: u32, bytes: u8, number: Bound, minus: u8 },
    /// A piece of the file somewhere else: a header, a name, an address.
    Copy { from: u32, to: u32, length: u8 },
    /// A piece of the file taken out.
    Cut { at: u32, length: u16 },
    /// A piece of the file repeated.
    Repeat { at: u32, length: u8, times: u8 },
    /// The end taken off.
    Truncate { at: u32 },
}

#[derive(Clone, Copy, Debug, TypeGenerator)]
enum Bound {
    Zero,
    Small,
    Byte,
    Short,
    Signed,
    Unsigned,
    Long,
    Length,
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        let place = |at: u32| at as usize % length.max(1);
        let piece = |at: u32, size: usize| place(at)..(place(at) + size).min(length);
        if length == 0 {
            return;
        }
        match *self {
            Edit::Byte { at, value } => bytes[place(at)] = value,
            Edit::Bit { at, bit } => bytes[place(at)] ^= 1 << (bit % 8),
            Edit::Number { at, bytes: size, number, minus } => {
                let number = number.value(length).wrapping_sub(u64::from(minus % 4)).to_le_bytes();
                let range = piece(at, [1, 2, 4, 8][size as usize % 4]);
                let size = range.len();
                bytes[range].copy_from_slice(&number[..size]);
            }
            Edit::Copy { from, to, length: size } => {
                let from = bytes[piece(from, size as usize)].to_vec();
                let to = piece(to, from.len());
                let size = to.len();
                bytes[to].copy_from_slice(&from[..size]);
            }
            Edit::Cut { at, length: size } => drop(bytes.drain(piece(at, size as usize))),
            Edit::Repeat { at, length: size, times } => {
                let range = piece(at, size as usize);
                let again = bytes[range.clone()].repeat(times as usize);
                bytes.splice(range.end..range.end, again);
            }
            Edit::Truncate { at } => bytes.truncate(place(at)),
        }
    }
}

impl Bound {
    fn value(self, length: usize) -> u64 {
        match self {
            Bound::Zero => 0,
            Bound::Small => 5,
            Bound::Byte => 1 << 8,
            Bound::Short => 1 << 16,
            Bound::Signed => 1 << 31,
            Bound::Unsigned => 1 << 32,
            Bound::Long => 1 << 63,
            Bound::Length => length as u64,
        }
    }
}

/// Damages files and gives them to a reader. What is read all the same must be written and read
/// again without loss.
fn damage<T: PartialEq>(
    files: &[Vec<u8>],
    read: impl Fn(&[u8]) -> Result<T> + RefUnwindSafe,
    write: impl Fn(&T) -> Result<Vec<u8>> + RefUnwindSafe,
) {
    check!().with_test_time(TEST_TIME).with_type::<Damage>().for_each(|damage| {
        let mut bytes = files[damage.file as usize % files.len()].clone();
        damage.edits.iter().flatten().for_each(|edit| edit.apply(&mut bytes));
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        ALLOCATED.reset_peak_usage();
        let before = ALLOCATED.current_usage();
        let result = read(&bytes);
        let peak = ALLOCATED.peak_usage().saturating_sub(before) + bytes.len();
        assert!(peak <= 4 * bytes.len() + FREE_BYTES, "{peak} for {}", bytes.len());
        match result {
            Ok(found) => {
                let Ok(written) = write(&found) else { return };
                assert!(read(&written).is_ok_and(|again| again == found), "another after writing");
            }
            Err(Error { message, .. }) => {
                assert!(!message.contains("reading it failed"), "the library panicked");
            }
        }
    });
}

/// The file without its seal, which would refuse whatever is done to it.
fn unsealed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() - 78);
    bytes
}

fn unsealed_zip(bytes: Vec<u8>) -> Vec<u8> {
    let mut bytes = unsealed(bytes);
    let length_at = bytes.len() - 2;
    bytes[length_at..].fill(0);
    bytes
}

#[test]
fn hdf5() {
    let ours = unsealed(h5::write(&support::archive().weights).unwrap());
    let theirs = ["kinds.h5", "latest.h5", "legacy.h5", "model.weights.h5"].map(recorded);
    let files: Vec<_> = theirs.into_iter().chain([ours]).collect();
    damage(&files, |bytes| h5::read(bytes), h5::write);
}

#[test]
fn archives() {
    let archive = keras::Archive { state: None, ..support::archive() };
    let files = [recorded("model.keras"), unsealed_zip(keras::write(&archive).unwrap())];
    damage(&files, |bytes| keras::read(bytes), keras::write);
}

#[test]
fn npz_files() {
    let files = [recorded("kinds.npz"), recorded("packed.npz")];
    damage(&files, |bytes| npz::read(bytes), npz::write);
}

#[test]
fn safetensors_files() {
    let files = [recorded("kinds.safetensors")];
    damage(&files, |bytes| safetensors::read(bytes), safetensors::write);
}

#[test]
fn configs() {
    let config = keras::read(recorded("model.keras")).unwrap().config;
    let files = [config.to_string().into_bytes(), b"[1, -2.5e-3, \"\\u00e9\", {}]".to_vec()];
    damage(&files, config::parse, |value| Ok(value.to_string().into_bytes()));
}
