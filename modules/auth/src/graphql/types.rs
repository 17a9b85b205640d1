use async_graphql::{ComplexObject, Context, Enum, InputObject, SimpleObject};
use chrono::{DateTime, Utc};
use keroxio_core::{Access, Error, GqlResult, RequestContext as _, Right, Role, access, as_system};
use keroxio_email::Locale;
use uuid::Uuid;

use crate::model::{self, ApiKey as KeyRow, Organization as OrganizationRow, User};
use crate::second_factor::Setup;
use crate::sessions::Opened;

/// Who sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum OrganizationKind {
    /// A professional.
    Dealer,
    /// A person who sells their own car.
    PrivateSeller,
}

impl OrganizationKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Dealer => "dealer",
            Self::PrivateSeller => "private_seller",
        }
    }
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
    /// Set while the platform has put the organization on hold: it sees and exports what is its own, and changes nothing.
    suspension: Option<Suspension>,
}

/// Why an organization is on hold.
#[derive(SimpleObject)]
pub struct Suspension {
    /// Since when.
    since: DateTime<Utc>,
    /// Why, as staff wrote it.
    reason: String,
}

impl From<OrganizationRow> for Organization {
    fn from(row: OrganizationRow) -> Self {
        let kind = if row.kind == "dealer" { OrganizationKind::Dealer } else { OrganizationKind::PrivateSeller };
        let reason = row.suspended_for.unwrap_or_default();
        let suspension = row.suspended_at.map(|since| Suspension { since, reason });
        Self { id: row.id, name: row.name, kind, siren: row.siren, suspension }
    }
}

/// An organization somebody belongs to, and as what.
#[derive(SimpleObject)]
pub struct Membership {
    /// The organization.
    organization: Organization,
    /// Their role there.
    role: Role,
    /// Since when.
    created_at: DateTime<Utc>,
}

/// The person who is signed in.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Viewer {
    /// Identifier.
    id: Uuid,
    /// E-mail address, lower case; null for a guest, who keeps what they began with `requestClaim`.
    email: Option<String>,
    /// Whether the address was confirmed by the link sent to it.
    email_verified: bool,
    /// Whether log-ins ask for a second factor.
    second_factor_enabled: bool,
    /// The organization they are signed in to.
    organization: Organization,
    /// Their role there.
    role: Role,
    /// What they may do there.
    rights: Vec<Right>,
}

impl Viewer {
    pub fn new(user: User, organization: OrganizationRow, role: Role) -> Self {
        Self {
            id: user.id,
            email: user.email,
            email_verified: user.email_verified_at.is_some(),
            second_factor_enabled: user.totp_enabled_at.is_some(),
            organization: organization.into(),
            role,
            rights: role.rights().iter().collect(),
        }
    }
}

#[ComplexObject]
impl Viewer {
    /// Every organization they belong to; `refreshSession` changes from one to another.
    #[graphql(complexity = "10 * child_complexity")]
    async fn memberships(&self, ctx: &Context<'_>) -> GqlResult<Vec<Membership>> {
        Ok(Box::pin(super::query::memberships(ctx.app(), self.id)).await?)
    }

    /// How many recovery codes of the second factor are left.
    async fn recovery_codes_left(&self, ctx: &Context<'_>) -> GqlResult<i64> {
        let left = async { Ok::<_, Error>(Box::pin(model::codes_left(&mut *ctx.app().conn().await?, self.id)).await?) };
        Ok(as_system(left).await?)
    }
}

impl From<(model::Membership, OrganizationRow)> for Membership {
    fn from((row, organization): (model::Membership, OrganizationRow)) -> Self {
        let role = Role::named(&row.role).unwrap_or(Role::ReadOnly);
        Self { organization: organization.into(), role, created_at: row.created_at }
    }
}

/// A session: send `Authorization: Bearer <accessToken>`.
#[derive(SimpleObject)]
pub struct Session {
    /// JWT (EdDSA), valid 15 minutes; `/.well-known/jwks.json` has the public keys.
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
            viewer: Viewer::new(opened.user, opened.organization, opened.role),
        }
    }
}

/// Somewhere the viewer is signed in.
#[derive(SimpleObject)]
pub struct Device {
    /// Identifier, for `revokeDevice`.
    id: Uuid,
    /// Whether this is where the request comes from.
    current: bool,
    /// What the browser or program calls itself.
    agent: Option<String>,
    /// Internet address it was seen at last; of IPv6 the network.
    address: Option<String>,
    /// When they signed in.
    created_at: DateTime<Utc>,
    /// When the session was renewed last.
    seen_at: DateTime<Utc>,
}

impl Device {
    pub fn new(row: model::Session, current: Uuid) -> Self {
        Self {
            id: row.id,
            current: row.id == current,
            agent: row.agent,
            address: row.network,
            created_at: row.created_at,
            seen_at: row.seen_at,
        }
    }
}

/// What an authenticator application needs, shown once.
#[derive(SimpleObject)]
pub struct SecondFactorSetup {
    /// The secret in base32, to be typed in.
    secret: String,
    /// The same as an address (`otpauth://`), to be shown as a QR code.
    url: String,
}

impl From<Setup> for SecondFactorSetup {
    fn from(setup: Setup) -> Self {
        Self { secret: setup.secret.expose().to_owned(), url: setup.url.expose().to_owned() }
    }
}

