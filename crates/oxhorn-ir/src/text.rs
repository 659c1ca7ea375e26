//! The text form of graphs, printed and parsed.
//!
//! ```text
//! graph dense {
//!     %0 = input "x"                 : f32[2, 3]
//!     %1 = weight "dense/kernel"     : f32[3, 4]
//!     %2 = matmul %0 %1              : f32[2, 4] // up to the end of the line, a comment
//!     %3 = sum %2 axes=[0]           : f32[4]
//!     return %2, %3
//! }
//! ```
//!
//! One statement a line. Values are numbered from 0 in the order of their definition; an op is
//! followed by its arguments, then its attributes, then its type. After the nodes come the updates,
//! `update %1 = %4`, and then at most one `return`. A name that is not made of letters, digits and
//! `_ - . /` alone stands in quotes.
//!
//! The parser adds nodes by [`Graph::push`], so that what it returns is as sound as what is traced,
//! and it compares each declared type with the inferred one.

use std::{fmt, iter::Peekable, str::Chars};

use crate::{Attribute, Attributes, DType, Error, Graph, Node, Op, Result, Type, Value, ensure};

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.as_str() {
            name if is_plain(name) => writeln!(f, "graph {name} {{")?,
            name => writeln!(f, "graph {name:?} {{")?,
        }
        for value in self.values() {
            let Node { op, args, ty } = &self[value];
            let args: String = args.iter().map(|arg| format!(" {arg}")).collect();
            let equation =
                format!("{value} = {}{args}{}", op.rule().name(), op.rule().attributes());
            writeln!(f, "    {equation:<30} : {ty}")?;
        }
        for (weight, new) in self.updates() {
            writeln!(f, "    update {weight} = {new}")?;
        }
        if !self.outputs().is_empty() {
            let outputs: Vec<String> = self.outputs().iter().map(Value::to_string).collect();
            writeln!(f, "    return {}", outputs.join(", "))?;
        }
        writeln!(f, "}}")
    }
}

/// The graphs that `text` holds, in their order.
///
/// # Errors
///
/// If the text is not of the form above, a node does not type, or its type is not the declared one;
/// the message begins with the number of the line.
pub fn parse(text: &str) -> Result<Vec<Graph>> {
    let (mut graphs, mut open, mut lines) = (vec![], None, 0);
    for line in text.lines() {
        lines += 1;
        let statement = Line::new(line).and_then(|line| statement(line, &mut open, &mut graphs));
        statement.map_err(|error| on_line(lines, error))?;
    }
    match open {
        None => Ok(graphs),
        Some(_) => Err(on_line(lines, Error::new("expected `}`, found the end of the text"))),
    }
}

fn on_line(number: usize, error: Error) -> Error {
    Error { message: format!("line {number}: {}", error.message), ..error }
}

/// One word of the text form.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// `matmul`, `f32`, `-0.5`
    Word(String),
    /// `"dense/kernel"`
    Quoted(String),
    /// `%7`
    Value(u32),
    /// `=`, `:`, `,` or a bracket
    Mark(char),
}

/// What is left of a line.
struct Line {
    tokens: std::vec::IntoIter<Token>,
}

