//! Programs against the reference interpreter: what the planner fuses and the processor runs is
//! what the graph means.

use oxhorn_cpu::{Device, Executable, Isa, Weights};
use oxhorn_ir::{Array, DType, Graph, Leaf, Op, Role, Tensor, Trace, Type, grad, interpret};

/// Numbers of every size and sign, by position and leaf.
fn sample(ty: &Type, leaf: usize) -> Array {
    let mut state = leaf as u64 * 7919 + 17;
    Array::from_fn(&ty.shape, |_| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let unit = (state >> 40) as f64 / (1u64 << 24) as f64;
        match ty.dtype {
            DType::Bool => (unit > 0.5) as u8 as f64,
            DType::U32 | DType::I32 | DType::I64 => (unit * 7.0).floor(),
            DType::F32 => f64::from((unit * 2.0 - 0.9) as f32),
            DType::F64 => unit * 2.0 - 0.9,
        }
    })
}

macro_rules! by_type {
    ($dtype:expr, $ty:ident => $body:expr) => {
        match $dtype {
            DType::Bool => {
                type $ty = u8;
                $body
            }
            DType::I32 => {
                type $ty = i32;
                $body
            }
            DType::I64 => {
                type $ty = i64;
                $body
            }
            DType::U32 => {
                type $ty = u32;
                $body
            }
            DType::F32 => {
                type $ty = f32;
                $body
            }
            DType::F64 => {
                type $ty = f64;
                $body
            }
        }
    };
}

/// Results and new weights of a run.
type Values = (Vec<Vec<f64>>, Vec<Vec<f64>>);

/// One run on a device, as `f64`.
#[allow(clippy::unnecessary_cast, reason = "necessary for every type but f64")]
fn run(graph: &Graph, leaves: &[Array], device: &mut Device) -> Values {
    let program = oxhorn_plan::compile(graph).unwrap_or_else(|error| panic!("{error}\n{graph}"));
    let given = || {
        graph.nodes().iter().filter_map(|node| match &node.op {
            Op::Leaf(leaf) => Some(leaf),
            _ => None,
        })
    };
    let is_weight = |leaf: &&Leaf| leaf.role == Role::Weight;
    let named = given().filter(is_weight).map(|leaf| (leaf.name.clone(), leaf.ty.clone()));
    let mut weights = Weights::new(named);
    let mut executable = Executable::load(&program, &weights, device).unwrap();
    for (leaf, array) in given().zip(leaves) {
        by_type!(leaf.ty.dtype, T => {
            let target = match leaf.role {
                Role::Weight => weights.slice_mut::<T>(&leaf.name).unwrap(),
                Role::Input => executable.input_mut::<T>(&leaf.name).unwrap(),
            };
            target.iter_mut().zip(&array.data).for_each(|(y, x)| *y = *x as T);
        });
    }
    executable.run(&mut weights, device);
    let outputs = graph.outputs().iter().enumerate().map(|(index, value)| {
        by_type!(graph[*value].ty.dtype, T => {
            executable.output::<T>(index).unwrap().iter().map(|x| *x as f64).collect()
        })
    });
    let outputs = outputs.collect();
    let updates = graph.updates().iter().map(|(weight, _)| {
        let Op::Leaf(leaf) = &graph[*weight].op else { unreachable!() };
        by_type!(leaf.ty.dtype, T => {
            weights.slice::<T>(&leaf.name).unwrap().iter().map(|x| *x as f64).collect()
        })
    });
    (outputs, updates.collect())
}

/// Checks a graph on every instruction set against the interpreter.
fn check(graph: &Graph) {
    oxhorn_ir::verify::verify(graph).unwrap();
    let types = graph.nodes().iter().filter_map(|node| match &node.op {
        Op::Leaf(leaf) => Some(&leaf.ty),
        _ => None,
    });
    let leaves: Vec<Array> = types.enumerate().map(|(i, ty)| sample(ty, i)).collect();
    let expected = interpret::interpret(graph, &leaves).unwrap();
    let mut bits: Option<Values> = None;
    for isa in Isa::available() {
        for threads in [1, 2, 3] {
            let mut device = Device::with_isa(threads, isa);
            let got = run(graph, &leaves, &mut device);
            for (got, expected) in got.0.iter().zip(&expected.outputs) {
                close(got, &expected.data, graph);
            }
            for (got, expected) in got.1.iter().zip(&expected.updates) {
                close(got, &expected.data, graph);
            }
            if isa.fuses() {
                let first = bits.get_or_insert_with(|| got.clone());
                let same = |a: &[Vec<f64>], b: &[Vec<f64>]| {
                    a.iter()
                        .flatten()
                        .map(|x| x.to_bits())
                        .eq(b.iter().flatten().map(|x| x.to_bits()))
                };
                assert!(
                    same(&first.0, &got.0) && same(&first.1, &got.1),
                    "{isa}, {threads} threads"
                );
            }
        }
    }
}

