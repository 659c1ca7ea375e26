//! Element types as Keras on JAX names, chooses and joins them.

use oxhorn_ir::{DType, Error, Result, Tensor};

/// Keras' name of an element type.
pub fn dtype_name(dtype: DType) -> &'static str {
    match dtype {
        DType::Bool => "bool",
        DType::I32 => "int32",
        DType::I64 => "int64",
        DType::U32 => "uint32",
        DType::F32 => "float32",
        DType::F64 => "float64",
    }
}

/// The element type that a name asks for; as on JAX, where nothing is wider than 32 bits.
pub(super) fn named(name: &str) -> Result<DType> {
    match name {
        "bool" => Ok(DType::Bool),
        "int" | "int32" | "int64" => Ok(DType::I32),
        "uint32" | "uint64" => Ok(DType::U32),
        "float" | "float32" | "float64" => Ok(DType::F32),
        "int8" | "int16" | "uint8" | "uint16" | "float16" | "bfloat16" | "complex64" => {
            let message = format!("there are no tensors of `{name}`");
            Err(Error::new(message).help("use bool, int32, uint32 or float32"))
        }
        _ => Err(Error::new(format!("Invalid dtype: {name}"))),
    }
}

/// The element type that holds what both hold.
pub(super) fn joined(a: DType, b: DType) -> DType {
    let rank = |dtype| match dtype {
        DType::Bool => 0,
        DType::U32 => 1,
        DType::I32 => 2,
        DType::I64 => 3,
        DType::F32 => 4,
        DType::F64 => 5,
    };
    if rank(a) >= rank(b) { a } else { b }
}

/// The tensor as real numbers.
pub(super) fn real(x: Tensor<'_>) -> Tensor<'_> {
    if x.dtype().is_float() { x } else { x.cast(DType::F32) }
}

/// The tensor as numbers that can be added: truth values count as 0 and 1.
pub(super) fn countable(x: Tensor<'_>) -> Tensor<'_> {
    if x.dtype() == DType::Bool { x.cast(DType::I32) } else { x }
}

/// The function on tensors that are numbers; truth values pass through it as 0 and 1.
pub(super) fn through_numbers<'g>(
    x: Tensor<'g>,
    function: impl FnOnce(Tensor<'g>) -> Tensor<'g>,
) -> Tensor<'g> {
    // Unsigned, for which the greatest and the least of no element are true and false.
    match x.dtype() {
        DType::Bool => function(x.cast(DType::U32)).cast(DType::Bool),
        _ => function(x),
    }
}

/// Which elements are not zero.
pub(super) fn truth(x: Tensor<'_>) -> Tensor<'_> {
    x.cast(DType::Bool)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wider_types_win_and_reals_win_over_integers() {
        assert_eq!(joined(DType::Bool, DType::I32), DType::I32);
        assert_eq!(joined(DType::F32, DType::I64), DType::F32);
        assert_eq!(joined(DType::U32, DType::I32), DType::I32);
    }

    #[test]
    fn types_that_are_not_there_are_refused_by_name() {
        let error = named("float16").unwrap_err();
        assert_eq!(error.message, "there are no tensors of `float16`");
        assert_eq!(named("apple").unwrap_err().message, "Invalid dtype: apple");
    }
}
