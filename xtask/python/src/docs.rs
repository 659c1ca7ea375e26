//! Doc comments of Rust as docstrings of Python.

use crate::layout::{COLUMNS, wrap};

/// One paragraph, or what is kept together like one.
enum Block {
    /// `# Weights`
    Heading(String),
    /// Words that may be wrapped.
    Paragraph(String),
    /// `- ` and words that may be wrapped.
    Item(String),
    /// Lines that stay as they are.
    Verbatim(Vec<String>),
}

/// The docstring of a doc comment and of the parameters' own, with its quotes and its margin.
pub(crate) fn docstring(indent: usize, doc: &str, arguments: &[(String, String)]) -> String {
    let margin = " ".repeat(indent);
    let mut lines = body(indent, doc);
    if !arguments.is_empty() {
        lines.extend([String::new(), "Args:".to_owned()]);
        for (name, doc) in arguments {
            let text = format!("{name}: {}", plain(doc).replace('\n', " "));
            lines.extend(hanging(&text, indent + 4, "    ", "        "));
        }
    }
    let text = lines.join("\n");
    // Quotes stand behind a line that is alone, and ruff would let them stand out.
    if let ([only], false) = (lines.as_slice(), fits(indent, &text)) {
        let width = COLUMNS - indent;
        lines = wrap(only, width - 7, width);
    }
    let text = lines.join("\n");
    let prefix = if text.contains('\\') { "r" } else { "" };
    if lines.len() == 1 {
        return format!("{margin}{prefix}\"\"\"{text}\"\"\"\n");
    }
    let mut found = format!("{margin}{prefix}\"\"\"");
    for (index, line) in lines.iter().enumerate() {
        let own = if index == 0 || line.is_empty() { "" } else { &margin };
        found += &format!("{own}{line}\n");
    }
    found + &format!("{margin}\"\"\"\n")
}

/// Whether a docstring fits on one line, an `r` before its quotes included.
fn fits(indent: usize, text: &str) -> bool {
    indent + 7 + text.chars().count() <= COLUMNS
}

/// The lines of a doc comment, headings as the sections of a docstring.
fn body(indent: usize, doc: &str) -> Vec<String> {
    let (mut lines, mut inside): (Vec<String>, &str) = (vec![], "");
    let mut after_item = false;
    for block in blocks(&plain(doc)) {
        let is_item = matches!(block, Block::Item(_));
        let in_a_row = after_item && is_item || lines.last().is_some_and(|it| it.ends_with(':'));
        let goes_on = in_a_row && is_item;
        if !(lines.is_empty() || goes_on) {
            lines.push(String::new());
        }
        after_item = is_item;
        match block {
            Block::Heading(text) => {
                inside = "    ";
                lines.push(format!("{text}:"));
            }
            Block::Paragraph(text) => {
                // The quotes stand before the first line.
                let first = if lines.is_empty() { 3 } else { 0 };
                let width = COLUMNS - indent - inside.len();
                let wrapped = wrap(&text, width - first, width);
                lines.extend(wrapped.into_iter().map(|line| format!("{inside}{line}")));
            }
            Block::Item(text) => {
                let after = format!("{inside}  ");
                lines.extend(hanging(&format!("- {text}"), indent, inside, &after));
            }
            Block::Verbatim(text) => {
                lines.extend(text.into_iter().map(|line| format!("{inside}{line}")));
            }
        }
    }
    lines
}

/// A wrapped text whose first line has another margin than the rest.
fn hanging(text: &str, indent: usize, first: &str, others: &str) -> Vec<String> {
    let width = |margin: &str| COLUMNS - indent - margin.len();
    let lines = wrap(text, width(first), width(others)).into_iter().enumerate();
    lines
        .map(|(i, line)| if i == 0 { format!("{first}{line}") } else { format!("{others}{line}") })
        .collect()
}

/// The blocks of a text in Markdown, as far as doc comments use it.
fn blocks(text: &str) -> Vec<Block> {
    let mut found: Vec<Block> = vec![];
    let (mut is_open, mut fence) = (false, None::<Vec<String>>);
    for line in text.lines() {
        if let Some(lines) = &mut fence {
            lines.push(line.to_owned());
            if line.starts_with("```") {
                found.extend(fence.take().map(Block::Verbatim));
            }
            continue;
        }
        let words = line.trim();
        if words.starts_with("```") {
            fence = Some(vec![words.to_owned()]);
            is_open = false;
        } else if let Some(heading) = words.strip_prefix("# ") {
            found.push(Block::Heading(heading.to_owned()));
            is_open = false;
        } else if let Some(item) = words.strip_prefix("- ") {
            found.push(Block::Item(item.to_owned()));
            is_open = true;
        } else if words.is_empty() {
            is_open = false;
        } else if let (true, Some(Block::Paragraph(text) | Block::Item(text))) =
            (is_open, found.last_mut())
        {
            *text += &format!(" {words}");
        } else {
            found.push(Block::Paragraph(words.to_owned()));
            is_open = true;
        }
    }
    found
}

/// The text with links into Rust's documentation as code: ``[`Adam`]`` is `` `Adam` ``.
fn plain(text: &str) -> String {
    let (mut found, mut rest) = (String::new(), text);
    while let Some((before, link)) = rest.split_once("[`") {
        let Some((path, after)) = link.split_once("`]") else { break };
        let name = path.trim_end_matches("()").rsplit("::").next().unwrap_or(path);
        found += &format!("{before}`{name}`");
        rest = after;
        if let Some((_, after)) = after.strip_prefix('(').and_then(|it| it.split_once(')')) {
            rest = after;
        }
    }
    found + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sentence_is_one_line() {
        assert_eq!(docstring(4, "A layer.", &[]), "    \"\"\"A layer.\"\"\"\n");
    }

    #[test]
    fn headings_lists_and_arguments_are_sections() {
        let doc = "One\nand more.\n\n# Weights\n\n- `a`: `[b]`\n- `c`: `[d]`, if\n  `e`\n\nEnd.";
        let arguments = [("units".to_owned(), "Their\nnumber.".to_owned())];
        let expected = "\"\"\"One and more.\n\nWeights:\n    - `a`: `[b]`\n    - `c`: `[d]`, if `e`\
            \n\n    End.\n\nArgs:\n    units: Their number.\n\"\"\"\n";
        assert_eq!(docstring(0, doc, &arguments), expected);
    }

    #[test]
    fn links_into_rust_become_names() {
        let text = "[`Adam`], [`Add`](super::Add), [`a::B::c`], [`d()`], [site](https://e.f)";
        assert_eq!(plain(text), "`Adam`, `Add`, `c`, `d`, [site](https://e.f)");
    }

    #[test]
    fn long_lines_are_wrapped_within_the_margin() {
        let doc = "word ".repeat(60);
        let arguments = [("name".to_owned(), doc.clone())];
        let text = docstring(8, &doc, &arguments);
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
        assert!(text.lines().any(|line| line.chars().count() > COLUMNS - 5), "{text}");
    }

    #[test]
    fn backslashes_need_raw_strings() {
        assert_eq!(docstring(0, r"\a", &[]), "r\"\"\"\\a\"\"\"\n");
    }
}
