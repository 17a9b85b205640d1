//! Reads a GraphQL document that anybody may have written. The library's parser and validation take time, and stack, that
//! grow with what a document nests and repeats: every text passes here first, whatever transport it came by.

use std::collections::HashMap;

use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, InlineFragment, Selection, SelectionSet, VariableDefinition,
};
use async_graphql::{Pos, Positioned};
use keroxio_core::{Error, ErrorCode};

/// Most fields a document may ask for once its fragments are written out.
const MAX_SELECTIONS: u64 = 5_000;
/// What a question about the schema itself counts for: each walks all its types.
const INTROSPECTION: u64 = 500;
const MAX_DEPTH: u32 = 32;
/// Brackets within brackets of a text. The parser calls itself for each.
const MAX_NESTING: usize = 64;
/// Names, values and signs of a text.
const MAX_TOKENS: usize = 15_000;
/// What the library puts in place of an uploaded file; a client may not write it itself.
pub const UPLOAD_MARKER: &str = "#__graphql_file__:";

/// Why a text is no document to be executed.
#[derive(Debug)]
pub enum Unreadable {
    /// It is not written as the language wants it.
    Syntax { message: String, at: Option<Pos> },
    /// It asks for too much, or for what nobody may ask.
    Refused(Error),
}

/// The document of a text, within our limits, and such that the library understands all of it.
///
/// # Errors
/// [`Unreadable`], at a cost that grows with the length of the text alone.
pub fn read(text: &str) -> Result<ExecutableDocument, Unreadable> {
    check_text(text)?;
    let mut document = async_graphql::parser::parse_query(text).map_err(|e| {
        // The library draws the line with a finger under it: the sentence is its last part.
        let message = e.to_string();
        let sentence = message.rsplit("= ").next().unwrap_or_default().trim().to_owned();
        Unreadable::Syntax { message: format!("Syntax error: {sentence}"), at: e.positions().next() }
    })?;
    check_document(&document).map_err(Unreadable::Refused)?;
    if forges_upload(&document) {
        return Err(Unreadable::Refused(forged()));
    }
    for set in sets(&mut document) {
        wrap_conditions(set);
    }
    Ok(document)
}

/// Counts brackets and tokens without building anything.
///
/// What the parser might take for the end of a string where we do not, or the other way round, is no document: a string
/// that never ends, and three quotation marks within a block string.
fn check_text(text: &str) -> Result<(), Unreadable> {
    let (mut depth, mut tokens, mut in_word) = (0_usize, 0_usize, false);
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let is_word = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'+');
        match byte {
            b'#' => at += bytes[at..].iter().take_while(|b| !matches!(b, b'\n' | b'\r')).count(),
            b'"' => {
                at = end_of_string(bytes, at).ok_or_else(unterminated)?;
                tokens += 1;
                in_word = false;
                continue;
            }
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let separates = byte.is_ascii_whitespace() || *byte == b',' || *byte == b'#';
        tokens += usize::from(if is_word { !in_word } else { !separates });
        in_word = is_word;
        if depth > MAX_NESTING || tokens > MAX_TOKENS {
            return Err(Unreadable::Refused(too_complex()));
        }
        at += 1;
    }
    Ok(())
}

fn unterminated() -> Unreadable {
    Unreadable::Syntax { message: "Syntax error: a string without its end".to_owned(), at: None }
}

/// The place after a string or block string that begins at a quotation mark.
fn end_of_string(bytes: &[u8], start: usize) -> Option<usize> {
    let is_block = bytes[start..].starts_with(b"\"\"\"");
    let mut at = start + if is_block { 3 } else { 1 };
    while at < bytes.len() {
        let rest = &bytes[at..];
        if rest.starts_with(b"\\\"\"\"") && is_block {
            return None;
        } else if rest.starts_with(b"\"\"\"") && is_block {
            return Some(at + 3);
        } else if !is_block && bytes[at] == b'"' {
            return Some(at + 1);
        } else if !is_block && matches!(bytes[at], b'\n' | b'\r') {
            return None;
        } else if !is_block && bytes[at] == b'\\' {
            at += 2;
        } else {
            at += 1;
        }
    }
    None
}

/// Bounds what the fragments of a document expand to. The library's validation visits every
/// expansion, so thirty lines of nested fragments would keep it busy for hours.
fn check_document(document: &ExecutableDocument) -> Result<(), Error> {
    let mut counter = Counter { document, sizes: HashMap::new() };
    let mut total = 0_u64;
    for (_, operation) in document.operations.iter() {
        total = total.saturating_add(counter.size(&operation.node.selection_set.node, 0)?);
    }
    // Those that nobody uses are validated too.
    for name in document.fragments.keys() {
        total = total.max(counter.fragment(name, 0)?);
    }
    if total > MAX_SELECTIONS { Err(too_complex()) } else { Ok(()) }
}

