//! Every text an ad has had, what changed from one to another, and the way back.

use std::time::Duration;

use async_graphql::Enum;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::{App, Result, Tx};
use similar::{ChangeTag, TextDiff};
use uuid::Uuid;

use crate::error;
use crate::model::Ad;
use crate::tables::listing_texts::{self, dsl};

/// Versions kept of one ad; the oldest go first.
const KEPT: i32 = 200;

/// Time for a comparison; what is left then is one part that went and one that came.
const LONGEST_DIFF: Duration = Duration::from_millis(50);

/// Where a text comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ListingTextOrigin {
    /// Written by us from the facts.
    Facts,
    /// Written by the seller.
    Seller,
    /// Put in other words by a language model, and checked.
    Rewritten,
    /// An older version that was brought back.
    Restored,
}

impl ListingTextOrigin {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Facts => "facts",
            Self::Seller => "seller",
            Self::Rewritten => "rewritten",
            Self::Restored => "restored",
        }
    }

    pub fn parse(text: &str) -> Self {
        [Self::Seller, Self::Rewritten, Self::Restored].into_iter().find(|o| o.as_str() == text).unwrap_or(Self::Facts)
    }
}

/// One of the texts of an ad.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = listing_texts)]
pub struct TextVersion {
    pub listing_id: Uuid,
    /// From 1.
    pub version: i32,
    pub title: String,
    pub body: String,
    pub origin: String,
    pub restored_from: Option<i32>,
    pub model: Option<String>,
    pub written_by: Option<Uuid>,
    pub written_at: DateTime<Utc>,
}

/// Who wrote a text.
#[derive(Debug, Clone)]
pub enum Writer {
    Facts,
    Seller(Uuid),
    Model(String),
    Restored { by: Uuid, from: i32 },
}

/// Keeps the text of an ad, whose row the caller has locked; one like the last is kept already.
pub async fn keep(conn: &mut AsyncPgConnection, ad: &Ad, writer: Writer, at: DateTime<Utc>) -> Result<()> {
    let last = newest(conn, ad.id, 1).await?.pop();
    let (title, body) = (ad.title.clone().unwrap_or_default(), ad.body.clone().unwrap_or_default());
    if last.as_ref().is_some_and(|last| last.title == title && last.body == body) {
        return Ok(());
    }
    let (origin, written_by, model, restored_from) = match writer {
        Writer::Facts => (ListingTextOrigin::Facts, None, None, None),
        Writer::Seller(by) => (ListingTextOrigin::Seller, Some(by), None, None),
        Writer::Model(model) => (ListingTextOrigin::Rewritten, None, Some(model), None),
        Writer::Restored { by, from } => (ListingTextOrigin::Restored, Some(by), None, Some(from)),
    };
    let version = last.map_or(1, |last| last.version + 1);
    let origin = origin.as_str().to_owned();
    let row = TextVersion {
        listing_id: ad.id,
        version,
        title,
        body,
        origin,
        restored_from,
        model,
        written_by,
        written_at: at,
    };
    diesel::insert_into(listing_texts::table).values(&row).execute(conn).await?;
    let old = dsl::listing_id.eq(ad.id).and(dsl::version.le(version - KEPT));
    diesel::delete(listing_texts::table.filter(old)).execute(conn).await?;
    Ok(())
}

async fn newest(conn: &mut AsyncPgConnection, listing: Uuid, most: i64) -> QueryResult<Vec<TextVersion>> {
    let mine = listing_texts::table.filter(dsl::listing_id.eq(listing)).order(dsl::version.desc());
    mine.limit(most).select(TextVersion::as_select()).load(conn).await
}

/// One version of an ad.
///
/// # Errors
/// `NOT_FOUND` for one that never was, or is kept no longer.
pub async fn find(conn: &mut AsyncPgConnection, listing: Uuid, version: i32) -> Result<TextVersion> {
    let row = listing_texts::table.find((listing, version)).select(TextVersion::as_select());
    row.first(conn).await.optional()?.ok_or_else(error::no_such_version)
}

/// The newest versions of an ad whose owner the caller has checked, newest first.
pub async fn list(app: &App, listing: Uuid, most: i64) -> Result<Vec<TextVersion>> {
    Ok(newest(&mut *app.conn().await?, listing, most).await?)
}

/// Two versions of an ad whose owner the caller has checked.
pub async fn pair(app: &App, listing: Uuid, from: i32, to: i32) -> Result<(TextVersion, TextVersion)> {
    let mut conn = app.conn().await?;
    Ok((find(&mut conn, listing, from).await?, find(&mut conn, listing, to).await?))
}

/// Makes an older version the text of an ad; like one set by hand it is not overwritten.
pub async fn restore(tx: &mut Tx, ad: &mut Ad, version: i32, by: Uuid) -> Result<()> {
    let old = find(tx, ad.id, version).await?;
    (ad.title, ad.body, ad.text_edited) = (Some(old.title), Some(old.body), true);
    let now = tx.app().now();
    keep(tx, ad, Writer::Restored { by, from: version }, now).await
}

/// Whether a part of a text stayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum TextChangeKind {
    /// In both.
    Kept,
    /// Only in the older.
    Removed,
    /// Only in the newer.
    Added,
}

/// What became of one text on the way to another: parts in their order, by words.
pub fn diff(from: &str, to: &str) -> Vec<(TextChangeKind, String)> {
    let diff = TextDiff::configure().timeout(LONGEST_DIFF).diff_words(from, to);
    let mut parts: Vec<(TextChangeKind, String)> = Vec::new();
    for change in diff.iter_all_changes() {
        let kind = match change.tag() {
            ChangeTag::Equal => TextChangeKind::Kept,
            ChangeTag::Delete => TextChangeKind::Removed,
            ChangeTag::Insert => TextChangeKind::Added,
        };
        match parts.last_mut() {
            Some((last, text)) if *last == kind => text.push_str(change.value()),
            _ => parts.push((kind, change.value().to_owned())),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_holds_both_texts_in_their_order() {
        let (from, to) =
            ("À vendre : Clio de mars 2019.\n\n45 200 km.", "Je vends ma Clio de mars 2019.\n\n45 900 km.");
        let parts = diff(from, to);
        let side = |gone: TextChangeKind| {
            parts.iter().filter(|(kind, _)| *kind != gone).map(|(_, text)| text.as_str()).collect::<String>()
        };
        assert_eq!((side(TextChangeKind::Added), side(TextChangeKind::Removed)), (from.to_owned(), to.to_owned()));
        assert!(parts.contains(&(TextChangeKind::Added, "900".to_owned())), "{parts:?}");
        assert!(parts.iter().any(|(kind, text)| *kind == TextChangeKind::Kept && text.contains("Clio de mars 2019")));
        assert_eq!(diff("", ""), []);
    }
}
