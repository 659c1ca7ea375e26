//! Regularizers that reach into the step: what is trained for, and what is turned meanwhile.

mod support;

use ndarray::Array2;
use oxhorn::{layer::AnyLayer, prelude::*};
use support::{bits, samples, seeded};

/// A model of these layers that no step changes.
fn still(layer: impl Into<AnyLayer>) -> Sequential {
    Sequential::new().threads(1).add(Input::new([13])).add(layer)
}

#[test]
fn the_loss_of_several_masks_is_the_mean_of_their_losses() {
    let _guard = seeded(1);
    let (x, y) = (random((11, 13)), random((11, 1)));
    let compile = |model: &mut Sequential| {
        model.compile(SGD::default().learning_rate(0.0), "mse", NO_METRICS).unwrap();
    };
    let head = || Dense::new(1).kernel_initializer("ones");
    // A layer of one mask draws, step by step, what one of several draws at once.
    let mut single = still(Dropout::new(0.5).seed(9u32)).add(head());
    compile(&mut single);
    let each = [(); 4].map(|()| single.train_on_batch(&x, &y).unwrap()["loss"]);
    let mut several = still(MultiSampleDropout::new(head()).samples(4).seed(9u32));
    compile(&mut several);
    let loss = several.train_on_batch(&x, &y).unwrap()["loss"];
    let mean = each.iter().sum::<f64>() / 4.0;
    assert!((loss - mean).abs() < 1e-5 * mean, "{loss} {each:?}");
    // At inference there is one, without noise.
    let plain = single.evaluate_with(&x, &y, Evaluate::default().verbose(0)).unwrap()["loss"];
    let evaluated = several.evaluate_with(&x, &y, Evaluate::default().verbose(0)).unwrap()["loss"];
    assert_eq!(plain, evaluated);
}

#[test]
fn every_thread_count_gives_the_same_weights() {
    let train = |threads: usize| {
        let _guard = seeded(5);
        let (x, y) = samples(61);
        let mut model = Sequential::new()
            .threads(threads)
            .add(Reshape::new([5, 5]).input_dim(25))
            .add(DropBlock1D::new(0.2, 2))
            .add(DropPath::new(0.2))
            .add(Flatten::new())
            .add(DropConnect::new(16, 0.3).activation("relu"))
            .add(MultiSampleDropout::new(Dense::new(5).activation("softmax")).samples(3));
        model.compile("adam", "categorical_crossentropy", ["accuracy"]).unwrap();
        model.fit(&x, &y, Fit::epochs(2).batch_size(16).verbose(0)).unwrap();
        bits(&model)
    };
    assert_eq!(train(1), train(2));
}

#[test]
fn json_of_a_model_holds_the_layer_within() {
    let _guard = seeded(1);
    let head = Dense::new(3).activation("softmax").name("head");
    let mut model = still(MultiSampleDropout::new(head).samples(2).rate(0.25));
    model.build(&[13]).unwrap();
    let paths: Vec<String> = model.weights().unwrap().into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["multi_sample_dropout/head/kernel", "multi_sample_dropout/head/bias"]);
    let mut copy = Sequential::from_json(&model.to_json()).unwrap();
    assert_eq!(copy.to_json(), model.to_json());
    copy.build(&[13]).unwrap();
    for path in &paths {
        copy.set_weight(path, &model.weight(path).unwrap()).unwrap();
    }
    let x = Array2::<f32>::ones((2, 13));
    let predict = |model: &mut Sequential| model.predict(&x).unwrap();
    assert_eq!(predict(&mut copy), predict(&mut model));
}
