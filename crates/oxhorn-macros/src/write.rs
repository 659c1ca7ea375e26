//! What the derive writes.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{GenericArgument, PathArguments, Type};

use crate::parse::{Field, Kind, Object, Shape, doc};

/// All that follows from the struct.
pub(crate) fn object(object: &Object) -> TokenStream {
    let inherent = inherent(object);
    let parts = parts(object);
    let config = match &object.class {
        Some(class) => config(object, class),
        None => part(object),
    };
    quote! { #inherent #parts #config }
}

/// `new`, `Default` and the setters.
fn inherent(object: &Object) -> TokenStream {
    let (name, root) = (&object.name, &object.root);
    let required: Vec<&Field> =
        object.fields.iter().filter(|field| matches!(field.kind, Kind::Required)).collect();
    let arguments = required.iter().map(|field| {
        let (name, ty) = (&field.name, argument(&field.ty));
        quote!(#name: #ty)
    });
    let values = object.fields.iter().map(|field| {
        let name = &field.name;
        match field.kind {
            Kind::Required => {
                let value = converted(&field.ty, quote!(#name));
                quote!(#name: #value)
            }
            _ => {
                let default = default(object, field);
                quote!(#name: #default)
            }
        }
    });
    let body = match object.unit {
        Shape::Unit => quote!(Self),
        Shape::Braces => quote!(Self { #(#values),* }),
    };
    let setters = object.fields.iter().map(|field| setter(root, field));
    let new_doc = match required.as_slice() {
        [] => format!("`{name}` with Keras' defaults."),
        _ => format!("`{name}` with Keras' defaults for everything not named here."),
    };
    let default = required.is_empty().then(|| {
        quote! {
            impl ::core::default::Default for #name {
                fn default() -> Self {
                    Self::new()
                }
            }
        }
    });
    quote! {
        impl #name {
            #[doc = #new_doc]
            pub fn new(#(#arguments),*) -> Self {
                #body
            }

            #(#setters)*
        }

        #default
    }
}

fn setter(root: &TokenStream, field: &Field) -> TokenStream {
    let (name, docs) = (&field.name, &field.docs);
    match &field.kind {
        Kind::Default(_) | Kind::Added(_) => {
            let (argument, value) = (argument(&field.ty), converted(&field.ty, quote!(#name)));
            quote! {
                #(#docs)*
                #[must_use]
                pub fn #name(mut self, #name: #argument) -> Self {
                    self.#name = #value;
                    self
                }
            }
        }
        Kind::Weight(_) => {
            let kinds = [
                ("initializer", quote!(Initializer), quote!(initializer)),
                ("regularizer", quote!(Regularizer), quote!(Some(regularizer))),
                ("constraint", quote!(Constraint), quote!(Some(constraint))),
            ];
            let setters = kinds.map(|(kind, ty, value)| {
                let (setter, kind) = (format_ident!("{name}_{kind}"), format_ident!("{kind}"));
                let text = format!("The {kind} of the `{name}`: an object or its name.");
                quote! {
                    #[doc = #text]
                    #[must_use]
                    pub fn #setter(
                        mut self,
                        #kind: impl ::core::convert::Into<#root::config::#ty>,
                    ) -> Self {
                        let #kind = #kind.into();
                        self.#name.#kind = #value;
                        self
                    }
                }
            });
            quote!(#(#setters)*)
        }
        Kind::Required | Kind::Flatten(_) | Kind::Skip => TokenStream::new(),
    }
}

/// Access to flattened parts, for the traits that add their setters.
fn parts(object: &Object) -> TokenStream {
    let name = &object.name;
    let flattened = object.fields.iter().filter(|field| matches!(field.kind, Kind::Flatten(_)));
    let access = flattened.map(|field| {
        let (part, ty) = (&field.name, &field.ty);
        quote! {
            impl ::core::convert::AsRef<#ty> for #name {
                fn as_ref(&self) -> &#ty {
                    &self.#part
                }
            }

            impl ::core::convert::AsMut<#ty> for #name {
                fn as_mut(&mut self) -> &mut #ty {
                    &mut self.#part
                }
            }
        }
    });
    quote!(#(#access)*)
}

/// `impl Config`.
fn config(object: &Object, class: &str) -> TokenStream {
    let Object { name, root, aliases, unsupported, doc, .. } = object;
    let shape = match &object.shape {
        Some(shape) => quote!(::core::option::Option::Some(#shape)),
        None => quote!(::core::option::Option::None),
    };
    let class_name = object.class_name();
    let reads = object.fields.iter().map(|field| read(object, field));
    let value = match object.unit {
        Shape::Unit => quote!(Self),
        Shape::Braces => quote!(Self { #(#reads),* }),
    };
    let (writes, infos) = (writes(object), infos(object));
    quote! {
        impl #root::config::Config for #name {
            const CLASS: &'static str = #class;
            const SHAPE: ::core::option::Option<&'static str> = #shape;
            const ALIASES: &'static [&'static str] = &[#(#aliases),*];
            const DOC: &'static str = #doc;

            fn fields() -> ::std::vec::Vec<#root::config::FieldInfo> {
                #[allow(unused_mut, reason = "an object may have no settings")]
                let mut fields = ::std::vec::Vec::new();
                #infos
                fields
            }

            fn from_config(config: &#root::config::Map) -> #root::config::Result<Self> {
                #[allow(unused_mut, reason = "an object may have no settings")]
                let mut reader =
                    #root::config::Reader::new(#class_name, config, &[#(#unsupported),*]);
                let value = #value;
                reader.finish()?;
                ::core::result::Result::Ok(value)
            }

            fn config(&self) -> #root::config::Map {
                #[allow(unused_mut, reason = "an object may have no settings")]
                let mut map = #root::config::Map::new();
                #writes
                map
            }
        }
    }
}

/// `impl Part`.
fn part(object: &Object) -> TokenStream {
    let Object { name, root, .. } = object;
    let reads = object.fields.iter().map(|field| {
        let (name, key) = (&field.name, field.name.to_string());
        // What is never written is still understood.
        quote!(#name: reader.or(#key, || default.#name)?)
    });
    let writes = writes(object);
    let infos =
        object.fields.iter().filter(|field| !matches!(field.kind, Kind::Skip)).map(|field| {
            let (name, key, text) = (&field.name, field.name.to_string(), doc(&field.docs));
            let ty = &field.ty;
            quote! {
                fields.push(#root::config::FieldInfo::new::<#ty>(
                    #key, ::core::option::Option::Some(&default.#name), #text,
                ));
            }
        });
    quote! {
        impl #root::config::Part for #name {
            fn fields(
                default: &Self,
                fields: &mut ::std::vec::Vec<#root::config::FieldInfo>,
            ) {
                #(#infos)*
            }

            fn read(
                reader: &mut #root::config::Reader<'_>,
                default: Self,
            ) -> #root::config::Result<Self> {
                ::core::result::Result::Ok(Self { #(#reads),* })
            }

            fn write(&self, map: &mut #root::config::Map) {
                #writes
            }
        }
    }
}

/// `units: reader.required("units")?`
fn read(object: &Object, field: &Field) -> TokenStream {
    let (name, key, root) = (&field.name, field.name.to_string(), &object.root);
    let default = default(object, field);
    match field.kind {
        Kind::Required => quote!(#name: reader.required(#key)?),
        Kind::Default(_) | Kind::Added(_) => quote!(#name: reader.or(#key, || #default)?),
        Kind::Weight(_) => quote!(#name: reader.weight(#key, #default)?),
        Kind::Flatten(_) => quote!(#name: #root::config::Part::read(&mut reader, #default)?),
        Kind::Skip => quote!(#name: #default),
    }
}

/// The fields' entries in the map; those of weights together and sorted by kind, as in Keras.
fn writes(object: &Object) -> TokenStream {
    let root = &object.root;
    let mut weights = weights(object);
    let entries = object.fields.iter().map(|field| {
        let (name, key) = (&field.name, field.name.to_string());
        match field.kind {
            Kind::Required | Kind::Default(_) => {
                quote!(map.insert(#key.into(), #root::config::Field::write(&self.#name));)
            }
            Kind::Added(_) => {
                let default = default(object, field);
                quote! {
                    if self.#name != #default {
                        map.insert(#key.into(), #root::config::Field::write(&self.#name));
                    }
                }
            }
            Kind::Flatten(_) => quote!(#root::config::Part::write(&self.#name, &mut map);),
            Kind::Weight(_) => {
                let names: Vec<_> = std::mem::take(&mut weights);
                let keys = names.iter().map(|name| name.to_string());
                quote!(#root::config::Weight::write(&[#((#keys, &self.#names)),*], &mut map);)
            }
            Kind::Skip => TokenStream::new(),
        }
    });
    quote!(#(#entries)*)
}

/// What is known of each field.
fn infos(object: &Object) -> TokenStream {
    let root = &object.root;
    let mut weights = weights(object);
    let entries = object.fields.iter().map(|field| {
        let (key, ty, text) = (field.name.to_string(), &field.ty, doc(&field.docs));
        let default = default(object, field);
        match field.kind {
            Kind::Required => quote! {
                fields.push(#root::config::FieldInfo::new::<#ty>(
                    #key, ::core::option::Option::None, #text,
                ));
            },
            Kind::Default(_) | Kind::Added(_) => quote! {
                fields.push(#root::config::FieldInfo::new::<#ty>(
                    #key, ::core::option::Option::Some(&#default), #text,
                ));
            },
            Kind::Flatten(_) => quote! {
                <#ty as #root::config::Part>::fields(&#default, &mut fields);
            },
            Kind::Weight(_) => {
                let names: Vec<_> = std::mem::take(&mut weights);
                let fields = names.iter().map(|name| {
                    object.fields.iter().find(|field| field.name == *name).expect("a weight")
                });
                let entries = fields.map(|field| {
                    let (key, default) = (field.name.to_string(), self::default(object, field));
                    quote!((#key, #default))
                });
                quote!(#root::config::Weight::fields(&[#(#entries),*], &mut fields);)
            }
            Kind::Skip => TokenStream::new(),
        }
    });
    quote!(#(#entries)*)
}

fn weights(object: &Object) -> Vec<syn::Ident> {
    let weights = object.fields.iter().filter(|field| matches!(field.kind, Kind::Weight(_)));
    weights.map(|field| field.name.clone()).collect()
}

/// The field's default as an expression of its type.
fn default(object: &Object, field: &Field) -> TokenStream {
    let (root, ty) = (&object.root, &field.ty);
    match &field.kind {
        Kind::Default(Some(value)) | Kind::Added(value) if is_number(ty) => quote!(#value),
        Kind::Default(Some(value)) | Kind::Added(value) | Kind::Flatten(value) => {
            quote!(#root::config::into::<#ty>(#value))
        }
        Kind::Weight(name) => quote!(#root::config::Weight::new(#name)),
        Kind::Default(None) | Kind::Skip | Kind::Required => {
            quote!(<#ty as ::core::default::Default>::default())
        }
    }
}

/// The type of a constructor's or setter's argument.
fn argument(ty: &Type) -> TokenStream {
    match option(ty) {
        Some(inner) if !is_number(inner) => argument(inner),
        _ if is_integer(ty) => quote!(#ty),
        _ => quote!(impl ::core::convert::Into<#ty>),
    }
}

/// An argument of that type as the field's value.
fn converted(ty: &Type, value: TokenStream) -> TokenStream {
    match option(ty) {
        Some(inner) if !is_number(inner) => {
            let value = converted(inner, value);
            quote!(::core::option::Option::Some(#value))
        }
        _ if is_integer(ty) => value,
        _ => quote!(#value.into()),
    }
}

/// Whether literals alone do not say which type they are, so that `impl Into` would not compile.
fn is_integer(ty: &Type) -> bool {
    let integers = ["bool", "isize", "usize", "u32", "u64", "i32", "i64"];
    matches!(ty, Type::Path(path) if integers.iter().any(|name| path.path.is_ident(name)))
}

fn is_number(ty: &Type) -> bool {
    is_integer(ty) || matches!(ty, Type::Path(path) if path.path.is_ident("f64"))
}

/// The `T` of `Option<T>`.
fn option(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}
