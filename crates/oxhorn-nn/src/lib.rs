//! Keras' objects, and the JSON that names them.
//!
//! A layer, loss, metric, optimizer, initializer, regularizer, constraint, activation, schedule or
//! technique is one file: a struct that *is* its config ([`config`]), and one method that writes
//! its mathematics into a graph. What it may ask for meanwhile is in [`scope`]. Wherever Keras
//! takes an object or its name, so does a [`handle::Handle`].
//!
//! This crate knows graphs. It does not know how they are planned or run.

extern crate self as oxhorn_nn;

pub mod activations;
mod axis_list;
pub mod config;
pub mod constraints;
pub mod handle;
pub mod initializers;
pub mod layer;
pub mod layers;
pub mod losses;
pub mod metrics;
pub mod ops;
pub mod optimizers;
mod prelude;
pub mod random;
pub mod regularizers;
pub mod schedules;
pub mod scope;
pub mod techniques;
#[cfg(test)]
mod testing;
mod trust;
mod weight;

pub use self::{
    config::{Config, Json, Map, Object},
    handle::Handle,
    layer::{AnyLayer, Layer, LayerSettings},
    scope::{Declarations, Initial, Masks, Mode, Number, Sampling, Scope, SeedGenerator, Variable},
    trust::refusal,
    weight::Weight,
};
