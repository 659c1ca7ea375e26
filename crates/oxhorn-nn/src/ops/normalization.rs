//! Normalizations, attention and the losses of `keras.ops`.

use oxhorn_ir::{DType, Result, Tensor, Type, ensure};

use super::{
    Arguments, Outcome,
    contract::einsum,
    logic::chosen,
    reductions::Along,
    shapes::{broadcast, expand},
    table,
    types::{real, truth},
};
use crate::{
    activations::{Activate, Softmax},
    losses::{
        BinaryCrossentropy, CategoricalCrossentropy, Penalize, SparseCategoricalCrossentropy,
    },
};

/// Keras' `epsilon()`.
const EPSILON: f64 = 1e-7;

table! { NN "nn":
    /// `x` less a mean and over a deviation of each slice along an axis, scaled and shifted.
    "batch_normalization(x, mean, variance, axis, offset=None, scale=None, epsilon=0.001)" => |a| {
        let x = a.real("x")?;
        let axis = a.axis("axis", x.rank())?;
        let along = |name: &str| -> Result<Tensor<'_>> {
            let row = a.real(name)?;
            let n = x.shape()[axis];
            ensure!(
                row.shape() == [n],
                "`batch_normalization`: Argument `{name}` must have the shape ({n},). \
                Received: {name}={}",
                a.get(name)
            );
            let mut shape = vec![1; x.rank()];
            shape[axis] = n;
            Ok(row.reshape(shape))
        };
        let mut factor = (along("variance")? + a.float("epsilon")?).rsqrt();
        if a.given("scale") {
            factor = factor * along("scale")?;
        }
        let mut shift = -along("mean")? * factor;
        if a.given("offset") {
            shift = shift + along("offset")?;
        }
        Ok((x * factor + shift).into())
    };
    /// `x` less the mean and over the deviation along axes, scaled by `gamma`, shifted by `beta`.
    "layer_normalization(x, gamma=None, beta=None, axis=-1, epsilon=None, **kwargs)" => |a| {
        let given = a.tensor("x")?;
        let x = real(given);
        let along = Along::new(x, a.axes("axis", x.rank())?);
        let mean = along.keep(x, Tensor::mean);
        let variance = along.variance(x).reshape(along.ones.clone());
        let mut factor = (variance + a.float_or_none("epsilon")?.unwrap_or(EPSILON)).rsqrt();
        if a.given("gamma") {
            factor = factor * beside(a.real("gamma")?, x, &along)?;
        }
        let mut shift = -mean * factor;
        if a.given("beta") {
            shift = shift + beside(a.real("beta")?, x, &along)?;
        }
        Ok((x * factor + shift).cast(given.dtype()).into())
    };
    /// `x` over the root of its mean square along axes, scaled.
    "rms_normalization(x, scale=None, axis=-1, epsilon=None)" => |a| {
        let given = a.tensor("x")?;
        let x = if given.rank() == 0 { expand(real(given), 0) } else { real(given) };
        let along = Along::new(x, a.axes("axis", x.rank())?);
        let epsilon = a.float_or_none("epsilon")?.unwrap_or(EPSILON);
        let mut y = x * (along.keep(x * x, Tensor::mean) + epsilon).rsqrt();
        if a.given("scale") {
            y = y * a.real("scale")?;
        }
        Ok(y.cast(given.dtype()).into())
    };
    /// `x` over its norm of some order along axes.
    "normalize(x, axis=-1, order=2, epsilon=None)" => |a| {
        let x = a.real("x")?;
        let x = if x.rank() == 0 { expand(x, 0) } else { x };
        let along = Along::new(x, a.axes("axis", x.rank())?);
        let epsilon = a.float_or_none("epsilon")?.unwrap_or(EPSILON);
        let order = match a.get("order") {
            super::Argument::Int(order @ 1..) => *order,
            order => {
                return Err(oxhorn_ir::Error::new(format!(
                    "Argument `order` must be an int >= 1. Received: order={order}"
                )));
            }
        };
        let sum = |x| along.keep(x, Tensor::sum);
        Ok(match order {
            1 => x / sum(x.abs()).maximum(epsilon),
            2 => x * sum(x * x).rsqrt().minimum(1.0 / epsilon),
            _ => {
                let powers = sum(x.abs().pow(order as f64));
                x / powers.pow(1.0 / order as f64).maximum(epsilon)
            }
        }.into())
    };
    /// Values weighed by how well each query agrees with the values' keys.
    ///
    /// All are `[batch, time, heads, depth]`; there may be fewer heads of keys and values.
    "dot_product_attention(query, key, value, bias=None, mask=None, scale=None, \
      is_causal=False, flash_attention=None, attn_logits_soft_cap=None)" => attention;
    /// How near two images are, in decibels.
    "psnr(x1, x2, max_val)" => |a| {
        let [x, y] = a.promoted_real(["x1", "x2"])?;
        ensure!(
            x.shape() == y.shape(),
            "Input shapes {:?} and {:?} must match for PSNR calculation. ",
            x.shape(),
            y.shape()
        );
        let error = ((x - y) * (x - y)).mean(..);
        let decibels = error.log() * (-10.0 / std::f64::consts::LN_10);
        Ok((decibels + 20.0 * a.float("max_val")?.log10()).into())
    };
    /// The surprise at each of many yes-or-no answers, element by element.
    "binary_crossentropy(target, output, from_logits=False)" => |a| {
        let [target, output] = a.promoted_real(["target", "output"])?;
        let loss = BinaryCrossentropy::new().from_logits(a.flag("from_logits")?);
        // The mean along an axis of one element is that element.
        let last = target.rank();
        ensure_same_shape(target, output)?;
        Ok(loss.call(expand(target, last), expand(output, last)).into())
    };
    /// The surprise at the true class, for labels given as probabilities along an axis.
    "categorical_crossentropy(target, output, from_logits=False, axis=-1)" => |a| {
        let [target, output] = a.promoted_real(["target", "output"])?;
        let axis = a.axis("axis", output.rank())? as isize;
        let loss = CategoricalCrossentropy::new().from_logits(a.flag("from_logits")?).axis(axis);
        Ok(loss.call(target, output).into())
    };
    /// The surprise at the true class, for labels given as the classes' numbers.
    "sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1)" => |a| {
        let (target, output) = (a.tensor("target")?, a.real("output")?);
        let axis = a.axis("axis", output.rank())? as isize;
        let loss = SparseCategoricalCrossentropy::new();
        Ok(loss.from_logits(a.flag("from_logits")?).axis(axis).call(real(target), output).into())
    };
}

