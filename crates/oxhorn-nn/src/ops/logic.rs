//! Comparisons, truth values, and choices between tensors.

use oxhorn_ir::{DType, Result, Tensor, ensure};

use super::{
    Argument, Arguments, Outcome,
    binary::truths,
    joining::flat,
    shapes::{broadcast, common_shape, expand},
    table,
    types::truth,
};

table! { CORE "core":
    /// One of two outcomes, by a single truth value.
    ///
    /// Both are traced: `true_fn` and `false_fn` are what the two functions gave, each a tensor
    /// or a list of tensors, and whoever stands at the border calls them.
    "cond(pred, true_fn, false_fn)" => cond;
    /// One of several outcomes, by an index that is kept within their number.
    ///
    /// All are traced: `branches` are what the functions gave for the operands, and whoever stands
    /// at the border calls them.
    "switch(index, branches, *operands)" => switch;
}

table! { NUMPY "numpy":
    /// Whether two elements are equal.
    "equal(x1, x2)" => |a| compared(a, |x, y| x.equal(y));
    /// Whether two elements differ.
    "not_equal(x1, x2)" => |a| compared(a, |x, y| x.not_equal(y));
    /// Whether the first element is less.
    "less(x1, x2)" => |a| compared(a, |x, y| x.less(y));
    /// Whether the first element is less or equal.
    "less_equal(x1, x2)" => |a| compared(a, |x, y| x.less_equal(y));
    /// Whether the first element is greater.
    "greater(x1, x2)" => |a| compared(a, |x, y| x.greater(y));
    /// Whether the first element is greater or equal.
    "greater_equal(x1, x2)" => |a| compared(a, |x, y| x.greater_equal(y));
    /// Whether both elements are true, that is, not zero.
    "logical_and(x1, x2)" => |a| Ok(truths(a, "x1")?.and(truths(a, "x2")?).into());
    /// Whether either element is true, that is, not zero.
    "logical_or(x1, x2)" => |a| Ok(truths(a, "x1")?.or(truths(a, "x2")?).into());
    /// Whether one element is true, but not both.
    "logical_xor(x1, x2)" => |a| Ok(truths(a, "x1")?.xor(truths(a, "x2")?).into());
    /// Whether each element is false, that is, zero.
    "logical_not(x)" => |a| Ok(truths(a, "x")?.not().into());
    /// Whether two elements are as near as `atol + rtol · |x2|`.
    "isclose(x1, x2, rtol=1e-05, atol=1e-08, equal_nan=False)" => |a| Ok(close(a)?.into());
    /// Whether all elements are as near as `atol + rtol · |x2|`.
    "allclose(x1, x2, rtol=1e-05, atol=1e-08, equal_nan=False)" => |a| {
        Ok(close(a)?.cast(DType::U32).reduce_min(..).cast(DType::Bool).into())
    };
    /// Whether each element of the first tensor is among those of the second.
    "isin(x1, x2, assume_unique=False, invert=False)" => |a| {
        a.flag("assume_unique")?;
        let [x, y] = a.promoted(["x1", "x2"])?;
        let found = expand(x, x.rank()).equal(flat(y)).cast(DType::U32).reduce_max(-1);
        let found = found.cast(DType::Bool);
        Ok(if a.flag("invert")? { found.not() } else { found }.into())
    };
    /// Elements of `x1` where a condition holds, of `x2` elsewhere.
    "where(condition, x1=None, x2=None)" => |a| {
        let function = a.function().name;
        ensure!(
            a.given("x1") && a.given("x2"),
            "`{function}` with a condition alone has results of an extent that the condition's \
            values decide, which no graph can have"; help: "give `x1` and `x2`"
        );
        let [x, y] = a.promoted(["x1", "x2"])?;
        Ok(chosen(truths(a, "condition")?, x, y)?.into())
    };
    /// Elements of the first choice whose condition holds, of `default` where none does.
    "select(condlist, choicelist, default=0)" => select;
}

/// Elements of `x` where a condition holds, of `y` elsewhere; all are repeated to one shape.
pub(super) fn chosen<'g>(mask: Tensor<'g>, x: Tensor<'g>, y: Tensor<'g>) -> Result<Tensor<'g>> {
    let shape = common_shape(&[mask.shape(), x.shape(), y.shape()])?;
    Ok(mask.select(broadcast(x, &shape)?, y))
}

