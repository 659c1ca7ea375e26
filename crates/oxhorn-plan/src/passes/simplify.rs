//! Dead nodes, common subexpressions, constants and algebra, in one walk.
//!
//! Every node that a result needs is emitted anew. Before it is, the rules below look for something
//! simpler that means the same; after, equal nodes are found by hashing and emitted once. Rules
//! change no result but by the sign of a zero.

use std::collections::HashMap;

use oxhorn_ir::{
    Binary, Broadcast, DType, Fill, Graph, Op, Reduce, Reduction, Reshape, Result, Transpose, Type,
    Unary, Value, prune,
};

/// The same results from fewer and simpler nodes; see the module.
///
/// All inputs stay, used or not, since callers give them; weights stay if used or updated.
pub fn simplify(graph: &Graph) -> Result<Graph> {
    let graph = prune(graph);
    let mut simplifier = Simplifier { graph: Graph::new(&graph.name), known: HashMap::new() };
    let mut new: Vec<Value> = vec![];
    for node in graph.nodes() {
        let args = node.args.iter().map(|arg| new[arg.index()]).collect();
        new.push(simplifier.emit(node.op.clone(), args)?);
    }
    graph.outputs().iter().for_each(|output| simplifier.graph.output(new[output.index()]));
    for (weight, value) in graph.updates() {
        simplifier.graph.update(new[weight.index()], new[value.index()])?;
    }
    // Rules leave behind what they replaced.
    Ok(prune(&simplifier.graph))
}

fn is_run(axes: &[usize]) -> bool {
    axes.windows(2).all(|pair| pair[0] + 1 == pair[1])
}

struct Simplifier {
    graph: Graph,
    known: HashMap<(Op, Vec<Value>), Value>,
}

impl Simplifier {
    fn emit(&mut self, op: Op, args: Vec<Value>) -> Result<Value> {
        if let Some(simpler) = self.simpler(&op, &args)? {
            return Ok(simpler);
        }
        let key = (op, args);
        if let Some(&value) = self.known.get(&key) {
            return Ok(value);
        }
        let value = self.graph.push(key.0.clone(), &key.1)?;
        self.known.insert(key, value);
        Ok(value)
    }

    /// A value that already is what `op(args)` would be, or a simpler node for it.
    fn simpler(&mut self, op: &Op, args: &[Value]) -> Result<Option<Value>> {
        if matches!(op, Op::Leaf(_) | Op::Fill(_) | Op::Iota(_)) {
            return Ok(None);
        }
        let types: Vec<&Type> = args.iter().map(|&arg| &self.graph[arg].ty).collect();
        let ty = op.rule().infer(&types)?;
        if let Some(value) = self.folded(op, args, &ty) {
            return self.emit(Fill::new(value, ty).into(), vec![]).map(Some);
        }
        let same = match op {
            Op::Binary(op) => self.neutral(*op, args),
            Op::Unary(Unary::Neg) => self.inside(args[0], &Op::Unary(Unary::Neg)),
            Op::Unary(Unary::Not) => self.inside(args[0], &Op::Unary(Unary::Not)),
            Op::Select(_) => match self.constant(args[0]) {
                Some(mask) => Some(if mask != 0.0 { args[1] } else { args[2] }),
                None => (args[1] == args[2]).then_some(args[1]),
            },
            Op::Cast(_) | Op::Reshape(_) | Op::Broadcast(_) | Op::Slice(_)
                if self.graph[args[0]].ty == ty =>
            {
                Some(args[0])
            }
            Op::Transpose(it) if it.order.is_sorted() => Some(args[0]),
            Op::Reduce(it) if it.axes.is_empty() => Some(args[0]),
            _ => None,
        };
        match same {
            Some(value) => Ok(Some(value)),
            None => self.reshaped(op, args, &ty),
        }
    }

