use async_graphql::{ComplexObject, Context, Enum, InputObject, SimpleObject};
use chrono::{DateTime, Utc};
use keroxio_core::table::LineError;
use keroxio_core::{GqlResult, Money, RequestContext as _};
use keroxio_listing::{Ads, Listing};
use keroxio_vehicle::{VehicleObject, Vehicles};
use uuid::Uuid;

use crate::import::Report;
use crate::intake::Received;
use crate::kinds::{ContactConsentPurpose, LeadDirection, LeadInteractionKind, LeadSource};
use crate::loaders::{Consents, Contacts, Interactions, Leads, Mails, Moves, Stages, Tasks};
use crate::model::{self, Figures};
use crate::reach::Person;
use crate::score::{self, CarState};
use crate::service::{Column, NewLead};
use crate::settings::Inbound;
use crate::stages;

/// Errors told of one table.
const MOST_ERRORS: usize = 100;

/// What somebody agreed to.
#[derive(SimpleObject)]
pub struct ContactConsent {
    /// Identifier.
    id: Uuid,
    /// To what.
    purpose: ContactConsentPurpose,
    /// The version of the text they agreed to.
    version: String,
    /// Where they agreed, for instance `page_form`.
    source: String,
    /// When they agreed.
    given_at: DateTime<Utc>,
    /// When they took it back, or agreed to a later text; null while it holds.
    withdrawn_at: Option<DateTime<Utc>>,
}

impl From<model::Consent> for ContactConsent {
    fn from(row: model::Consent) -> Self {
        Self {
            id: row.id,
            purpose: ContactConsentPurpose::stored(&row.purpose),
            version: row.version,
            source: row.source,
            given_at: row.given_at,
            withdrawn_at: row.withdrawn_at,
        }
    }
}

/// Somebody who asked about a car.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Contact {
    /// Identifier.
    id: Uuid,
    /// Their name.
    name: Option<String>,
    /// Where to write to: the first of `emails`.
    email: Option<String>,
    /// The number to call, as E.164: the first of `phones`.
    phone: Option<String>,
    /// All addresses they wrote from.
    emails: Vec<String>,
    /// All numbers they gave.
    phones: Vec<String>,
    /// Their postal code.
    postal_code: Option<String>,
    /// The language they are answered in: `fr` or `en`.
    language: String,
    /// When they first got in touch here.
    created_at: DateTime<Utc>,
    /// The last contact that came from them. Three years later they are forgotten.
    last_contact_at: DateTime<Utc>,
}

impl From<model::Contact> for Contact {
    fn from(row: model::Contact) -> Self {
        Self {
            id: row.id,
            name: row.name,
            email: row.emails.first().cloned(),
            phone: row.phones.first().cloned(),
            emails: row.emails,
            phones: row.phones,
            postal_code: row.postal_code,
            language: row.language,
            created_at: row.created_at,
            last_contact_at: row.last_contact_at,
        }
    }
}

#[ComplexObject]
impl Contact {
    /// What they agreed to, the latest first.
    async fn consents(&self, ctx: &Context<'_>) -> GqlResult<Vec<ContactConsent>> {
        let consents = ctx.load::<Consents>(self.id).await?.unwrap_or_default();
        Ok(consents.into_iter().map(Into::into).collect())
    }
}

/// A step of your pipeline.
#[derive(SimpleObject)]
pub struct LeadStage {
    /// Its stable name. `NEW`, `WON` and `LOST` are there always.
    key: String,
    /// What it is called in French.
    label: String,
    /// What it is called in English.
    label_en: String,
    /// Percent of the leads here that are won in the end.
    probability: i32,
}

impl From<model::Stage> for LeadStage {
    fn from(row: model::Stage) -> Self {
        Self { key: row.key, label: row.label_fr, label_en: row.label_en, probability: row.probability }
    }
}

