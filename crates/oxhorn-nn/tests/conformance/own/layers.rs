//! Layers that Keras lacks: what they do to their input, their gradients, their moments.

use std::collections::HashMap;

use oxhorn_ir::{Array, Tensor, Trace, Type, grad};
use oxhorn_nn::{
    AnyLayer, Declarations, Masks, Mode, Sampling, Scope,
    layers::{
        CLASSES, DataFormat, Dense, DropBlock1D, DropBlock2D, DropConnect, DropPath,
        MultiSampleDropout, Per, Temperature,
    },
};

use super::own;
use crate::{golden::*, layers::assert_signature};

own! {
    "oxhorn.layers.DropBlock1D":
        DropBlock1D::new(0.3, 2).data_format(DataFormat::ChannelsFirst).seed(7)
        => drop_block_1d_drops_whole_blocks, drop_block_1d_drops_places_as_often_as_it_should,
           a_block_of_everything_is_a_dropped_channel;
    "oxhorn.layers.DropBlock2D":
        DropBlock2D::new(0.3, 2).data_format(DataFormat::ChannelsFirst).seed(7)
        => drop_block_2d_drops_whole_blocks, drop_block_2d_drops_places_as_often_as_it_should,
           drop_block_passes_on_as_much_as_it_gets, drop_block_is_turned_to_either_end,
           blocks_lie_in_images_whose_channels_come_first, sampled_inputs_have_their_own_factor;
    "oxhorn.layers.DropConnect":
        DropConnect::new(3, 0.3).activation("relu").use_bias(false).seed(7)
            .kernel_initializer("ones").kernel_regularizer("l2").kernel_constraint("non_neg")
            .bias_initializer("ones").bias_regularizer("l2").bias_constraint("non_neg")
        => drop_connect_has_the_moments_of_its_paper, drop_connect_has_one_mask_a_step,
           drop_connect_is_turned_to_either_end, sampled_inputs_of_drop_connect_share_a_mask;
    "oxhorn.layers.DropPath": DropPath::new(0.3).per(Per::Batch).seed(7)
        => drop_path_keeps_or_drops_whole_samples, drop_path_keeps_or_drops_whole_batches,
           drop_path_is_turned_to_either_end;
    "oxhorn.layers.MultiSampleDropout":
        MultiSampleDropout::new(Dense::new(3)).rate(0.3).samples(2).seed(7)
        => an_ensemble_is_the_mean_of_what_one_layer_makes_of_several_masks,
           multi_sample_dropout_is_turned_to_either_end;
    "oxhorn.layers.Temperature": Temperature::new().temperature(2.5).from_logits(true)
        => temperature_divides_logits, temperature_1_keeps_probabilities,
           temperature_divides_the_logit_of_yes, temperature_is_turned_and_lets_gradients_through;
}

/// What a layer does in one step of training.
struct Trained {
    y: Array,
    /// The gradient of the sum of `y` by the input.
    dx: Array,
    /// What `y` is the mean of, or `y`.
    members: Vec<Array>,
}

/// One call while training, of a layer whose numbers are these where they are not its own.
fn train(layer: impl Into<AnyLayer>, numbers: &[(&str, f64)], x: &Array) -> Trained {
    call(Mode::Train, layer, numbers, x)
}

/// One call in any mode.
fn call(mode: Mode, layer: impl Into<AnyLayer>, numbers: &[(&str, f64)], x: &Array) -> Trained {
    let layer = layer.into();
    let (trace, declared) = (Trace::new("test"), Declarations::new());
    let cx = Scope::new(&trace, &declared, mode);
    let input = trace.input("x", Type::f32(&x.shape[..]));
    let y = cx.layer("layer", &layer, input);
    let mut wanted = vec![y, grad(y.sum(..), &[input])[0]];
    wanted.extend(cx.members(y));
    let wanted: Vec<_> = wanted.into_iter().map(Tensor::value).collect();
    drop(cx);
    let mut values = HashMap::from([("x".to_owned(), x.clone())]);
    for variable in &*declared.variables() {
        values.insert(variable.path.clone(), variable.first_value(812).expect("a value"));
    }
    for number in &*declared.numbers() {
        let turned = numbers.iter().find(|(name, _)| number.path == format!("layer/{name}"));
        let value = turned.map_or(number.value, |(_, value)| *value);
        values.insert(number.path.clone(), Array::new([], vec![value]));
    }
    let graph = trace.finish(&wanted).expect("no mistake");
    let (mut results, _) = run(&graph, |leaf| values[&leaf.name].clone());
    let members = results.split_off(2);
    let [y, dx] = results.try_into().expect("two results");
    let class = CLASSES.iter().find(|class| class.class == layer.layer.class()).expect("a class");
    let config = layer.layer.config();
    assert_signature(class, &config, std::slice::from_ref(&x.shape), &y.shape, class.class);
    Trained { y, dx, members }
}

