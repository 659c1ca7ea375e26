//! What a run keeps, by name: all that training changes, in the form in which it is written down.

use std::collections::BTreeMap;

use oxhorn_ir::{DType, Error, Result, Type};

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
    entries: BTreeMap<String, Entry>,
}

/// One value: elements of one type, in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Element type and shape.
    pub ty: Type,
    /// The elements, the lowest byte of each first.
    pub bytes: Vec<u8>,
}

/// A value that can be kept.
pub trait Keep: Sized {
    /// What it is called in errors: `a number`.
    const NOUN: &'static str;

    /// The value as elements.
    fn keep(&self) -> Entry;

    /// The value that has these elements; `None` if none has.
    fn read(entry: &Entry) -> Option<Self>;
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
        let Some(entry) = self.entries.get(name) else { return Ok(None) };
        T::read(entry).map(Some).ok_or_else(|| {
            Error::new(format!("`{name}` was kept as {}, which is not {}", entry.ty, T::NOUN))
        })
    }

    /// Keeps elements of any type.
    pub fn insert(&mut self, name: impl Into<String>, entry: Entry) {
        self.entries.insert(name.into(), entry);
    }

    /// All values, in the order of their names.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(name, entry)| (name.as_str(), entry))
    }

    /// The elements of this name.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }
}

impl Entry {
    /// Elements of one axis, each of so many bytes.
    fn list<const N: usize>(dtype: DType, elements: impl Iterator<Item = [u8; N]>) -> Entry {
        let bytes: Vec<u8> = elements.flatten().collect();
        Entry { ty: Type::new(dtype, [bytes.len() / N]), bytes }
    }

    /// The elements, if they are of this type and of one axis.
    fn elements<const N: usize>(&self, dtype: DType) -> Option<impl Iterator<Item = [u8; N]>> {
        let fits = self.ty.dtype == dtype && self.ty.rank() == 1 && self.is_whole();
        let elements = self.bytes.chunks_exact(N).filter_map(|it| it.try_into().ok());
        fits.then_some(elements)
    }

    /// The element, if it is of this type and the only one.
    fn element<const N: usize>(&self, dtype: DType) -> Option<[u8; N]> {
        let fits = self.ty.dtype == dtype && self.ty.rank() == 0;
        if fits { self.bytes.as_slice().try_into().ok() } else { None }
    }

    /// Whether there are as many bytes as the type says.
    pub fn is_whole(&self) -> bool {
        self.bytes.len() == self.ty.bytes()
    }
}

impl Keep for f64 {
    const NOUN: &'static str = "a number";

    fn keep(&self) -> Entry {
        Entry { ty: Type::new(DType::F64, []), bytes: self.to_le_bytes().to_vec() }
    }

    fn read(entry: &Entry) -> Option<f64> {
        entry.element(DType::F64).map(f64::from_le_bytes)
    }
}

impl Keep for usize {
    const NOUN: &'static str = "a count";

    fn keep(&self) -> Entry {
        Entry { ty: Type::new(DType::I64, []), bytes: (*self as i64).to_le_bytes().to_vec() }
    }

    fn read(entry: &Entry) -> Option<usize> {
        entry.element(DType::I64).and_then(|it| i64::from_le_bytes(it).try_into().ok())
    }
}

impl Keep for bool {
    const NOUN: &'static str = "a truth value";

    fn keep(&self) -> Entry {
        Entry { ty: Type::new(DType::Bool, []), bytes: vec![u8::from(*self)] }
    }

    fn read(entry: &Entry) -> Option<bool> {
        entry.element(DType::Bool).map(|[it]| it != 0)
    }
}

impl Keep for Vec<f64> {
    const NOUN: &'static str = "a list of numbers";

    fn keep(&self) -> Entry {
        Entry::list(DType::F64, self.iter().map(|it| it.to_le_bytes()))
    }

    fn read(entry: &Entry) -> Option<Vec<f64>> {
        Some(entry.elements(DType::F64)?.map(f64::from_le_bytes).collect())
    }
}

impl Keep for Vec<usize> {
    const NOUN: &'static str = "a list of counts";

    fn keep(&self) -> Entry {
        Entry::list(DType::I64, self.iter().map(|it| (*it as i64).to_le_bytes()))
    }

    fn read(entry: &Entry) -> Option<Vec<usize>> {
        let counts = entry.elements(DType::I64)?.map(i64::from_le_bytes);
        counts.map(|it| it.try_into().ok()).collect()
    }
}

impl Keep for Vec<u32> {
    const NOUN: &'static str = "a list of words";

    fn keep(&self) -> Entry {
        Entry::list(DType::U32, self.iter().map(|it| it.to_le_bytes()))
    }

    fn read(entry: &Entry) -> Option<Vec<u32>> {
        Some(entry.elements(DType::U32)?.map(u32::from_le_bytes).collect())
    }
}

/// A text is the numbers of its characters.
impl Keep for String {
    const NOUN: &'static str = "a text";

    fn keep(&self) -> Entry {
        self.chars().map(u32::from).collect::<Vec<u32>>().keep()
    }

    fn read(entry: &Entry) -> Option<String> {
        Vec::<u32>::read(entry)?.into_iter().map(char::from_u32).collect()
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
        assert_eq!(error, "`wait` was kept as i64[], which is not a number");
    }
}
