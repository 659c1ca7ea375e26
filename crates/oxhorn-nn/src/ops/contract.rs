//! `einsum`, and sums of products of two tensors in general: axes have names.

use oxhorn_ir::{DType, Result, Tensor, ensure};

use super::{shapes::expand, table, types::countable};

table! { NUMPY "numpy":
    /// Sums of products, by the names of axes: `'ij,jk->ik'` is the product of matrices.
    "einsum(subscripts, *operands, **kwargs)" => |a| {
        let operands = a.promoted_list("operands")?;
        Ok(einsum(a.text("subscripts")?, operands)?.into())
    };
}

/// A tensor whose axes have names.
#[derive(Clone)]
pub(super) struct Named<'g> {
    pub(super) x: Tensor<'g>,
    /// One name for each axis; those of `...` are numbers counted from its end.
    pub(super) axes: Vec<char>,
}

/// The sum of products that the subscripts describe.
pub(super) fn einsum<'g>(subscripts: &str, operands: Vec<Tensor<'g>>) -> Result<Tensor<'g>> {
    ensure!(!operands.is_empty(), "einsum() missing required operands");
    let dtype = operands[0].dtype();
    let text: String = subscripts.chars().filter(|letter| !letter.is_whitespace()).collect();
    let (inputs, output) = match text.split_once("->") {
        Some((inputs, output)) => (inputs, Some(output)),
        None => (&*text, None),
    };
    let inputs: Vec<&str> = inputs.split(',').collect();
    ensure!(
        inputs.len() == operands.len(),
        "einsum subscripts {subscripts:?} name {} operands, got {}",
        inputs.len(),
        operands.len()
    );
    let mut named = vec![];
    let mut hidden: Vec<char> = vec![];
    for (names, x) in inputs.iter().zip(operands) {
        let axes = names_of(names, x.rank(), subscripts)?;
        let own = axes.iter().filter(|name| !name.is_alphabetic());
        hidden.extend(own.filter(|name| !hidden.contains(name)).copied().collect::<Vec<_>>());
        named.push(Named { x: countable(x), axes });
    }
    // The last axis of `...` has the least number.
    hidden.sort_unstable_by(|a, b| b.cmp(a));
    let wanted = match output {
        Some(output) => output.replace("...", &hidden.iter().collect::<String>()).chars().collect(),
        None => implied(&named, &hidden),
    };
    for name in &wanted {
        let known = named.iter().any(|it| it.axes.contains(name));
        ensure!(known, "einsum output {name:?} is in no operand of {subscripts:?}");
    }
    let mut rest = named.into_iter();
    let first = rest.next().expect("one operand or more");
    let mut rest: Vec<Named> = rest.collect();
    let mut total = alone(first, &needed(&rest, &wanted));
    while !rest.is_empty() {
        let next = rest.remove(0);
        let later = needed(&rest, &wanted);
        let (own, other) = (total.axes.clone(), next.axes.clone());
        let next = alone(next, &[&later[..], &own].concat());
        total = alone(total, &[&later[..], &other].concat());
        total = contract(total, next, &later)?;
    }
    Ok(ordered(total, &wanted).cast(dtype))
}

/// The names of an operand's axes.
fn names_of(text: &str, rank: usize, subscripts: &str) -> Result<Vec<char>> {
    let letters = text.replace("...", "");
    let fits = letters.chars().all(char::is_alphabetic);
    ensure!(fits, "einsum subscripts {subscripts:?} have axes that are no letters");
    let hidden = rank.checked_sub(letters.len()).filter(|&n| n == 0 || text.contains("..."));
    let Some(hidden) = hidden else {
        let (letters, count) = (text, letters.len());
        return Err(oxhorn_ir::Error::new(format!(
            "einsum operand {letters:?} names {count} axes of a tensor of {rank}"
        )));
    };
    // Characters above all letters stand for what `...` hides, counted from its end.
    let code = |place: usize| char::from_u32(0xF0000 + place as u32).expect("a private character");
    let hidden: String = (0..hidden).rev().map(code).collect();
    Ok(text.replace("...", &hidden).chars().collect())
}

