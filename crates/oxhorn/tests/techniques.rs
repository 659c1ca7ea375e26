//! Techniques in whole steps of training: what they change, and that nothing else changes.

mod support;

use ndarray::{Array1, Array2};
use oxhorn::{metrics::Metric, prelude::*, techniques::*};
use oxhorn_ir::{DType, Tensor, Type};
use oxhorn_nn::Config;
use support::{bits, samples, seeded};

/// A small classifier with noise in it; what it draws is always the same.
fn classifier(techniques: &[Technique]) -> Sequential {
    compiled(techniques, "categorical_crossentropy", 0.3)
}

fn compiled(techniques: &[Technique], loss: &str, rate: f64) -> Sequential {
    let mut model = Sequential::new()
        .threads(1)
        .add(Dense::new(7).activation("relu").input_dim(25))
        .add(BatchNormalization::new())
        .add(Dropout::new(rate))
        .add(Dense::new(5).activation("softmax").kernel_regularizer("l2"));
    let compile = Compile::new(SGD::new().learning_rate(0.1), loss).metrics(["accuracy"]);
    let compile = techniques.iter().cloned().fold(compile, Compile::technique);
    model.compile_with(compile).unwrap();
    model
}

/// Two epochs, the last step of each with a single sample.
fn fit<'a>() -> Fit<'a> {
    Fit::epochs(2).batch_size(8).verbose(0)
}

/// The weights and the history of a classifier trained with these techniques.
fn trained(techniques: &[Technique]) -> (Vec<(String, Vec<u32>)>, History) {
    let _guard = seeded(812);
    let (x, y) = samples(17);
    let mut model = classifier(techniques);
    let history = model.fit(&x, &y, fit()).unwrap();
    (bits(&model), history)
}

#[test]
fn a_technique_of_strength_0_changes_no_bit() {
    let (plain, history) = trained(&[]);
    let all: [(Technique, Technique); 6] = [
        (Mixup::new(0.0).into(), Mixup::new(0.4).into()),
        (
            CutMix::new().alpha(0.0).image_shape([5, 5]).into(),
            CutMix::new().image_shape([5, 5]).into(),
        ),
        (Cutout::new(0).image_shape([5, 5]).into(), Cutout::new(3).image_shape([5, 5]).into()),
        (SAM::new().rho(0.0).into(), SAM::new().into()),
        (GradientNoise::new().eta(0.0).into(), GradientNoise::new().into()),
        (JacobianPenalty::new().strength(0.0).into(), JacobianPenalty::new().into()),
    ];
    for (none, some) in all {
        let (weights, losses) = trained(std::slice::from_ref(&none));
        assert!(weights == plain && losses["loss"] == history["loss"], "{none:?}");
        let (weights, _) = trained(std::slice::from_ref(&some));
        assert!(weights != plain, "{some:?}");
    }
}

#[test]
fn a_strength_is_turned_up_and_down_while_a_model_trains() {
    let _guard = seeded(812);
    let (x, y) = samples(17);
    let mut model = classifier(&[SAM::new().rho(0.0).into(), Mixup::new(0.3).into()]);
    let number = |model: &Sequential, path: &str| {
        let numbers = model.numbers().unwrap();
        numbers.into_iter().find(|(known, _)| known == path).map(|(_, value)| value)
    };
    assert_eq!(number(&model, "techniques/sam/rho"), Some(0.0));
    assert_eq!(number(&model, "techniques/mixup/alpha"), Some(0.3));
    model.fit(&x, &y, fit()).unwrap();
    let text = |model: &mut Sequential| model.graph(8, &[5]).unwrap().to_string();
    assert!(!text(&mut model).contains("techniques/sam/rho"));
    model.set_number("techniques/sam/rho", 0.05).unwrap();
    assert!(text(&mut model).contains("techniques/sam/rho"));
    model.fit(&x, &y, fit()).unwrap();
    let error = model.set_number("techniques/sam/rho", -1.0).unwrap_err();
    assert_eq!(error.message, "`rho` of `SAM` must be a number of 0 or more, got -1");
    model.set_number("techniques/mixup/alpha", 0.0).unwrap();
    model.fit(&x, &y, fit()).unwrap();
    // A model that is compiled anew has what it is compiled with.
    model.compile("adam", "categorical_crossentropy", ["accuracy"]).unwrap();
    assert_eq!(number(&model, "techniques/sam/rho"), None);
}

