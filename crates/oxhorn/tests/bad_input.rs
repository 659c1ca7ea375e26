//! Bad input is refused with what, where and how to mend it; the model stays as it was.

mod support;

use std::fmt::Debug;

use ndarray::{Array1, Array2, Array3, array};
use oxhorn::{
    Result,
    losses::{MeanSquaredError, Reduction},
    prelude::*,
};
use serde_json::json;
use support::{bits, seeded};

/// Three features, two classes.
fn small() -> Sequential {
    Sequential::new()
        .threads(1)
        .add(Dense::new(4).activation("relu").input_dim(3))
        .add(Dropout::new(0.5))
        .add(Dense::new(2).activation("softmax"))
}

fn with_loss(loss: &str) -> Sequential {
    let mut model = small();
    model.compile("adam", loss, ["accuracy"]).unwrap();
    model
}

fn compiled() -> Sequential {
    with_loss("categorical_crossentropy")
}

fn x() -> Array2<f64> {
    Array2::from_shape_fn((6, 3), |(i, j)| (3 * i + j) as f64 * 0.1)
}

fn y() -> Array2<f64> {
    Array2::from_shape_fn((6, 2), |(i, j)| f64::from(u8::from(i % 2 == j)))
}

fn quiet<'a>() -> Fit<'a> {
    Fit::epochs(1).verbose(0)
}

/// Whether the model refuses this with exactly that text, keeps its weights bit by bit, and can be
/// used as if nothing had happened: from the same seed it trains to the same weights.
#[track_caller]
fn refuses<T: Debug>(
    mut make: impl FnMut() -> Sequential,
    expected: &str,
    action: impl FnOnce(&mut Sequential) -> Result<T>,
) {
    let go_on = |model: &mut Sequential| {
        model.compile("adam", "mse", NO_METRICS).unwrap();
        oxhorn::set_random_seed(77);
        model.fit(&x(), &y(), quiet().batch_size(4)).unwrap();
        bits(model)
    };
    let guard = seeded(812);
    let mut twin = make();
    let untouched = twin.weights().ok().map(|_| bits(&twin));
    let expected_weights = go_on(&mut twin);
    drop(guard);

    let _guard = seeded(812);
    let mut model = make();
    let error = action(&mut model).unwrap_err();
    assert_eq!(error.to_string(), expected);
    if let Some(untouched) = untouched {
        assert_eq!(bits(&model), untouched, "the weights have changed");
        assert_eq!(go_on(&mut model), expected_weights, "the model is not as it was");
    }
}

/// Whether what is made is refused with exactly that text where it is built.
#[track_caller]
fn cannot_be_built(make: impl FnOnce() -> Sequential, expected: &str) {
    let _guard = seeded(812);
    let mut model = make();
    let error = model.compile("adam", "mse", NO_METRICS).unwrap_err();
    assert_eq!(error.to_string(), expected);
    // Who asks for its weights is told the same.
    assert_eq!(model.weights().unwrap_err().to_string(), expected);
    assert_eq!(model.fit(&x(), &y(), quiet()).unwrap_err().message, NOT_COMPILED);
}

const NOT_COMPILED: &str = "You must call `compile()` before using the model.";

#[test]
fn samples_of_another_shape_are_refused_wherever_they_are_given() {
    let (wide, deep) = (Array2::<f64>::ones((6, 4)), Array3::<f64>::ones((6, 3, 2)));
    let text = |name: &str, shape: &str| {
        format!(
            "the model takes samples of shape [3], but those of `{name}` have shape {shape}\n  \
             help: give them that shape after the first axis, which counts samples, or build a \
             model for another shape"
        )
    };
    refuses(compiled, &text("x", "[4]"), |model| model.fit(&wide, &y(), quiet()));
    refuses(compiled, &text("x", "[3, 2]"), |model| model.fit(&deep, &y(), quiet()));
    let flat = Array1::<f64>::ones(6);
    refuses(compiled, &text("x", "[]"), |model| model.fit(&flat, &y(), quiet()));
    refuses(compiled, &text("x", "[4]"), |model| model.evaluate(&wide, &y()));
    refuses(compiled, &text("x", "[4]"), |model| model.predict(&wide));
    refuses(compiled, &text("x", "[4]"), |model| model.train_on_batch(&wide, &y()));
    refuses(compiled, &text("x", "[4]"), |model| model.test_on_batch(&wide, &y()));
    refuses(compiled, &text("validation_data's x", "[4]"), |model| {
        model.fit(&x(), &y(), quiet().validation_data(&wide, &y()))
    });
}

