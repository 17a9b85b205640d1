//! What people tell us of ads on our own pages, and what staff do about it (Regulation (EU) 2022/2065, articles 16 and
//! 17: anybody can tell us, staff decide, and whoever sells is told why).

use std::time::Duration as Time;

use async_graphql::Enum;
use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::{
    Actor, App, BackgroundJob, Bucket, ClientAddress, Effects, Error, Feature, JobError, Page as Slice, Priority,
    Result, Tx,
};
use keroxio_notification::{Notice, NotificationKind};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::page::{self, Page};
use crate::tables::publication_reports::{self, dsl};
use crate::{error, online};

/// Opening pages of our own.
pub const PAGES: Feature = Feature {
    name: "publication.pages",
    title_fr: "la page publique des annonces",
    title_en: "the public page of advertisements",
};

/// Reports from one address: at once, and in a day.
const FROM: Bucket = Bucket::of(3, Time::from_secs(600));
const FROM_DAILY: Bucket = Bucket::of(20, Time::from_secs(86_400));
/// Characters of what is told, and of a decision.
const DETAILS: std::ops::RangeInclusive<usize> = 10..=2_000;
/// Days for which a decided report is kept: a decision can be contested for six months (article 20).
const DAYS: i64 = 365;

/// What is wrong with an ad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ReportReason {
    /// The car does not exist, or is not theirs to sell.
    Fraud,
    /// What is said of the car is wrong.
    Misleading,
    /// The car is stolen, or its number is somebody else's.
    Stolen,
    /// It shows somebody, or something of theirs, who did not agree.
    Privacy,
    /// Something that the law forbids.
    Illegal,
    /// Something else.
    Other,
}

impl ReportReason {
    pub const ALL: [Self; 6] = [Self::Fraud, Self::Misleading, Self::Stolen, Self::Privacy, Self::Illegal, Self::Other];

    pub fn name(self) -> &'static str {
        match self {
            Self::Fraud => "fraud",
            Self::Misleading => "misleading",
            Self::Stolen => "stolen",
            Self::Privacy => "privacy",
            Self::Illegal => "illegal",
            Self::Other => "other",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }

    pub fn in_french(self) -> &'static str {
        match self {
            Self::Fraud => "Escroquerie : la voiture n'existe pas ou n'est pas à vendre",
            Self::Misleading => "Informations fausses ou trompeuses",
            Self::Stolen => "Véhicule volé ou plaque usurpée",
            Self::Privacy => "Atteinte à la vie privée",
            Self::Illegal => "Autre contenu illicite",
            Self::Other => "Autre motif",
        }
    }
}

/// What somebody told us.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = publication_reports)]
pub struct Report {
    pub id: Uuid,
    pub listing_id: Uuid,
    pub reason: String,
    pub details: String,
    /// Where to write to whoever told, where they want that.
    pub email: Option<String>,
    pub network: Option<String>,
    pub created_at: DateTime<Utc>,
    /// `open`, `dismissed` or `hidden`.
    pub state: String,
    pub decided_at: Option<DateTime<Utc>>,
    pub decided_by: Option<Uuid>,
    pub statement: Option<String>,
}

/// What somebody tells us.
pub struct Told {
    pub reason: ReportReason,
    pub details: String,
    pub email: Option<String>,
}

/// Takes a report of the page at an address in. The same from the same place about the same ad, while nobody has
/// decided, is taken once.
///
/// # Errors
/// `NOT_FOUND` where there is no page, `BAD_INPUT`, `TOO_MANY_ATTEMPTS`.
pub(crate) async fn report(app: &App, slug: &str, told: Told, from: Option<ClientAddress>) -> Result<()> {
    let details = sentence(&told.details)?;
    let email = told.email.map(|email| email.trim().to_owned()).filter(|email| !email.is_empty());
    if email.as_ref().is_some_and(|email| email.len() > 254 || !email.contains('@')) {
        return Err(Error::bad_input("Cette adresse e-mail n'est pas valide.", "This e-mail address is not valid."));
    }
    let network = from.map(ClientAddress::network);
    if let Some(from) = &network {
        app.take(&format!("report-from:{from}"), FROM, 1.0).await.or_wait()?;
        app.take(&format!("report-from-daily:{from}"), FROM_DAILY, 1.0).await.or_wait()?;
    }
    let mut tx = app.begin().await?;
    let page = page::at(&mut tx, slug).await?.filter(Page::is_seen).ok_or_else(error::not_found)?;
    if !was_told(&mut tx, page.listing_id, network.as_deref(), told.reason).await? {
        let report = Report {
            id: Uuid::now_v7(),
            listing_id: page.listing_id,
            reason: told.reason.name().to_owned(),
            details,
            email,
            network,
            created_at: app.now(),
            state: "open".to_owned(),
            decided_at: None,
            decided_by: None,
            statement: None,
        };
        diesel::insert_into(publication_reports::table).values(&report).execute(&mut *tx).await?;
        tx.count("publication.reported");
    }
    tx.commit().await
}

