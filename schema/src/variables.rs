//! Variables are checked before anything runs: the library finds a wrong one only when its field is executed.

use async_graphql::parser::types::{BaseType, OperationDefinition, Type};
use async_graphql::{ServerError, Value, Variables};

/// What is wrong with the variables of an operation, as far as the types tell that are the language's own. Enumerations
/// and input objects are the library's to check.
pub fn check_variables(operation: &OperationDefinition, variables: &Variables) -> Vec<ServerError> {
    let mut errors = Vec::new();
    for definition in &operation.variable_definitions {
        let (name, ty) = (&definition.node.name.node, &definition.node.var_type.node);
        let value = variables.get(name);
        let has_default = definition.node.default_value.is_some();
        let message = match value {
            None if !ty.nullable && !has_default => {
                format!("Variable \"${name}\" of required type \"{ty}\" was not provided.")
            }
            None => continue,
            Some(value) if fits(value, ty) => continue,
            Some(Value::Null) => format!("Variable \"${name}\" of non-null type \"{ty}\" must not be null."),
            Some(_) => format!("Variable \"${name}\" got an invalid value; expected type \"{ty}\"."),
        };
        errors.push(ServerError::new(message, Some(definition.pos)));
    }
    errors
}

fn fits(value: &Value, ty: &Type) -> bool {
    if *value == Value::Null {
        return ty.nullable;
    }
    match (&ty.base, value) {
        (BaseType::List(item), Value::List(values)) => values.iter().all(|value| fits(value, item)),
        // One value stands for a list of it.
        (BaseType::List(item), value) => fits(value, item),
        (BaseType::Named(name), value) => match name.as_str() {
            "Int" => matches!(value, Value::Number(n) if n.as_i64().is_some_and(|n| i32::try_from(n).is_ok())),
            "Float" => matches!(value, Value::Number(_)),
            "Boolean" => matches!(value, Value::Boolean(_)),
            "String" | "UUID" | "NaiveDate" | "DateTime" => matches!(value, Value::String(_)),
            "ID" => matches!(value, Value::String(_) | Value::Number(_)),
            _ => true,
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn found(definitions: &str, variables: serde_json::Value) -> Vec<String> {
        let document = async_graphql::parser::parse_query(format!("query({definitions}) {{ a }}")).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let errors = check_variables(&operation.node, &Variables::from_json(variables));
        errors.into_iter().map(|error| error.message).collect()
    }

    #[test]
    fn what_is_missing_or_of_another_type_is_told() {
        assert_eq!(found("$a: UUID!", json!({})), ["Variable \"$a\" of required type \"UUID!\" was not provided."]);
        assert_eq!(found("$a: Int! = 4", json!({})), Vec::<String>::new());
        assert_eq!(found("$a: Int! = 4", json!({ "a": null })).len(), 1);
        assert_eq!(found("$a: Int", json!({ "a": null })), Vec::<String>::new());
        for (ty, good, bad) in [
            ("Int", json!(4), json!("4")),
            ("Int", json!(-4), json!(3_000_000_000_i64)),
            ("Float", json!(4), json!(true)),
            ("Boolean", json!(false), json!(0)),
            ("String", json!("a"), json!({ "a": 1 })),
            ("ID", json!(7), json!([])),
            ("[Int!]", json!([1, 2]), json!([1, null])),
            ("[UUID!]!", json!("a"), json!([["a"]])),
        ] {
            assert_eq!(found(&format!("$a: {ty}"), json!({ "a": good })), Vec::<String>::new(), "{ty} {good}");
            assert_eq!(found(&format!("$a: {ty}"), json!({ "a": bad })).len(), 1, "{ty} {bad}");
        }
        assert_eq!(found("$a: VehicleInput!", json!({ "a": { "b": 1 } })), Vec::<String>::new());
    }
}
