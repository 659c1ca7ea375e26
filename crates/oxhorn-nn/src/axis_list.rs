//! Axes as Keras takes them: one, or a list.

use oxhorn_ir::{Result, Tensor};

use crate::config::{Field, Json};

/// One axis or several; negative ones count from the end.
#[derive(Clone, Debug, PartialEq)]
pub enum AxisList {
    /// `axis=0`
    One(isize),
    /// `axis=[0, 1]`
    Many(Vec<isize>),
}

impl AxisList {
    /// The axes as a list.
    pub fn as_slice(&self) -> &[isize] {
        match self {
            AxisList::One(axis) => std::slice::from_ref(axis),
            AxisList::Many(axes) => axes,
        }
    }

    /// A reduction of `x` along these axes, which stay at extent 1.
    pub(crate) fn reduce<'g>(
        &self,
        x: Tensor<'g>,
        reduce: fn(Tensor<'g>, Vec<usize>) -> Tensor<'g>,
    ) -> Tensor<'g> {
        let axes: Vec<usize> = self.as_slice().iter().filter_map(|&axis| x.axis(axis)).collect();
        let mut shape = x.shape();
        axes.iter().for_each(|&axis| shape[axis] = 1);
        reduce(x, axes).reshape(shape)
    }
}

impl From<isize> for AxisList {
    fn from(axis: isize) -> AxisList {
        AxisList::One(axis)
    }
}

impl<const N: usize> From<[isize; N]> for AxisList {
    fn from(axes: [isize; N]) -> AxisList {
        AxisList::Many(axes.to_vec())
    }
}

impl Field for AxisList {
    fn kind() -> String {
        "an axis or a list of axes".to_owned()
    }

    fn read(json: &Json) -> Result<AxisList> {
        match json {
            Json::Array(_) => Field::read(json).map(AxisList::Many),
            _ => Field::read(json).map(AxisList::One),
        }
    }

    fn write(&self) -> Json {
        match self {
            AxisList::One(axis) => axis.write(),
            AxisList::Many(axes) => axes.write(),
        }
    }
}

#[cfg(test)]
mod tests {
    use oxhorn_ir::{Trace, Type};

    use super::*;

    #[test]
    fn axes_count_from_either_end_and_stay_at_extent_1() {
        let trace = Trace::new("test");
        let x = trace.input("x", Type::f32([2, 3, 5]));
        assert_eq!(AxisList::from([0, -1]).reduce(x, Tensor::sum).shape(), [1, 3, 1]);
        assert!(trace.error().is_none());
        AxisList::from(3).reduce(x, Tensor::sum);
        assert_eq!(trace.error().expect("a mistake").message, "f32[2, 3, 5] has no axis 3");
    }
}
