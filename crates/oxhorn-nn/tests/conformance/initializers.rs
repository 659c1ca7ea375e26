//! Every initializer: its values under known seeds.

use oxhorn_ir::Array;
use oxhorn_nn::{
    config::Class,
    initializers::{CLASSES, Initializer, Randomness},
};

use crate::golden::*;

/// The seed that Keras draws first after `set_random_seed(812)`.
const FIRST_SEED: u32 = 33_636_388;

#[test]
fn every_initializer_gives_the_values_of_keras() {
    let of = |class: &Class<_>| cases("initializers", class.name());
    for_each_case(CLASSES, of, |class, case, what| {
        let mut config = case["config"].clone();
        if class.name() == "Identity" && case["name"] == "gain" {
            config["config"]["gain"] = 2.5.into(); // Keras does not write it.
        }
        let initializer = Initializer::open(&config).expect("an initializer");
        assert_same_config(&initializer.envelope(), &config, what);

        let initializer = initializer.get().expect("an object");
        initializer.check().expect("settings that Keras takes");
        let seed = match initializer.randomness() {
            Randomness::Seeded(seed) => seed,
            Randomness::None | Randomness::Unseeded => FIRST_SEED,
        };
        let (ty, expected) = tensor(&case["values"]);
        let values = initializer.values(&ty.shape, [seed, 0]).expect("values");
        if class.name().ends_with("Uniform") {
            for (got, expected) in values.iter().zip(&expected.data) {
                let expected = *expected as f32;
                let near = [expected.next_down(), expected, expected.next_up()].contains(got);
                assert!(near, "{what}: {got}, and in Keras {expected}");
            }
        }
        let values = Array::new(ty.shape, values.into_iter().map(f64::from).collect());
        assert_close(&values, &case["values"], what);
    });
    assert_every_setting_is_tried(CLASSES, of, &[]);
}