/// Runs one line, within the graph that is `open` or between two.
fn statement(mut line: Line, open: &mut Option<Graph>, graphs: &mut Vec<Graph>) -> Result<()> {
    match (line.next(), open.as_mut()) {
        (None, _) => {}
        (Some(Token::Word(word)), None) if word == "graph" => {
            let name = match line.next() {
                Some(Token::Word(name) | Token::Quoted(name)) => name,
                other => return unexpected("the name of the graph", other),
            };
            line.mark('{')?;
            *open = Some(Graph::new(name));
        }
        (other, None) => return unexpected("`graph`", other),
        (Some(Token::Mark('}')), Some(_)) => graphs.extend(open.take()),
        (other, Some(graph)) if !graph.outputs().is_empty() => {
            return unexpected("`}` after `return`", other);
        }
        (Some(Token::Value(number)), Some(graph)) => node(number, &mut line, graph)?,
        (Some(Token::Word(word)), Some(graph)) if word == "update" => {
            let weight = line.value(graph)?;
            line.mark('=')?;
            graph.update(weight, line.value(graph)?)?;
        }
        (Some(Token::Word(word)), Some(graph)) if word == "return" => loop {
            let value = line.value(graph)?;
            graph.output(value);
            match line.next() {
                Some(Token::Mark(',')) => {}
                None => break,
                other => return unexpected("`,` or the end of the line", other),
            }
        },
        (other, Some(_)) => return unexpected("a value, `update`, `return` or `}`", other),
    }
    match line.next() {
        None => Ok(()),
        other => unexpected("the end of the line", other),
    }
}

/// `%2 = sum %1 axes=[0] : f32[4]`, from behind the number on.
fn node(number: u32, line: &mut Line, graph: &mut Graph) -> Result<()> {
    let next = graph.nodes().len();
    ensure!(number as usize == next, "expected %{next}, the next value, found %{number}");
    ensure!(graph.updates().is_empty(), "expected an update or `return`, found %{number}");
    line.mark('=')?;
    let name = line.word("the name of an op")?;
    let mut args = vec![];
    while let Some(Token::Value(_)) = line.peek() {
        args.push(line.value(graph)?);
    }
    let attributes = line.attributes()?;
    line.mark(':')?;
    let declared = line.ty()?;

    let Some(op) = Op::parse(&name, &attributes, &declared)? else {
        return Err(Error::new(format!("there is no op `{name}`")));
    };
    let known = op.rule().attributes();
    for (i, (given, _)) in attributes.0.iter().enumerate() {
        let takes = known.0.iter().any(|(known, _)| known == given);
        ensure!(takes, "`{name}` takes no attribute `{given}`");
        let once = attributes.0[..i].iter().all(|(before, _)| before != given);
        ensure!(once, "`{name}` takes the attribute `{given}` once");
    }
    let value = graph.push(op, &args)?;
    let inferred = &graph[value].ty;
    ensure!(*inferred == declared, "`{name}` gives {inferred}, not {declared}");
    Ok(())
}

impl Line {
    fn new(line: &str) -> Result<Line> {
        let (mut tokens, mut chars) = (vec![], line[..code(line)].chars().peekable());
        while let Some(&first) = chars.peek() {
            if is_word(first) {
                tokens.push(Token::Word(word(&mut chars)));
                continue;
            }
            chars.next();
            match first {
                '"' => tokens.push(Token::Quoted(quoted(&mut chars)?)),
                '%' => {
                    let digits = word(&mut chars);
                    let Ok(number) = digits.parse() else {
                        return Err(Error::new(format!("expected a value, found `%{digits}`")));
                    };
                    tokens.push(Token::Value(number));
                }
                '=' | ':' | ',' | '[' | ']' | '{' | '}' => tokens.push(Token::Mark(first)),
                _ => ensure!(first.is_whitespace(), "`{first}` has no meaning outside quotes"),
            }
        }
        Ok(Line { tokens: tokens.into_iter() })
    }

    fn next(&mut self) -> Option<Token> {
        self.tokens.next()
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.as_slice().first()
    }

    fn mark(&mut self, mark: char) -> Result<()> {
        match self.next() {
            Some(Token::Mark(found)) if found == mark => Ok(()),
            other => unexpected(&format!("`{mark}`"), other),
        }
    }

    fn word(&mut self, expected: &str) -> Result<String> {
        match self.next() {
            Some(Token::Word(word)) => Ok(word),
            other => unexpected(expected, other),
        }
    }

