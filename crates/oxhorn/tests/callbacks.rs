//! Callbacks of one's own in real runs: what they are told and what they may do.

mod support;

use ndarray::Array2;
use oxhorn::{
    callbacks::{Callback, Granularity, Snapshot},
    prelude::*,
};
use support::{bits, samples, seeded, tutorial};

/// Writes down every call, and at epoch 1 stops after its second batch.
#[derive(Default)]
struct Witness {
    told: Vec<String>,
    stops: Option<(usize, usize)>,
    epoch: usize,
    before: Option<Snapshot>,
}

impl Callback for Witness {
    fn granularity(&self) -> Granularity {
        Granularity::Batches
    }

    fn on_train_begin(&mut self, training: &mut dyn Training) -> oxhorn::Result<()> {
        let params = training.params();
        self.told.push(format!("train begins: {} epochs, {:?} steps", params.epochs, params.steps));
        self.before = Some(training.weights());
        Ok(())
    }

    fn on_epoch_begin(&mut self, epoch: usize, _: &mut dyn Training) -> oxhorn::Result<()> {
        self.epoch = epoch;
        self.told.push(format!("epoch {epoch} begins"));
        Ok(())
    }

    fn on_train_batch_begin(&mut self, batch: usize, _: &mut dyn Training) -> oxhorn::Result<()> {
        self.told.push(format!("batch {batch} begins"));
        Ok(())
    }

    fn on_train_batch_end(
        &mut self,
        batch: usize,
        logs: &Logs,
        training: &mut dyn Training,
    ) -> oxhorn::Result<()> {
        let names: Vec<&str> = logs.names().collect();
        self.told.push(format!("batch {batch} ends with {}", names.join(" ")));
        if self.stops == Some((self.epoch, batch)) {
            training.stop();
        }
        Ok(())
    }

    fn on_test_begin(&mut self, _: &mut dyn Training) -> oxhorn::Result<()> {
        self.told.push("test begins".to_owned());
        Ok(())
    }

    fn on_test_batch_end(
        &mut self,
        batch: usize,
        _: &Logs,
        _: &mut dyn Training,
    ) -> oxhorn::Result<()> {
        self.told.push(format!("test batch {batch} ends"));
        Ok(())
    }

    fn on_test_end(&mut self, logs: &Logs, _: &mut dyn Training) -> oxhorn::Result<()> {
        let names: Vec<&str> = logs.names().collect();
        self.told.push(format!("test ends with {}", names.join(" ")));
        Ok(())
    }

    fn on_epoch_end(
        &mut self,
        epoch: usize,
        logs: &mut Logs,
        _: &mut dyn Training,
    ) -> oxhorn::Result<()> {
        let names: Vec<&str> = logs.names().collect();
        self.told.push(format!("epoch {epoch} ends with {}", names.join(" ")));
        logs.set("witnessed", epoch as f64);
        Ok(())
    }

    fn on_train_end(&mut self, _: &Logs, training: &mut dyn Training) -> oxhorn::Result<()> {
        self.told.push("train ends".to_owned());
        training.restore(self.before.as_ref().unwrap())
    }
}

fn compiled() -> Sequential {
    let mut model = tutorial(1);
    model.compile(Adam::default(), "categorical_crossentropy", ["accuracy"]).unwrap();
    model
}

#[test]
fn is_told_everything_in_keras_order_and_may_stop_and_restore() {
    let _guard = seeded(3);
    let ((x, y), mut model) = (samples(70), compiled());
    let before = bits(&model);
    let mut witness = Witness { stops: Some((1, 1)), ..Witness::default() };
    let fit = Fit::epochs(5).validation_data(&x, &y).validation_batch_size(35).verbose(0);
    let history = model.fit(&x, &y, fit.callback(&mut witness)).unwrap();
    let batch =
        |i: usize| [format!("batch {i} begins"), format!("batch {i} ends with accuracy loss")];
    let test =
        ["test begins", "test batch 0 ends", "test batch 1 ends", "test ends with accuracy loss"];
    let test = || test.map(str::to_owned);
    let ends = |epoch| format!("epoch {epoch} ends with accuracy loss val_accuracy val_loss");
    let expected: Vec<String> = [
        vec!["train begins: 5 epochs, Some(3) steps".to_owned(), "epoch 0 begins".to_owned()],
        (0..3).flat_map(batch).collect(),
        test().to_vec(),
        vec![ends(0), "epoch 1 begins".to_owned()],
        // Stopped after its second batch; what was trained is validated still.
        (0..2).flat_map(batch).collect(),
        test().to_vec(),
        vec![ends(1), "train ends".to_owned()],
    ]
    .concat();
    assert_eq!(witness.told, expected);
    assert_eq!(history.epoch, [0, 1]);
    assert_eq!(history["witnessed"], [0.0, 1.0]);
    assert_eq!(bits(&model), before, "the weights were restored when training ended");
}

#[test]
fn batches_are_not_measured_for_callbacks_that_listen_to_epochs() {
    let _guard = seeded(3);
    let ((x, y), mut model) = (samples(70), compiled());
    let mut epochs = 0;
    let listener = LambdaCallback::new().on_epoch_end(|_, logs, _| {
        assert_eq!(logs.names().collect::<Vec<_>>(), ["accuracy", "loss"]);
        epochs += 1;
        Ok(())
    });
    assert_eq!(listener.granularity(), Granularity::Epochs);
    model.fit(&x, &y, Fit::epochs(2).verbose(0).callback(listener)).unwrap();
    assert_eq!(epochs, 2);
}

