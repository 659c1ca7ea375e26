//! Reverse-mode differentiation, as a walk back over the graph.

use crate::{Error, Tensor};

/// Extends the graph with the gradient of the scalar `loss` with respect to each of `wrt`.
///
/// The backward pass is ordinary nodes: it prints, verifies, fuses and is planned like the
/// forward pass, and can itself be differentiated. Where no path leads from one of `wrt` to the
/// loss, its gradient is zero.
pub fn grad<'g>(loss: Tensor<'g>, wrt: &[Tensor<'g>]) -> Vec<Tensor<'g>> {
    if loss.is_void() || wrt.iter().any(|x| x.is_void()) {
        return wrt.to_vec(); // The trace already holds the first mistake.
    }
    if loss.rank() != 0 || !loss.dtype().is_float() {
        let message = format!("only a real scalar can be differentiated, got {}", loss.ty());
        let void = loss.trace().fail(Error::new(message).help("reduce the loss to one number"));
        return vec![void; wrt.len()];
    }
    let active = depends_on(loss, wrt);
    let mut dy = vec![None; loss.index() + 1];
    dy[loss.index()] = Some(loss.fill(1.0));

    for y in loss.history().rev() {
        let Some(cotangent) = dy[y.index()].filter(|_| active[y.index()]) else { continue };
        let (op, args) = y.definition();
        for (x, dx) in args.iter().zip(op.rule().vjp(y, &args, cotangent)) {
            if active[x.index()] {
                let total = &mut dy[x.index()];
                *total = match (*total, dx) {
                    (Some(sum), Some(dx)) => Some(sum + dx),
                    (sum, dx) => sum.or(dx),
                };
            }
        }
    }
    wrt.iter()
        .map(|x| dy.get(x.index()).copied().flatten().unwrap_or_else(|| x.fill(0.0)))
        .collect()
}

/// For each value up to `loss`, whether it depends on one of `wrt`.
fn depends_on(loss: Tensor<'_>, wrt: &[Tensor<'_>]) -> Vec<bool> {
    let mut active = vec![false; loss.index() + 1];
    for y in loss.history() {
        let (_, args) = y.definition();
        active[y.index()] =
            wrt.iter().any(|x| x.index() == y.index()) || args.iter().any(|x| active[x.index()]);
    }
    active
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Array, DType, MatMul, Trace, Type, prune,
        testing::{check_error, check_gradient, run},
    };

    fn scalar(x: f64) -> (Type, Array) {
        (Type::new(DType::F64, []), Array::new([], vec![x]))
    }

    #[test]
    fn adds_up_over_all_paths() {
        let dx = run(&[scalar(3.0)], |_, x| grad(x[0] * x[0] + x[0], x)[0]);
        assert_eq!(dx.scalar(), 7.0);
    }

    #[test]
    fn is_zero_where_no_path_leads() {
        let dx = run(&[scalar(3.0), scalar(4.0)], |_, x| grad(x[0] * x[0], x)[1]);
        assert_eq!(dx.scalar(), 0.0);
        let later = run(&[scalar(3.0)], |_, x| {
            let (y, z) = (x[0] * 2.0, x[0] * 5.0);
            grad(y, &[z])[0]
        });
        assert_eq!(later.scalar(), 0.0);
    }

    #[test]
    fn does_not_flow_through_choices_or_integers() {
        let dx = run(&[scalar(3.5)], |_, x| {
            let whole = x[0].cast(DType::I32).cast(DType::F64);
            grad(x[0] * whole + x[0].greater(1.0).cast(DType::F64), x)[0]
        });
        assert_eq!(dx.scalar(), 3.0);
    }

    #[test]
    fn reaches_values_between_inputs_and_loss() {
        let dy = run(&[scalar(3.0)], |_, x| {
            let y = x[0] * x[0];
            grad(y * y, &[y])[0]
        });
        assert_eq!(dy.scalar(), 18.0);
    }

    #[test]
    fn of_a_gradient_is_the_second_derivative() {
        let x = Array::new([3], vec![0.4, 0.9, 1.3]);
        check_gradient(&[x], |x| grad((x[0] * x[0] * x[0].tanh()).sum(..), x)[0]);
    }

    #[test]
    fn once_pruned_computes_only_what_was_asked_for() {
        let trace = Trace::new("test");
        let (a, b) = (trace.input("a", Type::f32([2, 3])), trace.input("b", Type::f32([3, 4])));
        let da = [grad(a.matmul(b).sum(..), &[a])[0].value()];
        let graph = prune(&trace.finish(&da).unwrap());
        let products = graph.nodes().iter().filter(|node| node.op == MatMul.into());
        assert_eq!(products.count(), 1);
    }

    #[test]
    fn needs_one_real_number() {
        check_error(
            &[Type::f32([2])],
            |_, x| grad(x[0], x)[0],
            "only a real scalar can be differentiated, got f32[2]\n  \
             help: reduce the loss to one number",
        );
    }
}
