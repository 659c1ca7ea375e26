//! What a report says of how its study can be repeated.

use std::fmt::Write;

use crate::{
    data::{Source, Split},
    escape::escaped,
    show,
    study::{Plan, Stopping, Study},
};

/// The command, the data and the plan, and every model's config.
pub(super) fn repeat(study: &Study) -> String {
    let mut html = format!(
        "<h2>How to repeat this</h2>\n<pre><code>{}</code></pre>\n<p class=\"note\">{}</p>\n<dl>\n",
        escaped(command(&study.data.source)),
        meaning(&study.data.source)
    );
    for (name, value) in facts(study) {
        let _ = writeln!(html, "<dt>{name}<dd>{}", escaped(&value));
    }
    html.push_str("</dl>\n");
    for variant in &study.variants {
        let mut config = serde_json::json!({ "model": variant.model });
        if !variant.numbers.is_empty() {
            config["numbers"] = serde_json::json!(variant.numbers);
        }
        let _ = writeln!(
            html,
            "<details><summary>Config of {}</summary>\n<pre><code>{}</code></pre></details>",
            escaped(&variant.name),
            escaped(&format!("{config:#}"))
        );
    }
    html
}

fn command(source: &Source) -> &'static str {
    match source {
        Source::Digits => "oxhorn replay report.html",
        Source::File { .. } => "oxhorn replay report.html --data FILE",
        Source::Memory => "oxhorn replay report.html --data ARRAYS.npz",
    }
}

fn meaning(source: &Source) -> &'static str {
    match source {
        Source::Digits => {
            "This trains every network again and compares every number, to the bit. The data are \
             in the program."
        }
        Source::File { .. } => {
            "This trains every network again and compares every number, to the bit. Without \
             <code>--data</code>, the file is looked for where it was."
        }
        Source::Memory => {
            "This trains every network again and compares every number, to the bit. The arrays \
             were in the memory of the program that made this report; it has to save them first."
        }
    }
}

fn facts(study: &Study) -> Vec<(&'static str, String)> {
    let Plan { epochs, batch_size, ref seeds, .. } = study.plan;
    let card = &study.data;
    let mut facts = vec![("Version", format!("Oxhorn {}", study.oxhorn))];
    match &card.source {
        Source::Digits => facts.push(("Data", format!("{}, in the program", card.name))),
        Source::Memory => facts.push(("Data", format!("{}, arrays in memory", card.name))),
        Source::File { path, target } => {
            facts.push(("Data", format!("{}, from {path}", card.name)));
            facts.extend(target.clone().map(|target| ("Target", target)));
        }
    }
    let shape: Vec<String> = card.shape.iter().map(usize::to_string).collect();
    facts.push(("Shape", shape.join(" × ")));
    facts.push(("SHA-256 of samples and targets", card.digest.clone()));
    facts.push((
        "Learnt from",
        match card.split {
            Split::Drawn { train } => format!("{}, drawn anew at each seed", show::count(train)),
            Split::Fixed { train } => format!("the first {}", show::count(train)),
        },
    ));
    facts.push(("Seeds", ranges(seeds)));
    facts.push(("Epochs", show::count(epochs)));
    facts.push(("Batch size", show::count(batch_size)));
    if let Stopping::WhenDecided { first } = study.plan.stopping {
        let when = "as soon as the primary measure is decided, looking from";
        facts.push(("Ends", format!("{when} {} on", show::of(first, "seed", "seeds"))));
    }
    facts
}

/// `0–9, 12`.
fn ranges(seeds: &[u32]) -> String {
    let mut parts: Vec<(u32, u32)> = Vec::new();
    for &seed in seeds {
        match parts.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(seed) => *last = seed,
            _ => parts.push((seed, seed)),
        }
    }
    let part = |(first, last): (u32, u32)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first}–{last}"),
    };
    parts.into_iter().map(part).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::fixture;

    #[test]
    fn seeds_are_written_as_ranges() {
        assert_eq!(ranges(&[0, 1, 2, 3, 7, 9, 10, u32::MAX]), "0–3, 7, 9, 10, 4294967295");
        assert_eq!(ranges(&[]), "");
    }

    #[test]
    fn everything_that_is_needed_is_there() {
        let mut study = fixture::study(&[&[0.5, 0.6], &[0.4, 0.5]]);
        let target = Some("<label>".to_owned());
        study.data.source = Source::File { path: "a&b.csv".into(), target };
        study.variants[1].numbers.insert("dropout/rate".into(), 0.5);
        study.plan.stopping = Stopping::WhenDecided { first: 3 };
        let html = repeat(&study);
        for part in [
            "oxhorn replay report.html --data FILE",
            "<dd>digits, from a&amp;b.csv",
            "<dd>&lt;label&gt;",
            "<dd>0, 1\n",
            "<dd>1797 × 64",
            &study.data.digest,
            "<dd>500, drawn anew at each seed",
            "looking from 3 seeds on",
            "&quot;dropout/rate&quot;: 0.5",
        ] {
            assert!(html.contains(part), "{part} is not in {html}");
        }
    }
}
