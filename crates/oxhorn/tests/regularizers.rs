//! Regularizers that reach into the step: what is trained for, and what is turned meanwhile.

mod support;

use ndarray::Array2;
use oxhorn::{callbacks::Granularity, layer::AnyLayer, prelude::*};
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

/// What a kernel is after each step, and what it looks like when an epoch has ended.
#[derive(Default)]
struct Witness {
    steps: Vec<Vec<f32>>,
    shown: Vec<Vec<f32>>,
}

impl Witness {
    fn kernel(training: &mut dyn Training) -> Vec<f32> {
        let engine = training.engine().expect("a model that runs");
        engine.weights().slice::<f32>("dense/kernel").unwrap().to_vec()
    }

    /// The running mean after so many steps, by its definition.
    fn mean(&self, momentum: f32, steps: usize) -> Vec<f32> {
        let (first, rest) = self.steps[..steps].split_first().expect("a step");
        rest.iter().fold(first.clone(), |mean, w| {
            mean.iter().zip(w).map(|(m, w)| momentum * m + (1.0 - momentum) * w).collect()
        })
    }
}

impl Callback for Witness {
    fn granularity(&self) -> Granularity {
        Granularity::Batches
    }

    fn on_train_batch_end(
        &mut self,
        _: usize,
        _: &Logs,
        training: &mut dyn Training,
    ) -> Result<()> {
        self.steps.push(Witness::kernel(training));
        Ok(())
    }

    fn on_epoch_end(&mut self, _: usize, _: &mut Logs, training: &mut dyn Training) -> Result<()> {
        self.shown.push(Witness::kernel(training));
        Ok(())
    }
}

fn assert_near(got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len());
    for (a, b) in got.iter().zip(expected) {
        assert!((a - b).abs() < 1e-5, "{got:?} {expected:?}");
    }
}

/// A linear model whose optimizer keeps means, before its first step.
fn averaging() -> Sequential {
    let mut model = Sequential::new().threads(1).add(Input::new([13]));
    model = model.add(Dense::new(1).use_bias(false).name("dense"));
    let optimizer = SGD::default().learning_rate(0.05).use_ema(true).ema_momentum(0.75);
    model.compile(optimizer, "mse", NO_METRICS).unwrap();
    model
}

#[test]
fn means_are_validated_and_weights_are_trained() {
    let _guard = seeded(5);
    let (x, y) = (random((20, 13)), random((20, 1)));
    let mut witness = Witness::default();
    let mut model = averaging();
    let fit = Fit::epochs(3).batch_size(7).verbose(0).validation_data(&x, &y);
    let history =
        model.fit(&x, &y, fit.callback(SwapEMAWeights::new()).callback(&mut witness)).unwrap();
    let mut other = averaging();
    other.build(&[13]).unwrap();
    for epoch in 0..3 {
        // Three steps an epoch; after each, the weights are what the last step made them.
        assert_eq!(witness.shown[epoch], witness.steps[3 * epoch + 2]);
        let mean = witness.mean(0.75, 3 * epoch + 3);
        let mean = Array2::from_shape_vec((13, 1), mean).unwrap();
        other.set_weight("dense/kernel", &mean).unwrap();
        let loss = other.evaluate_with(&x, &y, Evaluate::default().verbose(0)).unwrap()["loss"];
        assert!((history["val_loss"][epoch] - loss).abs() < 1e-5, "{epoch}");
    }
    let last = model.weight("dense/kernel").unwrap();
    assert_near(last.as_slice().unwrap(), &witness.mean(0.75, 9));
}

#[test]
fn means_are_shown_from_epoch_to_epoch_and_training_ends_with_them() {
    let train = |shown: Option<SwapEMAWeights>, epochs: usize| {
        let _guard = seeded(5);
        let (x, y) = (random((20, 13)), random((20, 1)));
        let (mut witness, mut model) = (Witness::default(), averaging());
        let stop = LambdaCallback::new().on_epoch_end(move |epoch, _, training| {
            if epoch == 1 {
                training.stop();
            }
            Ok(())
        });
        let mut fit = Fit::epochs(epochs).batch_size(7).verbose(0);
        if let Some(shown) = shown {
            fit = fit.callback(shown);
        }
        model.fit(&x, &y, fit.callback(&mut witness).callback(stop)).unwrap();
        let last = model.weight("dense/kernel").unwrap().into_raw_vec_and_offset().0;
        (witness, last)
    };
    for epochs in [2, 9] {
        // Nine epochs are cut short after the second.
        let (witness, last) = train(Some(SwapEMAWeights::new().swap_on_epoch()), epochs);
        assert_near(&witness.shown[0], &witness.mean(0.75, 3));
        assert_near(&witness.shown[1], &witness.mean(0.75, 6));
        assert_near(&last, &witness.mean(0.75, 6));
        let (plain, _) = train(None, epochs);
        assert_eq!(witness.steps, plain.steps);
    }
}

#[test]
fn means_that_nobody_keeps_cannot_be_shown() {
    let _guard = seeded(5);
    let (x, y) = (random((5, 13)), random((5, 1)));
    let mut model = still(Dense::new(1));
    model.compile("sgd", "mse", NO_METRICS).unwrap();
    let fit = Fit::epochs(1).verbose(0).callback(SwapEMAWeights::new());
    let error = model.fit(&x, &y, fit).unwrap_err();
    assert_eq!(
        error.to_string(),
        "SwapEMAWeights must be used when `use_ema=True` is set on the optimizer. Received: \
         use_ema=False"
    );
}

#[test]
fn a_model_that_has_not_been_trained_is_evaluated_as_it_is() {
    let _guard = seeded(5);
    let (x, y) = (random((5, 13)), random((5, 1)));
    let mut model = averaging();
    let quiet = || Evaluate::default().verbose(0);
    let plain = model.evaluate_with(&x, &y, quiet()).unwrap()["loss"];
    let shown = quiet().callback(SwapEMAWeights::new());
    assert_eq!(model.evaluate_with(&x, &y, shown).unwrap()["loss"], plain);
}
