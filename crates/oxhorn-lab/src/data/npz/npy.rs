//! NPY, NumPy's format of one array: a head that says type and shape, and the elements.

use crate::{Error, Result};

/// The first bytes of an array.
const MAGIC: &[u8] = b"\x93NUMPY";

/// An array, its elements in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Its extents.
    pub shape: Vec<usize>,
    /// Its numbers, the last index running fastest.
    pub elements: Vec<f64>,
    /// What they were.
    pub kind: Kind,
}

/// What elements were written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Integers or truth values.
    Integers,
    /// Floats.
    Floats,
}

impl Array {
    /// Keeps the first so many along the first axis.
    pub(super) fn truncate(&mut self, rows: usize) {
        if let Some(first) = self.shape.first_mut().filter(|first| **first > rows) {
            *first = rows;
            self.elements.truncate(self.shape.iter().product());
        }
    }
}

/// The array that these bytes are.
///
/// # Errors
///
/// If they are none, are of a type that is no number, or more or fewer than the head says.
pub(super) fn parse(bytes: &[u8]) -> Result<Array> {
    let none = || Error::new("this is no array of NumPy's").help("`numpy.savez` writes such");
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(none)?;
    let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(none)?;
    let (len, rest) = match version[0] {
        1 => {
            let (len, rest) = rest.split_first_chunk::<2>().ok_or_else(none)?;
            (usize::from(u16::from_le_bytes(*len)), rest)
        }
        2 | 3 => {
            let (len, rest) = rest.split_first_chunk::<4>().ok_or_else(none)?;
            (u32::from_le_bytes(*len) as usize, rest)
        }
        _ => return Err(none()),
    };
    let (head, data) = rest.split_at_checked(len).ok_or_else(none)?;
    let head = std::str::from_utf8(head).map_err(|_| none())?;
    let ty = setting(head, "descr").ok_or_else(none)?;
    let ty = ty.trim_matches(['\'', '"']);
    let shape = shape_of(head).ok_or_else(none)?;
    let (size, kind, read) = element(ty).ok_or_else(|| {
        Error::new(format!("the elements are of type {ty}, which is no number that can be read"))
            .help("convert them with `astype(\"float32\")`, or labels with `astype(\"int64\")`")
    })?;
    let len = shape.iter().try_fold(size, |len, &extent| len.checked_mul(extent));
    if len.is_none_or(|len| len > data.len()) {
        let message = format!("the head says {shape:?}, more than there can be");
        return Err(Error::new(message).help("the file is cut short or damaged"));
    }
    if len.is_some_and(|len| len < data.len()) {
        let message = format!("there is more than the {shape:?} that the head says");
        return Err(Error::new(message).help("the file is damaged"));
    }
    let elements: Vec<f64> = data.chunks_exact(size).map(read).collect();
    let elements = match setting(head, "fortran_order").ok_or_else(none)? {
        "False" => elements,
        "True" => row_major(&elements, &shape),
        _ => return Err(none()),
    };
    Ok(Array { shape, elements, kind })
}

/// How long an element of this type is, what it is, and how it is read.
#[expect(clippy::type_complexity, reason = "three things that belong together, used once")]
fn element(ty: &str) -> Option<(usize, Kind, fn(&[u8]) -> f64)> {
    macro_rules! numbers {
        ($($little:literal $big:literal $number:ty: $kind:ident),* $(,)?) => {
            match ty {
                "|b1" | "|u1" => (1, Kind::Integers, |bytes| f64::from(bytes[0])),
                "|i1" => (1, Kind::Integers, |bytes| f64::from(bytes[0] as i8)),
                $(
                    $little => (size_of::<$number>(), Kind::$kind, |bytes| {
                        bytes.try_into().map_or(f64::NAN, |it| <$number>::from_le_bytes(it) as f64)
                    }),
                    $big => (size_of::<$number>(), Kind::$kind, |bytes| {
                        bytes.try_into().map_or(f64::NAN, |it| <$number>::from_be_bytes(it) as f64)
                    }),
                )*
                _ => return None,
            }
        };
    }
    Some(numbers! {
        "<i2" ">i2" i16: Integers, "<u2" ">u2" u16: Integers, "<i4" ">i4" i32: Integers,
        "<u4" ">u4" u32: Integers, "<i8" ">i8" i64: Integers, "<u8" ">u8" u64: Integers,
        "<f4" ">f4" f32: Floats, "<f8" ">f8" f64: Floats,
    })
}

/// What stands behind a name in the head, which is a dictionary of Python's, up to the next comma.
fn setting<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let behind = head.split_once(&format!("'{name}':"))?.1;
    Some(behind.split([',', '}']).next().unwrap_or_default().trim())
}

