//! NPZ files: NumPy's arrays, several in one archive.

mod npy;

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use ndarray::{ArrayD, Axis, IxDyn};
use zip::ZipArchive;

pub use self::npy::{Array, Kind};
use super::{
    Dataset, Split, Target,
    file::{Reading, classes_of, name_of, source_of},
};
use crate::{Error, Result};

/// No byte of a compressed file stands for more than so many.
const RATIO: u64 = 1032;

/// The most arrays in a file: more are not looked at.
const ARRAYS: usize = 64;

impl Dataset {
    /// The samples of an NPZ file: its arrays `x` and `y`; or `x_train`, `y_train`, `x_test` and
    /// `y_test`, of which the first two are always learnt from and the others validate.
    ///
    /// The first axis counts samples. Targets are classes if they are integers or truth values, or
    /// rows with a single 1 among zeros; or else numbers. [`Reading::target`] names another array
    /// than `y`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, has none of these arrays, or their elements are no numbers.
    /// Nothing is allocated that the file's own size could not fill.
    pub fn from_npz(path: impl AsRef<Path>, reading: &Reading) -> Result<Dataset> {
        let path = path.as_ref();
        let here = path.display().to_string();
        let mut arrays = arrays_of(path)?;
        let target = reading.target.as_deref().unwrap_or("y");
        let sets = match arrays.contains_key("x") {
            true => vec![("x".to_owned(), target.to_owned())],
            false => ["train", "test"]
                .map(|part| (format!("x_{part}"), format!("{target}_{part}")))
                .to_vec(),
        };
        let known: Vec<String> = arrays.keys().cloned().collect();
        let mut take = |name: &String| {
            arrays.remove(name).ok_or_else(|| {
                Error::new(format!("there is no array `{name}`"))
                    .help(format!(
                        "there are: {}; wanted are x and y, or x_train, y_train, x_test and y_test",
                        known.join(", ")
                    ))
                    .at(here.clone())
            })
        };
        let mut parts = vec![];
        for (x_name, y_name) in &sets {
            let (x, y) = (take(x_name)?, take(y_name)?);
            let rows = |array: &Array| array.shape.first().copied().unwrap_or(0);
            if x.shape.is_empty() || rows(&x) != rows(&y) {
                return Err(Error::new(format!(
                    "`{x_name}` has shape {:?} and `{y_name}` {:?}",
                    x.shape, y.shape
                ))
                .help("the first axis of both counts samples")
                .at(here));
            }
            parts.push((x, y));
        }
        let train = parts[0].0.shape[0];
        let split = match parts.len() {
            1 => reading.drawn(train)?,
            _ => {
                let wanted = reading.first(train)?;
                let (x, y) = &mut parts[0];
                x.truncate(wanted);
                y.truncate(wanted);
                Split::Fixed { train: wanted }
            }
        };
        let (x, y): (Vec<Array>, Vec<Array>) = parts.into_iter().unzip();
        let name = name_of(path);
        let source = source_of(path, reading);
        let place = |error: Error| error.at(here.clone());
        let (x, y) = (joined(x).map_err(place)?, joined(y).map_err(place)?);
        let (x, y) = (numbers_of(x)?, target_of(y).map_err(place)?);
        reading.finish(Dataset { name, x, y, split, source })
    }
}

/// The arrays of a file, by name.
///
/// # Errors
///
/// If the file cannot be read, or elements of an array are no numbers. Nothing is allocated that
/// the file's own size could not fill.
pub fn arrays_of(path: &Path) -> Result<BTreeMap<String, Array>> {
    let unreadable = |why: String| {
        Error::new(format!("{} cannot be read: {why}", path.display()))
            .help("an NPZ file is what `numpy.savez` writes")
    };
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let size = file.metadata().map_err(|error| unreadable(error.to_string()))?.len();
    let archive = ZipArchive::new(BufReader::new(file));
    let mut archive = archive.map_err(|error| unreadable(error.to_string()))?;
    let mut arrays = BTreeMap::new();
    if archive.len() > ARRAYS {
        return Err(unreadable(format!("it has {} arrays, more than {ARRAYS}", archive.len())));
    }
    // All arrays together cannot be more than the whole file stands for.
    let mut left = size.saturating_mul(RATIO);
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|error| unreadable(error.to_string()))?;
        let Some(name) = entry.name().strip_suffix(".npy").map(str::to_owned) else { continue };
        let (mut bytes, most) = (vec![], entry.size().min(left));
        let read = entry.take(most).read_to_end(&mut bytes);
        read.map_err(|error| unreadable(format!("`{name}`: {error}")))?;
        left -= bytes.len() as u64;
        let array = npy::parse(&bytes).map_err(|error| {
            Error { message: format!("`{name}`: {}", error.message), ..error }
                .at(path.display().to_string())
        })?;
        arrays.insert(name, array);
    }
    Ok(arrays)
}

