use async_graphql::{Context, InputObject, Object, Upload};
use chrono::{DateTime, Utc};
use keroxio_core::{Access, ClientAddress, GqlResult, RequestContext as _, access, table};
use uuid::Uuid;

use super::types::{
    Contact, ContactConsent, CreateLeadInput, Lead, LeadAlias, LeadImport, LeadReceipt, LeadStage, LeadStageInput,
    LeadSubmission, LeadTask, SubmitLeadInput,
};
use crate::form::{self, Filled};
use crate::import::{self, How};
use crate::kinds::{ContactConsentPurpose, LeadDirection, LeadInteractionKind};
use crate::reach::Person;
use crate::service::{self, LeadChange, NewInteraction};
use crate::{aliases, stages};

/// Largest table, in MiB.
const MOST_MIB: u64 = 4;

/// What happened between your organization and somebody.
#[derive(InputObject)]
pub struct LeadInteractionInput {
    /// How.
    kind: LeadInteractionKind,
    /// Who began; needed but for a note.
    direction: Option<LeadDirection>,
    /// What was said, at most 4,000 characters.
    body: Option<String>,
    /// When; now by default.
    happened_at: Option<DateTime<Utc>>,
}

/// Something to do for a lead.
#[derive(InputObject)]
pub struct LeadTaskInput {
    /// What is to be done, at most 200 characters.
    title: String,
    /// By when.
    due_at: DateTime<Utc>,
    /// The member who is to do it; whose lead it is by default.
    assigned_to: Option<Uuid>,
}

/// What changes of a contact; what is absent stays.
#[derive(InputObject)]
pub struct ContactInput {
    /// Their name.
    name: Option<String>,
    /// The address to use from now on; those they used before stay known.
    email: Option<String>,
    /// The number to use from now on.
    phone: Option<String>,
    /// Their postal code.
    postal_code: Option<String>,
}

#[derive(Default)]
pub struct CrmMutation;

#[Object]
impl CrmMutation {
    /// Sends a message about an ad that is shown on its page: for the garage's own site. The answer is the same whoever
    /// it is from. `FORM_INVALID` and `FORM_TOO_FAST` for the token, `MESSAGE_REFUSED` for more than two web addresses,
    /// `TOO_MANY_ATTEMPTS` for too many from one address or about one ad.
    #[graphql(directive = access::apply(Access::Open))]
    async fn submit_lead(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What was filled in.")] input: SubmitLeadInput,
    ) -> GqlResult<LeadSubmission> {
        let filled = Filled {
            form: input.form,
            name: input.name,
            email: input.email,
            phone: input.phone,
            postal_code: input.postal_code,
            message: input.message.unwrap_or_default(),
            offers: input.offers.then(|| "1".to_owned()),
            website: input.website,
        };
        Box::pin(form::submit(ctx.app(), filled, ctx.data_opt::<ClientAddress>().copied())).await?;
        Ok(LeadSubmission { received: true })
    }

