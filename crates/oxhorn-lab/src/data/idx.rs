//! IDX, the files of MNIST and Fashion-MNIST: arrays of bytes, plain or compressed by gzip.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

use flate2::bufread::GzDecoder;
use ndarray::{ArrayD, IxDyn};
use oxhorn::{Error, Result};

use super::{Dataset, Source, Split, Target};

/// The byte that says that elements are bytes.
const BYTES: u8 = 0x08;
/// The first bytes of what gzip has compressed.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// No byte of a gzip file stands for more than so many.
const GZIP_RATIO: u64 = 1032;
/// Axes of an array; images have three.
const AXES_MAX: usize = 8;
/// What MNIST's files are called; compressed ones end in `.gz`.
const TRAIN: [&str; 2] = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"];
const TEST: [&str; 2] = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/// The array of bytes that a file holds.
///
/// # Errors
///
/// If the file cannot be read, is no IDX file of bytes, or holds more or fewer elements than its
/// head says. Nothing is allocated that the file's own size could not fill.
pub fn read(path: &Path) -> Result<ArrayD<u8>> {
    let wrong = |error: Error| error.at(path.display().to_string());
    let unreadable = |error: std::io::Error| {
        let error = Error::new(format!("the file cannot be read: {error}"));
        wrong(error.help("IDX files hold MNIST and Fashion-MNIST; check the path"))
    };
    let file = File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    let mut reader = BufReader::new(file);
    let mut first = [0; 2];
    let is_gzip = {
        use std::io::BufRead;
        let start = reader.fill_buf().map_err(unreadable)?;
        first.iter_mut().zip(start).for_each(|(to, from)| *to = *from);
        first == GZIP
    };
    match is_gzip {
        true => parse(GzDecoder::new(reader), size.saturating_mul(GZIP_RATIO)),
        false => parse(reader, size),
    }
    .map_err(wrong)
}

/// The array that the bytes of a file describe, which cannot be more than `most`.
fn parse(mut reader: impl Read, most: u64) -> Result<ArrayD<u8>> {
    let mut head = [0; 4];
    fill(&mut reader, &mut head)?;
    let [0, 0, kind, axes] = head else {
        let error = Error::new(format!("this is no IDX file: it begins with {head:02x?}"));
        return Err(error.help("an IDX file begins with two bytes of 0"));
    };
    if kind != BYTES {
        let error = Error::new(format!("the elements are of type {kind:#04x}, not bytes (0x08)"));
        return Err(error.help("MNIST and Fashion-MNIST hold bytes"));
    }
    let axes = usize::from(axes);
    if !(1..=AXES_MAX).contains(&axes) {
        let message = format!("the array has {axes} axes, expected from 1 to {AXES_MAX}");
        return Err(Error::new(message));
    }
    let mut shape = vec![0; axes];
    for extent in &mut shape {
        let mut bytes = [0; 4];
        fill(&mut reader, &mut bytes)?;
        *extent = u32::from_be_bytes(bytes) as usize;
    }
    let len = shape.iter().try_fold(1_u64, |len, &extent| len.checked_mul(extent as u64));
    let Some(len) = len.filter(|&len| len <= most) else {
        let error = Error::new(format!("the head says {shape:?}, more than the file can hold"));
        return Err(error.help("the file is cut short or damaged: fetch it again"));
    };
    let mut elements = Vec::new();
    // One more than there should be, to notice what follows.
    reader
        .take(len + 1)
        .read_to_end(&mut elements)
        .map_err(|error| Error::new(format!("the file cannot be read: {error}")))?;
    let found = elements.len() as u64;
    if found != len {
        let found = if found > len { "more".to_owned() } else { found.to_string() };
        let error = Error::new(format!("the head says {len} elements, but there are {found}"));
        return Err(error.help("the file is cut short or damaged: fetch it again"));
    }
    ArrayD::from_shape_vec(IxDyn(&shape), elements).map_err(|error| Error::new(error.to_string()))
}

