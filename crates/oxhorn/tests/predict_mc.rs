//! Monte Carlo dropout: what its samples are, and that the model stays what it was.

mod support;

use ndarray::{Array2, ArrayD, Axis, array, concatenate, s};
use oxhorn::{layer::AnyLayer, prelude::*, random::set_random_seed};
use support::{bits, seeded};

/// A network in which all that training changes is to be found.
fn network() -> Sequential {
    let mut model = Sequential::new()
        .threads(2)
        .add(Dense::new(16).activation("relu").input_dim(5))
        .add(BatchNormalization::new())
        .add(GaussianNoise::new(0.5))
        .add(Dropout::new(0.5))
        .add(GaussianDropout::new(0.25))
        .add(Dense::new(3).activation("softmax"));
    model.compile("adam", "sparse_categorical_crossentropy", NO_METRICS).unwrap();
    model
}

fn samples(prediction: &McPrediction) -> Vec<u32> {
    prediction.samples().iter().map(|value| value.to_bits()).collect()
}

#[test]
fn the_model_stays_what_it_was_with_its_seeds() {
    let run = |between: &dyn Fn(&mut Sequential)| {
        let _guard = seeded(1);
        let (x, y) = (random((23, 5)), randint(3, 23));
        let mut model = network();
        let fit = || Fit::epochs(2).batch_size(5).verbose(0).shuffle(false);
        model.fit(&x, &y, fit()).unwrap();
        let before = bits(&model);
        between(&mut model);
        assert_eq!(bits(&model), before);
        // Had a seed moved, the masks of these epochs were others.
        let history = model.fit(&x, &y, fit()).unwrap();
        (history.history, bits(&model))
    };
    let x = Array2::<f32>::ones((7, 5));
    let plain = run(&|_| {});
    assert_eq!(run(&|model| drop(model.predict_mc(&x, PredictMc::samples(3)).unwrap())), plain);
    assert_eq!(
        run(&|model| {
            let common = PredictMc::samples(5).common_mask().seed(3).batch_size(2);
            drop(model.predict_mc(&x, common).unwrap());
            model.predict_mc(&x, PredictMc::samples(0)).unwrap_err();
        }),
        plain
    );
}

#[test]
fn a_seed_makes_samples_that_do_not_depend_on_what_happened_before() {
    let _guard = seeded(2);
    let x = random((7, 5));
    let mut model = network();
    let predict = |model: &mut Sequential, seed| {
        samples(&model.predict_mc(&x, PredictMc::samples(5).seed(seed)).unwrap())
    };
    let first = predict(&mut model, 1);
    model.predict_mc(&x, PredictMc::default()).unwrap();
    let rate = model.numbers().unwrap();
    assert!(rate.iter().any(|(path, _)| path == "dropout/rate"));
    assert_eq!(predict(&mut model, 1), first);
    assert_ne!(predict(&mut model, 2), first);
    let drawn =
        |model: &mut Sequential| samples(&model.predict_mc(&x, PredictMc::samples(5)).unwrap());
    set_random_seed(7);
    let (one, two) = (drawn(&mut model), drawn(&mut model));
    assert_ne!(one, two);
    set_random_seed(7);
    assert_eq!([drawn(&mut model), drawn(&mut model)], [one, two]);
}

#[test]
fn samples_and_layers_have_masks_of_their_own() {
    let _guard = seeded(3);
    let x = Array2::<f32>::ones((2, 64));
    let mut model = Sequential::new().add(Dropout::new(0.5)).add(Dropout::new(0.5));
    let y = model.predict_mc(&x, PredictMc::samples(2).seed(1)).unwrap();
    let rows: Vec<Vec<u32>> = y
        .samples()
        .lanes(Axis(2))
        .into_iter()
        .map(|row| row.iter().map(|value| value.to_bits()).collect())
        .collect();
    for (i, row) in rows.iter().enumerate() {
        assert!(rows[..i].iter().all(|other| other != row));
        // Were the masks of the two layers equal, half of the numbers would be left.
        let left = row.iter().filter(|bits| **bits != 0).count();
        assert!((4..28).contains(&left), "{left}");
    }
}

#[test]
fn a_common_mask_makes_each_sample_one_network_whatever_the_batches() {
    let _guard = seeded(4);
    let x = random((4, 2)).mapv(|value| (16.0 * value).floor() / 16.0);
    let x = concatenate![Axis(0), x, 2.0 * &x, x.slice(s![..3, ..])];
    let drops: [(&[i64], AnyLayer); 10] = [
        (&[32], Dropout::new(0.5).into()),
        (&[32], GaussianDropout::new(0.5).into()),
        (&[32], AlphaDropout::new(0.5).into()),
        (&[32], Dropout::new(0.5).noise_shape([Some(1), None]).into()),
        (&[4, 8], SpatialDropout1D::new(0.5).into()),
        (&[32], DropPath::new(0.5).into()),
        (&[16, 2], DropBlock1D::new(0.25, 3).into()),
        (&[4, 4, 2], DropBlock2D::new(0.25, 2).into()),
        (&[32], DropConnect::new(8, 0.5).into()),
        (&[32], MultiSampleDropout::new(Dense::new(4)).into()),
    ];
    for (shape, drop) in drops {
        let name = drop.class_name();
        let mut model = Sequential::new()
            .add(Dense::new(32).use_bias(false).input_dim(2))
            .add(Reshape::new(shape.to_vec()))
            .add(drop)
            .add(Dense::new(3).use_bias(false));
        let mut predict = |batch_size| {
            let predict = PredictMc::samples(11).common_mask().seed(5).batch_size(batch_size);
            model.predict_mc(&x, predict).unwrap()
        };
        let whole = predict(11);
        for batch_size in [1, 2, 7, 100] {
            assert_eq!(samples(&predict(batch_size)), samples(&whole), "{name} {batch_size}");
        }
        let y = whole.samples();
        let rows = |rows: std::ops::Range<usize>| y.slice_axis(Axis(1), rows.into()).to_owned();
        assert_eq!(rows(0..3), rows(8..11), "{name}");
        if name != "AlphaDropout" {
            // Twice the input gives exactly twice the output: powers of two are exact.
            assert_eq!(rows(0..4).mapv(|y| 2.0 * y), rows(4..8), "{name}");
        }
        assert!(whole.std().iter().all(|std| *std > 0.0), "{name}");
    }
}

