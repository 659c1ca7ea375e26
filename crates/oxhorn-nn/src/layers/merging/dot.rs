//! `Dot`: the scalar products of two inputs' vectors.

use super::align::shapes;
use crate::prelude::*;

/// Multiplies two inputs and sums along one axis of each, sample by sample.
///
/// What is left of the first input's axes comes first, then what is left of the second's: with
/// `axes` 1 and 2, `[batch, k, a]` and `[batch, b, k]` give `[batch, a, b]`. Of two inputs without
/// further axes come numbers of shape `[batch, 1]`.
///
/// With `normalize`, vectors are brought to length 1 before, and the products are cosines. A vector
/// of zeros stays one, and its gradient, which in Keras is not a number, is that of `x · 10⁷`.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.Dot", shape = "[batch ..each] -> batch ..joint")]
pub struct Dot {
    /// The axis to sum along, or that of the first input and that of the second, counted with that
    /// of the samples; negative ones count from the end.
    pub axes: AxisList,
    /// Whether vectors are brought to length 1 before.
    #[config(default = false)]
    pub normalize: bool,
}

/// The least length that a vector is divided by.
const EPSILON: f64 = 1e-7;

impl Layer for Dot {
    fn check(&self) -> Result<()> {
        ensure!(
            matches!(self.axes, AxisList::One(_)) || self.axes.as_slice().len() == 2,
            "Invalid format for argument `axes`: it should contain two elements. \
            Received: axes={:?}",
            self.axes.as_slice()
        );
        Ok(())
    }

    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        self.call_all(cx, &[x])
    }

    fn call_all<'g>(&self, cx: &Scope<'g>, inputs: &[Tensor<'g>]) -> Tensor<'g> {
        self.products(inputs).unwrap_or_else(|error| cx.trace().fail(error))
    }
}

impl Dot {
    /// `y[n, a.., b..] = Σₖ a[n, a.., k] · b[n, k, b..]`, once the axes of `k` are at these places.
    fn products<'g>(&self, inputs: &[Tensor<'g>]) -> Result<Tensor<'g>> {
        let &[a, b] = inputs else {
            return Err(Error::new(format!(
                "A `Dot` layer should be called on a list of 2 inputs. Received: input_shape={:?}",
                shapes(inputs)
            )));
        };
        let (first, second) = match self.axes.as_slice() {
            [axis] => (*axis, *axis),
            axes => (axes[0], axes[1]),
        };
        let (i, j) = (expect_axis(a, first)?, expect_axis(b, second)?);
        check_shapes([a, b], [i, j])?;

        let (a, b) = (a.cast(DType::F32), b.cast(DType::F32));
        let (a, b) = if self.normalize { (unit(a, i), unit(b, j)) } else { (a, b) };
        let others = |rank: usize, axis: usize| (1..rank).filter(move |other| *other != axis);
        let k_last: Vec<usize> = [0].into_iter().chain(others(a.rank(), i)).chain([i]).collect();
        let k_first: Vec<usize> = [0, j].into_iter().chain(others(b.rank(), j)).collect();
        let (a, b) = (a.transpose(k_last), b.transpose(k_first));

        let (a_shape, b_shape) = (a.shape(), b.shape());
        let (samples, k) = (b_shape[0], b_shape[1]);
        let (left, right) = (&a_shape[1..a.rank() - 1], &b_shape[2..]);
        let (rows, columns) = (left.iter().product(), right.iter().product());
        let y = a.reshape([samples, rows, k]).matmul(b.reshape([samples, k, columns]));
        let features = if a.rank() + b.rank() == 4 { vec![1] } else { [left, right].concat() };
        Ok(y.reshape([&[samples], &features[..]].concat()))
    }
}

