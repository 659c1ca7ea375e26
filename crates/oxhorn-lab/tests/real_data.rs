//! MNIST and Fashion-MNIST as packages have them: what `cargo xtask data` brings. Where it has
//! not, these tests say so and prove nothing.

use std::path::{Path, PathBuf};

use oxhorn::prelude::*;
use oxhorn_lab::{Dataset, Finding, Lab, Plan, Target, Variant, compare};

/// The folder, if it has what is wanted.
fn there(folder: PathBuf, file: &str) -> Option<PathBuf> {
    if folder.join(file).exists() {
        return Some(folder);
    }
    eprintln!("skipped: there is no {file} in {}; `cargo xtask data` brings it", folder.display());
    None
}

fn mnist() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    there(root.join("target/data/mnist"), "train-images-idx3-ubyte")
}

fn fashion_mnist() -> Option<PathBuf> {
    there("/usr/share/datasets/fashion-mnist".into(), "train-images-idx3-ubyte.gz")
}

/// How many images of the training set there are of each class.
fn counts(data: &Dataset) -> Vec<usize> {
    let Target::Classes { labels, names } = &data.y else { panic!("classes") };
    let of = |class: i64| labels[..data.split.train()].iter().filter(|it| **it == class).count();
    (0..names.len() as i64).map(of).collect()
}

#[test]
fn mnist_has_its_images() {
    let Some(folder) = mnist() else { return };
    let data = Dataset::mnist(&folder, 60_000, 10_000).unwrap();
    assert_eq!(data.x.shape(), [70_000, 784]);
    // Published many times: mean and deviation of the training set's pixels, and its classes.
    let train = || data.x.iter().take(60_000 * 784).map(|&pixel| f64::from(pixel));
    let n = 60_000.0 * 784.0;
    let mean = train().sum::<f64>() / n;
    let deviation = (train().map(|pixel| (pixel - mean).powi(2)).sum::<f64>() / n).sqrt();
    assert!((mean - 0.1307).abs() < 1e-4 && (deviation - 0.3081).abs() < 1e-4, "{mean}");
    assert_eq!(counts(&data), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
}

#[test]
fn fashion_mnist_has_its_images() {
    let Some(folder) = fashion_mnist() else { return };
    let data = Dataset::mnist(&folder, 60_000, 10_000).unwrap();
    assert_eq!(data.x.shape(), [70_000, 784]);
    assert_eq!(counts(&data), [6000; 10]);
}

#[test]
fn a_study_of_real_images_tells_a_network_that_learns_from_one_that_cannot() {
    for folder in [mnist(), fashion_mnist()].into_iter().flatten() {
        let data = Dataset::mnist(&folder, 300, 500).unwrap();
        let network = |rate: f64| {
            let model = Sequential::new()
                .add(Dropout::new(rate).input_dim(784))
                .add(Dense::new(32).activation("relu"));
            let mut model = model.add(Dense::new(10).activation("softmax"));
            model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"]).unwrap();
            Variant::new(format!("rate {rate}"), &model).unwrap()
        };
        let plan = Plan::new(6).seeds(4).primary("val_error");
        let variants = [network(0.2), network(0.99)];
        let study = compare("real", &variants, &data, &plan, Lab::new()).unwrap();
        let comparison = study.comparison(1, "val_error").unwrap();
        assert!(comparison.baseline < 0.4, "{comparison:?}");
        assert_eq!(comparison.finding, Finding::Worse, "{comparison:?}");
    }
}