async fn was_told(
    conn: &mut AsyncPgConnection,
    listing: Uuid,
    network: Option<&str>,
    reason: ReportReason,
) -> QueryResult<bool> {
    let Some(network) = network else { return Ok(false) };
    let same = publication_reports::table
        .filter(dsl::listing_id.eq(listing))
        .filter(dsl::state.eq("open"))
        .filter(dsl::network.eq(network))
        .filter(dsl::reason.eq(reason.name()));
    diesel::select(diesel::dsl::exists(same)).get_result(conn).await
}

/// Reports, the latest first, one more than the page holds: for staff.
pub(crate) async fn list(app: &App, open: bool, slice: Slice) -> Result<Vec<Report>> {
    let mut found = publication_reports::table.select(Report::as_select()).into_boxed();
    if open {
        found = found.filter(dsl::state.eq("open"));
    }
    if let Some(after) = slice.after {
        found = found.filter(dsl::id.lt(after));
    }
    let mut conn = app.conn().await?;
    Ok(found.order(dsl::id.desc()).limit(slice.limit + 1).load(&mut conn).await?)
}

/// Decides all open reports of the ad that one is about: its page is hidden, or nothing is done.
///
/// # Errors
/// `NOT_FOUND`, `BAD_INPUT` for a statement that is too short or too long.
pub(crate) async fn decide(app: &App, actor: &Actor, id: Uuid, hide: bool, statement: &str) -> Result<Report> {
    let statement = sentence(statement)?;
    let mut tx = app.begin().await?;
    let found = publication_reports::table.find(id).select(Report::as_select()).first(&mut *tx).await.optional()?;
    let report = found.ok_or_else(error::no_report)?;
    // Two who decide at a time wait for each other.
    let page = page::lock(&mut tx, report.listing_id).await?.ok_or_else(error::not_found)?;
    if hide {
        conceal(&mut tx, &page, &statement).await?;
    }
    let mine = publication_reports::table.filter(dsl::listing_id.eq(report.listing_id).and(dsl::state.eq("open")));
    diesel::update(mine)
        .set((
            dsl::state.eq(if hide { "hidden" } else { "dismissed" }),
            dsl::decided_at.eq(app.now()),
            dsl::decided_by.eq(actor.user_id),
            dsl::statement.eq(&statement),
        ))
        .execute(&mut *tx)
        .await?;
    let report = publication_reports::table.find(id).select(Report::as_select()).first(&mut *tx).await?;
    tx.commit().await?;
    Ok(report)
}

/// Hides the page of an ad from everybody and tells whoever sells why, and how to contest it.
async fn conceal(tx: &mut Tx, page: &Page, statement: &str) -> Result<()> {
    if page.hidden_at.is_some() {
        return Ok(());
    }
    let now = tx.app().now();
    page::set_hidden(tx, page.listing_id, Some((now, statement))).await?;
    online::hidden(tx, page.org_id, page.listing_id).await?;
    let notice = Notice {
        org_id: page.org_id,
        kind: NotificationKind::ListingHidden,
        title_fr: format!("Page retirée par la plateforme : {statement} Écrivez-nous pour contester cette décision."),
        title_en: format!("Page taken down by the platform: {statement} Write to us to contest this decision."),
        subject_id: Some(page.listing_id),
    };
    keroxio_notification::service::notify(tx, notice).await?;
    tx.count("publication.hidden");
    Ok(())
}

/// Shows a hidden page again.
///
/// # Errors
/// `NOT_FOUND` where no page of that ad is hidden.
pub(crate) async fn restore(app: &App, listing: Uuid) -> Result<Page> {
    let mut tx = app.begin().await?;
    let page = page::lock(&mut tx, listing).await?;
    let mut page = page.filter(|page| page.hidden_at.is_some()).ok_or_else(error::not_found)?;
    page::set_hidden(&mut tx, listing, None).await?;
    (page.hidden_at, page.hidden_for) = (None, None);
    if page.is_seen() {
        online::shown(&mut tx, page.org_id, listing).await?;
    }
    let notice = Notice {
        org_id: page.org_id,
        kind: NotificationKind::ListingRestored,
        title_fr: "La page de votre annonce est de nouveau visible.".to_owned(),
        title_en: "The page of your advertisement can be seen again.".to_owned(),
        subject_id: Some(listing),
    };
    keroxio_notification::service::notify(&mut tx, notice).await?;
    tx.commit().await?;
    Ok(page)
}

/// Forgets reports whose decision can no longer be contested.
async fn forget(tx: &mut Tx) -> Result<()> {
    let before = tx.app().now() - Duration::days(DAYS);
    diesel::delete(publication_reports::table.filter(dsl::decided_at.lt(before))).execute(&mut **tx).await?;
    Ok(())
}

/// [`forget`] each night.
#[derive(Serialize, Deserialize)]
pub struct ForgetReports;

impl BackgroundJob for ForgetReports {
    const NAME: &'static str = "publication.forget_reports";
    const PRIORITY: Priority = Priority::Low;

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let mut tx = app.begin().await?;
        forget(&mut tx).await?;
        Ok(tx.into())
    }
}

fn sentence(text: &str) -> Result<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if DETAILS.contains(&text.chars().count()) {
        return Ok(text);
    }
    Err(Error::bad_input("Écrivez de 10 à 2 000 caractères.", "Write 10 to 2,000 characters."))
}
