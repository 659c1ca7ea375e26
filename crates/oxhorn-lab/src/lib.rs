//! The evidence for a regularizer: paired studies of networks that differ in nothing else.
//!
//! A [`Study`] trains each of its [`Variant`]s once for each seed. At one seed all variants begin
//! with the same weights, see the same samples in the same order and are validated on the same
//! others, so that what differs between them is what was varied; over the seeds, the differences
//! have a mean and an interval. It uses what the crate `oxhorn` makes public, and nothing else.

pub mod ablate;
pub mod calibration;
pub mod compare;
pub mod data;
pub mod diagnose;
mod escape;
mod exact;
pub mod figures;
mod measure;
pub mod reading;
pub mod replay;
pub mod report;
mod session;
pub mod show;
pub mod statistics;
pub mod study;
pub mod targets;
mod train;
pub mod tune;
pub mod verdict;
pub mod words;
mod workers;

pub use oxhorn::{Error, Result};

pub use self::{
    ablate::{Ablation, ablate},
    compare::{Lab, Progress, compare},
    data::{Dataset, Source, Split, Target},
    diagnose::{Diagnosed, Diagnosis, Facts, diagnose},
    study::{
        Comparison, Finding, Interval, Measured, Outcome, Plan, Run, Stopping, Study, Variant,
    },
    tune::{Search, Tuning, tune_rate},
};
