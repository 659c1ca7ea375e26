//! `keras.random`: numbers that depend on a key alone, equal to those of Keras on JAX.
//!
//! `seed` is a key of type `u32[2]`: the state that a `SeedGenerator` gives, `[seed, 0]` for an
//! integer. The laws are written into the graph as `crate::random` has them on the host.

use std::f64::consts::SQRT_2;

use oxhorn_ir::{DType, Result, Tensor, Type, ensure};

use super::{
    Argument, Arguments, Outcome,
    shapes::{expand, range},
    sorting, table,
};

table! { RANDOM "random":
    /// Numbers spread evenly from `minval` to before `maxval`.
    "uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None)" => |a| {
        let (low, high) = (bound(a, "minval")?, bound(a, "maxval")?);
        cast(a, uniform(key(a)?, a.shape("shape")?, low, high))
    };
    /// Numbers of the normal law.
    "normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None)" => |a| {
        let x = normal(key(a)?, a.shape("shape")?);
        cast(a, x * bound(a, "stddev")? + bound(a, "mean")?)
    };
    /// Numbers of the normal law, given that they are within two deviations of the mean.
    "truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None)" => |a| {
        let (key, shape) = (key(a)?, a.shape("shape")?);
        let reach = f64::from(0.954_499_7_f32); // erf(2 / √2)
        let ends = [-reach, reach].map(|end| key.trace().scalar(end, DType::F32));
        let x = uniform(key, shape, ends[0], ends[1]).erf_inv() * SQRT_2;
        let most = f64::from(2f32.next_down());
        let x = x.maximum(-most).minimum(most);
        cast(a, x * bound(a, "stddev")? + bound(a, "mean")?)
    };
    /// Integers spread evenly from `minval` to before `maxval`.
    "randint(shape, minval, maxval, dtype='int32', seed=None)" => randint;
    /// For each row of logits, the numbers of `num_samples` classes drawn by their odds.
    "categorical(logits, num_samples, dtype='int32', seed=None)" => |a| {
        let (logits, samples) = (a.real("logits")?, a.extent("num_samples")?);
        ensure!(logits.rank() == 2, "`categorical` needs rows of logits, got {}", logits.ty());
        let (rows, classes) = (logits.dim(0), logits.dim(1));
        // Gumbel's law: the greatest of logits with such noise falls on classes by their odds.
        let tiny = a.trace().scalar(f64::from(f32::MIN_POSITIVE), DType::F32);
        let one = a.trace().scalar(1.0, DType::F32);
        let noise = -(-uniform(key(a)?, vec![rows, classes, samples], tiny, one).log()).log();
        cast(a, (noise + expand(logits, 2)).argmax(1))
    };
    /// The inputs, a random share `rate` of them 0 and the others scaled by `1 / (1 - rate)`.
    "dropout(inputs, rate, noise_shape=None, seed=None)" => dropout;
    /// The elements along an axis in random order, each row by itself.
    "shuffle(x, axis=0, seed=None)" => |a| {
        let x = a.tensor("x")?;
        let axis = a.axis("axis", x.rank())?;
        let mut rows = x;
        let mut key = key(a)?;
        // JAX' stop criterion: so many rounds that keys of 32 bits hardly collide in all.
        let len = x.ty().len().max(1) as f64;
        let rounds = (3.0 * len.ln() / f64::from(u32::MAX).ln()).ceil() as usize;
        for _ in 0..rounds {
            let next = split(key);
            key = next[0];
            let words = next[1].random_bits(x.shape());
            rows = sorting::by_keys(rows, words, axis)?;
        }
        Ok(rows.into())
    };
}

/// The key, which is `u32[2]`.
fn key<'g>(a: &Arguments<'g>) -> Result<Tensor<'g>> {
    match a.get("seed") {
        Argument::Tensor(key) if key.ty() == Type::new(DType::U32, [2]) => Ok(*key),
        _ => Err(a.wrong("seed", "a key: a uint32 tensor of two elements")),
    }
}

/// A setting of a law, as an `f32`.
fn bound<'g>(a: &Arguments<'g>, name: &str) -> Result<Tensor<'g>> {
    Ok(a.tensor(name)?.cast(DType::F32))
}

