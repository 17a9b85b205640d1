use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use keroxio_auth::{Organization, Step, User};
use keroxio_core::Role;
use uuid::Uuid;

/// An access token in the place of a member.
#[derive(SimpleObject)]
pub struct Impersonation {
    /// Sent as `Authorization: Bearer …`; it cannot be renewed.
    pub access_token: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// Somebody with an account, as staff see them.
#[derive(SimpleObject)]
pub struct UserRecord {
    /// Identifier.
    id: Uuid,
    /// Address; none for a guest.
    email: Option<String>,
    /// Whether the address is confirmed.
    email_verified: bool,
    /// Whether they log in with a second factor.
    second_factor: bool,
    /// Whether they are staff of the platform.
    staff: bool,
    /// Language of their letters, `fr` or `en`.
    locale: String,
    /// Since when.
    created_at: DateTime<Utc>,
    /// The organization they were in last.
    organization_id: Uuid,
}

impl From<User> for UserRecord {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            email: user.email,
            email_verified: user.email_verified_at.is_some(),
            second_factor: user.totp_enabled_at.is_some(),
            staff: user.staff,
            locale: user.locale,
            created_at: user.created_at,
            organization_id: user.org_id,
        }
    }
}

/// Who belongs to an organization, and as what.
#[derive(SimpleObject)]
pub struct MemberRecord {
    /// The person.
    pub user: UserRecord,
    /// Their role.
    pub role: Role,
}

/// A garage or a private seller, as staff see it.
#[derive(SimpleObject)]
pub struct OrganizationRecord {
    /// Identifier.
    pub id: Uuid,
    /// Name.
    name: String,
    /// Whether it is a professional.
    is_dealer: bool,
    /// Number of the company.
    siren: Option<String>,
    /// Since when.
    created_at: DateTime<Utc>,
    /// Since when it is on hold.
    suspended_at: Option<DateTime<Utc>>,
    /// Why.
    suspended_for: Option<String>,
    /// Who belongs to it, the longest-standing first.
    pub members: Vec<MemberRecord>,
}

impl From<Organization> for OrganizationRecord {
    fn from(row: Organization) -> Self {
        Self {
            id: row.id,
            name: row.name,
            is_dealer: row.kind == "dealer",
            siren: row.siren,
            created_at: row.created_at,
            suspended_at: row.suspended_at,
            suspended_for: row.suspended_for,
            members: Vec::new(),
        }
    }
}

/// One thing that was done, with who of staff did it.
#[derive(SimpleObject)]
pub struct TrailStep {
    /// The organization it was done in.
    organization_id: Uuid,
    /// Whoever of staff did it.
    staff_id: Option<Uuid>,
    /// What was done.
    #[graphql(flatten)]
    step: keroxio_auth::AuditStep,
}

impl From<Step> for TrailStep {
    fn from(step: Step) -> Self {
        Self { organization_id: step.org_id, staff_id: step.staff_id, step: step.into() }
    }
}
