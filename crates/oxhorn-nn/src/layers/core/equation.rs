//! The equations of `EinsumDense`: `ab,bc->ac` as shapes, and as a product of matrices.

use crate::prelude::*;

/// An equation `input,kernel->output`, whose letters are axes.
pub(super) struct Equation<'a> {
    text: &'a str,
    pub(super) input: &'a str,
    pub(super) kernel: &'a str,
    pub(super) output: &'a str,
    ellipsis: Ellipsis,
}

/// Where input and output have axes that no letter stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ellipsis {
    None,
    First,
    Last,
}

/// One axis of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    Letter(char),
    Elided(usize),
}

/// An equation's terms once the input is known.
pub(super) struct Terms {
    pub(super) input: Vec<Label>,
    pub(super) kernel: Vec<Label>,
    pub(super) output: Vec<Label>,
}

impl<'a> Equation<'a> {
    /// The equation that a text stands for.
    pub(super) fn parse(text: &'a str) -> Result<Equation<'a>> {
        let terms = text.split_once("->").and_then(|(from, output)| {
            from.split_once(',').map(|(input, kernel)| (input, kernel, output))
        });
        for ellipsis in [Ellipsis::None, Ellipsis::First, Ellipsis::Last] {
            if let Some((input, kernel, output)) = terms
                && let (Some(input), Some(output)) = (ellipsis.strip(input), ellipsis.strip(output))
                && [input, kernel, output].into_iter().all(is_word)
            {
                let equation = Equation { text, input, kernel, output, ellipsis };
                return equation.check().map(|()| equation);
            }
        }
        Err(Error::new(format!(
            "Invalid einsum equation '{text}'. Equations must be in the form [X],[Y]->[Z], \
             ...[X],[Y]->...[Z], or [X]...,[Y]->[Z]...."
        )))
    }

    /// Rejects letters that no input could make right.
    fn check(&self) -> Result<()> {
        let Equation { text, input, kernel, output, .. } = self;
        for term in [input, kernel, output] {
            let twice = (1..).zip(term.chars()).find(|(next, axis)| term[*next..].contains(*axis));
            if let Some((_, axis)) = twice {
                return Err(Error::new(format!(
                    "Invalid einsum equation '{text}': '{axis}' stands twice in '{term}'"
                )));
            }
        }
        let unmatched = |axis: &char| !input.contains(*axis) && !output.contains(*axis);
        if let Some(axis) = kernel.chars().find(unmatched) {
            return Err(Error::new(format!(
                "Weight dimension '{axis}' did not have a match in either the input spec \
                 '{input}' or the output spec '{output}'. For this layer, the weight must be \
                 fully specified."
            )));
        }
        let unmatched = |axis: &char| !input.contains(*axis) && !kernel.contains(*axis);
        if let Some(axis) = output.chars().find(unmatched) {
            return Err(Error::new(format!(
                "Dimension '{axis}' was specified in the output '{output}' but has no \
                 corresponding dim in the input spec '{input}' or weight spec '{kernel}'"
            )));
        }
        let samples = input.chars().next();
        ensure!(
            self.ellipsis == Ellipsis::First
                || samples == output.chars().next()
                    && !samples.is_some_and(|it| kernel.contains(it)),
            "Invalid einsum equation '{text}': samples are the first axis of input and output, and \
            no axis of the kernel"
        );
        Ok(())
    }

    /// The letters whose extents `output_shape` gives: all of the output, but for the samples'.
    pub(super) fn given(&self) -> &'a str {
        if self.ellipsis == Ellipsis::First { self.output } else { &self.output[1..] }
    }

    /// The terms with a label for each axis of an input of this many.
    pub(super) fn terms(&self, rank: usize) -> Result<Terms> {
        let elided = rank.checked_sub(self.input.len()).filter(|elided| match self.ellipsis {
            Ellipsis::None => *elided == 0,
            Ellipsis::First => *elided > 0, // The samples.
            Ellipsis::Last => true,
        });
        let Some(elided) = elided else {
            let text = self.text;
            return Err(Error::new(format!(
                "the input is incompatible with the layer: its equation is '{text}', found \
                 ndim={rank}"
            )));
        };
        let letters = |term: &str| term.chars().map(Label::Letter).collect::<Vec<Label>>();
        let elided: Vec<Label> = (0..elided).map(Label::Elided).collect();
        let whole = |term: &str| match self.ellipsis {
            Ellipsis::First => [&elided[..], &letters(term)].concat(),
            Ellipsis::None | Ellipsis::Last => [&letters(term)[..], &elided].concat(),
        };
        let (input, output) = (whole(self.input), whole(self.output));
        Ok(Terms { input, kernel: letters(self.kernel), output })
    }
}

impl Ellipsis {
    /// The term without the ellipsis, if it is there.
    fn strip(self, term: &str) -> Option<&str> {
        match self {
            Ellipsis::None => Some(term),
            Ellipsis::First => term.strip_prefix("..."),
            Ellipsis::Last => term.strip_suffix("..."),
        }
    }
}

fn is_word(term: &str) -> bool {
    !term.is_empty() && term.bytes().all(|letter| letter.is_ascii_alphabetic())
}

impl Terms {
    /// The sum over all axes that are not in the output: one product of matrices, or one for each
    /// index of the axes that all three terms have.
    pub(super) fn product<'g>(&self, x: Tensor<'g>, kernel: Tensor<'g>) -> Tensor<'g> {
        let Terms { input: i, kernel: k, output: o } = self;
        let alone = |axis: &Label| !k.contains(axis) && !o.contains(axis);
        let summed: Vec<usize> = (0..i.len()).filter(|axis| alone(&i[*axis])).collect();
        let x = if summed.is_empty() { x } else { x.sum(summed) };
        let i: Vec<Label> = i.iter().copied().filter(|axis| !alone(axis)).collect();

        let pick = |from: &[Label], test: &dyn Fn(&Label) -> bool| -> Vec<Label> {
            from.iter().copied().filter(test).collect()
        };
        let each = pick(o, &|axis| i.contains(axis) && k.contains(axis));
        let rows = pick(&i, &|axis| !k.contains(axis));
        let inner = pick(k, &|axis| i.contains(axis) && !o.contains(axis));
        let columns = pick(k, &|axis| !i.contains(axis));

        let left = ordered(x, &i, &[&each[..], &rows, &inner].concat());
        let right = ordered(kernel, k, &[&each[..], &inner, &columns].concat());
        let (a, b) = (left.shape(), right.shape());
        let size = |extents: &[usize]| extents.iter().product::<usize>();
        let (m, n) = (&a[each.len()..][..rows.len()], &b[b.len() - columns.len()..]);
        let inner = size(&b[each.len()..b.len() - columns.len()]);
        let each_extents = &a[..each.len()];
        let y = left
            .reshape([each_extents, &[size(m), inner]].concat())
            .matmul(right.reshape([each_extents, &[inner, size(n)]].concat()))
            .reshape([each_extents, m, n].concat());
        ordered(y, &[&each[..], &rows, &columns].concat(), o)
    }
}

/// `x`, whose axes are labelled, with its axes in another order.
fn ordered<'g>(x: Tensor<'g>, labels: &[Label], order: &[Label]) -> Tensor<'g> {
    let place = |label: &Label| labels.iter().position(|it| it == label);
    x.transpose(order.iter().filter_map(place).collect::<Vec<usize>>())
}