#[test]
fn targets_of_another_shape_are_refused_in_keras_words() {
    let text = |origin: &str, target: &str, output: &str| {
        format!(
            "Arguments `target` and `output` must have the same shape. Received: \
             target.shape={target}, output.shape={output}\n    in: {origin}\n  help: y must have \
             a column for each output of the last layer, or be labels with a sparse loss"
        )
    };
    let loss = "loss (CategoricalCrossentropy)";
    let ones = |columns| Array2::<f64>::ones((6, columns));
    let labels = Array1::<i64>::ones(6);
    refuses(compiled, &text(loss, "[6, 3]", "[6, 2]"), |model| model.fit(&x(), &ones(3), quiet()));
    refuses(compiled, &text(loss, "[4, 1]", "[4, 2]"), |model| {
        model.fit(&x(), &ones(1), quiet().batch_size(4))
    });
    refuses(compiled, &text(loss, "[6]", "[6, 2]"), |model| model.fit(&x(), &labels, quiet()));
    refuses(compiled, &text(loss, "[6]", "[6, 2]"), |model| model.evaluate(&x(), &labels));
    let loss = "validation_data, loss (CategoricalCrossentropy)";
    refuses(compiled, &text(loss, "[5, 3]", "[5, 2]"), |model| {
        let (x, three) = (x(), ones(3));
        let fit = quiet().validation_data(&x, &three).validation_batch_size(5);
        model.fit(&x, &y(), fit)
    });
    refuses(
        || with_loss("sparse_categorical_crossentropy"),
        "Arguments `target` and `output` must have the same shape up until the last dimension: \
         target.shape=[6, 2], output.shape=[6, 2]\n    in: loss (SparseCategoricalCrossentropy)\n  \
         help: y must be one label for each sample, or one-hot with a categorical loss",
        |model| model.fit(&x(), &y(), quiet()),
    );
}

#[test]
fn a_target_refused_once_does_not_decide_what_accuracy_means() {
    let _guard = seeded(1);
    let mut model = compiled();
    model.fit(&x(), &Array1::<i64>::ones(6), quiet()).unwrap_err();
    let history = model.fit(&x(), &y(), quiet()).unwrap();
    let accuracy = history["accuracy"][0] * 6.0;
    assert!((accuracy - accuracy.round()).abs() < 1e-5, "{accuracy} of 6 were right");
}

#[test]
fn targets_for_validation_may_have_another_shape_that_fits() {
    let regression = || {
        let mut model = Sequential::new().threads(1).add(Dense::new(1).input_dim(3));
        model.compile("sgd", "mse", ["mae"]).unwrap();
        model
    };
    let flat = x().sum_axis(ndarray::Axis(1));
    let column = flat.clone().insert_axis(ndarray::Axis(1));
    let _guard = seeded(1);
    let mut same = regression();
    let fit = || Fit::epochs(2).batch_size(4).shuffle(false).verbose(0);
    let expected = same.fit(&x(), &column, fit().validation_data(&x(), &column)).unwrap();
    oxhorn::set_random_seed(1);
    let mut other = regression();
    let history = other.fit(&x(), &column, fit().validation_data(&x(), &flat)).unwrap();
    assert_eq!(history, expected);
    assert_eq!(bits(&other), bits(&same));
}