/// Ones of this shape.
fn ones(shape: &[usize]) -> Array {
    Array::from_fn(shape, |_| 1.0)
}

/// The rows of an array: what is behind its first axis.
fn rows(array: &Array) -> Vec<&[f64]> {
    array.data.chunks(array.data.len() / array.shape[0].max(1)).collect()
}

/// The share of the elements that are 0.
fn dropped(array: &Array) -> f64 {
    array.data.iter().filter(|it| **it == 0.0).count() as f64 / array.data.len() as f64
}

/// Four standard deviations of the mean of so many draws that are 1 with this probability.
fn four_sigma(rate: f64, draws: usize) -> f64 {
    4.0 * (rate * (1.0 - rate) / draws as f64).sqrt()
}

fn drop_path_keeps_or_drops_whole_samples() {
    let Trained { y, dx, .. } = train(DropPath::new(0.2).seed(3), &[], &ones(&[4001, 3, 2]));
    for row in rows(&y) {
        let is_kept = row.iter().all(|it| (it - 1.25).abs() < 1e-6);
        assert!(is_kept || row.iter().all(|it| *it == 0.0), "{row:?}");
    }
    assert!((dropped(&y) - 0.2).abs() < four_sigma(0.2, 4001), "{}", dropped(&y));
    assert_eq!(dx.data, y.data);
}

fn drop_path_keeps_or_drops_whole_batches() {
    let dropped: Vec<f64> = (0..400)
        .map(|seed| {
            let layer = DropPath::new(0.25).per(Per::Batch).seed(seed);
            dropped(&train(layer, &[], &ones(&[3, 2])).y)
        })
        .collect();
    assert!(dropped.iter().all(|share| *share == 0.0 || *share == 1.0));
    let share = dropped.iter().sum::<f64>() / 400.0;
    assert!((share - 0.25).abs() < four_sigma(0.25, 400), "{share}");
}

fn drop_path_is_turned_to_either_end() {
    let x = Array::new([3, 1], vec![-2.0, 0.5, 7.0]);
    let Trained { y, dx, .. } = train(DropPath::new(0.2), &[("rate", 1.0)], &x);
    assert_eq!((y.data, dx.data), (vec![0.0; 3], vec![0.0; 3]));
    let Trained { y, dx, .. } = train(DropPath::new(0.2), &[("rate", 0.0)], &x);
    assert_eq!((y.data, dx.data), (x.data, vec![1.0; 3]));
}

/// Whether a run of `size` zeros along an axis covers each zero, and a square of them along two.
fn assert_blocks(y: &Array, axes: &[usize], size: usize) {
    let is_zero = |ix: &[usize]| y[ix.to_vec()] == 0.0;
    for place in places(&y.shape).iter().filter(|ix| is_zero(ix)) {
        let offsets = places(&vec![size; axes.len()]);
        let covered = offsets.iter().any(|back| {
            offsets.iter().all(|forth| {
                let mut ix = place.clone();
                let within =
                    axes.iter().zip(back.iter().zip(forth)).all(|(axis, (back, forth))| {
                        let at = (ix[*axis] + forth).checked_sub(*back);
                        ix[*axis] = at.unwrap_or_default();
                        at.is_some_and(|at| at < y.shape[*axis])
                    });
                within && is_zero(&ix)
            })
        });
        assert!(covered, "{place:?} is dropped alone");
    }
}

/// All indices into an array of this shape.
fn places(shape: &[usize]) -> Vec<Vec<usize>> {
    shape.iter().fold(vec![vec![]], |places, extent| {
        let behind = |place: &Vec<usize>| {
            let place = place.clone();
            (0..*extent).map(move |at| [&place[..], &[at]].concat())
        };
        places.iter().flat_map(behind).collect()
    })
}

