//! How one weight is made and kept.

use crate::{
    config::{Field, FieldInfo, Map},
    constraints::Constraint,
    initializers::Initializer,
    regularizers::Regularizer,
};

/// The three settings `*_initializer`, `*_regularizer` and `*_constraint`, which always travel
/// together.
#[derive(Clone, Debug, PartialEq)]
pub struct Weight {
    /// How its first value is made.
    pub initializer: Initializer,
    /// What is added to the loss for it.
    pub regularizer: Option<Regularizer>,
    /// Where it is brought back to after each step.
    pub constraint: Option<Constraint>,
}

impl Weight {
    /// A weight made by this initializer, free to go anywhere.
    pub fn new(initializer: impl Into<Initializer>) -> Weight {
        Weight { initializer: initializer.into(), regularizer: None, constraint: None }
    }

    /// Adds the settings of these weights to a dictionary, sorted by kind as in Keras.
    pub fn write(weights: &[(&str, &Weight)], map: &mut Map) {
        for (name, weight) in weights {
            map.insert(format!("{name}_initializer"), weight.initializer.write());
        }
        for (name, weight) in weights {
            map.insert(format!("{name}_regularizer"), weight.regularizer.write());
        }
        for (name, weight) in weights {
            map.insert(format!("{name}_constraint"), weight.constraint.write());
        }
    }

    /// What is known of the settings of these weights, sorted by kind as in Keras.
    pub fn fields(weights: &[(&str, Weight)], fields: &mut Vec<FieldInfo>) {
        for (name, weight) in weights {
            let doc = format!("How the first `{name}` is made.");
            let mut info =
                FieldInfo::new(&format!("{name}_initializer"), Some(&weight.initializer), &doc);
            info.default = Some(weight.initializer.as_given());
            fields.push(info);
        }
        for (name, weight) in weights {
            let doc = format!("What is added to the loss for the `{name}`.");
            fields.push(FieldInfo::new(
                &format!("{name}_regularizer"),
                Some(&weight.regularizer),
                &doc,
            ));
        }
        for (name, weight) in weights {
            let doc = format!("Where the `{name}` is brought back to after each step.");
            let name = format!("{name}_constraint");
            fields.push(FieldInfo::new(&name, Some(&weight.constraint), &doc));
        }
    }
}
