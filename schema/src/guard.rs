use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use keroxio_core::{Error, ErrorCode};

/// Most fields a document may ask for once its fragments are written out.
const MAX_SELECTIONS: u64 = 5_000;
const MAX_DEPTH: u32 = 32;

/// Bounds what the fragments of a document expand to. The library's validation visits every
/// expansion, so thirty lines of nested fragments would keep it busy for hours.
///
/// # Errors
/// `QUERY_TOO_COMPLEX`, also for fragments that spread themselves.
pub fn check_document(document: &ExecutableDocument) -> Result<(), Error> {
    let mut counter = Counter { document, sizes: HashMap::new() };
    let mut total = 0_u64;
    for (_, operation) in document.operations.iter() {
        total = total.saturating_add(counter.size(&operation.node.selection_set.node, 0)?);
    }
    if total > MAX_SELECTIONS { Err(too_complex()) } else { Ok(()) }
}

fn too_complex() -> Error {
    Error::new(
        ErrorCode::QUERY_TOO_COMPLEX,
        format!("La requête demande plus de {MAX_SELECTIONS} champs une fois ses fragments développés : découpez-la."),
        format!("The query asks for more than {MAX_SELECTIONS} fields once its fragments are expanded: split it."),
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
                Selection::Field(field) => self.size(&field.node.selection_set.node, depth + 1)?.saturating_add(1),
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(text: &str) -> Result<(), Error> {
        check_document(&async_graphql::parser::parse_query(text).unwrap())
    }

    #[test]
    fn a_fragment_bomb_is_refused_without_being_expanded() {
        let mut bomb = "{ ...F0 }".to_owned();
        for i in 0..25 {
            bomb += &format!(" fragment F{i} on Query {{ ...F{n} ...F{n} }}", n = i + 1);
        }
        bomb += " fragment F25 on Query { viewer { id } }";
        assert_eq!(check(&bomb).unwrap_err().code(), ErrorCode::QUERY_TOO_COMPLEX);
    }

    #[test]
    fn a_cycle_is_refused_and_a_normal_query_is_not() {
        let cycle = "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }";
        assert_eq!(check(cycle).unwrap_err().code(), ErrorCode::QUERY_TOO_COMPLEX);
        assert!(check("{ viewer { ...V } } fragment V on Viewer { id email }").is_ok());
    }
}