/// A step of the pipeline as you want it.
#[derive(InputObject)]
pub struct LeadStageInput {
    /// Its stable name: capitals, digits and `_`.
    key: String,
    /// What it is called in French.
    label: String,
    /// What it is called in English.
    label_en: String,
    /// Percent of the leads here that are won in the end: 100 for `WON`, 0 for `LOST`.
    probability: i32,
}

impl LeadStageInput {
    pub fn row(self, org_id: Uuid, position: i32) -> model::Stage {
        model::Stage {
            org_id,
            key: self.key,
            position,
            label_fr: self.label,
            label_en: self.label_en,
            probability: self.probability,
        }
    }
}

/// What a factor adds to the score of a lead.
#[derive(SimpleObject)]
pub struct LeadScoreFactor {
    /// Its stable name: `COMPLETENESS`, `MESSAGE`, `CAR_FOR_SALE`, `RECENCY`, `RETURNED` or `RESPONSE`.
    name: String,
    /// Points it adds to this lead.
    points: i32,
    /// The most it can add.
    most: i32,
    /// How its points come about, in French.
    explanation: String,
    /// The same in English.
    explanation_en: String,
}

/// How promising a lead is, and why.
#[derive(SimpleObject)]
pub struct LeadScore {
    /// 0 to 100: the sum of the factors.
    total: i32,
    /// What it is made of.
    factors: Vec<LeadScoreFactor>,
}

/// What happened between your organization and somebody.
#[derive(SimpleObject)]
pub struct LeadInteraction {
    /// Identifier.
    id: Uuid,
    /// How.
    kind: LeadInteractionKind,
    /// Who began; null for a note.
    direction: Option<LeadDirection>,
    /// What was said.
    body: Option<String>,
    /// What is to be known of how it came, for instance that files were left out.
    remark: Option<String>,
    /// When.
    happened_at: DateTime<Utc>,
    /// The user who wrote it down; null for what came in by itself.
    by: Option<Uuid>,
}

impl From<model::Interaction> for LeadInteraction {
    fn from(row: model::Interaction) -> Self {
        Self {
            id: row.id,
            kind: LeadInteractionKind::stored(&row.kind),
            direction: row.direction.as_deref().map(LeadDirection::stored),
            body: row.body,
            remark: row.remark,
            happened_at: row.happened_at,
            by: row.by_user,
        }
    }
}

/// A lead that went from one stage to another.
#[derive(SimpleObject)]
pub struct LeadMove {
    /// Identifier.
    id: Uuid,
    /// Where it was.
    from: String,
    /// Where it went.
    to: String,
    /// Why the sale was lost, where it was.
    reason: Option<String>,
    /// The user who moved it.
    moved_by: Option<Uuid>,
    /// When.
    moved_at: DateTime<Utc>,
    /// When the move was taken back.
    undone_at: Option<DateTime<Utc>>,
}

impl From<model::Move> for LeadMove {
    fn from(row: model::Move) -> Self {
        Self {
            id: row.id,
            from: row.from_stage,
            to: row.to_stage,
            reason: row.reason,
            moved_by: row.moved_by,
            moved_at: row.moved_at,
            undone_at: row.undone_at,
        }
    }
}

/// Something to do for a lead.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct LeadTask {
    #[graphql(skip)]
    org: Uuid,
    /// Identifier.
    id: Uuid,
    /// The lead it is for.
    lead_id: Uuid,
    /// What is to be done.
    title: String,
    /// By when.
    due_at: DateTime<Utc>,
    /// The user who is to do it; null for anybody.
    assigned_to: Option<Uuid>,
    /// When it was done; null until then.
    done_at: Option<DateTime<Utc>>,
    /// When you were reminded of it.
    reminded_at: Option<DateTime<Utc>>,
    /// When it was made.
    created_at: DateTime<Utc>,
}