fn fill(reader: &mut impl Read, bytes: &mut [u8]) -> Result<()> {
    reader.read_exact(bytes).map_err(|error| {
        Error::new(format!("the head of the file is cut short: {error}"))
            .help("an IDX file begins with two bytes of 0")
    })
}

impl Dataset {
    /// Images and the classes they show, from two IDX files: bytes become numbers from 0 to 1, and
    /// an image one row of them.
    ///
    /// # Errors
    ///
    /// As [`read`]; and if there are not equally many images and labels, or fewer than are split.
    pub fn from_idx(images: &Path, labels: &Path, split: Split) -> Result<Dataset> {
        let (x, y) = (read(images)?, read(labels)?);
        let source = Source::File {
            path: images.display().to_string(),
            target: Some(labels.display().to_string()),
        };
        let name = images.file_name().map(|name| name.to_string_lossy().into_owned());
        of_images(&name.unwrap_or_default(), &[(x, y)], &[usize::MAX], split, source)
    }

    /// The first images of MNIST or Fashion-MNIST: so many of the training set to learn from, and
    /// so many of the test set to validate on. The folder holds the four files, plain or
    /// compressed.
    ///
    /// # Errors
    ///
    /// As [`Dataset::from_idx`].
    pub fn mnist(folder: &Path, train: usize, test: usize) -> Result<Dataset> {
        let pair = |names: [&str; 2]| -> Result<(ArrayD<u8>, ArrayD<u8>)> {
            let [images, labels] = names.map(|name| file_in(folder, name));
            Ok((read(&images)?, read(&labels)?))
        };
        let sets = [pair(TRAIN)?, pair(TEST)?];
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
        let source = Source::File { path: folder.display().to_string(), target: None };
        let split = Split::Fixed { train };
        of_images(&name.unwrap_or_default(), &sets, &[train, test], split, source)
    }
}

/// How many images the training set in a folder has.
///
/// # Errors
///
/// As [`read`].
pub(super) fn training_images(folder: &Path) -> Result<usize> {
    Ok(read(&file_in(folder, TRAIN[1]))?.len())
}

/// The file of this name, or the compressed one.
fn file_in(folder: &Path, name: &str) -> PathBuf {
    let plain = folder.join(name);
    if plain.exists() { plain } else { folder.join(format!("{name}.gz")) }
}

