//! The rules of the linter.

use oxhorn_nn::Json;

use super::{Inputs, Rule, Site, Warning};

/// Layers that drop part of what they are given.
const DROPS: [&str; 9] = [
    "AlphaDropout",
    "DropBlock1D",
    "DropBlock2D",
    "DropPath",
    "Dropout",
    "GaussianDropout",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
];

/// Layers that drop within what they compute.
const DROP_WITHIN: [&str; 2] = ["DropConnect", "MultiSampleDropout"];

/// Layers without weights that treat each number by itself, or only move it.
const PASSES: [&str; 13] = [
    "Activation",
    "ActivityRegularization",
    "ELU",
    "Flatten",
    "Identity",
    "LeakyReLU",
    "PReLU",
    "Permute",
    "ReLU",
    "RepeatVector",
    "Reshape",
    "Softmax",
    "Temperature",
];

/// Layers that hand on what enters the model, in another form.
const PREPARES: [&str; 6] = [
    "BatchNormalization",
    "Embedding",
    "InputLayer",
    "LayerNormalization",
    "Normalization",
    "Rescaling",
];

/// A rate from which on hardly anything is left.
const HIGH_RATE: f64 = 0.8;

/// With so many samples of MNIST, dropout of this rate brought no gain: JMLR 2014, figure 10.
const FEW_SAMPLES: usize = 500;
const FIGURE_RATE: f64 = 0.5;

/// Settings that say whether a layer has a weight, and the weight.
const SWITCHES: [(&str, &str); 3] = [("use_bias", "bias"), ("center", "beta"), ("scale", "gamma")];

/// All that is to be said, layer by layer.
pub(super) fn check(sites: &[Site], samples: Option<usize>) -> Vec<Warning> {
    let mut warnings = vec![];
    for (at, site) in sites.iter().enumerate() {
        let mut found = vec![
            same_seed(sites, at),
            after_output(sites, at),
            before_batch_normalization(sites, at),
            high_rate(site),
        ];
        found.extend(no_effect(site).into_iter().map(Some));
        found.push(samples.and_then(|samples| few_samples(sites, at, samples)));
        let warning = |(rule, reason, help): Said| Warning {
            rule,
            layer: site.path.clone(),
            reason,
            help: help.to_owned(),
        };
        warnings.extend(found.into_iter().flatten().map(warning));
    }
    warnings
}

