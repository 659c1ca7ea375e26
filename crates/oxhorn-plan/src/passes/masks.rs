//! Masks that need not be remembered, because the result says what they said.
//!
//! Where a ReLU let nothing through, or the dropout behind it dropped, the result is zero, and
//! nowhere else: `s > 0` stays so when it is divided by a probability of keeping, and what is not a
//! number stays none. So the gradient asks the result, which the next layer keeps anyhow, in place
//! of masks that would have to be kept for that alone. No result changes.

use oxhorn_ir::{Binary, Compare, Graph, Op, Result, Rewriter, Select, Value, prune};

/// The same graph, with gradients of ReLU, and of dropout behind it, that ask the result.
pub fn forget_masks(graph: &Graph) -> Result<Graph> {
    let results = Results::of(graph);
    let mut new = Rewriter::new(graph);
    for value in graph.values() {
        let Some(Gradient { y, dy, scale, zero }) = results.gradient(value) else {
            new.copy(value)?;
            continue;
        };
        let (dy, zero) = (new.map(dy), new.map(zero));
        let passed = new.emit(Compare::NotEqual, &[new.map(y), zero])?;
        let dx = match scale {
            Some(scale) => new.emit(Binary::Div, &[dy, new.map(scale)])?,
            None => dy,
        };
        let dx = new.emit(Select, &[passed, dx, zero])?;
        new.set(value, dx);
    }
    Ok(prune(&new.finish()?))
}

/// A gradient that can be had from the result: `y ≠ 0 ? dy / scale : 0`.
struct Gradient {
    y: Value,
    dy: Value,
    scale: Option<Value>,
    zero: Value,
}

/// The results of ReLU, alone and with a dropout behind it, that are needed again later.
struct Results<'a> {
    graph: &'a Graph,
    known: Vec<Known>,
}

/// The argument of a ReLU, the mask and the scale of the dropout behind it, and the result.
type Known = (Value, Option<(Value, Value)>, Value);

