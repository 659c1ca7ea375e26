//! Our ops as those of ONNX.

use std::collections::HashMap;

use oxhorn_io::{
    Element, Tensor,
    onnx::{self, Attribute, Node, Port, element_code},
};
use oxhorn_ir::{
    Binary, Compare, DType, Error, Graph, Op, Reduce, Reduction, Result, Role, Type, Unary, ensure,
};

use super::extents::Extent;

/// What the size of the batch is called.
const BATCH: &str = "batch";

/// Writes a graph, node after node.
pub(super) struct Writer<'a> {
    /// The same network for batches of different sizes.
    graphs: &'a [Graph; 3],
    /// The names of inputs.
    inputs: &'a [String],
    /// The value of a weight or of a number, by path.
    leaf: &'a dyn Fn(&str) -> Result<Tensor>,
    written: onnx::Graph,
    /// What each value of ours is called.
    names: Vec<String>,
    /// Lists of numbers that were written, and what they are called.
    lists: HashMap<Vec<Extent>, String>,
    /// How many names were made up.
    made: usize,
}

impl<'a> Writer<'a> {
    /// # Errors
    ///
    /// If the graphs differ in more than extents, or have an op that cannot be written.
    pub(super) fn new(
        graphs: &'a [Graph; 3],
        inputs: &'a [String],
        leaf: &'a dyn Fn(&str) -> Result<Tensor>,
    ) -> Result<Writer<'a>> {
        let (names, lists, made) = (vec![], HashMap::new(), 0);
        let mut writer =
            Writer { graphs, inputs, leaf, written: onnx::Graph::default(), names, lists, made };
        ensure!(
            graphs[0].updates().is_empty(),
            "the network keeps state from one prediction to the next, which ONNX does not"
        );
        let count = graphs[0].nodes().len();
        let same = graphs.iter().all(|graph| graph.nodes().len() == count);
        ensure!(same, "the network does something else for batches of other sizes");
        for index in 0..count {
            let name = writer.node(index)?;
            writer.names.push(name);
        }
        Ok(writer)
    }

    /// The whole graph, whose outputs have these names.
    pub(super) fn graph(mut self, name: &str, outputs: &[String]) -> Result<onnx::Graph> {
        self.written.name = name.to_owned();
        for (value, output) in self.graphs[0].outputs().iter().zip(outputs) {
            let port = self.port(output, value.index())?;
            self.written.outputs.push(port);
            let inputs = vec![self.names[value.index()].clone()];
            let (op, output, attributes) = ("Identity", output.clone(), vec![]);
            self.written.nodes.push(Node { op, inputs, output, attributes });
        }
        Ok(self.written)
    }

    /// The type of a value, as inputs and outputs state it.
    fn port(&self, name: &str, index: usize) -> Result<Port> {
        let axis = |extent: &Extent| match extent.number() {
            Some(extent) => onnx::Extent::Fixed(extent as usize),
            None if *extent == Extent { batches: 1, fixed: 0 } => {
                onnx::Extent::Named(BATCH.to_owned())
            }
            None => onnx::Extent::Named(format!("{}*{BATCH}+{}", extent.batches, extent.fixed)),
        };
        let shape = self.shape(index)?.iter().map(axis).collect();
        Ok(Port { name: name.to_owned(), element: self.ty(index).dtype.into(), shape })
    }

    fn ty(&self, index: usize) -> &'a Type {
        &self.graphs[0].nodes()[index].ty
    }

    /// The extents of a value.
    fn shape(&self, index: usize) -> Result<Vec<Extent>> {
        self.extents(|graph| graph.nodes()[index].ty.shape.clone())
    }

    /// Numbers of the graphs' nodes, as they depend on the batch.
    fn extents(&self, of: impl Fn(&'a Graph) -> Vec<usize>) -> Result<Vec<Extent>> {
        let [a, b, c] = self.graphs.each_ref().map(of);
        ensure!(
            a.len() == b.len() && a.len() == c.len(),
            "the network does something else for batches of other sizes"
        );
        a.iter().zip(b.iter().zip(&c)).map(|(a, (b, c))| Extent::of([*a, *b, *c])).collect()
    }

    /// Writes a node of ours; what its result is called.
    fn node(&mut self, index: usize) -> Result<String> {
        let nodes = self.graphs.each_ref().map(|graph| &graph.nodes()[index]);
        let [node, others @ ..] = nodes;
        let alike = others.iter().all(|other| {
            std::mem::discriminant(&other.op) == std::mem::discriminant(&node.op)
                && other.args == node.args
        });
        ensure!(alike, "the network does something else for batches of other sizes");
        let x: Vec<String> = node.args.iter().map(|it| self.names[it.index()].clone()).collect();
        let x: Vec<&str> = x.iter().map(String::as_str).collect();
        let dtype = node.args.first().map_or(node.ty.dtype, |x| self.ty(x.index()).dtype);
        match &node.op {
            Op::Leaf(leaf) => self.leaf(index, leaf.role, &leaf.name),
            Op::Fill(fill) => {
                let same = others.iter().all(|other| match &other.op {
                    Op::Fill(other) => other.value().to_bits() == fill.value().to_bits(),
                    _ => false,
                });
                ensure!(same, "a number of the network depends on the size of the batch");
                let scalar = self.scalar(fill.value(), node.ty.dtype);
                self.stretched(&scalar, index)
            }
            Op::Iota(iota) => self.iota(index, iota.axis),
            Op::Unary(op) => self.unary(*op, x[0], dtype),
            Op::Binary(op) => self.binary(*op, (x[0], x[1]), dtype),
            Op::Compare(op) => Ok(self.compare(*op, (x[0], x[1]))),
            Op::Select(_) => Ok(self.push("Where", &x)),
            Op::Cast(cast) => Ok(self.cast(x[0], cast.dtype)),
            Op::Reshape(_) => {
                let shape = self.shape(index)?;
                let shape = self.list(&shape);
                Ok(self.push_with("Reshape", &[x[0], &shape], vec![("allowzero", int(1))]))
            }
            Op::Transpose(op) => {
                Ok(self.push_with("Transpose", &x, vec![("perm", ints(&op.order))]))
            }
            Op::Broadcast(_) => self.stretched(x[0], index),
            Op::Slice(_) => self.slice(index, x[0]),
            Op::Pad(pad) => {
                ensure!(
                    pad.interior.iter().all(|gap| *gap == 0),
                    "padding between elements is not written as ONNX"
                );
                let pads = self.extents(|graph| match &graph.nodes()[index].op {
                    Op::Pad(pad) => [&pad.low[..], &pad.high].concat(),
                    _ => vec![],
                })?;
                let pads = self.list(&pads);
                Ok(self.push("Pad", &[x[0], &pads, x[1]]))
            }
            Op::Concatenate(op) => {
                Ok(self.push_with("Concat", &x, vec![("axis", int(op.axis as i64))]))
            }
            Op::Gather(op) => {
                self.gather(node.args[0].index(), (x[0], x[1]), op.axis, node.args[1].index())
            }
            Op::Reduce(op) => Ok(self.reduce(op, x[0])),
            Op::ArgMax(op) => {
                let settings = vec![("axis", int(op.axis as i64)), ("keepdims", int(0))];
                let index = self.push_with("ArgMax", &x, settings);
                Ok(self.cast(&index, DType::I32))
            }
            Op::MatMul(_) => Ok(self.push("MatMul", &x)),
            Op::RandomBits(_) => Err(unwritten("random_bits").help(
                "noise is off in what is exported; a layer that \
                    was called with `training=True` is not",
            )),
            Op::ScatterAdd(_) => Err(unwritten("scatter_add")),
        }
    }

    fn leaf(&mut self, index: usize, role: Role, name: &str) -> Result<String> {
        let feed =
            |(i, _): &(usize, &String)| name == crate::data::feed_name("x", *i, self.inputs.len());
        if role == Role::Input
            && let Some((_, input)) = self.inputs.iter().enumerate().find(feed)
        {
            let port = self.port(input, index)?;
            self.written.inputs.push(port);
            return Ok(input.clone());
        }
        let value = (self.leaf)(name)?;
        self.written.constants.push((name.to_owned(), value));
        Ok(name.to_owned())
    }

    /// Counts along an axis.
    fn iota(&mut self, index: usize, axis: usize) -> Result<String> {
        let (shape, dtype) = (self.shape(index)?, self.ty(index).dtype);
        let [start, step] = [0, 1].map(|it| self.scalar(it as f64, DType::I64));
        let extent = self.extent(shape[axis]);
        let counts = self.push("Range", &[&start, &extent, &step]);
        let counts = if dtype == DType::I64 { counts } else { self.cast(&counts, dtype) };
        let mut along = vec![Extent::fixed(1); shape.len()];
        along[axis] = shape[axis];
        let along = self.list(&along);
        let counts = self.push("Reshape", &[&counts, &along]);
        self.stretched(&counts, index)
    }

    fn unary(&mut self, op: Unary, x: &str, dtype: DType) -> Result<String> {
        let one = |writer: &mut Self| writer.scalar(1.0, dtype);
        Ok(match op {
            Unary::Neg => self.push("Neg", &[x]),
            Unary::Abs => self.push("Abs", &[x]),
            Unary::Sign => self.push("Sign", &[x]),
            Unary::Exp => self.push("Exp", &[x]),
            Unary::Expm1 => {
                let (exp, one) = (self.push("Exp", &[x]), one(self));
                self.push("Sub", &[&exp, &one])
            }
            Unary::Log => self.push("Log", &[x]),
            Unary::Log1p => {
                let one = one(self);
                let sum = self.push("Add", &[x, &one]);
                self.push("Log", &[&sum])
            }
            Unary::Sqrt => self.push("Sqrt", &[x]),
            Unary::Rsqrt => {
                let root = self.push("Sqrt", &[x]);
                self.push("Reciprocal", &[&root])
            }
            Unary::Recip => self.push("Reciprocal", &[x]),
            Unary::Tanh => self.push("Tanh", &[x]),
            Unary::Sigmoid => self.push("Sigmoid", &[x]),
            Unary::Erf => self.push("Erf", &[x]),
            Unary::Sin => self.push("Sin", &[x]),
            Unary::Cos => self.push("Cos", &[x]),
            Unary::Floor => self.push("Floor", &[x]),
            Unary::Ceil => self.push("Ceil", &[x]),
            Unary::Round => self.push("Round", &[x]),
            Unary::Not if dtype == DType::Bool => self.push("Not", &[x]),
            Unary::IsNan => self.push("IsNaN", &[x]),
            Unary::IsFinite => {
                let (nan, infinite) = (self.push("IsNaN", &[x]), self.push("IsInf", &[x]));
                let either = self.push("Or", &[&nan, &infinite]);
                self.push("Not", &[&either])
            }
            Unary::Not => return Err(unwritten("not, of integers,")),
            Unary::ErfInv => return Err(unwritten("erf_inv")),
        })
    }

    fn binary(&mut self, op: Binary, (a, b): (&str, &str), dtype: DType) -> Result<String> {
        let float = dtype.is_float();
        Ok(match op {
            Binary::Add => self.push("Add", &[a, b]),
            Binary::Sub => self.push("Sub", &[a, b]),
            Binary::Mul => self.push("Mul", &[a, b]),
            Binary::Div if float => self.push("Div", &[a, b]),
            Binary::Rem if float => self.push_with("Mod", &[a, b], vec![("fmod", int(1))]),
            Binary::Div | Binary::Rem => self.divided(op, (a, b), dtype),
            Binary::Pow => self.push("Pow", &[a, b]),
            Binary::Max => self.push("Max", &[a, b]),
            Binary::Min => self.push("Min", &[a, b]),
            Binary::And if dtype == DType::Bool => self.push("And", &[a, b]),
            Binary::Or if dtype == DType::Bool => self.push("Or", &[a, b]),
            Binary::Xor if dtype == DType::Bool => self.push("Xor", &[a, b]),
            Binary::And | Binary::Or | Binary::Xor | Binary::Shl | Binary::Shr => {
                return Err(unwritten("arithmetic on the bits of integers"));
            }
        })
    }

    /// Division of integers, of which ONNX does not say what it gives for a divisor of 0.
    fn divided(&mut self, op: Binary, (a, b): (&str, &str), dtype: DType) -> String {
        let [zero, one] = [0.0, 1.0].map(|number| self.scalar(number, dtype));
        let by_zero = self.push("Equal", &[b, &zero]);
        let divisor = self.push("Where", &[&by_zero, &one, b]);
        let quotient = match op {
            Binary::Rem => self.push_with("Mod", &[a, &divisor], vec![("fmod", int(1))]),
            _ => self.push("Div", &[a, &divisor]),
        };
        self.push("Where", &[&by_zero, &zero, &quotient])
    }

    fn compare(&mut self, op: Compare, (a, b): (&str, &str)) -> String {
        match op {
            Compare::Less => self.push("Less", &[a, b]),
            Compare::LessEqual => self.push("LessOrEqual", &[a, b]),
            Compare::Greater => self.push("Greater", &[a, b]),
            Compare::GreaterEqual => self.push("GreaterOrEqual", &[a, b]),
            Compare::Equal => self.push("Equal", &[a, b]),
            Compare::NotEqual => {
                let equal = self.push("Equal", &[a, b]);
                self.push("Not", &[&equal])
            }
        }
    }

    fn slice(&mut self, index: usize, x: &str) -> Result<String> {
        let part = |which: usize| {
            self.extents(|graph| match &graph.nodes()[index].op {
                Op::Slice(op) => [&op.start, &op.stop, &op.step][which].clone(),
                _ => vec![],
            })
        };
        let (start, stop, step) = (part(0)?, part(1)?, part(2)?);
        let axes: Vec<Extent> = (0..start.len()).map(Extent::fixed).collect();
        let [start, stop, axes, step] =
            [start, stop, axes, step].map(|numbers| self.list(&numbers));
        Ok(self.push("Slice", &[x, &start, &stop, &axes, &step]))
    }

    /// Slices by index; indices outside count as the nearest inside.
    fn gather(
        &mut self,
        from: usize,
        (x, indices): (&str, &str),
        axis: usize,
        chosen_by: usize,
    ) -> Result<String> {
        let dtype = self.ty(chosen_by).dtype;
        let extent = self.shape(from)?[axis];
        let last = Extent { fixed: extent.fixed - 1, ..extent };
        let last = match last.number() {
            Some(last) => self.scalar(last as f64, dtype),
            None => {
                let last = self.extent(last);
                self.cast(&last, dtype)
            }
        };
        let zero = self.scalar(0.0, dtype);
        let indices = self.push("Max", &[indices, &zero]);
        let indices = self.push("Min", &[&indices, &last]);
        Ok(self.push_with("Gather", &[x, &indices], vec![("axis", int(axis as i64))]))
    }

    fn reduce(&mut self, op: &Reduce, x: &str) -> String {
        if op.axes.is_empty() {
            return self.push("Identity", &[x]);
        }
        let mut settings = vec![("keepdims", int(0))];
        if op.reduction == Reduction::Sum {
            let axes: Vec<Extent> = op.axes.iter().map(|axis| Extent::fixed(*axis)).collect();
            let axes = self.list(&axes);
            return self.push_with("ReduceSum", &[x, &axes], settings);
        }
        settings.push(("axes", ints(&op.axes)));
        let name = match op.reduction {
            Reduction::Sum => "ReduceSum",
            Reduction::Prod => "ReduceProd",
            Reduction::Max => "ReduceMax",
            Reduction::Min => "ReduceMin",
        };
        self.push_with(name, &[x], settings)
    }

    /// `x`, repeated to the shape of this node.
    fn stretched(&mut self, x: &str, index: usize) -> Result<String> {
        let shape = self.shape(index)?;
        if shape.is_empty() {
            return Ok(x.to_owned());
        }
        let shape = self.list(&shape);
        Ok(self.push("Expand", &[x, &shape]))
    }

    fn cast(&mut self, x: &str, dtype: DType) -> String {
        let code = element_code(Element::from(dtype)) as i64;
        self.push_with("Cast", &[x], vec![("to", int(code))])
    }

    /// A number as a tensor without axes.
    fn scalar(&mut self, number: f64, dtype: DType) -> String {
        let tensor = match dtype {
            DType::Bool => Tensor::of([], &[number != 0.0]),
            DType::I32 => Tensor::of([], &[number as i32]),
            DType::I64 => Tensor::of([], &[number as i64]),
            DType::U32 => Tensor::of([], &[number as u32]),
            DType::F32 => Tensor::of([], &[number as f32]),
            DType::F64 => Tensor::of([], &[number]),
        };
        self.constant(tensor)
    }

    /// An extent as a tensor without axes, of type `i64`.
    fn extent(&mut self, extent: Extent) -> String {
        let list = self.list(&[extent]);
        let none = self.constant(Tensor::of([0], &[0_i64; 0]));
        self.push("Reshape", &[&list, &none])
    }

    /// Numbers as a tensor of one axis, of type `i64`.
    fn list(&mut self, numbers: &[Extent]) -> String {
        if let Some(name) = self.lists.get(numbers) {
            return name.clone();
        }
        let fixed: Vec<i64> = numbers.iter().map(|number| number.fixed).collect();
        let batches: Vec<i64> = numbers.iter().map(|number| number.batches).collect();
        let mut name = self.constant(Tensor::of([fixed.len()], &fixed));
        if batches.iter().any(|batches| *batches != 0) {
            let batches = self.constant(Tensor::of([batches.len()], &batches));
            let size = self.batch();
            let product = self.push("Mul", &[&size, &batches]);
            name = self.push("Add", &[&product, &name]);
        }
        self.lists.insert(numbers.to_vec(), name.clone());
        name
    }

    /// The size of the batch, as a tensor of one axis.
    fn batch(&mut self) -> String {
        let key = vec![Extent { batches: i64::MAX, fixed: 0 }];
        if let Some(name) = self.lists.get(&key) {
            return name.clone();
        }
        let input = self.inputs[0].clone();
        let settings = vec![("start", int(0)), ("end", int(1))];
        let name = self.push_with("Shape", &[&input], settings);
        self.lists.insert(key, name.clone());
        name
    }

    fn constant(&mut self, tensor: Tensor) -> String {
        let name = self.fresh();
        self.written.constants.push((name.clone(), tensor));
        name
    }

    fn push(&mut self, op: &'static str, inputs: &[&str]) -> String {
        self.push_with(op, inputs, vec![])
    }

    fn push_with(
        &mut self,
        op: &'static str,
        inputs: &[&str],
        attributes: Vec<(&'static str, Attribute)>,
    ) -> String {
        let (output, inputs) = (self.fresh(), inputs.iter().map(|it| (*it).to_owned()).collect());
        self.written.nodes.push(Node { op, inputs, output: output.clone(), attributes });
        output
    }

    /// A name that nothing has. Paths of weights do not begin with a percent sign.
    fn fresh(&mut self) -> String {
        self.made += 1;
        format!("%{}", self.made)
    }
}

fn int(value: i64) -> Attribute {
    Attribute::Int(value)
}

fn ints(values: &[usize]) -> Attribute {
    Attribute::Ints(values.iter().map(|value| *value as i64).collect())
}

fn unwritten(what: &str) -> Error {
    Error::new(format!("{what} is not written as ONNX"))
}
