//! Layers, and what Keras keeps for all of them.

use std::sync::Arc;

use oxhorn_ir::{Result, Tensor, ensure};
use serde_json::json;

use crate::{
    config::{Class, Envelope, Error, Field, Float32, Json, Map, Object},
    handle::category,
    layers,
    regularizers::Regularizer,
    scope::Scope,
    trust::Origin,
};

/// A configuration that knows how to write itself into a graph.
pub trait Layer: Object {
    /// Rejects settings that no input could make right.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Writes the layer's mathematics into the graph, declaring its weights on the way.
    ///
    /// A layer of several inputs has it in [`Layer::call_all`]; this is `call_all(cx, &[x])` then.
    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g>;

    /// The same for any number of inputs. Most layers take one, and refuse any other number.
    fn call_all<'g>(&self, cx: &Scope<'g>, x: &[Tensor<'g>]) -> Tensor<'g> {
        match x {
            [x] => self.call(cx, *x),
            _ => cx.trace().fail(wrong_count(x.len())),
        }
    }

    /// The shape of the model's input, batch axis included, if this is where it enters.
    fn batch_shape(&self) -> Option<Vec<Option<usize>>> {
        None
    }
}

category!(Layer, "layer", layers::CLASSES);

/// The mistake of calling a layer of one input on another number of them.
fn wrong_count(count: usize) -> Error {
    let message = format!("the layer expects 1 input(s), but it received {count} input tensors");
    Error::new(message).help("merge them first: `Concatenate`, `Add` and their like take several")
}

/// Refuses inputs with another number of axes than the layer is for.
pub(crate) fn expect_rank(x: Tensor<'_>, rank: usize) -> Result<()> {
    ensure!(
        x.rank() == rank,
        "the input is incompatible with the layer: expected ndim={rank}, found ndim={}. \
        Full shape received: {:?}",
        x.rank(),
        x.shape()
    );
    Ok(())
}

/// `axis` counted from the front, which the input has to have.
pub(crate) fn expect_axis(x: Tensor<'_>, axis: isize) -> Result<usize> {
    x.axis(axis).ok_or_else(|| Error::new(format!("{} has no axis {axis}", x.ty())))
}

/// A layer with the settings that all layers have.
#[derive(Clone, Debug)]
pub struct AnyLayer {
    /// Its name; the model gives one to a layer without.
    pub name: Option<String>,
    /// Whether training changes its weights.
    pub trainable: bool,
    /// What is added to the loss for its output, divided by the number of samples.
    pub activity_regularizer: Option<Regularizer>,
    /// The shape of its input, batch axis included, if it is given with the layer.
    pub input_shape: Option<Vec<Option<usize>>>,
    /// What it does.
    pub layer: Arc<dyn Layer>,
}

impl<T: Layer> From<T> for AnyLayer {
    fn from(layer: T) -> AnyLayer {
        AnyLayer::new(Arc::new(layer))
    }
}

/// A layer within another.
impl Field for AnyLayer {
    fn kind() -> String {
        "a layer".to_owned()
    }

    fn read(json: &Json) -> Result<AnyLayer> {
        AnyLayer::open(json)
    }

    fn write(&self) -> Json {
        self.envelope()
    }
}

impl AnyLayer {
    /// The layer with Keras' defaults for what all layers have.
    pub fn new(layer: Arc<dyn Layer>) -> AnyLayer {
        let (name, activity_regularizer) = (None, None);
        let input_shape = layer.batch_shape();
        AnyLayer { name, trainable: true, activity_regularizer, input_shape, layer }
    }

    /// Rejects settings that no input could make right.
    pub fn check(&self) -> Result<()> {
        if let Some(regularizer) = &self.activity_regularizer {
            regularizer.get()?.check()?;
        }
        self.layer.check()
    }

    /// The name without the module: `Dense`.
    pub fn class_name(&self) -> &'static str {
        self.layer.class_name()
    }

    /// The envelope, as it stands in a model's list of layers.
    pub fn envelope(&self) -> Json {
        let mut config = Map::new();
        let own = self.layer.config();
        let has_dtype = own.contains_key("dtype");
        config.insert("name".into(), self.name.write());
        if !has_dtype {
            config.insert("trainable".into(), self.trainable.write());
            let policy = json!({
                "module": "keras", "class_name": "DTypePolicy",
                "config": {"name": "float32"}, "registered_name": null,
            });
            config.insert("dtype".into(), policy);
        }
        config.extend(own);
        if let Some(regularizer) = &self.activity_regularizer {
            config.insert("activity_regularizer".into(), regularizer.write());
        }
        crate::config::envelope(self.layer.class(), config)
    }

