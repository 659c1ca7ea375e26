//! `EinsumDense`: an affine map of any axes.

use super::equation::{Equation, Label, Terms};
use crate::{config::unexpected, prelude::*};

/// Multiplies its input with a kernel of weights and sums along the axes that an equation names:
/// `activation(einsum(equation, x, kernel) + bias)`.
///
/// In `abc,cd->abd` each letter is an axis: of the input, of the kernel, of the output. Axes that
/// the output lacks are summed along. The first axis of input and output is that of the samples.
/// `...` stands for any number of axes that input and output begin with, or end with.
///
/// # Weights
///
/// - `kernel`: an axis for each letter of the equation's second term
/// - `bias`: from the first of `bias_axes` on an axis for each of the output, of extent 1 for all
///   but `bias_axes`; if there are any
#[derive(Clone, Debug, PartialEq, Config)]
#[config(
    class = "keras.layers.EinsumDense",
    shape = "batch .. -> batch ..output",
    unsupported = ["quantization_config", "lora_rank", "lora_alpha", "gptq_unpacked_column_size"]
)]
pub struct EinsumDense {
    /// The terms of input, kernel and output: `abc,cd->abd`.
    pub equation: String,
    /// The extents of the output's letters, but for the samples'; none for those that the input
    /// has. One number if there is one letter.
    pub output_shape: OutputShape,
    /// Function applied to the result.
    #[config(default)]
    pub activation: Activation,
    /// The letters of the output along which the bias differs; without any there is no bias.
    #[config(default)]
    pub bias_axes: Option<String>,
    /// How the `kernel` is initialised, regularised and constrained.
    #[config(weight = "glorot_uniform")]
    pub kernel: Weight,
    /// The same for the `bias`.
    #[config(weight = "zeros")]
    pub bias: Weight,
}

/// Extents of an output, of which some may be left open.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputShape(pub Vec<Option<usize>>);

impl From<usize> for OutputShape {
    fn from(extent: usize) -> OutputShape {
        OutputShape(vec![Some(extent)])
    }
}

impl<const N: usize> From<[usize; N]> for OutputShape {
    fn from(extents: [usize; N]) -> OutputShape {
        OutputShape(extents.map(Some).to_vec())
    }
}

impl<const N: usize> From<[Option<usize>; N]> for OutputShape {
    fn from(extents: [Option<usize>; N]) -> OutputShape {
        OutputShape(extents.to_vec())
    }
}

impl Field for OutputShape {
    fn kind() -> String {
        "a non-negative integer or a list of such, or none".to_owned()
    }

    fn read(json: &Json) -> Result<OutputShape> {
        let extents = match json {
            Json::Array(_) => Field::read(json).map(OutputShape),
            _ => usize::read(json).map(OutputShape::from),
        };
        extents.map_err(|_| unexpected::<OutputShape>(json))
    }

    fn write(&self) -> Json {
        self.0.write()
    }
}

impl Layer for EinsumDense {
    fn check(&self) -> Result<()> {
        let equation = Equation::parse(&self.equation)?;
        let (letters, given) = (equation.given(), &self.output_shape.0);
        ensure!(
            letters.len() == given.len(),
            "`output_shape` of `EinsumDense` gives the extents of '{letters}' in '{}', got {} \
            extents",
            self.equation,
            given.len()
        );
        for (letter, extent) in letters.chars().zip(given) {
            ensure!(
                extent.is_some() || equation.input.contains(letter),
                "`output_shape` of `EinsumDense` leaves the extent of '{letter}' open, which is no \
                axis of the input in '{}'",
                self.equation
            );
            ensure!(
                *extent != Some(0),
                "`output_shape` of `EinsumDense` gives '{letter}' the extent 0"
            );
        }
        let Some(axes) = &self.bias_axes else { return Ok(()) };
        ensure!(!axes.is_empty(), "`bias_axes` of `EinsumDense` names no axis, got \"\"");
        let output = equation.output;
        match axes.chars().find(|axis| !output.contains(*axis)) {
            None => Ok(()),
            Some(axis) => Err(Error::new(format!(
                "Bias dimension '{axis}' was requested, but is not part of the output spec \
                 '{output}'"
            ))),
        }
    }

    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let x = x.cast(DType::F32);
        self.affine(cx, x).unwrap_or_else(|error| cx.trace().fail(error))
    }
}

