//! What the attributes say.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::{
    Attribute, Data, DeriveInput, Error, Fields, Ident, LitStr, Result, Token, Type,
    meta::ParseNestedMeta, parse::ParseStream,
};

/// A struct that is a Keras config, or a part of some.
pub(crate) struct Object {
    pub(crate) name: Ident,
    pub(crate) unit: Shape,
    /// The path of the crate that holds `config`.
    pub(crate) root: TokenStream,
    /// `keras.layers.Dense`; a part has none.
    pub(crate) class: Option<String>,
    pub(crate) shape: Option<String>,
    pub(crate) aliases: Vec<String>,
    pub(crate) unsupported: Vec<String>,
    pub(crate) doc: String,
    pub(crate) fields: Vec<Field>,
}

/// Whether the struct has braces.
pub(crate) enum Shape {
    Unit,
    Braces,
}

/// One field and where its value comes from.
pub(crate) struct Field {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) kind: Kind,
}

/// Where a field's value comes from.
pub(crate) enum Kind {
    Required,
    /// The default, or `Default::default()`.
    Default(Option<TokenStream>),
    /// The default of a setting that Keras lacks, which is written only where it has another value.
    Added(TokenStream),
    /// The name of the default initializer.
    Weight(LitStr),
    /// The defaults of the part.
    Flatten(TokenStream),
    Skip,
}

impl Object {
    pub(crate) fn parse(input: &DeriveInput) -> Result<Object> {
        let Data::Struct(data) = &input.data else {
            return Err(Error::new_spanned(&input.ident, "`Config` is derived for structs only"));
        };
        let mut object = Object {
            name: input.ident.clone(),
            unit: if matches!(data.fields, Fields::Unit) { Shape::Unit } else { Shape::Braces },
            root: quote!(::oxhorn_nn),
            class: None,
            shape: None,
            aliases: vec![],
            unsupported: vec![],
            doc: doc(&input.attrs),
            fields: vec![],
        };
        for attribute in input.attrs.iter().filter(|it| it.path().is_ident("config")) {
            attribute.parse_nested_meta(|meta| object.option(&meta))?;
        }
        if let Fields::Unnamed(fields) = &data.fields {
            return Err(Error::new_spanned(fields, "`Config` needs fields with names"));
        }
        for field in &data.fields {
            let name = field.ident.clone().expect("fields have names");
            let kind = Kind::parse(&field.attrs)?;
            if object.class.is_none() && matches!(kind, Kind::Required) {
                let message = "a part needs a default for every field: `#[config(default)]`; \
                    an object needs a class: `#[config(class = \"keras.layers.Dense\")]`";
                return Err(Error::new_spanned(name, message));
            }
            let docs = field.attrs.iter().filter(|it| it.path().is_ident("doc")).cloned();
            object.fields.push(Field { name, ty: field.ty.clone(), docs: docs.collect(), kind });
        }
        Ok(object)
    }

    fn option(&mut self, meta: &ParseNestedMeta) -> Result<()> {
        if meta.path.is_ident("class") {
            let class: LitStr = meta.value()?.parse()?;
            if !class.value().contains('.') {
                let message = "a class is `module.Name`, such as \"keras.layers.Dense\"";
                return Err(Error::new(class.span(), message));
            }
            self.class = Some(class.value());
        } else if meta.path.is_ident("shape") {
            let shape: LitStr = meta.value()?.parse()?;
            if !shape.value().contains("->") {
                let message = "a shape signature is `inputs -> outputs`, such as \".. -> ..\"";
                return Err(Error::new(shape.span(), message));
            }
            self.shape = Some(shape.value());
        } else if meta.path.is_ident("aliases") {
            self.aliases = strings(meta)?;
        } else if meta.path.is_ident("unsupported") {
            self.unsupported = strings(meta)?;
        } else if meta.path.is_ident("crate") {
            let path: syn::Path = meta.value()?.parse()?;
            self.root = quote!(#path);
        } else {
            let known = "`class`, `shape`, `aliases`, `unsupported` and `crate`";
            return Err(meta.error(format!("unknown option; a struct takes {known}")));
        }
        Ok(())
    }

    /// The class without its module: `Dense`.
    pub(crate) fn class_name(&self) -> String {
        let class = self.class.clone().unwrap_or_else(|| self.name.to_string());
        class.rsplit('.').next().unwrap_or_default().to_owned()
    }
}

impl Kind {
    fn parse(attributes: &[Attribute]) -> Result<Kind> {
        let mut kind = Kind::Required;
        for attribute in attributes.iter().filter(|it| it.path().is_ident("config")) {
            attribute.parse_nested_meta(|meta| {
                if !matches!(kind, Kind::Required) {
                    return Err(meta.error("a field takes one option only"));
                }
                kind = Kind::option(&meta)?;
                Ok(())
            })?;
        }
        Ok(kind)
    }