/// The names that stand once, in alphabetical order, behind those that `...` hides.
fn implied(named: &[Named<'_>], hidden: &[char]) -> Vec<char> {
    let all: Vec<char> = named.iter().flat_map(|it| it.axes.iter().copied()).collect();
    let once = |name: &&char| all.iter().filter(|it| it == name).count() == 1;
    let mut letters: Vec<char> =
        all.iter().filter(|name| name.is_alphabetic()).filter(once).copied().collect();
    letters.sort_unstable();
    [hidden, &letters].concat()
}

/// The names that operands to come, or the result, ask for.
fn needed(rest: &[Named<'_>], wanted: &[char]) -> Vec<char> {
    rest.iter().flat_map(|it| it.axes.iter()).chain(wanted).copied().collect()
}

/// One operand by itself: diagonals where a name stands twice, sums where nobody asks for it.
fn alone<'g>(operand: Named<'g>, needed: &[char]) -> Named<'g> {
    let Named { mut x, mut axes } = operand;
    let twice = |axes: &[char]| {
        (0..axes.len()).find_map(|j| (0..j).find(|&i| axes[i] == axes[j]).map(|i| (i, j)))
    };
    while let Some((i, j)) = twice(&axes) {
        // Where the two places differ nothing is taken, and then the second axis is summed.
        let same = super::reductions::places(x, i).equal(super::reductions::places(x, j));
        x = same.select(x, x.fill(0.0)).sum(j as isize);
        axes.remove(j);
    }
    let gone: Vec<usize> = (0..axes.len()).filter(|&i| !needed.contains(&axes[i])).collect();
    axes.retain(|name| needed.contains(name));
    if !gone.is_empty() {
        x = x.sum(gone);
    }
    Named { x, axes }
}

/// The sum of products of two operands over the names that both have and nobody needs any more.
pub(super) fn contract<'g>(a: Named<'g>, b: Named<'g>, needed: &[char]) -> Result<Named<'g>> {
    let of = |it: &Named, other: &Named, kind: fn(bool, bool) -> bool| -> Vec<char> {
        let is = |name: &&char| kind(other.axes.contains(name), needed.contains(name));
        it.axes.iter().filter(is).copied().collect()
    };
    let batch = of(&a, &b, |shared, needed| shared && needed);
    let inner = of(&a, &b, |shared, needed| shared && !needed);
    let (left, right) = (of(&a, &b, |shared, _| !shared), of(&b, &a, |shared, _| !shared));
    let mut extents = vec![];
    for name in batch.iter().chain(&inner) {
        let (n, m) = (extent(&a, *name), extent(&b, *name));
        ensure!(
            n == m || n == 1 || m == 1,
            "Incompatible shapes for einsum: axis {name:?} has {n} and {m} elements"
        );
        extents.push((*name, if n == 1 { m } else { n }));
    }
    let size = |it: &Named, names: &[char]| -> usize {
        let known = |name: &char| extents.iter().find(|(known, _)| known == name).map(|it| it.1);
        names.iter().map(|name| known(name).unwrap_or_else(|| extent(it, *name))).product()
    };
    let stretched = |it: &Named<'g>| {
        let wide = |name: &char| size(it, &[*name]);
        it.x.broadcast(it.axes.iter().map(wide).collect::<Vec<_>>())
    };
    let (b_size, m, k, n) = (size(&a, &batch), size(&a, &left), size(&a, &inner), size(&b, &right));
    let shape: Vec<usize> = [&batch, &left]
        .into_iter()
        .flatten()
        .map(|name| size(&a, &[*name]))
        .chain(right.iter().map(|name| size(&b, &[*name])))
        .collect();
    let a = Named { x: stretched(&a), axes: a.axes };
    let b = Named { x: stretched(&b), axes: b.axes };
    let a = ordered(a, &[&batch[..], &left, &inner].concat()).reshape([b_size, m, k]);
    let b = ordered(b, &[&batch[..], &inner, &right].concat()).reshape([b_size, k, n]);
    let x = product(a, b).reshape(shape);
    Ok(Named { x, axes: [batch, left, right].concat() })
}

fn extent(it: &Named<'_>, name: char) -> usize {
    let axis = it.axes.iter().position(|known| *known == name).expect("a name of the operand");
    it.x.shape()[axis]
}

/// The tensor with its axes in this order.
fn ordered<'g>(it: Named<'g>, names: &[char]) -> Tensor<'g> {
    let place = |name: &char| it.axes.iter().position(|known| known == name);
    it.x.transpose(names.iter().filter_map(place).collect::<Vec<_>>())
}

/// The product of matrices of one type, of integers too.
pub(super) fn product<'g>(a: Tensor<'g>, b: Tensor<'g>) -> Tensor<'g> {
    let dtype = a.dtype();
    let single = a.rank() == 3 && a.dim(0) == 1;
    let (m, n) = (a.dim(-2), b.dim(-1));
    let [a, b] = [a, b].map(|x| if single { x.reshape([x.dim(-2), x.dim(-1)]) } else { x });
    // Reals of 53 bits hold the sums of products of integers.
    let y = match dtype.is_float() {
        true => a.matmul(b),
        false => a.cast(DType::F64).matmul(b.cast(DType::F64)).cast(dtype),
    };
    if single { expand(y.reshape([m, n]), 0) } else { y }
}
