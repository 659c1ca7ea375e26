//! How one weight is made and kept.

use oxhorn_ir::Result;

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

    /// Rejects settings that no shape could make right, and names of nothing.
    pub fn check(&self) -> Result<()> {
        self.initializer.get()?.check()?;
        if let Some(regularizer) = &self.regularizer {
            regularizer.get()?.check()?;
        }
        if let Some(constraint) = &self.constraint {
            constraint.get()?.check()?;
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use crate::{
        layers::Dense,
        regularizers::{L2, Regularizer},
        testing::layer_error,
    };

    #[test]
    fn its_settings_are_checked_where_it_is_declared() {
        let message = |layer: Dense| layer_error(layer, &[2, 5]).message;
        assert_eq!(
            message(Dense::new(3).kernel_initializer("glorot")),
            "Could not interpret initializer identifier: glorot"
        );
        assert_eq!(
            message(Dense::new(3).bias_constraint("tight")),
            "Could not interpret constraint identifier: tight"
        );
        assert_eq!(
            message(Dense::new(3).kernel_regularizer(L2::new().l2(-1.0))),
            "Invalid value for argument l2: expected a non-negative float. Received: l2=-1"
        );
        assert_eq!(Regularizer::from("l1_l2"), Regularizer::from("l1l2"));
    }
}