fn drop_block_1d_drops_whole_blocks() {
    for (size, rate) in [(1, 0.5), (2, 0.3), (3, 0.3), (4, 0.3), (7, 0.5)] {
        let Trained { y, .. } = train(DropBlock1D::new(rate, size), &[], &ones(&[13, 7, 5]));
        assert!(y.data.contains(&0.0) && y.data.iter().any(|it| *it > 0.0), "{size}");
        assert_blocks(&y, &[1], size);
    }
}

fn drop_block_2d_drops_whole_blocks() {
    for size in [1, 2, 3, 4, 5] {
        let Trained { y, .. } = train(DropBlock2D::new(0.3, size), &[], &ones(&[11, 7, 5, 3]));
        assert!(y.data.contains(&0.0) && y.data.iter().any(|it| *it > 0.0), "{size}");
        assert_blocks(&y, &[1, 2], size);
    }
}

/// How many of the blocks of `size` that fit into `extent` places cover each of those.
fn covering(extent: usize, size: usize) -> Vec<f64> {
    let blocks = || 0..=extent - size;
    let cover = |at: usize| blocks().filter(|from| (*from..from + size).contains(&at)).count();
    (0..extent).map(|at| cover(at) as f64).collect()
}

fn drop_block_1d_drops_places_as_often_as_it_should() {
    let (steps, rate, channels) = (7, 0.3, 4001);
    for size in [1, 2, 3, 7] {
        let gamma = rate * steps as f64 / (size * (steps - size + 1)) as f64;
        let y = train(DropBlock1D::new(rate, size), &[], &ones(&[1, steps, channels])).y;
        for (row, covering) in y.data.chunks(channels).zip(covering(steps, size)) {
            let expected = 1.0 - (1.0 - gamma).powf(covering);
            let share = row.iter().filter(|it| **it == 0.0).count() as f64 / channels as f64;
            assert!((share - expected).abs() < four_sigma(expected, channels), "{size}: {share}");
        }
    }
}

fn drop_block_2d_drops_places_as_often_as_it_should() {
    let (h, w, rate, channels) = (5, 4, 0.2, 4001);
    for size in [1, 2, 3, 4] {
        let places = ((h - size + 1) * (w - size + 1)) as f64;
        let gamma = rate * (h * w) as f64 / ((size * size) as f64 * places);
        let y = train(DropBlock2D::new(rate, size), &[], &ones(&[1, h, w, channels])).y;
        let (rows, columns) = (covering(h, size), covering(w, size));
        for (at, row) in y.data.chunks(channels).enumerate() {
            let expected = 1.0 - (1.0 - gamma).powf(rows[at / w] * columns[at % w]);
            let share = row.iter().filter(|it| **it == 0.0).count() as f64 / channels as f64;
            assert!((share - expected).abs() < four_sigma(expected, channels), "{size}: {share}");
        }
    }
}

fn a_block_of_everything_is_a_dropped_channel() {
    let y = train(DropBlock1D::new(0.4, 5), &[], &ones(&[1, 5, 4001])).y;
    let (first, rest) = y.data.split_at(4001);
    assert!(rest.chunks(4001).all(|row| row == first));
    assert!((dropped(&y) - 0.4).abs() < four_sigma(0.4, 4001), "{}", dropped(&y));
}

fn drop_block_passes_on_as_much_as_it_gets() {
    let Trained { y, dx, .. } = train(DropBlock2D::new(0.2, 3), &[], &ones(&[3, 7, 5, 2]));
    assert!(dropped(&y) > 0.0);
    assert_near(y.data.iter().sum(), 210.0, "the sum of a mask");
    assert_eq!(dx.data, y.data);
}

fn drop_block_is_turned_to_either_end() {
    let x = Array::from_fn(&[1, 3, 2, 1], |ix| ix[1] as f64 - 1.0);
    let Trained { y, dx, .. } = train(DropBlock2D::new(0.2, 1), &[("rate", 1.0)], &x);
    assert_eq!((y.data, dx.data), (vec![0.0; 6], vec![0.0; 6]));
    let Trained { y, dx, .. } = train(DropBlock2D::new(0.2, 2), &[("rate", 0.0)], &x);
    assert_eq!((y.data, dx.data), (x.data, vec![1.0; 6]));
}

