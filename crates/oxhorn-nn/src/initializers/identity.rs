//! `Identity`: the matrix that changes nothing.

use crate::prelude::*;

/// `gain` on the diagonal, 0 elsewhere; for matrices only.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(
    class = "keras.initializers.Identity",
    aliases = ["IdentityInitializer", "identity_initializer"]
)]
pub struct Identity {
    /// The number on the diagonal.
    #[config(default = 1.0)]
    pub gain: f64,
}

impl Initialize for Identity {
    fn values(&self, shape: &[usize], _: [u32; 2]) -> Result<Vec<f32>> {
        let [rows, columns] = *shape else {
            return Err(Error::new(format!(
                "Identity matrix initializer can only be used for 2D matrices. \
                 Received: shape={shape:?} of rank {}.",
                shape.len()
            )));
        };
        let gain = self.gain as f32;
        let element = |flat: usize| if flat / columns == flat % columns { gain } else { 0.0 };
        Ok((0..rows * columns).map(element).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_a_matrix() {
        let error = Identity::new().values(&[3], [0, 0]).unwrap_err();
        assert!(error.message.ends_with("Received: shape=[3] of rank 1."), "{error}");
    }
}
