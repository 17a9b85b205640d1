use async_graphql::OutputType;
use async_graphql::connection::{Connection, Edge, EmptyFields};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::{Error, Result};

/// Most rows one page may hold.
pub const MAX_PAGE: i32 = 100;

/// Which slice of a list is wanted: newest first, after a cursor.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    pub limit: i64,
    pub after: Option<Uuid>,
}

impl Page {
    /// # Errors
    /// `BAD_INPUT` for a size outside 1 to 100 or a cursor we did not give.
    pub fn new(first: Option<i32>, after: Option<&str>) -> Result<Self> {
        let first = first.unwrap_or(20);
        if !(1..=MAX_PAGE).contains(&first) {
            return Err(Error::bad_input(
                format!("first doit être compris entre 1 et {MAX_PAGE}."),
                format!("first must be between 1 and {MAX_PAGE}."),
            ));
        }
        let after = after.map(decode).transpose()?;
        Ok(Self { limit: first.into(), after })
    }
}

fn decode(cursor: &str) -> Result<Uuid> {
    URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| Uuid::from_slice(&bytes).ok())
        .ok_or_else(|| Error::bad_input("Ce curseur n'est pas valide.", "This cursor is not valid."))
}

/// Builds a Relay connection from `limit + 1` rows at most: the extra one only says that more follow.
pub fn connection<T: OutputType>(page: Page, rows: Vec<(Uuid, T)>) -> Connection<String, T, EmptyFields, EmptyFields> {
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let mut connection = Connection::new(page.after.is_some(), rows.len() > limit);
    connection
        .edges
        .extend(rows.into_iter().take(limit).map(|(id, node)| Edge::new(URL_SAFE_NO_PAD.encode(id.as_bytes()), node)));
    connection
}
