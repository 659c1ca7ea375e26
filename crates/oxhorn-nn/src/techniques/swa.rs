//! `SWA`: a model that ends with the mean of what it was.

use super::category::{Averages, Intervene};
use crate::prelude::*;

/// Stochastic weight averaging: when `fit` ends, the trainable weights become their mean over the
/// ends of epochs, from `start_epoch` on.
///
/// Each epoch counts alike. Afterwards the training data pass through the network once more, noise
/// on, and moving means and variances become the means of what the batches had; each batch counts
/// alike. While the model trains, nothing is different: the paper keeps the learning rate high,
/// constant or in cycles, so that the epochs' weights lie apart. If `fit` ends before an epoch
/// counted, the weights stay.
///
/// The mean is over one call of `fit`, in double precision.
///
/// Izmailov et al., *Averaging weights leads to wider optima and better generalization*, 2018,
/// <https://arxiv.org/abs/1803.05407>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "oxhorn.techniques.SWA")]
pub struct SWA {
    /// The first epoch that counts, counted from 0.
    #[config(default = 0)]
    pub start_epoch: usize,
    /// After how many epochs the next one counts, 1 or more.
    #[config(default = 1)]
    pub frequency: usize,
}

impl Intervene for SWA {
    fn check(&self) -> Result<()> {
        ensure!(self.frequency > 0, "`frequency` of `SWA` must be 1 or more, got 0");
        Ok(())
    }

    fn averages(&self) -> Option<Averages> {
        Some(Averages { start_epoch: self.start_epoch, frequency: self.frequency })
    }
}
