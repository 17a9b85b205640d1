//! The police register: entries are added, one after another, each sealed with the one before.

use async_graphql::InputObject;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, SubsecRound as _, TimeZone as _, Utc};
use chrono_tz::Europe::Paris;
use keroxio_auth::Site;
use keroxio_core::{Actor, App, Error, Page, Result, Right, Tx};
use keroxio_plate_grammar::Plate;
use keroxio_plugin_documents::chain::{self, GENESIS};
use keroxio_plugin_documents::register::{Entry, Event, Object, Party};
use uuid::Uuid;

use crate::error::{self, Told};
use crate::input::compact;
use crate::kinds::PaymentMeans;
use crate::model::{self, Head, RegisterRow};
use crate::papers::today;

/// Characters of a fact, and of what a correction says.
const LONGEST: usize = 200;
const LONGEST_TEXT: usize = 1_000;

/// Who sold or bought a car.
#[derive(InputObject)]
pub struct RegisterPartyInput {
    /// First and last name, or the company's name.
    name: String,
    /// Their address.
    address: String,
    /// A company's fourteen digits.
    siret: Option<String>,
    /// Who came in the company's name.
    representative: Option<String>,
    /// Kind of a person's identity document; needed of sellers.
    document: Option<String>,
    /// Its number; needed of sellers.
    document_number: Option<String>,
    /// Who issued it and when.
    document_issued: Option<String>,
}

/// A car that came in.
#[derive(InputObject)]
pub struct RegisterArrivalInput {
    /// The car, whose facts are copied.
    vehicle_id: Uuid,
    /// Day on which it came; today by default.
    on: Option<NaiveDate>,
    /// From whom.
    from: RegisterPartyInput,
    /// What was paid, in cents; none for a consignment.
    price_cents: Option<i64>,
    /// How it was paid; needed with a price.
    means: Option<PaymentMeans>,
    /// Type of its registration certificate (field D.2), or its kind.
    type_code: Option<String>,
    /// Country of its registration, ISO 3166-1 code.
    #[graphql(default_with = "String::from(\"FR\")")]
    country: String,
}

/// A car that left.
#[derive(InputObject)]
pub struct RegisterExitInput {
    /// Chronological number of its arrival.
    arrival: i64,
    /// Day on which it left; today by default.
    on: Option<NaiveDate>,
    /// To whom.
    to: RegisterPartyInput,
    /// What was paid, in cents.
    price_cents: Option<i64>,
    /// How it was paid; needed with a price.
    means: Option<PaymentMeans>,
}

/// Collects what is missing, to tell it at once.
struct Missing(Vec<Told>);

impl Missing {
    fn need(&mut self, is_there: bool, field: &str, fr: &str, en: &str) {
        if !is_there {
            let told =
                Told { code: "MISSING".to_owned(), field: field.to_owned(), fr: fr.to_owned(), en: en.to_owned() };
            self.0.push(told);
        }
    }

    fn none(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(error::invalid(&self.0)) }
    }
}

impl RegisterPartyInput {
    fn party(self, is_seller: bool, missing: &mut Missing) -> Result<Party> {
        let (name, address) = (text(self.name, LONGEST)?, text(self.address, LONGEST)?);
        let part = |name: &str| format!("{}.{name}", if is_seller { "from" } else { "to" });
        missing.need(!name.is_empty(), &part("name"), "Indiquez le nom.", "Give the name.");
        missing.need(!address.is_empty(), &part("address"), "Indiquez l'adresse.", "Give the address.");
        if let Some(siret) = compact(self.siret) {
            let is_siret = siret.len() == 14 && siret.bytes().all(|b| b.is_ascii_digit());
            let (fr, en) = ("Un SIRET compte 14 chiffres.", "A SIRET has 14 digits.");
            missing.need(is_siret, &part("siret"), fr, en);
            return Ok(Party::Company { name, address, siret, representative: optional(self.representative)? });
        }
        let (document, document_number) = (optional(self.document)?, optional(self.document_number)?);
        let is_identified = !is_seller || document.is_some() && document_number.is_some();
        missing.need(
            is_identified,
            &part("document"),
            "Indiquez la pièce d'identité du vendeur et son numéro, ou le SIRET d'une société.",
            "Give the seller's identity document and its number, or a company's SIRET.",
        );
        Ok(Party::Person { name, address, document, document_number, document_issued: optional(self.document_issued)? })
    }
}

fn text(given: String, most: usize) -> Result<String> {
    let text: String = given.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() > most {
        return Err(error::too_many(("Caractères d'une mention", "Characters of one text"), most));
    }
    Ok(text)
}

fn optional(given: Option<String>) -> Result<Option<String>> {
    Ok(given.map(|given| text(given, LONGEST)).transpose()?.filter(|text| !text.is_empty()))
}

