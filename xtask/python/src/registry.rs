//! The categories of Keras' objects, as far as their Python modules differ.

use oxhorn_nn::{
    activations,
    config::{Class, FieldInfo, snake_case},
    constraints, initializers, layers, losses, metrics, optimizers, regularizers, schedules,
    techniques,
};

/// A class of any category.
pub(crate) struct Object {
    /// `keras.layers.Dense`
    pub(crate) class: &'static str,
    /// `Dense`
    pub(crate) name: &'static str,
    /// Strings that name the class besides its own name and that in snake case.
    pub(crate) aliases: &'static [&'static str],
    pub(crate) doc: &'static str,
    pub(crate) fields: Vec<FieldInfo>,
    /// Whether Keras has the class, and so its signature is known.
    pub(crate) is_keras: bool,
}

/// One generated module of classes.
pub(crate) struct Category {
    /// The module's name: `layers`.
    pub(crate) name: &'static str,
    /// Where Keras has its classes: `layers`, `optimizers.schedules`; `None` where it has no such
    /// module.
    pub(crate) path: Option<&'static str>,
    /// The module and the name of the base class.
    pub(crate) base: (&'static str, &'static str),
    /// What every object of the category takes, with its type and its meaning; an empty meaning
    /// is that of the Rust field.
    pub(crate) common: &'static [(&'static str, &'static str, &'static str)],
    /// Whether further names of a class are classes of the module: `regularizers.l2`.
    pub(crate) snake_case: SnakeCase,
    /// Further names of a class that are classes of the module.
    pub(crate) aliases: &'static [(&'static str, &'static str)],
    /// Names that are written by hand beside the generated ones.
    pub(crate) by_hand: &'static [&'static str],
    /// Classes of Rust that Python has not, because they hold objects of other categories.
    pub(crate) left_out: &'static [&'static str],
    pub(crate) objects: fn() -> Vec<Object>,
}

/// What a class takes in `**kwargs` because Keras once had it as a parameter.
pub(crate) enum Older {
    /// It is another parameter's name.
    Renamed(&'static str),
    /// It says nothing any more.
    Dropped,
    /// It is refused unless it is what it always was.
    Refused,
}

/// The parameters that classes of Keras once had.
pub(crate) const OLDER: [(&str, &str, Older); 3] = [
    ("keras.layers.Embedding", "input_length", Older::Dropped),
    ("keras.layers.LayerNormalization", "rms_scaling", Older::Refused),
    ("keras.layers.LeakyReLU", "alpha", Older::Renamed("negative_slope")),
];

/// The functions of `ops` that Python has, which trace functions or say what is known of tensors.
pub(crate) const OPS_BY_HAND: [&str; 14] = [
    "cond",
    "convert_to_numpy",
    "convert_to_tensor",
    "dtype",
    "fori_loop",
    "get_item",
    "is_tensor",
    "map",
    "ndim",
    "scan",
    "shape",
    "switch",
    "vectorized_map",
    "while_loop",
];

/// What a class' name in snake case is in the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SnakeCase {
    /// The class itself.
    Class,
    /// A function with the class' mathematics, or nothing.
    Function,
}

impl Category {
    /// What Keras calls a name of this category.
    pub(crate) fn keras_name(&self, name: &str) -> Option<String> {
        self.path.map(|path| format!("{path}.{name}"))
    }

    /// The other names under which the module has a class.
    pub(crate) fn names_of(&self, object: &Object) -> Vec<String> {
        let mut names: Vec<String> = vec![];
        if self.snake_case == SnakeCase::Class {
            names.push(snake_case(object.name));
        }
        let listed = self.aliases.iter().filter(|(_, class)| *class == object.name);
        names.extend(listed.map(|(alias, _)| (*alias).to_owned()));
        names
    }
}

fn objects<T: ?Sized>(classes: &'static [Class<T>]) -> Vec<Object> {
    let object = |class: &'static Class<T>| Object {
        class: class.class,
        name: class.name(),
        aliases: class.aliases,
        doc: class.doc,
        fields: (class.fields)(),
        is_keras: class.is_keras(),
    };
    classes.iter().map(object).collect()
}

/// The activations, which are functions in Python.
pub(crate) fn activations() -> Vec<Object> {
    objects(activations::CLASSES)
}

