//! Who did what in an organization, for those who answer for it.

use chrono::{DateTime, Duration, Utc};
use keroxio_core::{Actor, App, ClientAddress, Credential, Page, Result, Right, Tx};
use uuid::Uuid;

use crate::model::{self, Step};

/// Days for which a step is kept: a year, the longest that the CNIL advises for logs of access
/// (délibération 2021-122 of 14 October 2021).
const DAYS: i64 = 365;
/// A step that was done.
pub const OK: &str = "OK";

/// Whose steps are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Whose {
    pub org_id: Option<Uuid>,
    pub user_id: Option<Uuid>,
    pub staff_id: Option<Uuid>,
    pub api_key_id: Option<Uuid>,
}

/// Writes down what somebody did, and what came of it: `OK` or the code of an error.
///
/// # Errors
/// When PostgreSQL fails.
pub async fn note(
    app: &App,
    actor: &Actor,
    action: &str,
    outcome: &str,
    subject_id: Option<Uuid>,
    address: Option<ClientAddress>,
) -> Result<()> {
    let mut step = fresh(app.now(), actor.org_id, actor.user_id, action);
    (step.staff_id, step.api_key_id) = match actor.credential {
        Credential::Session(_) => (None, None),
        Credential::ApiKey(id) => (None, Some(id)),
        Credential::Staff(id) => (Some(id), None),
    };
    outcome.clone_into(&mut step.outcome);
    step.subject_id = subject_id;
    step.network = address.map(ClientAddress::network);
    model::insert_step(&mut *app.conn().await?, &step).await?;
    Ok(())
}

/// The same for what somebody does before they are signed in, or for a reason, in the transaction that does it.
pub async fn note_in(tx: &mut Tx, step: &Step) -> Result<()> {
    model::insert_step(tx, step).await?;
    Ok(())
}

/// A step that went well, by somebody.
pub fn fresh(at: DateTime<Utc>, org_id: Uuid, user_id: Uuid, action: &str) -> Step {
    Step {
        id: Uuid::now_v7(),
        org_id,
        user_id,
        staff_id: None,
        api_key_id: None,
        action: action.to_owned(),
        outcome: OK.to_owned(),
        subject_id: None,
        network: None,
        reason: None,
        at,
    }
}

/// The steps of the caller's organization, the latest first: all of them for those who manage it, their own for others.
pub async fn list(app: &App, actor: &Actor, user: Option<Uuid>, page: Page) -> Result<Vec<Step>> {
    actor.may(Right::Read)?;
    let mut whose = Whose { org_id: Some(actor.org_id), user_id: user, ..Whose::default() };
    if !actor.rights.contains(Right::Settings) {
        match actor.credential {
            Credential::ApiKey(id) => whose.api_key_id = Some(id),
            _ => whose.user_id = Some(actor.user_id),
        }
    }
    Ok(model::steps(&mut *app.conn().await?, whose, page).await?)
}

/// Anybody's steps: for staff, whom the caller has checked.
///
/// # Errors
/// When PostgreSQL fails.
pub async fn of(app: &App, whose: Whose, page: Page) -> Result<Vec<Step>> {
    Ok(model::steps(&mut *app.conn().await?, whose, page).await?)
}

/// Forgets steps whose time is over.
pub async fn forget(tx: &mut Tx) -> Result<()> {
    let before = tx.app().now() - Duration::days(DAYS);
    model::forget_steps(tx, before).await?;
    Ok(())
}