#[test]
fn labels_outside_the_classes_are_refused() {
    let sparse = || with_loss("sparse_categorical_crossentropy");
    let text = |label: &str, name: &str| {
        format!(
            "label {label} at [2] of `{name}` is none of the 2 classes\n  help: classes are \
             numbered 0 to 1; the last layer has as many units as there are classes"
        )
    };
    let good = array![0, 1, 1, 0, 1, 0];
    refuses(sparse, &text("2", "y"), |m| m.fit(&x(), &array![0, 1, 2, 0, 1, 0], quiet()));
    refuses(sparse, &text("-1", "y"), |m| m.fit(&x(), &array![0, 1, -1, 0, 1, 0], quiet()));
    refuses(sparse, &text("0.5", "y"), |m| m.fit(&x(), &[0.0, 1.0, 0.5, 0.0, 1.0, 0.0], quiet()));
    refuses(sparse, &text("7", "y"), |m| m.evaluate(&x(), &array![0, 1, 7, 0, 1, 0]));
    refuses(sparse, &text("7", "y"), |m| m.train_on_batch(&x(), &array![0, 1, 7, 0, 1, 0]));
    refuses(sparse, &text("7", "validation_data's y"), |m| {
        m.fit(&x(), &good, quiet().validation_data(&x(), &array![0, 1, 7, 0, 1, 0]))
    });
    let general = || with_loss("categorical_generalized_cross_entropy");
    refuses(general, &text("2", "y"), |m| m.fit(&x(), &array![0, 1, 2, 0, 1, 0], quiet()));
    refuses(general, &text("-1", "y"), |m| m.evaluate(&x(), &array![0, 1, -1, 0, 1, 0]));
    // "crossentropy" means the sparse one for such targets.
    let by_shape = || with_loss("crossentropy");
    refuses(by_shape, &text("2", "y"), |m| m.fit(&x(), &array![0, 1, 2, 0, 1, 0], quiet()));
}

#[test]
fn rows_that_to_categorical_made_of_no_class_are_refused() {
    let labels = array![0, 1, 2, 0, 1, 0];
    refuses(
        compiled,
        "`y` holds NaN at [2, 0]\n  help: `to_categorical` makes a row of NaN of a label outside \
         the classes; `try_to_categorical` says which",
        |model| model.fit(&x(), &to_categorical(&labels, 2), quiet()),
    );
    assert_eq!(
        try_to_categorical(&labels, 2).unwrap_err().to_string(),
        "label 2 at position 2 is none of the 2 classes\n  help: classes are numbered 0 to 1"
    );
}

#[test]
fn empty_data_are_refused() {
    let text = |name: &str, shape: &str| {
        format!(
            "`{name}` is empty: its shape is {shape}\n  help: there must be one sample at least, \
             of one number at least"
        )
    };
    let (no_x, no_y) = (Array2::<f64>::ones((0, 3)), Array2::<f64>::ones((0, 2)));
    refuses(compiled, &text("x", "[0, 3]"), |model| model.fit(&no_x, &no_y, quiet()));
    refuses(compiled, &text("x", "[0, 3]"), |model| model.evaluate(&no_x, &no_y));
    refuses(compiled, &text("x", "[0, 3]"), |model| model.predict(&no_x));
    refuses(compiled, &text("x", "[0, 3]"), |model| model.train_on_batch(&no_x, &no_y));
    let no_features = Array2::<f64>::ones((6, 0));
    refuses(compiled, &text("x", "[6, 0]"), |model| model.fit(&no_features, &y(), quiet()));
    refuses(compiled, &text("validation_data's x", "[0, 3]"), |model| {
        model.fit(&x(), &y(), quiet().validation_data(&no_x, &no_y))
    });
    refuses(
        compiled,
        "`x` is a single number, not an array of samples\n  help: the first axis of an array \
         counts samples",
        |model| model.fit(&ndarray::arr0(1.0), &y(), quiet()),
    );
}

