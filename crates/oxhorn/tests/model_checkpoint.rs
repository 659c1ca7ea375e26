//! Models saved while they train: when, under which names, and what is said.

mod support;

use std::{cell::RefCell, fs, path::Path};

use oxhorn::prelude::*;
use support::{bits, samples, seeded};
use tempfile::tempdir;

fn model() -> Sequential {
    let mut model = Sequential::new()
        .seed(3)
        .add(Dense::new(7).activation("relu").input_dim(25))
        .add(Dropout::new(0.2))
        .add(Dense::new(5).activation("softmax"));
    model.compile("sgd", "categorical_crossentropy", ["accuracy"]).expect("names that exist");
    model
}

/// The names of the files in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// Sets the numbers of epochs to these, so that it is known which is the best.
fn told(losses: &'static [f64]) -> LambdaCallback<'static> {
    LambdaCallback::new().on_epoch_end(|epoch, logs, _| {
        logs.set("val_loss", losses[epoch]);
        Ok(())
    })
}

/// Fits four epochs of three batches with the callbacks; what was printed.
fn printed<'a>(model: &mut Sequential, callbacks: impl FnOnce(Fit<'a>) -> Fit<'a>) -> String {
    let (x, y) = samples(48);
    let mut output = Vec::new();
    {
        let fit = callbacks(Fit::epochs(4).batch_size(16).verbose(0));
        struct Sink<'o>(&'o RefCell<&'o mut Vec<u8>>);
        impl std::io::Write for Sink<'_> {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.borrow_mut().write(bytes)
            }

            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let output = RefCell::new(&mut output);
        model.fit(&x, &y, fit.output(Sink(&output))).expect("a run");
    }
    String::from_utf8(output).unwrap()
}

#[test]
fn saves_every_epoch_under_a_name_of_its_own() {
    let (_guard, folder) = (seeded(1), tempdir().unwrap());
    let path = format!("{}/made/{{epoch:02d}}-{{val_loss:.2f}}.keras", folder.path().display());
    let mut model = model();
    let text = printed(&mut model, |fit| {
        fit.callback(told(&[0.5, 0.25, 1.0, 0.125])).callback(ModelCheckpoint::new(path).verbose(1))
    });
    let made = folder.path().join("made");
    assert_eq!(names(&made), ["01-0.50.keras", "02-0.25.keras", "03-1.00.keras", "04-0.12.keras"]);
    let last = made.join("04-0.12.keras");
    let lines = format!(
        "\nEpoch 4: saving model to {0}\n\nEpoch 4: finished saving model to {0}\n",
        last.display()
    );
    assert!(text.ends_with(&lines), "{text}");
    assert_eq!(bits(&Sequential::load(&last).expect("a model")), bits(&model));
}

#[test]
fn saves_what_is_best_and_says_so_in_the_words_of_keras() {
    let (_guard, folder) = (seeded(2), tempdir().unwrap());
    let path = folder.path().join("best.keras").display().to_string();
    let at_second = RefCell::new(None);
    let watch = LambdaCallback::new().on_epoch_end(|epoch, _, training| {
        if epoch == 1 {
            *at_second.borrow_mut() = Some(training.weights());
        }
        Ok(())
    });
    let mut model = model();
    let best = ModelCheckpoint::new(&path).save_best_only().verbose(1);
    let text = printed(&mut model, |fit| {
        fit.callback(told(&[0.5, 0.25, 1.0, 0.25])).callback(watch).callback(best)
    });
    let expected = format!(
        "\nEpoch 1: val_loss improved from None to 0.50000, saving model to {path}\n\
         \nEpoch 1: finished saving model to {path}\n\
         \nEpoch 2: val_loss improved from 0.50000 to 0.25000, saving model to {path}\n\
         \nEpoch 2: finished saving model to {path}\n\
         \nEpoch 3: val_loss did not improve from 0.25000\n\
         \nEpoch 4: val_loss did not improve from 0.25000\n"
    );
    assert_eq!(text, expected);
    let saved = Sequential::load(&path).expect("a model");
    let (x, y) = samples(16);
    let restore = LambdaCallback::new().on_train_begin(|training| {
        training.restore(at_second.borrow().as_ref().expect("the weights of the best epoch"))
    });
    model.fit(&x, &y, Fit::epochs(0).verbose(0).callback(restore)).expect("a run");
    assert_eq!(bits(&saved), bits(&model));
}