#[test]
fn inputs_have_masks_of_their_own_unless_they_are_to_share_them() {
    let _guard = seeded(5);
    let x = Array2::<f32>::ones((2, 32));
    let mut model = Sequential::new().add(Dropout::new(0.5));
    let y = model.predict_mc(&x, PredictMc::samples(1).seed(1)).unwrap();
    assert_ne!(y.samples().slice(s![0, 0, ..]), y.samples().slice(s![0, 1, ..]));
    let y = model.predict_mc(&x, PredictMc::samples(1).seed(1).common_mask()).unwrap();
    assert_eq!(y.samples().slice(s![0, 0, ..]), y.samples().slice(s![0, 1, ..]));
}

#[test]
fn a_linear_model_has_the_moments_of_the_closed_form() {
    let _guard = seeded(6);
    let (rate, draws) = (0.25, 4000);
    let mut model = Sequential::new().add(Dropout::new(rate)).add(Dense::new(1).use_bias(false));
    let x = random((3, 16)) - 0.5;
    let plain = model.predict(&x).unwrap();
    let kernel = model.weight("dense/kernel").unwrap();
    let y = model.predict_mc(&x, PredictMc::samples(draws).seed(1)).unwrap();
    let (mean, std) = (y.mean(), y.std());
    for (row, x) in x.outer_iter().enumerate() {
        // y = Σ m w x / keep, with m of mean keep and variance keep (1 - keep).
        let terms = x.iter().zip(&kernel).map(|(x, w)| (x * f64::from(*w)).powi(2));
        let variance = terms.sum::<f64>() * rate / (1.0 - rate);
        let error =
            (mean[[row, 0]] - f64::from(plain[[row, 0]])) / (variance / draws as f64).sqrt();
        assert!(error.abs() < 4.0, "the mean is off by {error} standard errors");
        let ratio = std[[row, 0]].powi(2) / variance;
        assert!((ratio - 1.0).abs() < 0.1, "the variance is {ratio} times the closed form");
    }
}

#[test]
fn what_does_not_drop_is_not_random() {
    let _guard = seeded(7);
    let x = random((5, 4));
    let mut model = Sequential::new()
        .add(GaussianNoise::new(1.0).input_shape([4]))
        .add(BatchNormalization::new())
        .add(Dense::new(3))
        .add(Dropout::new(1e-9));
    let y = model.predict_mc(&x, PredictMc::samples(4)).unwrap();
    let plain = model.predict(&x).unwrap();
    for sample in y.samples().outer_iter() {
        assert!(sample.iter().zip(&plain).all(|(a, b)| (a - b).abs() < 1e-6));
    }
}

#[test]
fn few_samples_of_few_inputs_have_the_shapes_that_one_expects() {
    let _guard = seeded(8);
    for (samples, inputs, batch_size) in [(1, 1, 1), (1, 7, 2), (13, 1, 5), (50, 101, 32)] {
        let y = network()
            .predict_mc(&random((inputs, 5)), PredictMc::samples(samples).batch_size(batch_size))
            .unwrap();
        assert_eq!(y.samples().shape(), [samples, inputs, 3]);
        assert_eq!(y.mean().shape(), [inputs, 3]);
        assert!(y.mutual_information().unwrap().iter().all(|nats| *nats >= 0.0));
        let sums = y.mean().sum_axis(Axis(1));
        assert!(sums.iter().all(|sum: &f64| (sum - 1.0).abs() < 1e-6));
    }
}

#[test]
fn what_cannot_be_sampled_is_refused() {
    let _guard = seeded(9);
    let x = array![[1.0, 2.0]];
    let message = |layer: AnyLayer, predict: PredictMc| {
        let mut model = Sequential::new().add(layer);
        let sampled: oxhorn::Result<ArrayD<f64>> = model.predict_mc(&x, predict).map(|y| y.mean());
        sampled.unwrap_err().to_string()
    };
    let nothing = "nothing in the model drops, so that all samples would be the same\n  help: add \
                   `Dropout`, or another layer that drops, with a rate above 0; a layer of one's \
                   own takes part where it calls such a layer, or with `training=True`";
    assert_eq!(message(Dense::new(2).into(), PredictMc::default()), nothing);
    assert_eq!(message(Dropout::new(0.0).into(), PredictMc::default()), nothing);
    assert_eq!(message(GaussianNoise::new(0.5).into(), PredictMc::default()), nothing);
    let drop = || AnyLayer::from(Dropout::new(0.5));
    for samples in [0, 65_537, usize::MAX] {
        let expected = format!(
            "`samples` must be between 1 and 65536, got {samples}\n  help: 50 are enough for a \
             mean, some hundred for an interval"
        );
        assert_eq!(message(drop(), PredictMc::samples(samples)), expected);
    }
    let message = message(drop(), PredictMc::default().batch_size(0));
    assert!(message.starts_with("`batch_size` must be at least 1, got 0"), "{message}");
}
