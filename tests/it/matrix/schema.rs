//! Questions made from the schema.

use std::collections::HashMap;

use async_graphql::Name;
use async_graphql::parser::types::{
    BaseType, ConstDirective, FieldDefinition, InputValueDefinition, Type, TypeDefinition, TypeKind,
    TypeSystemDefinition,
};
use keroxio_core::Access;

/// An id that nothing has.
pub const NOBODY: &str = "01890000-0000-7000-8000-000000000000";

/// A root field, asked with the least that it needs.
pub struct Question {
    pub root: &'static str,
    pub field: String,
    pub text: String,
    pub access: Option<Access>,
    pub takes_file: bool,
    /// Arguments that are an id or a list of ids, by their types as variables.
    pub ids: Vec<(String, String)>,
}

pub struct Types(HashMap<String, TypeDefinition>);

/// Every query and mutation of a schema in the definition language.
pub fn questions(sdl: &str) -> Vec<Question> {
    let types = Types::of(sdl);
    let mut all = Vec::new();
    for root in ["Query", "Mutation"] {
        for field in types.fields(root) {
            all.push(types.question(root, field, &[]));
        }
    }
    assert!(all.len() > 90, "the roots were not found");
    all
}

fn access_of(directives: &[async_graphql::Positioned<ConstDirective>]) -> Option<Access> {
    let directive = directives.iter().find(|directive| directive.node.name.node == "access")?;
    let to = directive.node.get_argument("to")?.node.to_string();
    let all = [
        Access::Open,
        Access::Person,
        Access::Staff,
        Access::Read,
        Access::Stock,
        Access::Publish,
        Access::Money,
        Access::Members,
        Access::Settings,
        Access::Own,
    ];
    all.into_iter().find(|access| format!("{access:?}").to_uppercase() == to)
}

impl Types {
    pub fn of(sdl: &str) -> Self {
        let document = async_graphql::parser::parse_schema(sdl).unwrap();
        let types = document.definitions.into_iter().filter_map(|definition| match definition {
            TypeSystemDefinition::Type(ty) => Some((ty.node.name.node.to_string(), ty.node)),
            _ => None,
        });
        Self(types.collect())
    }

    /// Names of the types that have the fields of an interface, sorted.
    pub fn implementors(&self, interface: &str) -> Vec<String> {
        let has = |ty: &&TypeDefinition| match &ty.kind {
            TypeKind::Object(object) => object.implements.iter().any(|name| name.node == interface),
            _ => false,
        };
        let mut names: Vec<_> = self.0.values().filter(has).map(|ty| ty.name.node.to_string()).collect();
        names.sort();
        names
    }

    pub fn fields(&self, name: &str) -> Vec<&FieldDefinition> {
        match &self.0[name].kind {
            TypeKind::Object(object) => object.fields.iter().map(|field| &field.node).collect(),
            TypeKind::Interface(interface) => interface.fields.iter().map(|field| &field.node).collect(),
            _ => Vec::new(),
        }
    }

    /// The field with the arguments it needs, and with those of some names as variables.
    pub fn question(&self, root: &'static str, field: &FieldDefinition, variables: &[&str]) -> Question {
        self.deep_question(root, field, variables, None)
    }

