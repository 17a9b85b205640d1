//! What was said of a car, by whom and when, and what follows from it.

use std::collections::HashSet;

use async_graphql::Enum;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::table::unaccented;
use keroxio_core::{Error, Page, Result};
use serde_json::Value;
use uuid::Uuid;

use crate::error;
use crate::fields::FIELDS;
use crate::model::Vehicle;
use crate::tables::vehicle_statements::{self, dsl};

/// Statements written at once: PostgreSQL takes at most 65,535 values.
const AT_ONCE: usize = 5_000;

/// Who a fact comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum FactOrigin {
    /// The seller said it.
    Seller,
    /// Read on a photo.
    Plate,
    /// A vehicle register, asked by its registration number.
    Registry,
    /// Read on a photo of the registration certificate.
    Certificate,
    /// The holder's HistoVec report.
    Histovec,
}

impl FactOrigin {
    const WORDS: [(Self, &'static str); 5] = [
        (Self::Seller, "SELLER"),
        (Self::Histovec, "HISTOVEC"),
        (Self::Registry, "REGISTRY"),
        (Self::Certificate, "CERTIFICATE"),
        (Self::Plate, "PLATE"),
    ];

    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(origin, _)| *origin == self).map_or("SELLER", |(_, word)| word)
    }

    fn stored(word: &str) -> Self {
        Self::WORDS.iter().find(|(_, known)| *known == word).map_or(Self::Seller, |(origin, _)| *origin)
    }

    /// Whose word counts more: lower is more.
    fn rank(self) -> usize {
        Self::WORDS.iter().position(|(origin, _)| *origin == self).unwrap_or(usize::MAX)
    }
}

/// One fact as somebody stated it.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = vehicle_statements)]
pub struct Statement {
    pub id: Uuid,
    pub org_id: Uuid,
    pub vehicle_id: Uuid,
    /// Of all that was stated at once; nil for what the car began with.
    pub change_id: Uuid,
    pub field: String,
    /// Null where the seller erased the fact.
    pub value: Value,
    pub source: String,
    pub confidence: Option<f64>,
    pub stated_at: DateTime<Utc>,
    pub stated_by: Option<Uuid>,
    pub retracted_at: Option<DateTime<Utc>>,
}

impl Statement {
    pub fn origin(&self) -> FactOrigin {
        FactOrigin::stored(&self.source)
    }
}

/// Who speaks, and how sure they are.
#[derive(Debug, Clone, Copy)]
pub struct Speaker {
    pub origin: FactOrigin,
    /// The user, where it is a person.
    pub user_id: Option<Uuid>,
    /// From 0 to 1; none for a person's word.
    pub confidence: Option<f64>,
}

/// What somebody says at once.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    pub id: Uuid,
    pub by: Speaker,
    pub at: DateTime<Utc>,
}

impl Speaker {
    pub fn seller(user_id: Uuid) -> Self {
        Self { origin: FactOrigin::Seller, user_id: Some(user_id), confidence: None }
    }
}

/// What a new car begins with, to be inserted after it.
pub fn begin(car: &mut Vehicle, by: Speaker, fields: &[&str]) -> Vec<Statement> {
    let begins = Change { id: Uuid::nil(), by, at: car.created_at };
    let known = fields.iter().filter(|field| !car.value(field).is_null());
    let said: Vec<Statement> = known.map(|field| statement(car, field, &begins)).collect();
    car.sources = said.iter().map(|s| (s.field.clone(), Value::from(s.source.clone()))).collect();
    said
}

/// Adds what somebody says of `fields`, whose values `said` holds, and makes `car` what follows from all that was ever
/// said. Answers whether anything is new.
pub async fn add(
    conn: &mut AsyncPgConnection,
    car: &mut Vehicle,
    said: &Vehicle,
    change: Change,
    fields: &[&str],
) -> Result<bool> {
    let mut history = with_beginning(conn, car).await?;
    let mut news = Vec::new();
    for field in fields {
        let fresh = statement(said, field, &change);
        if !is_repetition(&history, &fresh) {
            news.push(fresh);
        }
    }
    insert(conn, &news).await?;
    history.extend(news.iter().cloned());
    for field in fields {
        project(car, field, &history);
    }
    Ok(!news.is_empty())
}

