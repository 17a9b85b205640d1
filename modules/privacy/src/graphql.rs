use async_graphql::{ComplexObject, Context, Enum, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keroxio_core::{Access, GqlResult, RequestContext as _, access};
use uuid::Uuid;

use crate::consent::{self, ConsentPurpose};
use crate::holds::Kept;
use crate::model::{Consent as ConsentRow, Erasure, Export};
use crate::{erasure, export};

/// What became of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum DataExportState {
    /// It is being written.
    Pending,
    /// It can be fetched.
    Ready,
    /// It could not be written; ask again.
    Failed,
}

/// Everything your organization has, in one file.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct DataExport {
    /// Identifier.
    id: Uuid,
    /// What became of it.
    state: DataExportState,
    /// Rows in it.
    rows: Option<i64>,
    /// Files in it.
    files: Option<i64>,
    /// When it was asked for; seven days later it is gone.
    asked_at: DateTime<Utc>,
    /// When it was finished.
    ended_at: Option<DateTime<Utc>>,
    #[graphql(skip)]
    row: Export,
}

#[ComplexObject]
impl DataExport {
    /// Private address of the ZIP, good for an hour; null until it is ready.
    #[graphql(complexity = 5)]
    async fn url(&self, ctx: &Context<'_>) -> GqlResult<Option<String>> {
        Ok(Box::pin(export::url(ctx.app(), &self.row)).await?)
    }
}

impl From<Export> for DataExport {
    fn from(row: Export) -> Self {
        let state = match row.state.as_str() {
            "ready" => DataExportState::Ready,
            "failed" => DataExportState::Failed,
            _ => DataExportState::Pending,
        };
        Self {
            id: row.id,
            state,
            rows: row.rows,
            files: row.files,
            asked_at: row.asked_at,
            ended_at: row.ended_at,
            row,
        }
    }
}

/// Rows of one kind that were deleted.
#[derive(SimpleObject)]
pub struct ErasedRows {
    /// Name of the table.
    kind: String,
    /// How many.
    rows: i64,
}

/// What a law wants kept.
#[derive(SimpleObject)]
pub struct KeptRows {
    /// Stable name of the rule.
    code: String,
    /// How many rows.
    rows: usize,
    /// Why, in French.
    reason: String,
    /// Why, in English.
    reason_en: String,
    /// The article.
    source: String,
    /// Until when; then it is deleted too.
    until: DateTime<Utc>,
}

/// What became of an organization that was erased.
#[derive(SimpleObject)]
pub struct ErasureCertificate {
    /// Its number.
    id: Uuid,
    /// When it was asked for.
    asked_at: DateTime<Utc>,
    /// When everything was gone; null while it is under way.
    erased_at: Option<DateTime<Utc>>,
    /// What was deleted; all files were, too.
    deleted: Vec<ErasedRows>,
    /// What is kept, and why.
    kept: Vec<KeptRows>,
}

impl From<Erasure> for ErasureCertificate {
    fn from(row: Erasure) -> Self {
        let deleted = row.deleted.as_object().into_iter().flatten();
        let kept: Vec<Kept> = serde_json::from_value(row.kept.clone()).unwrap_or_default();
        Self {
            id: row.id,
            asked_at: row.asked_at,
            erased_at: row.erased_at,
            deleted: deleted
                .map(|(kind, rows)| ErasedRows { kind: kind.clone(), rows: rows.as_i64().unwrap_or_default() })
                .collect(),
            kept: kept
                .into_iter()
                .map(|kept| KeptRows {
                    code: kept.code,
                    rows: kept.rows.len(),
                    reason: kept.reason_fr,
                    reason_en: kept.reason_en,
                    source: kept.source,
                    until: kept.until,
                })
                .collect(),
        }
    }
}

/// Something you agreed to.
#[derive(SimpleObject)]
pub struct Consent {
    /// To what.
    purpose: ConsentPurpose,
    /// To which version of the text.
    version: String,
    /// When.
    given_at: DateTime<Utc>,
    /// When you took it back; null while it holds.
    withdrawn_at: Option<DateTime<Utc>>,
}

impl From<ConsentRow> for Consent {
    fn from(row: ConsentRow) -> Self {
        Self {
            purpose: ConsentPurpose::named(&row.purpose).unwrap_or(ConsentPurpose::News),
            version: row.version,
            given_at: row.given_at,
            withdrawn_at: row.withdrawn_at,
        }
    }
}

#[derive(Default)]
pub struct PrivacyQuery;

#[Object]
impl PrivacyQuery {
    /// Exports of your organization, the newest first.
    #[graphql(guard = "Access::Own", directive = access::apply(Access::Own), complexity = "5 * child_complexity")]
    async fn data_exports(&self, ctx: &Context<'_>) -> GqlResult<Vec<DataExport>> {
        let rows = Box::pin(export::list(ctx.app(), &ctx.actor()?)).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// What became of an organization that was erased, by the number that `eraseOrganization` gave. It names nobody.
    #[graphql(directive = access::apply(Access::Open))]
    async fn erasure_certificate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Number of the certificate.")] id: Uuid,
    ) -> GqlResult<ErasureCertificate> {
        Ok(Box::pin(erasure::certificate(ctx.app(), id)).await?.into())
    }

    /// What you agreed to, the newest first, with what you took back.
    #[graphql(guard = "Access::Person", directive = access::apply(Access::Person), complexity = "5 * child_complexity")]
    async fn consents(&self, ctx: &Context<'_>) -> GqlResult<Vec<Consent>> {
        let rows = Box::pin(consent::list(ctx.app(), &ctx.actor()?)).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }
}

#[derive(Default)]
pub struct PrivacyMutation;

#[Object]
impl PrivacyMutation {
    /// Asks for everything your organization has, as one ZIP of JSON lines and files. You are written to when it is ready.
    #[graphql(guard = "Access::Own", directive = access::apply(Access::Own))]
    async fn export_data(&self, ctx: &Context<'_>) -> GqlResult<DataExport> {
        Ok(Box::pin(export::ask(ctx.app(), &ctx.actor()?)).await?.into())
    }

    /// Erases your organization, its files, and everybody who belongs to no other. This cannot be undone. What a law
    /// wants kept is kept until its time is over. Answers the number of the certificate, for `erasureCertificate`.
    #[graphql(guard = "Access::Own", directive = access::apply(Access::Own))]
    async fn erase_organization(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The exact name of the organization.")] name: String,
        #[graphql(desc = "Your password.")] password: String,
    ) -> GqlResult<Uuid> {
        Ok(Box::pin(erasure::ask(ctx.app(), &ctx.actor()?, &name, password)).await?)
    }

    /// Notes that you agree to something.
    #[graphql(guard = "Access::Person", directive = access::apply(Access::Person))]
    async fn give_consent(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "To what.")] purpose: ConsentPurpose,
        #[graphql(desc = "Version of the text you were shown.")] version: String,
    ) -> GqlResult<Consent> {
        Ok(Box::pin(consent::give(ctx.app(), &ctx.actor()?, purpose, &version)).await?.into())
    }

    /// Takes back what you agreed to; true even when there was nothing.
    #[graphql(guard = "Access::Person", directive = access::apply(Access::Person))]
    async fn withdraw_consent(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "From what.")] purpose: ConsentPurpose,
    ) -> GqlResult<bool> {
        Box::pin(consent::withdraw(ctx.app(), &ctx.actor()?, purpose)).await?;
        Ok(true)
    }
}
