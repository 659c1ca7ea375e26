//! The layout of Python code: lines, brackets and paragraphs as ruff leaves them.

/// Columns of a line.
pub(crate) const COLUMNS: usize = 100;

/// When brackets are spread over a line for each item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spread {
    /// When the items do not fit on one line of their own: calls and parameters.
    Late,
    /// When the whole does not fit on one line: lists and dictionaries.
    Early,
}

/// `head`, the items with commas, `tail`, on as few lines as ruff takes for it.
pub(crate) fn bracketed(
    indent: usize,
    head: &str,
    items: &[String],
    tail: &str,
    spread: Spread,
) -> String {
    let margin = " ".repeat(indent);
    let all = items.join(", ");
    let line = format!("{margin}{head}{all}{tail}\n");
    if columns(&line) <= COLUMNS {
        return line;
    }
    let inner = format!("{margin}    {all}\n");
    if spread == Spread::Late && columns(&inner) <= COLUMNS {
        return format!("{margin}{head}\n{inner}{margin}{tail}\n");
    }
    let each: String = items.iter().map(|item| format!("{margin}    {item},\n")).collect();
    format!("{margin}{head}\n{each}{margin}{tail}\n")
}

/// A tuple of strings under a name.
pub(crate) fn strings(indent: usize, name: &str, values: &[&str]) -> String {
    let items: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
    match items.as_slice() {
        [only] => format!("{}{name} = ({only},)\n", " ".repeat(indent)),
        _ => bracketed(indent, &format!("{name} = ("), &items, ")", Spread::Early),
    }
}

/// The words of a text on lines of this many columns at most; the first line has its own limit.
///
/// Code between backticks is one word.
pub(crate) fn wrap(text: &str, first: usize, others: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    let (mut line, mut in_code) = (String::new(), false);
    for word in text.split_whitespace() {
        let limit = if lines.is_empty() { first } else { others };
        // Where code is open, what was written of it goes along to the next line.
        let start = if in_code { code_start(&line) } else { line.len() };
        let before = line[..start].trim_end().len();
        if before > 0 && columns(&line) + 1 + columns(word) > limit {
            let rest = line.split_off(start);
            line.truncate(before);
            lines.push(std::mem::replace(&mut line, rest));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        in_code ^= word.matches('`').count() % 2 == 1;
    }
    lines.push(line);
    lines
}

/// Where the word begins that opens the last code of a line.
fn code_start(line: &str) -> usize {
    let tick = line.rfind('`').unwrap_or_default();
    line[..tick].rfind(' ').map_or(0, |blank| blank + 1)
}

fn columns(line: &str) -> usize {
    line.trim_end_matches('\n').chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(spread: Spread, length: usize) -> usize {
        let items = vec!["x".repeat(length), "y".to_owned()];
        bracketed(4, "function(", &items, ")", spread).lines().count()
    }

    #[test]
    fn brackets_spread_no_further_than_they_must() {
        // All on one line are 17 columns and the letters, the items on their own 11.
        assert_eq!([83, 84, 89, 90].map(|length| lines(Spread::Late, length)), [1, 3, 3, 4]);
        assert_eq!([83, 84, 89, 90].map(|length| lines(Spread::Early, length)), [1, 4, 4, 4]);
    }

    #[test]
    fn a_tuple_of_one_keeps_its_comma() {
        assert_eq!(strings(0, "A", &["b"]), "A = (\"b\",)\n");
        assert_eq!(strings(0, "A", &["b", "c"]), "A = (\"b\", \"c\")\n");
        assert_eq!(strings(0, "A", &[]), "A = ()\n");
    }

    #[test]
    fn words_are_wrapped_and_never_broken() {
        assert_eq!(wrap("one two three", 3, 9), ["one", "two three"]);
        assert_eq!(wrap("incomprehensible", 3, 3), ["incomprehensible"]);
        assert_eq!(wrap("one (`a b c`) two", 9, 9), ["one", "(`a b c`)", "two"]);
    }
}
