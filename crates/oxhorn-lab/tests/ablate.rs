//! Planted regularizers: what helps, what harms and what does nothing is told apart.

mod support;

use ndarray::Array2;
use oxhorn::{
    constraints::MaxNorm, losses::CategoricalCrossentropy, prelude::*, random::Streams,
    regularizers::L2,
};
use oxhorn_lab::{Dataset, Lab, Plan, Source, Split, Target, Variant, ablate, ablate::Verdict};

/// Few samples with many numbers, of which two say something: what a network learns by heart.
fn needles() -> Dataset {
    let numpy = &mut Streams::seeded(3).numpy;
    let labels: Vec<i64> = (0..240).map(|_| numpy.randint(2).unwrap()).collect();
    let x = Array2::from_shape_fn((240, 20), |(row, column)| {
        let signal = if column < 2 { 1.4 * (labels[row] as f64 - 0.5) } else { 0.0 };
        (signal + numpy.standard_normal()) as f32
    });
    let names = vec!["no".to_owned(), "yes".to_owned()];
    let (split, source) = (Split::Drawn { train: 40 }, Source::Memory);
    Dataset {
        name: "needles".to_owned(),
        x: x.into_dyn(),
        y: Target::Classes { labels, names },
        split,
        source,
    }
}

#[test]
fn what_helps_harms_or_does_nothing_is_told_apart() {
    let hidden = Dense::new(32)
        .activation("relu")
        .kernel_regularizer(L2::new().l2(1e-10))
        .kernel_constraint(MaxNorm::new().max_value(1e6));
    let mut model = Sequential::new()
        .add(hidden.input_dim(20))
        .add(Dropout::new(0.5))
        .add(Dense::new(2))
        // Noise on the last outputs, so much that they say nothing.
        .add(Rescaling::new(0.02))
        .add(GaussianNoise::new(1.0))
        .add(Rescaling::new(50.0))
        .add(Activation::new("softmax"));
    let adam = Adam::new().learning_rate(0.01);
    model.compile(adam, "sparse_categorical_crossentropy", ["accuracy"]).unwrap();
    let network = Variant::new("planted", &model).unwrap();
    let plan = Plan::new(20).seeds(6).batch_size(20);
    let ablation = ablate(&network, &needles(), &plan, Lab::new()).unwrap();
    // Penalties differ, so that losses do not compare.
    assert_eq!(ablation.study.plan.primary, "val_nll");
    let names: Vec<&str> = ablation.parts.iter().map(|part| &part.regularizer[..]).collect();
    assert_eq!(
        names,
        [
            "L2 (dense/kernel_regularizer)",
            "MaxNorm (dense/kernel_constraint)",
            "Dropout 0.5 (dropout)",
            "GaussianNoise 1 (gaussian_noise)",
        ]
    );
    let verdicts: Vec<Verdict> = ablation.parts.iter().map(|part| part.verdict).collect();
    assert_eq!(verdicts[..2], [Verdict::NoEffect; 2], "{:#?}", ablation.parts);
    assert_eq!(verdicts[3], Verdict::Harms, "{:#?}", ablation.parts);
    let harm = &ablation.parts[3];
    assert!(harm.contribution.unwrap().low > 0.0);
    assert!(harm.sentence.starts_with("remove: it harms, `val_nll` is "), "{}", harm.sentence);
    let useless = &ablation.parts[0];
    assert!(useless.sentence.starts_with("remove: no effect, `val_nll` is "));
    assert!(ablation.parts.iter().all(|part| part.cost.unwrap() > 0.0));
}

#[test]
fn what_helps_is_kept() {
    let mut model = Sequential::new()
        .add(Dense::new(64).activation("relu").input_dim(20))
        .add(Dropout::new(0.6))
        .add(Dense::new(2).activation("softmax"));
    let adam = Adam::new().learning_rate(0.01);
    model.compile(adam, "sparse_categorical_crossentropy", ["accuracy"]).unwrap();
    let network = Variant::new("helped", &model).unwrap();
    let plan = Plan::new(40).seeds(6).batch_size(20);
    let ablation = ablate(&network, &needles(), &plan, Lab::new()).unwrap();
    let [part] = &ablation.parts[..] else { panic!("one regularizer") };
    assert_eq!(part.verdict, Verdict::Keep, "{part:#?}");
    assert!(part.contribution.unwrap().high < 0.0);
    assert_eq!(ablation.study.plan.primary, "val_loss");
    let few = ablate(&network, &needles(), &plan.seeds(2), Lab::new()).unwrap();
    assert_eq!(few.parts[0].verdict, Verdict::TooFewSeeds);
    assert_eq!(few.parts[0].sentence, "2 seeds are too few to say");
}

#[test]
fn every_kind_of_regularizer_is_found_and_left_out() {
    let mut model = Sequential::new()
        .add(GaussianNoise::new(0.1).input_shape([20]))
        .add(Dense::new(4).activation("relu").bias_regularizer("l1"))
        .add(ActivityRegularization::new().l2(0.01))
        .add(AlphaDropout::new(0.2))
        .add(Dropout::new(0.0))
        .add(Dense::new(2).activation("softmax"));
    let adam = Adam::new().weight_decay(0.01).use_ema(true);
    let loss = CategoricalCrossentropy::new().label_smoothing(0.1);
    model.compile(adam, loss, NO_METRICS).unwrap();
    let network = Variant::new("all", &model).unwrap();
    let plan = Plan::new(1).seeds(3);
    let ablation = ablate(&network, &needles(), &plan, Lab::new()).unwrap();
    let names: Vec<&str> = ablation.parts.iter().map(|part| &part.regularizer[..]).collect();
    assert_eq!(
        names,
        [
            "GaussianNoise 0.1 (gaussian_noise)",
            "L1 (dense/bias_regularizer)",
            "ActivityRegularization (activity_regularization)",
            "AlphaDropout 0.2 (alpha_dropout)",
            "label smoothing 0.1",
            "weight decay 0.01",
            "moving average of the weights",
        ]
    );
    let full = &ablation.study.variants[0].model;
    for (part, variant) in ablation.parts.iter().zip(&ablation.study.variants[1..]) {
        assert_eq!(variant.name, format!("without {}", part.regularizer));
        assert_ne!(&variant.model, full, "{}", variant.name);
    }
    let mut plain = Sequential::new().add(Dense::new(2).activation("softmax").input_dim(20));
    plain.compile("adam", "sparse_categorical_crossentropy", NO_METRICS).unwrap();
    let plain = Variant::new("plain", &plain).unwrap();
    let error = ablate(&plain, &needles(), &plan, Lab::new()).unwrap_err();
    assert_eq!(error.message, "`plain` has no regularizer to leave out");
}
