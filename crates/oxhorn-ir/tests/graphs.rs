//! The graphs in `tests/graphs`, one file a subject: each graph either parses, or fails at the line
//! that says `// error: …`, with exactly that message.

use std::{fs, path::Path};

use oxhorn_ir::{Graph, Result, prune, text::parse, verify::verify};

/// The lines of one graph, and how many lines of its file come before.
struct Case<'a> {
    before: usize,
    lines: Vec<&'a str>,
}

#[test]
fn parse_or_fail_exactly_where_and_how_they_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/graphs");
    let mut count = 0;
    for file in fs::read_dir(folder).expect("the folder is there") {
        let path = file.expect("the folder can be read").path();
        let text = fs::read_to_string(&path).expect("the file can be read");
        for case in cases(&text) {
            let place = format!("{}:{}", path.display(), case.before + 1);
            check(&case, &place);
            count += 1;
        }
    }
    assert!(count > 50, "found {count} graphs only");
}

fn cases(text: &str) -> Vec<Case<'_>> {
    let mut cases: Vec<Case<'_>> = vec![];
    for (before, line) in text.lines().enumerate() {
        if line.starts_with("graph ") {
            cases.push(Case { before, lines: vec![line] });
        } else if let Some(case) = cases.last_mut() {
            case.lines.push(line);
        }
    }
    cases
}

fn check(case: &Case<'_>, place: &str) {
    let parsed = parse(&case.lines.join("\n"));
    let mut errors = (1..).zip(&case.lines).filter_map(|(number, line)| {
        let (_, message) = line.split_once("// error: ")?;
        Some(format!("line {number}: {message}"))
    });
    match (errors.next(), parsed) {
        (None, Ok(graphs)) => graphs.iter().for_each(|graph| {
            verify(graph).unwrap_or_else(|error| panic!("{place}: {error}"));
            assert_eq!(reparsed(graph), Ok(vec![graph.clone()]), "{place}");
            verify(&prune(graph)).unwrap_or_else(|error| panic!("{place}, pruned: {error}"));
        }),
        (None, Err(error)) => panic!("{place}: {error}"),
        (Some(expected), Ok(_)) => panic!("{place} parses, but should fail: {expected}"),
        (Some(expected), Err(error)) => assert_eq!(error.message, expected, "{place}"),
    }
    assert_eq!(errors.next(), None, "{place}: only the first error of a graph can be found");
}

fn reparsed(graph: &Graph) -> Result<Vec<Graph>> {
    parse(&graph.to_string())
}