impl From<model::Task> for LeadTask {
    fn from(row: model::Task) -> Self {
        Self {
            org: row.org_id,
            id: row.id,
            lead_id: row.lead_id,
            title: row.title,
            due_at: row.due_at,
            assigned_to: row.assigned_to,
            done_at: row.done_at,
            reminded_at: row.reminded_at,
            created_at: row.created_at,
        }
    }
}

#[ComplexObject]
impl LeadTask {
    /// Whether its time is past and it is not done.
    async fn overdue(&self, ctx: &Context<'_>) -> bool {
        self.done_at.is_none() && self.due_at <= ctx.app().now()
    }

    /// The lead it is for.
    async fn lead(&self, ctx: &Context<'_>) -> GqlResult<Option<Lead>> {
        Ok(ctx.load::<Leads>((self.org, self.lead_id)).await?.map(Into::into))
    }
}

/// A mail as it came, kept for thirty days.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct LeadMail {
    #[graphql(skip)]
    row: model::Mail,
    /// Identifier.
    id: Uuid,
    /// When it came.
    received_at: DateTime<Utc>,
}

#[ComplexObject]
impl LeadMail {
    /// Private address of the message (message/rfc822), good for an hour. What is attached to it was not looked at.
    #[graphql(complexity = 5)]
    async fn url(&self, ctx: &Context<'_>) -> GqlResult<String> {
        let object = Box::pin(keroxio_storage::service::get(ctx.app(), self.row.org_id, self.row.object_id)).await?;
        Ok(keroxio_storage::service::signed_url(ctx.app(), &object)?)
    }
}

/// Somebody's interest in a car.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Lead {
    #[graphql(skip)]
    row: model::Lead,
    /// Identifier.
    id: Uuid,
    /// Where it came from first.
    source: LeadSource,
    /// The first message.
    message: Option<String>,
    /// What the message says of the car, where it is none of yours that we know.
    car_text: Option<String>,
    /// The user whose lead it is; null for everybody's.
    assigned_to: Option<Uuid>,
    /// What it is worth: the price of the car, unless you set another.
    value: Option<Money>,
    /// Contacts that came from the person.
    touches: i32,
    /// When it came.
    received_at: DateTime<Utc>,
    /// The last contact that came from the person.
    last_touch_at: DateTime<Utc>,
    /// When they were first answered; null while they wait.
    first_response_at: Option<DateTime<Utc>>,
    /// Minutes from the first message to the first answer, nights and Sundays counted.
    first_response_minutes: Option<i64>,
    /// When it was won or lost; null while it is open.
    closed_at: Option<DateTime<Utc>>,
    /// Why it was lost.
    lost_reason: Option<String>,
    /// Whether the message could not be read: look at it in `mails`.
    unreadable: bool,
    /// When it last changed.
    updated_at: DateTime<Utc>,
}

impl From<model::Lead> for Lead {
    fn from(row: model::Lead) -> Self {
        Self {
            id: row.id,
            source: LeadSource::stored(&row.source),
            message: row.message.clone(),
            car_text: row.car_text.clone(),
            assigned_to: row.assigned_to,
            value: row.value_eur.map(Money::euros),
            touches: row.touches,
            received_at: row.received_at,
            last_touch_at: row.last_touch_at,
            first_response_at: row.first_response_at,
            first_response_minutes: row.first_response_at.map(|at| (at - row.received_at).num_minutes()),
            closed_at: row.closed_at,
            lost_reason: row.lost_reason.clone(),
            unreadable: row.contact_id.is_none(),
            updated_at: row.updated_at,
            row,
        }
    }
}

impl Lead {
    async fn its_stage(&self, ctx: &Context<'_>) -> GqlResult<model::Stage> {
        let all = ctx.load::<Stages>(self.row.org_id).await?.unwrap_or_default();
        Ok(stages::find(&all, &self.row.stage)?.clone())
    }

