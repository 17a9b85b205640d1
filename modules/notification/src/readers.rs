//! What each member has read and wants to hear: rows, and what follows from them.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeZone as _, Timelike as _, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::kinds::{NotificationChannel, NotificationKind};
use crate::tables::{notification_items, notification_preferences, notification_readers, notification_reads};

/// Whose clock quiet hours and digests go by where nobody said otherwise.
pub const HOME: Tz = Tz::Europe__Paris;

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = notification_readers)]
#[diesel(treat_none_as_null = true)]
pub struct Reader {
    pub org_id: Uuid,
    pub user_id: Uuid,
    pub read_until: Option<DateTime<Utc>>,
    pub quiet_from: Option<i16>,
    pub quiet_to: Option<i16>,
    pub time_zone: String,
    /// `off`, `daily` or `weekly`.
    pub digest: String,
    pub digested_at: Option<DateTime<Utc>>,
}

impl Reader {
    pub fn new(org_id: Uuid, user_id: Uuid) -> Self {
        Self {
            org_id,
            user_id,
            read_until: None,
            quiet_from: None,
            quiet_to: None,
            time_zone: HOME.name().to_owned(),
            digest: "off".to_owned(),
            digested_at: None,
        }
    }

    pub fn zone(&self) -> Tz {
        self.time_zone.parse().unwrap_or(HOME)
    }

    /// When a letter may leave that is written now; none where that is at once.
    pub fn not_before(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (from, to) = (self.quiet_from?, self.quiet_to?);
        let local = now.with_timezone(&self.zone());
        let minute = i16::try_from(local.hour() * 60 + local.minute()).ok()?;
        let is_quiet = if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to };
        if !is_quiet {
            return None;
        }
        let today = local.date_naive();
        let day = if minute < to { today } else { today.checked_add_days(Days::new(1))? };
        self.at(day, to)
    }

    /// A minute of a day on the reader's clock; where summer time leaves it out, the first one after.
    fn at(&self, day: NaiveDate, minute: i16) -> Option<DateTime<Utc>> {
        let time = NaiveTime::from_num_seconds_from_midnight_opt(u32::try_from(minute).ok()? * 60, 0)?;
        let local = day.and_time(time);
        let moment = |local| self.zone().from_local_datetime(&local).earliest();
        Some(moment(local).or_else(|| moment(local + chrono::Duration::hours(1)))?.with_timezone(&Utc))
    }
}

/// What somebody decided otherwise than the default.
#[derive(Debug, Clone, Default)]
pub struct Choices(HashMap<(String, String), bool>);

impl Choices {
    pub fn is_on(&self, kind: NotificationKind, channel: NotificationChannel) -> bool {
        let chosen = self.0.get(&(kind.name().to_owned(), channel.name().to_owned()));
        chosen.copied().unwrap_or_else(|| kind.by_default(channel))
    }

    /// Kinds that are not shown.
    fn muted(&self) -> Vec<&'static str> {
        let muted = NotificationKind::ALL.into_iter().filter(|kind| !self.is_on(*kind, NotificationChannel::InApp));
        muted.map(NotificationKind::name).collect()
    }
}

/// Somebody with all that decides what they see.
pub struct View {
    pub reader: Reader,
    pub choices: Choices,
}

impl View {
    pub async fn of(conn: &mut AsyncPgConnection, org: Uuid, user: Uuid) -> QueryResult<Self> {
        let reader = reader(conn, org, user).await?.unwrap_or_else(|| Reader::new(org, user));
        let choices = choices(conn, org, &[user]).await?.remove(&user).unwrap_or_default();
        Ok(Self { reader, choices })
    }

    pub fn muted(&self) -> Vec<&'static str> {
        self.choices.muted()
    }

    /// From when on something may be unread.
    pub fn read_until(&self) -> DateTime<Utc> {
        self.reader.read_until.unwrap_or(DateTime::UNIX_EPOCH)
    }
}

pub async fn reader(conn: &mut AsyncPgConnection, org: Uuid, user: Uuid) -> QueryResult<Option<Reader>> {
    notification_readers::table.find((org, user)).select(Reader::as_select()).first(conn).await.optional()
}

/// Somebody's row until the transaction ends, made where there is none: what others change meanwhile is not lost.
pub async fn lock(conn: &mut AsyncPgConnection, org: Uuid, user: Uuid) -> QueryResult<Reader> {
    let fresh = Reader::new(org, user);
    diesel::insert_into(notification_readers::table).values(&fresh).on_conflict_do_nothing().execute(conn).await?;
    notification_readers::table.find((org, user)).select(Reader::as_select()).for_update().first(conn).await
}

/// Saves a row that was locked.
pub async fn save(conn: &mut AsyncPgConnection, reader: &Reader) -> QueryResult<usize> {
    let row = notification_readers::table.find((reader.org_id, reader.user_id));
    diesel::update(row).set(reader).execute(conn).await
}

/// What these members decided.
pub async fn choices(conn: &mut AsyncPgConnection, org: Uuid, users: &[Uuid]) -> QueryResult<HashMap<Uuid, Choices>> {
    use notification_preferences::dsl;
    let rows: Vec<(Uuid, String, String, bool)> = dsl::notification_preferences
        .filter(dsl::org_id.eq(org).and(dsl::user_id.eq_any(users)))
        .select((dsl::user_id, dsl::kind, dsl::channel, dsl::is_on))
        .load(conn)
        .await?;
    let mut all: HashMap<Uuid, Choices> = HashMap::new();
    for (user, kind, channel, is_on) in rows {
        all.entry(user).or_default().0.insert((kind, channel), is_on);
    }
    Ok(all)
}

