//! Copying a graph, or part of it, with changes: what passes are written with.
//!
//! A pass is one loop over the old graph's values, which copies most of them and replaces some:
//!
//! ```
//! # use oxhorn_ir::{Binary, Op, Result, Rewriter, Graph, prune};
//! /// Rewrites `x + x` as `x · 2`.
//! fn double(graph: &Graph) -> Result<Graph> {
//!     let mut new = Rewriter::new(graph);
//!     for value in graph.values() {
//!         let node = &graph[value];
//!         if node.op == Op::Binary(Binary::Add) && node.args[0] == node.args[1] {
//!             let two = new.emit(oxhorn_ir::Fill::new(2.0, node.ty.clone()), &[])?;
//!             let product = new.emit(Binary::Mul, &[new.map(node.args[0]), two])?;
//!             new.set(value, product);
//!         } else {
//!             new.copy(value)?;
//!         }
//!     }
//!     new.finish()
//! }
//! # let trace = oxhorn_ir::Trace::new("double");
//! # let x = trace.input("x", oxhorn_ir::Type::f32([3]));
//! # let y = (x + x).value();
//! # let graph = double(&trace.finish(&[y]).unwrap()).unwrap();
//! # assert_eq!(graph[graph.outputs()[0]].op, Op::Binary(Binary::Mul));
//! ```

use crate::{Graph, Leaf, Op, Result, Role, Value};

/// A graph in the making, and which of its values stands for which of an older graph's.
pub struct Rewriter<'a> {
    old: &'a Graph,
    new: Graph,
    map: Vec<Option<Value>>,
}

impl<'a> Rewriter<'a> {
    /// An empty graph of the same name, in which nothing stands for anything yet.
    pub fn new(old: &'a Graph) -> Rewriter<'a> {
        Rewriter { old, new: Graph::new(&old.name), map: vec![None; old.nodes().len()] }
    }

    /// Appends a node to the new graph; `args` are values of the new graph.
    pub fn emit(&mut self, op: impl Into<Op>, args: &[Value]) -> Result<Value> {
        self.new.push(op.into(), args)
    }

    /// Appends the node of `old` to the new graph, with what now stands for its arguments.
    ///
    /// # Panics
    ///
    /// If nothing stands for one of its arguments; see [`Rewriter::map`].
    pub fn copy(&mut self, old: Value) -> Result<Value> {
        let node = &self.old[old];
        let args: Vec<Value> = node.args.iter().map(|&arg| self.map(arg)).collect();
        let new = self.emit(node.op.clone(), &args)?;
        self.set(old, new);
        Ok(new)
    }

    /// The value of the new graph that stands for `old`.
    ///
    /// # Panics
    ///
    /// If none does: a pass must copy or set whatever its results are made of.
    pub fn map(&self, old: Value) -> Value {
        self.map[old.index()].unwrap_or_else(|| panic!("{old} was neither copied nor replaced"))
    }

    /// Makes `new` stand for `old` from now on.
    pub fn set(&mut self, old: Value, new: Value) {
        self.map[old.index()] = Some(new);
    }

    /// The graph made so far.
    pub fn graph(&self) -> &Graph {
        &self.new
    }

    /// The new graph, with the old one's results and updates.
    ///
    /// # Errors
    ///
    /// If an updated weight has become something else, or its new value has another type.
    ///
    /// # Panics
    ///
    /// If nothing stands for a result or an update; see [`Rewriter::map`].
    pub fn finish(mut self) -> Result<Graph> {
        for &output in self.old.outputs() {
            self.new.output(self.map(output));
        }
        for &(weight, value) in self.old.updates() {
            self.new.update(self.map(weight), self.map(value))?;
        }
        Ok(self.new)
    }
}

/// The graph without what neither its results nor its updates need.
///
/// Inputs stay, needed or not: they are the signature that callers rely on. A weight stays if it is
/// read or updated.
pub fn prune(graph: &Graph) -> Graph {
    let mut needed = vec![false; graph.nodes().len()];
    let updates = graph.updates().iter().flat_map(|&(weight, new)| [weight, new]);
    graph.outputs().iter().copied().chain(updates).for_each(|value| needed[value.index()] = true);
    for value in graph.values().rev() {
        let node = &graph[value];
        if needed[value.index()] {
            node.args.iter().for_each(|arg| needed[arg.index()] = true);
        }
        needed[value.index()] |= matches!(&node.op, Op::Leaf(Leaf { role: Role::Input, .. }));
    }
    let mut new = Rewriter::new(graph);
    for value in graph.values().filter(|value| needed[value.index()]) {
        new.copy(value).expect("what is copied unchanged types as before");
    }
    new.finish().expect("what is copied unchanged is updated as before")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Trace, Type, text};

    #[test]
    fn pruning_keeps_inputs_and_drops_what_nothing_needs() {
        let graph = "\
graph dense {
    %0 = input \"unused\"            : f32[2]
    %1 = weight \"unread\"           : f32[2]
    %2 = weight \"counter\"          : f32[2]
    %3 = exp %0                    : f32[2]
    %4 = fill value=1.0            : f32[2]
    %5 = add %4 %4                 : f32[2]
    update %2 = %4
    return %5, %5
}
";
        let pruned = "\
graph dense {
    %0 = input \"unused\"            : f32[2]
    %1 = weight \"counter\"          : f32[2]
    %2 = fill value=1.0            : f32[2]
    %3 = add %2 %2                 : f32[2]
    update %1 = %2
    return %3, %3
}
";
        assert_eq!(prune(&text::parse(graph).unwrap()[0]).to_string(), pruned);
    }

    #[test]
    fn replacements_reach_nodes_results_and_updates() {
        let trace = Trace::new("steps");
        let (x, k) = (trace.input("x", Type::f32([])), trace.weight("k", Type::f32([])));
        let y = x.exp();
        trace.update(k, y);
        let outputs = [y.value(), (y * k).value()];
        let graph = trace.finish(&outputs).unwrap();

        let mut new = Rewriter::new(&graph);
        for value in graph.values() {
            let copy = new.copy(value).unwrap();
            if value == outputs[0] {
                let replacement = new.emit(crate::Unary::Neg, &[copy]).unwrap();
                new.set(value, replacement);
            }
        }
        let expected = "\
graph steps {
    %0 = input \"x\"                 : f32[]
    %1 = weight \"k\"                : f32[]
    %2 = exp %0                    : f32[]
    %3 = neg %2                    : f32[]
    %4 = mul %3 %1                 : f32[]
    update %1 = %3
    return %3, %4
}
";
        assert_eq!(new.finish().unwrap().to_string(), expected);
    }

    #[test]
    #[should_panic(expected = "%0 was neither copied nor replaced")]
    fn results_made_of_nothing_are_a_mistake_of_the_pass() {
        let trace = Trace::new("lost");
        let x = trace.input("x", Type::f32([])).value();
        let _ = Rewriter::new(&trace.finish(&[x]).unwrap()).finish();
    }
}
