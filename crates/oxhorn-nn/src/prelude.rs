//! What every object's file needs.

pub(crate) use oxhorn_ir::{DType, Error, Result, Tensor, Type, ensure};

#[allow(unused_imports, reason = "each file takes what it needs")]
pub(crate) use crate::{
    activations::{Activate, Activation},
    config::{AxisList, Config, Field, Float32, Json},
    constraints::Constrain,
    initializers::{Initialize, Initializer, Randomness},
    keyword,
    layer::{Layer, expect_axis, expect_rank},
    regularizers::{Regularize, Regularizer},
    scope::{Mode, Sampling, Scope},
    weight::Weight,
};
