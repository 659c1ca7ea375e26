//! Every activation: its values and its gradient.

use oxhorn_ir::{Trace, grad};
use oxhorn_nn::{
    activations::{Activation, CLASSES},
    config::{Class, envelope},
};

use crate::golden::*;

#[test]
fn every_activation_does_what_it_does_in_keras() {
    let of = |class: &Class<_>| cases("activations", class.name());
    for_each_case(CLASSES, of, |class, case, what| {
        let kwargs = case["kwargs"].as_object().expect("a dictionary").clone();
        let activation = Activation::open(&envelope(class.class, kwargs)).expect("an activation");
        let ((ty, x), (dy_ty, dy)) = (tensor(&case["x"]), tensor(&case["dy"]));
        let trace = Trace::new("test");
        let (tx, tdy) = (trace.input("x", ty), trace.input("dy", dy_ty));
        let y = activation.apply(tx);
        let dx = grad((y * tdy).sum(..), &[tx])[0];
        let wanted = [y.value(), dx.value()];
        let graph = trace.finish(&wanted).expect("no mistake");
        let (results, _) =
            run(&graph, |leaf| if leaf.name == "x" { x.clone() } else { dy.clone() });
        if results[0].shape == x.shape {
            assert_close_at(&x, &results[0], &case["y"], what);
        } else {
            assert_close(&results[0], &case["y"], what);
        }
        if case["name"] != "not finite" {
            assert_close(&results[1], &case["dx"], &format!("gradient of {what}"));
        }
    });
    assert_every_setting_is_tried(CLASSES, of, &[]);
}

#[test]
fn every_name_of_keras_is_known() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/activations");
    for entry in std::fs::read_dir(root).expect("the folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_str().expect("ASCII").to_owned();
        // Both of its settings have to be given, which a name cannot.
        let known = Activation::from(name.as_str()).get().is_ok();
        assert_eq!(known, name != "threshold", "{name}");
    }
}
