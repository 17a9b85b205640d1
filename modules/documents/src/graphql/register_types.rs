use async_graphql::{Enum, SimpleObject};
use chrono::{DateTime, NaiveDate, Utc};
use keroxio_core::{Error, Result};
use keroxio_plugin_documents::chain::Why;
use keroxio_plugin_documents::register::{Event, Object, Party};
use uuid::Uuid;

use crate::kinds::PaymentMeans;
use crate::model::RegisterRow;
use crate::sale_file::{Item, SaleFileItemKind, SaleFileState};
use crate::verify::Checked;

/// Something a sale needs on paper.
#[derive(SimpleObject)]
pub struct SaleFileItem {
    /// What it is.
    kind: SaleFileItemKind,
    /// Where it stands.
    state: SaleFileState,
    /// What is to be done, in French.
    title: String,
    /// The same in English.
    title_en: String,
    /// What it rests on.
    article: String,
    /// Last day: on which it is good where it is done, to do it otherwise.
    due_on: Option<NaiveDate>,
    /// Days until then; negative when the day is past.
    days_left: Option<i64>,
}

impl SaleFileItem {
    pub fn of(item: &Item, today: NaiveDate) -> Self {
        let (title, title_en, article) = item.kind.texts();
        Self {
            kind: item.kind,
            state: item.state,
            title: title.to_owned(),
            title_en: title_en.to_owned(),
            article: article.to_owned(),
            due_on: item.on,
            days_left: item.on.map(|on| (on - today).num_days()),
        }
    }
}

/// What an entry of the register tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum RegisterEvent {
    /// A car came in.
    Arrival,
    /// A car left.
    Exit,
    /// What another entry should have said.
    Correction,
}

/// A car as the register describes it.
#[derive(SimpleObject)]
pub struct RegisterObject {
    /// Make.
    make: String,
    /// Model.
    model: String,
    /// Version.
    version: String,
    /// Colour.
    colour: String,
    /// Kilometres.
    mileage_km: Option<u32>,
    /// Plate.
    plate: Option<String>,
    /// Type of its registration certificate, or its kind.
    type_code: Option<String>,
    /// Vehicle identification number.
    vin: String,
    /// Country of its registration.
    country: String,
}

impl From<Object> for RegisterObject {
    fn from(object: Object) -> Self {
        let Object { make, model, version, colour, mileage_km, plate, type_code, vin, country } = object;
        Self { make, model, version, colour, mileage_km, plate, type_code, vin, country }
    }
}

/// Who sold or bought.
#[derive(SimpleObject, Default)]
pub struct RegisterParty {
    /// Name.
    name: String,
    /// Address.
    address: String,
    /// A company's fourteen digits.
    siret: Option<String>,
    /// Who came in the company's name.
    representative: Option<String>,
    /// Kind of a person's identity document.
    document: Option<String>,
    /// Its number.
    document_number: Option<String>,
    /// Who issued it and when.
    document_issued: Option<String>,
}

impl From<Party> for RegisterParty {
    fn from(party: Party) -> Self {
        match party {
            Party::Person { name, address, document, document_number, document_issued } => {
                Self { name, address, document, document_number, document_issued, ..Self::default() }
            }
            Party::Company { name, address, siret, representative } => {
                Self { name, address, siret: Some(siret), representative, ..Self::default() }
            }
        }
    }
}

/// An entry of the police register.
#[derive(SimpleObject)]
pub struct RegisterEntry {
    /// Identifier.
    id: Uuid,
    /// Chronological number within the site, without gaps.
    number: i64,
    /// When it was written.
    recorded_at: DateTime<Utc>,
    /// What it tells.
    event: RegisterEvent,
    /// Day of the event.
    on: Option<NaiveDate>,
    /// The car that came in.
    object: Option<RegisterObject>,
    /// From whom it came, or to whom it went.
    party: Option<RegisterParty>,
    /// What was paid, in cents.
    price_cents: Option<i64>,
    /// How it was paid.
    means: Option<PaymentMeans>,
    /// Number of the arrival of a car that left.
    arrival: Option<u64>,
    /// Number of the entry that is corrected.
    corrected: Option<u64>,
    /// Why it is corrected.
    reason: Option<String>,
    /// What it should have said.
    text: Option<String>,
    /// Seal of the entry before, SHA-256.
    previous_hash: String,
    /// Seal of this entry, SHA-256.
    hash: String,
}

impl RegisterEntry {
    /// # Errors
    /// `INTERNAL` for a row that no longer holds an entry.
    pub fn of(row: RegisterRow) -> Result<Self> {
        let entry: keroxio_plugin_documents::register::Entry =
            serde_json::from_value(row.entry).map_err(Error::internal)?;
        let mut told = Self {
            id: row.id,
            number: row.number,
            recorded_at: row.recorded_at,
            event: RegisterEvent::Correction,
            on: None,
            object: None,
            party: None,
            price_cents: None,
            means: None,
            arrival: None,
            corrected: None,
            reason: None,
            text: None,
            previous_hash: row.previous,
            hash: row.hash,
        };
        match entry.event {
            Event::Arrival { on, object, from, price_cents, means } => {
                told.event = RegisterEvent::Arrival;
                (told.on, told.object, told.party) = (Some(on), Some(object.into()), Some(from.into()));
                (told.price_cents, told.means) = (price_cents, means.map(Into::into));
            }
            Event::Departure { on, arrival, to, price_cents, means } => {
                told.event = RegisterEvent::Exit;
                (told.on, told.arrival, told.party) = (Some(on), Some(arrival), Some(to.into()));
                (told.price_cents, told.means) = (price_cents, means.map(Into::into));
            }
            Event::Correction { corrected, reason, text } => {
                (told.corrected, told.reason, told.text) = (Some(corrected), Some(reason), Some(text));
            }
        }
        Ok(told)
    }
}

/// What is wrong with a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum RegisterFault {
    /// An entry was changed after it was written.
    Changed,
    /// An entry does not continue the one before: one was removed, inserted or moved.
    Link,
    /// The numbers have a gap or a repetition.
    Number,
    /// An entry is of another site.
    Site,
    /// An entry is dated before the one it follows.
    Time,
    /// An entry was sealed by a later program.
    Version,
    /// Entries are missing at the end.
    End,
}

impl From<Why> for RegisterFault {
    fn from(why: Why) -> Self {
        match why {
            Why::Changed => Self::Changed,
            Why::Link => Self::Link,
            Why::Number => Self::Number,
            Why::Site => Self::Site,
            Why::Time => Self::Time,
            Why::Version => Self::Version,
            Why::End => Self::End,
        }
    }
}

/// Whether a register is what was written.
#[derive(SimpleObject)]
pub struct RegisterCheck {
    /// Whether every entry is as it was written, and none is missing.
    is_whole: bool,
    /// How many entries were written.
    entries: i64,
    /// Number of the first entry that is not as it was written.
    broken_number: Option<i64>,
    /// What is wrong with it.
    fault: Option<RegisterFault>,
    /// Seal of the last entry. Keep it elsewhere: with it you can prove later that nothing was taken away.
    last_hash: String,
}

impl From<Checked> for RegisterCheck {
    fn from(checked: Checked) -> Self {
        let (broken_number, fault) = checked.broken.map(|(number, why)| (number, why.into())).unzip();
        let (entries, last_hash) = (checked.entries, checked.last_hash);
        Self { is_whole: broken_number.is_none(), entries, broken_number, fault, last_hash }
    }
}
