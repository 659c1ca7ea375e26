//! A Rust file taken apart: its code without comments and strings, its comments, its functions.

/// Code and comments of a file, each with the lines of the whole.
pub(crate) struct Source {
    /// The code, with blanks for comments and for what strings and characters hold.
    pub(crate) code: String,
    /// The comments, with blanks for everything else.
    pub(crate) comments: String,
}

/// What the next characters belong to.
enum Part {
    Code,
    LineComment,
    /// How many block comments are open.
    BlockComment(usize),
    /// Ends at a quote, unless that is escaped.
    Text,
    /// Ends at a quote and this many `#`.
    RawText(usize),
}

impl Part {
    fn is_comment(&self) -> bool {
        matches!(self, Part::LineComment | Part::BlockComment(_))
    }
}

impl Source {
    /// Takes a file apart.
    pub(crate) fn new(text: &str) -> Source {
        let letters: Vec<char> = text.chars().collect();
        let mut source = Source { code: String::new(), comments: String::new() };
        let (mut at, mut part) = (0, Part::Code);
        while at < letters.len() {
            let here = &letters[at..];
            let (len, next) = step(&part, here, at.checked_sub(1).map(|before| letters[before]));
            for &letter in &here[..len] {
                let blank = if letter == '\n' { '\n' } else { ' ' };
                let in_comment = part.is_comment() || next.as_ref().is_some_and(Part::is_comment);
                let in_code = !in_comment && matches!(part, Part::Code) && len == 1;
                source.comments.push(if in_comment { letter } else { blank });
                source.code.push(if in_code { letter } else { blank });
            }
            part = next.unwrap_or(part);
            at += len;
        }
        source
    }

    /// Line, name and number of lines of each function that has a body.
    pub(crate) fn functions(&self) -> Vec<(usize, String, usize)> {
        let mut found = vec![];
        for (at, _) in self.code.match_indices("fn ") {
            let before = self.code[..at].chars().next_back();
            let rest = &self.code[at + 3..];
            let name: String = rest.chars().take_while(|it| is_word(*it) || *it == '$').collect();
            if name.is_empty() || before.is_some_and(is_word) {
                continue;
            }
            if let Some(len) = body_end(rest) {
                let line = self.code[..at].matches('\n').count() + 1;
                found.push((line, name, rest[..len].matches('\n').count() + 1));
            }
        }
        found
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// How many characters to take from `here` at once, and the part that begins after them, if it is
/// another.
fn step(part: &Part, here: &[char], before: Option<char>) -> (usize, Option<Part>) {
    let starts = |text: &str| text.chars().zip(here).filter(|(a, b)| a == *b).count() == text.len();
    match part {
        Part::Code if starts("//") => (2, Some(Part::LineComment)),
        Part::Code if starts("/*") => (2, Some(Part::BlockComment(1))),
        Part::Code if starts("\"") => (1, Some(Part::Text)),
        Part::Code if here[0] == 'r' && !before.is_some_and(|it| is_word(it) && it != 'b') => {
            let hashes = here[1..].iter().take_while(|it| **it == '#').count();
            match here.get(1 + hashes) {
                Some('"') => (2 + hashes, Some(Part::RawText(hashes))),
                _ => (1, None),
            }
        }
        // A character, not a lifetime: the quote after the next, or after an escape, closes it.
        Part::Code if starts("'\\") => {
            let len = here[3..].iter().position(|it| *it == '\'').map_or(1, |end| end + 4);
            (len, None)
        }
        Part::Code if here[0] == '\'' && here.get(2) == Some(&'\'') => (3, None),
        Part::LineComment if here[0] == '\n' => (1, Some(Part::Code)),
        Part::BlockComment(depth) if starts("/*") => (2, Some(Part::BlockComment(depth + 1))),
        Part::BlockComment(1) if starts("*/") => (2, Some(Part::Code)),
        Part::BlockComment(depth) if starts("*/") => (2, Some(Part::BlockComment(depth - 1))),
        Part::Text if here[0] == '\\' => (2.min(here.len()), None),
        Part::Text if here[0] == '"' => (1, Some(Part::Code)),
        Part::RawText(hashes) if here[0] == '"' => {
            let closes = here[1..].iter().take(*hashes).filter(|it| **it == '#').count() == *hashes;
            if closes { (1 + hashes, Some(Part::Code)) } else { (1, None) }
        }
        _ => (1, None),
    }
}

/// Where the body of a function ends whose signature begins here; none if it has no body.
fn body_end(code: &str) -> Option<usize> {
    let (mut brackets, mut braces) = (0_i32, 0_i32);
    for (at, letter) in code.char_indices() {
        match letter {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets -= 1,
            ';' if brackets == 0 && braces == 0 => return None,
            '{' => braces += 1,
            '}' if braces == 1 => return Some(at),
            '}' if braces == 0 => return None,
            '}' => braces -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_code_comments_and_strings() {
        let text =
            "let a = \"// b\\\"\"; // c \"d\ne(r#\"f\"#, 'g', '\\'', 'h'.i) /* j /* k */ */ l";
        let Source { code, comments } = Source::new(text);
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words(&comments), "// c \"d /* j /* k */ */");
        assert!(code.starts_with("let a = \""));
        let code = words(&code);
        assert!(!code.contains('b') && !code.contains('f') && !code.contains('g'), "{code}");
        assert!(code.ends_with('l') && !code.contains('h'), "{code}");
        assert_eq!(Source::new(text).code.lines().count(), 2);
    }

    #[test]
    fn lifetimes_are_no_characters() {
        let code = "fn f<'a>(x: &'a str) -> &'a str { x }";
        assert_eq!(Source::new(code).code, code);
    }

    #[test]
    fn finds_functions_with_their_lines() {
        let text = "fn a(x: [u8; 2]) {\n    if b {\n    }\n}\ntrait T { fn c(); }\n\
                    type F = fn (u8);\nfn d() -> u8 { '}' as u8 }\n";
        let found = Source::new(text).functions();
        let wanted = [(1, "a".to_owned(), 4), (7, "d".to_owned(), 1)];
        assert_eq!(found, wanted);
    }
}