fn close(got: &[f64], expected: &[f64], graph: &Graph) {
    assert_eq!(got.len(), expected.len());
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        let same = got == expected || got.is_nan() && expected.is_nan();
        let close = (got - expected).abs() <= 2e-5 * expected.abs().max(1.0);
        let program = || oxhorn_plan::compile(graph).unwrap().to_string();
        assert!(same || close, "element {i}: {got}, not {expected}\n{graph}\n{}", program());
    }
}

fn graph<F>(types: &[Type], formula: F) -> Graph
where
    F: for<'g> Fn(&'g Trace, &[Tensor<'g>]) -> Vec<Tensor<'g>>,
{
    let trace = Trace::new("test");
    let inputs: Vec<_> =
        (0..).zip(types).map(|(i, ty)| trace.input(format!("x{i}"), ty.clone())).collect();
    let outputs: Vec<_> = formula(&trace, &inputs).iter().map(|y| y.value()).collect();
    trace.finish(&outputs).unwrap()
}

const SHAPES: [[usize; 2]; 8] =
    [[1, 1], [3, 5], [32, 64], [7, 1], [1, 700], [33, 513], [0, 4], [200, 130]];

#[test]
fn chains_with_every_kind_of_broadcast() {
    for [m, n] in SHAPES {
        let types = [[m, n], [1, n], [m, 1]].map(Type::f32);
        check(&graph(&types, |trace, x| {
            let scalar = trace.scalar(0.7, DType::F32);
            let y = (x[0] + x[1]).tanh() * x[2] - scalar;
            let mask = y.greater(0.0);
            vec![y, mask.select(y * 2.0, x[1]), mask]
        }));
    }
}

#[test]
fn values_that_stand_in_rows_and_in_columns() {
    for n in [1, 2, 4, 33] {
        let types = [Type::f32([n, n]), Type::new(DType::I32, [n])];
        check(&graph(&types, |_, x| {
            let label = x[1] + 1.0;
            let (row, column) = (label.reshape([n, 1]), label.reshape([1, n]));
            let pairs = row.broadcast([n, n]).equal(column.broadcast([n, n]));
            let kept = pairs.select(x[0], 0.0);
            // One of the two ways goes through another value.
            let doubled = (label + label).reshape([1, n]).broadcast([n, n]);
            let other = row.broadcast([n, n]) + doubled;
            vec![pairs, kept - kept.reduce_max(1).keep(kept, 1), other]
        }));
    }
}

#[test]
fn softmax_and_its_gradient() {
    for [m, n] in SHAPES.into_iter().filter(|[m, _]| *m > 0) {
        check(&graph(&[Type::f32([m, n]), Type::f32([m, n])], |_, x| {
            let shifted = x[0] - x[0].reduce_max(-1).keep(x[0], -1);
            let e = shifted.exp();
            let y = e / e.sum(-1).keep(e, -1);
            let loss = (y * x[1]).sum(-1).mean(..);
            let mut results = vec![y, loss, x[0].argmax(-1)];
            results.extend(grad(loss, &x[..1]));
            results
        }));
    }
}

#[test]
fn products_in_every_transposition() {
    for [m, k, n] in [[1, 1, 1], [3, 5, 7], [32, 25, 64], [0, 3, 2], [2, 0, 3], [65, 130, 530]] {
        let types = [[m, k], [k, n], [n, k], [k, m]].map(Type::f32);
        check(&graph(&types, |_, x| {
            let [a, b, bt, at] = [x[0], x[1], x[2], x[3]];
            vec![
                a.matmul(b).maximum(0.0),
                a.matmul(bt.t()) + 1.0,
                at.t().matmul(b).sum(0),
                at.t().matmul(bt.t()).sum(-1),
            ]
        }));
    }
    let types = [Type::new(DType::F64, [3, 4, 5]), Type::new(DType::F64, [3, 6, 5])];
    check(&graph(&types, |_, x| vec![x[0].matmul(x[1].t()).exp()]));
}

#[test]
fn reductions_over_any_axes() {
    let x = [Type::f32([3, 4, 5, 2])];
    check(&graph(&x, |_, x| {
        let x = x[0];
        vec![
            x.sum([0, 2]),
            x.reduce_max([1]),
            x.prod([1, 2, 3]),
            x.reduce_min(..),
            x.sum([0, 1, 2]),
        ]
    }));
    check(&graph(&x, |_, x| vec![x[0].argmax(1), x[0].argmax(-1), x[0].tanh().sum([0, 3])]));
    check(&graph(&[Type::f32([5000])], |_, x| vec![x[0].sum(..), x[0].tanh().mean(..)]));
    check(&graph(&[Type::f32([2, 5000])], |_, x| vec![x[0].exp().sum(-1), x[0].sum(0)]));
}

#[test]
fn moves_gathers_and_scatters() {
    let types = [Type::f32([4, 3]), Type::new(DType::I32, [5]), Type::f32([5, 3])];
    check(&graph(&types, |_, x| {
        let picked = x[0].gather(x[1], 0);
        let loss = (picked * x[2]).sum(..);
        let parts = Tensor::concatenate(&[x[0], x[2], x[0].exp()], 0);
        vec![
            picked,
            grad(loss, &x[..1])[0],
            parts,
            x[0].transpose([1, 0]) * 2.0,
            x[2].slice([1, 0], [5, 3], [2, 2]),
            grad(x[2].slice([1, 0], [5, 3], [2, 2]).tanh().sum(..), &x[2..])[0],
            x[0].reshape([4, 1, 3]).broadcast([4, 2, 3]) + 1.0,
        ]
    }));
}

#[test]
fn integers_bits_and_casts() {
    let types = [Type::new(DType::U32, [2]), Type::new(DType::I64, [3, 4]), Type::f32([3, 4])];
    check(&graph(&types, |trace, x| {
        let key = x[0];
        let uniform = key.random_uniform([3, 4]);
        let mask = uniform.less(0.6);
        vec![
            key.random_bits([1000]),
            mask.select(x[2] / 0.6, 0.0),
            x[1] * x[1] - 3.0,
            x[1].cast(DType::F32) * x[2],
            trace.iota(1, Type::new(DType::I32, [3, 4])),
            trace.iota(0, Type::f32([3, 4])) + x[2],
            mask.not(),
            x[1].rem(3.0).equal(1.0),
        ]
    }));
}

/// A step of two layers with dropout between, cross-entropy, and Adam on every weight.
fn step(trace: &Trace, [batch, inputs, hidden, classes]: [usize; 4]) -> Vec<oxhorn_ir::Value> {
    let x = trace.input("x", Type::f32([batch, inputs]));
    let labels = trace.input("y", Type::f32([batch, classes]));
    let rate = trace.scalar(0.4, DType::F64);
    let key = trace.weight("seed", Type::new(DType::U32, [2]));
    let weight = |path: &str, shape: &[usize]| trace.weight(path, Type::f32(shape));
    let weights = [
        weight("w1", &[inputs, hidden]),
        weight("b1", &[hidden]),
        weight("w2", &[hidden, classes]),
        weight("b2", &[classes]),
    ];
    let keep = (1.0 - rate).cast(DType::F32);
    let h = x.matmul(weights[0]) + weights[1];
    let h = h.greater(0.0).select(h, 0.0);
    let mask = key.random_uniform([batch, hidden]).less(keep);
    let h = mask.select(h / keep, 0.0);
    // Logits of moderate size: softmax turns the rounding of large ones into large errors.
    let z = h.matmul(weights[2]) * 0.02 + weights[3];
    let e = (z - z.reduce_max(-1).keep(z, -1)).exp();
    let p = e / e.sum(-1).keep(e, -1);
    let loss = -(labels * (p + 1e-7).log()).sum(-1).mean(..);
    trace.update(key, key + trace.iota(0, Type::new(DType::U32, [2])));

    let count = trace.weight("iterations", Type::new(DType::I64, []));
    let next = count + 1.0;
    trace.update(count, next);
    let t = next.cast(DType::F32);
    // Bases far from 1, whose powers cancel no digits in `f32`.
    let power = |base: f64| trace.scalar(base, DType::F32).pow(t);
    let alpha = (1.0 - power(0.8)).sqrt() / (1.0 - power(0.5)) * 0.01;
    for (i, (w, g)) in weights.into_iter().zip(grad(loss, &weights)).enumerate() {
        let slot = |name: &str| trace.weight(format!("{name}{i}"), w.ty());
        let (m, v) = (slot("m"), slot("v").abs());
        let m_new = m + (g - m) * 0.1;
        let v_new = v + (g * g - v) * 0.001;
        trace.update(m, m_new);
        trace.update(trace.weight(format!("v{i}'"), w.ty()), v_new);
        trace.update(w, w - m_new * alpha / (v_new.sqrt() + 1e-7));
    }
    vec![loss.value(), p.value()]
}

#[test]
fn a_training_step() {
    for extents in [[32, 25, 64, 5], [1, 3, 2, 2], [5, 4, 3, 1], [64, 300, 600, 10]] {
        let trace = Trace::new("step");
        let outputs = step(&trace, extents);
        check(&trace.finish(&outputs).unwrap());
    }
}

#[test]
fn weights_may_take_each_others_values() {
    let trace = Trace::new("swap");
    let (a, b) = (trace.weight("a", Type::f32([3])), trace.weight("b", Type::f32([3])));
    trace.update(a, b);
    trace.update(b, a);
    let c = trace.weight("c", Type::f32([3]));
    trace.update(c, c.exp() + c); // The old value is read after the new one is begun.
    let sum = (a + b).value();
    check(&trace.finish(&[sum]).unwrap());
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 33) as usize) % n
    }
}

