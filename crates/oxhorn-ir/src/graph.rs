//! The graph: typed, single-assignment and printable.
//!
//! A [`Graph`] is a list of [`Node`]s. Each applies one [`Op`] to values defined above it and
//! defines exactly one new [`Value`], so definition order *is* a topological order: passes are
//! loops, and nothing is ever sorted.
//!
//! ```text
//! graph dense {
//!     %0 = input "x"                 : f32[2, 3]
//!     %1 = weight "dense/kernel"     : f32[3, 4]
//!     %2 = matmul %0 %1              : f32[2, 4]
//!     return %2
//! }
//! ```
//!
//! Invariants, upheld by [`Graph::push`], the only way to add a node:
//!
//! - every argument is defined above its use;
//! - every node has the type its op infers from its arguments;
//! - every extent is a number: a `None` of Keras is bound before tracing begins;
//! - nothing is implicit: no broadcasting, no casting, no aliasing.

use std::{fmt, ops::Index};

use crate::{Leaf, Op, Result, Role, Type, ensure};

/// The name of one value, printed `%7`: an index into its graph's nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(pub(crate) u32);

/// One equation: `%2 = matmul %0 %1 : f32[2, 4]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// What is done.
    pub op: Op,
    /// To which values.
    pub args: Vec<Value>,
    /// The type of the result.
    pub ty: Type,
}

/// A computation: nodes in the order they are computed, results, and new values of weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// What the graph computes, for the reader.
    pub name: String,
    nodes: Vec<Node>,
    outputs: Vec<Value>,
    updates: Vec<(Value, Value)>,
}

impl Graph {
    /// A graph without nodes.
    pub fn new(name: impl Into<String>) -> Graph {
        Graph { name: name.into(), ..Graph::default() }
    }

    /// Appends `op(args)`, or says why it does not type.
    pub fn push(&mut self, op: Op, args: &[Value]) -> Result<Value> {
        let rule = op.rule();
        let (name, arity) = (rule.name(), rule.arity());
        if let Some(arity) = arity {
            ensure!(args.len() == arity, "`{name}` takes {arity} arguments, got {}", args.len());
        }
        for &arg in args {
            ensure!(arg.index() < self.nodes.len(), "`{name}` uses {arg} before its definition");
        }
        let types: Vec<&Type> = args.iter().map(|&arg| &self[arg].ty).collect();
        let ty = rule.infer(&types)?;
        // Extents of 0 do not count, so that no product of some of the extents can overflow either.
        let counted = |&extent: &usize| extent > 0;
        let whole = ty.reshaped(ty.shape.iter().copied().filter(counted).collect::<Vec<_>>());
        ensure!(whole.bytes() <= isize::MAX as usize, "no memory can hold {ty}");
        self.nodes.push(Node { op, args: args.to_vec(), ty });
        Ok(Value(self.nodes.len() as u32 - 1))
    }

    /// Makes `value` a result of the graph.
    pub fn output(&mut self, value: Value) {
        self.outputs.push(value);
    }

    /// States that `weight` takes the value `new` when the graph has run.
    pub fn update(&mut self, weight: Value, new: Value) -> Result<()> {
        for value in [weight, new] {
            ensure!(value.index() < self.nodes.len(), "{value} is not a value of the graph");
        }
        let is_weight = matches!(&self[weight].op, Op::Leaf(Leaf { role: Role::Weight, .. }));
        ensure!(is_weight, "only weights can be updated, but {weight} is `{}`", self[weight].op);
        let (old, ty) = (&self[weight].ty, &self[new].ty);
        ensure!(old == ty, "`{}` is {old} and cannot become {ty}", self[weight].op);
        let once = self.updates.iter().all(|(updated, _)| *updated != weight);
        ensure!(once, "`{}` is updated twice", self[weight].op);
        self.updates.push((weight, new));
        Ok(())
    }