impl EinsumDense {
    fn affine<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Result<Tensor<'g>> {
        let equation = Equation::parse(&self.equation)?;
        let terms = equation.terms(x.rank())?;
        let extents = self.extents(&equation, &terms, &x.shape())?;
        let extent = |label: &Label| {
            extents.iter().find(|(it, _)| it == label).map_or(1, |(_, extent)| *extent)
        };
        let shape: Vec<usize> = terms.kernel.iter().map(extent).collect();
        let kernel = cx.weight("kernel", shape, &self.kernel_policy(&terms)?);
        if kernel.is_void() {
            return Ok(kernel);
        }
        let mut y = terms.product(x, kernel);
        if let Some(axes) = &self.bias_axes {
            let bias = |label: &Label| matches!(label, Label::Letter(it) if axes.contains(*it));
            let behind = terms.output.iter().skip_while(|label| !bias(label));
            let shape: Vec<usize> =
                behind.map(|label| if bias(label) { extent(label) } else { 1 }).collect();
            y = y + cx.weight("bias", shape, &self.bias);
        }
        Ok(self.activation.apply(y))
    }

    /// The extent of each axis of input and output.
    fn extents(
        &self,
        equation: &Equation<'_>,
        terms: &Terms,
        input: &[usize],
    ) -> Result<Vec<(Label, usize)>> {
        let mut extents: Vec<(Label, usize)> =
            terms.input.iter().copied().zip(input.iter().copied()).collect();
        for (letter, given) in equation.given().chars().zip(&self.output_shape.0) {
            let known = extents.iter().find(|(label, _)| *label == Label::Letter(letter));
            match (known, given) {
                (Some((_, known)), Some(given)) => ensure!(
                    known == given,
                    "Input shape and output shape do not match at shared dimension '{letter}'. \
                    Input shape is {known}, and output shape is {given}."
                ),
                (None, Some(given)) => extents.push((Label::Letter(letter), *given)),
                (_, None) => {}
            }
        }
        Ok(extents)
    }

    /// The kernel's settings. An initializer that counts inputs and outputs is told by the equation
    /// which axes these are, unless it has been told both before.
    fn kernel_policy(&self, terms: &Terms) -> Result<Weight> {
        let mut envelope = self.kernel.initializer.envelope();
        let config = envelope.get_mut("config").and_then(Json::as_object_mut);
        let Some(config) = config.filter(|config| {
            let untold = |key: &str| config.get(key).is_some_and(Json::is_null);
            untold("input_axes") || untold("output_axes")
        }) else {
            return Ok(self.kernel.clone());
        };
        let axes = 0..terms.kernel.len();
        let (outputs, inputs): (Vec<usize>, Vec<usize>) =
            axes.partition(|axis| terms.output.contains(&terms.kernel[*axis]));
        config.insert("input_axes".into(), inputs.write());
        config.insert("output_axes".into(), outputs.write());
        Ok(Weight { initializer: Initializer::open(&envelope)?, ..self.kernel.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layer_error;

    #[test]
    fn rejects_equations_that_are_none() {
        for text in ["abc->ac", "ab,bc", "ab,bc->...ac", "a b,bc->ac", "...ab...,bc->ac", ",->"] {
            assert_eq!(
                EinsumDense::new(text, 3).check().unwrap_err().message,
                format!(
                    "Invalid einsum equation '{text}'. Equations must be in the form \
                     [X],[Y]->[Z], ...[X],[Y]->...[Z], or [X]...,[Y]->[Z]...."
                )
            );
        }
    }

    #[test]
    fn rejects_letters_that_stand_for_nothing() {
        let message = |text: &str| EinsumDense::new(text, 3).check().unwrap_err().message;
        assert_eq!(
            message("ab,bcd->ac"),
            "Weight dimension 'd' did not have a match in either the input spec 'ab' or the \
             output spec 'ac'. For this layer, the weight must be fully specified."
        );
        assert_eq!(
            message("ab,bc->acd"),
            "Dimension 'd' was specified in the output 'acd' but has no corresponding dim in the \
             input spec 'ab' or weight spec 'bc'"
        );
        assert_eq!(
            message("abb,bc->ac"),
            "Invalid einsum equation 'abb,bc->ac': 'b' stands twice in 'abb'"
        );
        assert_eq!(
            message("ab,bc->ca"),
            "Invalid einsum equation 'ab,bc->ca': samples are the first axis of input and \
             output, and no axis of the kernel"
        );
        let layer = EinsumDense::new("ab,bc->ac", 3).bias_axes("b");
        assert_eq!(
            layer.check().unwrap_err().message,
            "Bias dimension 'b' was requested, but is not part of the output spec 'ac'"
        );
    }

    #[test]
    fn rejects_extents_that_do_not_fit() {
        let check = |layer: EinsumDense| layer.check().unwrap_err().message;
        assert_eq!(
            check(EinsumDense::new("ab,bc->ac", [4, 5])),
            "`output_shape` of `EinsumDense` gives the extents of 'c' in 'ab,bc->ac', got 2 extents"
        );
        assert_eq!(
            check(EinsumDense::new("ab,bc->ac", [None])),
            "`output_shape` of `EinsumDense` leaves the extent of 'c' open, which is no axis of \
             the input in 'ab,bc->ac'"
        );
        assert_eq!(
            layer_error(EinsumDense::new("ab,bc->abc", [4, 5]), &[2, 3]).message,
            "Input shape and output shape do not match at shared dimension 'b'. Input shape is 3, \
             and output shape is 4."
        );
        assert_eq!(
            layer_error(EinsumDense::new("ab,bc->ac", 4), &[2, 3, 5]).message,
            "the input is incompatible with the layer: its equation is 'ab,bc->ac', found ndim=3"
        );
        assert_eq!(
            layer_error(EinsumDense::new("...b,bc->...c", 4), &[2]).message,
            "the input is incompatible with the layer: its equation is '...b,bc->...c', found \
             ndim=1"
        );
    }

    #[test]
    fn unknown_initializers_are_refused_as_everywhere() {
        let layer = EinsumDense::new("ab,bc->ac", 3).kernel_initializer("glorot");
        assert_eq!(
            layer_error(layer, &[2, 3]).message,
            "Could not interpret initializer identifier: glorot"
        );
    }
}