impl<'a> Results<'a> {
    fn of(graph: &'a Graph) -> Results<'a> {
        let mut uses = vec![0; graph.nodes().len()];
        graph.nodes().iter().flat_map(|node| &node.args).for_each(|arg| uses[arg.index()] += 1);
        let mut results = Results { graph, known: vec![] };
        for y in graph.values().filter(|y| uses[y.index()] > 1) {
            if let Some(s) = results.relu(y) {
                results.known.push((s, None, y));
            } else if let Some((kept, scaled)) = results.kept(y)
                && let Some((x, scale)) = results.quotient(scaled)
                && let Some(s) = results.relu(x)
            {
                results.known.push((s, Some((kept, scale)), y));
            }
        }
        results
    }

    /// The gradient that `value` is, if it is one of a result that was known before.
    fn gradient(&self, value: Value) -> Option<Gradient> {
        let [off, zero, dx] = self.select(value)?;
        let s = self.positive(off)?;
        if !self.is_zero(zero) || dx == s {
            return None;
        }
        let dropout = self.quotient(dx).and_then(|(through, scale)| {
            let (kept, dy) = self.kept(through)?;
            Some((kept, scale, dy))
        });
        let find = |dropout: Option<(Value, Value)>| {
            let mut known = self.known.iter();
            let known = known.find(|(of, behind, y)| *of == s && *behind == dropout && *y < value);
            known.map(|(.., y)| *y)
        };
        let behind = dropout.and_then(|(kept, scale, dy)| {
            let y = find(Some((kept, scale)))?;
            Some(Gradient { y, dy, scale: Some(scale), zero })
        });
        behind.or_else(|| Some(Gradient { y: find(None)?, dy: dx, scale: None, zero }))
    }

    /// `s`, if `value` is `s ≤ 0 ? 0 : s`.
    fn relu(&self, value: Value) -> Option<Value> {
        let [off, zero, s] = self.select(value)?;
        (self.is_zero(zero) && self.positive(off) == Some(s)).then_some(s)
    }

    /// `s`, if `off` is `s ≤ 0`.
    fn positive(&self, off: Value) -> Option<Value> {
        let node = &self.graph[off];
        let asks = node.op == Op::Compare(Compare::LessEqual) && self.is_zero(node.args[1]);
        asks.then(|| node.args[0])
    }

    /// Mask and `x`, if `value` is `mask ? x : 0`.
    fn kept(&self, value: Value) -> Option<(Value, Value)> {
        let [mask, x, zero] = self.select(value)?;
        self.is_zero(zero).then_some((mask, x))
    }

    /// `x` and `k`, if `value` is `x / k`, where `k` is a probability of keeping, one minus a rate,
    /// or 1 if that is zero: so it is above zero, and nothing vanishes when divided by it.
    fn quotient(&self, value: Value) -> Option<(Value, Value)> {
        let [x, k] = *self.args(value, &Op::Binary(Binary::Div))? else { return None };
        let Op::Broadcast(_) = self.graph[k].op else { return None };
        let [asked, keep, one] = self.select(self.graph[k].args[0])?;
        let [number, zero] = *self.args(asked, &Op::Compare(Compare::Greater))? else {
            return None;
        };
        let Op::Cast(_) = self.graph[keep].op else { return None };
        let [whole, _] = *self.args(self.graph[keep].args[0], &Op::Binary(Binary::Sub))? else {
            return None;
        };
        let is_keep = number == keep && self.is_zero(zero);
        (is_keep && self.is(one, 1.0) && self.is(whole, 1.0)).then_some((x, k))
    }

    fn select(&self, value: Value) -> Option<[Value; 3]> {
        self.args(value, &Op::Select(Select))?.try_into().ok()
    }

    fn args(&self, value: Value, op: &Op) -> Option<&[Value]> {
        let node = &self.graph[value];
        (node.op == *op).then_some(&node.args)
    }

    fn is_zero(&self, value: Value) -> bool {
        self.is(value, 0.0)
    }

    fn is(&self, value: Value, number: f64) -> bool {
        matches!(&self.graph[value].op, Op::Fill(fill) if fill.value() == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::simplify;
    use oxhorn_ir::{Array, DType, Tensor, Trace, Type, grad, interpret::interpret};

    /// Numbers of both signs, zeros, and some that are none.
    fn numbers(shape: &[usize]) -> Array {
        let special = [0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e-45];
        let mut i = 0;
        Array::from_fn(shape, |_| {
            i += 1;
            *special.get(i % 11).unwrap_or(&((i as f64 * 0.7).sin() * 2.0))
        })
    }

    /// What `network` gives and its gradient, which also reads the result once more, with masks
    /// and without; and the graph without.
    fn both(
        network: impl for<'g> Fn(Tensor<'g>, Tensor<'g>, Tensor<'g>) -> Tensor<'g>,
    ) -> ([Vec<Array>; 2], Graph) {
        let trace = Trace::new("test");
        let shape = [5, 7];
        let x = trace.input("x", Type::f32(shape));
        let rate = trace.input("rate", Type::new(DType::F64, []));
        let drawn = trace.input("drawn", Type::f32(shape));
        let y = network(x, rate, drawn);
        let dx = grad((y * y).sum(..), &[x])[0];
        let wanted = [y.value(), dx.value()];
        let graph = simplify(&trace.finish(&wanted).unwrap()).unwrap();
        let without = forget_masks(&graph).unwrap();
        let mut i = 0;
        let drawn = Array::from_fn(&shape, |_| {
            i += 1;
            (i as f64 * 0.37).fract()
        });
        let leaves = [numbers(&shape), Array::new([], vec![0.4]), drawn];
        let run = |graph: &Graph| interpret(graph, &leaves).unwrap().outputs;
        ([run(&graph), run(&without)], without)
    }

    fn relu(x: Tensor<'_>) -> Tensor<'_> {
        x.less_equal(0.0).select(x.fill(0.0), x)
    }

    /// As `Dropout` writes it.
    fn dropped<'g>(x: Tensor<'g>, rate: Tensor<'g>, drawn: Tensor<'g>) -> Tensor<'g> {
        let keep = (1.0 - rate).cast(DType::F32);
        let scale = keep.greater(0.0).select(keep, 1.0);
        drawn.less(keep).select(x / scale, 0.0)
    }

    fn masks(graph: &Graph) -> usize {
        let kinds = [Compare::LessEqual, Compare::Less].map(Op::Compare);
        let uses =
            |value: Value| graph.nodes().iter().filter(|node| node.args.contains(&value)).count();
        graph.values().filter(|it| kinds.contains(&graph[*it].op) && uses(*it) > 1).count()
    }

    fn assert_equal([a, b]: [Vec<Array>; 2]) {
        for (a, b) in a.iter().zip(&b) {
            let equal = |(a, b): (&f64, &f64)| a == b || a.is_nan() && b.is_nan();
            assert!(a.data.iter().zip(&b.data).all(equal), "{a:?} is not {b:?}");
        }
    }

    #[test]
    fn a_relu_is_asked_for_its_result() {
        let (results, graph) = both(|x, _, _| relu(x));
        assert_equal(results);
        assert_eq!(masks(&graph), 0, "{graph}");
    }

    #[test]
    fn a_dropout_behind_a_relu_is_asked_for_its_result() {
        let (results, graph) = both(|x, rate, drawn| dropped(relu(x), rate, drawn));
        assert_equal(results);
        assert_eq!(masks(&graph), 0, "{graph}");
    }

    #[test]
    fn a_dropout_behind_something_else_keeps_its_mask() {
        let (results, graph) = both(|x, rate, drawn| dropped(x.tanh(), rate, drawn));
        assert_equal(results);
        assert_eq!(masks(&graph), 1, "{graph}");
    }

    #[test]
    fn a_scale_that_is_no_probability_of_keeping_is_left_alone() {
        let (results, graph) = both(|x, rate, drawn| {
            let scale = rate.cast(DType::F32);
            drawn.less(scale).select(relu(x) / scale, 0.0)
        });
        assert_equal(results);
        assert_eq!(masks(&graph), 2, "{graph}");
    }
}
