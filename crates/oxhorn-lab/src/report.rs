//! The report of a study: one page of HTML that needs nothing else, and holds the study itself.

mod embedded;
mod repeat;
mod tables;

use std::fmt::Write;

pub(crate) use self::embedded::study;
use crate::{
    escape::escaped,
    figures::{self, Room, palette},
    reading, show,
    study::{Finding, Study},
    verdict, words,
};

const STYLE: &str = include_str!("report/style.css");

/// A study as a page: the verdict, what differs, figures, every run, and how to repeat it. The same
/// study gives the same bytes.
///
/// The page has no script and loads nothing; whatever texts the study has, they stay texts. The
/// study is in it as JSON, from which `oxhorn replay` repeats it.
pub fn html(study: &Study) -> String {
    let title = escaped(&verdict::title(study));
    let name = escaped(&study.title);
    let style = format!("{STYLE}{}", dark_figures());
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{name}: {title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<header>\n\
         <p class=\"kind\">{name}</p>\n<h1>{title}</h1>\n",
    );
    page.push_str(&said(study));
    page.push_str("</header>\n<main>\n");
    page.push_str(&tables::differences(study));
    page.push_str(&drawn(study));
    page.push_str(&readings(study));
    page.push_str("<h2>Runs</h2>\n");
    page.push_str(&tables::runs(study));
    page.push_str(&repeat::repeat(study));
    page.push_str("</main>\n");
    page.push_str(&embedded::element(study));
    page.push_str("\n</body>\n</html>\n");
    page
}

/// The verdict, and the size of the study.
fn said(study: &Study) -> String {
    let primary = study.comparisons.iter().filter(|it| it.measure == study.plan.primary);
    let findings: Vec<Finding> = primary.map(|it| it.finding).collect();
    let of_all = [Finding::Better, Finding::Worse, Finding::Diverged];
    let first = of_all.into_iter().find(|finding| findings.contains(finding));
    let class = tables::class(first.unwrap_or(Finding::NoDifference));
    let mut html = format!("<div class=\"verdict {class}\">\n");
    for paragraph in verdict::paragraphs(study) {
        let _ = writeln!(html, "<p>{}</p>", with_code(&paragraph));
    }
    html.push_str("</div>\n<ul class=\"facts\">\n");
    let train = study.data.split.train();
    let all = study.data.shape.first().copied().unwrap_or(0);
    let facts = [
        ("data", study.data.name.clone()),
        ("to learn from", show::count(train)),
        ("to validate on", show::count(all.saturating_sub(train))),
        ("variants", show::count(study.variants.len())),
        ("seeds", show::count(study.seeds())),
        ("epochs", show::count(study.plan.epochs)),
        ("batch size", show::count(study.plan.batch_size)),
        ("verdict by", words::measure(&study.plan.primary)),
    ];
    for (name, value) in facts {
        let _ = writeln!(html, "<li>{name} <b>{}</b></li>", escaped(&value));
    }
    html + "</ul>\n"
}

/// Every figure, for much room and for little; the page shows one of both.
fn drawn(study: &Study) -> String {
    let wide = figures::all(study, Room::Wide);
    let narrow = figures::all(study, Room::Narrow);
    let pairs = wide.iter().zip(&narrow);
    let figure = |((_, wide), (_, narrow)): (&(_, figures::Figure), &(_, figures::Figure))| {
        format!("<figure>\n{}\n{}\n</figure>\n", wide.inline("wide"), narrow.inline("narrow"))
    };
    pairs.map(figure).collect()
}

/// What is to be known of the curves.
fn readings(study: &Study) -> String {
    let paragraphs = (0..study.variants.len()).filter_map(|it| reading::paragraph(study, it));
    let paragraphs: String =
        paragraphs.map(|paragraph| format!("<p>{}</p>\n", with_code(&paragraph))).collect();
    if paragraphs.is_empty() {
        return paragraphs;
    }
    format!("<h2>Reading the curves</h2>\n{paragraphs}")
}

