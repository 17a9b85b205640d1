//! What staff do; the first wall has made sure that they are staff.

use keroxio_auth::{Organization, oversight};
use keroxio_core::{Actor, App, Result, Right};
use keroxio_email::{Letter, Locale};
use keroxio_notification::{Notice, NotificationKind, service as notification};
use uuid::Uuid;

use crate::types::Impersonation;

pub async fn impersonate(app: &App, actor: &Actor, org: Uuid, user: Uuid, reason: &str) -> Result<Impersonation> {
    let reason = oversight::reason(reason)?;
    let mut tx = app.begin().await?;
    let issued = oversight::impersonate(&mut tx, actor, org, user, &reason).await?;
    let notice = Notice {
        org_id: org,
        kind: NotificationKind::StaffAccess,
        title_fr: format!("Notre équipe a ouvert votre espace pour quinze minutes : {reason}"),
        title_en: format!("Our team opened your account for fifteen minutes: {reason}"),
        subject_id: Some(user),
    };
    notification::notify(&mut tx, notice).await?;
    tx.count("admin.impersonated");
    tx.commit().await?;
    Ok(Impersonation { access_token: issued.token, expires_at: issued.expires_at })
}

/// Puts an organization on hold, or takes it up again.
pub async fn hold(app: &App, actor: &Actor, org: Uuid, hold: bool, reason: &str) -> Result<Organization> {
    let reason = oversight::reason(reason)?;
    let mut tx = app.begin().await?;
    let organization = oversight::suspend(&mut tx, actor, org, hold, &reason).await?;
    let (kind, title_fr, title_en) = if hold {
        (
            NotificationKind::OrganizationSuspended,
            format!(
                "Votre organisation est suspendue : {reason} Vous voyez et exportez vos données ; écrivez-nous pour contester."
            ),
            format!("Your organization is on hold: {reason} You see and export your data; write to us to contest it."),
        )
    } else {
        (
            NotificationKind::OrganizationReinstated,
            format!("La suspension de votre organisation est levée : {reason}"),
            format!("Your organization is no longer on hold: {reason}"),
        )
    };
    notification::notify(&mut tx, Notice { org_id: org, kind, title_fr, title_en, subject_id: None }).await?;
    let name = organization.name.clone();
    let letter = if hold {
        Letter::OrganizationSuspended { organization: name, reason }
    } else {
        Letter::OrganizationReinstated { organization: name, reason }
    };
    for to in keroxio_auth::service::addressees(&mut tx, org, Right::Own).await? {
        keroxio_email::service::send(&mut tx, Some(org), &to.email, Locale::named(&to.locale), &letter).await?;
    }
    tx.count(if hold { "admin.suspended" } else { "admin.reinstated" });
    tx.commit().await?;
    oversight::members_changed(app, org).await?;
    Ok(organization)
}