pub async fn choose(
    conn: &mut AsyncPgConnection,
    (org, user): (Uuid, Uuid),
    kind: NotificationKind,
    channel: NotificationChannel,
    is_on: bool,
) -> QueryResult<usize> {
    use notification_preferences::dsl;
    let row = (
        dsl::org_id.eq(org),
        dsl::user_id.eq(user),
        dsl::kind.eq(kind.name()),
        dsl::channel.eq(channel.name()),
        dsl::is_on.eq(is_on),
    );
    diesel::insert_into(dsl::notification_preferences)
        .values(row)
        .on_conflict((dsl::org_id, dsl::user_id, dsl::kind, dsl::channel))
        .do_update()
        .set(dsl::is_on.eq(is_on))
        .execute(conn)
        .await
}

/// The quiet hours and digests of these members, where they have any.
pub async fn readers(conn: &mut AsyncPgConnection, org: Uuid, users: &[Uuid]) -> QueryResult<HashMap<Uuid, Reader>> {
    use notification_readers::dsl;
    let rows: Vec<Reader> = dsl::notification_readers
        .filter(dsl::org_id.eq(org).and(dsl::user_id.eq_any(users)))
        .select(Reader::as_select())
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(|reader| (reader.user_id, reader)).collect())
}

/// Those who want a digest, after one of them, a page.
pub async fn digested(conn: &mut AsyncPgConnection, after: (Uuid, Uuid), most: i64) -> QueryResult<Vec<Reader>> {
    use notification_readers::dsl;
    let later = dsl::org_id.gt(after.0).or(dsl::org_id.eq(after.0).and(dsl::user_id.gt(after.1)));
    dsl::notification_readers
        .filter(dsl::digest.ne("off").and(later))
        .order((dsl::org_id, dsl::user_id))
        .select(Reader::as_select())
        .limit(most)
        .load(conn)
        .await
}

/// Which of these notifications somebody has read one by one, and when.
pub async fn reads(
    conn: &mut AsyncPgConnection,
    user: Uuid,
    ids: &[Uuid],
) -> QueryResult<HashMap<Uuid, DateTime<Utc>>> {
    use notification_reads::dsl;
    let rows: Vec<(Uuid, DateTime<Utc>)> = dsl::notification_reads
        .filter(dsl::user_id.eq(user).and(dsl::notification_id.eq_any(ids)))
        .select((dsl::notification_id, dsl::read_at))
        .load(conn)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Notes that somebody has read some of an organization's; what is not its own is left out.
pub async fn mark(
    conn: &mut AsyncPgConnection,
    (org, user): (Uuid, Uuid),
    ids: &[Uuid],
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    use notification_items::dsl as items;
    use notification_reads::dsl;
    let own: Vec<Uuid> = items::notification_items
        .filter(items::org_id.eq(org).and(items::id.eq_any(ids)))
        .select(items::id)
        .load(conn)
        .await?;
    let unique: HashSet<Uuid> = own.into_iter().collect();
    let rows: Vec<_> = unique
        .into_iter()
        .map(|id| (dsl::notification_id.eq(id), dsl::user_id.eq(user), dsl::org_id.eq(org), dsl::read_at.eq(now)))
        .collect();
    diesel::insert_into(dsl::notification_reads).values(rows).on_conflict_do_nothing().execute(conn).await
}

/// Everything is read until now: what was noted one by one says no more than that.
pub async fn mark_all(conn: &mut AsyncPgConnection, (org, user): (Uuid, Uuid), now: DateTime<Utc>) -> QueryResult<()> {
    use notification_reads::dsl;
    let mut reader = lock(conn, org, user).await?;
    reader.read_until = Some(now);
    let noted = dsl::notification_reads.filter(dsl::org_id.eq(org).and(dsl::user_id.eq(user)));
    diesel::delete(noted).execute(conn).await?;
    save(conn, &reader).await.map(drop)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_letter_waits_until_quiet_hours_end() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let mut night = Reader::new(Uuid::nil(), Uuid::nil());
        assert_eq!(night.not_before(at("2026-11-27T23:00:00Z")), None, "nobody asked for quiet");
        (night.quiet_from, night.quiet_to) = (Some(22 * 60), Some(7 * 60));
        // Paris is an hour ahead in winter, two in summer.
        for (now, until) in [
            ("2026-11-27T20:59:00Z", None),
            ("2026-11-27T21:00:00Z", Some("2026-11-28T06:00:00Z")),
            ("2026-11-28T05:59:59Z", Some("2026-11-28T06:00:00Z")),
            ("2026-11-28T06:00:00Z", None),
            ("2026-07-01T20:30:00Z", Some("2026-07-02T05:00:00Z")),
        ] {
            assert_eq!(night.not_before(at(now)), until.map(at), "{now}");
        }
        (night.quiet_from, night.quiet_to) = (Some(12 * 60), Some(14 * 60));
        assert_eq!(night.not_before(at("2026-11-27T11:30:00Z")), Some(at("2026-11-27T13:00:00Z")), "at noon");
        // The clocks go forward from two to three: half past two is half past three.
        (night.quiet_from, night.quiet_to) = (Some(60), Some(150));
        assert_eq!(night.not_before(at("2026-03-29T00:30:00Z")), Some(at("2026-03-29T01:30:00Z")));
    }
}
