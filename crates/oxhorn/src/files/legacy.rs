//! Keras' older format, one HDF5 file whose attributes describe the model.

use indexmap::IndexMap;
use oxhorn_io::{Attribute, Group, Tensor, config};
use oxhorn_ir::{Error, Result, ensure};
use oxhorn_nn::Json;
use serde_json::json;

use super::{
    Compiling, Description, KERAS_VERSION, Kept, Mismatch, Place,
    layout::{self, Names, Read},
};
use crate::{Compile, Sequential, engine::Engine};

/// What files say ran the model; the weights' layout is that of all of Keras' backends.
const BACKEND: &str = "jax";

/// How much room HDF5 has for the texts of one attribute.
const TEXTS_MAX: usize = 64_512;

/// Whether a tree is of this format: of a whole model or of weights.
pub(crate) fn is_legacy(root: &Group) -> bool {
    root.members.contains_key("model_weights") || !texts(root, "layer_names").is_empty()
}

/// The model in a file.
pub(super) fn load(root: &Group, compiling: Compiling) -> Result<Sequential> {
    let text = |name: &str| root.attributes.get(name).and_then(Attribute::as_text);
    let Some(described) = text("model_config") else {
        return Err(Error::new("No model config found in the file.")
            .help("weights alone are loaded by `load_weights`, into a model that there is"));
    };
    let mut model = Sequential::new().described(&config::parse(described.as_bytes())?)?;
    let Some(shape) = model.known_input()? else {
        return Err(Error::new("the file does not say what shape the model's input has"));
    };
    let mut engine = model.declared(&shape)?;
    let read = read(root, &model.names(), &engine, Mismatch::Refuse)?;
    engine.give(read.variables)?;
    model.engine = Some(engine);
    let trained = text("training_config").filter(|_| compiling == Compiling::AsSaved);
    let Some(trained) = trained else { return Ok(model) };
    let mut trained = config::parse(trained.as_bytes())?;
    trained["optimizer"] = trained["optimizer_config"].take();
    model.compile_with(Compile::from_json(&trained)?)?;
    if let (Some(engine), Some(kept)) = (&mut model.engine, root.group("optimizer_weights")) {
        take_optimizer(engine, kept)?;
    }
    Ok(model)
}

fn take_optimizer(engine: &mut Engine, kept: &Group) -> Result<()> {
    engine.declare_optimizer()?;
    let mut taken = Read::default();
    for place in layout::optimizer(engine).iter().take(1) {
        taken.add(&place.name, &place.kept, &tensors(kept)?, engine, Mismatch::Skip)?;
    }
    if let Some(error) = taken.skipped.first() {
        eprintln!("warning: the state of the optimizer was not loaded: {}", error.message);
        return Ok(());
    }
    engine.give(taken.variables)?;
    taken.numbers.iter().try_for_each(|(path, value)| engine.set_number(path, *value))
}

/// The weights of layers, which are told by their order and not by their names.
pub(crate) fn read(
    root: &Group,
    names: &Names,
    engine: &Engine,
    mismatch: Mismatch,
) -> Result<Read> {
    let root = root.group("model_weights").unwrap_or(root);
    let mut kept = vec![];
    for name in texts(root, "layer_names") {
        let group = root.group(&name);
        let group = group.ok_or_else(|| Error::new(format!("the file has no layer `{name}`")))?;
        let tensors = tensors(group)?;
        if !tensors.is_empty() {
            kept.push(tensors);
        }
    }
    let variables = engine.variables();
    let own = names.layers.iter().map(|(name, _)| {
        let own = layout::own_weights(&variables, name);
        (name, own.map(|it| Kept::Variable(it.path.clone())).collect::<Vec<_>>())
    });
    let own: Vec<_> = own.filter(|(_, own)| !own.is_empty()).collect();
    let (expected, found) = (own.len(), kept.len());
    ensure!(
        expected == found,
        "Layer count mismatch when loading weights from file. Model expected {expected} layers, \
         found {found} saved layers."
    );
    let mut read = Read::default();
    for ((name, own), tensors) in own.iter().zip(&kept) {
        read.add(name, own, tensors, engine, mismatch)?;
    }
    Ok(read)
}

/// The tensors that a group lists.
fn tensors(group: &Group) -> Result<Vec<Tensor>> {
    let tensor = |name: String| {
        let tensor = group.tensor(&name).cloned();
        tensor.ok_or_else(|| Error::new(format!("the file lists `{name}`, which it has not")))
    };
    texts(group, "weight_names").into_iter().map(tensor).collect()
}