/// Takes back the latest change by the seller.
///
/// # Errors
/// `NOTHING_TO_UNDO` where the car is what it began with.
pub async fn undo(conn: &mut AsyncPgConnection, car: &mut Vehicle, at: DateTime<Utc>) -> Result<()> {
    let history = with_beginning(conn, car).await?;
    let by_seller = history.iter().rev().find(|s| s.origin() == FactOrigin::Seller && !s.change_id.is_nil());
    let change = by_seller.map(|s| s.change_id).ok_or_else(error::nothing_to_undo)?;
    retract(conn, car, change, at).await
}

/// Takes back what a register said: it was about another number.
pub async fn forget_register(conn: &mut AsyncPgConnection, car: &mut Vehicle, at: DateTime<Utc>) -> Result<()> {
    let register = FactOrigin::Registry.word();
    let its = dsl::vehicle_id.eq(car.id).and(dsl::source.eq(register)).and(dsl::retracted_at.is_null());
    let fields: HashSet<String> = diesel::update(dsl::vehicle_statements.filter(its))
        .set(dsl::retracted_at.eq(at))
        .returning(dsl::field)
        .get_results(conn)
        .await?
        .into_iter()
        .collect();
    let history = of(conn, car.id).await?;
    for field in fields {
        project(car, &field, &history);
    }
    Ok(())
}

/// Takes back one change of a car.
pub async fn retract(conn: &mut AsyncPgConnection, car: &mut Vehicle, change: Uuid, at: DateTime<Utc>) -> Result<()> {
    let mut history = of(conn, car.id).await?;
    diesel::update(dsl::vehicle_statements.filter(dsl::vehicle_id.eq(car.id).and(dsl::change_id.eq(change))))
        .set(dsl::retracted_at.eq(at))
        .execute(conn)
        .await?;
    let fields: HashSet<String> = history.iter().filter(|s| s.change_id == change).map(|s| s.field.clone()).collect();
    history.retain(|s| s.change_id != change);
    for field in fields {
        project(car, &field, &history);
    }
    Ok(())
}

/// Cars about which a change said something that was not taken back.
pub async fn changed_by(conn: &mut AsyncPgConnection, change: Uuid) -> QueryResult<Vec<Uuid>> {
    dsl::vehicle_statements
        .filter(dsl::change_id.eq(change).and(dsl::retracted_at.is_null()))
        .select(dsl::vehicle_id)
        .distinct()
        .order(dsl::vehicle_id)
        .load(conn)
        .await
}

/// A statement of this car that was not taken back.
pub async fn find(conn: &mut AsyncPgConnection, car: &Vehicle, id: Uuid) -> Result<Statement> {
    let mine = dsl::vehicle_id.eq(car.id).and(dsl::id.eq(id)).and(dsl::retracted_at.is_null());
    let found = dsl::vehicle_statements.filter(mine).select(Statement::as_select()).first(conn).await.optional()?;
    found.ok_or_else(|| Error::not_found("Information", "Statement"))
}

/// All that was said of a car and not taken back, in order.
async fn of(conn: &mut AsyncPgConnection, vehicle: Uuid) -> QueryResult<Vec<Statement>> {
    dsl::vehicle_statements
        .filter(dsl::vehicle_id.eq(vehicle).and(dsl::retracted_at.is_null()))
        .order((dsl::stated_at, dsl::id))
        .select(Statement::as_select())
        .load(conn)
        .await
}

/// All that was ever said, latest first.
pub async fn history(
    conn: &mut AsyncPgConnection,
    vehicle: Uuid,
    field: Option<&str>,
    page: Page,
) -> QueryResult<Vec<Statement>> {
    let mut query = dsl::vehicle_statements
        .filter(dsl::vehicle_id.eq(vehicle))
        .select(Statement::as_select())
        .order(dsl::id.desc())
        .into_boxed();
    if let Some(field) = field {
        query = query.filter(dsl::field.eq(field.to_owned()));
    }
    if let Some(after) = page.after {
        query = query.filter(dsl::id.lt(after));
    }
    query.limit(page.limit + 1).load(conn).await
}

