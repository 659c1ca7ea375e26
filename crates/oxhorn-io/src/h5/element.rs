//! Types of elements as HDF5 describes them: by their bits.

use hdf5_pure::{
    Datatype, DatatypeByteOrder, EnumTypeBuilder, FixedPointLayout, FloatingPointLayout,
};
use oxhorn_ir::{Error, Result};

use crate::Element;

/// In which order the bytes of a number are stored.
#[derive(Clone, Copy)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    /// Turns numbers of so many bytes round, if they are not little-endian.
    pub(super) fn to_little(self, bytes: &mut [u8], element_bytes: usize) {
        match self {
            Order::Little => {}
            Order::Big => bytes.chunks_exact_mut(element_bytes).for_each(<[u8]>::reverse),
        }
    }
}

/// How HDF5 describes an element: as h5py does, truth values as an enumeration and bfloat16, which
/// it does not know, as opaque.
pub(super) fn datatype(element: Element) -> Datatype {
    let byte_order = DatatypeByteOrder::LittleEndian;
    let size = element.bytes() as u32;
    let integer = |signed| Datatype::FixedPoint {
        size,
        byte_order,
        layout: FixedPointLayout { signed, bit_offset: 0, bit_precision: 8 * size as u16 },
    };
    let float = |layout| Datatype::FloatingPoint { size, byte_order, layout };
    match element {
        Element::I8 | Element::I16 | Element::I32 | Element::I64 => integer(true),
        Element::U8 | Element::U16 | Element::U32 | Element::U64 => integer(false),
        Element::F16 => float(F16),
        Element::F32 => float(FloatingPointLayout::IEEE754_BINARY32),
        Element::F64 => float(FloatingPointLayout::IEEE754_BINARY64),
        Element::Bf16 => Datatype::Opaque { size, tag: vec![] },
        Element::Bool => {
            let named = EnumTypeBuilder::with_base(integer(true));
            let named =
                BOOL.iter().fold(named, |named, (name, value)| named.u8_value(name, *value));
            named.build().expect("a byte can be 0 and 1")
        }
    }
}

/// The element that HDF5 describes; opaque ones are numbers if an attribute says so.
///
/// # Errors
///
/// If it is none.
pub(super) fn of(datatype: &Datatype, opaque_is_bfloat16: bool) -> Result<(Element, Order)> {
    if matches!(datatype, Datatype::Opaque { size: 2, .. }) && opaque_is_bfloat16 {
        return Ok((Element::Bf16, Order::Little));
    }
    let (base, order) = little(datatype);
    let bfloat16 = Datatype::FloatingPoint {
        size: 2,
        byte_order: DatatypeByteOrder::LittleEndian,
        layout: BF16,
    };
    let element =
        Element::ALL.into_iter().find(|element| match (self::datatype(*element), &base) {
            // Signedness of the base and the order of names are the writer's choice.
            (Datatype::Enumeration { .. }, Datatype::Enumeration { size: 1, members, .. }) => {
                let named = |(name, value): (&str, u8)| {
                    members.iter().any(|it| it.name == name && it.value == [value])
                };
                members.len() == 2 && BOOL.into_iter().all(named)
            }
            (Datatype::Opaque { .. }, base) => *base == bfloat16,
            (known, base) => known == *base,
        });
    let unknown = || {
        let what = match datatype {
            Datatype::FixedPoint { .. } => "integers of an unusual form",
            Datatype::FloatingPoint { .. } => "floats of an unusual form",
            Datatype::Opaque { .. } => "bytes of no meaning",
            _ => "an enumeration that is not bool",
        };
        Error::new(format!("a tensor of the HDF5 holds {what}"))
            .help("integers, float16, bfloat16, float32, float64 and bool are read")
    };
    Ok((element.ok_or_else(unknown)?, order))
}

/// The same numbers in little-endian order, and the order they have.
fn little(datatype: &Datatype) -> (Datatype, Order) {
    let mut turned = datatype.clone();
    let (Datatype::FixedPoint { byte_order, .. } | Datatype::FloatingPoint { byte_order, .. }) =
        &mut turned
    else {
        return (turned, Order::Little);
    };
    match byte_order {
        DatatypeByteOrder::BigEndian => {
            *byte_order = DatatypeByteOrder::LittleEndian;
            (turned, Order::Big)
        }
        DatatypeByteOrder::LittleEndian | DatatypeByteOrder::Vax => (turned, Order::Little),
    }
}

/// How h5py calls truth values.
const BOOL: [(&str, u8); 2] = [("FALSE", 0), ("TRUE", 1)];

const F16: FloatingPointLayout = FloatingPointLayout {
    bit_offset: 0,
    bit_precision: 16,
    exponent_location: 10,
    exponent_size: 5,
    mantissa_location: 0,
    mantissa_size: 10,
    exponent_bias: 15,
};

/// As HDF5 2.0 describes it.
const BF16: FloatingPointLayout = FloatingPointLayout {
    exponent_location: 7,
    exponent_size: 8,
    mantissa_size: 7,
    exponent_bias: 127,
    ..F16
};
