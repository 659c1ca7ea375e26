//! What a run keeps, by name: all that training changes, in the form in which it is written down.

use std::collections::BTreeMap;

use oxhorn_io::{Number, Tensor};
use oxhorn_ir::{Error, Result};

/// Values by name, in the order of the names, which are paths: `callbacks/0/wait`.
///
/// Numbers are kept to the bit. What is not there is not named.
///
/// ```
/// use oxhorn::state::State;
///
/// let state = State::new().with("wait", 3_usize).with_some("best", Some(f64::NAN));
/// assert_eq!(state.value::<usize>("wait")?, 3);
/// assert!(state.find::<f64>("best")?.is_some_and(f64::is_nan));
/// assert_eq!(state.find::<f64>("worst")?, None);
/// # Ok::<(), oxhorn::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    entries: BTreeMap<String, Tensor>,
}

/// A value that can be kept.
pub trait Keep: Sized {
    /// What it is called in errors: `a number`.
    const NOUN: &'static str;

    /// The value as numbers.
    fn keep(&self) -> Tensor;

    /// The value that is these numbers; `None` if none is.
    fn read(kept: &Tensor) -> Option<Self>;
}

impl State {
    /// Nothing.
    pub fn new() -> State {
        State::default()
    }

    /// Keeps a value, in place of one of the same name.
    pub fn set(&mut self, name: &str, value: impl Keep) {
        self.insert(name, value.keep());
    }

    /// With this value besides.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Keep) -> State {
        self.set(name, value);
        self
    }

    /// With this value besides, if there is one.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl Keep>) -> State {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// With another state besides, whose names begin with `scope` and a slash here.
    #[must_use]
    pub fn with_part(mut self, scope: &str, part: State) -> State {
        self.set_part(scope, part);
        self
    }

    /// Keeps another state, whose names begin with `scope` and a slash here.
    pub fn set_part(&mut self, scope: &str, part: State) {
        let entries = part.entries.into_iter();
        self.entries.extend(entries.map(|(name, entry)| (format!("{scope}/{name}"), entry)));
    }

    /// What [`State::set_part`] was given for this scope: nothing, if it never was.
    #[must_use]
    pub fn part(&self, scope: &str) -> State {
        let scope = format!("{scope}/");
        let own = self.entries.iter();
        let own = own.filter_map(|(name, entry)| Some((name.strip_prefix(&scope)?, entry)));
        State { entries: own.map(|(name, entry)| (name.to_owned(), entry.clone())).collect() }
    }

    /// The value of this name.
    ///
    /// # Errors
    ///
    /// If there is none, or it is of another kind.
    pub fn value<T: Keep>(&self, name: &str) -> Result<T> {
        self.find(name)?.ok_or_else(|| {
            let names: Vec<&str> = self.entries.keys().map(String::as_str).collect();
            Error::new(format!("the state that was kept has no `{name}`"))
                .help(format!("it was kept by something else; it has: {}", names.join(", ")))
        })
    }

    /// The value of this name, if there is one.
    ///
    /// # Errors
    ///
    /// If it is of another kind.
    pub fn find<T: Keep>(&self, name: &str) -> Result<Option<T>> {
        let Some(kept) = self.entries.get(name) else { return Ok(None) };
        T::read(kept).map(Some).ok_or_else(|| {
            let (element, shape) = (kept.element().name(), kept.shape());
            Error::new(format!("`{name}` was kept as {element}{shape:?}, which is not {}", T::NOUN))
        })
    }

    /// Keeps numbers of any type.
    pub fn insert(&mut self, name: impl Into<String>, kept: Tensor) {
        self.entries.insert(name.into(), kept);
    }

    /// All values, in the order of their names.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&str, &Tensor)> {
        self.entries.iter().map(|(name, kept)| (name.as_str(), kept))
    }

    /// The numbers of this name.
    pub fn entry(&self, name: &str) -> Option<&Tensor> {
        self.entries.get(name)
    }

    /// The numbers of this name, which are not kept any more.
    pub fn remove(&mut self, name: &str) -> Option<Tensor> {
        self.entries.remove(name)
    }

    /// Gives the values of a scope other names in it, which stand in the order of those they had.
    ///
    /// # Errors
    ///
    /// Those of `names`.
    pub(crate) fn rename(
        &mut self,
        scope: &str,
        names: &mut dyn FnMut(Vec<String>) -> Result<Vec<String>>,
    ) -> Result<()> {
        let scope = format!("{scope}/");
        let own = |name: &String| name.strip_prefix(&scope).map(str::to_owned);
        let before: Vec<String> = self.entries.keys().filter_map(own).collect();
        let after = names(before.clone())?;
        let kept = before.iter().map(|name| self.entries.remove(&format!("{scope}{name}")));
        let kept: Vec<Tensor> = kept.flatten().collect();
        self.entries.extend(after.iter().map(|name| format!("{scope}{name}")).zip(kept));
        Ok(())
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All values by name, handed over.
    pub fn into_entries(self) -> impl Iterator<Item = (String, Tensor)> {
        self.entries.into_iter()
    }
}