/// A text in which what stands between backticks is code.
fn with_code(text: &str) -> String {
    let text = escaped(text);
    let parts: Vec<&str> = text.split('`').collect();
    // An even number of parts would leave one without an end.
    if parts.len().is_multiple_of(2) {
        return text;
    }
    let mark = |(i, part): (usize, &str)| match i % 2 {
        0 => part.to_owned(),
        _ => format!("<code>{part}</code>"),
    };
    parts.into_iter().enumerate().map(mark).collect()
}

/// On a dark page, every colour of a figure is another.
fn dark_figures() -> String {
    let mut css = "@media (prefers-color-scheme: dark) {\n".to_owned();
    for palette::Color { light, dark } in palette::all() {
        for paint in ["fill", "stroke"] {
            let _ = writeln!(css, "  svg [{paint}=\"{light}\"] {{ {paint}: {dark}; }}");
        }
    }
    css + "}\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::fixture;

    #[test]
    fn the_page_says_shows_and_holds_the_study() {
        let study = fixture::study(&[&[0.5, 0.6, 0.7], &[0.4, 0.5, 0.61]]);
        let page = html(&study);
        for part in [
            "<h1>With dropout 0.5, validation loss is 16.1 % lower</h1>",
            "<div class=\"verdict better\">",
            "<li>seeds <b>3</b></li>",
            "<h2>Differences from none</h2>",
            "<details><summary>Every run (6)</summary>",
            "oxhorn replay report.html",
        ] {
            assert!(page.contains(part), "{part} is not in the page");
        }
        assert_eq!(page.matches("<figure>").count(), 3);
        assert_eq!(super::study(&page).unwrap(), study);
        assert_eq!(html(&study), page);
    }

    #[test]
    fn the_page_needs_nothing_else() {
        let page = html(&fixture::study(&[&[0.5, 0.6], &[0.4, 0.7]]));
        for part in ["src=", "href=", "url(", "@import", "javascript", "onload"] {
            assert!(!page.contains(part), "{part} is in the page");
        }
        // The name of SVG is no address that is asked for anything.
        let addresses = page.matches("http").count();
        assert_eq!(addresses - page.matches("http-equiv").count(), page.matches("xmlns").count());
        assert_eq!(page.matches("<script").count(), 1);
    }

    #[test]
    fn texts_stay_texts_wherever_they_stand() {
        let hostile = "\"><img src=x onerror='alert(1)'></script>&{";
        let mut study = fixture::study(&[&[0.5, 0.6, 0.4], &[0.4, 0.5, 0.3]]);
        study.title = hostile.into();
        study.oxhorn = hostile.into();
        study.data.name = hostile.into();
        study.data.digest = hostile.into();
        study.plan.primary = hostile.into();
        for variant in &mut study.variants {
            variant.name = hostile.into();
            variant.model = serde_json::json!({ hostile: hostile });
            variant.numbers.insert(hostile.into(), 0.5);
        }
        study.comparisons[0].measure = hostile.into();
        for run in &mut study.runs {
            let crate::study::Outcome::Finished(measured) = &mut run.outcome else { continue };
            measured.measures.insert(hostile.into(), 0.5);
            measured.curves.insert(hostile.into(), vec![0.5]);
        }
        let page = html(&study);
        assert!(!page.contains("<img"), "a text became a tag");
        assert_eq!(page.matches("<script").count(), 1);
        assert_eq!(page.matches("</script").count(), 1);
        assert_eq!(super::study(&page).unwrap(), study);
    }

    #[test]
    fn code_is_marked_where_it_ends() {
        assert_eq!(with_code("`a<b` and `c`"), "<code>a&lt;b</code> and <code>c</code>");
        assert_eq!(with_code("a ` b"), "a ` b");
    }

    #[test]
    fn every_study_has_a_page() {
        let odd = [f64::NAN, f64::MAX, f64::NEG_INFINITY, 5e-324];
        let studies: [&[&[f64]]; 4] = [&[], &[&[]], &[&[0.5]], &[&[0.5; 4], &odd]];
        for losses in studies {
            let page = html(&fixture::study(losses));
            assert!(page.ends_with("</html>\n"), "{page}");
        }
    }
}
