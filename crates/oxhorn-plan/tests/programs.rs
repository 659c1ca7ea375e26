//! What the planner makes of graphs: which nodes share a loop, and where bytes live.

use oxhorn_ir::{DType, Tensor, Trace, Type, grad};
use oxhorn_plan::{
    Action, Buffer, BufferId, Destination, Instruction, Kernel, Loop, Operand, Place, Program,
    Span, Step, Walk, compile,
};

/// The program of a formula over inputs of these types.
fn program<F>(types: &[Type], formula: F) -> Program
where
    F: for<'g> Fn(&'g Trace, &[Tensor<'g>]) -> Vec<Tensor<'g>>,
{
    let trace = Trace::new("test");
    let inputs: Vec<_> =
        (0..).zip(types).map(|(i, ty)| trace.input(format!("x{i}"), ty.clone())).collect();
    let outputs: Vec<_> = formula(&trace, &inputs).iter().map(|y| y.value()).collect();
    compile(&trace.finish(&outputs).unwrap()).unwrap()
}

fn loops(program: &Program) -> Vec<&Loop> {
    let kernels = program.steps.iter().map(|step| &step.kernel);
    kernels
        .filter_map(|kernel| if let Kernel::Loop(it) = kernel { Some(it) } else { None })
        .collect()
}

/// The steps as text, without the rest of the program.
fn steps(program: &Program) -> String {
    let text = program.to_string();
    text.lines()
        .filter(|line| !line.contains(" = \""))
        .skip(1)
        .map(|line| format!("{line}\n"))
        .collect()
}

#[test]
fn a_dense_layer_with_dropout_is_one_loop() {
    let types = [[4, 3], [3, 2], [1, 2]].map(Type::f32);
    let program = program(&types, |trace, x| {
        let y = x[0].matmul(x[1]) + x[2].reshape([2]);
        let y = y.greater(0.0).select(y, 0.0);
        let key = trace.weight("seed", Type::new(DType::U32, [2]));
        let mask = key.random_uniform([4, 2]).less(0.5);
        vec![mask.select(y / 0.5, 0.0)]
    });
    let expected = "    0: loop 4 × 2
        b4 = b0 · b1  (1×4×3×2)
        r0 = add.f32 b4 b2[column]
        r1 = greater.f32 r0 0
        r0 = select.f32 r1 r0 0
        r0 = div.f32 r0 0.5
        r2 = random_bits.u32 b3[]
        r2 = shr.u32 r2 9
        r2 = cast.f32.u32 r2
        r1 = less.f32 r2 4194304
        b5 = select.f32 r1 r0 0
    return b5
";
    let steps = steps(&program);
    // Which register holds what is the planner's business, as long as no more are used.
    assert_eq!(steps.lines().count(), expected.lines().count(), "{steps}");
    assert_eq!(loops(&program).len(), 1);
}

#[test]
fn softmax_with_its_loss_and_gradient_is_one_loop() {
    let types = [[8, 5], [8, 5]].map(Type::f32);
    let program = program(&types, |_, x| {
        let e = (x[0] - x[0].reduce_max(-1).keep(x[0], -1)).exp();
        let p = e / e.sum(-1).keep(e, -1);
        let loss = (-x[1] * p.log()).sum(-1).sum(..);
        vec![grad(loss, &x[..1])[0], loss]
    });
    assert_eq!(loops(&program).len(), 1, "{program}");
}

#[test]
fn transposes_disappear_into_products() {
    let types = [Type::f32([3, 4]), Type::f32([5, 4])];
    let program = program(&types, |_, x| vec![x[0].matmul(x[1].t())]);
    let [Loop { product: Some(product), .. }] = loops(&program)[..] else { panic!("{program}") };
    assert_eq!(product.transposed, [false, true]);
    assert_eq!(program.steps.len(), 1);
}

#[test]
fn a_weights_update_is_part_of_the_product_that_gives_its_gradient() {
    let trace = Trace::new("test");
    let x = trace.input("x", Type::f32([8, 3]));
    let w = trace.weight("w", Type::f32([3, 2]));
    let m = trace.weight("m", Type::f32([3, 2]));
    let loss = x.matmul(w).tanh().sum(..);
    let m_new = m * 0.9 + grad(loss, &[w])[0];
    trace.update(m, m_new);
    trace.update(w, w - m_new * 0.1);
    let program = compile(&trace.finish(&[]).unwrap()).unwrap();
    // Forward and gradient of the output; gradient of the weight and its update. Nothing is copied.
    assert_eq!(loops(&program).len(), 2, "{program}");
    assert_eq!(program.steps.len(), 2, "{program}");
    let is_weight = |id: &BufferId| matches!(program.buffer(*id).place, Place::Weight(_));
    let written = program.steps[1].writes.iter().filter(|id| is_weight(id)).count();
    assert_eq!(written, 2, "{program}");
}

#[test]
fn a_weight_that_is_still_read_is_not_overwritten() {
    let trace = Trace::new("test");
    let w = trace.weight("w", Type::f32([3, 3]));
    let x = trace.input("x", Type::f32([3, 3]));
    trace.update(w, (w + x) * 2.0);
    let y = x.matmul(w).value(); // The old weight.
    let program = compile(&trace.finish(&[y]).unwrap()).unwrap();
    program.verify().unwrap();
    assert!(program.to_string().contains("copy b1"), "{program}");
}

#[test]
fn memory_is_used_again_once_dead() {
    let program = program(&[Type::f32([64, 64])], |_, x| {
        let mut y = x[0];
        for _ in 0..20 {
            y = y.matmul(x[0]);
        }
        vec![y]
    });
    let one = 64 * 64 * 4;
    assert_eq!(program.arena_bytes, 3 * one, "one input, and two products in turn");
}

#[test]
fn dropout_of_an_input_lies_where_the_input_lay() {
    let program = program(&[Type::f32([4, 3]), Type::f32([3, 2])], |trace, x| {
        let key = trace.weight("seed", Type::new(DType::U32, [2]));
        let kept = key.random_uniform([4, 3]).less(0.5);
        let dropped = kept.select(x[0] / 0.5, 0.0);
        let y = dropped.matmul(x[1]);
        vec![y, dropped.t().matmul(y)]
    });
    let Kernel::Loop(Loop { product: Some(product), .. }) = &program.steps[1].kernel else {
        panic!("the dropout comes first, then a product:\n{program}")
    };
    let (_, x) = program.inputs[0];
    assert_eq!(program.buffer(product.a).place, program.buffer(x).place, "{program}");
}

#[test]
fn equal_graphs_give_equal_programs() {
    let make =
        || program(&[Type::f32([4, 3])], |_, x| vec![x[0].tanh().sum(0), (x[0] * 2.0).exp()]);
    assert_eq!(make(), make());
}

/// `b1 = neg b0`, then `b2 = exp b1` at the given bytes, then `b3 = add b2 b0`.
fn placed(bytes: std::ops::Range<usize>) -> Program {
    let buffer = |bytes| Buffer { ty: Type::f32([2]), place: Place::Arena(bytes) };
    let step = |op: Action, args: &[u32], to: u32| {
        let args = args.iter().map(|&arg| Operand::Memory(BufferId(arg), Walk::Element)).collect();
        let to = Destination::Memory(BufferId(to));
        let code =
            vec![Instruction { action: op, dtype: DType::F32, span: Span::Element, args, to }];
        Step::new(Kernel::Loop(Loop { rows: 1, columns: 2, product: None, code, registers: 0 }))
    };
    use oxhorn_ir::{Binary, Unary};
    Program {
        name: "test".into(),
        buffers: vec![buffer(0..8), buffer(8..16), buffer(bytes), buffer(8..16)],
        steps: vec![
            step(Action::Unary(Unary::Neg), &[0], 1),
            step(Action::Unary(Unary::Exp), &[1], 2),
            step(Action::Binary(Binary::Add), &[2, 0], 3),
        ],
        inputs: vec![("x".into(), BufferId(0))],
        weights: vec![],
        outputs: vec![BufferId(3)],
        arena_bytes: 24,
    }
}

#[test]
fn verification_allows_memory_that_is_dead() {
    assert_eq!(placed(16..24).verify(), Ok(()));
}

#[test]
fn verification_finds_memory_that_is_overwritten_while_alive() {
    let error = placed(0..8).verify().unwrap_err();
    assert_eq!(error.to_string(), "step 2 reads b0, which is overwritten or not yet written");
}

#[test]
fn verification_finds_results_that_lie_on_part_of_an_argument() {
    let error = placed(12..20).verify().unwrap_err();
    assert_eq!(error.to_string(), "step 1 writes b2 over part of b1, its input");
}

#[test]
fn verification_finds_the_end_of_the_arena() {
    let error = placed(20..28).verify().unwrap_err();
    assert_eq!(error.to_string(), "step 1 writes b2 outside the arena");
}