#[test]
fn arrays_of_different_lengths_are_refused_in_keras_words() {
    let text = |sizes: &str| {
        format!(
            "Data cardinality is ambiguous. Make sure all arrays contain the same number of \
             samples. {sizes}\n  help: the first axis of an array counts samples"
        )
    };
    let short = Array2::<f64>::ones((5, 2));
    let sizes = "'x' sizes: 6, 'y' sizes: 5";
    refuses(compiled, &text(sizes), |model| model.fit(&x(), &short, quiet()));
    refuses(compiled, &text(sizes), |model| model.evaluate(&x(), &short));
    refuses(compiled, &text(sizes), |model| model.train_on_batch(&x(), &short));
    let sizes = "'x' sizes: 6, 'y' sizes: 6, 'sample_weight' sizes: 2";
    refuses(compiled, &text(sizes), |model| {
        model.fit(&x(), &y(), quiet().sample_weight(&[1.0, 2.0]))
    });
    let sizes = "'validation_data's x' sizes: 6, 'validation_data's y' sizes: 5";
    refuses(compiled, &text(sizes), |model| {
        model.fit(&x(), &y(), quiet().validation_data(&x(), &short))
    });
}

#[test]
fn what_is_no_finite_number_is_refused() {
    let nan = |name: &str, at: &str| {
        format!(
            "`{name}` holds NaN at {at}\n  help: one such number makes NaN of all that it meets: \
             leave its sample out, or replace it"
        )
    };
    let mut bad = x();
    bad[[2, 1]] = f64::NAN;
    refuses(compiled, &nan("x", "[2, 1]"), |model| model.fit(&bad, &y(), quiet()));
    refuses(compiled, &nan("x", "[2, 1]"), |model| model.evaluate(&bad, &y()));
    refuses(compiled, &nan("x", "[2, 1]"), |model| model.predict(&bad));
    refuses(compiled, &nan("validation_data's x", "[2, 1]"), |model| {
        model.fit(&x(), &y(), quiet().validation_data(&bad, &y()))
    });
    refuses(compiled, &nan("sample_weight", "[1]"), |model| {
        model.fit(&x(), &y(), quiet().sample_weight(&[1.0, f64::NAN, 1.0, 1.0, 1.0, 1.0]))
    });
    let infinite = |name: &str, value: &str| {
        format!(
            "`{name}` holds {value} at [2, 1]\n  help: numbers are kept in single precision, \
             whose largest is 3.4e38"
        )
    };
    for (value, text) in [(f64::INFINITY, "inf"), (-1e39, "-inf")] {
        bad[[2, 1]] = value;
        refuses(compiled, &infinite("x", text), |model| model.fit(&bad, &y(), quiet()));
    }
    let mut bad = y();
    bad[[2, 1]] = f64::INFINITY;
    refuses(compiled, &infinite("y", "inf"), |model| model.fit(&x(), &bad, quiet()));
    refuses(compiled, "`class_weight` of class 0 must be a finite number, got NaN", |model| {
        model.fit(&x(), &y(), quiet().class_weight([(0, f64::NAN)]))
    });
}

#[test]
fn a_model_without_input_shape_says_so_before_it_sees_data() {
    let unknown = || Sequential::new().add(Dense::new(4)).add(Dropout::new(0.5));
    let expected = "the model has no weights yet, for the shape of its input is not known\n  help: \
                    add `.input_dim(..)` to the first layer, or call `build`, or `fit` first";
    let _guard = seeded(1);
    let mut model = unknown();
    let errors = [
        model.weights().map(drop),
        model.weight("dense/kernel").map(drop),
        model.set_weight("dense/kernel", &array![1_f32]),
        model.numbers().map(drop),
        model.set_number("dropout/rate", 0.1),
        model.graph(4, &[4]).map(drop),
    ];
    for error in errors {
        assert_eq!(error.unwrap_err().to_string(), expected);
    }
    model.compile("adam", "mse", NO_METRICS).unwrap();
    model.fit(&x(), &Array2::<f32>::zeros((6, 4)), quiet()).unwrap();
    assert_eq!(model.weights().unwrap().len(), 2);
}

