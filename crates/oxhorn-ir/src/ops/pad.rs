//! `pad`: one number around a tensor, and between its elements.

use crate::{Array, Attributes, Cotangents, Operand, Result, Rule, Tensor, Type, ensure};

/// `y[low + ix · (1 + interior)] = x[ix]`, and `value` everywhere else, as XLA's `Pad`.
///
/// The arguments are the tensor and the value, a scalar of the same element type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pad {
    /// How many elements come before the first, for each axis.
    pub low: Vec<usize>,
    /// How many elements come after the last, for each axis.
    pub high: Vec<usize>,
    /// How many elements come between two neighbours, for each axis.
    pub interior: Vec<usize>,
}

impl Pad {
    pub(crate) fn parse(name: &str, attributes: &Attributes, _: &Type) -> Result<Option<Pad>> {
        match name {
            "pad" => Ok(Some(Pad {
                low: attributes.expect_ints("low")?,
                high: attributes.expect_ints("high")?,
                interior: attributes.expect_ints("interior")?,
            })),
            _ => Ok(None),
        }
    }

    /// How far an axis of extent `n` reaches once its elements stand apart.
    fn spread(&self, axis: usize, n: usize) -> usize {
        n.saturating_add(n.saturating_sub(1).saturating_mul(self.interior[axis]))
    }
}

impl<'g> Tensor<'g> {
    /// This tensor with `value` before, after and between its elements; see [`Pad`].
    pub fn pad(
        self,
        value: impl Operand<'g>,
        low: impl Into<Vec<usize>>,
        high: impl Into<Vec<usize>>,
        interior: impl Into<Vec<usize>>,
    ) -> Tensor<'g> {
        let pad = Pad { low: low.into(), high: high.into(), interior: interior.into() };
        self.trace().push(pad, &[self, value.beside(self)])
    }
}

impl Rule for Pad {
    fn name(&self) -> &'static str {
        "pad"
    }

    fn arity(&self) -> Option<usize> {
        Some(2)
    }

    fn attributes(&self) -> Attributes {
        let (low, high, interior) = (&self.low, &self.high, &self.interior);
        Attributes::default().ints("low", low).ints("high", high).ints("interior", interior)
    }

    fn infer(&self, args: &[&Type]) -> Result<Type> {
        let (x, value) = (args[0], args[1]);
        let wanted = Type::new(x.dtype, []);
        ensure!(*value == wanted, "`pad` needs a value of type {wanted}, got {value}");
        let given = [self.low.len(), self.high.len(), self.interior.len()];
        ensure!(
            given == [x.rank(); 3],
            "`pad` needs one low, high and interior for each axis of {x}, got {given:?}"
        );
        let extent = |axis: usize| {
            let spread = self.spread(axis, x.shape[axis]);
            self.low[axis].saturating_add(spread).saturating_add(self.high[axis])
        };
        Ok(x.reshaped((0..x.rank()).map(extent).collect::<Vec<_>>()))
    }

    fn vjp<'g>(&self, _: Tensor<'g>, x: &[Tensor<'g>], dy: Tensor<'g>) -> Cotangents<'g> {
        let stop = self.low.iter().zip(x[0].shape()).enumerate();
        let stop: Vec<usize> = stop.map(|(axis, (low, n))| low + self.spread(axis, n)).collect();
        let step: Vec<usize> = self.interior.iter().map(|gap| gap + 1).collect();
        let dx = dy.slice(self.low.clone(), stop, step);
        vec![Some(dx), Some(dy.sum(..) - dx.sum(..))]
    }

    fn reference(&self, args: &[&Array], ty: &Type) -> Array {
        let (x, value) = (args[0], args[1].scalar());
        let source = |ix: &[usize], axis: usize| {
            let offset = ix[axis].checked_sub(self.low[axis])?;
            let (i, gap) = (offset / (self.interior[axis] + 1), offset % (self.interior[axis] + 1));
            (gap == 0 && i < x.shape[axis]).then_some(i)
        };
        Array::from_fn(&ty.shape, |ix| {
            let found: Option<Vec<usize>> = (0..ix.len()).map(|axis| source(ix, axis)).collect();
            found.map_or(value, |found| x[found])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        DType,
        testing::{check_error, check_op, run},
    };

    #[test]
    fn has_the_gradient_of_its_definition() {
        check_op(&[&[3], &[]], |x| x[0].pad(x[1], [2], [1], [0]));
        check_op(&[&[3, 2], &[]], |x| x[0].pad(x[1], [0, 1], [2, 0], [1, 3]));
        check_op(&[&[1], &[]], |x| x[0].pad(x[1], [0], [0], [5]));
        check_op(&[&[0, 2], &[]], |x| x[0].pad(x[1], [1, 0], [1, 0], [2, 0]));
        check_op(&[&[], &[]], |x| x[0].pad(x[1], [], [], []));
        check_op(&[&[2]], |x| x[0].pad(0.5, [1], [1], [1]));
    }

    #[test]
    fn puts_the_value_before_between_and_after() {
        let x = [(Type::f32([3]), Array::new([3], vec![1.0, 2.0, 3.0]))];
        let y = run(&x, |_, x| x[0].pad(9.0, [1], [2], [1]));
        assert_eq!(y.data, [9.0, 1.0, 9.0, 2.0, 9.0, 3.0, 9.0, 9.0]);
    }

    #[test]
    fn of_nothing_is_the_value_alone() {
        let x = [(Type::f32([0]), Array::new([0], vec![]))];
        assert_eq!(run(&x, |_, x| x[0].pad(9.0, [1], [2], [4])).data, [9.0; 3]);
    }

    #[test]
    fn rejects_what_does_not_fit() {
        check_error(
            &[Type::f32([2]), Type::new(DType::F64, [])],
            |_, x| x[0].pad(x[1], [1], [1], [0]),
            "`pad` needs a value of type f32[], got f64[]",
        );
        check_error(
            &[Type::f32([2])],
            |_, x| x[0].pad(0.0, [1, 1], [1], [0]),
            "`pad` needs one low, high and interior for each axis of f32[2], got [2, 1, 1]",
        );
    }
}
