//! A run that was interrupted, wherever, and resumed ends as one that was not: bit for bit.

mod support;

use std::{cell::Cell, fs, path::Path};

use ndarray::Array2;
use oxhorn::{callbacks::SaveFreq, prelude::*};
use support::{bits, seeded};

/// What a run ends with: weights, history, the text of its log.
type End = (Vec<(String, Vec<u32>)>, Vec<(String, Vec<u64>)>, Vec<usize>, String);

/// Ends a run with an error before its next step, as soon as so many have been taken.
struct Interrupt {
    after: Option<usize>,
    taken: usize,
}

impl Callback for Interrupt {
    fn before_step(&mut self, _: &mut dyn Training) -> Result<()> {
        if self.after == Some(self.taken) {
            return Err(Error::new("interrupted"));
        }
        self.taken += 1;
        Ok(())
    }
}

/// A model, compiled, and what else is said to `fit`.
struct Scenario {
    model: fn() -> Sequential,
    fit: for<'a> fn(Fit<'a>) -> Fit<'a>,
    save_freq: SaveFreq,
}

const SEED: u32 = 812;

/// 53 samples of 6 features in 3 classes.
fn data() -> (Array2<f64>, Vec<i64>) {
    let x = Array2::from_shape_fn((53, 6), |(i, j)| ((i * 7 + j * 13) % 17) as f64 / 9.0 - 1.0);
    (x, (0..53).map(|i| i * i % 3).collect())
}

/// Runs the scenario in `folder`, until so many steps have been taken, if it is to be interrupted.
fn run(scenario: &Scenario, seed: u32, folder: &Path, interrupt: Option<usize>) -> Result<End> {
    let _guard = seeded(seed);
    let (x, y) = data();
    let mut model = (scenario.model)();
    let log = folder.join("log.csv");
    let fit = Fit::epochs(4).batch_size(8).verbose(0).callback(CSVLogger::new(&log));
    let backup = BackupAndRestore::new(folder.join("backup")).save_freq(scenario.save_freq.clone());
    let interrupt = Interrupt { after: interrupt, taken: 0 };
    let fit = (scenario.fit)(fit).callback(interrupt).callback(backup);
    let history = model.fit(&x, &y, fit)?;
    let numbers = history.history.iter();
    let numbers = numbers.map(|(name, values)| {
        (name.to_owned(), values.iter().map(|value| value.to_bits()).collect())
    });
    let log = fs::read_to_string(log).unwrap();
    Ok((bits(&model), numbers.collect(), history.epoch.clone(), log))
}

/// Interrupts the scenario after every `stride`th step of all, and compares how it ends when it is
/// resumed by a model of another seed in streams of another seed.
fn is_resumed_exactly(scenario: &Scenario, stride: usize) {
    let folder = tempfile::tempdir().unwrap();
    let expected = run(scenario, SEED, folder.path(), None).expect("a run");
    assert!(!folder.path().join("backup").exists(), "the backup is deleted at the end");
    let mut interrupted = 0;
    for after in (0..).step_by(stride) {
        let folder = tempfile::tempdir().unwrap();
        if run(scenario, SEED, folder.path(), Some(after)).is_ok() {
            break;
        }
        interrupted += 1;
        let has_backup = folder.path().join("backup/latest.safetensors").exists();
        let seed = if has_backup { SEED + 1 } else { SEED };
        let resumed = run(scenario, seed, folder.path(), None).expect("a run");
        assert!(resumed == expected, "resumed after {after} steps: {resumed:?}\n\n{expected:?}");
    }
    assert!(interrupted > 5, "{interrupted} interruptions");
}

fn compiled(model: Sequential, optimizer: Adam) -> Sequential {
    compiled_with(model, Compile::new(optimizer, "sparse_categorical_crossentropy"))
}

fn compiled_with(mut model: Sequential, compile: Compile) -> Sequential {
    use oxhorn::lint::Rule;
    model.compile_with(compile.metrics(["accuracy"]).allow(Rule::ALL)).expect("names that exist");
    model
}

/// Dropout, batch normalization and a softmax.
fn noisy() -> Sequential {
    Sequential::new()
        .add(Dense::new(11).activation("relu").input_dim(6))
        .add(BatchNormalization::new())
        .add(Dropout::new(0.4))
        .add(GaussianNoise::new(0.1))
        .add(Dense::new(3).activation("softmax"))
}

