//! Modules of functions: activations, operations on tensors, random numbers, forms of losses.

use oxhorn_nn::ops::{self, Function};

use crate::{
    classes::MISSING,
    docs::docstring,
    fields,
    keras::Recorded,
    layout::{Spread, bracketed, strings},
    module::Module,
    registry::{OPS_BY_HAND, Object, activations},
    signature::{Kind, Parameter, parameters},
};

/// Above a function that Rust has as an object of the same name.
const KNOWN: &str = "@registry_function\n";

/// `activations`: functions of one tensor, which Rust has as objects.
pub(crate) fn activation_module(recorded: &Recorded) -> Result<String, String> {
    let mut module = Module::new("Keras' activation functions as Rust has them.");
    module.import("oxhorn._identifiers", "registry_function");
    module.import("oxhorn.activations.activation", "apply");
    let mut known: Vec<&str> = vec![];
    let mut aliases: Vec<(&str, &str)> = vec![];
    for object in activations() {
        let parameters = recorded.parameters(&format!("activations.{}", object.name))?;
        let mut passed = vec![format!("\"{}\"", object.name)];
        passed.extend(parameters.iter().map(|it| match it.name.as_str() {
            "x" => "x".to_owned(),
            name => format!("{name}={name}"),
        }));
        let body = bracketed(4, "return apply(", &passed, ")", Spread::Late);
        let field = |name: &str| object.fields.iter().find(|field| field.name == name);
        let annotations = parameters.iter().map(|it| match field(&it.name) {
            Some(field) => fields::described(field, it.default.as_deref()),
            None => ("Any".to_owned(), "The input.".to_owned()),
        });
        let annotations: Vec<(String, String)> = annotations.collect();
        let text = function(object.name, &parameters, &annotations, object.doc, &body);
        module.add(object.name, &(KNOWN.to_owned() + &text));
        known.push(object.name);
        aliases.extend(object.aliases.iter().map(|alias| (*alias, object.name)));
    }
    let is_public = |alias: &str| recorded.has(&format!("activations.{alias}"));
    let public = aliases.iter().filter(|(alias, _)| is_public(alias));
    let mut lines: Vec<String> =
        public.map(|(alias, name)| format!("{alias} = {name}\n")).collect();
    lines.sort();
    for (alias, _) in aliases.iter().filter(|(alias, _)| is_public(alias)) {
        module.export(alias);
        known.push(alias);
    }
    module.constant(&lines.concat());
    let general = ["deserialize", "get", "serialize"];
    let names = recorded.names("activations").into_iter();
    let missing: Vec<&str> =
        names.filter(|it| !general.contains(it) && !known.contains(it)).collect();
    module.constant(&(MISSING.to_owned() + &strings(0, "MISSING", &missing)));
    Ok(module.text())
}

/// `ops`: the functions of tensors.
pub(crate) fn ops_module(recorded: &Recorded) -> Result<String, String> {
    let mut module = Module::new("Keras' functions of tensors as Rust has them.");
    add_functions(&mut module, recorded, "ops", |it| {
        it.family != "random" && !OPS_BY_HAND.contains(&it.name)
    })?;
    let missing = missing_ops(recorded);
    module.constant(&(MISSING.to_owned() + &strings(0, "MISSING", &missing)));
    let mut namespaces = "# Which functions Keras has in the modules of `ops` too.\n".to_owned();
    for name in ["image", "linalg", "nn", "numpy"] {
        let names = recorded.names(&format!("ops.{name}"));
        namespaces += &strings(0, &name.to_uppercase(), &names);
    }
    module.constant(&namespaces);
    Ok(module.text())
}

/// `random`: the functions that draw.
pub(crate) fn random_module(recorded: &Recorded) -> Result<String, String> {
    let mut module = Module::new("Keras' functions that draw random numbers as Rust has them.");
    add_functions(&mut module, recorded, "random", |it| it.family == "random")?;
    let missing = missing_random(recorded);
    module.constant(&(MISSING.to_owned() + &strings(0, "MISSING", &missing)));
    Ok(module.text())
}

/// What Keras' `ops` has and Rust has not, the modules within it aside.
pub(crate) fn missing_ops(recorded: &Recorded) -> Vec<&str> {
    let names = recorded.names("ops").into_iter();
    names.filter(|name| !OPS_BY_HAND.contains(name) && ops::find(name, None).is_none()).collect()
}

/// What Keras' `random` has and Rust has not, the class that Python has aside.
pub(crate) fn missing_random(recorded: &Recorded) -> Vec<&str> {
    let names = recorded.names("random").into_iter().filter(|name| *name != "SeedGenerator");
    names.filter(|name| ops::find(name, Some("random")).is_none()).collect()
}

