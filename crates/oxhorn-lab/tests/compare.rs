//! Variants at the same seeds: what they have in common, what is measured, and what goes wrong.

mod support;

use std::cell::RefCell;

use ndarray::Axis;
use oxhorn::{
    prelude::*,
    random::{Source, Streams},
    regularizers::L2,
};
use oxhorn_lab::{
    Dataset, Finding, Lab, Outcome, Plan, Split, Stopping, Study, Target, Variant, compare,
};
use support::{INPUTS, blobs, curve, network, timeless, without_and_with};

fn plan() -> Plan {
    Plan::new(3).seeds(4).batch_size(7)
}

fn study(variants: &[Variant], data: &Dataset, plan: &Plan) -> Study {
    compare("test", variants, data, plan, Lab::new().workers(2)).unwrap()
}

fn refusal(variants: &[Variant], data: &Dataset, plan: &Plan) -> Error {
    compare("test", variants, data, plan, Lab::new()).unwrap_err()
}

#[test]
fn a_study_is_the_same_on_one_two_and_three_workers() {
    let (variants, data) = (without_and_with(), blobs(61, 31));
    let on = |workers: usize| {
        let lab = Lab::new().workers(workers);
        timeless(compare("test", &variants, &data, &plan(), lab).unwrap())
    };
    let one = on(1);
    assert_eq!(one.runs.len(), 8);
    assert!(one.comparison(1, "val_loss").unwrap().difference.unwrap().mean != 0.0);
    assert_eq!(on(2), one);
    assert_eq!(on(3), one);
}

#[test]
fn a_model_that_is_used_again_keeps_nothing_of_the_run_before() {
    // Whatever lives from step to step: statistics, averages, slots, seeds, schedules' steps.
    let variant = |name: &str, compile: Compile| {
        let mut model = Sequential::new()
            .add(Dense::new(8).activation("relu").input_dim(INPUTS))
            .add(BatchNormalization::new())
            .add(GaussianDropout::new(0.3))
            .add(Dense::new(3).activation("softmax"));
        model.compile_with(compile.technique(GradientNoise::new())).unwrap();
        Variant::new(name, &model).unwrap()
    };
    let loss = "sparse_categorical_crossentropy";
    let adam = Adam::new().learning_rate(CosineDecay::new(0.01, 9));
    let average = adam.clone().use_ema(true).weight_decay(0.01);
    let variants = [
        variant("averaging weights", Compile::new(adam, loss).technique(SWA::new().start_epoch(1))),
        variant("moving averages", Compile::new(average, loss).technique(Mixup::new(0.4))),
    ];
    let (data, plan) = (blobs(61, 31), plan().seeds(6));
    // One worker uses one model for all seeds; six have one each.
    let on = |workers: usize| {
        let lab = Lab::new().workers(workers);
        timeless(compare("test", &variants, &data, &plan, lab).unwrap())
    };
    assert_eq!(on(1), on(6));
}

#[test]
fn a_study_survives_being_written_as_json() {
    let study = study(&without_and_with(), &blobs(61, 31), &plan());
    let text = serde_json::to_string(&study).unwrap();
    assert_eq!(serde_json::from_str::<Study>(&text).unwrap(), study);
}

#[test]
fn equal_variants_differ_by_nothing() {
    let model = network(|model| model.add(Dropout::new(0.5)));
    let variants = ["a", "b", "c"].map(|name| Variant::new(name, &model).unwrap());
    let study = study(&variants, &blobs(61, 31), &plan());
    assert!(study.comparisons.len() > 10);
    for comparison in &study.comparisons {
        let difference = comparison.difference.unwrap();
        assert_eq!((difference.mean, difference.low, difference.high), (0.0, 0.0, 0.0));
        assert_eq!((comparison.finding, comparison.effect_size), (Finding::NoDifference, None));
        assert_eq!(comparison.seeds_needed, None);
    }
}

#[test]
fn noise_is_common_to_layers_of_one_name() {
    let dropouts = |names: [&str; 2], rates: [f64; 2]| {
        network(|model| {
            let layer = |i: usize| Dropout::new(rates[i]).name(names[i]);
            model.add(layer(0)).add(layer(1))
        })
    };
    let variants = [
        Variant::new("a", &dropouts(["a", "b"], [0.5, 0.0])).unwrap(),
        Variant::new("b", &dropouts(["c", "a"], [0.0, 0.5])).unwrap(),
        Variant::new("c", &dropouts(["c", "d"], [0.0, 0.5])).unwrap(),
    ];
    let study = study(&variants, &blobs(61, 31), &plan());
    let difference = |variant| study.comparison(variant, "val_loss").unwrap().difference.unwrap();
    assert_eq!(difference(1).mean, 0.0);
    assert_ne!(difference(2).mean, 0.0);
}

