//! Quotes and invoices while they are drafts.

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use chrono_tz::Europe::Paris;
use diesel_async::AsyncPgConnection;
use keroxio_core::{Actor, App, Page, Result, Right, Tx};
use keroxio_plate_grammar::Plate;
use keroxio_plugin_documents::invoice::{Address, Buyer, Car, PriceBasis, Sale};
use keroxio_plugin_documents::number::DocumentNumber;
use keroxio_plugin_documents::register::Event;
use keroxio_plugin_documents::totals::{Totals, totals};
use keroxio_vehicle::Vehicle;
use uuid::Uuid;

use crate::error;
use crate::input::{About, PaperInput};
use crate::kinds::{PaperKind, PaperState};
use crate::model::{self, Paper, PaperSearch};
use crate::sellers::{self, Settings};

/// The day a paper is dated with: that of French clocks.
pub fn today(now: DateTime<Utc>) -> NaiveDate {
    now.with_timezone(&Paris).date_naive()
}

pub async fn get(app: &App, actor: &Actor, id: Uuid) -> Result<Paper> {
    actor.may(Right::Read)?;
    model::paper(&mut *app.conn().await?, actor.org_id, id).await?.ok_or_else(error::paper)
}

pub async fn list(app: &App, actor: &Actor, search: &PaperSearch, page: Page) -> Result<Vec<Paper>> {
    actor.may(Right::Read)?;
    Ok(model::papers(&mut *app.conn().await?, actor.org_id, search, page).await?)
}

/// What a new paper is about.
pub struct Subject {
    pub listing: Option<Uuid>,
    pub vehicle: Option<Uuid>,
}

/// A quote or an invoice to be.
pub async fn draft(app: &App, actor: &Actor, kind: PaperKind, subject: Subject, input: PaperInput) -> Result<Paper> {
    actor.may(Right::Publish)?;
    let mut tx = app.begin().await?;
    let mut paper = blank(app, actor, kind);
    paper.listing_id = subject.listing;
    paper.vehicle_id = match subject.listing {
        Some(listing) => Some(keroxio_listing::service::vehicle_of(&mut tx, actor.org_id, listing).await?),
        None => subject.vehicle,
    };
    let sale = empty(kind, today(app.now()));
    write(&mut tx, actor, &mut paper, sale, input).await?;
    model::insert_paper(&mut tx, &paper).await?;
    tx.commit().await?;
    Ok(paper)
}

/// Puts other contents in the place of those of a draft.
pub async fn update(app: &App, actor: &Actor, id: Uuid, input: PaperInput) -> Result<Paper> {
    actor.may(Right::Publish)?;
    let mut tx = app.begin().await?;
    let mut paper = hold_draft(&mut tx, actor.org_id, id).await?;
    let sale = paper.sale()?;
    write(&mut tx, actor, &mut paper, sale, input).await?;
    paper.updated_at = app.now();
    model::save_paper(&mut tx, &paper).await?;
    tx.commit().await?;
    Ok(paper)
}

pub async fn delete(app: &App, actor: &Actor, id: Uuid) -> Result<()> {
    actor.may(Right::Publish)?;
    let mut tx = app.begin().await?;
    hold_draft(&mut tx, actor.org_id, id).await?;
    model::delete_paper(&mut tx, id).await?;
    tx.commit().await
}

/// An invoice to be, of what a quote offered.
pub async fn invoice_from(app: &App, actor: &Actor, quote: Uuid) -> Result<Paper> {
    actor.may(Right::Publish)?;
    let mut tx = app.begin().await?;
    let quote = hold_issued(&mut tx, actor.org_id, quote, PaperKind::Quote, ("un devis", "a quote")).await?;
    let settings = sellers::of(&mut tx, actor.org_id).await?;
    let mut paper = blank(app, actor, PaperKind::Invoice);
    (paper.vehicle_id, paper.listing_id, paper.contact_id) = (quote.vehicle_id, quote.listing_id, quote.contact_id);
    paper.quote_id = Some(quote.id);
    let sale = Sale { kind: PaperKind::Invoice.kind(), valid_until: None, ..quote.sale()? };
    keep(&mut paper, sale, &settings, today(app.now()))?;
    model::insert_paper(&mut tx, &paper).await?;
    tx.commit().await?;
    Ok(paper)
}

/// A draft held until the transaction ends.
///
/// # Errors
/// `NOT_FOUND`, and `PAPER_ISSUED` for what stays as it is.
pub async fn hold_draft(tx: &mut Tx, org: Uuid, id: Uuid) -> Result<Paper> {
    let paper = model::lock_paper(tx, org, id).await?.ok_or_else(error::paper)?;
    match paper.state() {
        PaperState::Draft => Ok(paper),
        PaperState::Issued => Err(error::issued(paper.number.as_deref().unwrap_or_default())),
    }
}

/// An issued paper of a kind, held until the transaction ends.
pub async fn hold_issued(tx: &mut Tx, org: Uuid, id: Uuid, kind: PaperKind, wanted: (&str, &str)) -> Result<Paper> {
    let paper = model::lock_paper(tx, org, id).await?.ok_or_else(error::paper)?;
    if paper.kind() != kind {
        return Err(error::wrong_kind(wanted));
    }
    if paper.state() == PaperState::Draft { Err(error::not_issued()) } else { Ok(paper) }
}