fn too_complex() -> Error {
    Error::new(
        ErrorCode::QUERY_TOO_COMPLEX,
        format!(
            "La requête demande plus de {MAX_SELECTIONS} champs une fois ses fragments développés, ou imbrique trop : découpez-la."
        ),
        format!(
            "The query asks for more than {MAX_SELECTIONS} fields once its fragments are expanded, or nests too much: split it."
        ),
    )
}

fn forged() -> Error {
    Error::bad_input(
        "Un fichier se joint par la spécification multipart de GraphQL, pas par un texte.",
        "A file is attached by the GraphQL multipart request specification, not by a text.",
    )
}

struct Counter<'a> {
    document: &'a ExecutableDocument,
    /// `None` while a fragment is being counted: meeting it again is a cycle.
    sizes: HashMap<&'a str, Option<u64>>,
}

impl<'a> Counter<'a> {
    fn size(&mut self, set: &'a SelectionSet, depth: u32) -> Result<u64, Error> {
        if depth > MAX_DEPTH {
            return Err(too_complex());
        }
        let mut size = 0_u64;
        for selection in &set.items {
            size = size.saturating_add(match &selection.node {
                Selection::Field(field) => {
                    let own = if field.node.name.node.starts_with("__") && !is_typename(&field.node) {
                        INTROSPECTION
                    } else {
                        1
                    };
                    self.size(&field.node.selection_set.node, depth + 1)?.saturating_add(own)
                }
                Selection::InlineFragment(inline) => self.size(&inline.node.selection_set.node, depth + 1)?,
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node, depth + 1)?,
            });
        }
        Ok(size)
    }

    fn fragment(&mut self, name: &'a str, depth: u32) -> Result<u64, Error> {
        match self.sizes.get(name) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => return Err(too_complex()),
            None => {}
        }
        // An unknown fragment is the validator's to report.
        let Some(fragment) = self.document.fragments.get(name) else { return Ok(1) };
        self.sizes.insert(name, None);
        let size = self.size(&fragment.node.selection_set.node, depth)?;
        self.sizes.insert(name, Some(size));
        Ok(size)
    }
}

fn is_typename(field: &Field) -> bool {
    field.name.node == "__typename"
}

fn sets(document: &mut ExecutableDocument) -> impl Iterator<Item = &mut SelectionSet> {
    use async_graphql::parser::types::DocumentOperations::{Multiple, Single};
    let operations: Vec<_> = match &mut document.operations {
        Single(operation) => vec![&mut operation.node],
        Multiple(operations) => operations.values_mut().map(|operation| &mut operation.node).collect(),
    };
    let fragments = document.fragments.values_mut().map(|fragment| &mut fragment.node.selection_set.node);
    operations.into_iter().map(|operation| &mut operation.selection_set.node).chain(fragments)
}

/// The library looks at no directive of a `__typename`, neither to validate it nor to count its variables. The same
/// directive around it is looked at: `__typename @include(if: $a)` is `... @include(if: $a) { __typename }`.
fn wrap_conditions(set: &mut SelectionSet) {
    for item in &mut set.items {
        let at = item.pos;
        match &mut item.node {
            Selection::Field(field) if is_typename(&field.node) && !field.node.directives.is_empty() => {
                let directives = std::mem::take(&mut field.node.directives);
                let alone = SelectionSet { items: vec![Positioned::new(Selection::Field(field.clone()), at)] };
                let inline =
                    InlineFragment { type_condition: None, directives, selection_set: Positioned::new(alone, at) };
                item.node = Selection::InlineFragment(Positioned::new(inline, at));
            }
            Selection::Field(field) => wrap_conditions(&mut field.node.selection_set.node),
            Selection::InlineFragment(inline) => wrap_conditions(&mut inline.node.selection_set.node),
            Selection::FragmentSpread(_) => {}
        }
    }
}

/// Whether a value written in the document would be taken for an uploaded file: the library would look for a file that
/// is not there, and panic.
fn forges_upload(document: &ExecutableDocument) -> bool {
    let operations = document.operations.iter().any(|(_, operation)| {
        let operation = &operation.node;
        operation.variable_definitions.iter().any(|variable| defaults_to_file(&variable.node))
            || any_marked(&operation.directives)
            || marks(&operation.selection_set.node)
    });
    operations
        || document
            .fragments
            .values()
            .any(|fragment| any_marked(&fragment.node.directives) || marks(&fragment.node.selection_set.node))
}

fn defaults_to_file(variable: &VariableDefinition) -> bool {
    variable.default_value.as_ref().is_some_and(|value| is_marked(&value.node)) || any_marked(&variable.directives)
}

fn any_marked(directives: &[Positioned<Directive>]) -> bool {
    directives.iter().any(|directive| directive.node.arguments.iter().any(|(_, value)| is_marked(&value.node)))
}