table! { MATH "math":
    /// All stretches of a length, so many steps apart, along the last axis.
    "extract_sequences(x, sequence_length, sequence_stride)" => |a| {
        let x = a.tensor("x")?;
        let (length, stride) = (a.extent("sequence_length")?, a.extent("sequence_stride")?);
        ensure!(x.rank() > 0 && stride > 0 && length > 0, "`extract_sequences` of {}", x.ty());
        let count = (x.dim(-1) + stride).saturating_sub(length) / stride;
        let ty = Type::new(DType::I32, [count, length]);
        let (row, place) = (a.trace().iota(0, ty.clone()), a.trace().iota(1, ty));
        Ok(x.gather(row * stride as f64 + place, -1).into())
    };
}

/// A weight, shaped to stand beside `x` along the normalized axes.
fn beside<'g>(weight: Tensor<'g>, x: Tensor<'g>, along: &Along) -> Result<Tensor<'g>> {
    let last_alone = along.axes == [x.rank() - 1];
    if last_alone || weight.rank() == x.rank() {
        return Ok(weight);
    }
    let mut shape = vec![1; x.rank()];
    along.axes.iter().for_each(|&axis| shape[axis] = x.shape()[axis]);
    let wanted: usize = shape.iter().product();
    ensure!(
        weight.ty().len() == wanted,
        "`layer_normalization` needs weights of {wanted} elements, got {}",
        weight.ty()
    );
    Ok(weight.reshape(shape))
}

fn ensure_same_shape(target: Tensor<'_>, output: Tensor<'_>) -> Result<()> {
    ensure!(
        target.shape() == output.shape(),
        "Arguments `target` and `output` must have the same shape. Received: \
        target.shape={:?}, output.shape={:?}",
        target.shape(),
        output.shape()
    );
    Ok(())
}

fn attention<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    if a.given("flash_attention") {
        a.refuse("flash_attention", "False")?;
    }
    let [query, key, value] = a.promoted_real(["query", "key", "value"])?;
    let shapes = [query, key, value].map(|x| x.shape());
    ensure!(
        shapes.iter().all(|shape| shape.len() == 4),
        "`dot_product_attention` only supports 4D inputs. Received: query.shape={:?}, \
        key.shape={:?}, value.shape={:?}.",
        shapes[0],
        shapes[1],
        shapes[2]
    );
    let (heads, ours) = (query.dim(2), key.dim(2));
    ensure!(
        ours > 0 && heads.is_multiple_of(ours) && value.dim(2) == ours,
        "`dot_product_attention` needs as many heads of keys and values, or a divisor of those of \
        queries, got {shapes:?}"
    );
    // Heads of queries share those of keys and values in turn.
    let shared = |x: Tensor<'g>| {
        let [n, t, h, d] = x.shape()[..] else { return x };
        let wide = expand(x, 3).broadcast([n, t, h, heads / ours, d]);
        wide.reshape([n, t, heads, d])
    };
    let (key, value) = (shared(key), shared(value));
    let scale = match a.float_or_none("scale")? {
        Some(scale) => scale,
        None => (query.dim(3) as f64).sqrt().recip(),
    };
    let mut logits = einsum("btnh,bsnh->bnts", vec![query, key])? * scale;
    if a.given("bias") {
        logits = logits + broadcast(a.real("bias")?.cast(logits.dtype()), &logits.shape())?;
    }
    if let Some(cap) = a.float_or_none("attn_logits_soft_cap")? {
        logits = (logits / cap).tanh() * cap;
    }
    let least = logits.trace().scalar(-0.7 * f64::from(f32::MAX), logits.dtype());
    if let Some(mask) = a.tensor_or_none("mask")? {
        logits = chosen(truth(mask), logits, least)?;
    }
    if a.flag("is_causal")? {
        let ty = Type::new(DType::I32, [logits.dim(2), logits.dim(3)]);
        let (now, then) = (a.trace().iota(0, ty.clone()), a.trace().iota(1, ty));
        logits = chosen(then.less_equal(now), logits, least)?;
    }
    let weights = Softmax::new().call(logits);
    Ok(einsum("bnts,bsnh->btnh", vec![weights, value])?.into())
}
