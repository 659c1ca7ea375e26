//! Writing graphs in the notation of mathematics.
//!
//! A [`Trace`] is a graph in the making; a [`Tensor`] is a `Copy` handle on one of its values, with
//! operators. Nothing here fails on the spot: the first mistake is kept, everything computed from
//! it is void, and [`Trace::finish`] reports it. So formulas stay formulas, free of `?`.

use std::cell::RefCell;

use crate::{DType, Error, Fill, Graph, Leaf, Node, Op, Result, Type, Value};

/// A graph in the making.
#[derive(Default)]
pub struct Trace {
    graph: RefCell<Graph>,
    error: RefCell<Option<Error>>,
    origin: RefCell<Option<String>>,
}

/// A value of a [`Trace`], with the operators of mathematics.
#[derive(Clone, Copy)]
pub struct Tensor<'g> {
    trace: &'g Trace,
    value: Value,
}

/// Stands for every value computed from a mistake.
const VOID: Value = Value(u32::MAX);

impl Trace {
    /// An empty trace of a graph called `name`.
    pub fn new(name: impl Into<String>) -> Trace {
        Trace { graph: RefCell::new(Graph::new(name)), ..Trace::default() }
    }

    /// Applies an op; what does not type becomes the trace's error.
    pub fn push<'g>(&'g self, op: impl Into<Op>, args: &[Tensor<'g>]) -> Tensor<'g> {
        let args: Vec<Value> = args.iter().map(|arg| arg.value).collect();
        if args.contains(&VOID) {
            return self.tensor(VOID);
        }
        let pushed = self.graph.borrow_mut().push(op.into(), &args);
        match pushed {
            Ok(value) => self.tensor(value),
            Err(error) => self.fail(error),
        }
    }

    /// Records a mistake and returns a void tensor to carry on with.
    pub fn fail(&self, error: Error) -> Tensor<'_> {
        let origin = self.origin.borrow().clone();
        let error = Error { origin: error.origin.or(origin), ..error };
        self.error.borrow_mut().get_or_insert(error);
        self.tensor(VOID)
    }

    /// Names the layer that the next nodes belong to, and returns the one before.
    pub fn enter(&self, origin: Option<String>) -> Option<String> {
        self.origin.replace(origin)
    }

    /// The first mistake made so far, if any.
    pub fn error(&self) -> Option<Error> {
        self.error.borrow().clone()
    }

    /// A value given from outside at every run.
    pub fn input(&self, name: impl Into<String>, ty: Type) -> Tensor<'_> {
        self.push(Leaf::input(name, ty), &[])
    }

    /// A value that lives from one run to the next.
    pub fn weight(&self, path: impl Into<String>, ty: Type) -> Tensor<'_> {
        self.push(Leaf::weight(path, ty), &[])
    }

    /// States that `weight` takes the value `new` when the graph has run.
    pub fn update(&self, weight: Tensor<'_>, new: Tensor<'_>) {
        if weight.is_void() || new.is_void() {
            return;
        }
        let updated = self.graph.borrow_mut().update(weight.value, new.value);
        if let Err(error) = updated {
            self.fail(error);
        }
    }

    /// One number, of type `dtype` and without axes.
    pub fn scalar(&self, value: f64, dtype: DType) -> Tensor<'_> {
        self.push(Fill::new(value, Type::new(dtype, [])), &[])
    }

    /// The graph with these results, or the first mistake made while writing it.
    ///
    /// `outputs` names values of this trace; see [`Tensor::value`].
    pub fn finish(self, outputs: &[Value]) -> Result<Graph> {
        if let Some(error) = self.error.into_inner() {
            return Err(error);
        }
        let mut graph = self.graph.into_inner();
        outputs.iter().for_each(|&value| graph.output(value));
        Ok(graph)
    }

    /// The handle on a value of this trace, void if it has no such value.
    pub fn at(&self, value: Value) -> Tensor<'_> {
        let known = value.index() < self.graph.borrow().nodes().len();
        self.tensor(if known { value } else { VOID })
    }

    fn tensor(&self, value: Value) -> Tensor<'_> {
        Tensor { trace: self, value }
    }
}

