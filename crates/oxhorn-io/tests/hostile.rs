//! Files that somebody made to do harm are refused, with words that say why, in little memory.
//!
//! The small ones are made by `record_hostile.py` and called after the attack; `refusals.txt` says
//! how each is refused. The large ones are made here. What a config asks for is no matter of files:
//! such files are read, as data, and refused by the list of classes.

mod support;

use std::{
    fs,
    io::{Cursor, Write},
    path::{Path, PathBuf},
};

use hdf5_pure::{AttrValue, FileBuilder};
use oxhorn_io::{Format, h5, keras, npz, safetensors};
use oxhorn_ir::Result;
use peak_alloc::PeakAlloc;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::support::recorded;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// What is allowed besides four times the file.
const FREE_BYTES: usize = 64 << 20;

// One test: memory is counted for the whole process.
#[test]
fn hostile_files_are_refused_in_little_memory() {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests");
    let refusals = fs::read_to_string(tests.join("refusals.txt")).unwrap();
    let mut expected = refusals.lines();
    let entries = fs::read_dir(tests.join("hostile")).unwrap();
    let names = entries.map(|it| it.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    for name in &names {
        let bytes = fs::read(tests.join("hostile").join(name)).unwrap();
        let (refusal, line) = (refusal(name, &bytes), expected.next().unwrap_or_default());
        assert!(!line.is_empty() && refusal.starts_with(line), "{refusal}");
    }
    assert_eq!(expected.next(), None);
    for (name, bytes, message) in large() {
        let refusal = refusal(name, &bytes);
        assert!(refusal.starts_with(&format!("{name}: {message}")), "{refusal}");
    }
}

/// How a file is refused, which must take little memory: its name and the message.
#[track_caller]
fn refusal(name: &str, bytes: &[u8]) -> String {
    let format = Format::of(Path::new(name)).unwrap();
    ALLOCATED.reset_peak_usage();
    let before = ALLOCATED.current_usage();
    let result = read(format, bytes);
    // The file itself was allocated before, by whoever read it.
    let peak = ALLOCATED.peak_usage() - before + bytes.len();
    let bound = 4 * bytes.len() + FREE_BYTES;
    assert!(peak <= bound, "{name}: {peak} bytes at once for a file of {}", bytes.len());
    let message = match result {
        Ok(()) => "only its config is hostile".to_owned(),
        Err(error) => error.message + &error.origin.map_or(String::new(), |it| format!(" in {it}")),
    };
    format!("{name}: {message}")
}

fn read(format: Format, bytes: &[u8]) -> Result<()> {
    match format {
        Format::Keras => keras::read(bytes).map(drop),
        Format::H5 => h5::read(bytes).map(drop),
        Format::Npz => npz::read(bytes).map(drop),
        Format::Safetensors => safetensors::read(bytes).map(drop),
    }
}

type Case = (&'static str, Vec<u8>, &'static str);

fn large() -> Vec<Case> {
    let names = "the file has more than 65536 names of tensors and groups";
    let too_many = "the JSON cannot be read: there are more than 250000 values";
    let too_much = "a tensor of the HDF5 declares 4294967296 bytes, which is too much";
    vec![
        (
            "h12_deflated.keras",
            deflated(),
            "member \"model.weights.h5\" of the ZIP declares 2000000",
        ),
        ("h12_lies.keras", lying(), "member \"model.weights.h5\" of the ZIP cannot be read"),
        ("h12_shared.npz", shared(), "two members of the ZIP share bytes"),
        ("h12_members.npz", zip((0..70_000).map(|it| (it.to_string(), vec![]))), names),
        ("h19_entries.safetensors", entries(100_000), too_many),
        ("h19_blank.safetensors", blank(), "the safetensors have a header of 20000002 bytes"),
        ("h20_values.keras", values(), too_many),
        ("h20_groups.h5", groups(), names),
        ("h20_names.h5", long_names(), "a name in the file has 60000 bytes, more than 1024"),
        ("h20_texts.h5", texts(), "a list of texts in the HDF5 declares 100000 bytes"),
        ("h10_chunk.h5", patched(&[13u32, 11, 4], &[1 << 20, 1 << 10, 4]), too_much),
        (
            "h10_chunks.h5",
            patched(&[13u64, 11], &[1, 1]),
            "`/packed/chunked` of the HDF5 has more chunks than its shape",
        ),
    ]
}

/// A ZIP of these members, compressed.
fn zip(members: impl Iterator<Item = (String, Vec<u8>)>) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(vec![]));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in members {
        zip.start_file(name, options).unwrap();
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn archive(weights: Vec<u8>, config: Vec<u8>) -> Vec<u8> {
    let members = [("metadata.json", b"{}".to_vec()), ("config.json", config)];
    let members = members.into_iter().chain([("model.weights.h5", weights)]);
    zip(members.map(|(name, bytes)| (name.to_owned(), bytes)))
}

/// 200 MB of zeros in 200 kB.
fn deflated() -> Vec<u8> {
    archive(vec![0; 200_000_000], b"{}".to_vec())
}

/// The same, which declares 100 bytes.
fn lying() -> Vec<u8> {
    let mut bytes = deflated();
    let (real, declared) = (200_000_000u32.to_le_bytes(), 100u32.to_le_bytes());
    let places: Vec<usize> =
        (0..bytes.len() - 4).filter(|at| bytes[*at..*at + 4] == real).collect();
    assert_eq!(places.len(), 2, "before the member and in the directory");
    for at in places {
        bytes[at..at + 4].copy_from_slice(&declared);
    }
    bytes
}

/// Two names for the bytes of one member.
fn shared() -> Vec<u8> {
    let members = ["a", "b"].map(|name| (format!("{name}.npy"), vec![7; 1000]));
    let mut bytes = zip(members.into_iter());
    let last = bytes.windows(4).rposition(|it| it == b"PK\x01\x02").unwrap();
    bytes[last + 42..last + 46].fill(0);
    bytes
}

fn safetensors_of(header: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header].concat()
}

