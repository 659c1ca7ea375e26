//! Replay: a report read again, its page compared with its study, its study with a new one.

use std::{
    collections::BTreeMap,
    fmt::{self, Display, Formatter},
    fs::{self, File},
    io::Read,
    path::Path,
};

use crate::{
    Error, Result,
    calibration::Bin,
    compare::{Lab, compare},
    data::{Card, Dataset},
    report,
    study::{Comparison, Measured, Outcome, Run, Study},
};

/// No report is larger, in bytes: a study of 500 runs of 1,000 epochs has a tenth of it.
const LARGEST: u64 = 1 << 28;
/// Of texts that differ, so many characters are shown.
const SHOWN: usize = 56;
/// Intervals come from functions of the platform's library, which may differ in their last digits
/// from one computer to the next; what they are made of is compared to the bit.
const TOLERANCE: f64 = 1e-9;

/// A report that was read.
pub struct Report {
    /// The study that it holds.
    pub study: Study,
    page: String,
}

/// A place where something is not as the report says.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// What and where: `dropout 0.5, seed 3: val_loss`.
    pub place: String,
    /// What the report says.
    pub reported: String,
    /// What should be there.
    pub found: String,
}

impl Display for Mismatch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Mismatch { place, reported, found } = self;
        write!(f, "{place}\n  reported: {reported}\n  now:      {found}")
    }
}

impl Report {
    /// Reads a report.
    ///
    /// # Errors
    /// When there is no such file, it is too large to be a report, or it has no study.
    pub fn open(path: &Path) -> Result<Report> {
        let shown = path.display();
        let unread = |error: &dyn Display| {
            Error::new(format!("cannot read {shown}: {error}"))
                .help("give a report that `oxhorn study` or `oxhorn demo` wrote")
        };
        let file = fs::metadata(path).map_err(|error| unread(&error))?;
        if !file.is_file() {
            return Err(unread(&"it is no file"));
        }
        if file.len() > LARGEST {
            let message = format!("{shown} has {} bytes, more than any report", file.len());
            return Err(Error::new(message).help(format!("a report has {LARGEST} at most")));
        }
        let mut page = String::new();
        let opened = File::open(path).map_err(|error| unread(&error))?;
        // It may have grown since.
        opened.take(LARGEST).read_to_string(&mut page).map_err(|error| unread(&error))?;
        let study = report::study(&page).map_err(|error| error.at(shown.to_string()))?;
        Ok(Report { study, page })
    }

    /// Where the page is not the one that the study in it gives: what people read, or the study,
    /// was changed, or another version of Oxhorn wrote it.
    pub fn edited(&self) -> Option<Mismatch> {
        let expected = report::html(&self.study);
        if self.page == expected {
            return None;
        }
        let (mut reported, mut now) = (self.page.split('\n'), expected.split('\n'));
        let mut line = 1;
        loop {
            match (reported.next(), now.next()) {
                (Some(a), Some(b)) if a == b => line += 1,
                (a, b) => {
                    let [a, b] = [a, b].map(|line| line.unwrap_or("(the end of the page)"));
                    let (reported, found) = around_difference(a, b);
                    return Some(Mismatch { place: format!("line {line}"), reported, found });
                }
            }
        }
    }

    /// Rejects samples that are not those of the report.
    ///
    /// # Errors
    /// When their digest differs, or what the report says of them.
    pub fn check_data(&self, data: &Dataset) -> Result<()> {
        let (card, now) = (&self.study.data, data.card());
        if now.digest == card.digest {
            return match now.shape == card.shape && now.classes == card.classes {
                true => Ok(()),
                false => Err(Error::new(format!(
                    "the report has its data as {}, and they are {}",
                    described(card),
                    described(&now)
                ))
                .help("the report was changed")),
            };
        }
        Err(Error::new(format!(
            "these are not the data of the report: their SHA-256 is {}, and the report's is {}",
            now.digest, card.digest
        ))
        .help("give the same file with `--data`; a study cannot be repeated on other samples"))
    }

    /// Does the study once more, on these data, and lists what is not the same.
    ///
    /// # Errors
    /// When the data are others, or the study cannot be done here.
    pub fn repeat(&self, data: &Dataset, lab: Lab<'_>) -> Result<Vec<Mismatch>> {
        self.check_data(data)?;
        let Study { title, variants, plan, .. } = &self.study;
        let now = compare(title, variants, data, plan, lab)?;
        Ok(mismatches(&self.study, &now))
    }
}

fn described(card: &Card) -> String {
    match card.classes {
        Some(classes) => format!("{:?} in {classes} classes", card.shape),
        None => format!("{:?} without classes", card.shape),
    }
}