fn watched<'a>(fit: Fit<'a>) -> Fit<'a> {
    fit.validation_split(0.3)
        .callback(EarlyStopping::new("val_loss").patience(2).restore_best_weights())
        .callback(ReduceLROnPlateau::new("val_accuracy").factor(0.5).patience(1))
}

#[test]
fn after_every_batch_with_a_backup_of_each() {
    let scenario = Scenario {
        model: || compiled(noisy(), Adam::new().learning_rate(0.02)),
        fit: watched,
        save_freq: 1.into(),
    };
    is_resumed_exactly(&scenario, 1);
}

#[test]
fn after_every_batch_with_a_backup_of_each_epoch() {
    let scenario = Scenario {
        model: || compiled(noisy(), Adam::new().learning_rate(0.02)),
        fit: watched,
        save_freq: "epoch".into(),
    };
    is_resumed_exactly(&scenario, 1);
}

#[test]
fn with_techniques_and_means_of_weights() {
    let scenario = Scenario {
        model: || {
            let compile = Compile::new(Adam::new(), "sparse_categorical_crossentropy")
                .technique(Mixup::new(0.3))
                .technique(GradientNoise::new())
                .technique(SWA::new().start_epoch(1));
            compiled_with(noisy(), compile)
        },
        fit: |fit| fit.clean_train_eval(),
        save_freq: 3.into(),
    };
    is_resumed_exactly(&scenario, 2);
}

#[test]
fn with_running_means_that_are_shown_and_gradients_that_add_up() {
    let scenario = Scenario {
        model: || {
            let adam = Adam::new().use_ema(true).ema_momentum(0.8);
            compiled(noisy(), adam.gradient_accumulation_steps(3))
        },
        fit: |fit| fit.validation_split(0.2).callback(SwapEMAWeights::new().swap_on_epoch()),
        save_freq: 2.into(),
    };
    is_resumed_exactly(&scenario, 2);
}

#[test]
fn with_epochs_that_are_no_passes_and_a_rate_that_wakes_up() {
    let scenario = Scenario {
        model: || {
            let model = Sequential::new()
                .add(Dense::new(7).activation("tanh").input_dim(6))
                .add(Dropout::new(0.0))
                .add(Dense::new(3).activation("softmax"));
            let rate = ExponentialDecay::new(0.05, 3, 0.9);
            compiled(model, Adam::new().learning_rate(rate))
        },
        fit: |fit| {
            let late = |step| if step < 7 { 0.0 } else { 0.3 };
            fit.steps_per_epoch(4).callback(RateScheduler::by("dropout/rate", late))
        },
        save_freq: 1.into(),
    };
    is_resumed_exactly(&scenario, 1);
}

#[test]
fn with_batches_shuffled_among_themselves_and_streams_of_the_models_own() {
    let scenario = Scenario {
        model: || {
            let model = Sequential::new()
                .seed(5)
                .add(Dense::new(7).activation("tanh").input_dim(6))
                .add(Dropout::new(0.2))
                .add(Dense::new(3).activation("softmax"));
            compiled(model, Adam::new())
        },
        fit: |fit| fit.shuffle(Shuffle::Batch),
        save_freq: 1.into(),
    };
    is_resumed_exactly(&scenario, 3);
}

#[test]
fn a_run_may_be_resumed_by_the_model_that_was_interrupted() {
    let _guard = seeded(SEED);
    let (x, y) = data();
    let expected = {
        let mut model = compiled(noisy(), Adam::new());
        let history = model.fit(&x, &y, Fit::epochs(2).batch_size(8).verbose(0)).expect("a run");
        (bits(&model), history)
    };
    oxhorn::set_random_seed(SEED);
    let mut model = compiled(noisy(), Adam::new());
    let folder = tempfile::tempdir().unwrap();
    let backup = || BackupAndRestore::new(folder.path()).save_freq(4);
    let steps = Cell::new(0);
    let interrupt = LambdaCallback::new().on_train_batch_end(|_, _, _| {
        steps.set(steps.get() + 1);
        if steps.get() == 10 { Err(Error::new("interrupted")) } else { Ok(()) }
    });
    let fit = Fit::epochs(2).batch_size(8).verbose(0);
    model.fit(&x, &y, fit.callback(backup()).callback(interrupt)).expect_err("an interruption");
    let fit = Fit::epochs(2).batch_size(8).verbose(0);
    let fit = fit.callback(backup()).callback(LambdaCallback::new());
    let history = model.fit(&x, &y, fit).expect("a run");
    assert_eq!((bits(&model), history), expected);
}

