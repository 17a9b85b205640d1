//! What a sale needs on paper, and by when (C.5). Nothing is ticked off by hand: it follows from what is known.

use async_graphql::Enum;
use chrono::{Days, NaiveDate};
use keroxio_core::{Actor, App, Result, Right};
use keroxio_listing::Ad;
use keroxio_plugin_documents::register::Event;
use keroxio_publication::{Task, needs_report, report_good_until, tasks_of};
use keroxio_vehicle::Vehicle;
use keroxio_vehicle::histovec;
use uuid::Uuid;

use crate::model::{self, Paper};
use crate::papers::today;

/// Days for which a certificate of administrative status is good, and those to declare a sale.
const STATUS_DAYS: u64 = 15;
const DECLARATION_DAYS: u64 = 15;

/// Something a sale needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
pub enum SaleFileItemKind {
    /// The report of a technical inspection.
    Inspection,
    /// The certificate of administrative status (non-gage).
    StatusCertificate,
    /// The arrival in the police register.
    RegisterEntry,
    /// The invoice.
    Invoice,
    /// The transfer form (cerfa 15776), and the registration certificate struck through.
    TransferForm,
    /// The declaration of the sale.
    Declaration,
    /// The exit in the police register.
    RegisterExit,
}

impl SaleFileItemKind {
    /// What is to be done, in French and English, and what it rests on.
    pub fn texts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Inspection => (
                "Procès-verbal de contrôle technique de moins de six mois, deux si une contre-visite est prescrite.",
                "Inspection report younger than six months, two if another test was ordered.",
                "Code de la route, art. R.323-22",
            ),
            Self::StatusCertificate => (
                "Certificat de situation administrative de moins de quinze jours.",
                "Certificate of administrative status younger than fifteen days.",
                "Code de la route, art. R.322-4",
            ),
            Self::RegisterEntry => (
                "Entrée au registre d'objets mobiliers, le jour même.",
                "Arrival in the register of used goods, on the same day.",
                "Code pénal, art. R.321-3",
            ),
            Self::Invoice => {
                ("Facture remise à l'acheteur.", "Invoice handed to the buyer.", "Code de commerce, art. L.441-9")
            }
            Self::TransferForm => (
                "Déclaration de cession (cerfa 15776) signée par tous, certificat d'immatriculation barré, daté et signé.",
                "Transfer form (cerfa 15776) signed by everybody, registration certificate struck through, dated, signed.",
                "Code de la route, art. R.322-4",
            ),
            Self::Declaration => (
                "Vente déclarée en ligne dans les quinze jours.",
                "Sale declared online within fifteen days.",
                "Code de la route, art. R.322-4",
            ),
            Self::RegisterExit => (
                "Sortie au registre d'objets mobiliers, le jour même.",
                "Exit in the register of used goods, on the same day.",
                "Code pénal, art. R.321-3",
            ),
        }
    }
}

/// Where something that a sale needs stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
pub enum SaleFileState {
    /// It is there, and good until its day where it has one.
    Done,
    /// It is to be done, by its day where it has one.
    Due,
    /// Its day is past.
    Overdue,
    /// This sale does not need it.
    NotNeeded,
}

/// An item of the file.
pub struct Item {
    pub kind: SaleFileItemKind,
    pub state: SaleFileState,
    /// Until when it is good where it is done, by when it is to be done otherwise.
    pub on: Option<NaiveDate>,
}

/// What the file follows from.
struct Facts {
    ad: Ad,
    vehicle: Vehicle,
    report_on: Option<NaiveDate>,
    invoice: Option<Paper>,
    declaration: Option<Task>,
    arrived: bool,
    left: bool,
    is_dealer: bool,
    today: NaiveDate,
}

/// The file of a sale, in the order in which things are done.
pub async fn of(app: &App, actor: &Actor, listing: Uuid) -> Result<Vec<Item>> {
    actor.may(Right::Read)?;
    let facts = facts(app, actor.org_id, listing).await?;
    Ok(vec![
        facts.inspection()?,
        facts.status_certificate(),
        facts.register_entry(),
        facts.invoice(),
        facts.transfer_form(),
        facts.declaration(),
        facts.register_exit(),
    ])
}