impl<'g> Tensor<'g> {
    /// The trace this value belongs to.
    pub fn trace(self) -> &'g Trace {
        self.trace
    }

    /// The name of this value in the finished graph.
    pub fn value(self) -> Value {
        self.value
    }

    /// Whether this stands for the result of a mistake.
    pub fn is_void(self) -> bool {
        self.value == VOID
    }

    /// The tensor that stands for the result of a mistake, which the trace has recorded.
    pub(crate) fn void(self) -> Tensor<'g> {
        self.trace.tensor(VOID)
    }

    pub(crate) fn index(self) -> usize {
        self.value.index()
    }

    /// Element type and shape; of a void tensor, a scalar.
    pub fn ty(self) -> Type {
        match self.value {
            VOID => Type::f32([]),
            value => self.trace.graph.borrow()[value].ty.clone(),
        }
    }

    /// The extent of each axis.
    pub fn shape(self) -> Vec<usize> {
        self.ty().shape
    }

    /// The type of each element.
    pub fn dtype(self) -> DType {
        self.ty().dtype
    }

    /// The number of axes.
    pub fn rank(self) -> usize {
        self.ty().rank()
    }

    /// The extent of `axis`, counted from the end when negative.
    pub fn dim(self, axis: isize) -> usize {
        let shape = self.shape();
        self.axis(axis).map_or(1, |axis| shape[axis])
    }

    /// `axis` counted from the front, or a recorded mistake.
    pub fn axis(self, axis: isize) -> Option<usize> {
        let rank = self.rank() as isize;
        let index = if axis < 0 { axis + rank } else { axis };
        if !self.is_void() && !(0..rank).contains(&index) {
            self.trace.fail(Error::new(format!("{} has no axis {axis}", self.ty())));
        }
        (0..rank).contains(&index).then_some(index as usize)
    }

    /// Every value defined so far, up to and including this one.
    pub(crate) fn history(self) -> impl DoubleEndedIterator<Item = Tensor<'g>> {
        (0..=self.value.0).map(move |index| self.trace.tensor(Value(index)))
    }

    /// The op and the arguments that define this value.
    pub fn definition(self) -> (Op, Vec<Tensor<'g>>) {
        let graph = self.trace.graph.borrow();
        let Node { op, args, .. } = &graph[self.value];
        (op.clone(), args.iter().map(|&arg| self.trace.tensor(arg)).collect())
    }

    /// A tensor like this one, with every element equal to `value`.
    pub fn fill(self, value: f64) -> Tensor<'g> {
        if self.is_void() {
            return self;
        }
        self.trace.push(Fill::new(value, self.ty()), &[])
    }

    /// The product of the last axis with the rows of a matrix: `[.., k] · [k, n] -> [.., n]`.
    pub fn dot(self, matrix: Tensor<'g>) -> Tensor<'g> {
        let (mut shape, k) = (self.shape(), self.dim(-1));
        shape.pop();
        let rows = self.reshape([shape.iter().product(), k]);
        shape.push(matrix.dim(-1));
        rows.matmul(matrix).reshape(shape)
    }
}

/// The second operand of an elementwise op: a tensor, or a number that takes the first's type.
pub trait Operand<'g> {
    /// The operand as a tensor that can stand beside `like`.
    fn beside(self, like: Tensor<'g>) -> Tensor<'g>;
}

impl<'g> Operand<'g> for Tensor<'g> {
    fn beside(self, _: Tensor<'g>) -> Tensor<'g> {
        self
    }
}

impl<'g> Operand<'g> for f64 {
    fn beside(self, like: Tensor<'g>) -> Tensor<'g> {
        like.trace.scalar(self, like.dtype())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Array,
        testing::{check_error, check_op, run},
    };

    #[test]
    fn keeps_the_first_mistake_and_where_it_was_made() {
        let trace = Trace::new("test");
        let x = trace.input("x", Type::f32([2, 3]));
        assert_eq!(trace.enter(Some("model/dense (Dense)".to_owned())), None);
        let void = x.matmul(x).exp().reshape([7]).sum(-1);
        trace.enter(None);
        x.gather(x, 5);
        assert!(void.is_void());
        assert_eq!(
            trace.finish(&[]).unwrap_err().to_string(),
            "`matmul` contracts 3 with 2 in f32[2, 3] · f32[2, 3]\n    in: model/dense (Dense)"
        );
    }

    #[test]
    fn mistakes_reach_everything_computed_from_them() {
        let trace = Trace::new("test");
        let x = trace.input("x", Type::f32([2]));
        let void = x.exp().reshape([3]);
        let indices = trace.iota(0, Type::new(DType::I32, [2]));
        for y in [
            void + x,
            x + void,
            void.argmax(0),
            void.mean(..),
            void.gather(indices, 0),
            void.slice([0], [1], [1]),
            void.pad(0.0, [1], [1], [0]),
            void.dot(x),
            void.cast(DType::I32),
            void.fill(1.0),
            void.keep(x, 0),
            Tensor::concatenate(&[x, void], 0),
            Tensor::concatenate(&[void, x], 0),
        ] {
            assert!(y.is_void());
        }
        assert_eq!(
            trace.finish(&[]).unwrap_err().message,
            "`reshape` turns 2 elements of f32[2] into 3"
        );
    }

    #[test]
    fn dot_folds_leading_axes_into_rows() {
        check_op(&[&[2, 3], &[3, 4]], |x| x[0].dot(x[1]));
        check_op(&[&[2, 1, 3], &[3, 2]], |x| x[0].dot(x[1]));
        check_op(&[&[3], &[3, 2]], |x| x[0].dot(x[1]));
        check_op(&[&[0, 3], &[3, 2]], |x| x[0].dot(x[1]));
    }

    #[test]
    fn axes_count_from_either_end() {
        let trace = Trace::new("test");
        let x = trace.input("x", Type::f32([2, 3]));
        assert_eq!((x.dim(0), x.dim(-1), x.axis(-2)), (2, 3, Some(0)));
        check_error(
            &[Type::f32([2, 3])],
            |_, x| x[0].fill(x[0].dim(2) as f64),
            "f32[2, 3] has no axis 2",
        );
    }

    #[test]
    fn numbers_take_the_type_of_what_they_stand_beside() {
        let x = [(Type::new(DType::I32, [2]), Array::new([2], vec![5.0, -5.0]))];
        assert_eq!(run(&x, |_, x| x[0] + 2.9).data, [7.0, -3.0]);
        assert_eq!(run(&x, |_, x| 1.0 - x[0]).data, [-4.0, 6.0]);
    }
}
