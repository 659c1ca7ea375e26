//! Numbers of files as the numbers of variables: whatever their types, as long as they are numbers.

use half::{bf16, f16};
use oxhorn_io::{Element, Tensor};
use oxhorn_ir::{Error, Result};

/// The same numbers with elements of another type, to which they are rounded.
///
/// # Errors
///
/// If no variable has such elements.
pub(crate) fn to(element: Element, tensor: &Tensor) -> Result<Tensor> {
    if tensor.element() == element {
        return Ok(tensor.clone());
    }
    let (values, shape) = (numbers(tensor)?, tensor.shape());
    macro_rules! cast {
        ($convert:expr) => {
            Ok(Tensor::of(shape, &values.iter().map($convert).collect::<Vec<_>>()))
        };
    }
    match element {
        Element::Bool => cast!(|x| *x != 0.0),
        Element::I32 => cast!(|x| *x as i32),
        Element::I64 => cast!(|x| *x as i64),
        Element::U32 => cast!(|x| *x as u32),
        Element::F32 => cast!(|x| *x as f32),
        Element::F64 => cast!(|x| *x),
        other => Err(Error::new(format!("no variable has elements of type {}", other.name()))),
    }
}

/// The numbers, exactly but for integers beyond 2⁵³.
pub(crate) fn numbers(tensor: &Tensor) -> Result<Vec<f64>> {
    macro_rules! read {
        ($number:ty, $convert:expr) => {
            Ok(tensor.values::<$number>()?.into_iter().map($convert).collect())
        };
    }
    match tensor.element() {
        Element::Bool => read!(bool, |x| f64::from(u8::from(x))),
        Element::I8 => read!(i8, f64::from),
        Element::I16 => read!(i16, f64::from),
        Element::I32 => read!(i32, f64::from),
        Element::I64 => read!(i64, |x| x as f64),
        Element::U8 => read!(u8, f64::from),
        Element::U16 => read!(u16, f64::from),
        Element::U32 => read!(u32, f64::from),
        Element::U64 => read!(u64, |x| x as f64),
        Element::F16 => read!(f16, f64::from),
        Element::Bf16 => read!(bf16, f64::from),
        Element::F32 => read!(f32, f64::from),
        Element::F64 => read!(f64, |x| x),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_type_become_those_of_a_variable() {
        let half = Tensor::of([3], &[0.5, -2.0, 65504.0].map(f16::from_f64));
        let single = to(Element::F32, &half).expect("a variable's type");
        assert_eq!(single.values(), Ok(vec![0.5_f32, -2.0, 65504.0]));
        let count = Tensor::of([], &[7_i32]);
        let long = to(Element::I64, &count).expect("a variable's type");
        assert_eq!((long.shape(), long.values()), (&[][..], Ok(vec![7_i64])));
        let none = Tensor::of([0, 3], &[0.0_f64; 0]);
        assert_eq!(to(Element::F32, &none).map(|it| it.shape().to_vec()), Ok(vec![0, 3]));
        assert!(to(Element::F16, &count).is_err());
        let nan = f32::from_bits(0x7fc0_1234);
        let same = to(Element::F32, &Tensor::of([1], &[nan])).expect("a variable's type");
        assert_eq!(same.values::<f32>().map(|it| it[0].to_bits()), Ok(0x7fc0_1234));
    }
}