async fn facts(app: &App, org: Uuid, listing: Uuid) -> Result<Facts> {
    let mut conn = app.conn().await?;
    let ad = keroxio_listing::service::get_in(&mut conn, org, listing).await?;
    let vehicle = keroxio_vehicle::service::get(&mut conn, org, ad.vehicle_id).await?;
    let report = histovec::of(&mut conn, vehicle.id).await?;
    let invoice = not_taken_back(&mut conn, org, listing).await?;
    let tasks = tasks_of(&mut conn, listing).await?;
    let entries = model::entries_of(&mut conn, org, vehicle.id).await?;
    let last = entries.iter().rev().find_map(|row| match row.sealed()?.entry.event {
        Event::Arrival { .. } => Some(false),
        Event::Departure { .. } => Some(true),
        Event::Correction { .. } => None,
    });
    let organization = keroxio_auth::service::organization_in(&mut conn, org).await?;
    Ok(Facts {
        report_on: report.map(|report| report.report_on),
        invoice,
        declaration: tasks.into_iter().rfind(|task| task.kind == "DECLARE_SALE"),
        arrived: last.is_some(),
        left: last == Some(true),
        is_dealer: organization.kind == "dealer",
        today: today(app.now()),
        ad,
        vehicle,
    })
}

/// The last invoice of a listing of which something is left.
async fn not_taken_back(conn: &mut diesel_async::AsyncPgConnection, org: Uuid, listing: Uuid) -> Result<Option<Paper>> {
    let invoices = model::invoices_of(conn, org, listing).await?;
    let ids: Vec<Uuid> = invoices.iter().map(|invoice| invoice.id).collect();
    let notes = model::credited(conn, &ids).await?;
    let left = |invoice: &Paper| {
        let credited: i64 = notes.iter().filter(|(id, _)| *id == invoice.id).map(|(_, cents)| cents).sum();
        invoice.gross_cents > credited
    };
    Ok(invoices.into_iter().rfind(left))
}

impl Facts {
    /// The day of the sale; today until then.
    fn day(&self) -> NaiveDate {
        self.sold_on().unwrap_or(self.today)
    }

    fn sold_on(&self) -> Option<NaiveDate> {
        self.ad.sold_at.map(today)
    }

    /// Of something that ages: it is there until a day, which the sale is not to come after.
    fn good_until(&self, kind: SaleFileItemKind, until: Option<NaiveDate>) -> Item {
        let state = match until {
            Some(until) if until >= self.day() => SaleFileState::Done,
            Some(_) => SaleFileState::Overdue,
            None if self.sold_on().is_some() => SaleFileState::Overdue,
            None => SaleFileState::Due,
        };
        Item { kind, state, on: until }
    }

    /// Of something to be done by a day, which there is only once the car is sold.
    fn by(&self, kind: SaleFileItemKind, is_done: bool, on: Option<NaiveDate>) -> Item {
        let state = match on {
            _ if is_done => SaleFileState::Done,
            Some(on) if on < self.today => SaleFileState::Overdue,
            _ => SaleFileState::Due,
        };
        Item { kind, state, on }
    }

    /// What nobody but a professional needs.
    fn of_dealers(&self, item: Item) -> Item {
        if self.is_dealer { item } else { Item { state: SaleFileState::NotNeeded, on: None, ..item } }
    }

    fn inspection(&self) -> Result<Item> {
        let kind = SaleFileItemKind::Inspection;
        let buyer = self.invoice.as_ref().map(Paper::sale).transpose()?.map(|sale| sale.buyer.is_company());
        // Not needed by a professional, nor of a car of less than four years.
        if buyer == Some(true) || needs_report(&self.vehicle, self.day()) == Some(false) {
            return Ok(Item { kind, state: SaleFileState::NotNeeded, on: None });
        }
        Ok(self.good_until(kind, report_good_until(&self.vehicle, self.day())))
    }

    fn status_certificate(&self) -> Item {
        let until = self.report_on.and_then(|on| on.checked_add_days(Days::new(STATUS_DAYS)));
        self.good_until(SaleFileItemKind::StatusCertificate, until)
    }

    fn register_entry(&self) -> Item {
        let came = self.vehicle.entered_on.unwrap_or_else(|| today(self.vehicle.created_at));
        self.of_dealers(self.by(SaleFileItemKind::RegisterEntry, self.arrived, Some(came)))
    }

    fn invoice(&self) -> Item {
        self.of_dealers(self.by(SaleFileItemKind::Invoice, self.invoice.is_some(), self.sold_on()))
    }

    fn is_declared(&self) -> bool {
        self.declaration.as_ref().is_some_and(|task| task.done_by.is_some())
    }

    /// Who has declared the sale has the form: it is what is declared.
    fn transfer_form(&self) -> Item {
        self.by(SaleFileItemKind::TransferForm, self.is_declared(), self.sold_on())
    }

    fn declaration(&self) -> Item {
        let until = self.sold_on().and_then(|on| on.checked_add_days(Days::new(DECLARATION_DAYS)));
        self.by(SaleFileItemKind::Declaration, self.is_declared(), until)
    }

    fn register_exit(&self) -> Item {
        self.of_dealers(self.by(SaleFileItemKind::RegisterExit, self.left, self.sold_on()))
    }
}
