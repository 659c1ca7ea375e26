//! What holds of every graph, tried on random ones.

use oxhorn_ir::{
    ArgMax, Array, Binary, Broadcast, Cast, Compare, Concatenate, DType, Fill, Gather, Graph, Iota,
    Leaf, MatMul, Op, Pad, RandomBits, Reduce, Reduction, Reshape, Rewriter, Role, ScatterAdd,
    Select, Slice, Tensor, Transpose, Type, Unary, Value,
    interpret::interpret,
    prune,
    testing::{check_gradient, sample},
    text::parse,
    threefry,
    verify::verify,
};
use proptest::{prelude::*, test_runner::RngSeed};

/// The same cases every time, so that a failure is a failure of the change at hand.
fn cases(cases: u32) -> ProptestConfig {
    let rng_seed = RngSeed::Fixed(1);
    ProptestConfig { cases, rng_seed, failure_persistence: None, ..ProptestConfig::default() }
}

/// Numbers from which one node, or one step of a formula, is chosen.
type Choice = (u32, u32, u32, u32);

fn choices(most: usize) -> impl Strategy<Value = Vec<Choice>> {
    prop::collection::vec(any::<Choice>(), 1..most)
}

/// One of `items`.
fn pick<T: Clone>(items: &[T], number: u32) -> T {
    items[number as usize % items.len()].clone()
}

/// A graph of all kinds of nodes: whichever choices type.
fn random_graph(choices: &[Choice]) -> Graph {
    let mut graph = Graph::new("random");
    let mut pushed = vec![];
    for (index, choice) in choices.iter().enumerate() {
        let candidate = match pushed.as_slice() {
            values if choice.0 % 4 == 0 || values.is_empty() => (leaf(index, choice), vec![]),
            values => node(&graph, values, choice),
        };
        let (op, args) = candidate;
        let types: Vec<&Type> = args.iter().map(|&arg| &graph[arg].ty).collect();
        // Padding and stretching again and again must not fill the memory.
        if op.rule().infer(&types).is_ok_and(|ty| ty.len() < 500) {
            pushed.push(graph.push(op, &args).expect("what was inferred can be pushed"));
        }
    }
    let weights: Vec<Value> = graph.leaves(Role::Weight).map(|(weight, _)| weight).collect();
    for (weight, &(number, ..)) in weights.into_iter().zip(choices) {
        // What has another type is refused, which leaves the weight as it is.
        let _ = graph.update(weight, pick(&pushed, number));
    }
    choices.iter().take(3).for_each(|&(_, number, ..)| graph.output(pick(&pushed, number)));
    graph
}

/// A node without arguments.
fn leaf(index: usize, &(_, kind, dtype, shape): &Choice) -> Op {
    let shapes: [&[usize]; 8] = [&[], &[1], &[2], &[2, 3], &[3, 2], &[0, 2], &[2, 2, 3], &[2, 2]];
    let ty = Type::new(pick(&DType::ALL, dtype), pick(&shapes, shape));
    match kind % 5 {
        0 => Leaf::input(format!("x{index}"), ty).into(),
        1 => Leaf::weight(format!("layer/{index}"), ty).into(),
        2 => Fill::new(f64::from(shape) - 1.5e9, ty).into(),
        3 => Fill::new(f64::from(dtype).recip(), ty).into(),
        _ => Iota { axis: shape as usize % 2, ty }.into(),
    }
}

/// A node that may well not type.
fn node(graph: &Graph, values: &[Value], &(kind, a, b, c): &Choice) -> (Op, Vec<Value>) {
    // Recent values, or those of the same type, so that many nodes type.
    let x = pick(values, a);
    let alike: Vec<Value> =
        values.iter().copied().filter(|&value| graph[value].ty == graph[x].ty).collect();
    let (y, ty) = (pick(&alike, b), &graph[x].ty);
    let axis = c as usize % 3;
    let each = |n: u32| vec![n as usize; ty.rank()];
    match kind / 4 % 20 {
        0 | 1 => (pick(Unary::ALL, b).into(), vec![x]),
        2..=4 => (pick(Binary::ALL, c).into(), vec![x, y]),
        5 => (pick(Compare::ALL, c).into(), vec![x, y]),
        6 => (Select.into(), vec![pick(values, c), x, y]),
        7 => (Cast { dtype: pick(&DType::ALL, b) }.into(), vec![x]),
        8 => (Reshape { shape: vec![ty.len()] }.into(), vec![x]),
        9 => (Transpose { order: (0..ty.rank()).rev().collect() }.into(), vec![x]),
        10 => (Broadcast { shape: [&[2], &ty.shape[..]].concat() }.into(), vec![x]),
        11 => {
            let slice = Slice { start: each(b % 2), stop: ty.shape.clone(), step: each(1 + c % 2) };
            (slice.into(), vec![x])
        }
        12 => {
            let pad = Pad { low: each(b % 3), high: each(c % 2), interior: each(c % 3) };
            (pad.into(), vec![x, pick(values, c)])
        }
        13 => (Concatenate { axis }.into(), vec![x, y, x]),
        14 => (Gather { axis }.into(), vec![x, pick(values, b)]),
        15 => (ScatterAdd { axis }.into(), vec![x, pick(values, b), pick(values, c)]),
        16 => {
            let reduction = pick(&Reduction::ALL, b);
            (Reduce { reduction, axes: (axis..ty.rank()).collect() }.into(), vec![x])
        }
        17 => (ArgMax { axis }.into(), vec![x]),
        18 => (MatMul.into(), vec![x, pick(values, b)]),
        _ => (RandomBits { shape: ty.shape.clone() }.into(), vec![x]),
    }
}

