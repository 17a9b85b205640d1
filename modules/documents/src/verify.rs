//! Whether a register is what was written, and its print.

use chrono::NaiveDate;
use diesel_async::AsyncPgConnection;
use keroxio_core::{Actor, App, Error, Result, Right};
use keroxio_plugin_documents::chain::{self, GENESIS, Sealed, Why};
use keroxio_plugin_documents::pdf::{self, Look, RegisterExtract};
use uuid::Uuid;

use crate::model::{self, Head, RegisterRow};
use crate::register::{self, moments};
use crate::{error, sellers};

/// Entries looked at together, and those of one print.
const PAGE: i64 = 500;
const MOST_PRINTED: i64 = 2_000;
/// Days of one print.
const MOST_DAYS: i64 = 366;

/// What a look at a whole register found.
pub struct Checked {
    pub entries: i64,
    /// Chronological number and reason of the first entry that is not as it was written.
    pub broken: Option<(i64, Why)>,
    pub last_hash: String,
}

/// Follows the chain from its first entry to its end.
pub async fn check(app: &App, actor: &Actor, site: Uuid) -> Result<Checked> {
    actor.may(Right::Read)?;
    let Some(head) = register::head_of(app, actor, site).await? else {
        return Ok(Checked { entries: 0, broken: None, last_hash: GENESIS.to_string() });
    };
    let broken = first_broken(&mut *app.conn().await?, &head).await?;
    Ok(Checked { entries: head.count, broken, last_hash: head.last_hash })
}

async fn first_broken(conn: &mut AsyncPgConnection, head: &Head) -> Result<Option<(i64, Why)>> {
    // The last entry seen goes along: the next page is to continue it.
    let mut last: Option<Sealed> = None;
    let mut number = 0;
    loop {
        let rows = model::entries_after(conn, head.site_id, number, PAGE).await?;
        if rows.is_empty() {
            break;
        }
        if let Some(broken) = broken_in(&mut last, number, &rows) {
            return Ok(Some(broken));
        }
        number = rows.last().map_or(number, |row| row.number);
    }
    let end = last.map_or_else(|| GENESIS.to_string(), |last| last.hash.to_string());
    Ok((number != head.count || end != head.last_hash).then_some((number + 1, Why::End)))
}

/// The first of these rows, which follow number `after`, that does not continue the ones before.
fn broken_in(last: &mut Option<Sealed>, after: i64, rows: &[RegisterRow]) -> Option<(i64, Why)> {
    let (previous, first) = last.as_ref().map_or((GENESIS, 1), |last| (last.previous, last.entry.number));
    let carried = i64::from(last.is_some());
    let number = |place: usize| after + 1 - carried + i64::try_from(place).unwrap_or(0);
    let mut entries: Vec<Sealed> = last.take().into_iter().collect();
    entries.extend(rows.iter().map_while(RegisterRow::sealed));
    if let Err(broken) = chain::verify_from(&entries, previous, first) {
        return Some((number(broken.at), broken.why));
    }
    // The row that held no entry any more is the first that is wrong.
    if entries.len() < rows.len() + usize::try_from(carried).unwrap_or(0) {
        return Some((number(entries.len()), Why::Changed));
    }
    *last = entries.pop();
    None
}

/// Refuses days that no print is made of.
///
/// # Errors
/// `BAD_INPUT`.
pub fn printable(from: NaiveDate, to: NaiveDate) -> Result<()> {
    if to < from || (to - from).num_days() >= MOST_DAYS {
        return Err(Error::bad_input(
            "Donnez from avant to, un an d'écart au plus.",
            "Give from before to, at most a year apart.",
        ));
    }
    Ok(())
}

/// The register of a site for some days, as a file.
///
/// # Errors
/// `REGISTER_BROKEN` where it was tampered with, `BAD_INPUT` for more entries than fit.
pub async fn print(app: &App, site: Uuid, from: NaiveDate, to: NaiveDate) -> Result<Vec<u8>> {
    printable(from, to)?;
    let extract = extract(&mut *app.conn().await?, site, from, to).await?;
    let now = app.now();
    let work = move || pdf::register_pdf(&extract, Look::default(), now);
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?.map_err(error::of_document)
}

async fn extract(
    conn: &mut AsyncPgConnection,
    site: Uuid,
    from: NaiveDate,
    until: NaiveDate,
) -> Result<RegisterExtract> {
    let head = model::head(conn, site).await?.ok_or_else(error::entry)?;
    let period = moments(from, until).ok_or_else(error::entry)?;
    let rows = model::entries_between(conn, site, period, MOST_PRINTED + 1).await?;
    if i64::try_from(rows.len()).unwrap_or(i64::MAX) > MOST_PRINTED {
        return Err(Error::bad_input(
            "Trop d'inscriptions pour un seul fichier : choisissez une période plus courte.",
            "Too many entries for one file: choose a shorter period.",
        ));
    }
    let before = model::last_before(conn, site, period.0).await?.and_then(|row| row.sealed());
    let entries = rows.iter().map(RegisterRow::sealed).collect::<Option<Vec<_>>>();
    let settings = sellers::of(conn, head.org_id).await?;
    Ok(RegisterExtract {
        holder: settings.seller.name,
        holder_siret: settings.seller.siret.or(settings.seller.siren).unwrap_or_default(),
        site_name: head.site_name,
        site_address: head.site_address,
        from,
        until,
        previous: before.as_ref().map_or(GENESIS, |before| before.hash),
        first_number: before.map_or(1, |before| before.entry.number + 1),
        entries: entries.ok_or_else(|| error::register_broken(0))?,
    })
}