/// Whatever is not the same in two studies of one plan, but for the time it took.
pub fn mismatches(reported: &Study, now: &Study) -> Vec<Mismatch> {
    let mut found = Vec::new();
    let runs = by_run(now);
    let mut missing = runs.clone();
    for run in &reported.runs {
        missing.remove(&(run.variant, run.seed));
        let place = place(reported, run.variant, Some(run.seed));
        match runs.get(&(run.variant, run.seed)) {
            Some(again) => differing_outcomes(&place, &run.outcome, &again.outcome, &mut found),
            None => found.push(mismatch(place, "a run", "no such run")),
        }
    }
    if let Some(twice) = reported.runs.len().checked_sub(by_run(reported).len())
        && twice > 0
    {
        found.push(mismatch("runs".into(), "some twice", "each once"));
    }
    for (variant, seed) in missing.into_keys() {
        found.push(mismatch(place(reported, variant, Some(seed)), "no run", "a run"));
    }
    differing_comparisons(reported, now, &mut found);
    found
}

fn by_run(study: &Study) -> BTreeMap<(usize, u32), &Run> {
    study.runs.iter().map(|run| ((run.variant, run.seed), run)).collect()
}

fn mismatch(place: String, reported: impl Display, found: impl Display) -> Mismatch {
    Mismatch { place, reported: reported.to_string(), found: found.to_string() }
}

fn place(study: &Study, variant: usize, seed: Option<u32>) -> String {
    let name = study.variants.get(variant).map_or("(no variant)", |variant| &variant.name);
    seed.map_or(name.to_owned(), |seed| format!("{name}, seed {seed}"))
}

fn differing_outcomes(place: &str, a: &Outcome, b: &Outcome, found: &mut Vec<Mismatch>) {
    match (a, b) {
        (Outcome::Finished(a), Outcome::Finished(b)) => differing_measures(place, a, b, found),
        (a, b) if a != b => found.push(mismatch(place.to_owned(), outcome(a), outcome(b))),
        _ => {}
    }
}

fn outcome(it: &Outcome) -> String {
    match it {
        Outcome::Finished(_) => "trained to the end".to_owned(),
        Outcome::Diverged { epoch } => format!("diverged in epoch {epoch}"),
    }
}

fn differing_measures(place: &str, a: &Measured, b: &Measured, found: &mut Vec<Mismatch>) {
    let named = |name: &str| format!("{place}: {name}");
    for name in all_keys(&a.measures, &b.measures) {
        let (a, b) = (a.measures.get(name).copied(), b.measures.get(name).copied());
        if !same_or_absent(a, b) {
            found.push(mismatch(named(name), number(a), number(b)));
        }
    }
    for name in all_keys(&a.curves, &b.curves) {
        let [a, b] = [a, b].map(|it| it.curves.get(name).map_or(&[][..], Vec::as_slice));
        let longest = a.len().max(b.len());
        let differs = |&i: &usize| !same_or_absent(a.get(i).copied(), b.get(i).copied());
        if let Some(i) = (0..longest).find(differs) {
            let place = format!("{} in epoch {}", named(name), i + 1);
            found.push(mismatch(place, number(a.get(i).copied()), number(b.get(i).copied())));
        }
    }
    let bits = |measured: &Measured| -> Vec<(usize, [u64; 4])> {
        let numbers = |bin: &Bin| [bin.lower, bin.upper, bin.confidence, bin.accuracy];
        let bins = measured.reliability.iter();
        bins.map(|bin| (bin.count, numbers(bin).map(f64::to_bits))).collect()
    };
    let (bins_a, bins_b) = (bits(a), bits(b));
    if bins_a != bins_b {
        let differs = |&i: &usize| bins_a.get(i) != bins_b.get(i);
        let at = (0..bins_a.len().max(bins_b.len())).find(differs).unwrap_or(0);
        let show = |it: &Measured| {
            it.reliability.get(at).map_or("no such bin".to_owned(), |bin| {
                format!("{} of {} right, sure to {}", bin.accuracy, bin.count, bin.confidence)
            })
        };
        let place = named(&format!("bin {} of the reliability diagram", at + 1));
        found.push(mismatch(place, show(a), show(b)));
    }
}

fn all_keys<'a, T>(
    a: &'a BTreeMap<String, T>,
    b: &'a BTreeMap<String, T>,
) -> impl Iterator<Item = &'a str> {
    a.keys().chain(b.keys().filter(|name| !a.contains_key(*name))).map(String::as_str)
}