    async fn its_contact(&self, ctx: &Context<'_>) -> GqlResult<Option<model::Contact>> {
        match self.row.contact_id {
            Some(contact) => ctx.load::<Contacts>((self.row.org_id, contact)).await,
            None => Ok(None),
        }
    }

    async fn its_car(&self, ctx: &Context<'_>) -> GqlResult<Option<keroxio_vehicle::Vehicle>> {
        match self.row.vehicle_id {
            Some(vehicle) => ctx.load::<Vehicles>((self.row.org_id, vehicle)).await,
            None => Ok(None),
        }
    }
}

#[ComplexObject]
impl Lead {
    /// Who asks; null where the message could not be read.
    async fn contact(&self, ctx: &Context<'_>) -> GqlResult<Option<Contact>> {
        Ok(self.its_contact(ctx).await?.map(Into::into))
    }

    /// Where it stands.
    async fn stage(&self, ctx: &Context<'_>) -> GqlResult<LeadStage> {
        Ok(self.its_stage(ctx).await?.into())
    }

    /// Its value times the probability of its stage.
    async fn weighted_value(&self, ctx: &Context<'_>) -> GqlResult<Option<Money>> {
        let Some(value) = self.row.value_eur else { return Ok(None) };
        let probability = self.its_stage(ctx).await?.probability;
        Ok(Some(Money::euros(weighted(value.into(), probability))))
    }

    /// The advertisement it is about.
    async fn listing(&self, ctx: &Context<'_>) -> GqlResult<Option<Listing>> {
        Ok(match self.row.listing_id {
            Some(listing) => ctx.load::<Ads>((self.row.org_id, listing)).await?.map(Into::into),
            None => None,
        })
    }

    /// The car it is about.
    async fn vehicle(&self, ctx: &Context<'_>) -> GqlResult<Option<VehicleObject>> {
        Ok(self.its_car(ctx).await?.map(Into::into))
    }

    /// How promising it is, and why.
    async fn score(&self, ctx: &Context<'_>) -> GqlResult<LeadScore> {
        let (contact, car) = (self.its_contact(ctx).await?, self.its_car(ctx).await?);
        let car = match car {
            None => CarState::Unknown,
            Some(car) if car.stock_state().is_gone() => CarState::Gone,
            Some(_) => CarState::ForSale,
        };
        let factors = score::factors(&self.row, contact.as_ref(), car, ctx.app().now());
        let told = |factor: score::Factor| LeadScoreFactor {
            name: factor.name.to_owned(),
            points: factor.points,
            most: factor.most,
            explanation: factor.fr.to_owned(),
            explanation_en: factor.en.to_owned(),
        };
        let total = factors.iter().map(|factor| factor.points).sum();
        Ok(LeadScore { total, factors: factors.into_iter().map(told).collect() })
    }