/// Refuses what has no products along these axes.
fn check_shapes(inputs: [Tensor<'_>; 2], axes: [usize; 2]) -> Result<()> {
    let [a, b] = inputs.map(|x| x.shape());
    let [i, j] = axes;
    ensure!(
        a[i] == b[j],
        "Incompatible input shapes: axis values {} (at axis {i}) != {} (at axis {j}). \
        Full input shapes: {a:?}, {b:?}",
        a[i],
        b[j]
    );
    ensure!(
        a.len() > 1 && b.len() > 1,
        "Cannot do batch_dot on inputs with rank < 2. \
        Received inputs with shapes {a:?} and {b:?}"
    );
    ensure!(
        a[0] == b[0],
        "Cannot do batch_dot on inputs with different batch sizes. \
        Received inputs with shapes {a:?} and {b:?}"
    );
    ensure!(
        i > 0 && j > 0,
        "Cannot perform batch_dot over axis 0";
        help: "axis 0 counts the samples, which are multiplied one by one; sum along another"
    );
    Ok(())
}

/// The vectors along `axis`, brought to length 1: `x / max(‖x‖, ε)`.
fn unit<'g>(x: Tensor<'g>, axis: usize) -> Tensor<'g> {
    let square = AxisList::One(axis as isize).reduce(x * x, Tensor::sum);
    x * square.maximum(EPSILON * EPSILON).rsqrt()
}

#[cfg(test)]
mod tests {
    use oxhorn_ir::{Array, Trace, grad, interpret::interpret};

    use super::*;
    use crate::{scope::Declarations, testing::merged};

    fn message(layer: Dot, shapes: &[&[usize]]) -> String {
        let types: Vec<Type> = shapes.iter().map(|shape| Type::f32(*shape)).collect();
        merged(layer, &types).unwrap_err().message
    }

    #[test]
    fn rejects_what_has_no_products() {
        assert_eq!(
            message(Dot::new(1), &[&[2, 3], &[2, 4]]),
            "Incompatible input shapes: axis values 3 (at axis 1) != 4 (at axis 1). \
             Full input shapes: [2, 3], [2, 4]"
        );
        assert_eq!(
            message(Dot::new(-1), &[&[2, 3], &[3, 3]]),
            "Cannot do batch_dot on inputs with different batch sizes. \
             Received inputs with shapes [2, 3] and [3, 3]"
        );
        assert_eq!(
            message(Dot::new([0, 1]), &[&[2], &[2, 2]]),
            "Cannot do batch_dot on inputs with rank < 2. \
             Received inputs with shapes [2] and [2, 2]"
        );
        assert_eq!(
            message(Dot::new(0), &[&[2, 3], &[2, 3]]),
            "Cannot perform batch_dot over axis 0"
        );
        assert_eq!(message(Dot::new(5), &[&[2, 3], &[2, 3]]), "f32[2, 3] has no axis 5");
    }

    #[test]
    fn rejects_any_other_number_of_inputs_or_axes() {
        assert_eq!(
            message(Dot::new(1), &[&[2, 3]]),
            "A `Dot` layer should be called on a list of 2 inputs. Received: input_shape=[[2, 3]]"
        );
        assert_eq!(
            Dot::new([1, 2, 3]).check().unwrap_err().message,
            "Invalid format for argument `axes`: it should contain two elements. \
             Received: axes=[1, 2, 3]"
        );
    }

    #[test]
    fn the_cosine_of_nothing_has_a_slope() {
        let (trace, declared) = (Trace::new("test"), Declarations::new());
        let [a, b] = ["a", "b"].map(|name| trace.input(name, Type::f32([1, 2])));
        let cx = Scope::new(&trace, &declared, Mode::Infer);
        let y = Dot::new(1).normalize(true).call_all(&cx, &[a, b]);
        let wanted = [y.value(), grad(y.sum(..), &[a])[0].value()];
        drop(cx);
        let graph = trace.finish(&wanted).expect("no mistake");
        let leaves = [vec![0.0, 0.0], vec![0.6, 0.8]].map(|data| Array::new([1, 2], data));
        let results = interpret(&graph, &leaves).expect("the leaves fit").outputs;
        assert_eq!(results[0].data, [0.0]);
        for (slope, expected) in results[1].data.iter().zip([0.6e7, 0.8e7]) {
            assert!((slope - expected).abs() < 1.0, "{slope}");
        }
    }
}