/// What is said of a layer: the rule, the reason and the help.
type Said = (Rule, String, &'static str);

fn same_seed(sites: &[Site], at: usize) -> Option<Said> {
    let seed = sites[at].seed()?;
    let first = sites[..at].iter().find(|other| other.seed() == Some(seed))?;
    let reason = format!(
        "it has the seed {seed}, as `{}` has, so that both draw the same random numbers, and drop \
         the same units where their inputs are alike",
        first.path
    );
    let help = "leave `seed` out and call `set_random_seed` once, or give each layer a seed of its \
                own";
    Some((Rule::SameSeed, reason, help))
}

fn after_output(sites: &[Site], at: usize) -> Option<Said> {
    let site = &sites[at];
    let has_layers_before = matches!(&site.inputs, Inputs::From(inputs) if !inputs.is_empty());
    let mut outputs = (0..sites.len()).filter(|&i| sites[i].is_output);
    let is_last = outputs.any(|i| through_passes(sites, i).contains(&at));
    let found = site.drops().is_some() && has_layers_before && is_last;
    found.then(|| {
        let reason = "it comes after the last layer with weights, so that what is dropped are the \
                      model's outputs, which the loss takes for mistakes"
            .to_owned();
        (Rule::AfterOutput, reason, "put it before the last layer, or leave it out")
    })
}

fn before_batch_normalization(sites: &[Site], at: usize) -> Option<Said> {
    // Alpha dropout keeps mean and variance.
    let shifts = sites[at].drops().is_some() && sites[at].class != "AlphaDropout";
    let takes = |site: &Site| match &site.inputs {
        Inputs::From(inputs) => inputs.iter().any(|&i| through_passes(sites, i).contains(&at)),
        Inputs::Unknown => false,
    };
    let learns = |site: &&Site| site.class == "BatchNormalization" && site.trainable;
    let taker = sites.iter().filter(learns).find(|site| shifts && takes(site))?;
    let reason = format!(
        "`{}` normalizes what it drops: the variance learned while training, with units dropped, \
         is not the one it meets in use (Li et al. 2019, arXiv 1801.05134)",
        taker.path
    );
    let help = "put dropout after the last batch normalization";
    Some((Rule::BeforeBatchNormalization, reason, help))
}

fn high_rate(site: &Site) -> Option<Said> {
    let within = DROP_WITHIN.contains(&site.class.as_str()).then(|| site.rate()).flatten();
    let rate = site.drops().or(within).filter(|rate| *rate > HIGH_RATE)?;
    let reason = format!("its rate of {rate} is above {HIGH_RATE}: hardly anything is left");
    let help = "the rate is the share that is dropped, not the one that is kept: 0.5 is usual \
                within a network, 0.2 at its input";
    Some((Rule::HighRate, reason, help))
}

fn no_effect(site: &Site) -> Vec<Said> {
    let mut found = vec![];
    let mut say = |reason: String, help| found.push((Rule::NoEffect, reason, help));
    for (setting, value) in site.settings.iter().filter(|(_, value)| !value.is_null()) {
        let Some((weight, kind)) = setting.rsplit_once('_') else { continue };
        if !matches!(kind, "regularizer" | "constraint") {
            continue;
        }
        let absent = SWITCHES.iter().find(|(switch, of)| {
            *of == weight && site.settings.get(*switch) == Some(&Json::Bool(false))
        });
        if let Some((switch, weight)) = absent {
            let reason =
                format!("`{setting}` has no effect: with `{switch}` off, it has no {weight}");
            say(reason, "leave it out");
        } else if weight != "activity" && !site.trainable {
            let reason = format!("`{setting}` has no effect: the layer is frozen");
            say(reason, "leave it out, or make the layer trainable");
        } else if is_idle(value, kind) {
            let reason = format!("`{setting}` has no effect: its strength is 0");
            say(reason, "give it a strength, or leave it out");
        }
    }
    let strength = |name: &str| site.settings.get(name).and_then(Json::as_f64);
    if site.class == "ActivityRegularization"
        && [strength("l1"), strength("l2")].iter().all(|strength| *strength == Some(0.0))
    {
        let reason = "it has no effect: `l1` and `l2` are 0".to_owned();
        say(reason, "give it a strength, or leave it out");
    }
    found
}

/// Whether a regularizer or a constraint, given as a dictionary, is known to do nothing.
fn is_idle(value: &Json, kind: &str) -> bool {
    let strengths: &[&str] = match (value["class_name"].as_str(), kind) {
        (Some("L1"), "regularizer") => &["l1"],
        (Some("L2"), "regularizer") => &["l2"],
        (Some("L1L2"), "regularizer") => &["l1", "l2"],
        (Some("OrthogonalRegularizer"), "regularizer") => &["factor"],
        (Some("MinMaxNorm"), "constraint") => &["rate"],
        _ => return false,
    };
    strengths.iter().all(|name| value["config"][*name].as_f64() == Some(0.0))
}

fn few_samples(sites: &[Site], at: usize, samples: usize) -> Option<Said> {
    let site = &sites[at];
    let rate = site.drops().filter(|rate| site.class == "Dropout" && *rate >= FIGURE_RATE)?;
    if samples > FEW_SAMPLES || !is_hidden(sites, at) {
        return None;
    }
    let reason = format!(
        "its rate is {rate}, and there are {samples} samples: with 100 and with 500 images of \
         MNIST, dropout of {FIGURE_RATE} within 784-1024-1024-2048-10 units, and 0.2 before them, \
         brought no gain (Srivastava et al., JMLR 2014, figure 10)"
    );
    let help = "compare with the model without dropout, try a smaller rate, or gather more samples";
    Some((Rule::FewSamples, reason, help))
}

/// The layer at this position, and those whose numbers reach it through layers that only pass
/// them on.
fn through_passes(sites: &[Site], at: usize) -> Vec<usize> {
    upstream(sites, at, &|site| PASSES.contains(&site.class.as_str()))
}

/// Whether a layer stands between others that compute: not at the input of the model.
fn is_hidden(sites: &[Site], at: usize) -> bool {
    let prepares = |site: &Site| {
        let class = site.class.as_str();
        [&DROPS[..], &PASSES, &PREPARES].iter().any(|classes| classes.contains(&class))
    };
    upstream(sites, at, &prepares).into_iter().any(|i| !prepares(&sites[i]))
}

/// The layer at this position, and those before it that are reached through such layers.
fn upstream(sites: &[Site], at: usize, leads_on: &dyn Fn(&Site) -> bool) -> Vec<usize> {
    let mut reached = vec![at];
    let mut next = 0;
    while let Some(&i) = reached.get(next) {
        next += 1;
        if let (true, Inputs::From(inputs)) = (leads_on(&sites[i]), &sites[i].inputs) {
            let unseen: Vec<usize> =
                inputs.iter().copied().filter(|i| !reached.contains(i)).collect();
            reached.extend(unseen);
        }
    }
    reached
}

impl Site {
    /// The rate, if it is a layer that drops, and drops anything.
    fn drops(&self) -> Option<f64> {
        self.rate().filter(|rate| DROPS.contains(&self.class.as_str()) && *rate > 0.0)
    }

    /// The rate, if the layer has one.
    fn rate(&self) -> Option<f64> {
        self.settings.get("rate")?.as_f64()
    }

    /// The seed it was given, if it draws anything.
    fn seed(&self) -> Option<i64> {
        let is_zero = |name: &str| self.settings.get(name).and_then(Json::as_f64) == Some(0.0);
        let seed = self.settings.get("seed")?.as_i64()?;
        (!is_zero("rate") && !is_zero("stddev")).then_some(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        constraints::{MaxNorm, MinMaxNorm},
        layer::AnyLayer,
        prelude::*,
        regularizers::{L1L2, L2, OrthogonalRegularizer},
    };

    fn model(layers: Vec<AnyLayer>) -> Sequential {
        layers.into_iter().fold(Sequential::new(), Sequential::add)
    }

    /// Rules and layers of what is said of these.
    fn said(layers: Vec<AnyLayer>) -> Vec<(Rule, String)> {
        model(layers).lint().into_iter().map(|it| (it.rule, it.layer)).collect()
    }

    fn reasons(layers: Vec<AnyLayer>) -> Vec<String> {
        let warnings = model(layers).lint();
        assert!(warnings.iter().all(|it| it.rule == Rule::NoEffect), "{warnings:?}");
        warnings.into_iter().map(|it| format!("{}: {}", it.layer, it.reason)).collect()
    }

    fn dense() -> AnyLayer {
        Dense::new(3).into()
    }

    fn drop(rate: f64) -> AnyLayer {
        Dropout::new(rate).into()
    }

    #[test]
    fn nothing_is_said_of_sound_models() {
        let relu = || AnyLayer::from(Activation::new("relu"));
        let normal = || AnyLayer::from(BatchNormalization::new());
        for layers in [
            vec![],
            vec![drop(0.5)],
            vec![drop(0.2), dense(), relu(), drop(0.8), dense(), drop(0.5), dense(), relu()],
            // Normalized first, dropped then; dropped, mapped, then normalized.
            vec![dense(), normal(), relu(), drop(0.5), dense(), normal(), relu(), dense()],
            vec![dense(), drop(0.5), normal().trainable(false), dense()],
            vec![dense(), AlphaDropout::new(0.5).into(), normal(), dense()],
            vec![dense(), GaussianNoise::new(0.1).into()],
            vec![drop(0.0), dense(), drop(0.0)],
            vec![
                Dropout::new(0.5).seed(1).into(),
                dense(),
                Dropout::new(0.5).seed(2).into(),
                dense(),
            ],
            vec![
                Dropout::new(0.5).seed(1).into(),
                dense(),
                Dropout::new(0.0).seed(1).into(),
                dense(),
            ],
            vec![
                Dense::new(3)
                    .kernel_regularizer("l2")
                    .bias_regularizer("l1")
                    .kernel_constraint("max_norm")
                    .bias_constraint(MaxNorm::new())
                    .activity_regularizer("l1"),
            ],
            vec![Dense::new(3).use_bias(false).trainable(false).activity_regularizer("l1")],
            vec![ActivityRegularization::new().l1(0.1).into(), dense()],
        ] {
            assert_eq!(said(layers), []);
        }
    }

    #[test]
    fn one_seed_on_several_layers_is_found_on_all_but_the_first() {
        let layers = || {
            vec![
                Dropout::new(0.5).seed(42).into(),
                dense(),
                GaussianNoise::new(0.1).seed(42).into(),
                dense(),
                SpatialDropout1D::new(0.5).seed(42).into(),
                dense(),
                Dropout::new(0.5).seed(43).into(),
                dense(),
            ]
        };
        let expected = ["gaussian_noise", "spatial_dropout1d"];
        assert_eq!(said(layers()), expected.map(|name| (Rule::SameSeed, name.to_owned())));
        assert!(
            model(layers()).lint()[1].reason.starts_with("it has the seed 42, as `dropout` has")
        );
    }

    #[test]
    fn what_drops_outputs_is_found_behind_activations_too() {
        let found = vec![(Rule::AfterOutput, "dropout".to_owned())];
        assert_eq!(said(vec![dense(), drop(0.5)]), found);
        assert_eq!(said(vec![dense(), drop(0.5), Softmax::new().into()]), found);
        let shapes = || AnyLayer::from(Reshape::new([3, 1]));
        assert_eq!(said(vec![dense(), drop(0.5), shapes(), Flatten::new().into()]), found);
        let twice = said(vec![dense(), drop(0.1), Activation::new("relu").into(), drop(0.1)]);
        assert_eq!(twice.len(), 1, "what stands before the last dropout is within the network");
    }

    #[test]
    fn what_drops_before_a_normalization_is_found() {
        let normal = || AnyLayer::from(BatchNormalization::new());
        let found = vec![(Rule::BeforeBatchNormalization, "dropout".to_owned())];
        assert_eq!(said(vec![dense(), drop(0.1), normal(), dense()]), found);
        let relu = || AnyLayer::from(ReLU::new());
        assert_eq!(said(vec![dense(), drop(0.1), relu(), relu(), normal(), dense()]), found);
        let warning = model(vec![dense(), drop(0.1), normal(), dense()]).lint().remove(0);
        assert!(warning.reason.starts_with("`batch_normalization` normalizes what it drops"));
    }

    #[test]
    fn rates_above_four_fifths_are_found() {
        for (rate, found) in [(0.8_f64, 0), (0.81, 1), (1.0, 1)] {
            let gaussian = GaussianDropout::new(rate.min(0.99)).into();
            assert_eq!(said(vec![gaussian, dense()]).len(), found, "{rate}");
            assert_eq!(said(vec![drop(rate), dense()]).len(), found, "{rate}");
            let connect = DropConnect::new(3, rate).into();
            let head = MultiSampleDropout::new(Dense::new(3)).rate(rate).into();
            assert_eq!(said(vec![connect, head]).len(), 2 * found, "{rate}");
        }
    }

    #[test]
    fn what_changes_nothing_is_found() {
        let found = reasons(vec![
            Dense::new(3).use_bias(false).bias_constraint("non_neg").bias_regularizer("l2").into(),
            Dense::new(3).kernel_constraint("max_norm").trainable(false),
            Dense::new(3).kernel_regularizer(L2::new().l2(0.0)).into(),
            Dense::new(3).kernel_regularizer("l1_l2").into(),
            Dense::new(3).kernel_regularizer(OrthogonalRegularizer::new().factor(0.0)).into(),
            Dense::new(3).bias_constraint(MinMaxNorm::new().rate(0.0)).into(),
            dense().activity_regularizer(L1L2::new()),
            BatchNormalization::new().center(false).beta_regularizer("l2").into(),
            LayerNormalization::new().scale(false).gamma_constraint("non_neg").into(),
            ActivityRegularization::new().into(),
        ]);
        let expected = [
            "dense: `bias_regularizer` has no effect: with `use_bias` off, it has no bias",
            "dense: `bias_constraint` has no effect: with `use_bias` off, it has no bias",
            "dense_1: `kernel_constraint` has no effect: the layer is frozen",
            "dense_2: `kernel_regularizer` has no effect: its strength is 0",
            "dense_3: `kernel_regularizer` has no effect: its strength is 0",
            "dense_4: `kernel_regularizer` has no effect: its strength is 0",
            "dense_5: `bias_constraint` has no effect: its strength is 0",
            "dense_6: `activity_regularizer` has no effect: its strength is 0",
            "batch_normalization: `beta_regularizer` has no effect: with `center` off, it has no \
             beta",
            "layer_normalization: `gamma_constraint` has no effect: with `scale` off, it has no \
             gamma",
            "activity_regularization: it has no effect: `l1` and `l2` are 0",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn few_samples_matter_for_high_rates_within_the_network() {
        let few = |layers: Vec<AnyLayer>, samples| {
            let found = model(layers).lint_for(samples).into_iter();
            found.map(|it| (it.rule, it.layer)).collect::<Vec<_>>()
        };
        let found = vec![(Rule::FewSamples, "dropout".to_owned())];
        assert_eq!(few(vec![dense(), drop(0.5), dense()], 500), found);
        assert_eq!(few(vec![dense(), ReLU::new().into(), drop(0.5), dense()], 1), found);
        assert_eq!(few(vec![dense(), drop(0.5), dense()], 501), []);
        assert_eq!(few(vec![dense(), drop(0.49), dense()], 500), []);
        assert_eq!(few(vec![Flatten::new().into(), drop(0.5), dense()], 500), []);
        let reason = &model(vec![dense(), drop(0.5), dense()]).lint_for(97)[0].reason;
        assert!(reason.starts_with("its rate is 0.5, and there are 97 samples: with 100 and"));
    }

    #[test]
    fn branches_are_followed_and_what_is_unknown_is_not_guessed() {
        let site = |class: &str, inputs: Inputs, rate: f64| Site {
            path: class.to_owned(),
            class: class.to_owned(),
            settings: [("rate".to_owned(), rate.into())].into_iter().collect(),
            trainable: true,
            inputs,
            is_output: class == "Softmax",
        };
        let from = |inputs: &[usize]| Inputs::From(inputs.to_vec());
        // dense -> dropout -> softmax; dense -> activation -> batch normalization.
        let branches = |third| {
            vec![
                site("Dense", from(&[]), 0.0),
                site("Dropout", from(&[0]), 0.5),
                site("Activation", third, 0.0),
                site("BatchNormalization", from(&[2]), 0.0),
                site("Softmax", from(&[1, 3]), 0.0),
            ]
        };
        let rules =
            |sites: &[Site]| check(sites, Some(10)).iter().map(|it| it.rule).collect::<Vec<_>>();
        let few = [Rule::AfterOutput, Rule::FewSamples];
        assert_eq!(rules(&branches(from(&[0]))), few);
        assert_eq!(rules(&branches(Inputs::Unknown)), few);
        let shifted = [Rule::AfterOutput, Rule::BeforeBatchNormalization, Rule::FewSamples];
        assert_eq!(rules(&branches(from(&[0, 1]))), shifted);
        // A layer may be among those before itself, where it is called twice.
        let circle = [site("Activation", from(&[1]), 0.0), site("ReLU", from(&[0]), 0.0)];
        assert_eq!(rules(&circle), []);
    }
}