/// Which statement about a field stands. What came before the seller erased the fact no longer counts; of the rest,
/// the seller's word comes first, then a register's, then what a photo showed; of one source, the latest.
pub fn standing<'a>(history: &'a [Statement], field: &str) -> Option<&'a Statement> {
    let about: Vec<&Statement> = history.iter().filter(|s| s.field == field).collect();
    let erased = about.iter().rposition(|s| s.value.is_null()).map_or(0, |at| at + 1);
    about[erased..].iter().rev().min_by_key(|s| s.origin().rank()).copied()
}

/// What others than the one who stands say since, and differently. The seller ends it by saying the fact again.
pub fn disputes<'a>(history: &'a [Statement], field: &str) -> Vec<&'a Statement> {
    let Some(stands) = standing(history, field) else { return Vec::new() };
    let from_seller = |s: &&Statement| s.field == field && s.origin() == FactOrigin::Seller;
    let since = history.iter().rposition(|s| from_seller(&s)).map_or(0, |at| at + 1);
    let later = history.get(since..).unwrap_or_default().iter().filter(|s| s.field == field);
    let mut last_of_each: Vec<&Statement> = Vec::new();
    for said in later {
        last_of_each.retain(|before| before.source != said.source);
        last_of_each.push(said);
    }
    last_of_each.into_iter().filter(|s| s.id != stands.id && differs(field, &s.value, &stands.value)).collect()
}

/// Whether two values of a fact are not the same. Capitals and accents are no difference, and everybody words a version
/// in their own way.
fn differs(field: &str, one: &Value, other: &Value) -> bool {
    match (one.as_str(), other.as_str()) {
        (Some(_), Some(_)) if field == "version" => false,
        (Some(one), Some(other)) => unaccented(one) != unaccented(other),
        _ => one != other,
    }
}

/// All that was said of some cars and not taken back, in order.
pub async fn of_all(conn: &mut AsyncPgConnection, vehicles: &[Uuid]) -> QueryResult<Vec<Statement>> {
    dsl::vehicle_statements
        .filter(dsl::vehicle_id.eq_any(vehicles).and(dsl::retracted_at.is_null()))
        .order((dsl::stated_at, dsl::id))
        .select(Statement::as_select())
        .load(conn)
        .await
}

/// A history, and what the car began with where it is older than that.
pub fn whole(car: &Vehicle, mut history: Vec<Statement>) -> Vec<Statement> {
    history.splice(0..0, beginning(car, &history));
    history
}

/// [`of`] a car, [`whole`].
pub async fn known(conn: &mut AsyncPgConnection, car: &Vehicle) -> QueryResult<Vec<Statement>> {
    Ok(whole(car, of(conn, car.id).await?))
}

/// A history, [`whole`], and from now on the history holds it.
async fn with_beginning(conn: &mut AsyncPgConnection, car: &Vehicle) -> Result<Vec<Statement>> {
    let mut history = of(conn, car.id).await?;
    let older = beginning(car, &history);
    insert(conn, &older).await?;
    history.splice(0..0, older);
    Ok(history)
}

/// What a car holds that its history does not speak of.
fn beginning(car: &Vehicle, history: &[Statement]) -> Vec<Statement> {
    let unsaid = |field: &&str| !car.value(field).is_null() && !history.iter().any(|s| s.field == *field);
    let begins = |field: &str| {
        let origin = FactOrigin::stored(car.sources[field].as_str().unwrap_or_default());
        let by = Speaker { origin, user_id: None, confidence: None };
        statement(car, field, &Change { id: Uuid::nil(), by, at: car.created_at })
    };
    FIELDS.into_iter().filter(unsaid).map(begins).collect()
}