impl FromIterator<(String, Tensor)> for State {
    fn from_iter<I: IntoIterator<Item = (String, Tensor)>>(entries: I) -> State {
        State { entries: entries.into_iter().collect() }
    }
}

/// The only number, if it is one of this type.
fn scalar<T: Number>(kept: &Tensor) -> Option<T> {
    let values = kept.values().ok().filter(|_| kept.shape().is_empty())?;
    values.first().copied()
}

/// The numbers of one axis, if they are of this type.
fn list<T: Number>(kept: &Tensor) -> Option<Vec<T>> {
    kept.values().ok().filter(|_| kept.shape().len() == 1)
}

impl Keep for f64 {
    const NOUN: &'static str = "a number";

    fn keep(&self) -> Tensor {
        Tensor::of([], &[*self])
    }

    fn read(kept: &Tensor) -> Option<f64> {
        scalar(kept)
    }
}

impl Keep for usize {
    const NOUN: &'static str = "a count";

    fn keep(&self) -> Tensor {
        Tensor::of([], &[*self as u64])
    }

    fn read(kept: &Tensor) -> Option<usize> {
        scalar::<u64>(kept)?.try_into().ok()
    }
}

impl Keep for bool {
    const NOUN: &'static str = "a truth value";

    fn keep(&self) -> Tensor {
        Tensor::of([], &[*self])
    }

    fn read(kept: &Tensor) -> Option<bool> {
        scalar(kept)
    }
}

impl Keep for Vec<f64> {
    const NOUN: &'static str = "a list of numbers";

    fn keep(&self) -> Tensor {
        Tensor::of([self.len()], self)
    }

    fn read(kept: &Tensor) -> Option<Vec<f64>> {
        list(kept)
    }
}

impl Keep for Vec<usize> {
    const NOUN: &'static str = "a list of counts";

    fn keep(&self) -> Tensor {
        let counts: Vec<u64> = self.iter().map(|&count| count as u64).collect();
        Tensor::of([counts.len()], &counts)
    }

    fn read(kept: &Tensor) -> Option<Vec<usize>> {
        list::<u64>(kept)?.into_iter().map(|count| count.try_into().ok()).collect()
    }
}

impl Keep for Vec<u32> {
    const NOUN: &'static str = "a list of words";

    fn keep(&self) -> Tensor {
        Tensor::of([self.len()], self)
    }

    fn read(kept: &Tensor) -> Option<Vec<u32>> {
        list(kept)
    }
}

/// A text is its bytes.
impl Keep for String {
    const NOUN: &'static str = "a text";

    fn keep(&self) -> Tensor {
        Tensor::of([self.len()], self.as_bytes())
    }

    fn read(kept: &Tensor) -> Option<String> {
        String::from_utf8(list(kept)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_to_the_bit() {
        let nan = f64::from_bits(0x7ff8_dead_beef_0001);
        let state = State::new()
            .with("nan", nan)
            .with("list", vec![-0.0, 5e-324, f64::INFINITY])
            .with("none", Vec::<f64>::new())
            .with("counts", vec![0_usize, 13])
            .with("text", "épochs \u{1f98f}".to_owned())
            .with("ends", true)
            .with_some("absent", None::<usize>);
        assert_eq!(state.value::<f64>("nan").map(f64::to_bits), Ok(nan.to_bits()));
        let list: Vec<f64> = state.value("list").expect("a list");
        assert_eq!(list.iter().map(|it| it.to_bits()).collect::<Vec<_>>()[0], 1 << 63);
        assert_eq!(list[1..], [5e-324, f64::INFINITY]);
        assert_eq!(state.value::<Vec<f64>>("none"), Ok(vec![]));
        assert_eq!(state.value::<Vec<usize>>("counts"), Ok(vec![0, 13]));
        assert_eq!(state.value::<String>("text").as_deref(), Ok("épochs \u{1f98f}"));
        assert_eq!(state.value::<bool>("ends"), Ok(true));
        assert_eq!(state.find::<usize>("absent"), Ok(None));
    }

    #[test]
    fn parts_are_states_again() {
        let part = State::new().with("wait", 2_usize);
        let state = State::new().with_part("callbacks/0", part.clone()).with("wait", 1_usize);
        assert_eq!(state.part("callbacks/0"), part);
        assert_eq!(state.part("callbacks").part("0"), part);
        assert_eq!(state.part("callback"), State::new());
    }

    #[test]
    fn what_is_missing_or_of_another_kind_is_named() {
        let state = State::new().with("wait", 2_usize);
        let error = state.value::<f64>("best").expect_err("nothing").to_string();
        let expected = "the state that was kept has no `best`\n  help: it was kept by something \
                        else; it has: wait";
        assert_eq!(error, expected);
        let error = state.value::<f64>("wait").expect_err("a count").message;
        assert_eq!(error, "`wait` was kept as uint64[], which is not a number");
    }
}
