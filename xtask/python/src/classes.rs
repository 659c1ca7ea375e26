//! Modules of classes: layers, losses, metrics, optimizers and what they are made of.

use std::collections::BTreeMap;

use oxhorn_nn::config::{FieldInfo, snake_case};

use crate::{
    docs::docstring,
    fields, functions,
    keras::Recorded,
    layout::{Spread, bracketed, strings},
    module::Module,
    registry::{Category, OLDER, Object, Older},
    signature::{Kind, Parameter},
};

/// How a class' constructor takes a parameter.
enum Role<'a> {
    /// By its base.
    Common(&'static str, String),
    /// As a setting that Rust has.
    Setting(&'a FieldInfo),
    /// As a setting of Keras that Rust lacks.
    Unsupported,
}

/// The module of a category.
pub(crate) fn module(category: &Category, recorded: &Recorded) -> Result<String, String> {
    let name = category.name;
    let objects = (category.objects)();
    let has_own = objects.iter().any(|object| !object.is_keras);
    let mut module = Module::new(&match category.path {
        None => format!("Oxhorn's {name}, which Rust has."),
        Some(_) if has_own => format!("Keras' {name} as Rust has them, and Oxhorn's own."),
        Some(_) => format!("Keras' {name} as Rust has them."),
    });
    module.import(category.base.0, category.base.1);
    let mut known: Vec<String> = category.by_hand.iter().map(|it| (*it).to_owned()).collect();
    let (mut aliases, mut strings_of) = (String::new(), BTreeMap::new());
    let keras_has = |name: &str| category.keras_name(name).is_some_and(|it| recorded.has(&it));
    for object in objects {
        if category.by_hand.iter().chain(category.left_out).any(|it| *it == object.name) {
            continue;
        }
        module.add(object.name, &class(category, &object, recorded)?);
        known.push(object.name.to_owned());
        for alias in category.names_of(&object) {
            if alias != object.name && (keras_has(&alias) || !object.is_keras) {
                aliases += &format!("{alias} = {}\n", object.name);
                known.push(alias.clone());
                module.export(&alias);
            }
        }
        strings_of.extend(object.aliases.iter().map(|alias| (*alias, object.name)));
        let function = snake_case(object.name);
        if name == "losses" && keras_has(&function) {
            module.import("oxhorn._identifiers", "registry_function");
            let parameters = recorded.parameters(&format!("{name}.{function}"))?;
            module.add(&function, &functions::of_loss(&object, &function, &parameters));
            known.push(function);
        }
    }
    if !aliases.is_empty() {
        module.constant(&aliases);
    }
    if !strings_of.is_empty() {
        let entries: Vec<String> =
            strings_of.iter().map(|(alias, class)| format!("\"{alias}\": {class}")).collect();
        let note = "# Strings that name a class besides its own name and that in snake case.\n";
        module.constant(
            &(note.to_owned() + &bracketed(0, "ALIASES = {", &entries, "}", Spread::Early)),
        );
    }
    // Functions are written by hand, but for those that losses are.
    let is_own = |name: &str| {
        let is_class = name.starts_with(char::is_uppercase) || category.name == "losses";
        is_class && !["deserialize", "get", "serialize"].contains(&name)
    };
    if let Some(path) = category.path {
        let names = recorded.names(path).into_iter().filter(|name| is_own(name));
        let missing: Vec<&str> =
            names.filter(|it| !known.iter().any(|known| known == it)).collect();
        module.constant(&(MISSING.to_owned() + &strings(0, "MISSING", &missing)));
    }
    Ok(module.text())
}

/// The comment above a list of what there is not.
pub(crate) const MISSING: &str = "# What Keras has and Oxhorn has not.\n";

/// One class.
fn class(category: &Category, object: &Object, recorded: &Recorded) -> Result<String, String> {
    let parameters = match category.keras_name(object.name) {
        Some(name) if object.is_keras => recorded.parameters(&name)?,
        _ => own_parameters(category, object)?,
    };
    let named: Vec<&str> = parameters.iter().map(|it| it.name.as_str()).collect();
    let role = |parameter| role(category, object, parameter, &named);
    let roles: Vec<Role<'_>> = parameters.iter().map(role).collect();
    let (mut arguments, mut signature) = (vec![], vec!["self".to_owned()]);
    for (parameter, role) in parameters.iter().zip(&roles) {
        let (annotation, doc) = match role {
            Role::Common(annotation, doc) => ((*annotation).to_owned(), doc.clone()),
            Role::Setting(field) => fields::described(field, parameter.default.as_deref()),
            Role::Unsupported => {
                let doc = "Refused unless it is the default.".to_owned();
                (fields::of_default(parameter.default.as_deref()), doc)
            }
        };
        let stars = if parameter.kind == Kind::Rest { "**" } else { "" };
        if !doc.is_empty() {
            arguments.push((format!("{stars}{}", parameter.name), doc));
        }
        signature.push(parameter.declared(&annotation));
    }
    let mut text = format!("class {}({}):\n", object.name, category.base.1);
    text += &docstring(4, object.doc, &arguments);
    text += &format!("\n    _class = \"{}\"\n", object.class);
    let settings: Vec<&FieldInfo> = settings(&roles, object);
    let kinds: Vec<String> =
        settings.iter().map(|it| format!("\"{}\": \"{}\"", it.name, fields::kind(it))).collect();
    text += &bracketed(4, "_fields = {", &kinds, "}", Spread::Early);
    let added = category.keras_name(object.name).map(|name| recorded.added(&name));
    let added = added.into_iter().flatten();
    let added: Vec<String> = added
        .filter(|it| object.fields.iter().any(|field| field.name == it.name))
        .map(|it| format!("\"{}\": {}", it.name, it.default.as_deref().unwrap_or("None")))
        .collect();
    if !added.is_empty() {
        text += &bracketed(4, "_added = {", &added, "}", Spread::Early);
    }
    text += "\n";
    text += &bracketed(4, "def __init__(", &signature, ") -> None:", Spread::Late);
    text += &older(object.class);
    text += &constructor(&parameters, &roles, &settings);
    if category.name == "layers" && !parameters.iter().any(|it| it.kind == Kind::Rest) {
        text += &narrower_config(&named);
    }
    Ok(text)
}

/// The parameters of a class that Keras lacks: its settings as Rust has them, those without a
/// default first, and, as `**kwargs`, whatever else its category has in common.
fn own_parameters(category: &Category, object: &Object) -> Result<Vec<Parameter>, String> {
    let (required, others): (Vec<&FieldInfo>, Vec<&FieldInfo>) =
        object.fields.iter().partition(|field| field.default.is_none());
    let mut parameters = vec![];
    for field in required.into_iter().chain(others) {
        let default = fields::own_default(field)
            .map_err(|message| format!("`{}` of `{}`: {message}", field.name, object.class))?;
        parameters.push(Parameter { name: field.name.clone(), kind: Kind::Plain, default });
    }
    let is_setting = |name: &str| object.fields.iter().any(|field| field.name == name);
    if category.common.iter().any(|(name, ..)| !is_setting(name)) {
        let name = "kwargs".to_owned();
        parameters.push(Parameter { name, kind: Kind::Rest, default: None });
    }
    Ok(parameters)
}

/// What takes parameters that Keras once had out of `**kwargs`.
fn older(class: &str) -> String {
    let mut text = String::new();
    for (_, name, older) in OLDER.iter().filter(|(owner, ..)| *owner == class) {
        text += &match older {
            Older::Renamed(now) => {
                let message = format!("\"Argument `{name}` is deprecated. Use `{now}` instead.\"");
                let warning = [message, "stacklevel=2".to_owned()];
                let warning = bracketed(12, "warn(", &warning, ")", Spread::Late);
                format!(
                    "        if \"{name}\" in kwargs:\n            \
                     {now} = kwargs.pop(\"{name}\")\n{warning}"
                )
            }
            Older::Dropped => format!(
                "        if kwargs.pop(\"{name}\", None) is not None:\n            \
                 warn(\"Argument `{name}` is deprecated. Just remove it.\", stacklevel=2)\n"
            ),
            Older::Refused => {
                format!("        self._refuse({name}=kwargs.pop(\"{name}\", None))\n")
            }
        };
    }
    text
}

/// The `get_config` of a layer whose constructor takes these parameters and nothing else.
fn narrower_config(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let head = "\n    def get_config(self) -> dict[str, Any]:\n        \
        config = super().get_config()\n";
    let items = format!("({})", names.join(", "));
    head.to_owned() + &format!("        return {{name: config[name] for name in {items}}}\n")
}

/// The settings that the parameters set, in Rust's order.
fn settings<'a>(roles: &[Role<'a>], object: &'a Object) -> Vec<&'a FieldInfo> {
    let is_set = |field: &&FieldInfo| {
        roles.iter().any(|role| matches!(role, Role::Setting(it) if it.name == field.name))
    };
    object.fields.iter().filter(is_set).collect()
}

