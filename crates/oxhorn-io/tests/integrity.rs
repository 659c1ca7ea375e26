//! No damaged file of ours is read, whatever is damaged; files of others are read without a seal.

mod support;

use oxhorn_io::{
    Format, Group, Tensors, h5, keras, npz, safetensors,
    seal::{self, Seal},
};
use oxhorn_ir::Result;

use crate::support::recorded;

/// A file of every format, sealed.
fn files() -> [(Format, Vec<u8>); 4] {
    let archive = support::archive();
    let tensors: Tensors = archive.weights.flatten();
    let contents = safetensors::Contents {
        tensors: tensors.clone(),
        metadata: [("by".to_owned(), "us".to_owned())].into_iter().collect(),
    };
    [
        (Format::Keras, keras::write(&archive).unwrap()),
        (Format::H5, h5::write(&archive.weights).unwrap()),
        (Format::Npz, npz::write(&tensors).unwrap()),
        (Format::Safetensors, safetensors::write(&contents).unwrap()),
    ]
}

fn read(format: Format, bytes: &[u8]) -> Result<()> {
    match format {
        Format::Keras => keras::read(bytes).map(drop),
        Format::H5 => h5::read(bytes).map(drop),
        Format::Npz => npz::read(bytes).map(drop),
        Format::Safetensors => safetensors::read(bytes).map(drop),
    }
}

/// Numbers without order, the same in every run: xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

#[test]
fn ten_thousand_flips_of_a_bit_are_detected() {
    let (format, mut bytes) = files().into_iter().next().unwrap();
    read(format, &bytes).unwrap();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..10_000 {
        let (at, bit) = (random.below(bytes.len()), 1 << random.below(8));
        bytes[at] ^= bit;
        assert!(read(format, &bytes).is_err(), "byte {at} of {}, bit {bit}", bytes.len());
        bytes[at] ^= bit;
    }
    read(format, &bytes).unwrap();
}

#[test]
fn every_flip_of_a_bit_in_a_file_of_any_format_is_detected() {
    for (format, mut bytes) in files() {
        // Every bit near both ends, where marks, checksums and lengths are; elsewhere one a byte.
        let length = bytes.len();
        for at in 0..length {
            let near = at < 300 || length - at < 300;
            for bit in (0..8).filter(|bit| near || *bit == at % 8) {
                bytes[at] ^= 1 << bit;
                let seal = seal::check(&bytes, format);
                assert!(seal.is_err(), "{format:?}: byte {at} of {length}, bit {bit}");
                bytes[at] ^= 1 << bit;
            }
        }
    }
}

#[test]
fn a_file_cut_off_anywhere_is_refused() {
    for (format, bytes) in files() {
        for length in 0..bytes.len() {
            let read = read(format, &bytes[..length]);
            // Of HDF5, all that comes before the seal is a whole file, as others write them.
            let whole = format == Format::H5 && length == bytes.len() - 78;
            assert_eq!(read.is_ok(), whole, "{format:?}: {length} of {}", bytes.len());
        }
    }
}

#[test]
fn bytes_that_are_added_are_detected() {
    for (format, bytes) in files() {
        let (before, behind) = ([&[0], &bytes[..]].concat(), [&bytes[..], &[0]].concat());
        assert!(read(format, &before).is_err(), "{format:?}");
        assert!(read(format, &behind).is_err(), "{format:?}");
    }
}

#[test]
fn a_seal_says_what_it_is() {
    let [(format, mut bytes), ..] = files();
    let Seal::Intact(digest) = seal::check(&bytes, format).unwrap() else { panic!("no seal") };
    assert_eq!(digest.len(), 64);
    assert!(bytes.ends_with(format!("oxhorn sha256 {digest}").as_bytes()));
    bytes[100] ^= 1;
    let error = seal::check(&bytes, format).unwrap_err();
    assert_eq!(
        error.message,
        "the file was changed since it was written: its bytes and its checksum differ"
    );
    assert_eq!(error.help.as_deref(), Some("take another copy, or an earlier checkpoint"));
}

#[test]
fn files_of_others_have_none_and_are_read() {
    for (name, format) in [
        ("model.keras", Format::Keras),
        ("model.weights.h5", Format::H5),
        ("legacy.h5", Format::H5),
        ("latest.h5", Format::H5),
        ("kinds.npz", Format::Npz),
        ("kinds.safetensors", Format::Safetensors),
    ] {
        let bytes = recorded(name);
        assert_eq!(seal::check(&bytes, format).unwrap(), Seal::Absent, "{name}");
        read(format, &bytes).unwrap();
    }
}

#[test]
fn state_without_a_seal_is_refused() {
    let [(_, mut bytes), ..] = files();
    // As who takes the comment off the ZIP: no room for a seal, and no seal.
    bytes.truncate(bytes.len() - 78);
    let length_at = bytes.len() - 2;
    bytes[length_at..].fill(0);
    assert_eq!(seal::check(&bytes, Format::Keras).unwrap(), Seal::Absent);
    let error = keras::read(&bytes).unwrap_err();
    assert_eq!(error.message, "the archive has lost its checksum since it was written");
}

#[test]
fn nothing_but_a_group_makes_a_file() {
    let empty = Group::default();
    let bytes = h5::write(&empty).unwrap();
    assert_eq!(h5::read(&bytes[..]).unwrap(), empty);
    let none = Tensors::new();
    assert_eq!(npz::read(npz::write(&none).unwrap()).unwrap(), none);
    let contents = safetensors::Contents::default();
    assert_eq!(safetensors::read(safetensors::write(&contents).unwrap()).unwrap(), contents);
}
