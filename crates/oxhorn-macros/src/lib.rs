//! `#[derive(Config)]`: from a struct to Keras' flat dictionary and back.
//!
//! A struct of `oxhorn-nn` *is* its Keras config. The derive writes what follows from its fields:
//!
//! - `new(..)`, which takes the fields without a default, and `Default` where there are none;
//! - one setter for each field with a default: `Dense::new(10).use_bias(false)`;
//! - `Config`: the dictionary both ways, and what is known of each setting.
//!
//! On the struct, `#[config(class = "keras.layers.Dense")]` names the class, and may add
//! `shape = ".. -> .."` (of layers), `aliases = ["mse"]` (further strings that name the class) and
//! `unsupported = ["lora_rank"]` (settings of Keras that are accepted only as `None`).
//! A struct without a `class` is a part, to be flattened into others.
//!
//! On a field, `#[config(default)]` or `#[config(default = 0.9)]` gives a default, and
//! `#[config(added = 0.0)]` that of a setting which Keras' class lacks: it is written only where it
//! has another value, so that Keras reads the dictionary;
//! `#[config(weight = "zeros")]` makes a `Weight` called `kernel` the settings
//! `kernel_initializer`, `kernel_regularizer` and `kernel_constraint`, `#[config(flatten =
//! expression)]` takes in the settings of a part whose defaults are `expression`, and
//! `#[config(skip)]` keeps the field out; of a part, it is read where it is there.

mod parse;
mod write;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct Keras' config; see the crate's documentation.
#[proc_macro_derive(Config, attributes(config))]
pub fn derive_config(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    match parse::Object::parse(&input) {
        Ok(object) => write::object(&object).into(),
        Err(error) => error.into_compile_error().into(),
    }
}
