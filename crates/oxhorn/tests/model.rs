//! A model over its life: layers added, compiled anew, trained in several ways.

mod support;

use ndarray::Array2;
use oxhorn::{
    prelude::*,
    random::{next_seed, streams},
};
use support::{bits, samples, seeded, tutorial};

fn compiled() -> Sequential {
    let mut model = tutorial(1);
    model.compile("adam", "categorical_crossentropy", ["accuracy"]).unwrap();
    model
}

/// How many permutations of `n` were drawn since the generator was seeded with `seed`.
fn permutations(n: usize, seed: u32) -> usize {
    let mut numpy = oxhorn::random::Streams::seeded(seed).numpy;
    let now = streams().numpy.clone().random();
    (0..)
        .take_while(|_| {
            let found = numpy.clone().random() == now;
            numpy.permutation(n);
            !found
        })
        .take(100)
        .count()
}

#[test]
fn the_first_fit_looks_at_a_batch_unless_the_model_has_seen_one_as_in_keras() {
    let _guard = seeded(1);
    let (x, y) = samples(13);
    type Look<'a> = &'a dyn Fn(&mut Sequential);
    let quiet = || Evaluate::new().verbose(0);
    // What Keras 3.15.1 on JAX draws in these cases.
    let cases: [(Look, usize); 5] = [
        (&|_| (), 2),
        (&|model| drop(model.predict(&x).unwrap()), 2),
        (&|model| drop(model.evaluate_with(&x, &y, quiet()).unwrap()), 1),
        (&|model| drop(model.train_on_batch(&x, &y).unwrap()), 1),
        (&|model| drop(model.test_on_batch(&x, &y).unwrap()), 1),
    ];
    for (look, expected) in cases {
        let mut model = compiled();
        look(&mut model);
        for expected in [expected, 1] {
            oxhorn::set_random_seed(9);
            model.fit(&x, &y, Fit::epochs(1).verbose(0)).unwrap();
            assert_eq!(permutations(13, 9), expected);
        }
        model.compile("adam", "categorical_crossentropy", NO_METRICS).unwrap();
        oxhorn::set_random_seed(9);
        model.fit(&x, &y, Fit::epochs(3).verbose(0)).unwrap();
        assert_eq!(permutations(13, 9), 4, "compiled anew");
    }
}

#[test]
fn layers_draw_their_seeds_when_they_are_added() {
    let guard = seeded(1);
    let mut expected = vec![];
    for _ in 0..2 {
        expected.push(bits(&tutorial(1)));
    }
    let next = next_seed();
    drop(guard);
    let _guard = seeded(1);
    let (mut first, mut second) = (tutorial(1), tutorial(1));
    // The order in which models are compiled, or looked at, does not matter.
    second.compile("sgd", "mse", NO_METRICS).unwrap();
    first.compile("sgd", "mse", NO_METRICS).unwrap();
    assert_eq!([bits(&first), bits(&second)], expected[..]);
    assert_eq!(next_seed(), next);
}

#[test]
fn layers_keep_their_weights_when_the_last_is_popped() {
    let _guard = seeded(1);
    let model = || Sequential::new().add(Dense::new(3).input_dim(2)).add(Dropout::new(0.5));
    let mut longer = model().add(Dense::new(4)).add(Dropout::new(0.25));
    longer.set_number("dropout/rate", 0.125).unwrap();
    let kept = longer.weights().unwrap()[..2].to_vec();
    assert_eq!(longer.pop().and_then(|layer| layer.name).as_deref(), Some("dropout_1"));
    assert_eq!(longer.pop().and_then(|layer| layer.name).as_deref(), Some("dense_1"));
    assert_eq!(longer.weights().unwrap(), kept);
    assert_eq!(longer.numbers().unwrap(), [("dropout/rate".to_owned(), 0.125)]);
    assert_eq!(longer.to_json()["config"]["layers"].as_array().map(Vec::len), Some(3));
    longer = longer.add(Dense::new(4)).add(Dropout::new(0.75));
    assert_eq!(longer.numbers().unwrap()[1], ("dropout_1/rate".to_owned(), 0.75));
    assert!(Sequential::new().pop().is_none());
}

