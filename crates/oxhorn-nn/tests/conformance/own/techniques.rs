//! Techniques, all of which Keras lacks: their closed forms and moments, and the numbers of their
//! papers' code, computed here by other means.

use std::collections::HashMap;

use oxhorn_ir::{Array, Tensor, Trace, Type, Value, grad, testing::sample};
use oxhorn_nn::{
    Declarations, Mode, Scope,
    layers::DataFormat,
    losses::{
        CategoricalCrossentropy, Loss, LossSettings, Reduction, SparseCategoricalCrossentropy,
    },
    techniques::{
        CutMix, Cutout, GradientNoise, Intervene, JacobianPenalty, Mixup, Output, RDrop, SAM, SWA,
        Seen,
    },
};

use super::own;
use crate::golden::*;

own! {
    "oxhorn.techniques.CutMix": CutMix::new().alpha(0.7).probability(0.5).image_shape([5, 7])
        .data_format(DataFormat::ChannelsFirst).seed(7)
        => cut_mix_takes_a_box_from_the_partner, cut_mix_cuts_as_much_as_the_code_of_the_paper,
           cut_mix_cuts_so_many_batches;
    "oxhorn.techniques.Cutout": Cutout::new(3).image_shape([5, 7])
        .data_format(DataFormat::ChannelsFirst).seed(7)
        => cutout_leaves_a_rectangle_of_zeros, cutout_leaves_out_as_much_as_squares_have_inside;
    "oxhorn.techniques.GradientNoise": GradientNoise::new().eta(0.3).gamma(0.8).seed(7)
        => gradient_noise_has_the_variance_of_the_paper;
    "oxhorn.techniques.JacobianPenalty": JacobianPenalty::new().strength(0.3).projections(None)
        .seed(7)
        => jacobian_penalty_of_a_linear_network_is_that_of_its_weights,
           jacobian_penalty_is_estimated_without_bias,
           jacobian_penalty_of_a_curved_network_has_the_slope_of_its_closed_form;
    "oxhorn.techniques.Mixup": Mixup::new(0.3).seed(7) => mixup_adds_every_sample_and_its_partner;
    "oxhorn.techniques.RDrop": RDrop::new().alpha(0.3)
        => r_drop_adds_both_divergences, r_drop_weighs_and_sums_up_as_the_loss_does;
    "oxhorn.techniques.SAM": SAM::new().rho(0.3) => sam_goes_as_far_as_it_should;
    "oxhorn.techniques.SWA": SWA::new().start_epoch(3).frequency(2)
        => swa_has_every_so_many_epochs;
}