    /// The nodes to be broken by tests of those who check them.
    #[cfg(test)]
    pub(crate) fn nodes_mut(&mut self) -> &mut Vec<Node> {
        &mut self.nodes
    }

    /// All values, in the order they are computed.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = Value> + ExactSizeIterator + use<> {
        (0..self.nodes.len() as u32).map(Value)
    }

    /// All nodes, in the order they are computed.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The results.
    pub fn outputs(&self) -> &[Value] {
        &self.outputs
    }

    /// Weights with the values they take when the graph has run.
    pub fn updates(&self) -> &[(Value, Value)] {
        &self.updates
    }

    /// The leaves of one role, in the order of their definition.
    pub fn leaves(&self, role: Role) -> impl Iterator<Item = (Value, &Leaf)> {
        self.values().filter_map(move |value| match &self[value].op {
            Op::Leaf(leaf) if leaf.role == role => Some((value, leaf)),
            _ => None,
        })
    }
}

impl Index<Value> for Graph {
    type Output = Node;

    fn index(&self, value: Value) -> &Node {
        &self.nodes[value.index()]
    }
}

impl Value {
    /// The position of the value's node in its graph.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fill, MatMul, Unary};

    fn message<T: fmt::Debug>(result: Result<T>) -> String {
        result.unwrap_err().message
    }

    #[test]
    fn refuses_nodes_that_do_not_type() {
        let mut graph = Graph::new("test");
        let x = graph.push(Leaf::input("x", Type::f32([2])).into(), &[]).unwrap();
        let arity = "`matmul` takes 2 arguments, got 1";
        assert_eq!(message(graph.push(MatMul.into(), &[x])), arity);
        let order = "`exp` uses %1 before its definition";
        assert_eq!(message(graph.push(Unary::Exp.into(), &[Value(1)])), order);
        assert_eq!(graph.nodes().len(), 1);
    }

    #[test]
    fn refuses_what_no_memory_can_hold() {
        for shape in [vec![usize::MAX], vec![1 << 40, 1 << 40], vec![usize::MAX, 2, 0]] {
            let ty = Type::f32(shape);
            let pushed = Graph::new("test").push(Fill::new(0.0, ty.clone()).into(), &[]);
            assert_eq!(message(pushed), format!("no memory can hold {ty}"));
        }
    }

    #[test]
    fn only_weights_are_updated_and_only_once() {
        let mut graph = Graph::new("test");
        let x = graph.push(Leaf::input("x", Type::f32([2])).into(), &[]).unwrap();
        let k = graph.push(Leaf::weight("k", Type::f32([2])).into(), &[]).unwrap();
        let n = graph.push(Leaf::weight("n", Type::f32([])).into(), &[]).unwrap();
        let updates = [
            (x, k, "only weights can be updated, but %0 is `input \"x\"`"),
            (k, n, "`weight \"k\"` is f32[2] and cannot become f32[]"),
            (k, Value(3), "%3 is not a value of the graph"),
        ];
        for (weight, new, expected) in updates {
            assert_eq!(message(graph.update(weight, new)), expected);
        }
        graph.update(k, x).unwrap();
        assert_eq!(message(graph.update(k, x)), "`weight \"k\"` is updated twice");
    }

    #[test]
    fn lists_leaves_by_role_in_the_order_of_definition() {
        let mut graph = Graph::new("test");
        for leaf in [Leaf::weight("a", Type::f32([])), Leaf::input("x", Type::f32([]))] {
            graph.push(leaf.into(), &[]).unwrap();
        }
        graph.push(Leaf::weight("b", Type::f32([])).into(), &[]).unwrap();
        let weights: Vec<&str> = graph.leaves(Role::Weight).map(|(_, leaf)| &*leaf.name).collect();
        assert_eq!(weights, ["a", "b"]);
        assert_eq!(graph.leaves(Role::Input).next().unwrap().0, Value(1));
    }
}
