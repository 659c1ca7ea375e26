//! `oxhorn replay`: whether a report is as it was written, and whether its numbers come again.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use oxhorn::{Error, Result};
use oxhorn_lab::{
    Dataset, Source,
    data::{Card, Reading},
    replay::{Mismatch, Report},
    show,
};

use crate::{
    output::{print, wrapped},
    progress::Teller,
    settings::Jobs,
};

/// Of mismatches, so many are printed.
const SHOWN: usize = 12;

/// What `oxhorn replay` can be told.
#[derive(Args)]
pub(crate) struct Replay {
    /// A report that `oxhorn study` or `oxhorn demo` wrote.
    report: PathBuf,
    /// The file with the data of the study [default: the one that the report names]
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Of images in an IDX file, the file with their labels [default: the one that the report
    /// names]
    #[arg(long, value_name = "FILE", requires = "data")]
    labels: Option<PathBuf>,
    #[command(flatten)]
    jobs: Jobs,
}

impl Replay {
    /// Compares the page with its study, and its study with a new one; fails where they differ.
    ///
    /// # Errors
    /// When the report or the data cannot be read, or the study cannot be done.
    pub(crate) fn run(&self) -> Result<ExitCode> {
        let report = Report::open(&self.report)?;
        let study = &report.study;
        print(format_args!("{}: {}", self.report.display(), study.title))?;
        let here = env!("CARGO_PKG_VERSION");
        if study.oxhorn != here {
            print(wrapped(&format!(
                "It was made by Oxhorn {}, and this is {here}: pages and numbers may differ for \
                 that alone.",
                study.oxhorn
            )))?;
        }
        let edited = report.edited();
        match &edited {
            None => print("The page is the one that its study gives.")?,
            Some(at) => print(format_args!(
                "The page is NOT the one that its study gives. The first difference:\n{at}"
            ))?,
        }
        let data = self.data(&report)?;
        let runs = study.plan.seeds.len() * study.variants.len();
        print(format_args!("Repeating {} …", show::of(runs, "run", "runs")))?;
        let differing = {
            let teller = Teller::new(&study.variants, &study.plan.primary);
            report.repeat(&data, self.jobs.lab()?.watch(|progress| teller.tell(progress)))?
        };
        conclude(&differing)?;
        let same = edited.is_none() && differing.is_empty();
        Ok(if same { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// The data of the report's study, split as it says.
    fn data(&self, report: &Report) -> Result<Dataset> {
        let card = &report.study.data;
        let data = match (&card.source, &self.data) {
            (Source::Digits, None) => return Ok(Dataset::digits(card.split.train())),
            (Source::File { path, target }, given) => {
                let path = given.clone().unwrap_or_else(|| path.into());
                self.file(&path, target.as_deref(), card)?
            }
            (Source::Memory | Source::Digits, Some(path)) => self.file(path, None, card)?,
            (Source::Memory, None) => {
                let message = "the data of this study were arrays in the memory of a program";
                return Err(Error::new(message)
                    .help("save them as `x` and `y` of an .npz file and name it with `--data`"));
            }
        };
        Ok(Dataset {
            name: card.name.clone(),
            source: card.source.clone(),
            split: card.split,
            ..data
        })
    }

    /// The samples of a file, which may be any that a stranger's report names: nothing but a file
    /// or a folder is opened.
    fn file(&self, path: &Path, target: Option<&str>, card: &Card) -> Result<Dataset> {
        print(format_args!("Reading {} …", path.display()))?;
        if !path.is_file() && !path.is_dir() {
            let message = format!("there is no file {}", path.display());
            return Err(Error::new(message).help("name the file with the data with `--data`"));
        }
        let is =
            |extension: &str| path.extension().is_some_and(|it| it.eq_ignore_ascii_case(extension));
        if path.is_file() && !is("csv") && !is("npz") {
            let labels = self.labels.clone().or(target.map(PathBuf::from));
            let labels = labels.filter(|labels| labels.is_file()).ok_or_else(|| {
                Error::new("the labels of the images are not there")
                    .help("name both files with `--data` and `--labels`")
            })?;
            return Dataset::from_idx(path, &labels, card.split);
        }
        let reading = Reading::new().train(card.split.train());
        match target {
            Some(target) => Dataset::open(path, &reading.target(target)),
            None => Dataset::open(path, &reading),
        }
    }
}

fn conclude(differing: &[Mismatch]) -> Result<()> {
    if differing.is_empty() {
        return print("The same numbers, to the bit.");
    }
    let count = show::of(differing.len(), "number is", "numbers are");
    print(format_args!("{count} NOT the same:"))?;
    for mismatch in differing.iter().take(SHOWN) {
        print(mismatch)?;
    }
    match differing.len().saturating_sub(SHOWN) {
        0 => Ok(()),
        more => print(format_args!("and {} more.", show::count(more))),
    }
}