#[test]
fn layers_keep_their_weights_when_more_are_added() {
    let _guard = seeded(1);
    let (x, y) = samples(40);
    let mut model = compiled();
    model.fit(&x, &y, Fit::epochs(1).verbose(0)).unwrap();
    model.set_number("dropout_1/rate", 0.1).unwrap();
    let before = bits(&model);
    let mut model = model.add(Dense::new(5).activation("softmax"));
    assert_eq!(bits(&model)[..6], before);
    let added = model.weight("dense_3/kernel").unwrap();
    assert!(added.iter().any(|w| *w != 0.0));
    let rates = model.numbers().unwrap();
    assert!(rates.contains(&("dropout_1/rate".to_owned(), 0.1)), "{rates:?}");
    model.compile("adam", "categorical_crossentropy", ["accuracy"]).unwrap();
    model.fit(&x, &y, Fit::epochs(1).verbose(0)).unwrap();
    assert_eq!(model.predict(&x).unwrap().shape(), [40, 5]);
}

#[test]
fn a_model_compiled_anew_keeps_its_weights_and_begins_with_a_new_optimizer() {
    let guard = seeded(1);
    let (x, y) = samples(40);
    let mut model = Sequential::new().threads(1).add(Dense::new(5).input_dim(25));
    let fit = || Fit::epochs(2).shuffle(false).verbose(0);
    model.compile("adam", "mse", ["mae"]).unwrap();
    model.fit(&x, &y, fit()).unwrap();
    let weights = model.weights().unwrap();
    model.compile("adam", "mse", ["mae"]).unwrap();
    assert_eq!(model.weights().unwrap(), weights);
    let history = model.fit(&x, &y, fit()).unwrap();

    let mut fresh = Sequential::new().threads(1).add(Dense::new(5).input_dim(25));
    for (path, weight) in &weights {
        fresh.set_weight(path, weight).unwrap();
    }
    fresh.compile("adam", "mse", ["mae"]).unwrap();
    assert_eq!(fresh.fit(&x, &y, fit()).unwrap(), history);
    assert_eq!(bits(&fresh), bits(&model));
    drop(guard);
}

#[test]
fn a_second_fit_goes_on_where_the_first_ended() {
    let train = |epochs: &[(usize, usize)]| {
        let _guard = seeded(1);
        let ((x, y), mut model) = (samples(40), compiled());
        for &(from, to) in epochs {
            let fit = Fit::epochs(to).initial_epoch(from).verbose(0);
            model.fit(&x, &y, fit).unwrap();
        }
        bits(&model)
    };
    assert_eq!(train(&[(0, 2), (2, 5)]), train(&[(0, 5)]));
}

#[test]
fn the_learning_rate_can_be_set_once_the_model_is_compiled() {
    let train = |configured: f64, set: Option<f64>| {
        let _guard = seeded(1);
        let ((x, y), mut model) = (samples(40), tutorial(1));
        let optimizer = Adam::default().learning_rate(configured);
        model.compile(optimizer, "categorical_crossentropy", NO_METRICS).unwrap();
        if let Some(rate) = set {
            model.set_number("optimizer/learning_rate", rate).unwrap();
        }
        model.fit(&x, &y, Fit::epochs(1).verbose(0)).unwrap();
        bits(&model)
    };
    assert_eq!(train(0.5, Some(0.01)), train(0.01, None));
}

#[test]
fn predictions_have_the_shape_of_a_last_layer_that_only_reshapes() {
    let x = Array2::from_shape_fn((5, 6), |(i, j)| (6 * i + j) as f32).into_dyn();
    let mut model = Sequential::new().add(Reshape::new([2, 3]).input_dim(6));
    let y = model.predict(&x).unwrap();
    assert_eq!(y, x.to_shape(vec![5, 2, 3]).unwrap());
}

#[test]
fn one_batch_is_predicted_as_several_are() {
    let _guard = seeded(1);
    let (x, _) = samples(13);
    let mut model = tutorial(1);
    let at_once = model.predict_on_batch(&x).unwrap();
    assert_eq!(at_once.shape(), [13, 5]);
    assert_eq!(at_once, model.predict(&x).unwrap());
    for size in [1, 5, 13] {
        let several = Predict::new().verbose(0).batch_size(size);
        assert_eq!(at_once, model.predict_with(&x, several).unwrap());
    }
    let none = Array2::<f32>::zeros((0, 25));
    let error = model.predict_on_batch(&none).unwrap_err().to_string();
    assert_eq!(error, model.predict(&none).unwrap_err().to_string());
}