    /// Notes a lead: a call, a visit, or what a program of yours was told. The same person about the same car within
    /// thirty days is the same lead with one more interaction.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn create_lead(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new lead.")] input: CreateLeadInput,
    ) -> GqlResult<LeadReceipt> {
        Ok(Box::pin(service::create(ctx.app(), &ctx.actor()?, input.checked()?)).await?.into())
    }

    /// Takes a table of leads in: XLSX (first sheet) or CSV with a header. Needed: `email` or `telephone`. Also read:
    /// `nom`, `prenom`, `code_postal`, `message`, `date`, `origine`, `reference` (of a car of your stock), `valeur`, and the
    /// English names of the same. As long as a line is wrong nothing is saved, unless you ask to leave such lines out.
    /// Nobody is told of these leads.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn import_leads(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The table, at most 4 MiB and 2,000 lines.")] file: Upload,
        #[graphql(desc = "Whether nothing is to be saved.", default)] dry_run: bool,
        #[graphql(desc = "Whether wrong lines are left out and the others saved.", default)] skip_errors: bool,
    ) -> GqlResult<LeadImport> {
        let bytes = table::uploaded(ctx, &file, MOST_MIB)?;
        let how = How { dry_run, skip_errors };
        Ok(Box::pin(import::import(ctx.app(), &ctx.actor()?, bytes, how)).await?.into())
    }

    /// Changes what a lead is about, or what it is worth; what is absent stays.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn update_lead(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lead.")] id: Uuid,
        #[graphql(desc = "What it is worth in whole euros.")] value_eur: Option<i32>,
        #[graphql(desc = "The advertisement it is about.")] listing_id: Option<Uuid>,
    ) -> GqlResult<Lead> {
        let change = LeadChange { value_eur, listing_id };
        Ok(Box::pin(service::update(ctx.app(), &ctx.actor()?, id, change)).await?.into())
    }

    /// Gives a lead to a member, or to nobody.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn assign_lead(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lead.")] id: Uuid,
        #[graphql(desc = "The member; nobody by default.")] user_id: Option<Uuid>,
    ) -> GqlResult<Lead> {
        Ok(Box::pin(service::assign(ctx.app(), &ctx.actor()?, id, user_id)).await?.into())
    }

    /// Moves a lead to a stage. `REASON_NEEDED` for `LOST` without a reason, `STAGE_UNKNOWN` names yours.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn move_lead(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lead.")] id: Uuid,
        #[graphql(desc = "The key of the stage.")] to: String,
        #[graphql(desc = "Why the sale is lost, at most 200 characters.")] reason: Option<String>,
    ) -> GqlResult<Lead> {
        Ok(Box::pin(service::go(ctx.app(), &ctx.actor()?, id, &to, reason.as_deref())).await?.into())
    }

    /// Takes the last move of a lead back; asked again, the one before. `NOTHING_TO_UNDO` where there is none.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn undo_lead_move(&self, ctx: &Context<'_>, #[graphql(desc = "The lead.")] id: Uuid) -> GqlResult<Lead> {
        Ok(Box::pin(service::go_back(ctx.app(), &ctx.actor()?, id)).await?.into())
    }

    /// Notes a call, a visit, a message or a thought. The first that goes out to the person stops the clock of the first
    /// response.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn add_lead_interaction(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lead.")] lead_id: Uuid,
        #[graphql(desc = "What happened.")] input: LeadInteractionInput,
    ) -> GqlResult<Lead> {
        let LeadInteractionInput { kind, direction, body, happened_at } = input;
        let new = NewInteraction { kind, direction, body, happened_at };
        Ok(Box::pin(service::interact(ctx.app(), &ctx.actor()?, lead_id, new)).await?.0.into())
    }

    /// Answers somebody by e-mail, in the name of your organization. `CONTACT_UNREACHABLE` where no address is known.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn answer_lead(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lead.")] id: Uuid,
        #[graphql(desc = "What to write, at most 4,000 characters.")] message: String,
    ) -> GqlResult<Lead> {
        Ok(Box::pin(service::answer(ctx.app(), &ctx.actor()?, id, &message)).await?.0.into())
    }

    /// Makes a task. You are notified once its time has come and it is not done.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn create_lead_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lead.")] lead_id: Uuid,
        #[graphql(desc = "The task.")] input: LeadTaskInput,
    ) -> GqlResult<LeadTask> {
        let what = (input.title.as_str(), input.due_at);
        let (app, actor) = (ctx.app(), ctx.actor()?);
        Ok(Box::pin(service::create_task(app, &actor, lead_id, what, input.assigned_to)).await?.into())
    }

    /// Ends a task, or opens it again.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn complete_lead_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task.")] id: Uuid,
        #[graphql(desc = "Whether it is done.", default = true)] done: bool,
    ) -> GqlResult<LeadTask> {
        Ok(Box::pin(service::end_task(ctx.app(), &ctx.actor()?, id, done)).await?.into())
    }

    /// Puts the stages of your pipeline in place of those there are, in this order: `NEW` first, `WON` and `LOST` among
    /// them, twenty at most. `STAGE_IN_USE` where leads are at one that would go.
    #[graphql(guard = "Access::Settings", directive = access::apply(Access::Settings))]
    async fn set_lead_stages(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The stages.")] stages: Vec<LeadStageInput>,
    ) -> GqlResult<Vec<LeadStage>> {
        let actor = ctx.actor()?;
        let rows = stages.into_iter().zip(0..).map(|(stage, position)| stage.row(actor.org_id, position)).collect();
        let kept = Box::pin(stages::set(ctx.app(), &actor, rows)).await?;
        Ok(kept.into_iter().map(Into::into).collect())
    }

    /// Makes an address that leads are mailed to, for the settings of a portal, in place of the one there is; that takes
    /// mail for thirty more days. `INBOUND_NOT_CONFIGURED` where this installation takes no mail.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn rotate_lead_alias(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The advertisement; by default it is for all of them.")] listing_id: Option<Uuid>,
    ) -> GqlResult<LeadAlias> {
        Ok(Box::pin(aliases::rotate(ctx.app(), &ctx.actor()?, listing_id)).await?.into())
    }

    /// Corrects how somebody is named and reached.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn update_contact(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The contact.")] id: Uuid,
        #[graphql(desc = "What changes.")] input: ContactInput,
    ) -> GqlResult<Contact> {
        let person = Person::corrected(input.name, input.email, input.phone, input.postal_code)?;
        Ok(Box::pin(service::update_contact(ctx.app(), &ctx.actor()?, id, person)).await?.into())
    }

    /// Forgets somebody at once, with leads, messages and mails, as they may ask you to.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn erase_contact(&self, ctx: &Context<'_>, #[graphql(desc = "The contact.")] id: Uuid) -> GqlResult<bool> {
        Box::pin(service::erase_contact(ctx.app(), &ctx.actor()?, id)).await?;
        Ok(true)
    }

    /// Notes that somebody agreed to a text; what they agreed to before for the same purpose ends.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn give_contact_consent(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The contact.")] contact_id: Uuid,
        #[graphql(desc = "To what.")] purpose: ContactConsentPurpose,
        #[graphql(desc = "The version of the text, at most 60 characters.")] version: String,
        #[graphql(desc = "Where they agreed, for instance `telephone`.")] source: String,
    ) -> GqlResult<ContactConsent> {
        let text = (version.as_str(), source.as_str());
        Ok(Box::pin(service::give_consent(ctx.app(), &ctx.actor()?, contact_id, purpose, text)).await?.into())
    }

    /// Notes that somebody takes back what they agreed to.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn withdraw_contact_consent(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The contact.")] contact_id: Uuid,
        #[graphql(desc = "What they take back.")] purpose: ContactConsentPurpose,
    ) -> GqlResult<Contact> {
        Ok(Box::pin(service::withdraw_consent(ctx.app(), &ctx.actor()?, contact_id, purpose)).await?.into())
    }
}
