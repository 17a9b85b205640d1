//! Whom new leads are told to, reminders, and what is not kept for ever.

use chrono::{Duration, Months};
use keroxio_core::{App, BackgroundJob, Effects, JobError, Priority};
use keroxio_email::Letter;
use keroxio_notification::{Notice, NotificationKind, letters};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::events::LeadReceived;
use crate::{aliases, model, service};

/// Days that mails are kept as they came (C.10).
const MAILS: i64 = 30;
/// Months from the last contact that came from the person (C.8).
const CONTACTS: u32 = 36;
/// Tasks and contacts of one look.
const AT_ONCE: i64 = 500;

/// Writes to those who may answer.
#[derive(Serialize, Deserialize)]
pub struct TellMembers {
    lead_id: Uuid,
    org_id: Uuid,
    is_again: bool,
}

impl From<LeadReceived> for TellMembers {
    fn from(event: LeadReceived) -> Self {
        Self { lead_id: event.lead_id, org_id: event.org_id, is_again: event.is_again }
    }
}

impl BackgroundJob for TellMembers {
    const NAME: &'static str = "crm.tell_members";

    fn org_id(&self) -> Option<Uuid> {
        Some(self.org_id)
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let mut tx = app.begin().await?;
        let Some(lead) = model::lead(&mut tx, self.org_id, self.lead_id).await? else { return Ok(Effects::none()) };
        let car = match lead.listing_id {
            Some(listing) => keroxio_listing::service::get_in(&mut tx, self.org_id, listing).await?.title,
            None => None,
        };
        let kind = NotificationKind::LeadReceived;
        let members = letters::recipients(&mut tx, self.org_id, kind, app.now()).await?;
        // Whose lead it is; everybody's where that is nobody, or nobody who may still answer and wants to hear of it.
        let is_assigned = members.iter().any(|member| Some(member.user_id) == lead.assigned_to);
        let told = members.into_iter().filter(|member| !is_assigned || Some(member.user_id) == lead.assigned_to);
        let letter = Letter::LeadReceived { car, is_again: self.is_again, url: format!("/leads/{}", lead.id) };
        for member in told {
            letters::write(&mut tx, self.org_id, member, kind.name(), &letter).await?;
        }
        Ok(tx.into())
    }
}

/// Reminds of tasks that have fallen due, each once.
#[derive(Serialize, Deserialize)]
pub struct RemindTasks;

impl BackgroundJob for RemindTasks {
    const NAME: &'static str = "crm.remind_tasks";

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let mut tx = app.begin().await?;
        let due = model::take_due(&mut tx, app.now(), AT_ONCE).await?;
        if due.len() as i64 == AT_ONCE {
            tx.enqueue(&Self).await?;
        }
        for task in due {
            let notice = Notice {
                org_id: task.org_id,
                kind: NotificationKind::LeadTaskDue,
                // Its title may name somebody, and notices outlive what is forgotten of people.
                title_fr: "Une tâche est à faire pour un contact".to_owned(),
                title_en: "A task for a contact is due".to_owned(),
                subject_id: Some(task.lead_id),
            };
            keroxio_notification::service::notify(&mut tx, notice).await?;
        }
        Ok(tx.into())
    }
}

/// Forgets people from whom nothing came for three years, mails after thirty days, and replaced addresses.
#[derive(Serialize, Deserialize)]
pub struct Forget;

impl BackgroundJob for Forget {
    const NAME: &'static str = "crm.forget";
    const PRIORITY: Priority = Priority::Low;

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let now = app.now();
        let since = now.checked_sub_months(Months::new(CONTACTS)).unwrap_or(now);
        let mut tx = app.begin().await?;
        let silent = model::silent_contacts(&mut tx, since, AT_ONCE).await?;
        if silent.len() as i64 == AT_ONCE {
            tx.enqueue(&Self).await?;
        }
        service::forget(&mut tx, &silent).await?;
        let mut mails = model::delete_unreadable(&mut tx, since).await?;
        mails.extend(model::take_old_mails(&mut tx, now - Duration::days(MAILS)).await?);
        for mail in mails {
            keroxio_storage::service::remove(&mut tx, mail.org_id, mail.object_id).await?;
        }
        model::forget_aliases(&mut tx, now - aliases::OVERLAP).await?;
        Ok(tx.into())
    }
}