/// Somebody who belongs to your organization.
#[derive(SimpleObject)]
pub struct Member {
    /// Identifier of the person.
    user_id: Uuid,
    /// Their e-mail address.
    email: Option<String>,
    /// Their role.
    role: Role,
    /// Whether their log-ins ask for a second factor.
    second_factor_enabled: bool,
    /// Since when they belong to it.
    created_at: DateTime<Utc>,
}

impl From<(model::Membership, User)> for Member {
    fn from((row, user): (model::Membership, User)) -> Self {
        Self {
            user_id: row.user_id,
            email: user.email,
            role: Role::named(&row.role).unwrap_or(Role::ReadOnly),
            second_factor_enabled: user.totp_enabled_at.is_some(),
            created_at: row.created_at,
        }
    }
}

/// An invitation to your organization that nobody has accepted yet.
#[derive(SimpleObject)]
pub struct Invitation {
    /// Identifier.
    id: Uuid,
    /// Whom it was sent to.
    email: String,
    /// The role they will have.
    role: Role,
    /// When it was sent.
    created_at: DateTime<Utc>,
    /// Until when it can be accepted.
    expires_at: DateTime<Utc>,
}

impl From<model::Invitation> for Invitation {
    fn from(row: model::Invitation) -> Self {
        let role = Role::named(&row.role).unwrap_or(Role::ReadOnly);
        Self { id: row.id, email: row.email, role, created_at: row.created_at, expires_at: row.expires_at }
    }
}

/// A place where your organization sells.
#[derive(SimpleObject)]
pub struct Site {
    /// Identifier.
    id: Uuid,
    /// Name, for instance of the town.
    name: String,
    /// Street and number.
    street: Option<String>,
    /// Postal code.
    postal_code: Option<String>,
    /// Town.
    city: Option<String>,
}

impl From<model::Site> for Site {
    fn from(row: model::Site) -> Self {
        Self { id: row.id, name: row.name, street: row.street, postal_code: row.postal_code, city: row.city }
    }
}

/// The key of a program that acts for your organization.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct ApiKey {
    /// Identifier.
    id: Uuid,
    /// What you called it.
    name: String,
    /// How it begins, to recognize it by.
    prefix: String,
    /// What it may do.
    scopes: Vec<Right>,
    /// Points it may spend at once; null: as much as your organization.
    cost_capacity: Option<i32>,
    /// Points that come back to it each second; null: as for your organization.
    cost_per_second: Option<i32>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it stops working; null: never.
    expires_at: Option<DateTime<Utc>>,
    /// When it was used last, to the minute.
    last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    revoked_at: Option<DateTime<Utc>>,
    #[graphql(skip)]
    created_by: Uuid,
}

#[ComplexObject]
impl ApiKey {
    /// Who made it; their identifier among the members.
    #[graphql(guard = "Access::Members", directive = access::apply(Access::Members))]
    async fn created_by(&self) -> Uuid {
        self.created_by
    }
}

impl From<KeyRow> for ApiKey {
    fn from(row: KeyRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            prefix: row.prefix,
            scopes: row.scopes.iter().filter_map(|name| Right::named(name)).collect(),
            cost_capacity: row.cost_capacity,
            cost_per_second: row.cost_per_second,
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
            created_by: row.created_by,
        }
    }
}

/// A key that was just made.
#[derive(SimpleObject)]
pub struct CreatedApiKey {
    /// The key itself, `Authorization: Bearer kx_…`; it is shown this once.
    secret: String,
    /// What is kept of it.
    api_key: ApiKey,
}

impl From<(KeyRow, String)> for CreatedApiKey {
    fn from((row, secret): (KeyRow, String)) -> Self {
        Self { secret, api_key: row.into() }
    }
}

/// What a new account needs.
#[derive(InputObject)]
pub struct RegisterInput {
    /// E-mail address.
    pub email: String,
    /// 10 to 200 characters.
    pub password: String,
    /// Name of the garage or of the seller, 1 to 120 characters.
    pub organization_name: String,
    /// Professional or private.
    pub organization_kind: OrganizationKind,
    /// Language of letters to you; French by default.
    pub language: Option<Locale>,
}

/// A place where your organization sells. What is absent stays as it is; an empty text takes it away.
#[derive(InputObject)]
pub struct SiteInput {
    /// Name, 1 to 120 characters; needed for a new one.
    pub name: Option<String>,
    /// Street and number.
    pub street: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Town.
    pub city: Option<String>,
}

/// What a new key is made of.
#[derive(InputObject)]
pub struct ApiKeyInput {
    /// What you call it, 1 to 120 characters.
    pub name: String,
    /// What it may do; no more than you, and neither `MEMBERS` nor `OWN`.
    pub scopes: Vec<Right>,
    /// When it stops working; absent: never.
    pub expires_at: Option<DateTime<Utc>>,
    /// Points it may spend at once; absent: as much as your organization.
    pub cost_capacity: Option<u32>,
    /// Points that come back to it each second; absent: as for your organization.
    pub cost_per_second: Option<u32>,
}

/// Whether letters reach your address.
#[derive(SimpleObject)]
pub struct EmailStanding {
    /// The address.
    address: String,
    /// Since when its server refuses letters: nothing is sent to it. Null where it takes them.
    bounced_at: Option<DateTime<Utc>>,
    /// Since when one of our letters counts as spam: nothing is sent but what your account depends on. Null where none does.
    complained_at: Option<DateTime<Utc>>,
}

impl From<(String, keroxio_email::Standing)> for EmailStanding {
    fn from((address, standing): (String, keroxio_email::Standing)) -> Self {
        Self { address, bounced_at: standing.bounced_at, complained_at: standing.complained_at }
    }
}
