use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keroxio_core::{ClientAddress, GqlResult, Limits, RequestContext as _, RequireUser};
use uuid::Uuid;

use crate::model::{Organization as OrganizationRow, User};
use crate::service::{self, Opened};

/// Who sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum OrganizationKind {
    /// A professional.
    Dealer,
    /// A person who sells their own car.
    PrivateSeller,
}

/// A garage or a private seller: everything belongs to one.
#[derive(SimpleObject)]
pub struct Organization {
    /// Identifier.
    id: Uuid,
    /// Name shown to buyers.
    name: String,
    /// Professional or private.
    kind: OrganizationKind,
    /// Number of the company (SIREN), nine digits; advertisements of professionals must name who sells.
    siren: Option<String>,
}

impl From<OrganizationRow> for Organization {
    fn from(row: OrganizationRow) -> Self {
        let kind = if row.kind == "dealer" { OrganizationKind::Dealer } else { OrganizationKind::PrivateSeller };
        Self { id: row.id, name: row.name, kind, siren: row.siren }
    }
}

/// The person who is signed in.
#[derive(SimpleObject)]
pub struct Viewer {
    /// Identifier.
    id: Uuid,
    /// E-mail address, lower case.
    email: String,
    /// Their organization.
    organization: Organization,
}

impl From<(User, OrganizationRow)> for Viewer {
    fn from((user, organization): (User, OrganizationRow)) -> Self {
        Self { id: user.id, email: user.email, organization: organization.into() }
    }
}

/// A session: send `Authorization: Bearer <accessToken>`.
#[derive(SimpleObject)]
pub struct Session {
    /// JWT, valid 15 minutes.
    access_token: String,
    /// Opaque, valid 30 days and for one use in `refreshSession`.
    refresh_token: String,
    /// When the access token expires.
    expires_at: DateTime<Utc>,
    /// Who is signed in.
    viewer: Viewer,
}

impl From<Opened> for Session {
    fn from(opened: Opened) -> Self {
        Self {
            access_token: opened.access_token,
            refresh_token: opened.refresh_token,
            expires_at: opened.expires_at,
            viewer: (opened.user, opened.organization).into(),
        }
    }
}

/// What a new account needs.
#[derive(InputObject)]
pub struct RegisterInput {
    /// E-mail address.
    email: String,
    /// 10 to 200 characters.
    password: String,
    /// Name of the garage or of the seller, 1 to 120 characters.
    organization_name: String,
    /// Professional or private.
    organization_kind: OrganizationKind,
}

/// Where the request comes from.
fn address(ctx: &Context<'_>) -> Option<ClientAddress> {
    ctx.data_opt::<ClientAddress>().copied()
}

/// How much you may ask of the API.
#[derive(SimpleObject)]
pub struct ApiLimits {
    /// Points your organization may spend at once. A field is about one point, times the rows of its list; every
    /// answer tells in `extensions.cost` what it took.
    capacity: u32,
    /// Points that come back each second.
    per_second: u32,
    /// Points that are left now.
    remaining: i64,
}

#[derive(Default)]
pub struct AuthQuery;

#[Object]
impl AuthQuery {
    /// Who is signed in.
    #[graphql(guard = "RequireUser")]
    async fn viewer(&self, ctx: &Context<'_>) -> GqlResult<Viewer> {
        Ok(service::viewer(ctx.app(), &ctx.actor()?).await?.into())
    }

    /// How much your organization may ask of the API, and how much of that is left. What goes beyond is refused with
    /// `RATE_LIMITED`, status 429 and the seconds to wait.
    #[graphql(guard = "RequireUser")]
    async fn api_limits(&self, ctx: &Context<'_>) -> GqlResult<ApiLimits> {
        let (app, actor) = (ctx.app(), ctx.actor()?);
        let limits = Limits::of(app, true);
        let name = Limits::bucket_of(Some(&actor), None).unwrap_or_default();
        let left = app.take(&name, limits.bucket(), 0.0).await.left;
        Ok(ApiLimits { capacity: limits.capacity, per_second: limits.per_second, remaining: left.floor() as i64 })
    }
}

#[derive(Default)]
pub struct AuthMutation;

#[Object]
impl AuthMutation {
    /// Creates an account with its organization and signs in. `EMAIL_TAKEN` when the address has one,
    /// `TOO_MANY_ATTEMPTS` for many accounts from one place.
    async fn register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new account.")] input: RegisterInput,
    ) -> GqlResult<Session> {
        let kind = match input.organization_kind {
            OrganizationKind::Dealer => "dealer",
            OrganizationKind::PrivateSeller => "private_seller",
        };
        let opened =
            service::register(ctx.app(), address(ctx), &input.email, input.password, &input.organization_name, kind)
                .await?;
        Ok(opened.into())
    }

    /// Signs in. `INVALID_CREDENTIALS` for a wrong password and for an unknown address alike, `TOO_MANY_ATTEMPTS` with the
    /// seconds to wait after many attempts.
    async fn log_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "E-mail address.")] email: String,
        #[graphql(desc = "Password.")] password: String,
    ) -> GqlResult<Session> {
        Ok(service::log_in(ctx.app(), &email, password, address(ctx)).await?.into())
    }

    /// Exchanges a refresh token for a new session. A token used twice ends every session that came from it.
    async fn refresh_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refresh token of the last session.")] refresh_token: String,
    ) -> GqlResult<Session> {
        Ok(service::refresh(ctx.app(), &refresh_token).await?.into())
    }

    /// Changes your organization. `SIREN_INVALID` for a number whose check digit is wrong.
    #[graphql(guard = "RequireUser")]
    async fn update_organization(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Name shown to buyers, 1 to 120 characters; absent: it stays.")] name: Option<String>,
        #[graphql(desc = "Number of the company; absent: it stays; empty: it is taken away.")] siren: Option<String>,
    ) -> GqlResult<Organization> {
        Ok(service::update_organization(ctx.app(), &ctx.actor()?, name, siren).await?.into())
    }

    /// Ends the session of a refresh token; true even when it had already ended.
    async fn log_out(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refresh token of the session.")] refresh_token: String,
    ) -> GqlResult<bool> {
        service::log_out(ctx.app(), &refresh_token).await?;
        Ok(true)
    }
}
