//! What can be exported as ONNX, and what is refused.
//!
//! That ONNX Runtime computes the same is tested in Python, where it is at hand.

mod support;

use oxhorn::{
    engine::{Engine, Network},
    layer::AnyLayer,
    prelude::*,
};
use oxhorn_ir::{Tensor, Type};
use oxhorn_nn::{Mode, Scope};
use support::seeded;
use tempfile::tempdir;

/// Two inputs and two outputs.
struct Pair;

impl Network for Pair {
    fn call<'g>(&self, cx: &Scope<'g>, x: &[Tensor<'g>]) -> Vec<Tensor<'g>> {
        let sum = x[0] + x[1];
        vec![cx.layer("dense", &Dense::new(2).into(), sum), sum.sum(-1)]
    }
}

/// One layer that drops although nobody trains.
struct Noisy;

impl Network for Noisy {
    fn call<'g>(&self, cx: &Scope<'g>, x: &[Tensor<'g>]) -> Vec<Tensor<'g>> {
        let layer: AnyLayer = Dropout::new(0.5).into();
        vec![cx.in_mode(Mode::Train).layer("dropout", &layer, x[0])]
    }
}

/// Something of the size of the batch, squared.
struct Squared;

impl Network for Squared {
    fn call<'g>(&self, _: &Scope<'g>, x: &[Tensor<'g>]) -> Vec<Tensor<'g>> {
        let rows = x[0].dim(0);
        let product = x[0].matmul(x[0].t());
        vec![product.reshape([rows * rows])]
    }
}

fn built(network: impl Network + 'static, inputs: usize) -> Engine {
    let mut engine = Engine::new(Box::new(network), 1);
    engine.build(&vec![Type::f32([2, 3]); inputs], None).expect("a network that fits");
    engine
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn inputs_outputs_and_weights_have_their_names() {
    let _guard = seeded(1);
    let engine = built(Pair, 2);
    let bytes = engine.onnx("pair", &names(&["a", "b"]), &names(&["sum", "total"])).expect("ONNX");
    for text in ["pair", "a", "b", "sum", "total", "dense/kernel", "batch", "MatMul", "ReduceSum"] {
        assert!(has(&bytes, text), "{text}");
    }
    let refused = |inputs: &[&str], outputs: &[&str]| {
        engine.onnx("pair", &names(inputs), &names(outputs)).expect_err("names").message
    };
    assert_eq!(
        refused(&["a"], &["y", "z"]),
        "the network has 2 inputs and 2 outputs, got 1 and 2 names"
    );
    assert_eq!(refused(&["a", "b"], &["a", "z"]), "the name `a` stands for two things");
    assert_eq!(
        refused(&["a", "dense/kernel"], &["y", "z"]),
        "the name `dense/kernel` stands for two things"
    );
}

#[test]
fn noise_is_absent_unless_it_was_asked_for() {
    let _guard = seeded(2);
    let folder = tempdir().unwrap();
    let model = Sequential::new()
        .add(Dense::new(3).input_dim(4))
        .add(Dropout::new(0.5))
        .add(GaussianNoise::new(0.1));
    let path = folder.path().join("model.onnx");
    model.export(&path).expect("ONNX");
    let bytes = std::fs::read(&path).unwrap();
    assert!(has(&bytes, "MatMul") && !has(&bytes, "seed_generator"));
    let error = built(Noisy, 1).onnx("noisy", &names(&["x"]), &names(&["y"])).expect_err("noise");
    assert!(error.message.contains("state") || error.message.contains("random"), "{error}");
}

#[test]
fn what_cannot_be_written_is_refused_by_name() {
    let _guard = seeded(3);
    let model = Sequential::new().add(Dense::new(3).input_dim(4));
    let error = model.export("model.pb").expect_err("another format").to_string();
    let expected = "`export` writes files of ONNX, got `model.pb`\n  help: the path must end in \
                    `.onnx`";
    assert_eq!(error, expected);
    let unbuilt = Sequential::new().add(Dense::new(3));
    assert!(unbuilt.export("model.onnx").is_err());
    let error = built(Squared, 1).onnx("squared", &names(&["x"]), &names(&["y"]));
    let expected = "an extent is 4, 9 and 49 for batches of 2, 3 and 7";
    assert_eq!(error.expect_err("a square").message, expected);
}

#[test]
fn every_layer_that_predicts_from_one_tensor_can_be_exported() {
    let _guard = seeded(4);
    let layers: Vec<(AnyLayer, Vec<usize>)> = vec![
        (Dense::new(3).activation("gelu").into(), vec![6]),
        (Embedding::new(7, 3).into(), vec![6]),
        (BatchNormalization::new().into(), vec![6]),
        (LayerNormalization::new().into(), vec![5, 3]),
        (GroupNormalization::new().groups(2).into(), vec![4, 6]),
        (RMSNormalization::new().into(), vec![6]),
        (UnitNormalization::new().into(), vec![6]),
        (Normalization::new().mean(1.0).variance(2.0).into(), vec![6]),
        (PReLU::new().into(), vec![6]),
        (ELU::new().into(), vec![6]),
        (Softmax::new().into(), vec![6]),
        (Temperature::new().into(), vec![6]),
        (Flatten::new().into(), vec![5, 3]),
        (Reshape::new([3, 5]).into(), vec![5, 3]),
        (Permute::new([2, 1]).into(), vec![5, 3]),
        (RepeatVector::new(3).into(), vec![6]),
        (UpSampling2D::new().into(), vec![4, 2, 3]),
        (ZeroPadding2D::new().into(), vec![4, 2, 3]),
        (Cropping1D::new().into(), vec![5, 3]),
        (GlobalAveragePooling2D::new().into(), vec![4, 2, 3]),
        (GlobalMaxPooling1D::new().into(), vec![5, 3]),
        (DropBlock2D::new(0.1, 2).into(), vec![4, 2, 3]),
        (SpatialDropout1D::new(0.1).into(), vec![5, 3]),
    ];
    let folder = tempdir().unwrap();
    for (layer, shape) in layers {
        let class = layer.class_name();
        let model = Sequential::new().add(layer.input_shape(shape));
        model.export(folder.path().join("model.onnx")).unwrap_or_else(|error| {
            panic!("{class}: {error}");
        });
    }
}
