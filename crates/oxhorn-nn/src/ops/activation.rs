//! The activations of `keras.ops`: those of `keras.activations`, with their settings as arguments.

use oxhorn_ir::{Result, Tensor};

use super::{Argument, Arguments, Outcome, table, types::real};
use crate::{
    activations::{self as own, Activate},
    config::AxisList,
};

table! { NN "nn":
    /// `x` above 0, `α (e^(x/α) - 1)` below.
    "celu(x, alpha=1.0)" => |a| applied(a, &own::Celu::new().alpha(a.float("alpha")?));
    /// `x` above 0, `α (eˣ - 1)` below.
    "elu(x, alpha=1.0)" => |a| applied(a, &own::Elu::new().alpha(a.float("alpha")?));
    /// `x` times the normal distribution function of `x`, or an approximation by `tanh`.
    "gelu(x, approximate=True)" => |a| {
        applied(a, &own::Gelu::new().approximate(a.flag("approximate")?))
    };
    /// One half along an axis, times the sigmoid of the other.
    "glu(x, axis=-1)" => |a| applied(a, &own::Glu::new().axis(a.int("axis")? as isize));
    /// `x` where it is further from 0 than the threshold, else 0.
    "hard_shrink(x, threshold=0.5)" => |a| {
        applied(a, &own::HardShrink::new().threshold(a.float("threshold")?))
    };
    /// A piecewise linear sigmoid.
    "hard_sigmoid(x)" => |a| applied(a, &own::HardSigmoid);
    /// `x` times a piecewise linear sigmoid.
    "hard_silu(x)" => |a| applied(a, &own::HardSilu);
    /// `x` times a piecewise linear sigmoid.
    "hard_swish(x)" => |a| applied(a, &own::HardSilu);
    /// `x`, at least -1 and at most 1.
    "hard_tanh(x)" => |a| applied(a, &own::HardTanh);
    /// `x` above 0, a multiple of it below.
    "leaky_relu(x, negative_slope=0.2)" => |a| {
        applied(a, &own::LeakyRelu::new().negative_slope(a.float("negative_slope")?))
    };
    /// The logarithm of the sigmoid.
    "log_sigmoid(x)" => |a| applied(a, &own::LogSigmoid);
    /// The logarithm of `softmax`, without underflow; `None` takes all axes together.
    "log_softmax(x, axis=-1)" => |a| {
        applied(a, &own::LogSoftmax::new().axis(axes(a)?))
    };
    /// `x` above 0, else 0.
    "relu(x)" => |a| Ok(own::Relu::new().call(a.tensor("x")?).into());
    /// `x`, at least 0 and at most 6.
    "relu6(x)" => |a| Ok(own::Relu6.call(a.tensor("x")?).into());
    /// `1.0507 · elu(x, 1.6733)`
    "selu(x)" => |a| applied(a, &own::Selu);
    /// `1 / (1 + e⁻ˣ)`
    "sigmoid(x)" => |a| applied(a, &own::Sigmoid);
    /// `x · sigmoid(x)`
    "silu(x)" => |a| applied(a, &own::Silu);
    /// `x · sigmoid(x)`
    "swish(x)" => |a| applied(a, &own::Silu);
    /// `x` moved towards 0 by the threshold, or 0 if it does not get there.
    "soft_shrink(x, threshold=0.5)" => |a| {
        applied(a, &own::SoftShrink::new().threshold(a.float("threshold")?))
    };
    /// Positive numbers whose sum along axes is 1; `None` takes all axes together.
    "softmax(x, axis=-1)" => |a| applied(a, &own::Softmax::new().axis(axes(a)?));
    /// `ln(1 + eˣ)`
    "softplus(x)" => |a| applied(a, &own::Softplus);
    /// `x / (1 + |x|)`
    "softsign(x)" => |a| applied(a, &own::Softsign);
    /// 0 up to -1, `(x + 1)² / 4` up to 1, then `x`.
    "sparse_plus(x)" => |a| applied(a, &own::SparsePlus);
    /// 0 up to -1, `(x + 1) / 2` up to 1, then 1.
    "sparse_sigmoid(x)" => |a| applied(a, &own::SparseSigmoid);
    /// 0 for all but the greatest numbers along an axis.
    "sparsemax(x, axis=-1)" => |a| {
        applied(a, &own::Sparsemax::new().axis(a.int("axis")? as isize))
    };
    /// `(x + √(x² + b)) / 2`
    "squareplus(x, b=4)" => |a| applied(a, &own::Squareplus::new().b(a.float("b")?));
    /// `x - tanh(x)`
    "tanh_shrink(x)" => |a| applied(a, &own::TanhShrink);
    /// `x` above the threshold, else another value.
    "threshold(x, threshold, default_value)" => |a| {
        applied(a, &own::Threshold::new(a.float("threshold")?, a.float("default_value")?))
    };
}

/// The activation of the argument `x` as real numbers.
fn applied<'g>(a: &Arguments<'g>, activation: &dyn Activate) -> Result<Outcome<'g>> {
    let x: Tensor = real(a.tensor("x")?);
    Ok(activation.call(x).into())
}

/// The axes taken together.
fn axes(a: &Arguments<'_>) -> Result<AxisList> {
    let rank = a.tensor("x")?.rank();
    Ok(match a.get("axis") {
        Argument::Int(axis) => AxisList::One(super::arguments::axis(*axis, rank)? as isize),
        _ => AxisList::Many(a.axes("axis", rank)?.into_iter().map(|axis| axis as isize).collect()),
    })
}