    /// A value that `graph` defines.
    fn value(&mut self, graph: &Graph) -> Result<Value> {
        match self.next() {
            Some(Token::Value(number)) => {
                let defined = (number as usize) < graph.nodes().len();
                ensure!(defined, "%{number} is used, but not defined above");
                Ok(Value(number))
            }
            other => unexpected("a value", other),
        }
    }

    /// `"dense/kernel" axis=1 axes=[0, 2] value=0.5`
    fn attributes(&mut self) -> Result<Attributes> {
        let mut attributes = Attributes::default();
        loop {
            match self.peek().cloned() {
                Some(Token::Quoted(text)) => {
                    self.next();
                    attributes = attributes.text(&text);
                }
                Some(Token::Word(name)) => {
                    self.next();
                    self.mark('=')?;
                    let attribute = match self.peek() {
                        Some(Token::Mark('[')) => Attribute::Ints(self.list()?),
                        _ => number(&self.word("a number or a list")?)?,
                    };
                    attributes.0.push((name, attribute));
                }
                _ => return Ok(attributes),
            }
        }
    }

    /// `[2, 3]`
    fn list<T: std::str::FromStr>(&mut self) -> Result<Vec<T>> {
        self.mark('[')?;
        let mut items = vec![];
        if self.peek() == Some(&Token::Mark(']')) {
            self.next();
            return Ok(items);
        }
        loop {
            let word = self.word("an integer")?;
            match word.parse() {
                Ok(item) => items.push(item),
                Err(_) => return unexpected("an integer", Some(Token::Word(word))),
            }
            match self.next() {
                Some(Token::Mark(',')) => {}
                Some(Token::Mark(']')) => return Ok(items),
                other => return unexpected("`,` or `]`", other),
            }
        }
    }

    /// `f32[2, 3]`
    fn ty(&mut self) -> Result<Type> {
        let name = self.word("a type")?;
        match DType::ALL.into_iter().find(|dtype| dtype.name() == name) {
            Some(dtype) => Ok(Type::new(dtype, self.list()?)),
            None => unexpected("an element type", Some(Token::Word(name))),
        }
    }
}

/// Where the comment begins that ends the line, or where the line itself ends.
fn code(line: &str) -> usize {
    let (mut within, mut escaped) = (false, false);
    for (at, c) in line.char_indices() {
        if !within && line[at..].starts_with("//") {
            return at;
        }
        within ^= c == '"' && !escaped;
        escaped = within && c == '\\' && !escaped;
    }
    line.len()
}

/// Whether a word may consist of such characters.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || "_-./".contains(c)
}

/// Whether a name can stand without quotes.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(is_word) && !name.contains("//")
}

fn word(chars: &mut Peekable<Chars<'_>>) -> String {
    std::iter::from_fn(|| chars.next_if(|&c| is_word(c))).collect()
}

/// The text up to the closing quote, with the escapes of Rust's string literals resolved.
fn quoted(chars: &mut Peekable<Chars<'_>>) -> Result<String> {
    let mut text = String::new();
    loop {
        match chars.next() {
            Some('"') => return Ok(text),
            Some('\\') => text.push(escape(chars)?),
            Some(c) => text.push(c),
            None => return Err(Error::new("expected `\"`, found the end of the line")),
        }
    }
}

/// The character that an escape, from behind its backslash on, stands for.
fn escape(chars: &mut Peekable<Chars<'_>>) -> Result<char> {
    let known = chars.next();
    let c = match known {
        Some('n') => Some('\n'),
        Some('r') => Some('\r'),
        Some('t') => Some('\t'),
        Some('0') => Some('\0'),
        Some('\\' | '"' | '\'') => known,
        Some('u') if chars.next() == Some('{') => {
            let digits: String = chars.take_while(|&c| c != '}').collect();
            u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)
        }
        _ => None,
    };
    c.ok_or_else(|| Error::new("a backslash in quotes begins none of the escapes of Rust"))
}

