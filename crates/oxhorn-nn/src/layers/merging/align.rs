//! Inputs of several shapes brought side by side, for the layers that merge them.

use crate::prelude::*;

/// Joins the inputs one after the other: `((x₀ ∘ x₁) ∘ x₂) ∘ ..`.
pub(super) fn fold<'g>(
    cx: &Scope<'g>,
    inputs: &[Tensor<'g>],
    join: fn(Tensor<'g>, Tensor<'g>) -> Tensor<'g>,
) -> Tensor<'g> {
    match aligned(inputs) {
        Ok((first, rest)) => rest.into_iter().fold(first, join),
        Err(error) => cx.trace().fail(error),
    }
}

/// The first input and the others, all of one type and as many axes, so that they can be joined
/// element by element.
///
/// Axis 0 counts samples and stays; the axes that an input lacks are put in behind it.
pub(super) fn aligned<'g>(inputs: &[Tensor<'g>]) -> Result<(Tensor<'g>, Vec<Tensor<'g>>)> {
    let shapes = shapes(inputs);
    let samples = |shape: &Vec<usize>| shape.first().copied();
    ensure!(
        shapes.windows(2).all(|pair| samples(&pair[0]) == samples(&pair[1])),
        "Cannot merge tensors with different batch sizes. Received tensors with shapes {shapes:?}"
    );
    let mut features = shapes.iter().map(|shape| shape.get(1..).unwrap_or_default());
    features.try_fold(vec![], |joint, shape| joint_shape(&joint, shape))?;

    let rank = shapes.iter().map(Vec::len).max().unwrap_or(0);
    let mut aligned = alike(inputs).into_iter().zip(shapes).map(|(x, mut shape)| {
        let missing = vec![1; rank - shape.len()];
        shape.splice(shape.len().min(1)..shape.len().min(1), missing);
        x.reshape(shape)
    });
    match aligned.next() {
        Some(first) => Ok((first, aligned.collect())),
        None => Err(Error::new(
            "A merge layer should be called on a list of at least 1 input. Received 0 inputs",
        )),
    }
}

/// The shape that both can be stretched to.
fn joint_shape(a: &[usize], b: &[usize]) -> Result<Vec<usize>> {
    let (long, short) = if a.len() < b.len() { (b, a) } else { (a, b) };
    let mut joint = long.to_vec();
    for (extent, &other) in joint.iter_mut().rev().zip(short.iter().rev()) {
        ensure!(
            *extent == other || *extent == 1 || other == 1,
            "Inputs have incompatible shapes. Received shapes {long:?} and {short:?}";
            help: "counted from the last axis, extents are equal or one of them is 1"
        );
        if *extent == 1 {
            *extent = other;
        }
    }
    Ok(joint)
}

/// The inputs as they are if they are integers of one type, and otherwise as `f32`.
pub(super) fn alike<'g>(inputs: &[Tensor<'g>]) -> Vec<Tensor<'g>> {
    let first = inputs.first().map_or(DType::F32, |x| x.dtype());
    let integers = first.is_int() && inputs.iter().all(|x| x.dtype() == first);
    let dtype = if integers { first } else { DType::F32 };
    inputs.iter().map(|x| x.cast(dtype)).collect()
}

/// The shape of each input, the batch axis included.
pub(super) fn shapes(inputs: &[Tensor<'_>]) -> Vec<Vec<usize>> {
    inputs.iter().map(|x| x.shape()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{layers::Add, testing::merged};

    #[test]
    fn axes_are_put_in_behind_the_samples() {
        let shape = |shapes: &[&[usize]]| {
            let types: Vec<Type> = shapes.iter().map(|shape| Type::f32(*shape)).collect();
            merged(Add, &types).expect("no mistake").shape
        };
        assert_eq!(shape(&[&[2, 3], &[2, 5, 1]]), [2, 5, 3]);
        assert_eq!(shape(&[&[2, 5, 1, 7], &[2, 3, 1]]), [2, 5, 3, 7]);
        assert_eq!(shape(&[&[0, 3], &[0, 1]]), [0, 3]);
        assert_eq!(shape(&[&[2], &[2]]), [2]);
        assert!(shape(&[&[], &[]]).is_empty());
    }

    #[test]
    fn integers_of_one_type_stay_integers() {
        let dtype = |dtypes: [DType; 2]| {
            merged(Add, &dtypes.map(|dtype| Type::new(dtype, [2, 3]))).expect("no mistake").dtype
        };
        assert_eq!(dtype([DType::I32, DType::I32]), DType::I32);
        assert_eq!(dtype([DType::I32, DType::I64]), DType::F32);
        assert_eq!(dtype([DType::I32, DType::F32]), DType::F32);
        assert_eq!(dtype([DType::Bool, DType::Bool]), DType::F32);
    }

    #[test]
    fn rejects_what_does_not_fit_together() {
        let message = |shapes: &[&[usize]]| {
            let types: Vec<Type> = shapes.iter().map(|shape| Type::f32(*shape)).collect();
            merged(Add, &types).unwrap_err().message
        };
        assert_eq!(
            message(&[&[2, 3], &[2, 4]]),
            "Inputs have incompatible shapes. Received shapes [3] and [4]"
        );
        assert_eq!(
            message(&[&[2, 1], &[2, 4], &[2, 5, 3]]),
            "Inputs have incompatible shapes. Received shapes [5, 3] and [4]"
        );
        assert_eq!(
            message(&[&[1, 3], &[3, 3]]),
            "Cannot merge tensors with different batch sizes. \
             Received tensors with shapes [[1, 3], [3, 3]]"
        );
        assert_eq!(
            message(&[]),
            "A merge layer should be called on a list of at least 1 input. Received 0 inputs"
        );
    }
}