#[test]
fn samples_without_features_do_not_build_a_model() {
    let _guard = seeded(1);
    let mut model = Sequential::new().add(Dense::new(1));
    model.compile("sgd", "mse", NO_METRICS).unwrap();
    let error = model.fit(&[1.0, 2.0], &[1.0, 2.0], quiet()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the input is incompatible with the layer: expected min_ndim=2, found ndim=1\n    in: \
         dense (Dense)\n  help: the axes are samples and features; samples of one number have \
         shape [n, 1]"
    );
    model.fit(&array![[1.0], [2.0]], &[1.0, 2.0], quiet()).unwrap();
}

#[test]
fn a_model_that_is_not_compiled_says_so() {
    let expected = format!(
        "{NOT_COMPILED}\n  help: model.compile(Adam::default(), \"categorical_crossentropy\", \
         [\"accuracy\"])?"
    );
    refuses(small, &expected, |model| model.fit(&x(), &y(), quiet()));
    refuses(small, &expected, |model| model.evaluate(&x(), &y()));
    refuses(small, &expected, |model| model.train_on_batch(&x(), &y()));
    refuses(small, &expected, |model| model.test_on_batch(&x(), &y()));
    let _guard = seeded(1);
    assert_eq!(small().predict(&x()).unwrap().shape(), [6, 2]);
}

#[test]
fn unknown_strings_are_refused_with_those_that_are_known() {
    fn known<'a>(error: &'a str, first: &str) -> &'a str {
        let (what, help) = error.split_once("\n  help: known are ").unwrap();
        assert!(help.starts_with(first) && help.contains(", "), "{help}");
        what
    }
    let _guard = seeded(812);
    let layers: [(Sequential, &str, &str); 5] = [
        (
            Sequential::new().add(Dense::new(4).activation("relux").input_dim(3)),
            "Could not interpret activation function identifier: relux\n    in: dense (Dense)",
            "celu, elu, exponential, gelu",
        ),
        (
            Sequential::new().add(Activation::new("relux").name("bend").input_dim(3)),
            "Could not interpret activation function identifier: relux\n    in: bend (Activation)",
            "celu, elu, exponential, gelu",
        ),
        (
            Sequential::new().add(Dense::new(4).kernel_initializer("glorot").input_dim(3)),
            "Could not interpret initializer identifier: glorot\n    in: dense (Dense)",
            "constant, glorot_normal",
        ),
        (
            Sequential::new().add(Dense::new(4).bias_regularizer("l3").input_dim(3)),
            "Could not interpret regularizer identifier: l3\n    in: dense (Dense)",
            "l1, l1l2, l2",
        ),
        (
            Sequential::new().add(Dense::new(4).kernel_constraint("few").input_dim(3)),
            "Could not interpret constraint identifier: few\n    in: dense (Dense)",
            "max_norm, min_max_norm",
        ),
    ];
    for (mut model, expected, first) in layers {
        let error = model.compile("adam", "mse", NO_METRICS).unwrap_err().to_string();
        assert_eq!(known(&error, first), expected);
    }
    let mut model = compiled();
    let before = bits(&model);
    let errors = [
        model.compile("eve", "mse", NO_METRICS),
        model.compile("adam", "crossentropyx", NO_METRICS),
        model.compile("adam", "mse", ["accuracy", "charm"]),
        model.compile_with(Compile::new("adam", "mse").weighted_metrics(["charm"])),
    ];
    let expected = [
        ("Could not interpret optimizer identifier: eve", "adadelta, adafactor, adagrad, adam"),
        ("Could not interpret loss identifier: crossentropyx", "binary_crossentropy"),
        ("Could not interpret metric identifier: charm", "accuracy, auc, binary_accuracy"),
        ("Could not interpret metric identifier: charm", "accuracy, auc, binary_accuracy"),
    ];
    for (error, (expected, first)) in errors.into_iter().zip(expected) {
        assert_eq!(known(&error.unwrap_err().to_string(), first), expected);
    }
    assert_eq!(bits(&model), before);
    // What it was compiled for before still holds.
    let history = model.fit(&x(), &y(), quiet()).unwrap();
    assert_eq!(history.history.names().collect::<Vec<_>>(), ["accuracy", "loss"]);
}