/// `1` is an integer, `1.0`, `1e-3`, `inf` and `NaN` are real.
fn number(word: &str) -> Result<Attribute> {
    let real = || word.parse().map(Attribute::Real);
    let found = word.parse().map(Attribute::Int).or_else(|_| real());
    found.map_err(|_| Error::new(format!("expected a number, found `{word}`")))
}

fn unexpected<T>(expected: &str, found: Option<Token>) -> Result<T> {
    let found = match found {
        None => "the end of the line".to_owned(),
        Some(Token::Word(word)) => format!("`{word}`"),
        Some(Token::Quoted(text)) => format!("{text:?}"),
        Some(Token::Value(number)) => format!("%{number}"),
        Some(Token::Mark(mark)) => format!("`{mark}`"),
    };
    Err(Error::new(format!("expected {expected}, found {found}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fill, Leaf, MatMul, Reduce, Reduction};

    const DENSE: &str = "\
graph dense {
    %0 = input \"x\"                 : f32[2, 3]
    %1 = weight \"dense/kernel\"     : f32[3, 4]
    %2 = matmul %0 %1              : f32[2, 4]
    %3 = sum %2 axes=[0]           : f32[4]
    %4 = fill value=-0.5           : f32[3, 4]
    update %1 = %4
    return %2, %3
}
";

    fn dense() -> Graph {
        let mut graph = Graph::new("dense");
        let x = graph.push(Leaf::input("x", Type::f32([2, 3])).into(), &[]).unwrap();
        let kernel = Leaf::weight("dense/kernel", Type::f32([3, 4]));
        let kernel = graph.push(kernel.into(), &[]).unwrap();
        let y = graph.push(MatMul.into(), &[x, kernel]).unwrap();
        let sum = Reduce { reduction: Reduction::Sum, axes: vec![0] };
        let sum = graph.push(sum.into(), &[y]).unwrap();
        let new = graph.push(Fill::new(-0.5, Type::f32([3, 4])).into(), &[]).unwrap();
        graph.update(kernel, new).unwrap();
        graph.output(y);
        graph.output(sum);
        graph
    }

    #[test]
    fn prints_one_node_a_line() {
        assert_eq!(dense().to_string(), DENSE);
    }

    #[test]
    fn parses_what_is_printed() {
        assert_eq!(parse(DENSE).unwrap(), [dense()]);
        let empty = Graph::new("nothing");
        let both = format!("// Two of them.\n{empty}\n{DENSE}// The end.\n");
        assert_eq!(parse(&both).unwrap(), [empty, dense()]);
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn names_survive_whatever_they_contain() {
        for name in ["", "a b", "a//b", "a/b", "\"{%0}\\", "é\n\t\r\0\u{1b}'", "// error"] {
            let mut graph = Graph::new(name);
            graph.push(Leaf::input(name, Type::f32([])).into(), &[]).unwrap();
            assert_eq!(parse(&graph.to_string()).unwrap(), [graph]);
        }
    }

    #[test]
    fn numbers_survive_whatever_they_are() {
        let numbers = [0.0, -0.0, 1e300, 5e-324, -1.5, 0.1, 1e16, f64::INFINITY, f64::NAN];
        for number in numbers.into_iter().chain([f64::NEG_INFINITY, -f64::NAN]) {
            let mut graph = Graph::new("fill");
            graph.push(Fill::new(number, Type::f32([1])).into(), &[]).unwrap();
            assert_eq!(parse(&graph.to_string()).unwrap(), [graph]);
        }
    }

    #[test]
    fn quotes_end_on_their_line() {
        let error = parse("graph g {\n    %0 = input \"x : f32[2] // \\\"\n}\n").unwrap_err();
        assert_eq!(error.message, "line 2: expected `\"`, found the end of the line");
    }

    #[test]
    fn a_text_cut_short_is_told_apart_from_a_whole_one() {
        let error = parse("graph cut {\n").unwrap_err();
        assert_eq!(error.message, "line 1: expected `}`, found the end of the text");
    }
}