fn entries(count: usize) -> Vec<u8> {
    let entry = |it| format!(r#""{it}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#);
    let all: Vec<_> = (0..count).map(entry).collect();
    safetensors_of(format!("{{{}}}", all.join(",")).as_bytes())
}

fn blank() -> Vec<u8> {
    safetensors_of(&[b"{", &vec![b' '; 20_000_000][..], b"}"].concat())
}

/// Twenty million values of two characters each.
fn values() -> Vec<u8> {
    let config = format!("[{}0]", "0,".repeat(20_000_000));
    let mut zip = ZipWriter::new(Cursor::new(vec![]));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, content) in [("metadata.json", "{}"), ("config.json", &config)] {
        zip.start_file(name, options).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn groups() -> Vec<u8> {
    let mut file = FileBuilder::new();
    for index in 0..70_000 {
        let group = file.create_group(&index.to_string()).finish();
        file.add_group(group);
    }
    file.finish().unwrap()
}

/// Groups in groups, the path of each of which has the names of all.
fn long_names() -> Vec<u8> {
    let name = "n".repeat(60_000);
    let mut file = FileBuilder::new();
    let mut outer = file.create_group(&name);
    let mut outermost = outer.create_group(&name).finish();
    for _ in 0..40 {
        let mut group = file.create_group(&name);
        group.add_group(outermost);
        outermost = group.finish();
    }
    outer.add_group(outermost);
    let finished = outer.finish();
    file.add_group(finished);
    file.finish().unwrap()
}

/// An attribute of four thousand texts, all of which are the same 100 kB.
fn texts() -> Vec<u8> {
    let mut file = FileBuilder::new();
    let one = std::iter::once("x".repeat(100_000));
    let texts = one.chain((1..4000).map(|_| "y".to_owned())).collect();
    file.set_attr("a", AttrValue::VarLenStringArray(texts));
    let mut bytes = file.finish().unwrap();
    let length = 100_000u32.to_le_bytes();
    let first = bytes.windows(4).position(|it| it == length).unwrap();
    let reference = bytes[first..first + 16].to_vec();
    for index in 1..4000 {
        bytes[first + 16 * index..][..16].copy_from_slice(&reference);
    }
    bytes
}

/// `kinds.h5`, with other numbers in the place of these.
fn patched<T: oxhorn_io::Number>(these: &[T], others: &[T]) -> Vec<u8> {
    let encoded = |numbers: &[T]| {
        let mut bytes = vec![];
        numbers.iter().for_each(|number| number.write(&mut bytes));
        bytes
    };
    let (these, others) = (encoded(these), encoded(others));
    let mut bytes = recorded("kinds.h5");
    let places = bytes.windows(these.len()).enumerate();
    let places: Vec<usize> = places.filter(|(_, it)| *it == these).map(|(at, _)| at).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + these.len()].copy_from_slice(&others);
    }
    bytes
}
