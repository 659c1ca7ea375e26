//! `oxhorn study`: rates of dropout compared on data of one's own, at several seeds.

use std::path::{Path, PathBuf};

use clap::Args;
use oxhorn::prelude::*;
use oxhorn_lab::{
    Dataset, Plan, Search, Split, Stopping, Study, Tuning, Variant, compare,
    data::{Reading, idx},
    show, tune_rate,
};

use crate::{
    leaving,
    network::{Network, variant},
    output::{print, wrapped},
    progress::Teller,
    settings::{self, Jobs},
};

/// Of the digits, so many are learnt from if it is not said.
const DIGITS: usize = 500;
/// Seeds before the first look of a study that may end early.
const FIRST_LOOK: usize = 4;

/// What `oxhorn study` can be told.
#[derive(Args)]
pub(crate) struct Settings {
    /// `digits`, or a file: .csv, .npz, images in an IDX file; or a folder with the files of MNIST.
    data: PathBuf,
    /// The column of a CSV file, or the array of an NPZ file, that is to be predicted.
    #[arg(long, value_name = "NAME", conflicts_with = "labels")]
    target: Option<String>,
    /// The IDX file with the labels of the images.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// How many samples to learn from, drawn anew at each seed; the others validate
    /// [default: 500 digits]
    #[arg(long, value_name = "N")]
    train: Option<usize>,
    /// Which fraction of the samples to learn from, drawn anew at each seed [default: 0.75]
    #[arg(long, value_name = "R", conflicts_with = "train", allow_negative_numbers = true)]
    split: Option<f64>,
    /// Neurons of the hidden layers, each followed by dropout.
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "256,256")]
    hidden: Vec<usize>,
    /// Rates of dropout to compare; the others are compared with the first.
    #[arg(
        long,
        value_name = "R",
        value_delimiter = ',',
        default_value = "0,0.5",
        allow_negative_numbers = true
    )]
    rates: Vec<f64>,
    /// Look for the best of these rates first, then compare it with none at fresh seeds.
    #[arg(long)]
    tune: bool,
    /// At how many seeds each network is trained; three at least for an interval.
    #[arg(long, value_name = "N", default_value_t = 10)]
    seeds: usize,
    /// The first of these seeds.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u32,
    /// How often each network sees its training data.
    #[arg(long, value_name = "N", default_value_t = 50)]
    epochs: usize,
    /// Samples in a step.
    #[arg(long, value_name = "N", default_value_t = 32)]
    batch_size: usize,
    /// Of the optimizer, Adam.
    #[arg(long, value_name = "R", default_value_t = 0.001, allow_negative_numbers = true)]
    learning_rate: f64,
    /// The measure that the verdict is about, such as val_accuracy or val_ece
    /// [default: val_loss]
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    primary: String,
    /// End before the last seed once the verdict is clear; intervals are wider for it.
    #[arg(long)]
    stop_early: bool,
    /// Where to write the report.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Folder for the figures, as SVG and PNG.
    #[arg(long, value_name = "DIR")]
    figures: Option<PathBuf>,
    #[command(flatten)]
    jobs: Jobs,
}

impl Settings {
    /// Trains a network for each rate and seed, and says what differs.
    ///
    /// # Errors
    /// When the data cannot be read, a setting is out of its range, or a file cannot be written.
    pub(crate) fn run(&self) -> Result<()> {
        let (plan, lab) = (self.plan()?, self.jobs.lab()?);
        let data = self.data()?;
        let network = Network { hidden: self.hidden.clone(), learning_rate: self.learning_rate };
        let variants = self.variants(&network, &data)?;
        self.check_report()?;
        if let Some(folder) = &self.figures {
            leaving::make_folder(folder, "--figures")?;
        }
        self.introduce(&data, lab.workers)?;
        let study = if self.tune {
            let teller = Teller::new(&[], &plan.primary);
            let lab = lab.watch(|progress| teller.tell(progress));
            let search = Search::new().rates(self.rates.iter().copied());
            let tuning = tune_rate(&variants[0], &data, &search, &plan, lab)?;
            print_tuning(&tuning)?;
            tuning.study
        } else {
            let teller = Teller::new(&variants, &plan.primary);
            let lab = lab.watch(|progress| teller.tell(progress));
            compare(&format!("Dropout on {}", data.name), &variants, &data, &plan, lab)?
        };
        self.conclude(&study)
    }

    fn plan(&self) -> Result<Plan> {
        settings::within("--epochs", self.epochs, 100_000)?;
        settings::within("--batch-size", self.batch_size, 1 << 20)?;
        let stopping = match self.stop_early {
            true => Stopping::WhenDecided { first: FIRST_LOOK.min(self.seeds).max(3) },
            false => Stopping::AfterAll,
        };
        Ok(Plan::new(self.epochs)
            .with_seeds(settings::seeds(self.seed, self.seeds)?)
            .batch_size(self.batch_size)
            .primary(&self.primary)
            .stopping(stopping))
    }

