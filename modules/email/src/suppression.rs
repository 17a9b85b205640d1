//! Addresses that letters are not sent to, because they do not exist or because somebody complained.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::{App, Bucket, Page, Result, Tx, as_system};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::kind::LetterKind;
use crate::tables::email_suppressions::{self, dsl};

/// How often an address may be tried again.
const OFTEN: Bucket = Bucket::of(3, std::time::Duration::from_secs(86_400));

/// Why an address gets no letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Its server refuses it for good.
    Bounced,
    /// Its reader called a letter spam.
    Complained,
}

impl Reason {
    pub fn name(self) -> &'static str {
        match self {
            Self::Bounced => "bounced",
            Self::Complained => "complained",
        }
    }
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = email_suppressions)]
pub struct Suppression {
    pub id: Uuid,
    pub address_hash: String,
    pub address_hint: String,
    pub reason: String,
    pub detail: Option<String>,
    pub happened_at: DateTime<Utc>,
    pub cleared_at: Option<DateTime<Utc>>,
}

/// Since when an address gets no letters, and why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// Nothing is sent to it.
    pub bounced_at: Option<DateTime<Utc>>,
    /// Nothing is sent to it but what its account depends on.
    pub complained_at: Option<DateTime<Utc>>,
}

impl Standing {
    /// Why a letter is not sent, where it is not.
    pub fn stops(self, kind: Option<LetterKind>) -> Option<Reason> {
        let is_for_security = kind.is_some_and(LetterKind::is_for_security);
        match self {
            Self { bounced_at: Some(_), .. } => Some(Reason::Bounced),
            Self { complained_at: Some(_), .. } if !is_for_security => Some(Reason::Complained),
            _ => None,
        }
    }
}

/// Notes that an address gets no letters, unless that is of a time before it was cleared.
pub async fn add(tx: &mut Tx, address: &str, reason: Reason, detail: Option<&str>, at: DateTime<Utc>) -> Result<()> {
    let fresh = Suppression {
        id: Uuid::now_v7(),
        address_hash: hash(address),
        address_hint: hint(address),
        reason: reason.name().to_owned(),
        detail: detail.map(str::to_owned),
        happened_at: at,
        cleared_at: None,
    };
    let insert = diesel::insert_into(email_suppressions::table).values(&fresh).on_conflict_do_nothing();
    if insert.execute(&mut **tx).await? > 0 {
        return Ok(());
    }
    let known = dsl::address_hash.eq(&fresh.address_hash).and(dsl::reason.eq(&fresh.reason));
    diesel::update(dsl::email_suppressions.filter(known.and(dsl::cleared_at.lt(at))))
        .set((dsl::happened_at.eq(at), dsl::detail.eq(&fresh.detail), dsl::cleared_at.eq(None::<DateTime<Utc>>)))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub async fn standing(conn: &mut AsyncPgConnection, address: &str) -> Result<Standing> {
    let known = dsl::email_suppressions.filter(dsl::address_hash.eq(hash(address)).and(dsl::cleared_at.is_null()));
    let rows: Vec<Suppression> = known.select(Suppression::as_select()).load(conn).await?;
    let since = |reason: Reason| rows.iter().find(|row| row.reason == reason.name()).map(|row| row.happened_at);
    Ok(Standing { bounced_at: since(Reason::Bounced), complained_at: since(Reason::Complained) })
}

/// Sends letters to an address again, because whoever has it says so. No tenant reaches the list.
///
/// # Errors
/// `TOO_MANY_ATTEMPTS` beyond three times a day.
pub async fn clear(app: &App, address: &str) -> Result<()> {
    app.take(&format!("email-clear:{}", hash(address)), OFTEN, 1.0).await.or_wait()?;
    as_system(async {
        let known = dsl::email_suppressions.filter(dsl::address_hash.eq(hash(address)).and(dsl::cleared_at.is_null()));
        let cleared = diesel::update(known).set(dsl::cleared_at.eq(app.now()));
        cleared.execute(&mut *app.conn().await?).await?;
        Ok(())
    })
    .await
}

/// Those that count, the newest first.
pub async fn page(conn: &mut AsyncPgConnection, page: Page) -> Result<Vec<Suppression>> {
    let mut query = dsl::email_suppressions
        .filter(dsl::cleared_at.is_null())
        .select(Suppression::as_select())
        .order(dsl::id.desc())
        .into_boxed();
    if let Some(after) = page.after {
        query = query.filter(dsl::id.lt(after));
    }
    Ok(query.limit(page.limit + 1).load(conn).await?)
}

fn normal(address: &str) -> String {
    address.trim().to_lowercase()
}

fn hash(address: &str) -> String {
    hex::encode(Sha256::digest(normal(address)))
}

/// `d•••@example.org`.
fn hint(address: &str) -> String {
    let address = normal(address);
    let (local, domain) = address.split_once('@').unwrap_or((&address, ""));
    let first: String = local.chars().take(1).collect();
    format!("{first}•••@{domain}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bounce_stops_everything_and_a_complaint_all_but_security() {
        let at = Some(DateTime::UNIX_EPOCH);
        let bounced = Standing { bounced_at: at, complained_at: at };
        let complained = Standing { bounced_at: None, complained_at: at };
        for kind in LetterKind::ALL {
            assert_eq!(Standing::default().stops(Some(kind)), None);
            assert_eq!(bounced.stops(Some(kind)), Some(Reason::Bounced));
            let stopped = complained.stops(Some(kind)).is_some();
            let security = ["verify_email", "reset_password", "security_changed"];
            assert_eq!(stopped, !security.contains(&kind.name()), "{kind:?}");
        }
    }

    #[test]
    fn an_address_is_the_same_however_it_is_written_and_cannot_be_read() {
        assert_eq!(hash(" Lea@Example.org "), hash("lea@example.org"));
        assert_eq!(hint("Lea@Example.org"), "l•••@example.org");
    }
}