/// The first so many images of each set, one set after the other.
fn of_images(
    name: &str,
    sets: &[(ArrayD<u8>, ArrayD<u8>)],
    counts: &[usize],
    split: Split,
    source: Source,
) -> Result<Dataset> {
    let (mut pixels, mut labels, mut width) = (vec![], vec![], None);
    for ((x, y), &wanted) in sets.iter().zip(counts) {
        let (images, len) = (x.shape()[0], x.shape()[1..].iter().product::<usize>());
        if y.ndim() != 1 || y.len() != images {
            let message = format!("there are {images} images, but labels of shape {:?}", y.shape());
            return Err(Error::new(message).help("give the two files of one set"));
        }
        if *width.get_or_insert(len) != len {
            return Err(Error::new("the images of the two sets are not of one size"));
        }
        let count = wanted.min(images);
        if wanted != usize::MAX && count < wanted {
            return Err(Error::new(format!("there are {images} images, not {wanted}")));
        }
        pixels.extend(x.iter().take(count * len).map(|&pixel| f32::from(pixel) / 255.0));
        labels.extend(y.iter().take(count).map(|&label| i64::from(label)));
    }
    let (rows, train) = (labels.len(), split.train());
    if !(1..rows).contains(&train) {
        let message = format!("{train} of {rows} images to learn from leaves none on one side");
        return Err(Error::new(message));
    }
    let classes = labels.iter().max().map_or(0, |&most| most + 1);
    let x = ArrayD::from_shape_vec(IxDyn(&[rows, width.unwrap_or(0)]), pixels);
    Ok(Dataset {
        name: name.to_owned(),
        x: x.map_err(|error| Error::new(error.to_string()))?,
        y: Target::Classes { labels, names: (0..classes).map(|class| class.to_string()).collect() },
        split,
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    /// The bytes of a file with this head and these elements.
    fn idx(kind: u8, shape: &[u32], elements: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, kind, shape.len() as u8];
        shape.iter().for_each(|extent| bytes.extend(extent.to_be_bytes()));
        bytes.extend(elements);
        bytes
    }

    fn zipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(vec![], Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn saved(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// What is said of a file with these bytes.
    fn refusal(bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        read(&saved(folder.path(), "file", bytes)).unwrap_err().message
    }

    #[test]
    fn files_are_read_plain_and_compressed() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = idx(BYTES, &[3, 2, 1], &[0, 51, 102, 153, 204, 255]);
        for (name, bytes) in [("plain", bytes.clone()), ("zipped", zipped(&bytes))] {
            let array = read(&saved(folder.path(), name, &bytes)).unwrap();
            assert_eq!(array.shape(), [3, 2, 1]);
            assert_eq!(array.iter().copied().collect::<Vec<u8>>(), [0, 51, 102, 153, 204, 255]);
        }
        assert_eq!(read(&saved(folder.path(), "none", &idx(BYTES, &[0], &[]))).unwrap().len(), 0);
    }

    #[test]
    fn images_are_rows_of_numbers_from_0_to_1() {
        let folder = tempfile::tempdir().unwrap();
        let images = idx(BYTES, &[3, 1, 2], &[0, 51, 102, 153, 204, 255]);
        for name in [TRAIN[0], TEST[0]] {
            saved(folder.path(), &format!("{name}.gz"), &zipped(&images));
        }
        for name in [TRAIN[1], TEST[1]] {
            saved(folder.path(), name, &idx(BYTES, &[3], &[2, 0, 1]));
        }
        let data = Dataset::mnist(folder.path(), 2, 1).unwrap();
        assert_eq!(data.x.shape(), [3, 2]);
        let x: Vec<f32> = data.x.iter().copied().collect();
        assert_eq!(x, [0.0, 0.2, 0.4, 0.6, 0.0, 0.2]);
        let Target::Classes { labels, names } = &data.y else { panic!("classes") };
        assert_eq!((&labels[..], names.len()), (&[2, 0, 2][..], 3));
        let error = Dataset::mnist(folder.path(), 4, 1).unwrap_err();
        assert_eq!(error.message, "there are 3 images, not 4");
    }

    #[test]
    fn damaged_and_hostile_files_are_refused() {
        assert!(refusal(&[]).starts_with("the head of the file is cut short"));
        assert!(refusal(&[0, 0, BYTES, 2, 0, 0]).starts_with("the head of the file is cut short"));
        assert_eq!(refusal(b"PK\x03\x04"), "this is no IDX file: it begins with [50, 4b, 03, 04]");
        let floats = idx(0x0d, &[1], &[0; 4]);
        assert_eq!(refusal(&floats), "the elements are of type 0x0d, not bytes (0x08)");
        let cut = "the head says 4 elements, but there are 3";
        let bytes = idx(BYTES, &[4], &[1, 2, 3]);
        assert_eq!((refusal(&bytes).as_str(), refusal(&zipped(&bytes)).as_str()), (cut, cut));
        let longer = refusal(&idx(BYTES, &[2], &[1, 2, 3]));
        assert_eq!(longer, "the head says 2 elements, but there are more");
        let lies = idx(BYTES, &[u32::MAX, u32::MAX, u32::MAX], &[1, 2, 3]);
        let held =
            "the head says [4294967295, 4294967295, 4294967295], more than the file can hold";
        assert_eq!((refusal(&lies).as_str(), refusal(&zipped(&lies)).as_str()), (held, held));
        assert_eq!(
            refusal(&idx(BYTES, &[1; 9], &[1])),
            "the array has 9 axes, expected from 1 to 8"
        );
    }
}