/// The shape that the head says: `(3, 4)`, `(3,)` or `()`.
fn shape_of(head: &str) -> Option<Vec<usize>> {
    let behind = head.split_once("'shape':")?.1;
    let inside = behind.split_once('(')?.1.split_once(')')?.0;
    let extents = inside.split(',').map(str::trim).filter(|extent| !extent.is_empty());
    extents.map(|extent| extent.parse().ok()).collect()
}

/// The elements of an array whose first index runs fastest, with the last running fastest.
fn row_major(elements: &[f64], shape: &[usize]) -> Vec<f64> {
    let place = |mut at: usize| {
        let (mut place, mut stride) = (0, elements.len());
        for &extent in shape.iter().rev() {
            stride /= extent;
            place += at % extent * stride;
            at /= extent;
        }
        place
    };
    (0..elements.len()).map(|at| elements[place(at)]).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The bytes of an array.
    pub(in super::super) fn npy(ty: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        with_order(ty, shape, "False", data)
    }

    fn with_order(ty: &str, shape: &str, fortran: &str, data: &[u8]) -> Vec<u8> {
        let head = format!("{{'descr': '{ty}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        let mut bytes = [MAGIC, &[1, 0], &(head.len() as u16).to_le_bytes()].concat();
        bytes.extend(head.as_bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn elements_of_every_type_are_read() {
        let check = |ty: &str, data: &[u8], expected: [f64; 2]| {
            let array = parse(&npy(ty, "(2,)", data)).unwrap();
            assert_eq!((&array.elements[..], &array.shape[..]), (&expected[..], &[2][..]), "{ty}");
        };
        check("|b1", &[0, 1], [0.0, 1.0]);
        check("|u1", &[7, 255], [7.0, 255.0]);
        check("|i1", &[7, 255], [7.0, -1.0]);
        check("<i2", &[1, 0, 0xff, 0xff], [1.0, -1.0]);
        check(">u2", &[1, 0, 0, 2], [256.0, 2.0]);
        check("<i4", &[3, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff], [3.0, -2.0]);
        check("<f4", &[0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0], [1.0, -2.0]);
        check(">f4", &[0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0], [1.0, -2.0]);
        check("<f8", &[0.1_f64.to_le_bytes(), (-3e300_f64).to_le_bytes()].concat(), [0.1, -3e300]);
        check(">i8", &[5_i64.to_be_bytes(), (-6_i64).to_be_bytes()].concat(), [5.0, -6.0]);
        check(
            "<u8",
            &[u64::MAX.to_le_bytes(), 1_u64.to_le_bytes()].concat(),
            [u64::MAX as f64, 1.0],
        );
    }

    /// `numpy.asfortranarray(numpy.arange(12).reshape(2, 3, 2)).ravel("K")`.
    #[test]
    fn arrays_of_fortrans_order_are_turned() {
        let data = [0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11];
        let array = parse(&with_order("|u1", "(2, 3, 2)", "True", &data)).unwrap();
        assert_eq!(array.elements, (0..12).map(f64::from).collect::<Vec<f64>>());
        let empty = parse(&with_order("|u1", "(0, 3)", "True", &[])).unwrap();
        assert_eq!((empty.elements.len(), empty.shape), (0, vec![0, 3]));
    }

    #[test]
    fn heads_that_lie_are_refused() {
        let says = |bytes: &[u8]| parse(bytes).unwrap_err().message;
        let none = "this is no array of NumPy's";
        for bytes in [&b""[..], b"\x93NUMP", b"\x93NUMPY\x01\x00", b"\x93NUMPY\x07\x00\x00\x00"] {
            assert_eq!(says(bytes), none);
        }
        assert_eq!(says(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}"), none);
        let three = npy("|u1", "(3,)", &[1, 2]);
        assert_eq!(says(&three), "the head says [3], more than there can be");
        let one = npy("|u1", "(1,)", &[1, 2]);
        assert_eq!(says(&one), "there is more than the [1] that the head says");
        let huge = npy("<f8", "(18446744073709551615, 2)", &[]);
        assert_eq!(says(&huge), "the head says [18446744073709551615, 2], more than there can be");
        for shape in ["(3", "3", "(-1,)", "(1.5,)", "(99999999999999999999,)"] {
            assert_eq!(says(&npy("|u1", shape, &[1, 2, 3])), none, "{shape}");
        }
        for ty in ["|O", "<U7", "<c8", "<f2", "|V4", ""] {
            assert!(
                says(&npy(ty, "(1,)", &[0; 8])).contains("which is no number that can be read")
            );
        }
        assert_eq!(says(&with_order("|u1", "(1,)", "Perhaps", &[1])), none);
    }
}