/// The texts of an attribute, which may be spread over several.
fn texts(group: &Group, name: &str) -> Vec<String> {
    let list = |name: &str| match group.attributes.get(name) {
        Some(Attribute::Texts(texts)) => Some(texts.clone()),
        Some(Attribute::Text(text)) => Some(vec![text.clone()]),
        // No texts are an empty list of numbers to NumPy.
        Some(Attribute::Numbers(_)) => Some(vec![]),
        None => None,
    };
    list(name).unwrap_or_else(|| {
        let parts = (0..).map_while(|i| list(&format!("{name}{i}")));
        parts.flatten().collect()
    })
}

/// The tree of a whole model.
pub(crate) fn model(described: &Description, engine: &Engine) -> Result<Group> {
    let mut root = Group::default();
    let Description { names, config, .. } = described;
    let model = json!({ "class_name": config["class_name"], "config": config["config"] });
    let mut attributes = vec![("keras_version", KERAS_VERSION.to_owned())];
    attributes.push(("backend", BACKEND.to_owned()));
    attributes.push(("model_config", model.to_string()));
    let mut compiled = config["compile_config"].clone();
    if let Some(compiled) = compiled.as_object_mut() {
        let optimizer = compiled.shift_remove("optimizer").unwrap_or_default();
        let optimizer = json!({
            "class_name": optimizer["class_name"], "config": optimizer["config"],
        });
        compiled.insert("optimizer_config".to_owned(), optimizer);
        attributes.push(("training_config", Json::from(compiled.clone()).to_string()));
    }
    let attributes = attributes.into_iter();
    root.attributes = attributes.map(|(name, text)| (name.to_owned(), text[..].into())).collect();
    *root.group_mut("model_weights")? = weights(names, engine)?;
    if let Some(place) = layout::optimizer(engine).first() {
        let scope = snake(&place.name);
        let named = place.kept.iter().map(|kept| (format!("{scope}/{}", kept.name()), kept));
        list(root.group_mut("optimizer_weights")?, named, engine)?;
    }
    Ok(root)
}

/// A name as one part of a path.
fn snake(name: &str) -> String {
    name.replace('/', "_")
}

/// The tree of the weights of layers.
pub(crate) fn weights(names: &Names, engine: &Engine) -> Result<Group> {
    let mut root = Group::default();
    let layers: Vec<String> = names.layers.iter().map(|(name, _)| name.clone()).collect();
    write_texts(&mut root.attributes, "layer_names", layers);
    root.attributes.insert("backend".to_owned(), BACKEND.into());
    root.attributes.insert("keras_version".to_owned(), KERAS_VERSION.into());
    for Place { path, name, kept } in layout::layers(names, engine) {
        // The first is the model itself.
        let group = if path.is_empty() { "top_level_model_weights" } else { &*name };
        let named = kept
            .iter()
            .map(|kept| (format!("{}/{name}/{}", snake(&names.model), kept.name()), kept));
        list(root.group_mut(group)?, named, engine)?;
    }
    Ok(root)
}

/// Puts tensors into a group, and lists them.
fn list<'k>(
    group: &mut Group,
    named: impl Iterator<Item = (String, &'k Kept)>,
    engine: &Engine,
) -> Result<()> {
    let mut all = vec![];
    for (name, kept) in named {
        // Of an optimizer within another, Keras has some names twice, and cannot write them.
        let numbered = (1..).map(|i| format!("{name}_{i}"));
        let mut names = std::iter::once(name.clone()).chain(numbered);
        let name = names.find(|name| !all.contains(name)).unwrap_or(name);
        group.insert(&name, layout::value(kept, engine)?)?;
        all.push(name);
    }
    write_texts(&mut group.attributes, "weight_names", all);
    Ok(())
}

/// Writes texts as one attribute, or as several if there is no room for them in one.
fn write_texts(attributes: &mut IndexMap<String, Attribute>, name: &str, texts: Vec<String>) {
    let longest = texts.iter().map(String::len).max().unwrap_or(0).max(1);
    let at_once = (TEXTS_MAX / longest).max(1);
    if texts.len() <= at_once {
        attributes.insert(name.to_owned(), texts.into());
        return;
    }
    for (i, part) in texts.chunks(at_once).enumerate() {
        attributes.insert(format!("{name}{i}"), part.to_vec().into());
    }
}
