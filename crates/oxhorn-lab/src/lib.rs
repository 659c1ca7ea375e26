//! The evidence for a regularizer: paired studies of networks that differ in nothing else.
//!
//! A [`Study`] trains each of its [`Variant`]s once for each seed. At one seed all variants begin
//! with the same weights, see the same samples in the same order and are validated on the same
//! others, so that what differs between them is what was varied; over the seeds, the differences
//! have a mean and an interval. It uses what the crate `oxhorn` makes public, and nothing else.

pub mod calibration;
pub mod compare;
pub mod data;
mod escape;
mod exact;
pub mod figures;
mod measure;
mod reliability;
pub mod report;
pub mod show;
pub mod statistics;
pub mod study;
mod targets;
mod train;
pub mod verdict;
pub mod words;
mod workers;

pub use oxhorn::{Error, Result};

pub use self::{
    compare::{Lab, Progress, compare},
    data::{Dataset, Source, Split, Target},
    study::{
        Comparison, Finding, Interval, Measured, Outcome, Plan, Run, Stopping, Study, Variant,
    },
};
