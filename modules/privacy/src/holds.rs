//! What a law wants kept of an organization that is erased.

use std::sync::LazyLock;

use chrono::{DateTime, Months, Utc};
use diesel::sql_types::{Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::Result;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// A rule of `holds.json`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hold {
    code: String,
    table: String,
    columns: Vec<String>,
    /// The column from which time runs; rows without it are not kept.
    from: String,
    /// Which rows, where not all.
    #[serde(default = "all")]
    only: String,
    years: u32,
    /// Kinds of organizations it is about.
    kinds: Vec<String>,
    source: String,
    reason_fr: String,
    reason_en: String,
}

fn all() -> String {
    "true".to_owned()
}

static HOLDS: LazyLock<Vec<Hold>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../holds.json")).unwrap_or_default());

/// What is kept by one rule.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    pub code: String,
    pub source: String,
    pub reason_fr: String,
    pub reason_en: String,
    /// Until when the last of its rows is kept.
    pub until: DateTime<Utc>,
    pub rows: Vec<KeptRow>,
}

/// A row that is kept until its own time is over.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptRow {
    pub until: DateTime<Utc>,
    pub row: Value,
}

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    text: String,
    #[diesel(sql_type = Timestamptz)]
    from: DateTime<Utc>,
}

/// Copies what is to be kept.
pub async fn copy(conn: &mut AsyncPgConnection, org: Uuid, kind: &str, now: DateTime<Utc>) -> Result<Vec<Kept>> {
    let mut all = Vec::new();
    for hold in HOLDS.iter().filter(|hold| hold.kinds.iter().any(|known| known == kind)) {
        let (table, columns, from, only) = (&hold.table, hold.columns.join(", "), &hold.from, &hold.only);
        // Names come from our own file.
        let query = format!(
            "SELECT row_to_json(k)::text AS text, t.{from} AS from FROM {table} t, LATERAL (SELECT {columns}) k \
             WHERE t.org_id = $1 AND t.{from} IS NOT NULL AND {only} ORDER BY t.{from}"
        );
        let rows: Vec<Row> = diesel::sql_query(query).bind::<SqlUuid, _>(org).load(conn).await?;
        let mut kept = Vec::with_capacity(rows.len());
        for row in rows {
            let until = row.from.checked_add_months(Months::new(12 * hold.years)).unwrap_or(DateTime::<Utc>::MAX_UTC);
            if until > now {
                kept.push(KeptRow { until, row: serde_json::from_str(&row.text)? });
            }
        }
        let Some(until) = kept.iter().map(|row| row.until).max() else { continue };
        all.push(Kept {
            code: hold.code.clone(),
            source: hold.source.clone(),
            reason_fr: hold.reason_fr.clone(),
            reason_en: hold.reason_en.clone(),
            until,
            rows: kept,
        });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hold_names_its_law_and_an_end() {
        assert!(!HOLDS.is_empty());
        assert!(HOLDS.iter().all(|hold| hold.years > 0 && hold.source.contains("art.") && !hold.columns.is_empty()));
    }
}