#[test]
fn measures_are_those_of_a_model_trained_alone() {
    let data = blobs(61, 31);
    let study = study(&without_and_with(), &data, &plan());
    let seed = 2;
    let (_, measured) = study.finished(1).nth(2).unwrap();

    let order = Streams::seeded(seed).numpy.permutation(61);
    let x = |rows: &[usize]| data.x.select(Axis(0), rows);
    let Target::Classes { labels, .. } = &data.y else { panic!("blobs are classes") };
    let y = |rows: &[usize]| rows.iter().map(|&row| labels[row]).collect::<Vec<_>>();
    let mut model = Sequential::new().seed_by_path(seed);
    model = model
        .add(Dense::new(8).activation("relu").input_dim(INPUTS))
        .add(Dropout::new(0.5))
        .add(Dense::new(3).activation("softmax"));
    model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"]).unwrap();
    let (x, x_val, y, y_val) = (x(&order[..31]), x(&order[31..]), y(&order[..31]), y(&order[31..]));
    let fit = Fit::epochs(3).batch_size(7).validation_data(&x_val, &y_val).verbose(0);
    let history = model.fit(&x, &y, fit.validation_batch_size(256)).unwrap();
    for name in ["loss", "accuracy", "val_loss", "val_accuracy"] {
        assert_eq!(measured.curves[name], history[name], "{name}");
    }
    let quiet = |batch_size| Evaluate::new().batch_size(batch_size).verbose(0);
    let clean = model.evaluate_with(&x, &y, quiet(7)).unwrap();
    assert_eq!(measured.measures["clean_loss"], clean["loss"]);
    assert_eq!(measured.curves["clean_loss"][2], clean["loss"]);
    let validation = model.evaluate_with(&x_val, &y_val, quiet(256)).unwrap();
    assert_eq!(measured.measures["val_loss"], validation["loss"]);
    assert_eq!(measured.measures["gap"], validation["loss"] - clean["loss"]);
    // Keras' loss is the negative log-likelihood, but for single precision.
    assert!((measured.measures["val_nll"] - validation["loss"]).abs() < 1e-5);
    assert_eq!(measured.measures["val_accuracy"], validation["accuracy"]);
    assert!((measured.measures["val_error"] + validation["accuracy"] - 1.0).abs() < 1e-6);
    assert_eq!(measured.reliability.iter().map(|bin| bin.count).sum::<usize>(), 30);
}

#[test]
fn targets_come_in_the_form_that_the_loss_takes() {
    let (data, plan) = (blobs(37, 20), Plan::new(2).seeds(3));
    let compiled = |loss: &str| {
        let mut model = network(|model| model);
        model.compile("adam", loss, NO_METRICS).unwrap();
        Variant::new(loss, &model).unwrap()
    };
    let losses = ["sparse_categorical_crossentropy", "categorical_crossentropy"];
    let both = study(&losses.map(compiled), &data, &plan);
    // The losses are others by name, so that the likelihood is what is compared.
    assert_eq!(both.plan.primary, "val_nll");
    assert_eq!(both.comparison(1, "val_loss"), None);
    let difference = both.comparison(1, "val_nll").unwrap().difference.unwrap();
    assert!(difference.mean.abs() < 1e-6, "{difference:?}");

    let Target::Classes { labels, .. } = &data.y else { panic!("blobs are classes") };
    let labels = labels.iter().map(|label| label % 2).collect();
    let names = vec!["even".to_owned(), "odd".to_owned()];
    let two = Dataset { y: Target::Classes { labels, names }, ..data.clone() };
    let mut model = Sequential::new().add(Dense::new(1).activation("sigmoid").input_dim(INPUTS));
    model.compile("adam", "binary_crossentropy", ["accuracy"]).unwrap();
    let binary = study(&[Variant::new("binary", &model).unwrap()], &two, &plan);
    let (_, measured) = binary.finished(0).next().unwrap();
    assert!((measured.measures["val_nll"] - measured.measures["val_loss"]).abs() < 1e-5);

    let error = refusal(&[Variant::new("binary", &model).unwrap()], &data, &plan);
    assert_eq!(error.message, "the model's last layer has 1 units, and `blobs` has 3 classes");
    assert_eq!(error.origin.as_deref(), Some("variant `binary`"));
    let error = refusal(&without_and_with(), &curve(37, 20), &plan);
    assert_eq!(
        error.message,
        "the loss SparseCategoricalCrossentropy is about classes, and the targets of `curve` are \
         numbers"
    );
}

/// A network for `curve`, trained with this learning rate and penalty.
fn regression(name: &str, rate: f64, l2: f64) -> Variant {
    let dense = Dense::new(4).activation("relu");
    let dense = match l2 > 0.0 {
        true => dense.kernel_regularizer(L2::new().l2(l2)),
        false => dense,
    };
    let dense = dense.input_dim(INPUTS);
    let mut model = Sequential::new().add(dense).add(Dense::new(1));
    model.compile(SGD::new().learning_rate(rate), "mse", NO_METRICS).unwrap();
    Variant::new(name, &model).unwrap()
}

