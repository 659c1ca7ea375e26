//! `input` and `weight`: values that come from outside the graph.

use crate::{Array, Attributes, Cotangents, Result, Rule, Tensor, Type};

/// A value given to the graph.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Leaf {
    /// Who gives it.
    pub role: Role,
    /// The name of an input, or the path of a weight: `dense_1/kernel`.
    pub name: String,
    /// The type it is given in.
    pub ty: Type,
}

/// How long a leaf's value lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Given anew at every run.
    Input,
    /// Kept from run to run, and updated by some graphs: weights, optimizer slots, seeds, totals.
    Weight,
}

impl Leaf {
    /// A value given anew at every run.
    pub fn input(name: impl Into<String>, ty: Type) -> Leaf {
        Leaf { role: Role::Input, name: name.into(), ty }
    }

    /// A value kept from run to run.
    pub fn weight(path: impl Into<String>, ty: Type) -> Leaf {
        Leaf { role: Role::Weight, name: path.into(), ty }
    }

    pub(crate) fn parse(name: &str, attributes: &Attributes, ty: &Type) -> Result<Option<Leaf>> {
        let role = match name {
            "input" => Role::Input,
            "weight" => Role::Weight,
            _ => return Ok(None),
        };
        Ok(Some(Leaf { role, name: attributes.expect_text()?, ty: ty.clone() }))
    }
}

impl Rule for Leaf {
    fn name(&self) -> &'static str {
        match self.role {
            Role::Input => "input",
            Role::Weight => "weight",
        }
    }

    fn arity(&self) -> Option<usize> {
        Some(0)
    }

    fn attributes(&self) -> Attributes {
        Attributes::default().text(&self.name)
    }

    fn infer(&self, _: &[&Type]) -> Result<Type> {
        Ok(self.ty.clone())
    }

    fn vjp<'g>(&self, _: Tensor<'g>, _: &[Tensor<'g>], _: Tensor<'g>) -> Cotangents<'g> {
        vec![]
    }

    fn reference(&self, _: &[&Array], _: &Type) -> Array {
        unreachable!("leaves are given, not computed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Op, text};

    #[test]
    fn needs_its_name() {
        let text = "graph g {\n    %0 = input : f32[2]\n}\n";
        assert_eq!(text::parse(text).unwrap_err().message, "line 2: a quoted name is missing");
    }

    #[test]
    fn prints_its_role_and_name() {
        assert_eq!(Op::from(Leaf::weight("a/b", Type::f32([]))).to_string(), "weight \"a/b\"");
    }
}
