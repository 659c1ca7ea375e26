//! Keras, compiled by Rust: small and middling networks trained fast, reproducibly, and not
//! overfitted.
//!
//! A model is written as in every Keras tutorial. `compile` and the first `fit` turn its whole
//! training step - forward, loss, backward, optimizer - into one program that allocates nothing.
//!
//! ```
//! use oxhorn::prelude::*;
//!
//! # fn main() -> oxhorn::Result<()> {
//! let (x, y) = (random((96, 25)), to_categorical(&randint(5, 96), 5));
//! let mut model = Sequential::new()
//!     .add(Dense::new(64).activation("relu").input_dim(25))
//!     .add(Dropout::new(0.4))
//!     .add(Dense::new(5).activation("softmax"));
//! model.compile(Adam::default(), "categorical_crossentropy", ["accuracy"])?;
//! let history = model.fit(&x, &y, Fit::epochs(3).validation_split(0.25).verbose(0))?;
//! assert_eq!(history["val_loss"].len(), 3);
//! # Ok(())
//! # }
//! ```
//!
//! Where to look: [`Sequential`] for models, [`Fit`] for training, [`callbacks`], [`layers`] and
//! its neighbours for Keras' objects, [`random`](mod@random) for seeds.

mod averaging;
mod backup;
pub mod callbacks;
pub mod categorical;
mod clean;
mod compile_config;
pub mod data;
pub mod engine;
mod evaluate;
mod export;
pub mod files;
pub mod fit;
pub mod history;
pub mod lint;
pub mod looping;
mod mc_prediction;
mod predict_mc;
pub mod progress;
pub mod random;
mod sequential;
pub mod state;
pub mod summary;
mod training;

pub use oxhorn_ir::{Error, Result};
pub use oxhorn_nn::{
    Masks, Sampling, activations, constraints, initializers, layer, layers, losses, metrics,
    optimizers, regularizers, schedules, techniques,
};

pub use self::{
    evaluate::{Evaluate, OnBatch, Predict},
    files::Mismatch,
    fit::{Fit, Shuffle},
    history::{History, Logs},
    mc_prediction::McPrediction,
    predict_mc::{PredictMc, rows_at_once},
    random::set_random_seed,
    sequential::{Compile, NO_METRICS, Sequential},
    summary::Summary,
};

/// Graphs, programs and the processor's instruction set, for those who look inside.
pub mod inspect {
    pub use oxhorn_cpu::Isa;
    pub use oxhorn_ir::Graph;
    pub use oxhorn_plan::{Program, compile};
}

/// All that a program like the tutorial's needs.
pub mod prelude {
    pub use oxhorn_nn::{
        LayerSettings,
        layers::{
            Activation, ActivityRegularization, Add, AlphaDropout, Average, BatchNormalization,
            Concatenate, Cropping1D, Cropping2D, Dense, Dot, DropBlock1D, DropBlock2D, DropConnect,
            DropPath, Dropout, ELU, EinsumDense, Embedding, Flatten, GaussianDropout,
            GaussianNoise, GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalMaxPooling1D,
            GlobalMaxPooling2D, GroupNormalization, Identity, Input, LayerNormalization, LeakyReLU,
            Maximum, Minimum, MultiSampleDropout, Multiply, Normalization, PReLU, Permute,
            RMSNormalization, ReLU, RepeatVector, Rescaling, Reshape, Softmax, SpatialDropout1D,
            SpatialDropout2D, SpatialDropout3D, Subtract, Temperature, UnitNormalization,
            UpSampling1D, UpSampling2D, ZeroPadding1D, ZeroPadding2D,
        },
        losses::LossSettings,
        metrics::MetricSettings,
        optimizers::{
            Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Ftrl, Lamb, Lion,
            LossScaleOptimizer, MultiOptimizer, Muon, Nadam, OptimizerMap, OptimizerSettings,
            RMSprop, SGD, ScheduleFreeAdamW,
        },
        schedules::{
            ConstantSchedule, CosineDecay, CosineDecayRestarts, CosineSchedule, CurriculumSchedule,
            EarlySchedule, ExponentialDecay, InverseTimeDecay, LateSchedule, LinearSchedule,
            PiecewiseConstantDecay, PolynomialDecay,
        },
        techniques::{CutMix, Cutout, GradientNoise, JacobianPenalty, Mixup, RDrop, SAM, SWA},
    };

    pub use crate::{
        Compile, Error, Evaluate, Fit, McPrediction, Mismatch, NO_METRICS, OnBatch, Predict,
        PredictMc, Result, Sequential, Shuffle,
        callbacks::{
            BackupAndRestore, CSVLogger, Callback, EarlyStopping, LambdaCallback,
            LearningRateScheduler, ModelCheckpoint, RateScheduler, ReduceLROnPlateau,
            SwapEMAWeights, TerminateOnNaN, Training,
        },
        categorical::{normalize, to_categorical, try_to_categorical},
        history::{History, Logs},
        random::{permutation, randint, random, set_random_seed, standard_normal},
    };
}