#[test]
fn arguments_of_fit_that_cannot_be_are_refused() {
    refuses(
        compiled,
        "Training data contains 6 samples, which is not sufficient to split it into a validation \
         and training set as specified by `validation_split=0.99`. Either provide more data, or a \
         different value for the `validation_split` argument.",
        |model| model.fit(&x(), &y(), quiet().validation_split(0.99)),
    );
    for share in [1.5, 1.0, -0.1, f64::NAN] {
        let expected = format!(
            "`validation_split` must be at least 0 and below 1, got {share}\n  help: it is the \
             share of the samples that is kept for validation"
        );
        refuses(compiled, &expected, |m| m.fit(&x(), &y(), quiet().validation_split(share)));
    }
    let without_steps = |name: &str| {
        format!("`{name}` must be at least 1, got 0\n  help: leave it out to take all samples")
    };
    refuses(compiled, &without_steps("steps_per_epoch"), |model| {
        model.fit(&x(), &y(), quiet().steps_per_epoch(0))
    });
    refuses(compiled, &without_steps("validation_steps"), |model| {
        model.fit(&x(), &y(), quiet().validation_steps(0).validation_split(0.5))
    });
    refuses(compiled, &without_steps("steps"), |model| {
        model.evaluate_with(&x(), &y(), Evaluate::new().steps(0))
    });
    refuses(compiled, &without_steps("steps"), |model| {
        model.predict_with(&x(), Predict::new().steps(0))
    });
    refuses(
        compiled,
        "You cannot use `class_weight` and `sample_weight` at the same time.\n  help: multiply \
         each sample's weight by that of its class, and give the products",
        |model| {
            let fit = quiet().class_weight([(0, 2.0)]).sample_weight(&[1.0; 6]);
            model.fit(&x(), &y(), fit)
        },
    );
    refuses(
        compiled,
        "`sample_weight` has shape [6, 2]\n  help: give one number for each sample",
        |model| model.fit(&x(), &y(), quiet().sample_weight(&Array2::<f64>::ones((6, 2)))),
    );
    let verbose = "`verbose` must be 0, 1 or 2, got 7\n  help: 0 prints nothing, 1 a progress bar, \
                   2 one line for each epoch";
    refuses(compiled, verbose, |m| m.fit(&x(), &y(), quiet().verbose(7)));
    refuses(compiled, verbose, |m| m.evaluate_with(&x(), &y(), Evaluate::new().verbose(7)));
    refuses(compiled, verbose, |m| m.predict_with(&x(), Predict::new().verbose(7)));
    let batch = "`batch_size` must be at least 1, got 0\n  help: Keras' own default is 32";
    refuses(compiled, batch, |m| m.fit(&x(), &y(), quiet().batch_size(0)));
    refuses(compiled, batch, |m| m.evaluate_with(&x(), &y(), Evaluate::new().batch_size(0)));
    refuses(compiled, batch, |m| m.predict_with(&x(), Predict::new().batch_size(0)));
    refuses(compiled, batch, |m| {
        m.fit(&x(), &y(), quiet().validation_data(&x(), &y()).validation_batch_size(0))
    });
    refuses(compiled, "`validation_freq` must be at least 1, got 0", |m| {
        m.fit(&x(), &y(), quiet().validation_freq(0))
    });
    refuses(compiled, "a prediction has no use for `sample_weight`", |m| {
        m.predict_with(&x(), Predict::new().sample_weight(&[1.0; 6]))
    });
}