    /// Rules about the shape of things.
    fn reshaped(&mut self, op: &Op, args: &[Value], ty: &Type) -> Result<Option<Value>> {
        let Some(&x) = args.first() else { return Ok(None) };
        let inner = self.graph[x].clone();
        let reshape = || Op::from(Reshape { shape: ty.shape.clone() });
        let simpler = match (op, &inner.op) {
            // A reduction over extents of 1, a stretch by factors of 1, an exchange of axes of
            // extent 1: no element moves.
            (Op::Reduce(_) | Op::Broadcast(_), _)
                if inner.ty.len() == ty.len() && !ty.is_empty() =>
            {
                Some((reshape(), x))
            }
            // Steps reduce neighbouring axes; others go one run at a time, the last run first.
            (Op::Reduce(it), _) if !is_run(&it.axes) => {
                let start = it.axes.windows(2).rposition(|pair| pair[0] + 1 != pair[1]);
                let (first, last) = it.axes.split_at(start.map_or(0, |start| start + 1));
                let inner = Reduce { reduction: it.reduction, axes: last.to_vec() };
                let x = self.emit(inner.into(), vec![x])?;
                Some((Reduce { reduction: it.reduction, axes: first.to_vec() }.into(), x))
            }
            (Op::Reshape(_), Op::Reshape(_)) => Some((reshape(), inner.args[0])),
            (Op::Broadcast(_), Op::Broadcast(_)) => {
                Some((Broadcast { shape: ty.shape.clone() }.into(), inner.args[0]))
            }
            (Op::Transpose(outer), Op::Transpose(it)) => {
                let order = outer.order.iter().map(|&axis| it.order[axis]).collect();
                Some((Transpose { order }.into(), inner.args[0]))
            }
            _ => None,
        };
        match simpler {
            Some((op, x)) => self.emit(op, vec![x]).map(Some),
            None => match self.unscaled(op, args)? {
                Some(value) => Ok(Some(value)),
                None => self.before_broadcast(op, args, ty),
            },
        }
    }

    /// `i · 2⁻ⁿ < b` is `i < b · 2ⁿ`, exactly, if `i` was an integer: so a random number that is
    /// only compared is never scaled, and its one bound is.
    fn unscaled(&mut self, op: &Op, args: &[Value]) -> Result<Option<Value>> {
        let (Op::Compare(_), Op::Binary(Binary::Mul)) = (op, &self.graph[args[0]].op) else {
            return Ok(None);
        };
        let (i, scale) = (self.graph[args[0]].args[0], self.graph[args[0]].args[1]);
        let is_power = |scale: f64| (scale.log2().fract() == 0.0) && (1e-20..1.0).contains(&scale);
        let Some(scale) = self.constant(scale).filter(|&scale| is_power(scale)) else {
            return Ok(None);
        };
        let Op::Cast(_) = self.graph[i].op else { return Ok(None) };
        let was_integer = self.graph[self.graph[i].args[0]].ty.dtype.is_int();
        let bound = self.graph[args[1]].clone();
        let same_for_all = matches!(bound.op, Op::Fill(_))
            || matches!(bound.op, Op::Broadcast(_)) && self.graph[bound.args[0]].ty.len() == 1;
        if !was_integer || !same_for_all {
            return Ok(None);
        }
        let factor = self.emit(Fill::new(scale.recip(), bound.ty).into(), vec![])?;
        let bound = self.emit(Binary::Mul.into(), vec![args[1], factor])?;
        self.emit(op.clone(), vec![i, bound]).map(Some)
    }

    /// What is done alike to every copy is better done once: `f(broadcast x) = broadcast(f x)`.
    fn before_broadcast(&mut self, op: &Op, args: &[Value], ty: &Type) -> Result<Option<Value>> {
        let elementwise = matches!(
            op,
            Op::Unary(_) | Op::Binary(_) | Op::Compare(_) | Op::Select(_) | Op::Cast(_)
        );
        let sources: Vec<&oxhorn_ir::Node> = args.iter().map(|&arg| &self.graph[arg]).collect();
        let stretched = sources.iter().find(|node| matches!(node.op, Op::Broadcast(_)));
        let Some(small) = stretched.map(|node| self.graph[node.args[0]].ty.shape.clone()) else {
            return Ok(None);
        };
        let alike = |node: &&oxhorn_ir::Node| match &node.op {
            Op::Broadcast(_) => self.graph[node.args[0]].ty.shape == small,
            op => matches!(op, Op::Fill(_)),
        };
        if !elementwise || !sources.iter().all(alike) {
            return Ok(None);
        }
        let mut inner = vec![];
        for &arg in args {
            let node = self.graph[arg].clone();
            inner.push(match &node.op {
                Op::Fill(it) => {
                    let ty = Type::new(node.ty.dtype, small.clone());
                    self.emit(Fill::new(it.value(), ty).into(), vec![])?
                }
                _ => node.args[0],
            });
        }
        let once = self.emit(op.clone(), inner)?;
        self.emit(Broadcast { shape: ty.shape.clone() }.into(), vec![once]).map(Some)
    }

