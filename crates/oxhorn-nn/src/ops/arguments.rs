//! `Arguments`: what a caller hands to a function of `keras.ops`, by the names of its parameters.

use std::fmt;

use oxhorn_ir::{DType, Error, Result, Tensor, Trace, Type, ensure};

use super::{
    Function,
    signature::{Kind, Parameter, literal, parameters},
    types::{dtype_name, joined, named, real},
};

/// One thing that a caller hands over or gets back.
#[derive(Clone)]
pub enum Argument<'g> {
    /// A value of the trace.
    Tensor(Tensor<'g>),
    /// A list or tuple.
    List(Vec<Argument<'g>>),
    /// `None`
    None,
    /// `True` or `False`
    Bool(bool),
    /// A whole number. Where a tensor is expected, it takes the type of what it stands beside.
    Int(i64),
    /// A number, which does likewise, but that it makes reals of integers.
    Float(f64),
    /// A string, among them the names of types; `...` is `Ellipsis`.
    Text(String),
}

/// All that a caller hands to one function; what he leaves out has its default.
pub struct Arguments<'g> {
    trace: &'g Trace,
    function: &'static Function,
    values: Vec<(&'static str, Argument<'g>)>,
}

impl<'g> Arguments<'g> {
    /// Gives each argument to its parameter.
    ///
    /// # Errors
    ///
    /// In Python's words, if one is missing, unknown, superfluous or given twice.
    pub fn new(
        trace: &'g Trace,
        function: &'static Function,
        positional: Vec<Argument<'g>>,
        named: Vec<(String, Argument<'g>)>,
    ) -> Result<Self> {
        let (name, parameters) = (function.name, parameters(function.signature));
        let mut values = placed(name, &parameters, positional)?;
        for (key, value) in named {
            let known = parameters
                .iter()
                .filter(|it| !matches!(it.kind, Kind::Variadic | Kind::Rest))
                .find(|it| it.name == key);
            let Some(parameter) = known else {
                let message = format!("{name}() got an unexpected keyword argument '{key}'");
                return Err(Error::new(message));
            };
            let twice = values.iter().any(|(name, _)| *name == parameter.name);
            ensure!(!twice, "{name}() got multiple values for argument '{key}'");
            values.push((parameter.name, value));
        }
        complete(name, &parameters, &mut values)?;
        Ok(Arguments { trace, function, values })
    }

    /// The trace that is written.
    pub fn trace(&self) -> &'g Trace {
        self.trace
    }