pub(crate) const CATEGORIES: [Category; 9] = [
    Category {
        name: "layers",
        path: Some("layers"),
        base: ("oxhorn.layers.layer", "RegistryLayer"),
        common: &[
            (
                "activity_regularizer",
                "Identifier | None",
                "What is added to the loss for the output.",
            ),
            ("trainable", "bool", "Whether training changes the weights."),
            ("dtype", "Any", "The type of the elements, `float32`."),
            ("autocast", "bool", "Whether inputs are cast to that type."),
            ("name", "str | None", "The layer's name."),
        ],
        snake_case: SnakeCase::Function,
        aliases: &[
            ("AvgPool1D", "AveragePooling1D"),
            ("AvgPool2D", "AveragePooling2D"),
            ("AvgPool3D", "AveragePooling3D"),
            ("Convolution1D", "Conv1D"),
            ("Convolution1DTranspose", "Conv1DTranspose"),
            ("Convolution2D", "Conv2D"),
            ("Convolution2DTranspose", "Conv2DTranspose"),
            ("Convolution3D", "Conv3D"),
            ("Convolution3DTranspose", "Conv3DTranspose"),
            ("GlobalAvgPool1D", "GlobalAveragePooling1D"),
            ("GlobalAvgPool2D", "GlobalAveragePooling2D"),
            ("GlobalAvgPool3D", "GlobalAveragePooling3D"),
            ("GlobalMaxPool1D", "GlobalMaxPooling1D"),
            ("GlobalMaxPool2D", "GlobalMaxPooling2D"),
            ("GlobalMaxPool3D", "GlobalMaxPooling3D"),
            ("MaxPool1D", "MaxPooling1D"),
            ("MaxPool2D", "MaxPooling2D"),
            ("MaxPool3D", "MaxPooling3D"),
            ("SeparableConvolution1D", "SeparableConv1D"),
            ("SeparableConvolution2D", "SeparableConv2D"),
        ],
        // Where models begin is Python's own, and so is what holds layers.
        by_hand: &["Input", "InputLayer", "InputSpec", "Layer", "MultiSampleDropout"],
        left_out: &[],
        objects: || objects(layers::CLASSES),
    },
    Category {
        name: "losses",
        path: Some("losses"),
        base: ("oxhorn.losses.loss", "RegistryLoss"),
        common: &[
            ("name", "str | None", ""),
            ("reduction", "str | None", ""),
            ("dtype", "Any", ""),
        ],
        snake_case: SnakeCase::Function,
        aliases: &[],
        by_hand: &["Loss"],
        left_out: &[],
        objects: || objects(losses::CLASSES),
    },
    Category {
        name: "metrics",
        path: Some("metrics"),
        base: ("oxhorn.metrics.metric", "RegistryMetric"),
        common: &[("name", "str | None", ""), ("dtype", "Any", "")],
        snake_case: SnakeCase::Function,
        aliases: &[],
        by_hand: &["MeanMetricWrapper", "Metric"],
        left_out: &[],
        objects: || objects(metrics::CLASSES),
    },
    Category {
        name: "optimizers",
        path: Some("optimizers"),
        base: ("oxhorn.optimizers.optimizer", "RegistryOptimizer"),
        common: &[
            ("learning_rate", "Any", ""),
            ("weight_decay", "float | None", ""),
            ("clipnorm", "float | None", ""),
            ("clipvalue", "float | None", ""),
            ("global_clipnorm", "float | None", ""),
            ("use_ema", "bool", ""),
            ("ema_momentum", "float", ""),
            ("ema_overwrite_frequency", "int | None", ""),
            ("loss_scale_factor", "float | None", ""),
            ("gradient_accumulation_steps", "int | None", ""),
            ("name", "str | None", ""),
        ],
        snake_case: SnakeCase::Function,
        aliases: &[],
        by_hand: &["LossScaleOptimizer", "MultiOptimizer", "Optimizer", "OptimizerMap"],
        left_out: &[],
        objects: || objects(optimizers::CLASSES),
    },
    Category {
        name: "schedules",
        path: Some("optimizers.schedules"),
        base: ("oxhorn.optimizers.schedules.schedule", "RegistrySchedule"),
        common: &[],
        snake_case: SnakeCase::Function,
        aliases: &[],
        by_hand: &["LearningRateSchedule"],
        left_out: &[],
        objects: || objects(schedules::CLASSES),
    },
    Category {
        name: "regularizers",
        path: Some("regularizers"),
        base: ("oxhorn.regularizers.regularizer", "RegistryRegularizer"),
        common: &[],
        snake_case: SnakeCase::Class,
        aliases: &[("l1_l2", "L1L2")],
        by_hand: &["Regularizer"],
        left_out: &[],
        objects: || objects(regularizers::CLASSES),
    },
    Category {
        name: "constraints",
        path: Some("constraints"),
        base: ("oxhorn.constraints.constraint", "RegistryConstraint"),
        common: &[],
        snake_case: SnakeCase::Class,
        aliases: &[],
        by_hand: &["Constraint"],
        left_out: &[],
        objects: || objects(constraints::CLASSES),
    },
    Category {
        name: "initializers",
        path: Some("initializers"),
        base: ("oxhorn.initializers.initializer", "RegistryInitializer"),
        common: &[],
        snake_case: SnakeCase::Class,
        aliases: &[
            ("IdentityInitializer", "Identity"),
            ("OrthogonalInitializer", "Orthogonal"),
            ("STFTInitializer", "STFT"),
        ],
        by_hand: &["Initializer"],
        left_out: &[],
        objects: || objects(initializers::CLASSES),
    },
    Category {
        name: "techniques",
        path: None,
        base: ("oxhorn.techniques.technique", "RegistryTechnique"),
        common: &[],
        snake_case: SnakeCase::Function,
        aliases: &[],
        by_hand: &[],
        left_out: &[],
        objects: || objects(techniques::CLASSES),
    },
];