#[test]
fn no_epochs_change_nothing() {
    let _guard = seeded(1);
    let mut model = compiled();
    let before = bits(&model);
    for fit in [Fit::epochs(0), Fit::epochs(3).initial_epoch(3)] {
        let history = model.fit(&x(), &y(), fit.verbose(0)).unwrap();
        assert!(history.epoch.is_empty() && history.history.is_empty());
    }
    assert_eq!(bits(&model), before);
}

#[test]
fn settings_of_layers_that_cannot_be_are_refused() {
    let dense = |units: usize| Sequential::new().add(Dense::new(units).input_dim(3));
    cannot_be_built(
        || dense(0),
        "Received an invalid value for `units`, expected a positive integer. Received: \
         units=0\n    in: dense (Dense)",
    );
    cannot_be_built(
        || dense(1 << 50),
        "there is no room for `dense/kernel` of shape [3, 1125899906842624]\n  help: it would be \
         larger than this machine's memory",
    );
    cannot_be_built(
        || dense(usize::MAX),
        "no memory can hold f32[3, 18446744073709551615]\n    in: dense (Dense)",
    );
    for rate in [1.5, f64::NAN] {
        let expected = format!(
            "Invalid value received for argument `rate`. Expected a float value between 0 and 1. \
             Received: rate={rate}\n    in: noise (Dropout)\n  help: the rate is the fraction of \
             inputs that is dropped"
        );
        cannot_be_built(
            || Sequential::new().add(Dropout::new(rate).name("noise").input_dim(3)),
            &expected,
        );
    }
    for (target, numbers) in [(vec![4], "[4]"), (vec![-1, 2], "[-1, 2]")] {
        let expected = format!(
            "The total size of the tensor must be unchanged. Received: input_shape=[3], \
             target_shape={numbers}\n    in: reshape (Reshape)\n  help: a sample has 3 numbers, \
             neither more nor fewer"
        );
        cannot_be_built(|| Sequential::new().add(Reshape::new(target).input_dim(3)), &expected);
    }
}

#[test]
fn settings_of_the_input_that_cannot_be_are_refused() {
    cannot_be_built(
        || Sequential::new().add(Input::new([3]).sparse(true)).add(Dense::new(2)),
        "`sparse` of `InputLayer` is not supported, got true\n    in: input (InputLayer)",
    );
}

#[test]
fn layers_that_cannot_be_told_apart_are_refused() {
    let named = |name: &str| Sequential::new().add(Dense::new(4).name(name).input_dim(3));
    cannot_be_built(
        || named("a").add(Dense::new(4).name("a")),
        "All layers added to a Sequential model should have unique names. Name 'a' is already the \
         name of a layer in this model.\n    in: Dense\n  help: give one of them another name with \
         `.name(..)`",
    );
    for name in ["a/b", ""] {
        let expected = format!(
            "Argument `name` must be a string and cannot contain character `/`. Received: \
             name={name}\n    in: Dense\n  help: a name is one part of a path such as \
             `dense/kernel`"
        );
        cannot_be_built(|| named(name), &expected);
    }
    for name in ["optimizer", "metrics"] {
        let expected = format!(
            "a layer cannot be called `{name}`: its weights would stand among those of the \
             {name}\n    in: Dense\n  help: give it another name with `.name(..)`"
        );
        cannot_be_built(|| named(name), &expected);
    }
}

#[test]
fn an_input_shape_is_stated_once_and_first() {
    let help = "help: state the shape of the input once, with the first layer";
    let expected = format!(
        "Sequential model 'sequential' has already been configured to use input shape [None, \
         Some(3)]. You cannot add another of shape [None, Some(4)] to it.\n  {help}"
    );
    cannot_be_built(
        || Sequential::new().add(Input::new([3])).add(Input::new([4])).add(Dense::new(2)),
        &expected,
    );
    let expected = format!("the input shape [None, Some(7)] is stated after `dense`\n  {help}");
    for late in [Dense::new(2).input_dim(7), Input::new([7]).into()] {
        cannot_be_built(|| Sequential::new().add(Dense::new(2).input_dim(3)).add(late), &expected);
    }
    let _guard = seeded(1);
    let mut twice = Sequential::new().add(Input::new([3])).add(Dense::new(2).input_dim(3));
    twice.compile("adam", "mse", NO_METRICS).unwrap();
    for mut empty in [Sequential::new(), Sequential::new().add(Input::new([3]))] {
        let error = empty.build(&[3]).unwrap_err();
        assert_eq!(error.to_string(), "the model has no layers\n  help: add one with `.add(..)`");
    }
}