fn blocks_lie_in_images_whose_channels_come_first() {
    let layer = DropBlock2D::new(0.3, 3).data_format(DataFormat::ChannelsFirst);
    let Trained { y, .. } = train(layer, &[], &ones(&[11, 2, 5, 4]));
    assert_blocks(&y, &[2, 3], 3);
}

fn sampled_inputs_have_their_own_factor() {
    let mode = Mode::Sample(Sampling { samples: 3, masks: Masks::Own });
    let y = call(mode, DropBlock1D::new(0.3, 2), &[], &ones(&[6, 5, 2])).y;
    for row in rows(&y) {
        assert_near(row.iter().sum(), 10.0, "the sum of one input");
    }
}

fn drop_connect_has_the_moments_of_its_paper() {
    // u = Σ m w x / keep has mean Σ w x and variance (1 - keep) / keep · Σ w² x².
    let x = Array::new([1, 3], vec![1.0, -2.0, 3.0]);
    let layer = DropConnect::new(4001, 0.3).kernel_initializer("ones").bias_initializer("ones");
    let y = train(layer, &[], &x).y;
    let mean = y.data.iter().sum::<f64>() / 4001.0;
    let variance = y.data.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / 4000.0;
    let expected = 0.3 / 0.7 * 14.0;
    assert!((mean - 3.0).abs() < 4.0 * (expected / 4001.0_f64).sqrt(), "{mean}");
    assert!((variance / expected - 1.0).abs() < 0.1, "{variance} {expected}");
}

fn drop_connect_has_one_mask_a_step() {
    let layer = DropConnect::new(11, 0.5).kernel_initializer("ones");
    let y = train(layer, &[], &ones(&[3, 2, 5])).y;
    let first = &y.data[..11];
    assert!(y.data.chunks(11).all(|row| row == first) && first.iter().any(|it| *it != first[0]));
}

fn drop_connect_is_turned_to_either_end() {
    let x = Array::new([2, 3], vec![1.0, -2.0, 3.0, 0.0, 0.5, 0.25]);
    let layer = || DropConnect::new(2, 0.3).kernel_initializer("ones").bias_initializer("ones");
    let Trained { y, dx, .. } = train(layer(), &[("rate", 1.0)], &x);
    assert_eq!((y.data, dx.data), (vec![1.0; 4], vec![0.0; 6]));
    let Trained { y, dx, .. } = train(layer(), &[("rate", 0.0)], &x);
    assert_eq!((y.data, dx.data), (vec![3.0, 3.0, 1.75, 1.75], vec![2.0; 6]));
}

fn sampled_inputs_of_drop_connect_share_a_mask() {
    let mode = Mode::Sample(Sampling { samples: 3, masks: Masks::Own });
    let layer = DropConnect::new(13, 0.5).kernel_initializer("ones");
    let y = call(mode, layer, &[], &ones(&[6, 5])).y;
    let rows = rows(&y);
    assert!(rows.chunks(2).all(|pair| pair[0] == pair[1]));
    assert!(rows[0] != rows[2] && rows[2] != rows[4]);
}

fn an_ensemble_is_the_mean_of_what_one_layer_makes_of_several_masks() {
    let head = Dense::new(1).kernel_initializer("ones");
    let layer = MultiSampleDropout::new(head).rate(0.2).samples(4).seed(7);
    let Trained { y, members, .. } = train(layer, &[], &ones(&[2, 101]));
    assert_eq!(members.len(), 4);
    for i in 0..2 {
        let sum: f64 = members.iter().map(|member| member.data[i]).sum();
        assert_near(y.data[i], sum / 4.0, "a mean");
        for member in &members {
            // So many of the 101 inputs, each scaled by 1 / 0.8.
            let kept = member.data[i] * 0.8;
            assert!((kept - kept.round()).abs() < 1e-4 && (60.0..=100.0).contains(&kept), "{kept}");
        }
    }
    assert!(members[1..].iter().all(|member| member.data != members[0].data));
}

