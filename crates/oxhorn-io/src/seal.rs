//! The seal: a checksum over every byte of a file that was written here, in a place that others
//! tolerate.
//!
//! | format | the seal is |
//! |---|---|
//! | `.keras`, `.npz` | the comment of the ZIP |
//! | `.h5` | a block behind the end of the file that the superblock declares |
//! | `.safetensors` | the first two entries of `__metadata__` |
//!
//! A seal is a mark and a SHA-256 over all other bytes of the file. That a file has one is seen by
//! two signs that lie apart: the mark, and room of its size where the format ends (of safetensors:
//! marks before and behind the checksum). Either is enough to demand an intact seal, so damage to
//! one does not turn a file of ours into one of somebody else's, which would be read unchecked.

use std::fmt::Write;

use oxhorn_ir::{Error, Result};
use sha2::{Digest, Sha256};

use crate::Format;

/// What a seal in the end of a file begins with.
const MARK: &[u8] = b"oxhorn sha256 ";
/// Hexadecimal digits of the checksum.
const DIGITS: usize = 64;
/// A seal in the end of a file.
const SEAL_BYTES: usize = MARK.len() + DIGITS;

/// What a ZIP ends with, followed by 16 bytes, the length of the comment and the comment.
const ZIP_END: &[u8] = b"PK\x05\x06";
const ZIP_END_BYTES: usize = 22;

/// Where the header of safetensors begins: behind its length.
const HEADER_AT: usize = 8;
/// What stands before the checksum in safetensors, and behind it.
const HEADER_MARKS: [&[u8]; 2] =
    [br#"{"__metadata__":{"oxhorn_sha256":""#, br#"","oxhorn_sealed":"1""#];

/// What a file says of its own bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seal {
    /// All bytes are those that were written; their SHA-256 in hexadecimal digits.
    Intact(String),
    /// The file has no seal: others wrote it.
    Absent,
}

/// What a file says of its own bytes; every reader asks this first.
///
/// # Errors
///
/// If there is a seal, or some of one, and it is not that of these bytes.
pub fn check(bytes: &[u8], format: Format) -> Result<Seal> {
    let (marks, digits) = match format {
        Format::Safetensors => {
            let digits = HEADER_AT + HEADER_MARKS[0].len();
            let marks = [
                stands_at(bytes, HEADER_AT, HEADER_MARKS[0]),
                stands_at(bytes, digits + DIGITS, HEADER_MARKS[1]),
            ];
            (marks, digits)
        }
        Format::Keras | Format::Npz | Format::H5 => {
            let start = bytes.len().saturating_sub(SEAL_BYTES);
            let room = if format == Format::H5 { h5_has_room(bytes) } else { zip_has_room(bytes) };
            ([stands_at(bytes, start, MARK), room], start + MARK.len())
        }
    };
    if marks == [false; 2] {
        return Ok(Seal::Absent);
    }
    let found = bytes.get(digits..digits + DIGITS).unwrap_or_default();
    let expected = hexadecimal(bytes, digits);
    if marks != [true; 2] || found != expected.as_bytes() {
        let message =
            "the file was changed since it was written: its bytes and its checksum differ";
        return Err(Error::new(message).help("take another copy, or an earlier checkpoint"));
    }
    Ok(Seal::Intact(expected))
}

/// Seals a ZIP without a comment.
pub(crate) fn seal_zip(mut zip: Vec<u8>) -> Vec<u8> {
    let length_at = zip.len() - 2;
    zip[length_at..].copy_from_slice(&(SEAL_BYTES as u16).to_le_bytes());
    seal_end(zip)
}

/// Seals a file that may have any bytes behind its own end.
pub(crate) fn seal_end(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.extend_from_slice(MARK);
    let digits = hexadecimal(&bytes, bytes.len());
    bytes.extend_from_slice(digits.as_bytes());
    bytes
}

/// The beginning of a header of safetensors, with room for the checksum.
pub(crate) fn unsealed_header() -> Vec<u8> {
    [HEADER_MARKS[0], &[b'0'; DIGITS], HEADER_MARKS[1]].concat()
}

/// Seals safetensors whose header begins with [`unsealed_header`].
pub(crate) fn seal_header(mut bytes: Vec<u8>) -> Vec<u8> {
    let at = HEADER_AT + HEADER_MARKS[0].len();
    let digits = hexadecimal(&bytes, at);
    bytes[at..at + DIGITS].copy_from_slice(digits.as_bytes());
    bytes
}

/// Names of `__metadata__` that belong to the seal.
pub(crate) fn is_reserved(name: &str) -> bool {
    ["oxhorn_sha256", "oxhorn_sealed"].contains(&name)
}

/// SHA-256 of all bytes but the digits at `digits`.
fn hexadecimal(bytes: &[u8], digits: usize) -> String {
    let mut sha = Sha256::new();
    sha.update(&bytes[..digits.min(bytes.len())]);
    sha.update(bytes.get(digits + DIGITS..).unwrap_or_default());
    sha.finalize().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes whatever is written");
        text
    })
}

fn stands_at(bytes: &[u8], at: usize, mark: &[u8]) -> bool {
    bytes.get(at..at + mark.len()) == Some(mark)
}

/// Whether a ZIP declares a comment of a seal's size, even if the file was cut off within it or
/// something was added behind.
fn zip_has_room(bytes: &[u8]) -> bool {
    let first = bytes.len().saturating_sub(ZIP_END_BYTES + u16::MAX as usize);
    let length = (SEAL_BYTES as u16).to_le_bytes();
    (first..bytes.len()).any(|at| {
        stands_at(bytes, at, ZIP_END) && stands_at(bytes, at + ZIP_END_BYTES - 2, &length)
    })
}

/// Whether there is a seal behind the end that the superblock declares, or something no longer than
/// one.
fn h5_has_room(bytes: &[u8]) -> bool {
    let at = match bytes.get(8) {
        Some(0) => 40,
        Some(1) => 44,
        Some(2 | 3) => 28,
        _ => return false,
    };
    let Some(end) = bytes.get(at..at + 8).and_then(|it| it.try_into().ok()) else { return false };
    let behind = usize::try_from(u64::from_le_bytes(end)).ok().and_then(|end| bytes.get(end..));
    behind
        .is_some_and(|behind| behind.starts_with(MARK) || (1..=SEAL_BYTES).contains(&behind.len()))
}
