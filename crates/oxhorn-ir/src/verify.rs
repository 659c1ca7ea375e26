//! What a graph must satisfy, checked anew after passes have rewritten it:
//!
//! - every argument is defined above its use;
//! - every op has as many arguments as it takes, of types it takes;
//! - every node has the type that its op infers from them;
//! - no two inputs share a name, and no two weights share a path;
//! - every result is a value of the graph;
//! - only weights are updated, each at most once, and with a value of the weight's own type.

use std::collections::HashSet;

use crate::{Error, Graph, Op, Result, ensure};

/// Checks all of the above.
///
/// # Errors
///
/// The first thing that does not hold, and where.
pub fn verify(graph: &Graph) -> Result<()> {
    let (mut replay, mut names) = (Graph::new(&graph.name), HashSet::new());
    for value in graph.values() {
        let node = &graph[value];
        let located = |error: Error| {
            let message = format!("{value} of graph `{}`: {}", graph.name, error.message);
            Error { message, ..error }
        };
        replay.push(node.op.clone(), &node.args).map_err(located)?;
        let inferred = &replay[value].ty;
        if node.ty != *inferred {
            let message = format!("`{}` gives {inferred}, not {}", node.op, node.ty);
            return Err(located(Error::new(message)));
        }
        if let Op::Leaf(leaf) = &node.op
            && !names.insert((leaf.role, &leaf.name))
        {
            return Err(located(Error::new(format!("`{}` is defined twice", node.op))));
        }
    }
    let (name, len) = (&graph.name, graph.nodes().len());
    for value in graph.outputs() {
        ensure!(value.index() < len, "graph `{name}` returns {value}, but has {len} values");
    }
    for &(weight, new) in graph.updates() {
        let defined = weight.index() < len && new.index() < len;
        ensure!(defined, "graph `{name}` updates {weight} with {new}, but has {len} values");
        replay.update(weight, new)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Trace, Type, Value};

    /// `y = |x · k|`, with `k` becoming `k + k`.
    fn graph() -> Graph {
        let trace = Trace::new("sound");
        let x = trace.input("x", Type::f32([2, 3]));
        let k = trace.weight("k", Type::f32([3, 4]));
        let y = x.matmul(k).abs();
        trace.update(k, k + k);
        let outputs = [y.value()];
        trace.finish(&outputs).unwrap()
    }

    fn message(graph: &Graph) -> String {
        verify(graph).unwrap_err().message
    }

    #[test]
    fn accepts_what_is_traced() {
        assert_eq!(verify(&graph()), Ok(()));
        assert_eq!(verify(&Graph::new("empty")), Ok(()));
    }

    #[test]
    fn finds_uses_before_definitions() {
        let mut graph = graph();
        graph.nodes_mut()[2].args[1] = Value(3);
        let expected = "%2 of graph `sound`: `matmul` uses %3 before its definition";
        assert_eq!(message(&graph), expected);
    }

    #[test]
    fn finds_arguments_that_do_not_fit() {
        let mut graph = graph();
        graph.nodes_mut()[2].args.swap(0, 1);
        let expected = "%2 of graph `sound`: `matmul` contracts 4 with 2 in f32[3, 4] · f32[2, 3]";
        assert_eq!(message(&graph), expected);
        graph.nodes_mut()[2].args.pop();
        let expected = "%2 of graph `sound`: `matmul` takes 2 arguments, got 1";
        assert_eq!(message(&graph), expected);
    }

    #[test]
    fn finds_types_that_are_not_the_inferred_ones() {
        let mut graph = graph();
        graph.nodes_mut()[3].ty = Type::f32([8]);
        assert_eq!(message(&graph), "%3 of graph `sound`: `abs` gives f32[2, 4], not f32[8]");
    }

    #[test]
    fn finds_names_that_are_taken() {
        let trace = Trace::new("twice");
        trace.weight("x", Type::f32([]));
        trace.input("x", Type::f32([]));
        trace.input("x", Type::f32([1]));
        let expected = "%2 of graph `twice`: `input \"x\"` is defined twice";
        assert_eq!(message(&trace.finish(&[]).unwrap()), expected);
    }

    #[test]
    fn finds_results_that_do_not_exist() {
        let mut graph = graph();
        graph.output(Value(9));
        assert_eq!(message(&graph), "graph `sound` returns %9, but has 5 values");
    }

    #[test]
    fn finds_updates_that_no_longer_fit() {
        let mut graph = graph();
        graph.nodes_mut()[1].op = crate::Leaf::input("k", Type::f32([3, 4])).into();
        assert_eq!(message(&graph), "only weights can be updated, but %1 is `input \"k\"`");
    }
}