    /// The same with all that the answer holds, so many levels deep.
    pub fn deep_question(
        &self,
        root: &'static str,
        field: &FieldDefinition,
        variables: &[&str],
        depth: Option<usize>,
    ) -> Question {
        let arguments = || field.arguments.iter().map(|argument| &argument.node);
        let (mut given, mut declared) = (Vec::new(), Vec::new());
        for argument in arguments() {
            let (name, ty) = (&argument.name.node, &argument.ty.node);
            if innermost(ty) == "Upload" {
                declared.push("$file: Upload!".to_owned());
                given.push(format!("{name}: $file"));
            } else if variables.contains(&name.as_str()) {
                declared.push(format!("${name}: {ty}"));
                given.push(format!("{name}: ${name}"));
            } else if is_needed(argument) {
                given.push(format!("{name}: {}", self.value(ty)));
            }
        }
        let given = if given.is_empty() { String::new() } else { format!("({})", given.join(", ")) };
        let ty = innermost(&field.ty.node);
        let selection = depth.map_or_else(|| self.selection(ty), |depth| self.everything(ty, depth));
        let takes_file = declared.iter().any(|text| text.starts_with("$file"));
        let declared = if declared.is_empty() { String::new() } else { format!("({})", declared.join(", ")) };
        let name = field.name.node.to_string();
        let ids = arguments().filter(|argument| ["UUID", "ID"].contains(&innermost(&argument.ty.node)));
        Question {
            root,
            text: format!("{}{declared} {{ {name}{given} {selection} }}", root.to_lowercase()),
            field: name,
            access: access_of(&field.directives),
            takes_file,
            ids: ids.map(|argument| (argument.name.node.to_string(), argument.ty.node.to_string())).collect(),
        }
    }

    /// All that can be selected of a type without arguments, so many levels deep.
    pub fn everything(&self, name: &str, depth: usize) -> String {
        let Some(TypeKind::Object(object)) = self.0.get(name).map(|ty| &ty.kind) else { return self.selection(name) };
        let mut selected = vec!["__typename".to_owned()];
        for field in object.fields.iter().map(|field| &field.node) {
            let needs = field.arguments.iter().any(|argument| is_needed(&argument.node));
            let (own, ty) = (&field.name.node, innermost(&field.ty.node));
            // What only others may ask of a type would fail the whole of it.
            if needs || access_of(&field.directives).is_some() {
                continue;
            }
            match self.0.get(ty).map(|ty| &ty.kind) {
                Some(TypeKind::Object(_)) if depth > 0 => {
                    selected.push(format!("{own} {}", self.everything(ty, depth - 1)));
                }
                Some(TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union(_)) => {}
                _ => selected.push(own.to_string()),
            }
        }
        format!("{{ {} }}", selected.join(" "))
    }

    /// What every type has.
    fn selection(&self, name: &str) -> String {
        let Some(ty) = self.0.get(name) else { return String::new() };
        match &ty.kind {
            TypeKind::Object(_) => "{ __typename }".to_owned(),
            TypeKind::Interface(_) | TypeKind::Union(_) => "{ __typename }".to_owned(),
            _ => String::new(),
        }
    }

    fn value(&self, ty: &Type) -> String {
        match &ty.base {
            BaseType::List(_) => "[]".to_owned(),
            BaseType::Named(name) => self.named(name),
        }
    }

    fn named(&self, name: &Name) -> String {
        match name.as_str() {
            "UUID" | "ID" => return format!("\"{NOBODY}\""),
            "String" => return "\"x\"".to_owned(),
            "Int" => return "1".to_owned(),
            "Float" => return "1.0".to_owned(),
            "Boolean" => return "true".to_owned(),
            "NaiveDate" => return "\"2026-01-01\"".to_owned(),
            "DateTime" => return "\"2026-01-01T00:00:00Z\"".to_owned(),
            _ => {}
        }
        match &self.0[name.as_str()].kind {
            // The last role is the least.
            TypeKind::Enum(choices) => choices.values.last().unwrap().node.value.node.to_string(),
            TypeKind::InputObject(object) => {
                let needed = object.fields.iter().map(|field| &field.node).filter(|field| is_needed(field));
                let fields = needed.map(|field| format!("{}: {}", field.name.node, self.value(&field.ty.node)));
                format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
            }
            other => panic!("no value for {name}: {other:?}"),
        }
    }
}

fn is_needed(argument: &InputValueDefinition) -> bool {
    !argument.ty.node.nullable && argument.default_value.is_none()
}

fn innermost(ty: &Type) -> &str {
    match &ty.base {
        BaseType::List(inner) => innermost(inner),
        BaseType::Named(name) => name,
    }
}