fn multi_sample_dropout_is_turned_to_either_end() {
    let head = || Dense::new(1).kernel_initializer("ones").bias_initializer("ones");
    let x = Array::new([2, 2], vec![1.0, -2.0, 3.0, 0.5]);
    let layer = || MultiSampleDropout::new(head()).samples(3);
    let Trained { y, dx, .. } = train(layer(), &[("rate", 1.0)], &x);
    assert_eq!((y.data, dx.data), (vec![1.0; 2], vec![0.0; 4]));
    let Trained { y, .. } = train(layer(), &[("rate", 0.0)], &x);
    assert_near(y.data[0], 0.0, "the first output");
    assert_near(y.data[1], 4.5, "the second output");
}

/// `softmax(z / t)` along the last axis, by its definition.
fn softmax(z: &Array, t: f64) -> Vec<f64> {
    let classes = *z.shape.last().expect("an axis");
    let row = |row: &[f64]| {
        let e: Vec<f64> = row.iter().map(|z| (z / t).exp()).collect();
        e.iter().map(|it| it / e.iter().sum::<f64>()).collect::<Vec<f64>>()
    };
    z.data.chunks(classes).flat_map(row).collect()
}

/// Compares element by element.
fn assert_all_near(got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len());
    for (a, b) in got.iter().zip(expected) {
        assert!((a - b).abs() <= tolerance, "{a} for {b}");
    }
}

fn temperature_divides_logits() {
    for shape in [&[1, 2][..], &[7, 3], &[2, 3, 5]] {
        let z = Array::from_fn(shape, |ix| (ix.iter().sum::<usize>() * 7 % 5) as f64 - 2.0);
        let p = Array::new(shape, softmax(&z, 1.0));
        for t in [0.5, 1.0, 2.5] {
            let of_logits = train(Temperature::new().temperature(t).from_logits(true), &[], &z);
            assert_all_near(&of_logits.y.data, &softmax(&z, t), 1e-6);
            let of_probabilities = train(Temperature::new().temperature(t), &[], &p);
            assert_all_near(&of_probabilities.y.data, &softmax(&z, t), 1e-6);
        }
    }
}

fn temperature_1_keeps_probabilities() {
    let certain = Array::new([3, 3], vec![1.0, 0.0, 0.0, 0.1, 0.9, 0.0, 1e-30, 0.25, 0.75]);
    let y = train(Temperature::new(), &[], &certain).y;
    assert_all_near(&y.data, &certain.data, 1e-6);
    let yes = Array::new([5, 1], vec![0.0, 1.0, 0.3, 1e-6, 0.999_999]);
    let y = train(Temperature::new(), &[], &yes).y;
    assert_all_near(&y.data, &yes.data, 1.2e-7);
}

fn temperature_divides_the_logit_of_yes() {
    let z = Array::new([5, 1], vec![-3.0, 0.0, 0.5, 2.0, -20.0]);
    let sigmoid = |t: f64| z.data.iter().map(|z| 1.0 / (1.0 + (-z / t).exp())).collect::<Vec<_>>();
    let p = Array::new([5, 1], sigmoid(1.0));
    for t in [0.5, 3.0] {
        let y = train(Temperature::new().temperature(t).from_logits(true), &[], &z).y;
        assert_all_near(&y.data, &sigmoid(t), 1e-6);
        let y = train(Temperature::new().temperature(t), &[], &p).y;
        assert_all_near(&y.data, &sigmoid(t), 1e-6);
    }
}

fn temperature_is_turned_and_lets_gradients_through() {
    let z = Array::new([1, 2], vec![1.0, -1.0]);
    let turned = [("temperature", 2.0)];
    let Trained { y, dx, .. } = train(Temperature::new().from_logits(true), &turned, &z);
    assert_all_near(&y.data, &softmax(&z, 2.0), 1e-6);
    // Probabilities sum to 1 whatever the logits are.
    assert_all_near(&dx.data, &[0.0, 0.0], 1e-6);
    let z = Array::new([1, 1], vec![1.0]);
    let Trained { y, dx, .. } = train(Temperature::new().from_logits(true), &turned, &z);
    assert_all_near(&dx.data, &[y.data[0] * (1.0 - y.data[0]) / 2.0], 1e-6);
}