#[test]
fn every_size_of_batch_is_trained_on() {
    let _guard = seeded(812);
    let techniques: [Technique; 7] = [
        Mixup::new(0.4).into(),
        Cutout::new(3).image_shape([5, 5]).into(),
        RDrop::new().into(),
        SAM::new().into(),
        GradientNoise::new().into(),
        JacobianPenalty::new().into(),
        SWA::new().into(),
    ];
    let mut with_cut_mix = techniques.clone();
    with_cut_mix[0] = CutMix::new().image_shape([5, 5, 1]).into();
    for techniques in [techniques, with_cut_mix] {
        for rows in [1, 2, 13] {
            let (x, y) = samples(rows);
            let mut model = classifier(&techniques);
            let history = model.fit(&x, &y, Fit::epochs(2).batch_size(5).verbose(0)).unwrap();
            assert!(history["loss"].iter().all(|loss| loss.is_finite()), "{rows} rows");
            assert!(
                bits(&model).iter().all(|(_, w)| w.iter().all(|w| f32::from_bits(*w).is_finite()))
            );
        }
    }
}

/// Mixes each sample with the one that stands as far from the other end, in a fixed share.
#[derive(Clone, Debug, Config)]
#[config(class = "mine.Reverse")]
struct Reverse {
    share: f64,
}

impl Intervene for Reverse {
    fn blends(&self) -> Blends {
        Blends::Samples
    }