/// The graph's results and updates, as bits: what is not a number must stay so.
fn meaning(graph: &Graph) -> Vec<Vec<u64>> {
    let leaves: Vec<Array> = graph
        .values()
        .filter(|&value| matches!(graph[value].op, Op::Leaf(_)))
        .map(|value| {
            let dtype = graph[value].ty.dtype;
            let array = sample(&graph[value].ty.shape);
            Array::new(array.shape, array.data.iter().map(|x| dtype.wrap(2.0 * x)).collect())
        })
        .collect();
    let results = interpret(graph, &leaves).expect("the leaves fit");
    let arrays = results.outputs.iter().chain(&results.updates);
    arrays.map(|array| array.data.iter().map(|x| x.to_bits()).collect()).collect()
}

/// A formula of smooth functions that keep numbers small, whose results are all of one shape.
fn formula<'g>(x: &[Tensor<'g>], choices: &[Choice]) -> Tensor<'g> {
    let shape = x[0].shape();
    let mut values = x.to_vec();
    for &(kind, a, b, c) in choices {
        let (a, b) = (pick(&values, a), pick(&values, b));
        values.push(match (kind % 16, c % 2) {
            (0, _) => a.tanh(),
            (1, _) => a.sigmoid(),
            (2, _) => a.sin(),
            (3, _) => a.cos(),
            (4, _) => (-(a * a)).exp(),
            (5, _) => a.erf(),
            (6, _) => (a * a + 1.0).sqrt().rsqrt(),
            (7, _) => (a * a).log1p(),
            (8, _) => (a + b) * 0.5,
            (9, _) => a - b * 0.5,
            (10, _) => (a * b).tanh(),
            (11, _) => a / (b * b + 1.0),
            (12, _) => (a * a + 0.5).pow(b.tanh()).tanh(),
            (13, keep) => a.mean(keep as isize).keep(a, keep as isize).broadcast(shape.clone()),
            (14, _) => a.t().matmul(b).tanh().sum(0).broadcast(shape.clone()) * 0.3,
            (_, axis) => {
                let both = Tensor::concatenate(&[a, b], axis as isize);
                let (step, mut start) = ([1, 1], vec![0, 0]);
                start[axis as usize] = 1;
                let stop: Vec<usize> = start.iter().zip(&shape).map(|(a, b)| a + b).collect();
                both.slice(start, stop, step)
            }
        });
    }
    *values.last().expect("there are inputs")
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn parsing_undoes_printing(choices in choices(40)) {
        let graph = random_graph(&choices);
        prop_assert_eq!(parse(&graph.to_string()), Ok(vec![graph]));
    }

    #[test]
    fn copying_and_pruning_keep_the_meaning(choices in choices(40)) {
        let graph = random_graph(&choices);
        prop_assert_eq!(verify(&graph), Ok(()));
        let pruned = prune(&graph);
        prop_assert_eq!(verify(&pruned), Ok(()));
        prop_assert_eq!(&prune(&pruned), &pruned);
        prop_assert!(pruned.leaves(Role::Input).map(|(_, leaf)| leaf)
            .eq(graph.leaves(Role::Input).map(|(_, leaf)| leaf)));
        prop_assert_eq!(meaning(&pruned), meaning(&graph));

        let mut copy = Rewriter::new(&graph);
        for value in graph.values() {
            copy.copy(value).unwrap();
        }
        prop_assert_eq!(copy.finish().unwrap(), graph);
    }
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn gradients_are_those_of_finite_differences(choices in choices(10)) {
        let falling = (0..6).map(|i| 0.7 - 0.3 * f64::from(i)).collect();
        let leaves = [sample(&[2, 3]), Array::new([2, 3], falling)];
        check_gradient(&leaves, |x| formula(x, &choices));
    }
}

/// Random graphs are a test of something only if they hold every kind of node.
#[test]
fn random_graphs_hold_every_kind_of_node() {
    let mut numbers = (0..).map(|i| threefry([0, 0], [0, i])[0]);
    let mut found = std::collections::BTreeSet::new();
    for _ in 0..400 {
        let mut next = || numbers.next().expect("numbers do not end");
        let choices: Vec<Choice> = (0..40).map(|_| (next(), next(), next(), next())).collect();
        found.extend(random_graph(&choices).nodes().iter().map(|node| node.op.rule().name()));
    }
    for name in [
        "input",
        "weight",
        "fill",
        "iota",
        "random_bits",
        "neg",
        "add",
        "less",
        "select",
        "cast",
        "reshape",
        "transpose",
        "broadcast",
        "slice",
        "pad",
        "concatenate",
        "gather",
        "scatter_add",
        "sum",
        "argmax",
        "matmul",
    ] {
        assert!(found.contains(name), "no `{name}` in {found:?}");
    }
}
