//! `Group`: a tree of named tensors with attributes, which is what files of weights hold.

use indexmap::IndexMap;
use oxhorn_ir::{Error, Result, ensure};

use crate::Tensor;

/// Tensors by path, in order: a tree without its attributes, as NPZ and safetensors hold one.
pub type Tensors = IndexMap<String, Tensor>;

/// A node of the tree: attributes, and members by name, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// What is said of the group, by name.
    pub attributes: IndexMap<String, Attribute>,
    /// What is in the group, by name.
    pub members: IndexMap<String, Member>,
}

/// What a group has under a name.
#[derive(Clone, Debug, PartialEq)]
pub enum Member {
    /// A group below it.
    Group(Group),
    /// A tensor.
    Dataset(Dataset),
}

/// A tensor with attributes.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// What is said of the tensor, by name.
    pub attributes: IndexMap<String, Attribute>,
    /// The numbers.
    pub tensor: Tensor,
}

/// What is said of a group or a tensor.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// One text.
    Text(String),
    /// A list of texts.
    Texts(Vec<String>),
    /// Numbers.
    Numbers(Tensor),
}

impl Group {
    /// The member at a path whose names are separated by `/`, if there is one.
    pub fn member(&self, path: &str) -> Option<&Member> {
        let Some((head, rest)) = path.split_once('/') else { return self.members.get(path) };
        match self.members.get(head)? {
            Member::Group(group) => group.member(rest),
            Member::Dataset(_) => None,
        }
    }

    /// The group at a path, if there is one; this one at the empty path.
    pub fn group(&self, path: &str) -> Option<&Group> {
        match path {
            "" => Some(self),
            _ => self.member(path).and_then(Member::as_group),
        }
    }

    /// The tensor at a path, if there is one.
    pub fn tensor(&self, path: &str) -> Option<&Tensor> {
        self.member(path).and_then(Member::as_tensor)
    }

    /// The group at a path, which is made where there is none; this one at the empty path.
    ///
    /// # Errors
    ///
    /// If there is a tensor at the path or on the way, or a name is empty, `.` or `..`.
    pub fn group_mut(&mut self, path: &str) -> Result<&mut Group> {
        if path.is_empty() {
            return Ok(self);
        }
        let mut group = self;
        for name in path.split('/') {
            check_name(name)?;
            let empty = || Member::Group(Group::default());
            group = match group.members.entry(name.to_owned()).or_insert_with(empty) {
                Member::Group(group) => group,
                Member::Dataset(_) => {
                    let message = format!("`{name}` of `{path}` is a tensor, and no group");
                    return Err(Error::new(message));
                }
            };
        }
        Ok(group)
    }

    /// Puts a tensor at a path, and makes the groups on the way.
    ///
    /// # Errors
    ///
    /// If there is something at the path, a tensor on the way, or a name is empty, `.` or `..`.
    pub fn insert(&mut self, path: &str, tensor: Tensor) -> Result<()> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        check_name(name)?;
        let group = self.group_mut(parent)?;
        ensure!(!group.members.contains_key(name), "there are two of `{path}`");
        let dataset = Dataset { attributes: IndexMap::new(), tensor };
        group.members.insert(name.to_owned(), Member::Dataset(dataset));
        Ok(())
    }

    /// All tensors by path, in order. Attributes and groups without tensors are not among them.
    pub fn flatten(&self) -> Tensors {
        let mut tensors = Tensors::new();
        self.walk("", &mut |path, tensor| {
            tensors.insert(path, tensor.clone());
        });
        tensors
    }

    /// The tree of tensors by path.
    ///
    /// # Errors
    ///
    /// If a tensor lies on the way to another, or a name is empty, `.` or `..`.
    pub fn unflatten(tensors: Tensors) -> Result<Group> {
        let mut root = Group::default();
        tensors.into_iter().try_for_each(|(path, tensor)| root.insert(&path, tensor))?;
        Ok(root)
    }

    fn walk(&self, prefix: &str, visit: &mut dyn FnMut(String, &Tensor)) {
        for (name, member) in &self.members {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            match member {
                Member::Group(group) => group.walk(&path, visit),
                Member::Dataset(dataset) => visit(path, &dataset.tensor),
            }
        }
    }
}

impl Member {
    /// The group, if it is one.
    pub fn as_group(&self) -> Option<&Group> {
        match self {
            Member::Group(group) => Some(group),
            Member::Dataset(_) => None,
        }
    }

    /// The tensor, if it is one.
    pub fn as_tensor(&self) -> Option<&Tensor> {
        match self {
            Member::Group(_) => None,
            Member::Dataset(dataset) => Some(&dataset.tensor),
        }
    }
}

impl Attribute {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Attribute::Text(text) => Some(text),
            Attribute::Texts(_) | Attribute::Numbers(_) => None,
        }
    }

    /// The list of texts, if it is one.
    pub fn as_texts(&self) -> Option<&[String]> {
        match self {
            Attribute::Texts(texts) => Some(texts),
            Attribute::Text(_) | Attribute::Numbers(_) => None,
        }
    }
}

impl From<&str> for Attribute {
    fn from(text: &str) -> Attribute {
        Attribute::Text(text.to_owned())
    }
}

impl From<Vec<String>> for Attribute {
    fn from(texts: Vec<String>) -> Attribute {
        Attribute::Texts(texts)
    }
}

/// Names of members, as HDF5 can have them.
fn check_name(name: &str) -> Result<()> {
    let plain = !name.is_empty() && name != "." && name != ".." && !name.contains('\0');
    ensure!(plain, "a name in a file of weights must not be empty, `.` or `..`, got {name:?}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar() -> Tensor {
        Tensor::of([], &[1.0f32])
    }

    #[test]
    fn paths_are_flat_and_trees_alike() {
        let mut root = Group::default();
        root.insert("b/0", scalar()).unwrap();
        root.insert("a", Tensor::of([0, 3], &[0i64; 0])).unwrap();
        let flat = root.flatten();
        assert_eq!(flat.keys().collect::<Vec<_>>(), ["b/0", "a"]);
        assert_eq!(Group::unflatten(flat).unwrap(), root);
        assert_eq!(root.tensor("b/0"), Some(&scalar()));
        assert_eq!(root.group("").map(|it| it.members.len()), Some(2));
        assert_eq!((root.member("b/1"), root.member("a/0"), root.group("a")), (None, None, None));
    }

    #[test]
    fn a_place_is_taken_once() {
        let mut root = Group::default();
        root.insert("a/b", scalar()).unwrap();
        let message = |result: Result<()>| result.unwrap_err().message;
        assert_eq!(message(root.insert("a/b", scalar())), "there are two of `a/b`");
        let within = message(root.insert("a/b/c", scalar()));
        assert_eq!(within, "`b` of `a/b` is a tensor, and no group");
        let wrong = "a name in a file of weights must not be empty, `.` or `..`, got";
        for (path, name) in [("", ""), ("a//b", ""), ("../b", ".."), ("a/.", "."), ("\0", "\0")] {
            assert_eq!(message(root.insert(path, scalar())), format!("{wrong} {name:?}"));
        }
    }
}
