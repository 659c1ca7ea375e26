//! `oxhorn demo`: one network on real data, trained without and with dropout at several seeds.

use std::path::PathBuf;

use clap::Args;
use oxhorn::prelude::*;
use oxhorn_lab::{Dataset, Plan, Study, Variant, compare, data::digits, show};

use crate::{
    leaving,
    network::{Network, variant},
    output::{print, wrapped},
    progress::Teller,
    settings::{self, Jobs},
};

/// Neurons in each of the two hidden layers: enough to learn 500 images by heart.
const UNITS: usize = 256;
const BATCH: usize = 32;

/// What `oxhorn demo` can be told.
#[derive(Args)]
pub(crate) struct Demo {
    /// At how many seeds each network is trained.
    #[arg(long, value_name = "N", default_value_t = 10)]
    seeds: usize,
    /// The first of these seeds; each decides how the data are split, and draws weights, batches
    /// and dropout.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u32,
    /// How often each network sees its training images.
    #[arg(long, value_name = "N", default_value_t = 100)]
    epochs: usize,
    /// How many of the 1,797 images to learn from; the others validate.
    #[arg(long, value_name = "N", default_value_t = 500)]
    train: usize,
    /// Fraction of the hidden layers' outputs that dropout sets to 0.
    #[arg(long, value_name = "R", default_value_t = 0.5, allow_negative_numbers = true)]
    rate: f64,
    /// Folder for the report and its figures.
    #[arg(long, value_name = "DIR", default_value = "oxhorn-demo")]
    out: PathBuf,
    #[command(flatten)]
    jobs: Jobs,
}

impl Demo {
    /// Trains both networks at every seed, compares them, and leaves a report.
    ///
    /// # Errors
    /// When a setting is out of its range, or the report cannot be written.
    pub(crate) fn run(&self) -> Result<()> {
        settings::within("--epochs", self.epochs, 100_000)?;
        let lab = self.jobs.lab()?;
        let plan = Plan::new(self.epochs)
            .with_seeds(settings::seeds(self.seed, self.seeds)?)
            .batch_size(BATCH)
            .primary("val_loss");
        let data = Dataset::digits(self.train);
        let count = data.rows();
        settings::within("--train", self.train, count - 1)?;
        let network = Network { hidden: vec![UNITS, UNITS], learning_rate: 0.001 };
        let variants = self.variants(&network, &data)?;
        leaving::make_folder(&self.out, "--out")?;
        self.introduce(network.model(self.rate, &data)?, &data, lab.workers)?;
        let study = {
            let teller = Teller::new(&variants, &plan.primary);
            let lab = lab.watch(|progress| teller.tell(progress));
            compare("Dropout on handwritten digits", &variants, &data, &plan, lab)?
        };
        self.conclude(&study)
    }

    fn variants(&self, network: &Network, data: &Dataset) -> Result<[Variant; 2]> {
        let mut with = variant(network, self.rate, data)?;
        // At rate 0 both would be called the same.
        with.name = format!("dropout {}", self.rate);
        Ok([variant(network, 0.0, data)?, with])
    }

    fn introduce(&self, model: Sequential, data: &Dataset, workers: usize) -> Result<()> {
        let Demo { epochs, rate, train, seeds, .. } = self;
        let all = data.rows();
        print(format_args!(
            "Does dropout help a network that overfits?\n\n{}\n{}\n\n{}\n{}\n",
            wrapped(&format!(
                "{} images of handwritten digits, 8 by 8 pixels: at each seed {train} are drawn \
                 to learn from, and {} validate.",
                show::count(all),
                show::count(all - train)
            )),
            digits::ATTRIBUTION,
            model.summary(),
            wrapped(&format!(
                "This network is trained for {} at each of {}, without its two dropout layers \
                 and with them at a rate of {rate}: at one seed from the same weights, on the \
                 same batches in the same order. That makes {} runs, {workers} at a time.",
                show::of(*epochs, "epoch", "epochs"),
                show::of(*seeds, "seed", "seeds"),
                2 * seeds,
            ))
        ))
    }

    fn conclude(&self, study: &Study) -> Result<()> {
        leaving::print_verdict(study)?;
        let report = self.out.join("report.html");
        leaving::write_report(study, &report)?;
        let figures = leaving::write_figures(study, &self.out)?;
        let pictures = figures.iter().filter(|path| path.extension().is_some_and(|it| it == "png"));
        let pictures: Vec<String> = pictures.map(|path| path.display().to_string()).collect();
        print(format_args!("\nReport:  {}", report.display()))?;
        print(format_args!("Figures: {}, also as .svg", pictures.join("\n         ")))
    }
}
