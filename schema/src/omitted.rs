//! Variables that a client leaves out. The language counts what they stand for as left out too; the library knows that
//! when it executes, and not when it counts what a document costs, where it takes them for undefined.

use std::collections::HashSet;

use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, Variables};
use async_graphql_value::Value;

/// Takes arguments and fields of input out of a document of one operation where they stand for a variable that has no
/// value; in lists it becomes null (GraphQL, sections 6.4.1 and 3.10).
pub fn leave_out_omitted(document: &mut ExecutableDocument, variables: &Variables) {
    let Some(operation) = only(&mut document.operations) else { return };
    let definitions = operation.variable_definitions.iter().map(|definition| &definition.node);
    let omitted = definitions.filter(|definition| {
        let has_default = definition.default_value.is_some();
        definition.var_type.node.nullable && !has_default && !variables.contains_key(&definition.name.node)
    });
    let mut scissors =
        Scissors { omitted: omitted.map(|definition| definition.name.node.clone()).collect(), cut: HashSet::new() };
    if scissors.omitted.is_empty() {
        return;
    }
    scissors.directives(&mut operation.directives);
    scissors.selection(&mut operation.selection_set.node);
    for fragment in document.fragments.values_mut() {
        scissors.directives(&mut fragment.node.directives);
        scissors.selection(&mut fragment.node.selection_set.node);
    }
    // What is used nowhere any more would be found unused; what never was still is.
    operation.variable_definitions.retain(|definition| !scissors.cut.contains(&definition.node.name.node));
}

fn only(operations: &mut DocumentOperations) -> Option<&mut OperationDefinition> {
    match operations {
        DocumentOperations::Single(operation) => Some(&mut operation.node),
        DocumentOperations::Multiple(all) if all.len() == 1 => all.values_mut().next().map(|only| &mut only.node),
        DocumentOperations::Multiple(_) => None,
    }
}

struct Scissors {
    omitted: HashSet<Name>,
    /// Those that were used somewhere.
    cut: HashSet<Name>,
}

impl Scissors {
    /// A document is no deeper here than `read` lets it be.
    fn selection(&mut self, set: &mut SelectionSet) {
        for item in &mut set.items {
            match &mut item.node {
                Selection::Field(field) => {
                    self.arguments(&mut field.node.arguments);
                    self.directives(&mut field.node.directives);
                    self.selection(&mut field.node.selection_set.node);
                }
                Selection::InlineFragment(fragment) => {
                    self.directives(&mut fragment.node.directives);
                    self.selection(&mut fragment.node.selection_set.node);
                }
                Selection::FragmentSpread(spread) => self.directives(&mut spread.node.directives),
            }
        }
    }

    fn directives(&mut self, directives: &mut [Positioned<Directive>]) {
        for directive in directives {
            self.arguments(&mut directive.node.arguments);
        }
    }

    fn arguments(&mut self, arguments: &mut Vec<(Positioned<Name>, Positioned<Value>)>) {
        arguments.retain_mut(|(_, value)| !self.is_omitted(&mut value.node));
    }

    fn is_omitted(&mut self, value: &mut Value) -> bool {
        match value {
            Value::Variable(name) if self.omitted.contains(name) => {
                self.cut.insert(name.clone());
                true
            }
            Value::List(items) => {
                for item in items {
                    if self.is_omitted(item) {
                        *item = Value::Null;
                    }
                }
                false
            }
            Value::Object(fields) => {
                fields.retain(|_, field| !self.is_omitted(field));
                false
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn left(query: &str, variables: serde_json::Value) -> String {
        let mut document = async_graphql::parser::parse_query(query).unwrap();
        leave_out_omitted(&mut document, &Variables::from_json(variables));
        format!("{document:?}")
    }

    #[test]
    fn what_stands_for_nothing_is_left_out() {
        let query = "query Q($a: Int, $b: Int, $c: Int = 3, $d: Int!) { f(a: $a, b: $b, i: { a: $a, b: $b, l: [$a, $b] }) { ...F } }
            fragment F on T { g(a: $a, c: $c, d: $d) }";
        let same = left(
            "query Q($b: Int, $c: Int = 3, $d: Int!) { f(b: $b, i: { b: $b, l: [null, $b] }) { ...F } }
            fragment F on T { g(c: $c, d: $d) }",
            json!({ "b": 1 }),
        );
        let plain = |text: String| {
            // Places in the text differ.
            let mut rest = text.as_str();
            let mut plain = String::new();
            while let Some((before, after)) = rest.split_once("Pos(") {
                plain += before;
                rest = after.split_once(')').unwrap().1;
            }
            plain + rest
        };
        assert_eq!(plain(left(query, json!({ "b": 1 }))), plain(same));
        let unused = "query($a: Int) { f }";
        assert!(left(unused, json!({})).contains("\"a\""), "the library says that it is used nowhere");
    }
}