    fn feed<'g>(&self, cx: &oxhorn_nn::Scope<'g>, x: &[Tensor<'g>]) -> Option<Fed<'g>> {
        let n = x[0].dim(0);
        let partner = (n as f64 - 1.0) - cx.trace().iota(0, Type::new(DType::I32, [n]));
        let share = cx.trace().scalar(self.share, DType::F32);
        let x = x.iter().map(|x| *x * share + x.gather(partner, 0) * (1.0 - share)).collect();
        Some(Fed { x, blend: Some(Blend { share, partner }) })
    }
}

#[test]
fn losses_and_metrics_of_mixed_samples_count_both_targets() {
    let _guard = seeded(812);
    let rows = 13;
    let (x, y) = samples(rows);
    let labels: Vec<usize> =
        y.outer_iter().map(|row| row.iter().position(|y| *y == 1.0).unwrap()).collect();
    let weights = Array1::from_iter((0..rows).map(|i| 0.5 + i as f64));
    let sparse = Array2::from_shape_fn((rows, 1), |(i, _)| labels[i] as f64);
    let share = 0.75;
    for (loss, y) in
        [("categorical_crossentropy", &y), ("sparse_categorical_crossentropy", &sparse)]
    {
        let mut model = Sequential::new().add(Dense::new(5).activation("softmax").input_dim(25));
        let compile = Compile::new(SGD::new().learning_rate(0.0), loss)
            .metrics(["accuracy"])
            .weighted_metrics([Metric::from("accuracy")])
            .technique(Reverse { share });
        model.compile_with(compile).unwrap();
        let fit = Fit::epochs(1).batch_size(rows).shuffle(false).verbose(0);
        let history = model.fit(&x, y, fit.sample_weight(&weights)).unwrap();

        let reversed = x.slice(ndarray::s![..;-1, ..]).to_owned();
        let p = model.predict(&(&x * share + &reversed * (1.0 - share))).unwrap();
        let (mut expected, mut right, mut heavy) = (0.0, 0.0, 0.0);
        for i in 0..rows {
            let row: Vec<f64> = (0..5).map(|class| f64::from(p[[i, class]])).collect();
            let best = (0..5).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap();
            for (of, share) in [(i, share), (rows - 1 - i, 1.0 - share)] {
                expected -= share * weights[of] * row[labels[of]].ln() / rows as f64;
                let hit = f64::from(u8::from(best == labels[of]));
                right += share * hit / rows as f64;
                heavy += share * weights[of] * hit / weights.sum();
            }
        }
        let near = |name: &str, expected: f64| {
            let got = history[name][0];
            assert!((got - expected).abs() < 1e-5 * expected.max(1.0), "{name}: {got}, {expected}");
        };
        near("loss", expected);
        near("accuracy", right);
        near("weighted_accuracy", heavy);
    }
}

/// A step of a linear network without bias, whose loss is the mean square and `l2 · Σ w²`: the
/// gradient at `w`, in `f64`.
fn slope(w: &[f64], x: &Array2<f64>, y: &Array2<f64>, l2: f64) -> Vec<f64> {
    let rows = x.nrows() as f64;
    (0..w.len())
        .map(|i| {
            let residual = |row: usize| {
                x.row(row).iter().zip(w).map(|(x, w)| x * w).sum::<f64>() - y[[row, 0]]
            };
            let data: f64 =
                (0..x.nrows()).map(|row| 2.0 * residual(row) * x[[row, i]] / rows).sum();
            data + 2.0 * l2 * w[i]
        })
        .collect()
}

/// A linear network, its weights, and data.
fn linear(technique: Technique, l2: f64) -> (Sequential, Vec<f64>, Array2<f64>, Array2<f64>) {
    let regularizer = oxhorn::regularizers::L2::new().l2(l2);
    let layer = Dense::new(1).use_bias(false).kernel_regularizer(regularizer);
    let mut model = Sequential::new().add(layer.input_dim(3));
    let compile = Compile::new(SGD::new().learning_rate(0.1), "mse").technique(technique);
    model.compile_with(compile).unwrap();
    let w = weights(&model);
    (model, w, random((7, 3)), random((7, 1)))
}

fn weights(model: &Sequential) -> Vec<f64> {
    model.weight("dense/kernel").unwrap().iter().map(|w| f64::from(*w)).collect()
}

#[test]
fn sam_steps_along_the_gradient_of_the_place_that_it_looks_at() {
    let _guard = seeded(812);
    let (rho, l2) = (0.7, 0.05);
    let (mut model, mut w, x, y) = linear(SAM::new().rho(rho).into(), l2);
    for _ in 0..3 {
        let whole = Fit::epochs(1).batch_size(7).shuffle(false).verbose(0);
        model.fit(&x, &y, whole).unwrap();
        let g = slope(&w, &x, &y, l2);
        let length = g.iter().map(|g| g * g).sum::<f64>().sqrt();
        let there: Vec<f64> = w.iter().zip(&g).map(|(w, g)| w + rho * g / length).collect();
        let g = slope(&there, &x, &y, l2);
        w = w.iter().zip(&g).map(|(w, g)| w - 0.1 * g).collect();
        for (got, expected) in weights(&model).iter().zip(&w) {
            assert!((got - expected).abs() < 1e-5, "{got}, not {expected}");
        }
    }
}

#[test]
fn sam_draws_once_and_keeps_the_statistics_of_the_first_pass() {
    let one_step = |techniques: &[Technique]| {
        let _guard = seeded(812);
        let (x, y) = samples(8);
        let mut model = compiled(techniques, "categorical_crossentropy", 0.5);
        model.fit(&x, &y, Fit::epochs(1).batch_size(8).verbose(0)).unwrap();
        (model.weights().unwrap(), model.predict(&x).unwrap())
    };
    let (plain, _) = one_step(&[]);
    let (near, _) = one_step(&[SAM::new().rho(1e-4).into()]);
    let (far, _) = one_step(&[SAM::new().rho(1.0).into()]);
    for (((path, plain), (_, near)), (_, far)) in plain.iter().zip(&near).zip(&far) {
        // Other units dropped would be another gradient, however small the detour.
        let apart = (plain - near).mapv(f32::abs).fold(0.0, |a, b| f32::max(a, *b));
        assert!(apart < 1e-4, "{path}: {apart}");
        if path.contains("moving") {
            assert_eq!(plain, far, "{path}");
        }
    }
    assert_ne!(plain[0].1, far[0].1);
}

#[test]
fn r_drop_without_noise_is_the_plain_loss() {
    let train = |techniques: &[Technique]| {
        let _guard = seeded(812);
        let (x, y) = samples(17);
        let mut model = compiled(techniques, "categorical_crossentropy", 0.0);
        let history = model.fit(&x, &y, fit()).unwrap();
        (history["loss"].to_vec(), history["accuracy"].to_vec())
    };
    let ((plain, accuracy), (twice, same)) = (train(&[]), train(&[RDrop::new().into()]));
    assert_eq!(accuracy, same);
    for (plain, twice) in plain.iter().zip(&twice) {
        assert!((plain - twice).abs() < 1e-5, "{plain} {twice}");
    }
}

#[test]
fn r_drop_adds_a_divergence_in_proportion_to_alpha() {
    let loss = |alpha: f64| {
        let _guard = seeded(812);
        let (x, y) = samples(13);
        let mut model =
            compiled(&[RDrop::new().alpha(alpha).into()], "categorical_crossentropy", 0.5);
        model.fit(&x, &y, Fit::epochs(1).batch_size(13).verbose(0)).unwrap()["loss"][0]
    };
    let [none, one, two] = [0.0, 1.0, 2.0].map(loss);
    assert!(one - none > 1e-2, "the passes differ: {none} {one}");
    assert!((two - none - 2.0 * (one - none)).abs() < 1e-4, "{none} {one} {two}");
}

#[test]
fn gradient_noise_goes_through_the_optimizer_and_fades() {
    let _guard = seeded(812);
    let (x, y) = (Array2::<f64>::zeros((3, 100)), Array2::<f64>::zeros((3, 50)));
    // Where the inputs are 0, a gradient is nothing but noise.
    let optimizer = SGD::new().learning_rate(0.5).loss_scale_factor(64.0);
    let mut model = Sequential::new().add(Dense::new(50).use_bias(false).input_dim(100));
    let noise = GradientNoise::new().eta(0.3).gamma(1.0);
    model.compile_with(Compile::new(optimizer, "mse").technique(noise)).unwrap();
    for step in 1..4 {
        let before = weights(&model);
        model.fit(&x, &y, Fit::epochs(1).verbose(0)).unwrap();
        let moved: Vec<f64> = weights(&model).iter().zip(&before).map(|(a, b)| a - b).collect();
        let variance = moved.iter().map(|x| x * x).sum::<f64>() / moved.len() as f64;
        let expected = 0.25 * 0.3 / f64::from(step);
        assert!((variance - expected).abs() < 0.1 * expected, "{variance}, not {expected}");
    }
}

#[test]
fn a_jacobian_penalty_shrinks_a_linear_network() {
    let _guard = seeded(812);
    let technique = JacobianPenalty::new().strength(0.4).projections(None);
    let (mut model, w, x, _) = linear(technique.into(), 0.0);
    // Predictions are right, so that nothing but the penalty moves the weights.
    let y = Array2::from_shape_fn((7, 1), |(row, _)| {
        x.row(row).iter().zip(&w).map(|(x, w)| x * w).sum::<f64>()
    });
    model.fit(&x, &y, Fit::epochs(1).batch_size(7).verbose(0)).unwrap();
    for (got, w) in weights(&model).iter().zip(&w) {
        assert!((got - (1.0 - 0.1 * 0.4) * w).abs() < 1e-6, "{got} {w}");
    }
}

/// What `compile` or `fit` says of a technique that does not fit.
fn mistake(model: &mut Sequential, loss: &str, techniques: &[Technique]) -> String {
    let compile = techniques.iter().cloned().fold(Compile::new("sgd", loss), Compile::technique);
    let (x, y) = samples(3);
    match model.compile_with(compile) {
        Err(error) => error.to_string(),
        Ok(()) => model.fit(&x, &y, Fit::epochs(1).verbose(0)).unwrap_err().to_string(),
    }
}

#[test]
fn techniques_that_make_no_sense_are_refused() {
    let _guard = seeded(812);
    let mut model = Sequential::new().add(Dense::new(5).input_dim(25));
    assert_eq!(
        mistake(&mut model, "mse", &[RDrop::new().into()]),
        "`RDrop` needs probabilities of classes, but the loss of `output` is `MeanSquaredError`\n\
         \u{20}   in: technique (RDrop)\n  help: give a categorical crossentropy, and one output \
         for each class"
    );
    let text = mistake(&mut model, "mse", &[CutMix::new().into()]);
    assert!(text.starts_with("`CutMix` needs images: 4 axes, got f32[3, 25]"), "{text}");
    let both = [Mixup::new(0.2).into(), CutMix::new().image_shape([5, 5]).into()];
    let text = mistake(&mut model, "mse", &both);
    assert!(text.starts_with("`Mixup` and `CutMix` both mix the samples of a batch"), "{text}");
    let ema = Compile::new(SGD::new().use_ema(true), "mse").technique(SWA::new());
    let error = model.compile_with(ema).unwrap_err();
    assert_eq!(
        error.message,
        "`SWA` and the optimizer's `use_ema` both replace the weights when training ends"
    );
    let error = model.compile_with(Compile::new("sgd", "mse").technique("mixdown")).unwrap_err();
    assert_eq!(error.message, "Could not interpret technique identifier: mixdown");
    let layer = Dense::new(2).input_dim(3).name("techniques");
    assert!(Sequential::new().add(layer).build(&[3]).is_err());
}

#[test]
fn evaluation_and_prediction_know_nothing_of_techniques() {
    let _guard = seeded(812);
    let (x, y) = samples(17);
    let mut model = classifier(&[Mixup::new(1.0).into(), RDrop::new().into(), SAM::new().into()]);
    model.fit(&x, &y, fit()).unwrap();
    let evaluated = model.evaluate_with(&x, &y, Evaluate::new().verbose(0)).unwrap();
    model.compile(SGD::new(), "categorical_crossentropy", ["accuracy"]).unwrap();
    let plain = model.evaluate_with(&x, &y, Evaluate::new().verbose(0)).unwrap();
    assert_eq!(format!("{evaluated:?}"), format!("{plain:?}"));
}

#[test]
fn techniques_are_saved_with_what_a_model_is_compiled_with() {
    let _guard = seeded(812);
    let model = classifier(&[Mixup::new(0.3).seed(5).into(), "sam".into()]);
    let mut json = model.to_json();
    json["compile_config"] = model.compile_config().unwrap();
    let again = Sequential::compiled_from_json(&json).unwrap();
    assert_eq!(again.compile_config(), model.compile_config());
    assert_eq!(json["compile_config"]["techniques"][0]["config"]["alpha"], 0.3);
    let plain = classifier(&[]).compile_config().unwrap();
    assert!(plain.get("techniques").is_none());
}

/// Listens to the weights at the end of each epoch.
fn listened(
    technique: Option<Technique>,
    epochs: usize,
) -> (Sequential, Vec<Vec<f64>>, Array2<f64>) {
    let _guard = seeded(812);
    let (x, y) = samples(21);
    let seen = std::cell::RefCell::new(vec![]);
    let mut model = Sequential::new()
        .threads(1)
        .add(Dense::new(4).input_dim(25))
        .add(BatchNormalization::new().momentum(0.7))
        .add(Dropout::new(0.0))
        .add(Dense::new(5).activation("softmax"));
    let compile = Compile::new(SGD::new().learning_rate(0.1), "categorical_crossentropy");
    model.compile_with(technique.into_iter().fold(compile, Compile::technique)).unwrap();
    let listen = oxhorn::callbacks::LambdaCallback::new().on_epoch_end(|_, _, training| {
        let engine = training.engine().unwrap();
        seen.borrow_mut().push(engine.value("dense/kernel")?);
        Ok(())
    });
    let fit = Fit::epochs(epochs).batch_size(8).verbose(0).callback(listen);
    model.fit(&x, &y, fit).unwrap();
    (model, seen.into_inner(), x)
}

#[test]
fn swa_ends_with_the_mean_of_epochs_and_the_statistics_that_fit_it() {
    let technique = SWA::new().start_epoch(1).frequency(2).into();
    let (mut model, epochs, x) = listened(Some(technique), 7);
    let (plain, _, _) = listened(None, 7);
    let kernel = weights(&model);
    for (i, got) in kernel.iter().enumerate() {
        let mean = (epochs[1][i] + epochs[3][i] + epochs[5][i]) / 3.0;
        assert!((got - mean).abs() < 1e-6, "{got}, not {mean}");
        assert_ne!(epochs[6][i] as f32, *got as f32);
    }
    assert_eq!(weights(&plain), epochs[6]);
    // Three batches in order, of 8, 8 and 5 samples, each of which counts alike.
    let bias = model.weight("dense/bias").unwrap();
    let (mut means, mut variances) = ([0.0; 4], [0.0; 4]);
    for batch in [0..8, 8..16, 16..21] {
        let rows = batch.len() as f64;
        for unit in 0..4 {
            let y: Vec<f64> = batch
                .clone()
                .map(|row| {
                    (0..25).map(|i| x[[row, i]] * kernel[i * 4 + unit]).sum::<f64>()
                        + f64::from(bias[unit])
                })
                .collect();
            let mean = y.iter().sum::<f64>() / rows;
            means[unit] += mean / 3.0;
            variances[unit] += y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / rows / 3.0;
        }
    }
    for (name, expected) in [("moving_mean", means), ("moving_variance", variances)] {
        let got = model.weight(&format!("batch_normalization/{name}")).unwrap();
        for (got, expected) in got.iter().zip(expected) {
            assert!((f64::from(*got) - expected).abs() < 1e-5, "{name}: {got}, not {expected}");
        }
    }
    assert!(model.numbers().unwrap().contains(&("batch_normalization/momentum".to_owned(), 0.7)));
    model.predict(&x).unwrap();
}

#[test]
fn swa_changes_nothing_before_it_begins() {
    let (plain, before, _) = listened(None, 3);
    let (late, seen, _) = listened(Some(SWA::new().start_epoch(3).into()), 3);
    assert_eq!((bits(&late), seen), (bits(&plain), before));
}

#[test]
fn r_drop_takes_the_mean_of_losses_over_the_masks_of_a_head() {
    let _guard = seeded(812);
    let (x, y) = samples(64);
    let head = MultiSampleDropout::new(Dense::new(5).activation("softmax")).samples(4);
    let mut model = Sequential::new().add(Dense::new(40).input_dim(25)).add(head);
    let compile = Compile::new(SGD::new().learning_rate(0.0), "categorical_crossentropy")
        .metrics(["categorical_crossentropy"])
        .technique(RDrop::new().alpha(0.0));
    model.compile_with(compile).unwrap();
    let history = model.fit(&x, &y, Fit::epochs(1).batch_size(64).verbose(0)).unwrap();
    // The metric is of the mean prediction, which is better than the predictions are in the mean.
    let (losses, mean) = (history["loss"][0], history["categorical_crossentropy"][0]);
    assert!(losses > mean + 0.01, "{losses} {mean}");
}