    fn option(meta: &ParseNestedMeta) -> Result<Kind> {
        if meta.path.is_ident("default") {
            let given = meta.input.peek(Token![=]);
            Ok(Kind::Default(if given { Some(expression(meta.value()?)?) } else { None }))
        } else if meta.path.is_ident("added") {
            Ok(Kind::Added(expression(meta.value()?)?))
        } else if meta.path.is_ident("weight") {
            Ok(Kind::Weight(meta.value()?.parse()?))
        } else if meta.path.is_ident("flatten") {
            Ok(Kind::Flatten(expression(meta.value()?)?))
        } else if meta.path.is_ident("skip") {
            Ok(Kind::Skip)
        } else {
            let known = "`default`, `added`, `weight`, `flatten` or `skip`";
            Err(meta.error(format!("unknown option; a field takes {known}")))
        }
    }
}

/// The tokens up to the next comma.
fn expression(input: ParseStream) -> Result<TokenStream> {
    let mut tokens = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        tokens.extend([input.parse::<TokenTree>()?]);
    }
    match tokens.is_empty() {
        true => Err(input.error("expected an expression")),
        false => Ok(tokens),
    }
}

/// `= ["a", "b"]`
fn strings(meta: &ParseNestedMeta) -> Result<Vec<String>> {
    let input = meta.value()?;
    let content;
    syn::bracketed!(content in input);
    let list = content.parse_terminated(|input| input.parse::<LitStr>(), Token![,])?;
    Ok(list.iter().map(LitStr::value).collect())
}

/// The doc comment, as it was written.
pub(crate) fn doc(attributes: &[Attribute]) -> String {
    let line = |attribute: &Attribute| match &attribute.meta {
        syn::Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => {
                let text = text.value();
                Some(text.strip_prefix(' ').unwrap_or(&text).to_owned())
            }
            _ => None,
        },
        _ => None,
    };
    attributes.iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(source: &str) -> String {
        let input = syn::parse_str(source).expect("a type");
        Object::parse(&input).err().expect("a mistake").to_string()
    }

    #[test]
    fn mistakes_are_explained() {
        assert_eq!(error("enum Mode { A }"), "`Config` is derived for structs only");
        assert_eq!(error("struct Pair(u32, u32);"), "`Config` needs fields with names");
        assert_eq!(
            error("struct Dense { units: usize }"),
            "a part needs a default for every field: `#[config(default)]`; \
             an object needs a class: `#[config(class = \"keras.layers.Dense\")]`"
        );
        assert_eq!(
            error("#[config(class = \"Dense\")] struct Dense;"),
            "a class is `module.Name`, such as \"keras.layers.Dense\""
        );
        assert_eq!(
            error("#[config(class = \"a.B\", colour = \"red\")] struct B;"),
            "unknown option; a struct takes `class`, `shape`, `aliases`, `unsupported` and `crate`"
        );
        assert_eq!(
            error("#[config(class = \"a.B\")] struct B { #[config(required)] c: u32 }"),
            "unknown option; a field takes `default`, `added`, `weight`, `flatten` or `skip`"
        );
        assert_eq!(
            error("#[config(class = \"a.B\")] struct B { #[config(default, skip)] c: u32 }"),
            "a field takes one option only"
        );
    }

    #[test]
    fn doc_comments_keep_their_lines() {
        let input: DeriveInput =
            syn::parse_str("/// One.\n///\n///   - two\n#[config(class = \"a.B\")] struct B;")
                .expect("a type");
        let docs = Object::parse(&input).map(|object| object.doc);
        assert_eq!(docs.expect("no mistake"), "One.\n\n  - two");
    }
}