/// The day of an event: past, and written down the same day unless somebody was late.
fn day(app: &App, on: Option<NaiveDate>) -> Result<NaiveDate> {
    let today = today(app.now());
    match on {
        Some(on) if on > today => Err(Error::bad_input("Cette date est à venir.", "This day is still to come.")),
        on => Ok(on.unwrap_or(today)),
    }
}

fn price(cents: Option<i64>, means: Option<PaymentMeans>, missing: &mut Missing) -> Result<Option<i64>> {
    if cents.is_some_and(|cents| !(0..=10_000_000_000).contains(&cents)) {
        return Err(Error::bad_input("Ce prix n'est pas possible.", "This price is not possible."));
    }
    let (fr, en) = ("Indiquez le moyen de paiement.", "Say how it was paid.");
    missing.need(cents.is_none() || means.is_some(), "means", fr, en);
    Ok(cents)
}

/// A car came in.
pub async fn enter(app: &App, actor: &Actor, site: Uuid, input: RegisterArrivalInput) -> Result<RegisterRow> {
    actor.may(Right::Stock)?;
    let mut missing = Missing(Vec::new());
    let mut tx = app.begin().await?;
    let site = keroxio_auth::service::site_in(&mut tx, actor.org_id, site).await?;
    let vehicle = keroxio_vehicle::service::get(&mut tx, actor.org_id, input.vehicle_id).await?;
    let known = |fact: &Option<String>| fact.clone().unwrap_or_default();
    let plate = |text: &String| Plate::parse(text).map_or_else(|_| text.clone(), |plate| plate.formatted());
    let object = Object {
        make: known(&vehicle.make),
        model: known(&vehicle.model),
        version: known(&vehicle.version),
        colour: known(&vehicle.colour),
        mileage_km: vehicle.mileage_km.and_then(|km| u32::try_from(km).ok()),
        plate: vehicle.plate.as_ref().map(plate),
        type_code: optional(input.type_code)?,
        vin: known(&vehicle.vin),
        country: text(input.country, 2)?.to_uppercase(),
    };
    for (value, field, fr, en) in [
        (&object.make, "vehicle.make", "Complétez la marque du véhicule.", "Complete the make of the vehicle."),
        (&object.model, "vehicle.model", "Complétez le modèle du véhicule.", "Complete the model of the vehicle."),
        (&object.colour, "vehicle.colour", "Complétez la couleur du véhicule.", "Complete the colour of the vehicle."),
        (&object.vin, "vehicle.vin", "Complétez le numéro de série du véhicule.", "Complete the VIN of the vehicle."),
    ] {
        missing.need(!value.is_empty(), field, fr, en);
    }
    let from = input.from.party(true, &mut missing)?;
    let price_cents = price(input.price_cents, input.means, &mut missing)?;
    missing.none()?;
    let on = day(app, input.on)?;
    let event = Event::Arrival { on, object, from, price_cents, means: input.means.map(Into::into) };
    let row = append(&mut tx, actor, &site, event, Some(vehicle.id)).await?;
    tx.commit().await?;
    Ok(row)
}

/// A car left.
pub async fn leave(app: &App, actor: &Actor, site: Uuid, input: RegisterExitInput) -> Result<RegisterRow> {
    actor.may(Right::Stock)?;
    let mut missing = Missing(Vec::new());
    let to = input.to.party(false, &mut missing)?;
    let price_cents = price(input.price_cents, input.means, &mut missing)?;
    let on = day(app, input.on)?;
    let mut tx = app.begin().await?;
    let site = keroxio_auth::service::site_in(&mut tx, actor.org_id, site).await?;
    missing.none()?;
    // Held before it is looked whether the car is here: two exits at a time are one too many.
    model::hold_head(&mut tx, &beginning(&site)).await?;
    let arrival = model::entry(&mut tx, (actor.org_id, site.id), input.arrival).await?.ok_or_else(error::entry)?;
    let is_arrival = |row: &RegisterRow| row.sealed().is_some_and(|s| matches!(s.entry.event, Event::Arrival { .. }));
    if !is_arrival(&arrival) {
        return Err(error::entry());
    }
    if let Some(exit) = exit_of(&mut tx, &arrival).await? {
        return Err(error::exit_recorded(exit));
    }
    let arrived = u64::try_from(arrival.number).map_err(Error::internal)?;
    let event = Event::Departure { on, arrival: arrived, to, price_cents, means: input.means.map(Into::into) };
    let row = append(&mut tx, actor, &site, event, arrival.vehicle_id).await?;
    tx.commit().await?;
    Ok(row)
}

/// The number under which the exit of an arrival is entered.
async fn exit_of(tx: &mut Tx, arrival: &RegisterRow) -> Result<Option<i64>> {
    let Some(vehicle) = arrival.vehicle_id else { return Ok(None) };
    let rows = model::entries_of(tx, arrival.org_id, vehicle).await?;
    let is_exit = |row: &&RegisterRow| {
        let event = row.sealed().map(|sealed| sealed.entry.event);
        row.site_id == arrival.site_id
            && matches!(event, Some(Event::Departure { arrival: number, .. }) if i64::try_from(number) == Ok(arrival.number))
    };
    Ok(rows.iter().find(is_exit).map(|row| row.number))
}