async fn write(tx: &mut Tx, actor: &Actor, paper: &mut Paper, mut sale: Sale, input: PaperInput) -> Result<()> {
    let app = tx.app().clone();
    if let Some(contact) = input.contact_id {
        keroxio_crm::contact(&app, actor, contact).await?;
    }
    paper.contact_id = input.contact_id;
    let settings = sellers::of(tx, actor.org_id).await?;
    let about = about(tx, paper).await?;
    sale.issued_on = today(app.now());
    input.write(&mut sale, about, &settings)?;
    keep(paper, sale, &settings, today(app.now()))
}

/// Writes a sale into its row, with what it adds up to as things stand.
pub fn keep(paper: &mut Paper, sale: Sale, settings: &Settings, today: NaiveDate) -> Result<()> {
    paper.sale = serde_json::to_value(&sale)?;
    count(paper, &totals(&completed(sale, paper.kind(), settings, today)));
    Ok(())
}

pub fn count(paper: &mut Paper, totals: &Totals) {
    (paper.net_cents, paper.vat_cents, paper.gross_cents) = (totals.net_cents, totals.vat_cents, totals.gross_cents);
    paper.margin_vat_cents = totals.margin_vat_cents;
}

/// A draft as it would be issued on a day: with the seller as they are then, and a number that fits.
pub fn completed(sale: Sale, kind: PaperKind, settings: &Settings, on: NaiveDate) -> Sale {
    let year = u16::try_from(on.year()).unwrap_or_default();
    let first = DocumentNumber::new(kind.series(), year, 1).map(|number| number.to_string());
    let mut sale = Sale {
        number: first.unwrap_or_default(),
        issued_on: on,
        seller: settings.seller.clone(),
        terms: settings.terms.clone(),
        ..sale
    };
    let home = &sale.seller.address;
    if let Some(delivery) = sale.delivery.as_mut().filter(|delivery| delivery.place == Address::default()) {
        delivery.place = home.clone();
    }
    sale
}

pub fn blank(app: &App, actor: &Actor, kind: PaperKind) -> Paper {
    let now = app.now();
    Paper {
        id: Uuid::now_v7(),
        org_id: actor.org_id,
        kind: kind.name().to_owned(),
        state: PaperState::Draft.name().to_owned(),
        number: None,
        sale: serde_json::Value::Null,
        vehicle_id: None,
        listing_id: None,
        contact_id: None,
        credits_id: None,
        quote_id: None,
        net_cents: 0,
        vat_cents: 0,
        gross_cents: 0,
        margin_vat_cents: 0,
        issued_on: None,
        issued_at: None,
        pdf_sha256: None,
        created_by: actor.user_id,
        created_at: now,
        updated_at: now,
    }
}

fn empty(kind: PaperKind, on: NaiveDate) -> Sale {
    Sale {
        kind: kind.kind(),
        number: String::new(),
        issued_on: on,
        due_on: None,
        valid_until: None,
        delivery: None,
        seller: sellers::nobody(),
        buyer: Buyer::Person { name: String::new(), address: Address::default() },
        credited: None,
        car: None,
        price_basis: PriceBasis::TaxIncluded,
        lines: Vec::new(),
        payments: Vec::new(),
        terms: Default::default(),
        notes: Vec::new(),
    }
}

/// The car a paper is about, what it is offered for and what it cost.
async fn about(conn: &mut AsyncPgConnection, paper: &Paper) -> Result<About> {
    let Some(id) = paper.vehicle_id else { return Ok(About { car: None, price_cents: None, purchase_cents: None }) };
    let vehicle = keroxio_vehicle::service::get(conn, paper.org_id, id).await?;
    let asked = match paper.listing_id {
        Some(listing) => keroxio_listing::service::get_in(conn, paper.org_id, listing).await?.price_eur,
        None => None,
    };
    let arrivals = model::entries_of(conn, paper.org_id, id).await?;
    let bought = arrivals.iter().rev().find_map(|row| match row.sealed()?.entry.event {
        Event::Arrival { price_cents, .. } => price_cents,
        _ => None,
    });
    let price = asked.or(vehicle.asking_price_eur);
    Ok(About {
        car: Some(car(&vehicle)),
        price_cents: price.map(|euros| i64::from(euros) * 100),
        purchase_cents: bought,
    })
}

fn car(vehicle: &Vehicle) -> Car {
    let text = |known: &Option<String>| known.clone().unwrap_or_default();
    let plate = |text: &String| Plate::parse(text).map_or_else(|_| text.clone(), |plate| plate.formatted());
    let month = vehicle.first_registration_month.and_then(|month| u32::try_from(month).ok());
    Car {
        make: text(&vehicle.make),
        model: text(&vehicle.model),
        version: text(&vehicle.version),
        plate: vehicle.plate.as_ref().map(plate),
        vin: vehicle.vin.clone(),
        first_registered_on: vehicle
            .first_registration_year
            .zip(month)
            .and_then(|(year, month)| NaiveDate::from_ymd_opt(year, month, 1)),
        mileage_km: vehicle.mileage_km.and_then(|km| u32::try_from(km).ok()),
        mileage_guaranteed: false,
    }
}
