use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keroxio_core::{Access, ClientAddress, GqlResult, Page, RequestContext as _, access, as_system, connection};
use uuid::Uuid;

use crate::moderation::{self, Report, ReportReason, Told};

/// What has become of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ReportState {
    /// Nobody has decided yet.
    Open,
    /// Nothing was done.
    Dismissed,
    /// The page was hidden.
    Hidden,
}

/// What somebody told us of an ad.
#[derive(SimpleObject)]
pub struct ListingReport {
    /// Identifier.
    id: Uuid,
    /// The ad.
    listing_id: Uuid,
    /// What is said to be wrong.
    reason: ReportReason,
    /// In their words.
    details: String,
    /// Where to answer, where they want that.
    email: Option<String>,
    /// When it was told.
    created_at: DateTime<Utc>,
    /// What has become of it.
    state: ReportState,
    /// When that was decided.
    decided_at: Option<DateTime<Utc>>,
    /// Why, as whoever sells was told.
    statement: Option<String>,
}

impl From<Report> for ListingReport {
    fn from(row: Report) -> Self {
        Self {
            id: row.id,
            listing_id: row.listing_id,
            reason: ReportReason::named(&row.reason).unwrap_or(ReportReason::Other),
            details: row.details,
            email: row.email,
            created_at: row.created_at,
            state: match row.state.as_str() {
                "dismissed" => ReportState::Dismissed,
                "hidden" => ReportState::Hidden,
                _ => ReportState::Open,
            },
            decided_at: row.decided_at,
            statement: row.statement,
        }
    }
}

/// What you tell us of an ad.
#[derive(InputObject)]
pub struct ReportListingInput {
    /// The last part of the address of its page.
    slug: String,
    /// What is wrong.
    reason: ReportReason,
    /// In your words, 10 to 2,000 characters.
    details: String,
    /// Where to answer; whoever sells never sees it.
    email: Option<String>,
}

#[derive(Default)]
pub struct ModerationQuery;

#[Object]
impl ModerationQuery {
    /// What people told us of ads, the latest first.
    #[graphql(
        guard = "Access::Staff",
        directive = access::apply(Access::Staff),
        complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity"
    )]
    async fn listing_reports(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Those on which nobody has decided only.", default = true)] open: bool,
        #[graphql(desc = "Page size, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the last row already seen.")] after: Option<String>,
    ) -> GqlResult<Connection<String, ListingReport, EmptyFields, EmptyFields>> {
        let page = Page::new(first, after.as_deref())?;
        let rows = Box::pin(moderation::list(ctx.app(), open, page)).await?;
        Ok(connection(page, rows.into_iter().map(|row| (row.id, row.into())).collect()))
    }
}

#[derive(Default)]
pub struct ModerationMutation;

#[Object]
impl ModerationMutation {
    /// Tells the platform that something is wrong with an ad on one of its pages. Answers true; `NOT_FOUND` where no page
    /// is open at that address.
    #[graphql(guard = "Access::Open", directive = access::apply(Access::Open))]
    async fn report_listing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What you tell us.")] input: ReportListingInput,
    ) -> GqlResult<bool> {
        let ReportListingInput { slug, reason, details, email } = input;
        let told = Told { reason, details, email };
        let from = ctx.data_opt::<ClientAddress>().copied();
        // A page is open to anybody, also to members of other organizations.
        as_system(moderation::report(ctx.app(), &slug, told, from)).await?;
        Ok(true)
    }

    /// Decides on a report, and on all others of the same ad: the page is hidden, or nothing is done. Whoever sells is told
    /// what you write.
    #[graphql(guard = "Access::Staff", directive = access::apply(Access::Staff))]
    async fn decide_listing_report(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The report.")] id: Uuid,
        #[graphql(desc = "Whether the page is hidden.")] hide: bool,
        #[graphql(desc = "Why, 10 to 2,000 characters, in the seller's language.")] statement: String,
    ) -> GqlResult<ListingReport> {
        let report = Box::pin(moderation::decide(ctx.app(), &ctx.actor()?, id, hide, &statement)).await?;
        Ok(report.into())
    }

    /// Shows a page again that was hidden. `NOT_FOUND` where none of that ad is.
    #[graphql(guard = "Access::Staff", directive = access::apply(Access::Staff))]
    async fn restore_listing_page(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ad.")] listing_id: Uuid,
    ) -> GqlResult<bool> {
        Box::pin(moderation::restore(ctx.app(), listing_id)).await?;
        Ok(true)
    }
}