/// The results of what `write` gives, and what the states became; variables are at their first
/// values unless they are among `given`, which are called by name.
fn results(
    given: &[(&str, Array)],
    write: impl for<'g> FnOnce(&Scope<'g>, &[Tensor<'g>]) -> Vec<Value>,
) -> (Vec<Array>, HashMap<String, Array>) {
    let (trace, declared) = (Trace::new("test"), Declarations::new());
    let cx = Scope::new(&trace, &declared, Mode::Train);
    let inputs = given.iter().map(|(name, array)| trace.input(*name, Type::f32(&array.shape[..])));
    let inputs: Vec<Tensor> = inputs.collect();
    let wanted = write(&cx, &inputs);
    cx.write_updates();
    drop(cx);
    let named = given.iter().map(|(name, array)| ((*name).to_owned(), array.clone()));
    let mut values: HashMap<String, Array> = named.collect();
    for variable in &*declared.variables() {
        values.insert(variable.path.clone(), variable.first_value(812).expect("a value"));
    }
    for number in &*declared.numbers() {
        values.insert(number.path.clone(), Array::new([], vec![number.value]));
    }
    let graph = trace.finish(&wanted).expect("no mistake");
    let (results, updates) = run(&graph, |leaf| values[&leaf.name].clone());
    (results, updates.into_iter().collect())
}

/// What a network is given in place of `x`, and, where samples are mixed, the share of each and the
/// partners.
fn fed(technique: &dyn Intervene, x: &Array) -> (Array, Option<(f64, Vec<usize>)>) {
    let (results, _) = results(&[("x", x.clone())], |cx, x| {
        let fed = technique.feed(cx, x).expect("other inputs");
        let blend = fed.blend.map(|blend| [blend.share.value(), blend.partner.value()]);
        [fed.x[0].value()].into_iter().chain(blend.into_iter().flatten()).collect()
    });
    let blend = results.get(1).zip(results.get(2));
    let blend = blend.map(|(share, partner)| {
        (share.scalar(), partner.data.iter().map(|i| *i as usize).collect())
    });
    (results[0].clone(), blend)
}

fn mixup_adds_every_sample_and_its_partner() {
    for shape in [&[1, 3][..], &[2, 1], &[13, 2, 3]] {
        let x = sample(shape);
        let (mixed, blend) = fed(&Mixup::new(1.0).seed(7), &x);
        let (share, partner) = blend.expect("mixed samples");
        assert!((0.01..0.99).contains(&share), "{share}");
        let width = x.data.len() / shape[0];
        for (i, mixed) in mixed.data.iter().enumerate() {
            let other = x.data[partner[i / width] * width + i % width];
            assert_near(*mixed, share * x.data[i] + (1.0 - share) * other, "a mixed sample");
        }
    }
}

/// The rows and columns that differ between two images without channels.
fn changed(before: &[f64], after: &[f64], width: usize) -> (Vec<usize>, Vec<usize>) {
    let differs = |i: &usize| before[*i] != after[*i];
    let all: Vec<usize> = (0..before.len()).filter(differs).collect();
    let unique = |of: &dyn Fn(usize) -> usize| {
        let mut all: Vec<usize> = all.iter().map(|i| of(*i)).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let (rows, columns) = (unique(&|i| i / width), unique(&|i| i % width));
    assert_eq!(all.len(), rows.len() * columns.len(), "a rectangle");
    let runs = |places: &[usize]| places.windows(2).all(|pair| pair[0] + 1 == pair[1]);
    assert!(runs(&rows) && runs(&columns), "a rectangle in one piece");
    (rows, columns)
}

fn cut_mix_takes_a_box_from_the_partner() {
    let (height, width) = (5, 7);
    let x = sample(&[2, height * width]);
    let mut cut = 0;
    for seed in 0..40 {
        let technique = CutMix::new().image_shape([height, width]).seed(seed);
        let (mixed, blend) = fed(&technique, &x);
        let (share, partner) = blend.expect("mixed samples");
        for (i, mixed) in mixed.data.chunks(height * width).enumerate() {
            let of = |i: usize| &x.data[i * height * width..][..height * width];
            let (rows, columns) = changed(of(i), mixed, width);
            let within =
                |at: &usize| rows.contains(&(at / width)) && columns.contains(&(at % width));
            for pixel in (0..height * width).filter(within) {
                assert_eq!(mixed[pixel], of(partner[i])[pixel]);
            }
            if partner == [1, 0] {
                let outside = 1.0 - (rows.len() * columns.len()) as f64 / (height * width) as f64;
                assert_near(share, outside, "the share");
                cut += rows.len();
            }
        }
    }
    assert!(cut > 0, "no batch was mixed");
    // Channels are in or out of the box together, wherever they are.
    for (shape, format) in
        [([3, 5, 7, 2], DataFormat::ChannelsLast), ([3, 2, 5, 7], DataFormat::ChannelsFirst)]
    {
        let x = sample(&shape);
        let (mixed, blend) = fed(&CutMix::new().data_format(format).seed(3), &x);
        let (share, partner) = blend.expect("mixed samples");
        let moved = partner.iter().enumerate().filter(|(i, partner)| i != *partner).count();
        let differs = mixed.data.iter().zip(&x.data).filter(|(a, b)| a != b).count();
        assert_eq!(differs, ((1.0 - share) * (moved * 5 * 7 * 2) as f64).round() as usize);
    }
}

/// The mean length of a piece of this length that is centred anywhere and clipped.
fn clipped(before: usize, after: usize, extent: usize) -> f64 {
    let length = |centre: usize| (centre + after).min(extent) - centre.saturating_sub(before);
    (0..extent).map(length).sum::<usize>() as f64 / extent as f64
}

fn cut_mix_cuts_as_much_as_the_code_of_the_paper() {
    let (height, width) = (5, 8);
    // With an alpha of 1, shares are uniform: the mean over all centres and over so many shares.
    let shares = 4000;
    let area = |i: usize| {
        let side = (1.0 - (i as f64 + 0.5) / f64::from(shares as u32)).sqrt();
        let half = |extent: usize| (extent as f64 * side) as usize / 2;
        let length = |extent: usize| clipped(half(extent), half(extent), extent);
        length(height) * length(width)
    };
    let expected = (0..shares).map(area).sum::<f64>() / shares as f64;
    let pixels = (height * width) as f64;
    let x = sample(&[1, height * width]);
    let draws: Vec<f64> = (0..1500)
        .map(|seed| {
            let technique = CutMix::new().image_shape([height, width]).seed(seed);
            (1.0 - fed(&technique, &x).1.expect("mixed samples").0) * pixels
        })
        .collect();
    let mean = draws.iter().sum::<f64>() / draws.len() as f64;
    let square = draws.iter().map(|area| area * area).sum::<f64>() / draws.len() as f64;
    let deviation = ((square - mean * mean) / draws.len() as f64).sqrt();
    assert!((mean - expected).abs() < 4.0 * deviation, "{mean}, not {expected}");
}

fn cut_mix_cuts_so_many_batches() {
    let x = sample(&[1, 20, 20, 1]);
    let uncut = |probability: f64| {
        let technique = |seed| CutMix::new().alpha(50.0).probability(probability).seed(seed);
        let share = |seed| fed(&technique(seed), &x).1.expect("mixed samples").0;
        (0..200).filter(|&seed| share(seed) == 1.0).count()
    };
    assert_eq!(uncut(1.0), 0);
    assert_eq!(uncut(0.0), 200);
    assert!((20..80).contains(&uncut(0.75)), "{}", uncut(0.75));
}

fn cutout_leaves_a_rectangle_of_zeros() {
    let (height, width) = (5, 7);
    let x = sample(&[61, height, width, 1]);
    for size in [1, 2, 3, 20] {
        let (cut, _) = fed(&Cutout::new(size as f64).seed(7), &x);
        for (before, after) in x.data.chunks(height * width).zip(cut.data.chunks(height * width)) {
            let (rows, columns) = changed(before, after, width);
            assert!((1..=size).contains(&rows.len()) && (1..=size).contains(&columns.len()));
            assert!(before.iter().zip(after).all(|(a, b)| a == b || *b == 0.0));
        }
    }
}

fn cutout_leaves_out_as_much_as_squares_have_inside() {
    let (height, width) = (7, 11);
    let x = Array::from_fn(&[3000, 2, height, width], |_| 1.0);
    for size in [2, 5] {
        let technique = Cutout::new(size as f64).data_format(DataFormat::ChannelsFirst).seed(7);
        let (cut, _) = fed(&technique, &x);
        let missing = cut.data.iter().filter(|x| **x == 0.0).count() as f64 / (2.0 * 3000.0);
        let length = |extent| clipped(size / 2, size - size / 2, extent);
        let expected = length(height) * length(width);
        assert!((missing - expected).abs() < 0.02 * expected, "{missing}, not {expected}");
    }
}

/// The penalty that a technique adds for these predictions, which come in `passes`; and its slope
/// by the first input that is named.
fn penalty(
    technique: &dyn Intervene,
    loss: &Loss,
    given: &[(&str, Array)],
    passes: impl for<'g> FnOnce(&[Tensor<'g>]) -> (Vec<Tensor<'g>>, Tensor<'g>, Option<Tensor<'g>>),
) -> (f64, Vec<f64>) {
    let (results, _) = results(given, |cx, x| {
        let (y_pred, y_true, sample_weight) = passes(x);
        let output = Output {
            name: "",
            loss,
            loss_weight: 2.0,
            y_true,
            sample_weight,
            passes: y_pred.into_iter().map(|y| (y, None)).collect(),
        };
        let last = &x[x.len() - 1..];
        let penalty = technique.penalty(cx, &Seen { x: last, outputs: &[output] }).expect("one");
        vec![penalty.value(), grad(penalty, &x[..1])[0].value()]
    });
    (results[0].scalar(), results[1].data.clone())
}

/// Rows of probabilities, and those of the softmax of what is given.
fn softmax(logits: &Array) -> Vec<Vec<f64>> {
    let row = |row: &[f64]| {
        let sum: f64 = row.iter().map(|x| x.exp()).sum();
        row.iter().map(|x| x.exp() / sum).collect()
    };
    logits.data.chunks(logits.shape[1]).map(row).collect()
}

/// `KL(p ‖ q)`
fn divergence(p: &[f64], q: &[f64]) -> f64 {
    p.iter().zip(q).map(|(p, q)| p * (p / q).ln()).sum()
}

fn r_drop_adds_both_divergences() {
    for rows in [1, 5] {
        let a = Array::from_fn(&[rows, 3], |ix| (1.3 * ix[0] as f64 - 0.7 * ix[1] as f64).sin());
        let b = Array::from_fn(&[rows, 3], |ix| (0.4 * ix[0] as f64 + 1.9 * ix[1] as f64).cos());
        let (p, q) = (softmax(&a), softmax(&b));
        let apart = |(p, q): (&Vec<f64>, &Vec<f64>)| divergence(p, q) + divergence(q, p);
        let mean = p.iter().zip(&q).map(apart).sum::<f64>() / rows as f64;
        let y_true = Array::from_fn(&[rows, 1], |ix| (ix[0] % 3) as f64);
        let technique = RDrop::new().alpha(0.3);
        // The output counts twice.
        let expected = 2.0 * 0.3 / 2.0 * mean;
        let loss = SparseCategoricalCrossentropy::new().from_logits(true).into();
        let given = [("a", a), ("b", b), ("y", y_true)];
        let (got, _) = penalty(&technique, &loss, &given, |x| (vec![x[0], x[1]], x[2], None));
        assert_near(got, expected, "R-Drop of logits");
        let probabilities = |rows: &[Vec<f64>]| Array::new([rows.len(), 3], rows.concat());
        let (p, q) = (probabilities(&p), probabilities(&q));
        let one_hot = sample(&[rows, 3]);
        let loss = CategoricalCrossentropy::new().into();
        let given = [("a", p), ("b", q), ("y", one_hot)];
        let (got, _) = penalty(&technique, &loss, &given, |x| (vec![x[0], x[1]], x[2], None));
        assert_near(got, expected, "R-Drop of probabilities");
    }
}

fn r_drop_weighs_and_sums_up_as_the_loss_does() {
    let p = Array::new([3, 2], vec![0.5, 0.5, 0.2, 0.8, 0.9, 0.1]);
    let q = Array::new([3, 2], vec![0.4, 0.6, 0.2, 0.8, 0.3, 0.7]);
    let apart = |i: usize| {
        let row = |array: &Array| [array[[i, 0]], array[[i, 1]]];
        divergence(&row(&p), &row(&q)) + divergence(&row(&q), &row(&p))
    };
    let labels = Array::new([3], vec![0.0, 1.0, 7.0]);
    let weights = Array::new([3], vec![3.0, 5.0, 2.0]);
    let given = [("p", p.clone()), ("q", q.clone()), ("y", labels), ("w", weights)];
    let of = |loss: SparseCategoricalCrossentropy| {
        let technique = RDrop::new().alpha(1.0);
        penalty(&technique, &loss.into(), &given, |x| (vec![x[0], x[1]], x[2], Some(x[3]))).0
    };
    let loss = SparseCategoricalCrossentropy::new();
    let sum = 3.0 * apart(0) + 5.0 * apart(1) + 2.0 * apart(2);
    assert_near(of(loss.clone().reduction(Reduction::Sum)), sum, "the sum");
    assert_near(of(loss.clone()), sum / 3.0, "the mean");
    let two = 3.0 * apart(0) + 5.0 * apart(1);
    assert_near(of(loss.ignore_class(7)), two / 2.0, "the mean of what counts");
}

fn sam_goes_as_far_as_it_should() {
    let (w, v) = (sample(&[2, 3]), sample(&[5]));
    for scale in [1.0, 0.0] {
        let gradient = |shape: &[usize], from: f64| {
            Array::from_fn(shape, |ix| scale * (from + 1.7 * ix.iter().sum::<usize>() as f64).sin())
        };
        let (dw, dv) = (gradient(&[2, 3], 0.2), gradient(&[5], 0.9));
        let given = [("w", w.clone()), ("v", v.clone()), ("dw", dw.clone()), ("dv", dv.clone())];
        let (moved, _) = results(&given, |cx, x| {
            let moved = SAM::new().rho(0.3).detour(cx, &x[..2], &x[2..]).expect("a detour");
            moved.iter().map(|it| it.value()).collect()
        });
        let square = |array: &Array| array.data.iter().map(|x| x * x).sum::<f64>();
        let length = (square(&dw) + square(&dv)).sqrt() + 1e-12;
        for (moved, (from, along)) in moved.iter().zip([(&w, &dw), (&v, &dv)]) {
            for (i, moved) in moved.data.iter().enumerate() {
                let expected = from.data[i] + 0.3 * along.data[i] / length;
                assert_near(*moved, expected, "a weight of SAM");
            }
        }
    }
}

fn gradient_noise_has_the_variance_of_the_paper() {
    let technique = GradientNoise::new().eta(0.3).seed(7);
    let zeros = Array::from_fn(&[20_000], |_| 0.0);
    let variance = |taken: f64| {
        let given = [("a", zeros.clone()), ("b", zeros.clone())];
        let (results, updates) = results(&given, |cx, x| {
            let steps = Type::new(oxhorn_ir::DType::I64, []);
            cx.state("iteration", steps, oxhorn_nn::Initial::Filled(taken));
            let noise = technique.noise(cx, x).expect("noise");
            noise.iter().map(|it| it.value()).collect()
        });
        assert_eq!(updates["iteration"].scalar(), taken + 1.0);
        let n = zeros.data.len() as f64;
        let moment =
            |f: &dyn Fn(f64) -> f64| results[0].data.iter().map(|x| f(*x)).sum::<f64>() / n;
        let (mean, variance) = (moment(&|x| x), moment(&|x| x * x));
        assert!(mean.abs() < 4.0 * (variance / n).sqrt(), "{mean}");
        let kurtosis = moment(&|x| x.powi(4)) / (variance * variance);
        assert!((kurtosis - 3.0).abs() < 0.2, "{kurtosis}, where that of the normal law is 3");
        assert_ne!(results[0], results[1], "two weights have other noise");
        variance
    };
    for taken in [0.0, 1.0, 99.0] {
        let expected = 0.3 / (1.0_f64 + taken).powf(0.55);
        let got = variance(taken);
        assert!((got - expected).abs() < 0.05 * expected, "{got}, not {expected}");
    }
}

/// Inputs, and the weights of a network of three inputs and two outputs.
fn network(rows: usize) -> [(&'static str, Array); 3] {
    let y_true = Array::from_fn(&[rows, 2], |_| 0.5);
    [("w", sample(&[3, 2])), ("y", y_true), ("x", sample(&[rows, 3]))]
}

fn jacobian_penalty_of_a_linear_network_is_that_of_its_weights() {
    let loss = Loss::from("mse");
    for rows in [1, 7] {
        let given = network(rows);
        let w = &given[0].1.data;
        let technique = JacobianPenalty::new().strength(0.3).projections(None);
        let (got, slope) =
            penalty(&technique, &loss, &given, |x| (vec![x[2].matmul(x[0])], x[1], None));
        assert_near(got, 0.15 * w.iter().map(|w| w * w).sum::<f64>(), "a penalty");
        for (slope, w) in slope.iter().zip(w) {
            assert_near(*slope, 0.3 * w, "the slope of a penalty");
        }
    }
}

fn jacobian_penalty_is_estimated_without_bias() {
    let loss = Loss::from("mse");
    let given = network(4000);
    let expected = 0.15 * given[0].1.data.iter().map(|w| w * w).sum::<f64>();
    for projections in [1, 3] {
        let technique = JacobianPenalty::new().strength(0.3).projections(projections).seed(7);
        let (got, _) =
            penalty(&technique, &loss, &given, |x| (vec![x[2].matmul(x[0])], x[1], None));
        assert!((got - expected).abs() < 0.03 * expected, "{got}, not {expected}");
    }
    // Of one output, any direction gives the square itself.
    let given = [("w", sample(&[3, 1])), ("y", sample(&[5, 1])), ("x", sample(&[5, 3]))];
    let technique = JacobianPenalty::new().strength(0.3).seed(7);
    let (got, _) = penalty(&technique, &loss, &given, |x| (vec![x[2].matmul(x[0])], x[1], None));
    assert_near(got, 0.15 * given[0].1.data.iter().map(|w| w * w).sum::<f64>(), "of one output");
}

fn jacobian_penalty_of_a_curved_network_has_the_slope_of_its_closed_form() {
    let (loss, given) = (Loss::from("mse"), network(7));
    // J of tanh(x w) is (1 - y²) w, output by output.
    let closed = |w: &Array| {
        let x = &given[2].1;
        let square = |row: usize, output: usize| {
            let column: Vec<f64> = (0..3).map(|i| w[[i, output]]).collect();
            let y = (0..3).map(|i| x[[row, i]] * column[i]).sum::<f64>().tanh();
            (1.0 - y * y).powi(2) * column.iter().map(|w| w * w).sum::<f64>()
        };
        let each = (0..7).flat_map(|row| [square(row, 0), square(row, 1)]);
        0.15 * each.sum::<f64>() / 7.0
    };
    let technique = JacobianPenalty::new().strength(0.3).projections(None);
    let (got, slope) =
        penalty(&technique, &loss, &given, |x| (vec![x[2].matmul(x[0]).tanh()], x[1], None));
    let w = &given[0].1;
    assert_near(got, closed(w), "a penalty");
    for (i, slope) in slope.iter().enumerate() {
        let moved = |by: f64| {
            let mut w = w.clone();
            w.data[i] += by;
            closed(&w)
        };
        assert_near(*slope, (moved(1e-6) - moved(-1e-6)) / 2e-6, "the slope of a penalty");
    }
}

fn swa_has_every_so_many_epochs() {
    let averages = SWA::new().start_epoch(3).frequency(2).averages().expect("averages");
    let epochs: Vec<usize> = (0..9).filter(|&epoch| averages.has(epoch)).collect();
    assert_eq!(epochs, [3, 5, 7]);
}