/// `named` are the names that the signature has.
fn role<'a>(
    category: &Category,
    object: &'a Object,
    parameter: &Parameter,
    named: &[&str],
) -> Role<'a> {
    let field = object.fields.iter().find(|field| field.name == parameter.name);
    if parameter.kind == Kind::Rest {
        let names = category.common.iter().map(|it| it.0);
        let rest: Vec<&str> = names.filter(|name| !named.contains(name)).collect();
        let doc = format!("What all {} take: `{}`.", category.name, rest.join("`, `"));
        return Role::Common("Any", if rest.is_empty() { String::new() } else { doc });
    }
    let common = category.common.iter().find(|(name, ..)| *name == parameter.name);
    match (common, field) {
        (Some((_, annotation, "")), field) => {
            let doc = field.map_or(String::new(), |field| field.doc.clone());
            Role::Common(annotation, doc)
        }
        (Some((_, annotation, doc)), _) => Role::Common(annotation, (*doc).to_owned()),
        (None, Some(field)) => Role::Setting(field),
        (None, None) => Role::Unsupported,
    }
}

/// The body of `__init__`.
fn constructor(parameters: &[Parameter], roles: &[Role<'_>], settings: &[&FieldInfo]) -> String {
    let named = |parameter: &Parameter| match parameter.kind {
        Kind::Rest => parameter.passed(),
        _ => format!("{0}={0}", parameter.name),
    };
    let of = |wanted: fn(&Role<'_>) -> bool| {
        parameters.iter().zip(roles).filter(move |(_, role)| wanted(role)).map(|(it, _)| it)
    };
    let common: Vec<String> = of(|role| matches!(role, Role::Common(..))).map(named).collect();
    let refused: Vec<String> =
        of(|role| matches!(role, Role::Unsupported)).map(unless_default).collect();
    let default = |field: &FieldInfo| {
        parameters.iter().find(|it| it.name == field.name).and_then(|it| it.default.as_deref())
    };
    let settings: Vec<String> = settings.iter().map(|it| fields::passed(it, default(it))).collect();
    let mut text = String::new();
    if !common.is_empty() {
        text += &bracketed(8, "super().__init__(", &common, ")", Spread::Late);
    }
    if !refused.is_empty() {
        text += &bracketed(8, "self._refuse(", &refused, ")", Spread::Late);
    }
    text + &bracketed(8, "self._configure(", &settings, ")", Spread::Late)
}

/// A setting to be refused, as `None` if it says nothing.
fn unless_default(parameter: &Parameter) -> String {
    let name = &parameter.name;
    match parameter.default.as_deref() {
        None | Some("None" | "False") => format!("{name}={name}"),
        Some(default) => format!("{name}=None if {name} == {default} else {name}"),
    }
}