    /// The function that is called.
    pub fn function(&self) -> &'static Function {
        self.function
    }

    /// What was handed over for a parameter.
    ///
    /// # Panics
    ///
    /// If the function has no such parameter.
    pub fn get(&self, name: &str) -> &Argument<'g> {
        let found = self.values.iter().find(|(known, _)| *known == name);
        &found.unwrap_or_else(|| panic!("`{}` has no parameter `{name}`", self.function.name)).1
    }

    /// Whether something else than `None` was handed over.
    pub(super) fn given(&self, name: &str) -> bool {
        !matches!(self.get(name), Argument::None)
    }

    /// An argument that is not what it should be.
    pub(super) fn wrong(&self, name: &str, expected: &str) -> Error {
        let (function, value) = (self.function.name, self.get(name));
        Error::new(format!(
            "`{function}`: Argument `{name}` must be {expected}. Received: {name}={value}"
        ))
    }

    /// The argument as a tensor: numbers and lists become constants.
    pub(super) fn tensor(&self, name: &str) -> Result<Tensor<'g>> {
        self.constant(name, self.get(name), None)
    }

    /// The argument as a tensor of real numbers.
    pub(super) fn real(&self, name: &str) -> Result<Tensor<'g>> {
        Ok(real(self.tensor(name)?))
    }

    /// The argument as a tensor of whole numbers that can choose elements.
    pub(super) fn indices(&self, name: &str) -> Result<Tensor<'g>> {
        let x = self.tensor(name)?;
        let is_index = x.dtype().is_int() || x.ty().is_empty();
        if !is_index {
            return Err(self.wrong(name, "a tensor of integers"));
        }
        Ok(if x.dtype() == DType::I64 { x } else { x.cast(DType::I32) })
    }

    /// The argument as a tensor, unless it is `None`.
    pub(super) fn tensor_or_none(&self, name: &str) -> Result<Option<Tensor<'g>>> {
        if self.given(name) { self.tensor(name).map(Some) } else { Ok(None) }
    }

    /// The arguments as tensors of the type that holds them all.
    pub(super) fn promoted<const N: usize>(&self, names: [&str; N]) -> Result<[Tensor<'g>; N]> {
        let dtype = self.joined_dtype(&names)?;
        let mut tensors = Vec::with_capacity(N);
        for name in names {
            tensors.push(self.constant(name, self.get(name), Some(dtype))?.cast(dtype));
        }
        Ok(tensors.try_into().unwrap_or_else(|_| unreachable!("as many tensors as names")))
    }

    /// The arguments as tensors of one type of real numbers.
    pub(super) fn promoted_real<const N: usize>(
        &self,
        names: [&str; N],
    ) -> Result<[Tensor<'g>; N]> {
        // Numbers keep their fractions: they must not be made integers first.
        let dtype = joined(self.joined_dtype(&names)?, DType::F32);
        let mut tensors = Vec::with_capacity(N);
        for name in names {
            tensors.push(self.constant(name, self.get(name), Some(dtype))?.cast(dtype));
        }
        Ok(tensors.try_into().unwrap_or_else(|_| unreachable!("as many tensors as names")))
    }

    /// The argument as a list of tensors, each of its own type; a tensor is the list of its rows.
    pub(super) fn tensors(&self, name: &str) -> Result<Vec<Tensor<'g>>> {
        match self.get(name) {
            Argument::List(items) => {
                items.iter().map(|item| self.constant(name, item, None)).collect()
            }
            Argument::Tensor(x) if x.rank() > 0 => {
                Ok((0..x.dim(0)).map(|row| super::shapes::at(*x, 0, row)).collect())
            }
            _ => Err(self.wrong(name, "a list of tensors")),
        }
    }

    /// The argument as a list of tensors of one type.
    pub(super) fn promoted_list(&self, name: &str) -> Result<Vec<Tensor<'g>>> {
        let dtype = self.joined_dtype(&[name])?;
        Ok(self.tensors(name)?.into_iter().map(|x| x.cast(dtype)).collect())
    }

    /// The type that holds all these arguments.
    fn joined_dtype(&self, names: &[&str]) -> Result<DType> {
        let mut seen = Seen::default();
        for name in names {
            seen.add(self.get(name), Strength::Weak).ok_or_else(|| self.wrong(name, "a tensor"))?;
        }
        Ok(seen.dtype())
    }

    /// `value` as a tensor; a number is of type `dtype`, if it is given.
    fn constant(
        &self,
        name: &str,
        value: &Argument<'g>,
        dtype: Option<DType>,
    ) -> Result<Tensor<'g>> {
        let mut seen = Seen::default();
        seen.add(value, Strength::Weak).ok_or_else(|| self.wrong(name, "a tensor"))?;
        let dtype = match value {
            Argument::List(_) => seen.dtype(),
            _ => dtype.unwrap_or_else(|| seen.dtype()),
        };
        let x = constant(self.trace, value, dtype).map_err(|ragged| {
            self.wrong(name, &format!("a list of tensors of one shape ({})", ragged.message))
        })?;
        match (x.is_void(), self.trace.error()) {
            (true, Some(error)) => Err(error),
            _ => Ok(x),
        }
    }

    /// `True` or `False`.
    pub(super) fn flag(&self, name: &str) -> Result<bool> {
        match self.get(name) {
            Argument::Bool(flag) => Ok(*flag),
            Argument::Int(flag @ (0 | 1)) => Ok(*flag == 1),
            _ => Err(self.wrong(name, "True or False")),
        }
    }

    /// A whole number.
    pub(super) fn int(&self, name: &str) -> Result<i64> {
        match self.get(name) {
            Argument::Int(int) => Ok(*int),
            Argument::Bool(flag) => Ok(i64::from(*flag)),
            _ => Err(self.wrong(name, "an integer")),
        }
    }

    /// A whole number, or `None`.
    pub(super) fn int_or_none(&self, name: &str) -> Result<Option<i64>> {
        if self.given(name) { self.int(name).map(Some) } else { Ok(None) }
    }

    /// A natural number.
    pub(super) fn extent(&self, name: &str) -> Result<usize> {
        let extent = usize::try_from(self.int(name)?);
        extent.map_err(|_| self.wrong(name, "an integer of 0 or more"))
    }

    /// A number.
    pub(super) fn float(&self, name: &str) -> Result<f64> {
        match self.get(name) {
            Argument::Int(int) => Ok(*int as f64),
            Argument::Float(float) => Ok(*float),
            _ => Err(self.wrong(name, "a number")),
        }
    }

    /// A number, or `None`.
    pub(super) fn float_or_none(&self, name: &str) -> Result<Option<f64>> {
        if self.given(name) { self.float(name).map(Some) } else { Ok(None) }
    }

    /// A string.
    pub(super) fn text(&self, name: &str) -> Result<&str> {
        match self.get(name) {
            Argument::Text(text) => Ok(text),
            _ => Err(self.wrong(name, "a string")),
        }
    }

    /// A whole number, or a list of such, as a list.
    pub(super) fn ints(&self, name: &str) -> Result<Vec<i64>> {
        let int = |item: &Argument| match item {
            Argument::Int(int) => Ok(*int),
            _ => Err(self.wrong(name, "an integer or a list of integers")),
        };
        match self.get(name) {
            Argument::List(items) => items.iter().map(int).collect(),
            item => Ok(vec![int(item)?]),
        }
    }

    /// The extents of a shape; a whole number is a shape of one axis.
    pub(super) fn shape(&self, name: &str) -> Result<Vec<usize>> {
        let extent = |int: i64| {
            usize::try_from(int).map_err(|_| self.wrong(name, "a shape without negative extents"))
        };
        self.ints(name)?.into_iter().map(extent).collect()
    }

    /// An element type, or `None`.
    pub(super) fn dtype_or_none(&self, name: &str) -> Result<Option<DType>> {
        match self.get(name) {
            Argument::None => Ok(None),
            Argument::Text(text) => named(text).map(Some),
            _ => Err(self.wrong(name, "the name of a dtype")),
        }
    }

    /// An axis of a tensor of this rank, counted from the front.
    pub(super) fn axis(&self, name: &str, rank: usize) -> Result<usize> {
        axis(self.int(name)?, rank)
    }

    /// Axes of a tensor of this rank, in the order given; for `None`, all.
    pub(super) fn axes(&self, name: &str, rank: usize) -> Result<Vec<usize>> {
        if !self.given(name) {
            return Ok((0..rank).collect());
        }
        self.ints(name)?.into_iter().map(|int| axis(int, rank)).collect()
    }

    /// Refuses an argument that has another value than its default.
    pub(super) fn refuse(&self, name: &str, default: &str) -> Result<()> {
        ensure!(
            self.get(name).to_string() == default,
            "`{}`: Argument `{name}` is not supported. Received: {name}={}",
            self.function.name, self.get(name); help: "leave it at {default}"
        );
        Ok(())
    }
}