fn marks(set: &SelectionSet) -> bool {
    set.items.iter().any(|item| match &item.node {
        Selection::Field(field) => {
            let field = &field.node;
            field.arguments.iter().any(|(_, value)| is_marked(&value.node))
                || any_marked(&field.directives)
                || marks(&field.selection_set.node)
        }
        Selection::InlineFragment(inline) => {
            any_marked(&inline.node.directives) || marks(&inline.node.selection_set.node)
        }
        Selection::FragmentSpread(spread) => any_marked(&spread.node.directives),
    })
}

/// A text within a value is printed with its quotation marks.
fn is_marked(value: &impl std::fmt::Display) -> bool {
    value.to_string().contains(&format!("\"{UPLOAD_MARKER}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn refused(text: &str) -> ErrorCode {
        match read(text) {
            Err(Unreadable::Refused(error)) => error.code(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_fragment_bomb_is_refused_without_being_expanded() {
        let mut bomb = "{ ...F0 }".to_owned();
        for i in 0..25 {
            bomb += &format!(" fragment F{i} on Query {{ ...F{n} ...F{n} }}", n = i + 1);
        }
        bomb += " fragment F25 on Query { viewer { id } }";
        assert_eq!(refused(&bomb), ErrorCode::QUERY_TOO_COMPLEX);
        let unused = bomb.replacen("{ ...F0 }", "{ viewer { id } }", 1);
        assert_eq!(refused(&unused), ErrorCode::QUERY_TOO_COMPLEX);
    }

    #[test]
    fn a_cycle_is_refused_and_a_normal_query_is_not() {
        let cycle = "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }";
        assert_eq!(refused(cycle), ErrorCode::QUERY_TOO_COMPLEX);
        assert!(read("{ viewer { ...V } } fragment V on Viewer { id email }").is_ok());
    }

    #[test]
    fn what_nests_in_any_way_is_refused_before_the_parser_sees_it() {
        let nested = |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        for text in [
            format!("{{ photo(id: {}) {{ id }} }}", nested("[", "]")),
            format!("{{ photo(id: {}) {{ id }} }}", nested("{a:", "}")),
            format!("query($v: Int = {}) {{ viewer {{ id }} }}", nested("[", "]")),
            format!("query($v: {}) {{ viewer {{ id }} }}", nested("[", "]")),
            format!("{{ viewer @include(if: {}) {{ id }} }}", nested("[", "]")),
            "{a".repeat(100_000),
            "[".repeat(500_000),
        ] {
            assert_eq!(refused(&text), ErrorCode::QUERY_TOO_COMPLEX);
        }
        assert_eq!(refused(&format!("{{ f(a: [{}]) }}", "1 ".repeat(20_000))), ErrorCode::QUERY_TOO_COMPLEX);
        // Brackets in strings and comments are words.
        let harmless = format!(
            "# {}\n{{ f(a: \"{}\", b: \"\"\"{}\"\"\") }}",
            "[".repeat(999),
            "\\\"{".repeat(999),
            "(".repeat(999)
        );
        assert!(read(&harmless).is_ok());
    }

    #[test]
    fn no_string_hides_brackets_from_us_that_the_parser_sees() {
        for text in [
            format!("{{ a(b: [\"\"\" \" {}", "[".repeat(500_000)),
            format!("{{ a(b: \"\"\" \\\"\"\" {} \"\"\") }}", "[".repeat(500_000)),
            format!("{{ a(b: \"\n{}", "[".repeat(500_000)),
            "{ a(b: \"".to_owned(),
        ] {
            assert!(matches!(read(&text), Err(Unreadable::Syntax { .. })), "{text:.60}");
        }
    }

    #[test]
    fn nobody_writes_the_mark_of_a_file() {
        for text in [
            "mutation { uploadPhoto(file: \"#__graphql_file__:0\") { id } }",
            "mutation { uploadPhoto(file: \"\"\"#__graphql_file__:7\"\"\") { id } }",
            "mutation($f: Upload! = \"#__graphql_file__:0\") { uploadPhoto(file: $f) { id } }",
            "{ a { ... on B { c(d: [{ e: \"#__graphql_file__:0\" }]) } } }",
            "{ ...F } fragment F on Query { a @b(c: \"#__graphql_file__:0\") }",
        ] {
            assert_eq!(refused(text), ErrorCode::BAD_INPUT, "{text}");
        }
    }

    #[test]
    fn questions_about_the_schema_are_few() {
        let asked = |times: usize| "{".to_owned() + &"a: __schema { queryType { name } } ".repeat(times) + "}";
        assert!(read(&asked(5)).is_ok());
        assert_eq!(refused(&asked(12)), ErrorCode::QUERY_TOO_COMPLEX);
    }

    #[test]
    fn a_syntax_error_says_where_it_is() {
        let Err(Unreadable::Syntax { message, at }) = read("{ viewer { id }") else { panic!("it is read") };
        assert!(message.starts_with("Syntax error: expected"), "{message}");
        assert_eq!(at.unwrap().line, 1);
    }
}