/// Whether two numbers are the same to the bit; what is no number is all the same.
fn same_or_absent(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
        (a, b) => a.is_none() && b.is_none(),
    }
}

fn number(x: Option<f64>) -> String {
    // The shortest digits that give the number back, so that different numbers look different.
    x.map_or("nothing".to_owned(), |x| format!("{x:?}"))
}

fn differing_comparisons(reported: &Study, now: &Study, found: &mut Vec<Mismatch>) {
    let by_place = |study: &Study| -> BTreeMap<(usize, String), Comparison> {
        let all = study.comparisons.iter();
        all.map(|it| ((it.variant, it.measure.clone()), it.clone())).collect()
    };
    let (a, b) = (by_place(reported), by_place(now));
    for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(key))) {
        let (variant, measure) = key;
        let place = format!("{}: comparison by {measure}", place(reported, *variant, None));
        match (a.get(key), b.get(key)) {
            (Some(a), Some(b)) if same_comparison(a, b) => {}
            (a, b) => found.push(mismatch(place, comparison(a), comparison(b))),
        }
    }
    if reported.comparisons.len() != a.len() {
        found.push(mismatch("comparisons".into(), "some twice", "each once"));
    }
}

fn same_comparison(a: &Comparison, b: &Comparison) -> bool {
    let close = |a: f64, b: f64| {
        same_or_absent(Some(a), Some(b)) || (a - b).abs() <= TOLERANCE * a.abs().max(b.abs())
    };
    let numbers = |it: &Comparison| {
        let interval = it.difference.map(|it| [it.mean, it.low, it.high]);
        let ends = interval.unwrap_or_default();
        [it.baseline, it.mean, it.effect_size.unwrap_or_default(), ends[0], ends[1], ends[2]]
    };
    let rest = |it: &Comparison| {
        (it.seeds, it.seeds_needed, it.finding, it.difference.is_some(), it.effect_size.is_some())
    };
    numbers(a).into_iter().zip(numbers(b)).all(|(a, b)| close(a, b)) && rest(a) == rest(b)
}

fn comparison(it: Option<&Comparison>) -> String {
    it.map_or("nothing".to_owned(), |it| {
        let interval = it.difference.map_or("no interval".to_owned(), |it| {
            format!("{:?} ({:?} to {:?})", it.mean, it.low, it.high)
        });
        let finding = it.finding;
        format!(
            "{finding:?}, {:?} → {:?}, {interval}, effect {}, {} seeds, {} needed",
            it.baseline,
            it.mean,
            number(it.effect_size),
            it.seeds,
            it.seeds_needed.map_or("none".to_owned(), |needed| needed.to_string())
        )
    })
}