fn statement(said: &Vehicle, field: &str, change: &Change) -> Statement {
    let Change { id: change_id, by, at } = *change;
    Statement {
        id: Uuid::now_v7(),
        org_id: said.org_id,
        vehicle_id: said.id,
        change_id,
        field: field.to_owned(),
        value: said.value(field),
        source: by.origin.word().to_owned(),
        confidence: by.confidence,
        stated_at: at,
        stated_by: by.user_id,
        retracted_at: None,
    }
}

/// Whether the same source says again what it said, and nobody contradicted meanwhile; or erases what is not known.
fn is_repetition(history: &[Statement], fresh: &Statement) -> bool {
    let about = || history.iter().filter(|s| s.field == fresh.field);
    let own = about().rfind(|s| s.source == fresh.source);
    match own {
        None => fresh.value.is_null() && about().next().is_none(),
        Some(last) => {
            last.value == fresh.value
                && (fresh.origin() != FactOrigin::Seller || about().next_back().is_some_and(|s| s.id == last.id))
        }
    }
}

pub async fn insert(conn: &mut AsyncPgConnection, said: &[Statement]) -> Result<()> {
    for batch in said.chunks(AT_ONCE) {
        diesel::insert_into(vehicle_statements::table).values(batch).execute(conn).await?;
    }
    Ok(())
}

fn project(car: &mut Vehicle, field: &str, history: &[Statement]) {
    let stands = standing(history, field);
    car.set_value(field, stands.map_or(&Value::Null, |s| &s.value));
    if let Some(sources) = car.sources.as_object_mut() {
        match stands {
            Some(s) => drop(sources.insert(field.to_owned(), Value::from(s.source.clone()))),
            None => drop(sources.remove(field)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(source: &str, value: Value) -> Statement {
        Statement {
            id: Uuid::now_v7(),
            org_id: Uuid::nil(),
            vehicle_id: Uuid::nil(),
            change_id: Uuid::now_v7(),
            field: "make".to_owned(),
            value,
            source: source.to_owned(),
            confidence: None,
            stated_at: Utc::now(),
            stated_by: None,
            retracted_at: None,
        }
    }

    fn stands(history: &[Statement]) -> Value {
        standing(history, "make").map_or(Value::Null, |s| s.value.clone())
    }

    fn disputed(history: &[Statement]) -> Vec<Value> {
        disputes(history, "make").into_iter().map(|s| s.value.clone()).collect()
    }

    #[test]
    fn the_seller_comes_before_a_register_and_a_register_before_a_photo() {
        let mut history = vec![said("PLATE", json!("A")), said("REGISTRY", json!("B"))];
        assert_eq!((stands(&history), disputed(&history)), (json!("B"), vec![json!("A")]));
        history.push(said("SELLER", json!("C")));
        assert_eq!((stands(&history), disputed(&history)), (json!("C"), vec![]));
        history.push(said("REGISTRY", json!("D")));
        assert_eq!((stands(&history), disputed(&history)), (json!("C"), vec![json!("D")]));
        history.push(said("REGISTRY", json!("c")));
        assert_eq!((stands(&history), disputed(&history)), (json!("C"), vec![]), "capitals are no dispute");
    }

    #[test]
    fn what_was_erased_counts_no_more_and_what_comes_after_does() {
        let mut history = vec![said("PLATE", json!("A")), said("SELLER", json!(null))];
        assert_eq!(stands(&history), Value::Null);
        history.push(said("PLATE", json!("B")));
        assert_eq!(stands(&history), json!("B"));
        assert!(standing(&history, "model").is_none());
    }

    #[test]
    fn to_say_the_same_again_is_no_news_but_ends_a_dispute() {
        let mut history = vec![said("SELLER", json!("A"))];
        assert!(is_repetition(&history, &said("SELLER", json!("A"))));
        assert!(!is_repetition(&history, &said("SELLER", json!("B"))));
        history.push(said("REGISTRY", json!("B")));
        assert!(is_repetition(&history, &said("REGISTRY", json!("B"))));
        assert!(!is_repetition(&history, &said("SELLER", json!("A"))));
        assert!(is_repetition(&[], &said("SELLER", json!(null))));
    }
}