/// One more tensor made of some of `known`; all stay of moderate size, and nothing that jumps is
/// computed from what is rounded.
fn grow<'g>(known: &[Tensor<'g>], inputs: usize, dice: &mut Dice) -> Tensor<'g> {
    let x = known[dice.below(known.len())];
    let (rank, shape) = (x.rank(), x.shape());
    let other = || known.iter().copied();
    match dice.below(14) {
        0 => x.tanh(),
        1 => (x.abs() + 0.5).sqrt(),
        2 => x * 0.5 - 0.25,
        // The same shape, a row of it, a column of it, or one number for all.
        3 | 4 => {
            let fits = |y: &Tensor<'g>| {
                let offset = rank.checked_sub(y.rank());
                let pairs = |offset: usize| y.shape().into_iter().zip(shape[offset..].to_vec());
                offset.is_some_and(|at| pairs(at).all(|(a, b)| a == b || a == 1))
            };
            let y: Vec<_> = other().filter(fits).collect();
            let y = y[dice.below(y.len())];
            if dice.below(2) == 0 { (x + y) * 0.5 } else { (x * y).tanh() }
        }
        5 if rank > 0 => {
            let axis = dice.below(rank) as isize;
            x.mean(axis).keep(x, axis)
        }
        6 if rank > 0 => {
            let axis = dice.below(rank) as isize;
            x.reduce_max(axis).keep(x, axis)
        }
        7 if rank > 0 => x.mean(dice.below(rank) as isize),
        8 => x.mean(..),
        9 if rank >= 2 => x.t(),
        10 => x.reshape([shape.iter().product()]),
        11 | 12 if rank == 2 => {
            let fits = |y: &Tensor<'g>| y.rank() == 2 && y.dim(0) == shape[1];
            let y: Vec<_> = other().filter(fits).collect();
            match y.len() {
                0 => x.matmul(x.t()) / shape[1].max(1) as f64,
                n => (x.matmul(y[dice.below(n)]) / shape[1].max(1) as f64).tanh(),
            }
        }
        _ => {
            let mask = known[dice.below(inputs)];
            if mask.shape() == shape { mask.greater(0.1).select(x, 0.5) } else { -x }
        }
    }
}

#[test]
fn graphs_made_at_random() {
    for seed in 0..200 {
        let mut dice = Dice(seed);
        let trace = Trace::new(format!("random {seed}"));
        let extents = [1, 2, 3, 5, 16, 33];
        let (m, n) = (extents[dice.below(6)], extents[dice.below(6)]);
        let input = |i: usize, shape: &[usize]| trace.input(format!("x{i}"), Type::f32(shape));
        let w = trace.weight("w", Type::f32([m, n]));
        let mut known = vec![input(0, &[m, n]), input(1, &[n]), input(2, &[n, m]), w];
        for _ in 0..3 + dice.below(25) {
            known.push(grow(&known, 3, &mut dice));
        }
        let results: Vec<_> = (0..3).map(|_| known[known.len() - 1 - dice.below(3)]).collect();
        let loss = results[0].mean(..);
        let mut outputs: Vec<_> = results.iter().map(|y| y.value()).collect();
        outputs.extend(grad(loss, &known[..1]).iter().map(|dx| dx.value()));
        trace.update(w, w - grad(loss, &[w])[0] * 0.1);
        check(&trace.finish(&outputs).unwrap());
    }
}