#[test]
fn a_learning_rate_set_between_batches_holds_from_the_next_step_on() {
    let train = |rates: [f64; 3]| {
        let _guard = seeded(3);
        let ((x, y), mut model) = (samples(96), compiled());
        let set = LambdaCallback::new().on_train_batch_begin(|batch, training| {
            training.set_learning_rate(rates[batch])?;
            assert_eq!(training.learning_rate()?, f64::from(rates[batch] as f32));
            Ok(())
        });
        model.fit(&x, &y, Fit::epochs(1).verbose(0).callback(set)).unwrap();
        let numbers = model.numbers().unwrap();
        assert!(numbers.contains(&("optimizer/learning_rate".to_owned(), rates[2])));
        bits(&model)
    };
    let constant = train([0.001; 3]);
    assert_ne!(train([0.001, 0.1, 0.001]), constant);
    assert_ne!(train([0.001, 0.001, 0.1]), constant);
    assert_eq!(train([0.001; 3]), constant);
}

#[test]
fn a_schedule_cannot_be_overruled_but_tells_its_rate() {
    let _guard = seeded(3);
    let ((x, y), mut model) = (samples(64), tutorial(1));
    let schedule = ExponentialDecay::new(0.5, 1, 0.5);
    model.compile(SGD::default().learning_rate(schedule), "mse", NO_METRICS).unwrap();
    let mut rates = vec![];
    let listener = LambdaCallback::new()
        .on_train_batch_begin(|_, training| {
            rates.push(training.learning_rate()?);
            Ok(())
        })
        .on_train_end(|_, training| training.set_learning_rate(0.1));
    let error = model.fit(&x, &y, Fit::epochs(2).verbose(0).callback(listener)).unwrap_err();
    assert_eq!(rates, [0.5, 0.25, 0.125, 0.0625]);
    assert_eq!(
        error.to_string(),
        "the learning rate follows a schedule and cannot be set to 0.1\n  help: compile with a \
         number as learning rate, or leave it to the schedule"
    );
}

#[test]
fn an_error_ends_the_run_and_is_what_fit_returns() {
    let _guard = seeded(3);
    let ((x, y), mut model) = (samples(64), compiled());
    let failing = LambdaCallback::new().on_epoch_end(|epoch, _, _| {
        Err(oxhorn::Error::new(format!("epoch {epoch} is one too many")))
    });
    let error = model.fit(&x, &y, Fit::epochs(2).verbose(0).callback(failing)).unwrap_err();
    assert_eq!(error.to_string(), "epoch 0 is one too many");
    model.fit(&x, &y, Fit::epochs(1).verbose(0)).unwrap();
}

#[test]
fn a_loss_that_is_no_number_ends_training_with_keras_words() {
    let _guard = seeded(3);
    let x = Array2::from_shape_fn((64, 3), |(i, j)| (i + j) as f64);
    let mut model = Sequential::new().threads(1).add(Dense::new(1).input_dim(3));
    model.compile(SGD::default().learning_rate(1e30), "mse", NO_METRICS).unwrap();
    let mut printed = vec![];
    let fit = Fit::epochs(3).batch_size(8).callback(TerminateOnNaN::new()).verbose(0);
    let y = x.sum_axis(ndarray::Axis(1));
    let history = model.fit(&x, &y, fit.output(&mut printed)).unwrap();
    assert_eq!(history.epoch, [0]);
    assert!(!history["loss"][0].is_finite());
    let printed = String::from_utf8(printed).unwrap();
    assert_eq!(printed, "Batch 1: Invalid loss, terminating training\n");
}

#[test]
fn csv_logger_writes_the_numbers_of_the_history() {
    let _guard = seeded(3);
    let ((x, y), mut model) = (samples(70), compiled());
    let path = std::env::temp_dir().join(format!("oxhorn-callbacks-{}.csv", std::process::id()));
    let fit = Fit::epochs(4).validation_split(0.2).validation_freq(2).verbose(0);
    let history = model.fit(&x, &y, fit.callback(CSVLogger::new(&path))).unwrap();
    let file = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let mut expected = "epoch,accuracy,loss,val_accuracy,val_loss\r\n".to_owned();
    for epoch in 0..4 {
        let [accuracy, loss] = ["accuracy", "loss"].map(|name| history[name][epoch]);
        expected += &format!("{epoch},{accuracy:?},{loss:?},");
        expected += &match epoch % 2 {
            0 => "NA,NA\r\n".to_owned(),
            _ => {
                let measured = |name: &str| history[name][epoch / 2];
                format!("{:?},{:?}\r\n", measured("val_accuracy"), measured("val_loss"))
            }
        };
    }
    assert_eq!(file, expected);
}

#[test]
fn evaluation_and_prediction_tell_their_callbacks_too() {
    let _guard = seeded(3);
    let ((x, y), mut model) = (samples(70), compiled());
    let mut witness = Witness::default();
    let evaluate = Evaluate::new().callback(&mut witness).verbose(0);
    model.evaluate_with(&x, &y, evaluate).unwrap();
    let expected = [
        "test begins",
        "test batch 0 ends",
        "test batch 1 ends",
        "test batch 2 ends",
        "test ends with accuracy loss",
    ];
    assert_eq!(witness.told, expected);
}