/// Arrays one after the other, along the first axis.
fn joined(parts: Vec<Array>) -> Result<Array> {
    let mut parts = parts.into_iter();
    let Some(mut all) = parts.next() else { return Err(Error::new("there are no arrays")) };
    for part in parts {
        if part.shape.get(1..) != all.shape.get(1..) || part.kind != all.kind {
            return Err(Error::new(format!(
                "arrays of shapes {:?} and {:?} do not go together",
                all.shape, part.shape
            ))
            .help("training and test data must be alike but for the number of samples"));
        }
        all.shape[0] += part.shape[0];
        all.elements.extend(part.elements);
    }
    Ok(all)
}

fn numbers_of(array: Array) -> Result<ArrayD<f32>> {
    let elements = array.elements.into_iter().map(|element| element as f32).collect();
    let array = ArrayD::from_shape_vec(IxDyn(&array.shape), elements);
    array.map_err(|error| Error::new(error.to_string()))
}

/// What is to be said of each sample.
fn target_of(array: Array) -> Result<Target> {
    let columns: usize = array.shape.iter().skip(1).product();
    match array.kind {
        Kind::Integers if columns == 1 => {
            classes_of(array.elements.iter().map(|&element| element as i64).collect())
        }
        _ => {
            let values = numbers_of(array)?;
            let one_hot = |row: ndarray::ArrayViewD<'_, f32>| {
                let ones = row.iter().filter(|&&value| value == 1.0).count();
                ones == 1 && row.iter().filter(|&&value| value != 0.0).count() == 1
            };
            if columns < 2 || !values.axis_iter(Axis(0)).all(one_hot) {
                return Ok(Target::Values(values));
            }
            let place = |row: ndarray::ArrayViewD<'_, f32>| {
                row.iter().position(|&value| value == 1.0).unwrap_or(0) as i64
            };
            let labels = values.axis_iter(Axis(0)).map(place).collect();
            let names = (0..columns).map(|class| class.to_string()).collect();
            Ok(Target::Classes { labels, names })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

    use super::{npy::tests::npy, *};

    /// A file with these arrays.
    fn npz(arrays: &[(&str, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
        let mut writer = ZipWriter::new(std::io::Cursor::new(vec![]));
        let options = SimpleFileOptions::default().compression_method(method);
        for (name, bytes) in arrays {
            writer.start_file(format!("{name}.npy"), options).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn floats(shape: &str, values: &[f32]) -> Vec<u8> {
        npy("<f4", shape, &values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())
    }

    fn integers(shape: &str, values: &[i64]) -> Vec<u8> {
        npy("<i8", shape, &values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())
    }

    fn read(bytes: &[u8], reading: &Reading) -> Result<Dataset> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("arrays.npz");
        std::fs::write(&path, bytes).unwrap();
        Dataset::from_npz(&path, reading)
    }

    #[test]
    fn samples_and_targets_are_read_plain_and_compressed() {
        let x = floats("(3, 2)", &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            let bytes = npz(&[("x", x.clone()), ("y", integers("(3,)", &[0, 2, 1]))], method);
            let data = read(&bytes, &Reading::new().train(2)).unwrap();
            assert_eq!((data.x.shape(), data.x[[2, 1]]), (&[3, 2][..], 6.0));
            let Target::Classes { labels, names } = &data.y else { panic!("integers are classes") };
            assert_eq!((&labels[..], names.len()), (&[0, 2, 1][..], 3));
            assert_eq!((data.split, data.name.as_str()), (Split::Drawn { train: 2 }, "arrays"));
        }
    }

    #[test]
    fn training_and_test_sets_stay_apart() {
        let arrays = [
            ("x_train", floats("(3, 1, 1)", &[1.0, 2.0, 3.0])),
            ("y_train", floats("(3, 2)", &[1.0, 0.0, 0.0, 1.0, 1.0, 0.0])),
            ("x_test", floats("(1, 1, 1)", &[4.0])),
            ("y_test", floats("(1, 2)", &[0.0, 1.0])),
        ];
        let bytes = npz(&arrays, CompressionMethod::Deflated);
        let data = read(&bytes, &Reading::new()).unwrap();
        assert_eq!((data.split, data.x.shape()), (Split::Fixed { train: 3 }, &[4, 1, 1][..]));
        let Target::Classes { labels, .. } = &data.y else { panic!("these rows name classes") };
        assert_eq!(labels, &[0, 1, 0, 1]);
        let fewer = read(&bytes, &Reading::new().train(2)).unwrap();
        assert_eq!((fewer.split, fewer.rows()), (Split::Fixed { train: 2 }, 3));
        assert_eq!(fewer.x.iter().copied().collect::<Vec<f32>>(), [1.0, 2.0, 4.0]);
        assert!(read(&bytes, &Reading::new().train_share(0.5)).is_err());
    }

    #[test]
    fn arrays_that_are_missing_or_do_not_fit_are_refused() {
        let says = |arrays: &[(&str, Vec<u8>)]| {
            let bytes = npz(arrays, CompressionMethod::Stored);
            read(&bytes, &Reading::new()).unwrap_err().message
        };
        let x = || ("x", floats("(3, 1)", &[1.0, 2.0, 3.0]));
        assert_eq!(says(&[x()]), "there is no array `y`");
        assert_eq!(says(&[("a", x().1)]), "there is no array `x_train`");
        assert_eq!(
            says(&[x(), ("y", integers("(2,)", &[0, 1]))]),
            "`x` has shape [3, 1] and `y` [2]"
        );
        assert_eq!(says(&[x(), ("y", integers("(3,)", &[0, 1, -7]))]), "a label is -7");
        let far = says(&[x(), ("y", integers("(3,)", &[0, 1, 1 << 60]))]);
        assert_eq!(far, "a label is 1152921504606846976, of 3 samples");
        let nan = ("x", floats("(2, 1)", &[1.0, f32::NAN]));
        let y = ("y", integers("(2,)", &[0, 1]));
        assert_eq!(says(&[nan, y]), "the samples of `arrays` hold NaN at [1, 0]");
        let scalar = ("x", floats("()", &[1.0]));
        let y = ("y", integers("(1,)", &[0]));
        assert_eq!(says(&[scalar, y]), "`x` has shape [] and `y` [1]");
    }

    #[test]
    fn damaged_and_hostile_files_are_refused() {
        let says = |bytes: &[u8]| read(bytes, &Reading::new()).unwrap_err().message;
        assert!(says(b"").contains("arrays.npz cannot be read: "));
        assert!(says(b"x,y\n1,2\n").contains("arrays.npz cannot be read: "));
        let x = floats("(3, 1)", &[1.0, 2.0, 3.0]);
        let y = integers("(3,)", &[0, 1, 0]);
        let whole = npz(&[("x", x.clone()), ("y", y.clone())], CompressionMethod::Deflated);
        for len in [0, 1, 20, whole.len() / 2, whole.len() - 1] {
            assert!(!says(&whole[..len]).is_empty());
        }
        // Every byte that is not what it was is noticed or makes no difference; nothing panics.
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x41;
            read(&bytes, &Reading::new()).ok();
        }
        let lies = npy("<f4", "(4294967295, 4294967295, 64)", &[0; 12]);
        let bytes = npz(&[("x", lies), ("y", y.clone())], CompressionMethod::Deflated);
        assert_eq!(
            says(&bytes),
            "`x`: the head says [4294967295, 4294967295, 64], more than there can be"
        );
        // Zeros are compressed a thousandfold, and that is as far as it goes.
        let zeros = npz(&[("x", vec![0; 1 << 22])], CompressionMethod::Deflated);
        assert!(zeros.len() < 1 << 14);
        assert_eq!(says(&zeros), "`x`: this is no array of NumPy's");
    }
}