/// An axis counted from the front, or an error in JAX' words.
pub(super) fn axis(axis: i64, rank: usize) -> Result<usize> {
    let index = if axis < 0 { axis + rank as i64 } else { axis };
    ensure!(
        (0..rank as i64).contains(&index),
        "axis {axis} is out of bounds for array of dimension {rank}"
    );
    Ok(index as usize)
}

/// Gives positional arguments to their parameters.
fn placed<'g>(
    function: &str,
    parameters: &[Parameter],
    mut positional: Vec<Argument<'g>>,
) -> Result<Vec<(&'static str, Argument<'g>)>> {
    let plain: Vec<&Parameter> = parameters.iter().filter(|it| it.kind == Kind::Plain).collect();
    let variadic = parameters.iter().find(|it| it.kind == Kind::Variadic);
    let (given, most) = (positional.len(), plain.len());
    let rest = if given > most { positional.split_off(most) } else { vec![] };
    let mut values: Vec<_> = plain.iter().map(|it| it.name).zip(positional).collect();
    if let Some(variadic) = variadic {
        values.push((variadic.name, Argument::List(rest)));
        return Ok(values);
    }
    let least = plain.iter().filter(|it| it.default.is_none()).count();
    let range = if least < most { format!("from {least} to {most}") } else { most.to_string() };
    let (plural, were) =
        (if most == 1 { "" } else { "s" }, if given == 1 { "was" } else { "were" });
    ensure!(
        rest.is_empty(),
        "{function}() takes {range} positional argument{plural} but {given} {were} given"
    );
    Ok(values)
}