    fn data(&self) -> Result<Dataset> {
        if self.data == Path::new("digits") {
            return self.digits();
        }
        let reading = match (self.train, self.split) {
            (Some(train), _) => Reading::new().train(train),
            (None, Some(share)) => Reading::new().train_share(share),
            (None, None) => Reading::new(),
        };
        if let Some(labels) = &self.labels {
            let split = reading.drawn(idx::read(labels)?.len())?;
            return Dataset::from_idx(&self.data, labels, split);
        }
        match &self.target {
            Some(target) => Dataset::open(&self.data, &reading.target(target)),
            None => Dataset::open(&self.data, &reading),
        }
    }

    fn digits(&self) -> Result<Dataset> {
        let given = [
            ("--target", self.target.is_some()),
            ("--labels", self.labels.is_some()),
            ("--split", self.split.is_some()),
        ];
        if let Some((name, _)) = given.into_iter().find(|&(_, given)| given) {
            return Err(Error::new(format!("`{name}` has no meaning for the digits"))
                .help("`--train` says how many of them to learn from"));
        }
        let data = Dataset::digits(self.train.unwrap_or(DIGITS));
        settings::within("--train", data.split.train(), data.rows() - 1)?;
        Ok(data)
    }

    /// A variant for each rate; where a rate is looked for, the one whose rates are turned.
    fn variants(&self, network: &Network, data: &Dataset) -> Result<Vec<Variant>> {
        for &units in &self.hidden {
            settings::within("--hidden", units, 1 << 16)?;
        }
        let twice = (1..self.rates.len()).find(|&i| self.rates[..i].contains(&self.rates[i]));
        if let Some(i) = twice {
            return Err(Error::new(format!("`--rates` has {} twice", self.rates[i])));
        }
        if self.tune {
            let rate = self.rates.iter().copied().find(|&rate| rate != 0.0).unwrap_or(0.5);
            return Ok(vec![variant(network, rate, data)?]);
        }
        self.rates.iter().map(|&rate| variant(network, rate, data)).collect()
    }

    /// That a report cannot be written is found out now, not after the training.
    fn check_report(&self) -> Result<()> {
        let Some(path) = &self.report else { return Ok(()) };
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
        if path.is_dir() || folder.is_some_and(|folder| !folder.is_dir()) {
            let message = format!("the report cannot be written to {}", path.display());
            return Err(Error::new(message).help("choose a file in a folder that exists"));
        }
        Ok(())
    }

    fn introduce(&self, data: &Dataset, workers: usize) -> Result<()> {
        let (all, train) = (data.rows(), data.split.train());
        let drawn = match data.split {
            Split::Drawn { .. } => "drawn anew at each seed",
            Split::Fixed { .. } => "the same at each seed",
        };
        let layers = self.hidden.iter().map(usize::to_string).collect::<Vec<_>>().join("-");
        let rates = self.rates.iter().map(f64::to_string).collect::<Vec<_>>().join(", ");
        let doing = if self.tune { "looking for the best of" } else { "comparing" };
        print(format_args!(
            "{}\n",
            wrapped(&format!(
                "{}: {} to learn from, {drawn}, and {} to validate on. Hidden layers: {}; \
                 {doing} the rates {rates} of dropout at {}, {} each; {workers} networks at a \
                 time.",
                data.name,
                show::of(train, "sample", "samples"),
                show::count(all - train),
                if layers.is_empty() { "none" } else { &layers },
                show::of(self.seeds, "seed", "seeds"),
                show::of(self.epochs, "epoch", "epochs"),
            ))
        ))
    }

    fn conclude(&self, study: &Study) -> Result<()> {
        leaving::print_verdict(study)?;
        let mut left = String::new();
        if let Some(path) = &self.report {
            leaving::write_report(study, path)?;
            left.push_str(&format!("\nReport:  {}", path.display()));
        }
        if let Some(folder) = &self.figures {
            let files = leaving::write_figures(study, folder)?.len();
            left.push_str(&format!("\nFigures: {files} files in {}", folder.display()));
        }
        if left.is_empty() { Ok(()) } else { print(left) }
    }
}

/// How the rate was found.
fn print_tuning(tuning: &Tuning) -> Result<()> {
    for rung in &tuning.ladder {
        let seeds = show::of(rung.seeds.len(), "seed", "seeds");
        print(format_args!("\n{} at {seeds}:", show::of(rung.epochs, "epoch", "epochs")))?;
        for tried in &rung.tried {
            let mean = tried.mean.map_or("diverged".to_owned(), show::value);
            let kept = if tried.kept { "  kept" } else { "" };
            print(format_args!("  rate {:<6} {mean:>10}{kept}", tried.rate))?;
        }
    }
    Ok(())
}
