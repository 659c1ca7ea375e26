//! A process that trains is killed, again and again, and what goes on in its place ends with the
//! same bits as one that nobody killed.

mod support;

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use ndarray::Array2;
use oxhorn::{prelude::*, random::Numpy};
use support::{bits, seeded};

/// Names the folder in which a process of this test trains; others have none.
const FOLDER: &str = "OXHORN_TEST_TRAINS_IN";

const EPOCHS: usize = 5;
const BATCHES: usize = 6;

/// What a process does that is started to be killed: nothing in the process of the tests.
#[test]
fn trains_if_it_is_told_where() {
    let Ok(folder) = env::var(FOLDER) else { return };
    let _guard = seeded(812);
    let folder = Path::new(&folder);
    let x = Array2::from_shape_fn((65, 6), |(i, j)| ((i * 7 + j * 13) % 17) as f64 / 9.0 - 1.0);
    let y: Vec<i64> = (0..65).map(|i| i * i % 3).collect();
    let mut model = Sequential::new()
        .threads(1)
        .add(Dense::new(16).activation("relu").input_dim(6))
        .add(Dropout::new(0.4))
        .add(BatchNormalization::new())
        .add(Dense::new(3).activation("softmax"));
    model
        .compile(Adam::new().learning_rate(0.02), "sparse_categorical_crossentropy", ["accuracy"])
        .unwrap();
    let fit = Fit::epochs(EPOCHS).batch_size(8).validation_split(0.3).verbose(0);
    let fit = fit
        .callback(EarlyStopping::new("val_loss").patience(4).restore_best_weights())
        .callback(ReduceLROnPlateau::new("val_accuracy").factor(0.5).patience(1))
        .callback(CSVLogger::new(folder.join("log.csv")))
        .callback(BackupAndRestore::new(folder.join("backup")).save_freq(1))
        .callback(LambdaCallback::new().on_train_batch_begin(|_, _| {
            println!("\na batch begins");
            Ok(())
        }));
    let history = model.fit(&x, &y, fit).unwrap();
    let exact: Vec<_> = history
        .history
        .iter()
        .map(|(name, values)| {
            (name.to_owned(), values.iter().map(|value| value.to_bits()).collect::<Vec<_>>())
        })
        .collect();
    let end = format!("{:?}\n{exact:?}\n{:?}", history.epoch, bits(&model));
    fs::write(folder.join("end.txt"), end).unwrap();
}

/// Starts a process that trains in this folder.
fn start(folder: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "trains_if_it_is_told_where", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills a process that trains in this folder so many microseconds after the beginning of its nth
/// batch; whether it was still there.
fn is_killed(folder: &Path, batch: usize, microseconds: u64) -> bool {
    let mut child = start(folder);
    let output = BufReader::new(child.stdout.take().unwrap());
    let begins = output.lines().map_while(|line| line.ok());
    let seen = begins.filter(|line| line == "a batch begins").take(batch).count();
    thread::sleep(Duration::from_micros(microseconds));
    let lives = child.try_wait().unwrap().is_none();
    child.kill().unwrap(); // SIGKILL: nothing in the process is asked.
    child.wait().unwrap();
    lives && seen == batch
}

/// What training in this folder ends with.
fn end(folder: &Path) -> (String, String) {
    let status = start(folder).wait_with_output().unwrap().status;
    assert!(status.success());
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    (read("end.txt"), read("log.csv"))
}

#[test]
fn fifty_times_and_ends_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let expected = end(folder.path());
    let (mut kills, mut random) = (0, Numpy::seeded(53));
    let mut draw = |high: i64| random.randint(high).unwrap_or_default();
    while kills < 50 {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..5 {
            let batch = 1 + draw((EPOCHS * BATCHES / 4) as i64) as usize;
            kills += usize::from(is_killed(folder.path(), batch, draw(4000) as u64));
        }
        assert!(end(folder.path()) == expected, "after {kills} kills");
    }
}
