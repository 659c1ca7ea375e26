//! `slice`: the elements between two corners, every so many.

use crate::{Array, Attributes, Cotangents, Pad, Result, Rule, Tensor, Type, ensure};

/// `y[ix] = x[start + ix · step]`, up to but without `stop`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slice {
    /// The first index kept, for each axis.
    pub start: Vec<usize>,
    /// The index to stop before, for each axis; from `start` to the extent.
    pub stop: Vec<usize>,
    /// The distance between indices kept, for each axis; 1 or more.
    pub step: Vec<usize>,
}

impl Slice {
    pub(crate) fn parse(name: &str, attributes: &Attributes, _: &Type) -> Result<Option<Slice>> {
        match name {
            "slice" => Ok(Some(Slice {
                start: attributes.expect_ints("start")?,
                stop: attributes.expect_ints("stop")?,
                step: attributes.expect_ints("step")?,
            })),
            _ => Ok(None),
        }
    }
}

impl<'g> Tensor<'g> {
    /// The elements from `start` to before `stop`, every `step`, with one number of each for every
    /// axis; see [`Slice`].
    pub fn slice(
        self,
        start: impl Into<Vec<usize>>,
        stop: impl Into<Vec<usize>>,
        step: impl Into<Vec<usize>>,
    ) -> Tensor<'g> {
        let slice = Slice { start: start.into(), stop: stop.into(), step: step.into() };
        self.trace().push(slice, &[self])
    }
}

impl Rule for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn arity(&self) -> Option<usize> {
        Some(1)
    }

    fn attributes(&self) -> Attributes {
        let (start, stop, step) = (&self.start, &self.stop, &self.step);
        Attributes::default().ints("start", start).ints("stop", stop).ints("step", step)
    }

    fn infer(&self, args: &[&Type]) -> Result<Type> {
        let (x, Slice { start, stop, step }) = (args[0], self);
        let given = [start.len(), stop.len(), step.len()];
        ensure!(
            given == [x.rank(); 3],
            "`slice` needs one start, stop and step for each axis of {x}, got {given:?}"
        );
        let within = |axis: usize| start[axis] <= stop[axis] && stop[axis] <= x.shape[axis];
        let fits = (0..x.rank()).all(within);
        ensure!(fits, "`slice` from {start:?} to {stop:?} does not lie within {x}");
        ensure!(
            step.iter().all(|&step| step > 0),
            "`slice` needs steps of 1 or more, got {step:?}"
        );
        let extent = |axis: usize| (stop[axis] - start[axis]).div_ceil(step[axis]);
        Ok(x.reshaped((0..x.rank()).map(extent).collect::<Vec<_>>()))
    }

    /// Each element goes back to where it came from; zeros stand wherever none did.
    fn vjp<'g>(&self, y: Tensor<'g>, x: &[Tensor<'g>], dy: Tensor<'g>) -> Cotangents<'g> {
        let interior: Vec<usize> = self.step.iter().map(|step| step - 1).collect();
        let (from, to) = (x[0].shape(), y.shape());
        let spread = to.iter().zip(&interior).map(|(&n, &gap)| n + n.saturating_sub(1) * gap);
        let ends = self.start.iter().zip(spread).map(|(start, spread)| start + spread);
        let high = from.iter().zip(ends).map(|(extent, end)| extent - end).collect();
        let pad = Pad { low: self.start.clone(), high, interior };
        vec![Some(dy.trace().push(pad, &[dy, dy.trace().scalar(0.0, dy.dtype())]))]
    }

    fn reference(&self, args: &[&Array], ty: &Type) -> Array {
        let source = |ix: &[usize], axis: usize| self.start[axis] + ix[axis] * self.step[axis];
        Array::from_fn(&ty.shape, |ix| {
            args[0][(0..ix.len()).map(|axis| source(ix, axis)).collect::<Vec<_>>()]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_error, check_op, run};

    #[test]
    fn has_the_gradient_of_its_definition() {
        check_op(&[&[5]], |x| x[0].slice([1], [4], [1]));
        check_op(&[&[7, 3]], |x| x[0].slice([1, 0], [6, 3], [2, 1]));
        check_op(&[&[7]], |x| x[0].slice([0], [7], [3]));
        check_op(&[&[7]], |x| x[0].slice([2], [3], [9]));
        check_op(&[&[3, 2]], |x| x[0].slice([3, 1], [3, 2], [2, 1]));
        check_op(&[&[0]], |x| x[0].slice([0], [0], [1]));
        check_op(&[&[]], |x| x[0].slice([], [], []));
    }

    #[test]
    fn keeps_every_so_many() {
        let x = Array::new([7], (0..7).map(f64::from).collect());
        let x = [(Type::f32([7]), x)];
        assert_eq!(run(&x, |_, x| x[0].slice([1], [7], [2])).data, [1.0, 3.0, 5.0]);
        assert_eq!(run(&x, |_, x| x[0].slice([1], [6], [2])).data, [1.0, 3.0, 5.0]);
        assert_eq!(run(&x, |_, x| x[0].slice([4], [4], [2])).data, [0.0; 0]);
    }

    #[test]
    fn rejects_what_lies_outside() {
        check_error(
            &[Type::f32([2, 3])],
            |_, x| x[0].slice([0, 1], [2, 4], [1, 1]),
            "`slice` from [0, 1] to [2, 4] does not lie within f32[2, 3]",
        );
        check_error(
            &[Type::f32([2])],
            |_, x| x[0].slice([2], [1], [1]),
            "`slice` from [2] to [1] does not lie within f32[2]",
        );
        check_error(
            &[Type::f32([2])],
            |_, x| x[0].slice([0], [1], [0]),
            "`slice` needs steps of 1 or more, got [0]",
        );
        check_error(
            &[Type::f32([2])],
            |_, x| x[0].slice([0, 0], [1], [1]),
            "`slice` needs one start, stop and step for each axis of f32[2], got [2, 1, 1]",
        );
    }
}