#[test]
fn settings_of_optimizers_and_losses_that_cannot_be_are_refused() {
    refuses(
        compiled,
        "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: \
         clipnorm=1.0, clipvalue=2.0, global_clipnorm=None",
        |m| m.compile(Adam::default().clipnorm(1.0).clipvalue(2.0), "mse", NO_METRICS),
    );
    refuses(compiled, "`learning_rate` must be a finite number, got NaN", |m| {
        m.compile(SGD::default().learning_rate(f64::NAN), "mse", NO_METRICS)
    });
    refuses(compiled, "`optimizer/learning_rate` must be a finite number, got inf", |m| {
        m.set_number("optimizer/learning_rate", f64::INFINITY)
    });
    refuses(
        || {
            let mut model = small();
            let apart = MeanSquaredError::new().reduction(Reduction::None);
            model.compile("adam", apart, NO_METRICS).unwrap();
            model
        },
        "the loss is f32[6], not one number\n    in: loss (MeanSquaredError)\n  help: give the \
         loss another `reduction` than `none`",
        |model| model.fit(&x(), &y(), quiet()),
    );
}

#[test]
fn paths_that_lead_nowhere_are_refused_with_those_that_do() {
    let there_are = "help: there are: dense/kernel, dense/bias, dense_1/kernel, dense_1/bias";
    let expected = format!("there is no variable `dense/kernl`\n  {there_are}");
    refuses(compiled, &expected, |model| model.weight("dense/kernl"));
    refuses(compiled, &expected, |model| model.set_weight("dense/kernl", &array![[1_f32]]));
    refuses(
        compiled,
        "`dense/kernel` has shape [3, 4], got [1, 1]\n  help: a weight keeps its shape",
        |model| model.set_weight("dense/kernel", &array![[1_f32]]),
    );
    refuses(
        compiled,
        "there is no number `dropout/rat` to set\n  help: there are: dropout/rate, \
         optimizer/learning_rate",
        |model| model.set_number("dropout/rat", 0.5),
    );
}

#[test]
fn json_that_describes_no_model_is_refused() {
    let _guard = seeded(812);
    let layers = |layers: serde_json::Value| {
        let config = json!({"name": "m", "layers": layers});
        json!({"class_name": "Sequential", "config": config})
    };
    let known: Vec<&str> = oxhorn::layers::CLASSES.iter().map(|class| class.name()).collect();
    let unknown = format!("unknown layer: `Conv9D`\n  help: known are {}", known.join(", "));
    for (json, expected) in [
        (json!({"class_name": "Functional"}), "expected a Sequential model, got \"Functional\""),
        (json!({"class_name": "Sequential"}), "the model's config has no list of `layers`"),
        (layers(json!([{"class_name": "Conv9D", "config": {}}])), &unknown),
        (
            layers(json!([{"class_name": "Dense", "config": {"units": -3}}])),
            "`units` of `Dense`: expected a non-negative integer, got -3",
        ),
        (
            layers(json!([{"class_name": "Dropout", "config": {"rate": "a"}}])),
            "`rate` of `Dropout`: expected a number, got \"a\"",
        ),
        (
            layers(json!([{"class_name": "Dropout", "config": {"rate": 0.5, "rat": 1}}])),
            "`Dropout` has no setting `rat`\n  help: it has rate, noise_shape, seed",
        ),
    ] {
        let error = Sequential::from_json(&json).map(drop).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}