/// Of two texts, the parts around the first character that differs.
fn around_difference(a: &str, b: &str) -> (String, String) {
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let start = same.saturating_sub(SHOWN / 4);
    let part = |text: &str| {
        let mut part: String = text.chars().skip(start).take(SHOWN).collect();
        if start > 0 {
            part.insert(0, '…');
        }
        if text.chars().count() > start + SHOWN {
            part.push('…');
        }
        part
    };
    (part(a), part(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::{Finding, fixture};

    fn study() -> Study {
        fixture::study(&[&[0.5, 0.6, 0.7], &[0.4, 0.5, 0.61]])
    }

    fn saved(page: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        fs::write(&path, page).unwrap();
        (folder, path)
    }

    fn edited(change: impl Fn(&str) -> String) -> Option<Mismatch> {
        let (_folder, path) = saved(&change(&report::html(&study())));
        Report::open(&path).unwrap().edited()
    }

    /// The places that differ from those of the study.
    fn places(change: impl Fn(&mut Study)) -> Vec<String> {
        let mut changed = study();
        change(&mut changed);
        mismatches(&changed, &study()).into_iter().map(|it| it.place).collect()
    }

    fn measured(study: &mut Study, run: usize) -> &mut Measured {
        match &mut study.runs[run].outcome {
            Outcome::Finished(measured) => measured,
            Outcome::Diverged { .. } => panic!("the fixture has finished runs only"),
        }
    }

    #[test]
    fn a_page_that_nobody_touched_is_the_one_that_its_study_gives() {
        assert_eq!(edited(str::to_owned), None);
    }

    #[test]
    fn an_edit_of_the_page_is_shown_where_it_is() {
        let edit = edited(|page| page.replace("16.1 % lower</h1>", "61.1 % lower</h1>")).unwrap();
        assert!(edit.place.starts_with("line "), "{edit}");
        assert_eq!(edit.reported, "…ation loss is 61.1 % lower</h1>");
        assert_eq!(edit.found, "…ation loss is 16.1 % lower</h1>");
        assert!(edited(|page| format!("{page}\n")).is_some());
        assert!(edited(|page| page.trim_end().to_owned()).is_some());
        assert!(edited(|page| page.replace("<p>", "<p hidden>")).is_some());
        assert!(edited(|page| page.replace('\n', "\r\n").replace("\r\n{", "\n{")).is_some());
    }

    #[test]
    fn an_edit_of_the_study_shows_in_the_page() {
        assert!(edited(|page| page.replace("\"val_loss\":0.61", "\"val_loss\":0.51")).is_some());
    }

    #[test]
    fn the_same_study_has_no_mismatch_whatever_time_it_took() {
        assert_eq!(places(|_| {}), [""; 0]);
        assert_eq!(places(|study| study.runs[0].seconds = 77.0), [""; 0]);
    }

    #[test]
    fn one_bit_is_a_mismatch() {
        let up = |x: &mut f64| *x = f64::from_bits(x.to_bits() + 1);
        let found = places(|study| {
            up(measured(study, 3).measures.get_mut("val_loss").unwrap());
            up(&mut measured(study, 2).curves.get_mut("loss").unwrap()[1]);
            up(&mut measured(study, 0).reliability[2].accuracy);
        });
        assert_eq!(
            found,
            [
                "none, seed 0: bin 3 of the reliability diagram",
                "none, seed 1: loss in epoch 2",
                "dropout 0.5, seed 1: val_loss"
            ]
        );
    }

    #[test]
    fn what_is_missing_or_too_much_is_a_mismatch() {
        assert_eq!(places(|study| drop(study.runs.pop())), ["dropout 0.5, seed 2"]);
        assert_eq!(places(|study| study.runs[5].seed = 9).len(), 2);
        assert_eq!(places(|study| study.runs.push(study.runs[0].clone())), ["runs"]);
        let found = places(|study| measured(study, 0).measures.retain(|name, _| name != "val_ece"));
        assert_eq!(found, ["none, seed 0: val_ece"]);
        let found = places(|study| measured(study, 0).curves.get_mut("loss").unwrap().truncate(2));
        assert_eq!(found, ["none, seed 0: loss in epoch 3"]);
        let found = places(|study| study.runs[0].outcome = Outcome::Diverged { epoch: 1 });
        assert_eq!(found, ["none, seed 0"]);
    }

    #[test]
    fn a_verdict_that_was_changed_is_a_mismatch() {
        let by = "dropout 0.5: comparison by val_loss";
        assert_eq!(places(|study| study.comparisons[0].finding = Finding::Worse), [by]);
        assert_eq!(places(|study| study.comparisons[0].seeds = 30), [by]);
        assert_eq!(places(|study| study.comparisons[0].mean *= 0.999), [by]);
        // The last digits of an interval are the platform's.
        assert_eq!(places(|study| study.comparisons[0].mean *= 1.0 + 1e-12), [""; 0]);
        assert_eq!(places(|study| study.comparisons.clear()), [by]);
    }

    #[test]
    fn data_must_be_those_of_the_report() {
        let (_folder, path) = saved(&report::html(&study()));
        let mut report = Report::open(&path).unwrap();
        let data = Dataset::digits(500);
        let other = report.check_data(&data).unwrap_err().message;
        assert!(other.starts_with("these are not the data of the report: "), "{other}");
        report.study.data.digest = data.card().digest;
        assert_eq!(report.check_data(&data), Ok(()));
        report.study.data.shape = vec![7];
        assert_eq!(
            report.check_data(&data).unwrap_err().message,
            "the report has its data as [7] in 10 classes, and they are [1797, 64] in 10 classes"
        );
    }

    #[test]
    fn what_is_no_report_is_refused() {
        let refused = |path: &Path| Report::open(path).err().unwrap().to_string();
        let (folder, path) = saved("<p>Hello</p>");
        let no_study = refused(&path);
        assert!(no_study.starts_with("there is no study in this page"), "{no_study}");
        let no_file = refused(folder.path());
        assert!(no_file.contains(": it is no file"), "{no_file}");
        assert!(refused(&folder.path().join("missing")).starts_with("cannot read "));
        fs::write(&path, b"\xff\xfe").unwrap();
        assert!(refused(&path).starts_with("cannot read "));
        File::create(&path).unwrap().set_len(LARGEST + 1).unwrap();
        let large = refused(&path);
        assert!(large.contains("has 268435457 bytes, more than any report"), "{large}");
    }
}
