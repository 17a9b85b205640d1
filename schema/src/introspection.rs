//! What a document asks about the schema itself. Its answer needs nothing but the schema, and walks all of it.

use async_graphql::parser::types::{ExecutableDocument, Field, Selection, SelectionSet};

/// How often a document asks what the schema is, once its fragments are written out. Of one that [`crate::read`] let
/// pass: its fragments have an end.
pub fn introspections(document: &ExecutableDocument) -> usize {
    fn count(document: &ExecutableDocument, set: &SelectionSet) -> usize {
        let each = set.items.iter().map(|item| match &item.node {
            Selection::Field(field) if is_question(&field.node) => 1,
            Selection::Field(field) => count(document, &field.node.selection_set.node),
            Selection::InlineFragment(inline) => count(document, &inline.node.selection_set.node),
            Selection::FragmentSpread(spread) => {
                named(document, &spread.node.fragment_name.node).map_or(0, |set| count(document, set))
            }
        });
        each.sum()
    }
    roots(document).map(|set| count(document, set)).sum()
}

/// Whether a document asks for nothing but what the schema is: its answer waits for nobody.
pub fn only_introspects(document: &ExecutableDocument) -> bool {
    fn is_about_schema(document: &ExecutableDocument, set: &SelectionSet) -> bool {
        set.items.iter().all(|item| match &item.node {
            Selection::Field(field) => field.node.name.node.starts_with("__"),
            Selection::InlineFragment(inline) => is_about_schema(document, &inline.node.selection_set.node),
            Selection::FragmentSpread(spread) => {
                named(document, &spread.node.fragment_name.node).is_some_and(|set| is_about_schema(document, set))
            }
        })
    }
    introspections(document) > 0 && roots(document).all(|set| is_about_schema(document, set))
}

fn is_question(field: &Field) -> bool {
    matches!(field.name.node.as_str(), "__schema" | "__type")
}

fn roots(document: &ExecutableDocument) -> impl Iterator<Item = &SelectionSet> {
    document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node)
}

fn named<'a>(document: &'a ExecutableDocument, fragment: &str) -> Option<&'a SelectionSet> {
    document.fragments.get(fragment).map(|fragment| &fragment.node.selection_set.node)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn questions_about_the_schema_are_counted_wherever_they_stand() {
        for (text, often, nothing_else) in [
            ("{ viewer { id } }", 0, false),
            ("{ __typename }", 0, false),
            ("{ __typename __schema { queryType { name } } }", 1, true),
            ("{ a: __schema { types { name } } ... { __type(name: \"Car\") { name } } }", 2, true),
            (
                "{ ...Q ...Q } fragment Q on Query { ...R b: __type(name: \"B\") { name } } fragment R on Query { __schema { types { name } } }",
                4,
                true,
            ),
            ("{ ...Q viewer { id } } fragment Q on Query { __schema { types { name } } }", 1, false),
            ("query A { __schema { types { name } } } query B { viewer { id } }", 1, false),
        ] {
            let document = crate::read(text).unwrap();
            assert_eq!((introspections(&document), only_introspects(&document)), (often, nothing_else), "{text}");
        }
    }
}