#[test]
fn a_finished_run_goes_on_for_more_epochs_from_the_backup_that_was_kept() {
    let _guard = seeded(SEED);
    let (x, y) = data();
    let folder = tempfile::tempdir().unwrap();
    let backup = || BackupAndRestore::new(folder.path()).keep_checkpoint();
    let fit = |epochs: usize| Fit::epochs(epochs).batch_size(16).verbose(0);
    let mut model = compiled(noisy(), Adam::new());
    let expected = model.fit(&x, &y, fit(5)).expect("a run");
    oxhorn::set_random_seed(SEED);
    let mut first = compiled(noisy(), Adam::new());
    first.fit(&x, &y, fit(3).callback(backup())).expect("a run");
    let mut second = compiled(noisy(), Adam::new());
    let file = backup().path();
    let history = second.fit(&x, &y, fit(5).callback(backup()).resume(&file)).expect("a run");
    assert_eq!(history, expected);
    assert_eq!(bits(&second), bits(&model));
    assert!(file.exists());
}

#[test]
fn a_backup_of_another_run_is_refused_and_changes_nothing() {
    let _guard = seeded(SEED);
    let (x, y) = data();
    let folder = tempfile::tempdir().unwrap();
    let backup = || BackupAndRestore::new(folder.path()).save_freq(2).keep_checkpoint();
    let fit = || Fit::epochs(1).verbose(0);
    let mut model = compiled(noisy(), Adam::new());
    model.fit(&x, &y, fit().batch_size(8).callback(backup())).expect("a run");
    let refused = |mut model: Sequential, fit: Fit<'_>| {
        let before = bits(&model);
        let error = model.fit(&x, &y, fit.callback(backup())).expect_err("another run");
        assert_eq!(bits(&model), before);
        error.to_string()
    };
    assert_eq!(
        refused(compiled(noisy(), Adam::new()), fit().batch_size(7)),
        "the run that was interrupted had batches of 8 samples, this one has 7\n  help: go on with \
         `batch_size` 8"
    );
    let other = compiled(noisy(), Adam::new().amsgrad(true));
    assert_eq!(
        refused(other, fit().batch_size(8)),
        "the state that was kept has no variable \
         `optimizer/batch_normalization_beta_velocity_hat`\n  help: go on with the model, \
         the loss, the optimizer and the metrics that it had"
    );
    let smaller = Sequential::new().add(Dense::new(3).activation("softmax").input_dim(6));
    let error = refused(compiled(smaller, Adam::new()), fit().batch_size(8));
    assert!(error.starts_with("the variable `dense/bias` of type float32[3] was kept as one of"));
    let callbacks = fit().batch_size(8).callback(TerminateOnNaN::new());
    let error = compiled(noisy(), Adam::new()).fit(&x, &y, callbacks.callback(backup()));
    let error = error.expect_err("another callback").message;
    assert_eq!(error, "the run that was interrupted had 1 callbacks, this one has 2");
    let missing = folder.path().join("none.safetensors");
    let error = compiled(noisy(), Adam::new()).fit(&x, &y, fit().resume(&missing));
    assert!(error.is_err(), "there is nothing to go on from");
}

#[test]
fn a_backup_with_one_bit_flipped_is_refused() {
    let _guard = seeded(SEED);
    let (x, y) = data();
    let folder = tempfile::tempdir().unwrap();
    let backup = || BackupAndRestore::new(folder.path()).keep_checkpoint();
    let fit = || Fit::epochs(1).verbose(0).callback(backup());
    compiled(noisy(), Adam::new()).fit(&x, &y, fit()).expect("a run");
    let whole = fs::read(backup().path()).unwrap();
    for bit in (0..whole.len() * 8).step_by(whole.len() / 5) {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(backup().path(), flipped).unwrap();
        let error = compiled(noisy(), Adam::new()).fit(&x, &y, fit());
        assert!(error.is_err(), "bit {bit}");
    }
}