fn cast<'g>(a: &Arguments<'g>, x: Tensor<'g>) -> Result<Outcome<'g>> {
    Ok(a.dtype_or_none("dtype")?.map_or(x, |dtype| x.cast(dtype)).into())
}

/// Numbers spread evenly from `low` to before `high`.
fn uniform<'g>(
    key: Tensor<'g>,
    shape: Vec<usize>,
    low: Tensor<'g>,
    high: Tensor<'g>,
) -> Tensor<'g> {
    (key.random_uniform(shape) * (high - low) + low).maximum(low)
}

/// Numbers of the standard normal law.
fn normal<'g>(key: Tensor<'g>, shape: Vec<usize>) -> Tensor<'g> {
    let ends = [f64::from((-1f32).next_up()), 1.0];
    let [low, high] = ends.map(|end| key.trace().scalar(end, DType::F32));
    uniform(key, shape, low, high).erf_inv() * SQRT_2
}

/// Two keys out of one, as JAX makes them: the Threefry blocks of the counters 0 and 1.
///
/// `random_bits` gives both words of a block joined; here they are needed apart, so that the rounds
/// are written out.
fn split(key: Tensor<'_>) -> [Tensor<'_>; 2] {
    const ROTATIONS: [[f64; 4]; 2] = [[13.0, 15.0, 26.0, 6.0], [17.0, 29.0, 16.0, 24.0]];
    let word = |i: usize| range(key, 0, i, i + 1);
    let parity = word(0).xor(word(1)).xor(f64::from(0x1BD1_1BDA_u32));
    let keys = [word(0), word(1), parity];
    let counter = key.trace().iota(0, Type::new(DType::U32, [2]));
    let (mut x, mut y) = (counter.fill(0.0) + keys[0], counter + keys[1]);
    for block in 0..5 {
        for rotation in ROTATIONS[block % 2] {
            x = x + y;
            y = y.shift_left(rotation).or(y.shift_right(32.0 - rotation)).xor(x);
        }
        x = x + keys[(block + 1) % 3];
        y = y + keys[(block + 2) % 3] + (block as f64 + 1.0);
    }
    // The block of counter i is key i.
    let both = super::joining::stack(&[x, y], 1);
    [0, 1].map(|i| super::shapes::at(both, 0, i))
}

fn randint<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let shape = a.shape("shape")?;
    let [low, high] = ["minval", "maxval"].map(|name| a.tensor(name));
    let (low, high) = (low?.cast(DType::I32), high?.cast(DType::I32));
    let [first, second] = split(key(a)?);
    let wide = |x: Tensor<'g>| super::shapes::broadcast(x, &shape);
    // 64 bits modulo the span, of which there is 1 where nothing lies between the bounds.
    let span = wide((high - low).cast(DType::U32))?;
    let span = wide(high.less_equal(low))?.select(span.fill(1.0), span);
    let half = span.fill(65536.0).rem(span);
    let factor = (half * half).rem(span);
    let upper = first.random_bits(shape.clone()).rem(span) * factor;
    let offset = (upper + second.random_bits(shape.clone()).rem(span)).rem(span);
    cast(a, wide(low)? + offset.cast(DType::I32))
}

fn dropout<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let (x, rate) = (a.tensor("inputs")?, a.float("rate")?);
    if rate == 1.0 {
        return Ok(x.fill(0.0).into());
    }
    if rate == 0.0 {
        return Ok(x.into());
    }
    let x = super::types::real(x);
    let mut shape = x.shape();
    match a.get("noise_shape") {
        Argument::None => (),
        Argument::List(extents) if extents.len() == shape.len() => {
            for (own, extent) in shape.iter_mut().zip(extents) {
                match extent {
                    Argument::None => (),
                    Argument::Int(n @ 1..) => *own = *n as usize,
                    _ => return Err(a.wrong("noise_shape", "a list of extents or None")),
                }
            }
        }
        _ => return Err(a.wrong("noise_shape", "a list with an extent for each axis")),
    }
    // One minus the rate is taken in `f64`, as in Keras: the masks depend on its last bit.
    let keep = f64::from((1.0 - rate) as f32);
    let mask = key(a)?.random_uniform(shape).less(keep);
    let mask = super::shapes::broadcast(mask, &x.shape())?;
    Ok(mask.select(x / keep, 0.0).into())
}
