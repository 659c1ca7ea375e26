//! The native module of the Python package: `oxhorn._native`.
//!
//! Models are written in Python, as in Keras; this module runs them. An `Engine`
//! calls a Python function once for each kind of step, with `Tensor`s that stand
//! for arrays, and compiles what it writes down. From then on Python is entered only where a
//! callback asks for it.

mod arguments;
mod arrays;
mod calibration;
mod callbacks;
mod engine;
mod errors;
mod files;
mod lint;
mod mc_prediction;
mod network;
mod objects;
mod rates;
mod registry;
mod scope;
mod settings;
mod stream;
mod study;
mod tensor;
mod variable;

use pyo3::prelude::*;

/// The native part of Oxhorn.
#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::{
        calibration::{brier_score, fit_temperature, negative_log_likelihood, reliability},
        engine::Engine,
        files::{
            read_h5, read_keras, read_npz, read_safetensors, refusal, write_h5, write_keras,
            write_npz, write_safetensors,
        },
        lint::{lint, lint_rules},
        mc_prediction::{McPrediction, rows_at_once},
        objects::foreign,
        registry::{
            apply_activation, apply_constraint, apply_function, apply_layer, apply_loss,
            apply_penalty, apply_schedule, check, check_techniques, ensemble, first_value,
            functions, layer_variables, missing_functions, result_metric, update_metric,
        },
        scope::{add_loss, constant, is_training, tracing},
        study::{
            diagnose_curves, replay_report, study, study_figures, study_report, study_verdict,
        },
        tensor::Tensor,
        variable::Variable,
    };

    use super::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::objects::register();
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