/// `missing_ops`, `missing_random`: Keras' functions that Rust has not, which say so when called.
pub(crate) fn missing_module(
    recorded: &Recorded,
    path: &str,
    names: &[&str],
) -> Result<String, String> {
    let mut module = Module::new(&format!("Keras' functions of `{path}` that Oxhorn has not."));
    module.import("oxhorn._identifiers", "not_implemented");
    for name in names {
        let path = format!("{path}.{name}");
        let parameters = recorded.parameters(&path)?;
        let annotation =
            |it: &Parameter| (fields::of_default(it.default.as_deref()), String::new());
        let annotations: Vec<(String, String)> = parameters.iter().map(annotation).collect();
        let body = format!("    raise not_implemented(\"{path}\")\n");
        let doc = "Not available: raises `NotImplementedError`.";
        module.add(name, &function(name, &parameters, &annotations, doc, &body));
    }
    Ok(module.text())
}

fn add_functions(
    module: &mut Module,
    recorded: &Recorded,
    path: &str,
    belongs: fn(&Function) -> bool,
) -> Result<(), String> {
    let mut functions: Vec<&Function> = ops::functions().filter(|it| belongs(it)).collect();
    functions.sort_by_key(|it| it.name);
    for it in &functions {
        let parameters = parameters(it.signature);
        let name = format!("{path}.{}", it.name);
        if recorded.has(&name) && recorded.parameters(&name)? != parameters {
            return Err(format!("`{name}` of Keras is not called with ({})", it.signature));
        }
        let mut passed = vec![format!("\"{}\"", it.name), format!("\"{}\"", it.family)];
        passed.extend(parameters.iter().map(Parameter::passed));
        let body = bracketed(4, "return call(", &passed, ")", Spread::Late);
        let annotation =
            |it: &Parameter| (fields::of_default(it.default.as_deref()), String::new());
        let annotations: Vec<(String, String)> = parameters.iter().map(annotation).collect();
        module.add(it.name, &function(it.name, &parameters, &annotations, it.doc, &body));
    }
    if !functions.is_empty() {
        module.import("oxhorn.ops.dispatch", "call");
    }
    Ok(())
}

/// The function that a loss is without its reduction: `mean_squared_error(y_true, y_pred)`.
pub(crate) fn of_loss(object: &Object, name: &str, parameters: &[Parameter]) -> String {
    let field = |name: &str| object.fields.iter().find(|field| field.name == name);
    let (mut annotations, mut settings, mut refused) = (vec![], vec![], vec![]);
    for parameter in parameters {
        let default = parameter.default.as_deref();
        annotations.push(match (parameter.name.as_str(), field(&parameter.name)) {
            ("y_true", _) => ("Any".to_owned(), "What is true.".to_owned()),
            ("y_pred", _) => ("Any".to_owned(), "What is predicted.".to_owned()),
            (name, Some(field)) => {
                settings.push(format!("{name}={name}"));
                fields::described(field, default)
            }
            (name, None) => {
                refused.push(format!("{name}={name}"));
                (fields::of_default(default), "Refused unless it is the default.".to_owned())
            }
        });
    }
    settings.push("reduction=\"none\"".to_owned());
    let class = object.name;
    let mut body = bracketed(4, &format!("loss = {class}("), &settings, ")", Spread::Late);
    if !refused.is_empty() {
        body += &bracketed(4, "loss._refuse(", &refused, ")", Spread::Late);
    }
    body += "    return loss(y_true, y_pred)\n";
    format!("{KNOWN}{}", function(name, parameters, &annotations, object.doc, &body))
}

/// A function with its types, its docstring and its body.
fn function(
    name: &str,
    parameters: &[Parameter],
    annotations: &[(String, String)],
    doc: &str,
    body: &str,
) -> String {
    let mut declared: Vec<String> = vec![];
    for (parameter, (annotation, _)) in parameters.iter().zip(annotations) {
        let has_star = parameters.iter().any(|it| it.kind == Kind::Variadic);
        if parameter.kind == Kind::Named && !has_star && !declared.contains(&"*".to_owned()) {
            declared.push("*".to_owned());
        }
        declared.push(parameter.declared(annotation));
    }
    let documented = parameters.iter().zip(annotations).filter(|(_, (_, doc))| !doc.is_empty());
    let documented: Vec<(String, String)> =
        documented.map(|(it, (_, doc))| (it.name.clone(), doc.clone())).collect();
    let mut text = bracketed(0, &format!("def {name}("), &declared, ") -> Any:", Spread::Late);
    text += &docstring(4, doc, &documented);
    text + body
}