    /// The number that every element of `op(args)` is, if all arguments are such.
    fn folded(&self, op: &Op, args: &[Value], ty: &Type) -> Option<f64> {
        let x: Option<Vec<f64>> = args.iter().map(|&arg| self.constant(arg)).collect();
        let x = x.filter(|x| !x.is_empty())?;
        let dtype = self.graph[args[0]].ty.dtype;
        let value = match op {
            Op::Unary(op) => op.apply(x[0], dtype),
            Op::Binary(op) => op.apply(x[0], x[1], dtype),
            Op::Compare(op) => op.holds(x[0], x[1]) as u8 as f64,
            Op::Cast(_) | Op::Reshape(_) | Op::Broadcast(_) => x[0],
            Op::Transpose(_) | Op::Slice(_) => x[0],
            Op::Reduce(Reduce { reduction: Reduction::Sum, .. }) if !ty.is_empty() => {
                x[0] * (self.graph[args[0]].ty.len() / ty.len()) as f64
            }
            _ => return None,
        };
        Some(match ty.dtype {
            DType::F32 => f64::from(value as f32),
            dtype => dtype.wrap(value),
        })
    }

    /// The argument that a binary op with a neutral element leaves as it is.
    fn neutral(&self, op: Binary, args: &[Value]) -> Option<Value> {
        let (a, b) = (args[0], args[1]);
        match (op, self.constant(a), self.constant(b)) {
            (Binary::Add | Binary::Sub, _, Some(0.0)) => Some(a),
            (Binary::Mul | Binary::Div | Binary::Pow, _, Some(1.0)) => Some(a),
            (Binary::Add, Some(0.0), _) | (Binary::Mul, Some(1.0), _) => Some(b),
            _ => None,
        }
    }

    /// `x` of `value = op(x)`.
    fn inside(&self, value: Value, op: &Op) -> Option<Value> {
        let node = &self.graph[value];
        (node.op == *op).then(|| node.args[0])
    }

    fn constant(&self, value: Value) -> Option<f64> {
        match &self.graph[value].op {
            Op::Fill(fill) => Some(fill.value()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oxhorn_ir::{Tensor, Trace};

    /// The ops left of `formula` on two inputs of type `f32[2, 3]`, inputs aside.
    fn left<F>(formula: F) -> Vec<String>
    where
        F: for<'g> Fn(Tensor<'g>, Tensor<'g>) -> Tensor<'g>,
    {
        let trace = Trace::new("test");
        let x = trace.input("x", Type::f32([2, 3]));
        let y = formula(x, trace.input("y", Type::f32([2, 3]))).value();
        let graph = simplify(&trace.finish(&[y]).unwrap()).unwrap();
        let ops = graph.nodes().iter().map(|node| node.op.to_string());
        ops.filter(|op| !op.starts_with("input")).collect()
    }

    #[test]
    fn drops_what_no_result_needs() {
        assert_eq!(
            left(|x, y| {
                let _ = x.exp();
                y.tanh()
            }),
            ["tanh"]
        );
    }

    #[test]
    fn computes_equal_things_once() {
        assert_eq!(left(|x, y| (x * y).exp() + (x * y).exp()), ["mul", "exp", "add"]);
    }

    #[test]
    fn knows_neutral_elements() {
        assert_eq!(left(|x, _| (x * 1.0 + 0.0) / 1.0 - 0.0), [""; 0]);
        assert_eq!(left(|x, _| -(-x)), [""; 0]);
    }

    #[test]
    fn computes_with_constants_while_planning() {
        assert_eq!(left(|x, _| x * (x.fill(2.0) * 3.0)), ["fill value=6.0", "mul"]);
    }

    #[test]
    fn moves_functions_before_stretches() {
        let ops = left(|x, _| x.sum(0).broadcast([2, 3]).exp());
        assert_eq!(ops, ["sum axes=[0]", "exp", "broadcast"]);
    }

    #[test]
    fn compares_random_numbers_unscaled() {
        let ops = left(|x, _| {
            let key = x.trace().input("key", Type::new(oxhorn_ir::DType::U32, [2]));
            key.random_uniform([2, 3]).less(0.25).select(x, 0.0)
        });
        assert!(!ops.iter().any(|op| op == "mul"), "{ops:?}");
        assert!(ops.contains(&format!("fill value={:?}", 0.25 * 8388608.0)), "{ops:?}");
    }

    #[test]
    fn undoes_what_is_done_twice() {
        assert_eq!(left(|x, _| x.t().t()), [""; 0]);
        assert_eq!(left(|x, _| x.reshape([6]).reshape([3, 2])), ["reshape"]);
    }
}
