//! Checks shared by every op, and by whoever writes graphs: finite differences and exact errors.

use crate::{Array, Cast, DType, Graph, Op, Tensor, Trace, Type, grad, interpret::interpret};

/// The value of `formula` at these inputs, by the reference definitions.
pub fn run<F>(inputs: &[(Type, Array)], formula: F) -> Array
where
    F: for<'g> FnOnce(&'g Trace, &[Tensor<'g>]) -> Tensor<'g>,
{
    let trace = Trace::new("test");
    let y = formula(&trace, &declare(&trace, inputs.iter().map(|(ty, _)| ty))).value();
    let graph = trace.finish(&[y]).expect("the formula types");
    let leaves: Vec<Array> = inputs.iter().map(|(_, array)| array.clone()).collect();
    interpret(&graph, &leaves).expect("the inputs fit").outputs.swap_remove(0)
}

/// Checks the gradient of `formula` against central differences, at smooth positive inputs of type
/// `f64` and the given shapes.
pub fn check_op<F>(shapes: &[&[usize]], formula: F)
where
    F: for<'g> Fn(&[Tensor<'g>]) -> Tensor<'g>,
{
    let leaves: Vec<Array> = (0u8..)
        .zip(shapes)
        .map(|(i, shape)| sample_from(0.3 + 0.07 * f64::from(i), shape))
        .collect();
    check_gradient(&leaves, formula);
}

/// Checks the gradient of `formula` against central differences at these inputs, of type `f64`.
pub fn check_gradient<F>(leaves: &[Array], formula: F)
where
    F: for<'g> Fn(&[Tensor<'g>]) -> Tensor<'g>,
{
    let types: Vec<Type> =
        leaves.iter().map(|leaf| Type::new(DType::F64, &leaf.shape[..])).collect();
    let trace = Trace::new("test");
    let inputs = declare(&trace, &types);
    let y = formula(&inputs);
    // A loss that weighs every element differently: a plain sum would hide transposed gradients.
    let loss = (y * y.tanh()).sum(..);
    let mut wanted = vec![loss];
    wanted.extend(grad(loss, &inputs));
    let wanted: Vec<_> = wanted.iter().map(|tensor| tensor.value()).collect();
    let graph = trace.finish(&wanted).expect("the formula types");
    assert!(!rounds(&graph), "finite differences need a formula without rounding");

    let gradients = interpret(&graph, leaves).expect("the inputs fit").outputs.split_off(1);
    let loss_at =
        |leaves: &[Array]| interpret(&graph, leaves).expect("the inputs fit").outputs[0].scalar();
    for (input, gradient) in gradients.iter().enumerate() {
        for element in 0..leaves[input].data.len() {
            let nudged = |step: f64| {
                let mut leaves = leaves.to_vec();
                leaves[input].data[element] += step;
                loss_at(&leaves)
            };
            let step = 1e-5;
            let expected = (nudged(step) - nudged(-step)) / (2.0 * step);
            let got = gradient.data[element];
            assert!(
                (got - expected).abs() < 1e-6 * expected.abs().max(1.0),
                "d loss / d x{input}[{element}]: {got} and by differences {expected}"
            );
        }
    }
}

/// Checks that `formula`, on inputs of these types, fails, and says exactly this.
pub fn check_error<F>(types: &[Type], formula: F, expected: &str)
where
    F: for<'g> FnOnce(&'g Trace, &[Tensor<'g>]) -> Tensor<'g>,
{
    let trace = Trace::new("test");
    formula(&trace, &declare(&trace, types));
    let error = trace.finish(&[]).expect_err("the formula should not type");
    assert_eq!(error.to_string(), expected);
}

/// Distinct, well-conditioned positive numbers.
pub fn sample(shape: &[usize]) -> Array {
    sample_from(0.3, shape)
}

fn sample_from(mut x: f64, shape: &[usize]) -> Array {
    Array::from_fn(shape, |_| {
        x = (x * 1.7 + 0.13) % 1.0;
        0.2 + x
    })
}

fn declare<'g, 't>(trace: &'g Trace, types: impl IntoIterator<Item = &'t Type>) -> Vec<Tensor<'g>> {
    let named = (0..).zip(types);
    named.map(|(i, ty)| trace.input(format!("x{i}"), ty.clone())).collect()
}

fn rounds(graph: &Graph) -> bool {
    graph.nodes().iter().any(|node| node.op == Op::Cast(Cast { dtype: DType::F32 }))
}