/// Adds the defaults of what was left out.
fn complete<'g>(
    function: &str,
    parameters: &[Parameter],
    values: &mut Vec<(&'static str, Argument<'g>)>,
) -> Result<()> {
    let mut missing = vec![];
    for parameter in parameters {
        if values.iter().any(|(name, _)| *name == parameter.name) {
            continue;
        }
        match parameter.default {
            Some(default) => values.push((parameter.name, literal(default))),
            None if parameter.kind == Kind::Plain => missing.push(format!("'{}'", parameter.name)),
            None => (),
        }
    }
    let names = match missing.as_slice() {
        [] => return Ok(()),
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [first @ .., last] => format!("{}, and {last}", first.join(", ")),
    };
    let (count, plural) = (missing.len(), if missing.len() == 1 { "" } else { "s" });
    Err(Error::new(format!(
        "{function}() missing {count} required positional argument{plural}: {names}"
    )))
}

/// What types stand beside each other.
#[derive(Default)]
struct Seen {
    /// The type that holds all tensors and lists.
    strong: Option<DType>,
    /// The type that holds all numbers.
    weak: Option<DType>,
}

/// Whether a number gives way to the type of a tensor beside it.
#[derive(Clone, Copy, PartialEq)]
enum Strength {
    Weak,
    Strong,
}

impl Seen {
    /// Takes note of a value; `None` if it is no tensor, nor something that becomes one.
    fn add(&mut self, value: &Argument<'_>, strength: Strength) -> Option<()> {
        let number = match value {
            Argument::Tensor(x) => return self.note(x.dtype(), Strength::Strong),
            Argument::List(items) => {
                let mut inner = Seen::default();
                for item in items {
                    inner.add(item, Strength::Weak)?;
                }
                return self.note(inner.dtype(), Strength::Strong);
            }
            Argument::Bool(_) => DType::Bool,
            Argument::Int(_) => DType::I32,
            Argument::Float(_) => DType::F32,
            Argument::None | Argument::Text(_) => return None,
        };
        self.note(number, strength)
    }

    fn note(&mut self, dtype: DType, strength: Strength) -> Option<()> {
        let of = match strength {
            Strength::Weak => &mut self.weak,
            Strength::Strong => &mut self.strong,
        };
        *of = Some(of.map_or(dtype, |known| joined(known, dtype)));
        Some(())
    }

    /// The type that holds everything; of nothing, `f32`.
    fn dtype(&self) -> DType {
        match (self.strong, self.weak) {
            (None, None) => DType::F32,
            (Some(dtype), None) | (None, Some(dtype)) => dtype,
            (Some(strong), Some(DType::I32)) if strong != DType::Bool => strong,
            (Some(strong), Some(weak)) => joined(strong, weak),
        }
    }
}

/// The value as a tensor of this type.
fn constant<'g>(trace: &'g Trace, value: &Argument<'g>, dtype: DType) -> Result<Tensor<'g>> {
    Ok(match value {
        Argument::Tensor(x) => *x,
        Argument::Bool(flag) => trace.scalar(f64::from(u8::from(*flag)), dtype),
        Argument::Int(int) => trace.scalar(*int as f64, dtype),
        Argument::Float(float) => trace.scalar(*float, dtype),
        Argument::List(items) if items.is_empty() => {
            trace.push(oxhorn_ir::Fill::new(0.0, Type::new(dtype, [0])), &[])
        }
        Argument::List(items) => {
            let rows: Vec<Tensor> = items
                .iter()
                .map(|item| Ok(constant(trace, item, dtype)?.cast(dtype)))
                .collect::<Result<_>>()?;
            let shape = rows[0].shape();
            for row in &rows {
                let other = row.shape();
                ensure!(other == shape, "{shape:?} and {other:?} differ");
            }
            super::joining::stack(&rows, 0)
        }
        Argument::None | Argument::Text(_) => return Err(Error::new("neither tensor nor number")),
    })
}

/// As Python prints it; of a tensor, its type.
impl fmt::Display for Argument<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Argument::Tensor(x) => {
                write!(f, "<tensor shape={:?} dtype={}>", x.shape(), dtype_name(x.dtype()))
            }
            Argument::List(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                let comma = if items.len() == 1 { "," } else { "" };
                write!(f, "({}{comma})", items.join(", "))
            }
            Argument::None => write!(f, "None"),
            Argument::Bool(true) => write!(f, "True"),
            Argument::Bool(false) => write!(f, "False"),
            Argument::Int(int) => write!(f, "{int}"),
            Argument::Float(float) if float.fract() == 0.0 => write!(f, "{float:.1}"),
            Argument::Float(float) => write!(f, "{float}"),
            Argument::Text(text) => write!(f, "'{text}'"),
        }
    }
}
