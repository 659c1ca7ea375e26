//! Runs a graph by its ops' reference definitions, in `f64`: the oracle for everything faster.

use crate::{Array, Graph, Op, Result, Role, ensure};

/// What a graph computes.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    /// The graph's results, in their order.
    pub outputs: Vec<Array>,
    /// The new values of the weights that the graph updates, in the order of its updates.
    pub updates: Vec<Array>,
}

/// Runs `graph`; `leaves` are the values of its inputs and weights, in the order of definition.
///
/// # Errors
///
/// If there are more or fewer leaves than the graph has, or one has another shape.
pub fn interpret(graph: &Graph, leaves: &[Array]) -> Result<Results> {
    let values = values(graph, leaves)?;
    let pick = |value: &crate::Value| values[value.index()].clone();
    Ok(Results {
        outputs: graph.outputs().iter().map(pick).collect(),
        updates: graph.updates().iter().map(|(_, new)| pick(new)).collect(),
    })
}

/// The value of every node, in order.
pub fn values(graph: &Graph, leaves: &[Array]) -> Result<Vec<Array>> {
    let count = graph.leaves(Role::Input).count() + graph.leaves(Role::Weight).count();
    let name = &graph.name;
    ensure!(leaves.len() == count, "`{name}` has {count} leaves, got {} values", leaves.len());
    let mut given = leaves.iter();
    let mut values: Vec<Array> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        let args: Vec<&Array> = node.args.iter().map(|arg| &values[arg.index()]).collect();
        let array = match (&node.op, given.as_slice().first()) {
            (Op::Leaf(leaf), Some(array)) => {
                let (shape, ty) = (&array.shape, &node.ty);
                ensure!(*shape == ty.shape, "`{}` is {ty}, got shape {shape:?}", leaf.name);
                given.next();
                array.clone()
            }
            (op, _) => op.rule().reference(&args, &node.ty),
        };
        values.push(array);
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Trace, Type};

    /// `y = x · k`, with `k` becoming `k + 1`.
    fn graph() -> Graph {
        let trace = Trace::new("step");
        let k = trace.weight("k", Type::f32([2]));
        let x = trace.input("x", Type::f32([2]));
        let y = (x * k).value();
        trace.update(k, k + 1.0);
        trace.finish(&[y]).unwrap()
    }

    #[test]
    fn takes_leaves_in_the_order_of_definition() {
        let [k, x] = [[2.0, 3.0], [10.0, 100.0]].map(|data| Array::new([2], data.to_vec()));
        let results = interpret(&graph(), &[k, x]).unwrap();
        assert_eq!(results.outputs, [Array::new([2], vec![20.0, 300.0])]);
        assert_eq!(results.updates, [Array::new([2], vec![3.0, 4.0])]);
    }

    #[test]
    fn refuses_leaves_that_do_not_fit() {
        let leaf = |shape: &[usize]| Array::from_fn(shape, |_| 1.0);
        let message = |leaves: &[Array]| interpret(&graph(), leaves).unwrap_err().message;
        assert_eq!(message(&[leaf(&[2])]), "`step` has 2 leaves, got 1 values");
        assert_eq!(message(&[leaf(&[2]), leaf(&[3])]), "`x` is f32[2], got shape [3]");
    }
}