/// Says what an entry should have said.
pub async fn correct(
    app: &App,
    actor: &Actor,
    (site, number): (Uuid, i64),
    (reason, said): (String, String),
) -> Result<RegisterRow> {
    actor.may(Right::Stock)?;
    let (reason, said) = (text(reason, LONGEST)?, text(said, LONGEST_TEXT)?);
    let mut missing = Missing(Vec::new());
    missing.need(!reason.is_empty(), "reason", "Dites pourquoi.", "Say why.");
    missing.need(!said.is_empty(), "text", "Dites ce qu'il faut lire.", "Say what it should read.");
    let mut tx = app.begin().await?;
    let site = keroxio_auth::service::site_in(&mut tx, actor.org_id, site).await?;
    missing.none()?;
    let entry = model::entry(&mut tx, (actor.org_id, site.id), number).await?.ok_or_else(error::entry)?;
    let corrected = u64::try_from(entry.number).map_err(Error::internal)?;
    let event = Event::Correction { corrected, reason, text: said };
    let row = append(&mut tx, actor, &site, event, None).await?;
    tx.commit().await?;
    Ok(row)
}

fn beginning(site: &Site) -> Head {
    Head {
        site_id: site.id,
        org_id: site.org_id,
        site_name: site.name.clone(),
        site_address: String::new(),
        count: 0,
        last_hash: GENESIS.to_string(),
        last_at: DateTime::UNIX_EPOCH,
    }
}

async fn append(
    tx: &mut Tx,
    actor: &Actor,
    site: &Site,
    event: Event,
    vehicle_id: Option<Uuid>,
) -> Result<RegisterRow> {
    let mut head = model::hold_head(tx, &beginning(site)).await?;
    let previous = head.last_hash.parse().map_err(Error::internal)?;
    // Whole seconds, and never before the entry it follows, whatever the clock of this machine says.
    let recorded_at = tx.app().now().trunc_subsecs(0).max(head.last_at);
    head.count += 1;
    let number = u64::try_from(head.count).map_err(Error::internal)?;
    let sealed = chain::seal(Entry { site: site.id.to_string(), number, recorded_at, event }, previous);
    let row = RegisterRow {
        id: Uuid::now_v7(),
        org_id: site.org_id,
        site_id: site.id,
        number: head.count,
        entry: serde_json::to_value(&sealed.entry)?,
        version: i16::try_from(sealed.version).map_err(Error::internal)?,
        previous: sealed.previous.to_string(),
        hash: sealed.hash.to_string(),
        recorded_at,
        vehicle_id,
        recorded_by: actor.user_id,
    };
    model::insert_entry(tx, &row).await?;
    let town = [site.postal_code.as_deref(), site.city.as_deref()];
    let town = town.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let address = [site.street.as_deref().unwrap_or_default(), &town];
    head.site_address = address.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    head.site_name.clone_from(&site.name);
    (head.last_hash, head.last_at) = (row.hash.clone(), recorded_at);
    model::save_head(tx, &head).await?;
    Ok(row)
}

/// Days of French clocks as moments: from the first one's beginning until the last one's end.
pub fn moments(from: NaiveDate, to: NaiveDate) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let midnight = |day: NaiveDate| Paris.from_local_datetime(&day.and_time(NaiveTime::MIN)).earliest();
    Some((midnight(from)?.with_timezone(&Utc), midnight(to.checked_add_days(Days::new(1))?)?.with_timezone(&Utc)))
}

/// The register of a site of the caller's, which may be gone since.
pub async fn head_of(app: &App, actor: &Actor, site: Uuid) -> Result<Option<Head>> {
    let mut conn = app.conn().await?;
    if let Some(head) = model::head(&mut conn, site).await?.filter(|head| head.org_id == actor.org_id) {
        return Ok(Some(head));
    }
    keroxio_auth::service::site_in(&mut conn, actor.org_id, site).await.map(|_| None)
}

/// Entries of a register that were written on these days, the latest first.
pub async fn list(
    app: &App,
    actor: &Actor,
    site: Uuid,
    (from, to): (Option<NaiveDate>, Option<NaiveDate>),
    page: Page,
) -> Result<Vec<RegisterRow>> {
    actor.may(Right::Read)?;
    head_of(app, actor, site).await?;
    let from = from.and_then(|from| moments(from, from)).map(|(from, _)| from);
    let until = to.and_then(|to| moments(to, to)).map(|(_, until)| until);
    Ok(model::entries(&mut *app.conn().await?, (actor.org_id, site), (from, until), page).await?)
}