#[test]
fn a_variant_that_diverges_does_not_spoil_the_others() {
    let variants = [
        regression("slow", 0.01, 0.0),
        regression("wild", 1e6, 0.0),
        regression("slower", 0.001, 0.0),
    ];
    let study = study(&variants, &curve(40, 20), &plan());
    let diverged: Vec<(u32, usize)> = study.diverged(1).collect();
    assert_eq!(diverged.iter().map(|it| it.0).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert!(diverged.iter().all(|&(_, epoch)| (1..=3).contains(&epoch)));
    assert_eq!(study.comparison(1, "val_loss"), None);
    let alone = self::study(&[variants[0].clone(), variants[2].clone()], &curve(40, 20), &plan());
    let slower = study.comparison(2, "val_loss").unwrap();
    let expected = alone.comparison(1, "val_loss").unwrap();
    assert_eq!((slower.difference, slower.seeds), (expected.difference, 4));
    assert_eq!(slower.finding, Finding::Worse);
    // One that diverges at some seeds only is compared at the others, and said to have diverged.
    let both = self::study(&[variants[1].clone(), variants[0].clone()], &curve(40, 20), &plan());
    assert!(both.comparisons.is_empty());
    assert!(matches!(both.runs[0].outcome, Outcome::Diverged { .. }));
}

#[test]
fn losses_with_other_penalties_are_not_compared() {
    let variants = [regression("plain", 0.01, 0.0), regression("l2", 0.01, 0.1)];
    let data = curve(40, 20);
    let penalised = study(&variants, &data, &plan());
    assert_eq!(penalised.plan.primary, "val_mse");
    assert_eq!(penalised.comparisons[0].measure, "val_mse");
    assert_eq!(penalised.comparison(1, "val_loss"), None);
    assert!(penalised.comparison(1, "gap").is_some());
    let error = refusal(&variants, &data, &plan().primary("val_loss"));
    assert_eq!(
        error.message,
        "the variants cannot be compared by `val_loss`: the penalties in their losses differ"
    );
    let plain = study(&variants[..1], &data, &plan());
    assert_eq!(plain.plan.primary, "val_loss");
    let (_, measured) = plain.finished(0).next().unwrap();
    assert!((measured.measures["val_mse"] / measured.measures["val_loss"] - 1.0).abs() < 1e-5);
}

#[test]
fn too_few_seeds_are_said_to_be_so() {
    let few = study(&without_and_with(), &blobs(61, 31), &plan().seeds(2));
    let comparison = few.comparison(1, "val_loss").unwrap();
    assert_eq!((comparison.difference, comparison.finding), (None, Finding::TooFewSeeds));
    assert_eq!(
        (comparison.effect_size, comparison.seeds_needed, comparison.seeds),
        (None, None, 2)
    );
}

#[test]
fn a_study_stops_at_the_first_look_that_decides_on_any_number_of_workers() {
    let variants = [regression("fast", 0.05, 0.0), regression("slow", 0.0001, 0.0)];
    let data = curve(60, 40);
    let stopping = Stopping::WhenDecided { first: 3 };
    let plan = Plan::new(10).seeds(12).stopping(stopping);
    let on = |workers: usize| {
        let lab = Lab::new().workers(workers);
        timeless(compare("test", &variants, &data, &plan, lab).unwrap())
    };
    let one = on(1);
    let seeds = one.runs.len() / 2;
    assert!((3..12).contains(&seeds), "{seeds}");
    let comparison = one.comparison(1, "val_loss").unwrap();
    assert_eq!((comparison.finding, comparison.seeds), (Finding::Worse, seeds));
    assert_eq!(on(3), one);
    // Stopping early costs width: the same seeds without looks have a narrower interval.
    let all = compare(
        "test",
        &variants,
        &data,
        &plan.seeds(seeds as u32).stopping(Stopping::AfterAll),
        Lab::new(),
    );
    let narrow = all.unwrap().comparison(1, "val_loss").unwrap().difference.unwrap();
    let wide = comparison.difference.unwrap();
    assert_eq!(narrow.mean, wide.mean);
    assert!(narrow.high - narrow.low < 0.9 * (wide.high - wide.low));
    assert!(wide.excludes_zero());
}

#[test]
fn whoever_watches_sees_every_run_and_may_end_it() {
    let (variants, data) = (without_and_with(), blobs(61, 31));
    let seen = RefCell::new(vec![]);
    let lab = Lab::new().workers(2).watch(|progress| {
        if let Some(run) = progress.run {
            seen.borrow_mut().push((run.seed, run.variant, progress.done, progress.total));
        }
        assert!((0.0..=1.0).contains(&progress.fraction));
        Ok(())
    });
    compare("test", &variants, &data, &plan(), lab).unwrap();
    let mut seen = seen.into_inner();
    assert!(seen.iter().enumerate().all(|(i, &(.., done, total))| (done, total) == (i + 1, 8)));
    seen.sort_unstable();
    let runs: Vec<(u32, usize)> = seen.iter().map(|&(seed, variant, ..)| (seed, variant)).collect();
    assert_eq!(runs, [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (3, 1)]);

    let lab = Lab::new().watch(|progress| match progress.done {
        0 => Ok(()),
        _ => Err(Error::new("that is enough")),
    });
    let long = Plan::new(100_000).seeds(3);
    let short = Plan::new(1).seeds(3);
    assert_eq!(
        compare("test", &variants, &data, &short, lab).unwrap_err().message,
        "that is enough"
    );
    let lab = Lab::new().watch(|_| Err(Error::new("no time")));
    assert_eq!(compare("test", &variants, &data, &long, lab).unwrap_err().message, "no time");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let (variants, data) = (without_and_with(), blobs(61, 31));
    let message = |plan: Plan| refusal(&variants, &data, &plan).message;
    assert_eq!(message(Plan::new(0)), "`epochs` of a study must be at least 1, got 0");
    assert_eq!(message(plan().batch_size(0)), "`batch_size` of a study must be at least 1, got 0");
    assert_eq!(message(plan().seeds(0)), "a study without seeds has no runs");
    assert_eq!(message(plan().with_seeds([3, 5, 3])), "the seed 3 is in the plan twice");
    for confidence in [1.0, 0.0, 95.0, f64::NAN] {
        let expected =
            format!("`confidence` must be at least 0.5 and less than 1, got {confidence}");
        assert_eq!(message(plan().confidence(confidence)), expected);
    }
    assert_eq!(
        message(plan().stopping(Stopping::WhenDecided { first: 2 })),
        "the first look must follow at least 3 seeds and at most all 4, got 2"
    );
    assert_eq!(
        message(plan().primary("accuracy")),
        "there is no measure `accuracy` to compare the variants by"
    );
    let twice = [variants[0].clone(), variants[0].clone()];
    assert_eq!(refusal(&twice, &data, &plan()).message, "two variants are called `without`");
    assert_eq!(refusal(&[], &data, &plan()).message, "a study needs a variant");
    let missing = variants[1].clone().number("dense/rate", 0.5);
    let error = refusal(&[missing], &data, &plan());
    assert_eq!(error.message, "there is no number `dense/rate` to set");
    let outside = variants[1].clone().number("dropout/rate", 1.5);
    assert!(refusal(&[outside], &data, &plan()).message.contains("between 0 and 1"));
    let uncompiled = Sequential::new().add(Dense::new(3).input_dim(INPUTS));
    let error = Variant::new("new", &uncompiled).unwrap_err();
    assert_eq!(error.message, "the model of variant `new` is not compiled");
}

#[test]
fn data_that_cannot_be_learnt_from_are_refused() {
    let (variants, data) = (without_and_with(), blobs(61, 31));
    let message = |data: Dataset| refusal(&variants, &data, &plan()).message;
    for train in [0, 61, 100] {
        let split = Split::Fixed { train };
        let expected = format!("of the 61 samples of `blobs`, {train} are to be learnt from");
        assert_eq!(message(Dataset { split, ..data.clone() }), expected);
    }
    let mut broken = data.clone();
    broken.x[[3, 1]] = f32::NAN;
    assert_eq!(message(broken), "the samples of `blobs` hold NaN at [3, 1]");
    let mut broken = data.clone();
    if let Target::Classes { labels, .. } = &mut broken.y {
        labels[7] = 3;
    }
    assert_eq!(message(broken), "label 3 of sample 7 of `blobs` is none of the 3 classes");
    let mut broken = data;
    if let Target::Classes { labels, .. } = &mut broken.y {
        labels.pop();
    }
    assert_eq!(message(broken), "`blobs` has 61 samples and 60 targets");
}

#[test]
fn a_fixed_split_is_the_same_at_every_seed() {
    let data = Dataset { split: Split::Fixed { train: 31 }, ..blobs(61, 31) };
    let (first, last) = (data.rows_at(0), data.rows_at(9));
    assert_eq!(first, last);
    assert_eq!(first, ((0..31).collect(), (31..61).collect()));
    let drawn = blobs(61, 31);
    assert_ne!(drawn.rows_at(0), drawn.rows_at(9));
    // Seeds by path leave the process' streams alone.
    let before = oxhorn::random::streams().clone();
    drop(study(&without_and_with(), &data, &plan().seeds(1)));
    assert_eq!(format!("{before:?}"), format!("{:?}", Source::Process.streams()));
}