    /// The layer that an envelope describes.
    ///
    /// # Errors
    ///
    /// If the class or one of its settings is unknown, unsupported or ill-typed.
    pub fn open(json: &Json) -> Result<AnyLayer> {
        let origin = Origin::of(json)?;
        let Envelope { class_name, config } = Envelope::open(json)?;
        let is_it = |class: &&Class<dyn Layer>| class.name() == class_name && origin.may_be(class);
        let Some(class) = layers::CLASSES.iter().find(is_it) else {
            let known: Vec<&str> = layers::CLASSES.iter().map(Class::name).collect();
            let error = origin.unknown("layer", class_name);
            let help = error.help.clone();
            return Err(error.help(help.unwrap_or(format!("known are {}", known.join(", ")))));
        };
        let mut own = config.clone();
        let has_dtype = (class.fields)().iter().any(|field| field.name == "dtype");
        if !has_dtype {
            let dtype: Result<Option<Float32>> = take(&mut own, "dtype");
            dtype.map_err(|error| error.at(class_name))?;
        }
        let name = take(&mut own, "name")?.flatten();
        let trainable = take(&mut own, "trainable")?.unwrap_or(true);
        let activity_regularizer = take(&mut own, "activity_regularizer")?.flatten();
        let given: Option<Vec<Option<usize>>> = take(&mut own, "batch_input_shape")?.flatten();
        let layer = (class.read)(&own)?;
        let input_shape = given.or_else(|| layer.batch_shape());
        Ok(AnyLayer { name, trainable, activity_regularizer, input_shape, layer })
    }
}

fn take<T: Field>(config: &mut Map, key: &str) -> Result<Option<T>> {
    config.shift_remove(key).map(|json| T::read(&json)).transpose()
}

/// The settings that all layers have: `Dense::new(64).name("head").input_dim(25)`.
///
/// They come after the layer's own, because what they return may be any layer.
pub trait LayerSettings: Into<AnyLayer> {
    /// Names the layer.
    #[must_use]
    fn name(self, name: impl Into<String>) -> AnyLayer {
        AnyLayer { name: Some(name.into()), ..self.into() }
    }

    /// Freezes the layer, or frees it.
    #[must_use]
    fn trainable(self, trainable: bool) -> AnyLayer {
        AnyLayer { trainable, ..self.into() }
    }

    /// Adds a penalty for the layer's output to the loss.
    #[must_use]
    fn activity_regularizer(self, regularizer: impl Into<Regularizer>) -> AnyLayer {
        AnyLayer { activity_regularizer: Some(regularizer.into()), ..self.into() }
    }

    /// States that the layer's input has this many features.
    #[must_use]
    fn input_dim(self, features: usize) -> AnyLayer {
        self.input_shape([features])
    }

    /// States the shape of the layer's input, without the batch axis.
    #[must_use]
    fn input_shape(self, shape: impl Into<Vec<usize>>) -> AnyLayer {
        let shape = shape.into().into_iter().map(Some);
        AnyLayer { input_shape: Some([None].into_iter().chain(shape).collect()), ..self.into() }
    }
}

impl<T: Into<AnyLayer>> LayerSettings for T {}

#[cfg(test)]
mod tests {
    use oxhorn_ir::Trace;

    use super::*;
    use crate::{
        layers::{Dense, Dropout},
        scope::{Declarations, Mode},
        testing::f32_input,
    };

    #[test]
    fn common_settings_stand_beside_the_layers_own() {
        let layer = Dense::new(3).activation("relu").name("head").activity_regularizer("l1");
        let json = layer.envelope();
        assert_eq!(json["class_name"], "Dense");
        assert_eq!(json["config"]["name"], "head");
        assert_eq!(json["config"]["activation"], "relu");
        let again = AnyLayer::open(&json).unwrap();
        assert_eq!(again.envelope(), json);
    }

    #[test]
    fn layers_of_one_input_refuse_another_number() {
        let error = |count: usize| {
            let (trace, declared) = (Trace::new("test"), Declarations::new());
            let cx = Scope::new(&trace, &declared, Mode::Infer);
            let x = vec![f32_input(&trace, &[2, 5]); count];
            cx.layer_all("dense", &Dense::new(3).into(), &x);
            trace.error().map(|error| error.to_string())
        };
        assert_eq!(error(1), None);
        for count in [0, 2, 3] {
            let expected = format!(
                "the layer expects 1 input(s), but it received {count} input tensors\n    in: \
                 dense (Dense)\n  help: merge them first: `Concatenate`, `Add` and their like \
                 take several"
            );
            assert_eq!(error(count), Some(expected));
        }
    }

    #[test]
    fn unknown_layers_are_refused_by_name() {
        let json = json!({"class_name": "Dance", "config": {}});
        assert_eq!(AnyLayer::open(&json).unwrap_err().message, "unknown layer: `Dance`");
    }

    #[test]
    fn keras_2_input_shapes_are_understood() {
        let json = json!({"class_name": "Dropout", "config": {
            "rate": 0.5, "batch_input_shape": [null, 4], "dtype": "float32", "trainable": true}});
        let layer = AnyLayer::open(&json).unwrap();
        assert_eq!(layer.input_shape, Some(vec![None, Some(4)]));
        assert_eq!(layer.envelope()["config"]["rate"], 0.5);
        assert_eq!(AnyLayer::from(Dropout::new(0.5)).name, None);
    }
}