    /// What happened, the latest first, a hundred at most.
    async fn interactions(&self, ctx: &Context<'_>) -> GqlResult<Vec<LeadInteraction>> {
        let rows = ctx.load::<Interactions>(self.row.id).await?.unwrap_or_default();
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Its way through the pipeline, the latest first.
    async fn moves(&self, ctx: &Context<'_>) -> GqlResult<Vec<LeadMove>> {
        let rows = ctx.load::<Moves>(self.row.id).await?.unwrap_or_default();
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// What is to be done for it, the first due first.
    async fn tasks(&self, ctx: &Context<'_>) -> GqlResult<Vec<LeadTask>> {
        let rows = ctx.load::<Tasks>(self.row.id).await?.unwrap_or_default();
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Its mails as they came, the latest first; they are kept thirty days.
    async fn mails(&self, ctx: &Context<'_>) -> GqlResult<Vec<LeadMail>> {
        let rows = ctx.load::<Mails>(self.row.id).await?.unwrap_or_default();
        Ok(rows.into_iter().map(|row| LeadMail { id: row.id, received_at: row.received_at, row }).collect())
    }
}

/// Euros times percent, rounded.
fn weighted(value: i64, probability: i32) -> i32 {
    i32::try_from((value * i64::from(probability) + 50) / 100).unwrap_or(i32::MAX)
}

fn euros(value: i64) -> Money {
    Money::euros(i32::try_from(value).unwrap_or(i32::MAX))
}

/// What became of a new lead.
#[derive(SimpleObject)]
pub struct LeadReceipt {
    /// The lead: a new one, or the one there was of this person about this car in the last thirty days.
    lead: Lead,
    /// Whether it was there before; the message is one more interaction then.
    merged: bool,
}

impl From<Received> for LeadReceipt {
    fn from(received: Received) -> Self {
        Self { merged: received.is_again, lead: received.lead.into() }
    }
}

/// A form that somebody may fill in.
#[derive(SimpleObject)]
pub struct LeadForm {
    /// What `submitLead` wants as `form`: good from three seconds to a day after now.
    pub token: String,
    /// The version of the text about other cars that `offers` agrees to.
    pub consent_version: String,
}

/// What became of a message by a form. It says nothing of who is known.
#[derive(SimpleObject)]
pub struct LeadSubmission {
    /// Whether it was taken.
    pub received: bool,
}

/// What somebody fills in.
#[derive(InputObject)]
pub struct SubmitLeadInput {
    /// The token of `leadForm`.
    pub form: String,
    /// Their name, at most 120 characters.
    pub name: Option<String>,
    /// Their e-mail address; an address or a telephone number is needed.
    pub email: Option<String>,
    /// Their telephone number, as dialled in France or with its country code.
    pub phone: Option<String>,
    /// Their postal code.
    pub postal_code: Option<String>,
    /// What they write: at most 4,000 characters and two web addresses.
    pub message: Option<String>,
    /// Whether they agree to hear of other cars.
    #[graphql(default)]
    pub offers: bool,
    /// To be shown to nobody, and left empty: programs that fill in everything fill this in too.
    pub website: Option<String>,
}

/// What somebody agreed to.
#[derive(InputObject)]
pub struct ContactConsentInput {
    /// To what.
    purpose: ContactConsentPurpose,
    /// The version of the text they agreed to, at most 60 characters.
    version: String,
}

/// The language of somebody's letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ContactLanguage {
    /// French.
    Fr,
    /// English.
    En,
}

/// A new lead. An e-mail address or a telephone number is needed.
#[derive(InputObject)]
pub struct CreateLeadInput {
    /// Their name, at most 120 characters.
    name: Option<String>,
    /// Their e-mail address.
    email: Option<String>,
    /// Their telephone number, as dialled in France or with its country code.
    phone: Option<String>,
    /// Their postal code.
    postal_code: Option<String>,
    /// The language they are answered in; French by default.
    language: Option<ContactLanguage>,
    /// What they said, at most 4,000 characters.
    message: Option<String>,
    /// The advertisement it is about.
    listing_id: Option<Uuid>,
    /// The car it is about, where it has no advertisement.
    vehicle_id: Option<Uuid>,
    /// Where it comes from; `API` by default for a program, `PHONE` for a member.
    source: Option<LeadSource>,
    /// What it is worth in whole euros; the price of the car by default.
    value_eur: Option<i32>,
    /// When it came, by three years ago at most; now by default.
    received_at: Option<DateTime<Utc>>,
    /// What they agreed to.
    #[graphql(default, validator(max_items = 10))]
    consents: Vec<ContactConsentInput>,
}

impl CreateLeadInput {
    pub fn checked(self) -> keroxio_core::Result<NewLead> {
        Ok(NewLead {
            person: Person::typed(self.name, self.email, self.phone, self.postal_code)?,
            language: self.language.map(|language| match language {
                ContactLanguage::Fr => "fr".to_owned(),
                ContactLanguage::En => "en".to_owned(),
            }),
            message: self.message,
            listing_id: self.listing_id,
            vehicle_id: self.vehicle_id,
            source: self.source,
            value_eur: self.value_eur,
            received_at: self.received_at,
            consents: self.consents.into_iter().map(|consent| (consent.purpose, consent.version)).collect(),
        })
    }
}

/// Which leads are wanted; what is absent does not matter.
#[derive(InputObject, Default)]
pub struct LeadFilter {
    /// At these stages.
    #[graphql(validator(max_items = 20))]
    stages: Option<Vec<String>>,
    /// From these sources.
    #[graphql(validator(max_items = 8))]
    sources: Option<Vec<LeadSource>>,
    /// Of this user.
    assigned_to: Option<Uuid>,
    /// About this advertisement.
    listing_id: Option<Uuid>,
    /// Of this contact.
    contact_id: Option<Uuid>,
    /// Those who were answered, or those who wait.
    answered: Option<bool>,
    /// That came from this moment on.
    from: Option<DateTime<Utc>>,
    /// That came before this moment.
    to: Option<DateTime<Utc>>,
}

impl From<LeadFilter> for model::LeadSearch {
    fn from(filter: LeadFilter) -> Self {
        Self {
            stages: filter.stages,
            sources: filter.sources.map(|all| all.into_iter().map(|source| source.name().to_owned()).collect()),
            assigned_to: filter.assigned_to,
            listing_id: filter.listing_id,
            contact_id: filter.contact_id,
            is_answered: filter.answered,
            from: filter.from,
            to: filter.to,
        }
    }
}

/// A stage with the leads at it.
#[derive(SimpleObject)]
pub struct LeadBoardColumn {
    /// The stage.
    stage: LeadStage,
    /// How many leads are at it.
    count: i64,
    /// What they are worth.
    value: Money,
    /// What they are worth, times the probability of the stage.
    weighted_value: Money,
    /// The latest of them.
    leads: Vec<Lead>,
}

/// Your pipeline.
#[derive(SimpleObject)]
pub struct LeadBoard {
    /// Its stages, in order.
    columns: Vec<LeadBoardColumn>,
    /// What the open leads are worth, times the probability of their stages.
    weighted_value: Money,
}

impl From<Vec<Column>> for LeadBoard {
    fn from(columns: Vec<Column>) -> Self {
        let open = columns.iter().filter(|column| !stages::is_end(&column.stage.key));
        let total: i64 = open.map(|column| i64::from(weighted(column.value_eur, column.stage.probability))).sum();
        let column = |column: Column| LeadBoardColumn {
            count: column.count,
            value: euros(column.value_eur),
            weighted_value: euros(weighted(column.value_eur, column.stage.probability).into()),
            stage: column.stage.into(),
            leads: column.leads.into_iter().map(Into::into).collect(),
        };
        Self { columns: columns.into_iter().map(column).collect(), weighted_value: euros(total) }
    }
}

/// Figures of some leads.
#[derive(SimpleObject)]
pub struct LeadFigures {
    /// How many came.
    received: i64,
    /// How many of them were answered.
    answered: i64,
    /// How many of them were won.
    won: i64,
    /// How many of them were lost.
    lost: i64,
    /// Share of those received that were won, 0 to 1; null where none came.
    conversion: Option<f64>,
    /// What those that were won are worth.
    won_value: Money,
    /// Half of those answered were answered within so many minutes.
    median_response_minutes: Option<f64>,
    /// Nine of ten of those answered were answered within so many minutes.
    p90_response_minutes: Option<f64>,
}

impl From<&Figures> for LeadFigures {
    fn from(row: &Figures) -> Self {
        Self {
            received: row.received,
            answered: row.answered,
            won: row.won,
            lost: row.lost,
            conversion: (row.received > 0).then(|| row.won as f64 / row.received as f64),
            won_value: euros(row.won_eur),
            median_response_minutes: row.median_minutes,
            p90_response_minutes: row.p90_minutes,
        }
    }
}

/// Figures of the leads of a source.
#[derive(SimpleObject)]
pub struct LeadSourceFigures {
    /// The source.
    source: LeadSource,
    /// Its figures.
    figures: LeadFigures,
}

/// Figures of the leads of a period.
#[derive(SimpleObject)]
pub struct LeadPeriodFigures {
    /// Its first moment, on the clocks of France.
    from: DateTime<Utc>,
    /// Its figures.
    figures: LeadFigures,
}

/// Figures of the leads that came within a time.
#[derive(SimpleObject)]
pub struct LeadStatistics {
    /// Of all of them.
    total: LeadFigures,
    /// By source, those without a lead left out.
    by_source: Vec<LeadSourceFigures>,
    /// By period, those without a lead left out.
    by_period: Vec<LeadPeriodFigures>,
}

impl From<Vec<Figures>> for LeadStatistics {
    fn from(rows: Vec<Figures>) -> Self {
        let empty = Figures {
            source: None,
            period: None,
            kind: 3,
            received: 0,
            answered: 0,
            won: 0,
            lost: 0,
            won_eur: 0,
            median_minutes: None,
            p90_minutes: None,
        };
        let total = rows.iter().find(|row| row.kind == 3).unwrap_or(&empty);
        let source = |row: &Figures| {
            let source = LeadSource::stored(row.source.as_deref()?);
            Some(LeadSourceFigures { source, figures: row.into() })
        };
        let period = |row: &Figures| Some(LeadPeriodFigures { from: row.period?, figures: row.into() });
        Self {
            total: total.into(),
            by_source: rows.iter().filter(|row| row.kind == 1).filter_map(source).collect(),
            by_period: rows.iter().filter(|row| row.kind == 2).filter_map(period).collect(),
        }
    }
}

/// An address that leads are mailed to.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct LeadAlias {
    #[graphql(skip)]
    token: String,
    /// Identifier.
    id: Uuid,
    /// The advertisement whose leads come here; null for those of all.
    listing_id: Option<Uuid>,
    /// When it was made.
    created_at: DateTime<Utc>,
}

#[ComplexObject]
impl LeadAlias {
    /// The address, for the settings of a portal; null where this installation takes no mail.
    async fn address(&self, ctx: &Context<'_>) -> GqlResult<Option<String>> {
        Ok(ctx.app().get::<Inbound>()?.address(&self.token))
    }
}

impl From<model::Alias> for LeadAlias {
    fn from(row: model::Alias) -> Self {
        Self { token: row.token, id: row.id, listing_id: row.listing_id, created_at: row.created_at }
    }
}

/// A line of a table of leads that cannot be taken.
#[derive(SimpleObject)]
pub struct LeadLineError {
    /// Its line in the file; the header is line 1.
    line: u64,
    /// The column that is wrong.
    column: &'static str,
    /// What is wrong, in French.
    message: String,
    /// The same in English.
    message_en: String,
}

impl From<LineError> for LeadLineError {
    fn from(error: LineError) -> Self {
        Self { line: error.line, column: error.column, message: error.message_fr, message_en: error.message_en }
    }
}

/// What became of a table of leads; of a dry run, what would.
#[derive(SimpleObject)]
pub struct LeadImport {
    /// Lines of the table, without the header.
    lines: usize,
    /// New leads.
    created: usize,
    /// Lines about leads that were there: one more interaction each.
    merged: usize,
    /// Lines refused.
    refused: usize,
    /// The first hundred of them.
    errors: Vec<LeadLineError>,
    /// Whether anything was saved.
    saved: bool,
}

impl From<Report> for LeadImport {
    fn from(report: Report) -> Self {
        Self {
            lines: report.lines,
            created: report.created,
            merged: report.again,
            refused: report.errors.len(),
            errors: report.errors.into_iter().take(MOST_ERRORS).map(Into::into).collect(),
            saved: report.is_saved,
        }
    }
}
