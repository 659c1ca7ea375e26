//! The same seed gives the same bits, on however many threads.

mod support;

use ndarray::Array2;
use oxhorn::prelude::*;
use support::{bits, samples, seeded, tutorial};

type Bits = Vec<(String, Vec<u32>)>;

/// The tutorial's network after two epochs, with smaller last batches.
fn trained(seed: u32, threads: usize) -> (Bits, History) {
    let _guard = seeded(seed);
    let (x, y) = samples(203);
    let mut model = tutorial(threads);
    model.compile(Adam::default(), "categorical_crossentropy", ["accuracy"]).unwrap();
    let fit = Fit::epochs(2).validation_split(0.2).verbose(0);
    let history = model.fit(&x, &y, fit).unwrap();
    (bits(&model), history)
}

/// A network whose products and updates are large enough to be split among threads.
fn wide(threads: usize) -> (Bits, Vec<u32>) {
    let _guard = seeded(7);
    let (x, y): (Array2<f64>, _) = (random((300, 784)), randint(10, 300));
    let mut model = Sequential::new()
        .threads(threads)
        .add(Dense::new(600).activation("relu").input_dim(784))
        .add(Dropout::new(0.3))
        .add(Dense::new(10).activation("softmax"));
    model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"]).unwrap();
    model.fit(&x, &y, Fit::epochs(2).batch_size(128).verbose(0)).unwrap();
    let predictions = model.predict(&x).unwrap();
    (bits(&model), predictions.iter().map(|p| p.to_bits()).collect())
}

#[test]
fn the_tutorials_network_has_the_same_weights_on_one_two_and_three_threads() {
    let one = trained(812, 1);
    assert_eq!(trained(812, 2), one);
    assert_eq!(trained(812, 3), one);
}

#[test]
fn a_wide_network_has_the_same_weights_on_one_two_and_three_threads() {
    let one = wide(1);
    assert!(wide(2) == one, "two threads give other weights than one");
    assert!(wide(3) == one, "three threads give other weights than one");
}

#[test]
fn the_same_seed_gives_the_same_weights_and_another_seed_others() {
    let (weights, history) = trained(812, 2);
    assert_eq!(trained(812, 2), (weights.clone(), history));
    let (others, _) = trained(813, 2);
    for ((path, a), (_, b)) in weights.iter().zip(&others) {
        assert_ne!(a, b, "{path}");
    }
}

#[test]
fn the_number_of_threads_may_change_between_fits() {
    let fit = |model: &mut Sequential, (x, y): &(_, _)| {
        model.fit(x, y, Fit::epochs(1).verbose(0)).map(drop).unwrap();
    };
    let run = |threads: [usize; 2]| {
        let _guard = seeded(3);
        let data = samples(70);
        let mut model = tutorial(threads[0]);
        model.compile("adam", "categorical_crossentropy", ["accuracy"]).unwrap();
        fit(&mut model, &data);
        let mut model = model.threads(threads[1]);
        fit(&mut model, &data);
        bits(&model)
    };
    assert_eq!(run([1, 3]), run([2, 1]));
}

#[test]
fn a_model_with_a_seed_of_its_own_trains_beside_others_as_it_would_alone() {
    let (x, y) = {
        let _guard = seeded(1);
        samples(70)
    };
    let run = |seed: u32| {
        let mut model = Sequential::new()
            .seed(seed)
            .threads(1)
            .add(Dense::new(16).activation("relu").input_dim(25))
            .add(Dropout::new(0.4))
            .add(Dense::new(5).activation("softmax"));
        model.compile("adam", "categorical_crossentropy", ["accuracy"]).unwrap();
        model.fit(&x, &y, Fit::epochs(3).verbose(0)).unwrap();
        bits(&model)
    };
    let alone = run(5);
    let beside = std::thread::scope(|scope| {
        let others: Vec<_> = (5..9).map(|seed| scope.spawn(move || run(seed))).collect();
        others.into_iter().map(|it| it.join().expect("a run")).collect::<Vec<_>>()
    });
    assert_eq!(beside[0], alone);
    assert_ne!(beside[1], alone);
}

/// A model whose seeds go by path, with this many dropouts, and what it gives after two epochs.
fn by_path(dropouts: usize) -> Sequential {
    let mut model = Sequential::new().threads(1).seed_by_path(5);
    model = model.add(Dense::new(7).activation("relu").input_dim(25));
    for _ in 0..dropouts {
        model = model.add(Dropout::new(0.25));
    }
    let mut model = model.add(Dense::new(5).activation("softmax"));
    model.compile("adam", "categorical_crossentropy", ["accuracy"]).unwrap();
    model
}

fn history(model: &mut Sequential, (x, y): &(Array2<f64>, Array2<f64>)) -> History {
    model.fit(x, y, Fit::epochs(2).batch_size(8).verbose(0)).unwrap()
}

#[test]
fn seeds_by_path_give_layers_the_same_weights_whatever_stands_between_them() {
    let (none, two) = (by_path(0), by_path(2));
    assert_eq!(bits(&none), bits(&two));
    let kernel = none.weight("dense/kernel").unwrap();
    assert_ne!(kernel.iter().next(), none.weight("dense_1/kernel").unwrap().iter().next());
}

#[test]
fn a_model_that_is_restarted_is_as_it_was_made() {
    let guard = seeded(812);
    let data = samples(21);
    drop(guard);
    let mut model = by_path(2);
    let numbers = model.numbers().unwrap();
    let (first, begun) = (bits(&model), history(&mut model, &data));
    model.set_number("dropout_1/rate", 0.5).unwrap();
    model.set_number("optimizer/learning_rate", 1.0).unwrap();
    assert_ne!(history(&mut model, &data), begun);
    model.restart(5).unwrap();
    assert_eq!((bits(&model), model.numbers().unwrap()), (first, numbers));
    assert_eq!(history(&mut model, &data), begun);
    model.restart(6).unwrap();
    assert_ne!(history(&mut model, &data), begun);
}