#[test]
fn saves_nothing_that_does_not_beat_the_threshold() {
    let (_guard, folder) = (seeded(3), tempdir().unwrap());
    let path = folder.path().join("{epoch}.weights.h5").display().to_string();
    let best = || ModelCheckpoint::new(&path).save_weights_only().save_best_only();
    let mut first = best().monitor("accuracy").mode("max").initial_value_threshold(2.0);
    printed(&mut model(), |fit| fit.callback(&mut first));
    assert!(names(folder.path()).is_empty());
    assert_eq!(first.best(), Some(2.0));
    // What is not there is saved always, with a warning.
    let text = printed(&mut model(), |fit| fit.callback(best()));
    assert_eq!(names(folder.path()), [1, 2, 3, 4].map(|epoch| format!("{epoch}.weights.h5")));
    assert_eq!(text, "Can save best model only with val_loss available.\n");
}

#[test]
fn saves_after_so_many_batches_over_all_epochs() {
    let (_guard, folder) = (seeded(4), tempdir().unwrap());
    let path = folder.path().join("{epoch}-{batch}.npz").display().to_string();
    let checkpoint = ModelCheckpoint::new(path).save_weights_only().save_freq(5);
    printed(&mut model(), |fit| fit.callback(checkpoint));
    // Of twelve batches in epochs of three, the fifth and the tenth.
    assert_eq!(names(folder.path()), ["2-2.npz", "4-1.npz"]);
}

#[test]
fn paths_that_it_cannot_save_to_are_refused_in_the_words_of_keras() {
    let (_guard, folder) = (seeded(5), tempdir().unwrap());
    let (x, y) = samples(16);
    let message = |checkpoint: ModelCheckpoint| {
        let fit = Fit::epochs(1).verbose(0).callback(checkpoint);
        model().fit(&x, &y, fit).expect_err("a path that is none").message
    };
    assert_eq!(
        message(ModelCheckpoint::new("a.weights")),
        "The filepath provided must end in `.keras` (Keras model format). Received: \
         filepath=a.weights"
    );
    assert_eq!(
        message(ModelCheckpoint::new("a.keras").save_weights_only()),
        "When using `save_weights_only=True` in `ModelCheckpoint`, the filepath provided must end \
         in `.weights.h5` (Keras weights format). Received: filepath=a.keras"
    );
    assert_eq!(
        message(ModelCheckpoint::new("{val_loss:.2f}.keras")),
        "Failed to format this callback filepath: \"{val_loss:.2f}.keras\". Reason: 'val_loss'"
    );
    assert_eq!(
        message(ModelCheckpoint::new("a.keras").save_freq("day")),
        "Unrecognized save_freq: day. Expected save_freq are 'epoch' or integer values"
    );
    let taken = folder.path().join("taken.keras");
    fs::create_dir(&taken).unwrap();
    let message = message(ModelCheckpoint::new(taken.display().to_string()));
    assert!(message.starts_with("Please specify a non-directory filepath"), "{message}");
}

#[test]
fn a_run_goes_on_from_a_model_that_it_saved() {
    let (_guard, folder) = (seeded(6), tempdir().unwrap());
    let path = folder.path().join("{epoch}.keras").display().to_string();
    let (x, y) = samples(48);
    let mut model = model();
    let fit = |epochs| Fit::epochs(epochs).batch_size(16).verbose(0);
    let expected = model.fit(&x, &y, fit(5).callback(ModelCheckpoint::new(path))).expect("a run");
    let mut again = Sequential::load(folder.path().join("3.keras")).expect("a model");
    let history = again.fit(&x, &y, fit(5).initial_epoch(3)).expect("a run");
    assert_eq!(history["loss"], expected["loss"][3..]);
    assert_eq!(bits(&again), bits(&model));
}
