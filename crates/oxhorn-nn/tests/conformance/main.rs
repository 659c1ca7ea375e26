//! What is true of one object is true of all: the whole registry against vectors recorded from
//! Keras (`golden/`), run by the reference interpreter.
//!
//! An object without vectors fails, and so does a setting that no case has at another value than
//! its default. Objects that Keras lacks are proved in `own.rs`, and none may be missing there.

mod activations;
mod golden;
mod initializers;
mod layers;
mod losses;
mod metrics;
mod own;
mod random;