fn compared<'g>(
    a: &Arguments<'g>,
    function: impl FnOnce(Tensor<'g>, Tensor<'g>) -> Tensor<'g>,
) -> Result<Outcome<'g>> {
    let [x, y] = a.promoted(["x1", "x2"])?;
    common_shape(&[x.shape(), y.shape()])?;
    Ok(function(x, y).into())
}

fn close<'g>(a: &Arguments<'g>) -> Result<Tensor<'g>> {
    let [x, y] = a.promoted_real(["x1", "x2"])?;
    let (rtol, atol) = (a.float("rtol")?, a.float("atol")?);
    // Infinities are near nothing but themselves, though their tolerance would be infinite.
    let near = (x - y).abs().less_equal(y.abs() * rtol + atol);
    let close = near.and(x.is_finite()).and(y.is_finite()).or(x.equal(y));
    Ok(match a.flag("equal_nan")? {
        true => close.or(x.is_nan().and(y.is_nan())),
        false => close,
    })
}

fn select<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let (conditions, mut choices) = (a.tensors("condlist")?, a.tensors("choicelist")?);
    ensure!(
        conditions.len() == choices.len(),
        "condlist must have length equal to choicelist ({} vs {})",
        conditions.len(),
        choices.len()
    );
    let dtype = choices.iter().map(|x| x.dtype()).reduce(super::types::joined);
    let default = match (a.get("default"), dtype) {
        (Argument::Int(number), Some(dtype)) => a.trace().scalar(*number as f64, dtype),
        _ => a.tensor("default")?,
    };
    let dtype = dtype.map_or(default.dtype(), |dtype| super::types::joined(dtype, default.dtype()));
    choices.iter_mut().for_each(|x| *x = x.cast(dtype));
    let mut y = default.cast(dtype);
    for (mask, x) in conditions.into_iter().zip(choices).rev() {
        y = chosen(truth(mask), x, y)?;
    }
    Ok(y.into())
}

/// The tensors of an outcome, and whether there is but one.
fn branch<'g>(a: &Arguments<'g>, name: &str, value: &Argument<'g>) -> Result<Vec<Tensor<'g>>> {
    let tensor = |it: &Argument<'g>| match it {
        Argument::Tensor(x) => Ok(*x),
        _ => Err(a.wrong(name, "what the function gave: a tensor, or a list of tensors")),
    };
    match value {
        Argument::List(items) => items.iter().map(tensor).collect(),
        one => Ok(vec![tensor(one)?]),
    }
}

/// One tensor as such, several as a list.
fn like<'g>(value: &Argument<'g>, mut tensors: Vec<Tensor<'g>>) -> Outcome<'g> {
    match value {
        Argument::List(_) => tensors.into(),
        _ => tensors.remove(0).into(),
    }
}

fn cond<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let pred = truths(a, "pred")?;
    ensure!(pred.rank() == 0, "Pred must be a scalar, got {} of shape {:?}.", pred.ty(), {
        pred.shape()
    });
    let (yes, no) = (a.get("true_fn"), a.get("false_fn"));
    let branches = [branch(a, "true_fn", yes)?, branch(a, "false_fn", no)?];
    let mask = pred.cast(DType::I32);
    Ok(like(yes, among(&branches, |place| mask.equal(1.0 - place as f64))?))
}

fn switch<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let index = a.indices("index")?;
    let Argument::List(items) = a.get("branches") else {
        return Err(a.wrong("branches", "a list"));
    };
    let all = items.iter().map(|it| branch(a, "branches", it));
    let branches: Vec<Vec<Tensor>> = all.collect::<Result<_>>()?;
    ensure!(!branches.is_empty(), "Empty branch sequence");
    let index = index.maximum(0.0).minimum(branches.len() as f64 - 1.0);
    Ok(like(&items[0], among(&branches, |place| index.equal(place as f64))?))
}

/// The tensors of the branch that `is_taken`; all have tensors of the same types.
fn among<'g>(
    branches: &[Vec<Tensor<'g>>],
    is_taken: impl Fn(usize) -> Tensor<'g>,
) -> Result<Vec<Tensor<'g>>> {
    let types = |branch: &[Tensor<'g>]| branch.iter().map(|x| x.ty()).collect::<Vec<_>>();
    let first = types(&branches[0]);
    for branch in branches {
        let other = types(branch);
        ensure!(
            other == first,
            "branches must have equal types but they have output types {first:?} and {other:?}"
        );
    }
    let taken = |i: usize| {
        let rest = branches.iter().enumerate().skip(1);
        rest.fold(branches[0][i], |x, (place, branch)| is_taken(place).select(branch[i], x))
    };
    Ok((0..first.len()).map(taken).collect())
}
