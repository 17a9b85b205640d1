//! What members give for papers, and what becomes of it.

use async_graphql::InputObject;
use chrono::NaiveDate;
use keroxio_core::{Error, Result};
use keroxio_plugin_documents::invoice::{
    Address, Buyer, Car, Delivery, Line, Nature, Payment, PriceBasis, Quantity, Sale, VatTreatment,
};
use keroxio_plugin_documents::vat::{self, RateKind};
use uuid::Uuid;

use crate::error;
use crate::kinds::{PaperLineNature, PaymentMeans, VatScheme};
use crate::sellers::Settings;

const MOST_LINES: usize = 100;
const MOST_PAYMENTS: usize = 20;
const MOST_NOTES: usize = 10;

/// A postal address.
#[derive(InputObject)]
pub struct PaperAddressInput {
    /// Number and street, and up to two more lines.
    lines: Vec<String>,
    /// Postal code.
    postcode: String,
    /// Town.
    city: String,
    /// ISO 3166-1 code of the country.
    #[graphql(default_with = "String::from(\"FR\")")]
    country: String,
}

impl From<PaperAddressInput> for Address {
    fn from(given: PaperAddressInput) -> Self {
        let trimmed = |text: String| text.trim().to_owned();
        Self {
            lines: given.lines.into_iter().map(trimmed).filter(|line| !line.is_empty()).collect(),
            postcode: trimmed(given.postcode),
            city: trimmed(given.city),
            country: given.country.trim().to_uppercase(),
        }
    }
}

/// Who buys.
#[derive(InputObject)]
pub struct PaperBuyerInput {
    /// First and last name, or the company's name.
    name: String,
    /// Their address.
    address: PaperAddressInput,
    /// Whether it is a company.
    #[graphql(default)]
    is_company: bool,
    /// A company's nine digits; French companies need them.
    siren: Option<String>,
    /// A company's VAT number.
    vat_id: Option<String>,
}

impl From<PaperBuyerInput> for Buyer {
    fn from(given: PaperBuyerInput) -> Self {
        let (name, address) = (given.name.trim().to_owned(), given.address.into());
        if given.is_company {
            Self::Company { name, siren: compact(given.siren), vat_id: compact(given.vat_id), address }
        } else {
            Self::Person { name, address }
        }
    }
}

/// A number without the spaces it is read with.
pub fn compact(text: Option<String>) -> Option<String> {
    text.map(|text| text.chars().filter(|c| !c.is_whitespace()).collect()).filter(|text: &String| !text.is_empty())
}

/// A line of a paper.
#[derive(InputObject)]
pub struct PaperLineInput {
    /// What is sold, at most 300 characters; for the car of the paper its name by default.
    description: Option<String>,
    /// More about it, printed small, at most 1,000 characters.
    details: Option<String>,
    /// What it is.
    #[graphql(default_with = "PaperLineNature::Goods")]
    nature: PaperLineNature,
    /// How many, or hours; to the thousandth.
    #[graphql(default = 1.0)]
    quantity: f64,
    /// Price of one, in cents, with VAT unless the paper says otherwise.
    unit_price_cents: i64,
    /// What is taken off the whole line, in cents.
    #[graphql(default)]
    discount_cents: i64,
    /// How VAT is charged; by default as your cars usually are, and for anything else at the normal rate.
    vat: Option<VatScheme>,
    /// The rate of `TAXED` in hundredths of a percent (2000 is 20 %); the normal one by default.
    rate_basis_points: Option<u32>,
    /// What the car cost you, in cents, for `MARGIN`; what the police register says by default. It is on no paper.
    purchase_cents: Option<i64>,
}

/// Something paid already.
#[derive(InputObject)]
pub struct PaperPaymentInput {
    /// When.
    on: NaiveDate,
    /// How.
    means: PaymentMeans,
    /// How much, in cents.
    amount_cents: i64,
}

/// What a paper says; the seller is yours (`setSellerDetails`), the car that of the listing or vehicle.
#[derive(InputObject)]
pub struct PaperInput {
    /// Who buys. A credit note keeps the buyer of its invoice.
    buyer: PaperBuyerInput,
    /// The same person among your contacts.
    pub contact_id: Option<Uuid>,
    /// What is sold; without lines the car, at the price of its ad.
    #[graphql(default)]
    lines: Vec<PaperLineInput>,
    /// What was paid already, deposits and the trade-in included.
    #[graphql(default)]
    payments: Vec<PaperPaymentInput>,
    /// Whether prices include VAT.
    #[graphql(default = true)]
    prices_include_vat: bool,
    /// Last day to pay; a company's invoice needs one.
    due_on: Option<NaiveDate>,
    /// Last day on which a quote can be accepted.
    valid_until: Option<NaiveDate>,
    /// Day on which the car is handed over; an invoice for a car needs one.
    delivered_on: Option<NaiveDate>,
    /// Where; at your address by default.
    delivery_address: Option<PaperAddressInput>,
    /// Whether the real total mileage can be proved; otherwise "non garanti" is printed.
    #[graphql(default)]
    mileage_guaranteed: bool,
    /// Further sentences to print, in French, at most 1,000 characters each.
    #[graphql(default)]
    notes: Vec<String>,
}

/// What a paper is about, found by what the input names.
pub struct About {
    pub car: Option<Car>,
    /// Price of the ad, in cents.
    pub price_cents: Option<i64>,
    /// What the register says the car cost, in cents.
    pub purchase_cents: Option<i64>,
}

impl PaperInput {
    /// Writes all of it into a sale, which keeps its kind and what it credits.
    ///
    /// # Errors
    /// `BAD_INPUT` for too many lines, or a quantity that is none.
    pub fn write(self, sale: &mut Sale, about: About, settings: &Settings) -> Result<()> {
        for (count, most, what) in [
            (self.lines.len(), MOST_LINES, ("Lignes", "Lines")),
            (self.payments.len(), MOST_PAYMENTS, ("Paiements", "Payments")),
            (self.notes.len(), MOST_NOTES, ("Mentions", "Notes")),
        ] {
            if count > most {
                return Err(error::too_many(what, most));
            }
        }
        let is_credit = sale.credited.is_some();
        sale.price_basis = if self.prices_include_vat { PriceBasis::TaxIncluded } else { PriceBasis::Net };
        (sale.due_on, sale.valid_until) = (self.due_on, self.valid_until);
        sale.notes = self.notes;
        sale.payments = self.payments.into_iter().map(PaperPaymentInput::payment).collect();
        if !is_credit {
            sale.buyer = self.buyer.into();
            let place = self.delivery_address.map(Address::from).unwrap_or_default();
            sale.delivery = self.delivered_on.map(|on| Delivery { on, place });
            sale.car = about.car.clone();
            if let Some(car) = &mut sale.car {
                car.mileage_guaranteed = self.mileage_guaranteed;
            }
        }
        let on = sale.delivery.as_ref().map_or(sale.issued_on, |delivery| delivery.on);
        let writer = LineWriter { about: &about, settings, on, is_credit };
        sale.lines = match self.lines.is_empty() {
            true => about.car.iter().map(|_| writer.car()).collect::<Result<_>>()?,
            false => self.lines.into_iter().map(|line| writer.line(line)).collect::<Result<_>>()?,
        };
        Ok(())
    }
}

impl PaperPaymentInput {
    fn payment(self) -> Payment {
        Payment { on: self.on, means: self.means.into(), amount_cents: self.amount_cents }
    }
}

/// Completes lines by what is usual.
pub struct LineWriter<'a> {
    pub about: &'a About,
    pub settings: &'a Settings,
    /// The day whose rates hold.
    pub on: NaiveDate,
    pub is_credit: bool,
}

impl LineWriter<'_> {
    /// The car at the price of its ad.
    fn car(&self) -> Result<Line> {
        self.line(PaperLineInput {
            description: None,
            details: None,
            nature: PaperLineNature::Car,
            quantity: 1.0,
            unit_price_cents: self.about.price_cents.unwrap_or(0),
            discount_cents: 0,
            vat: None,
            rate_basis_points: None,
            purchase_cents: None,
        })
    }

    pub fn line(&self, given: PaperLineInput) -> Result<Line> {
        let nature = Nature::from(given.nature);
        let vat = self.vat(&given, nature);
        let name =
            self.about.car.as_ref().filter(|_| nature == Nature::Car).map(|car| {
                format!("Véhicule d’occasion {} {} {}", car.make, car.model, car.version).trim_end().to_owned()
            });
        Ok(Line {
            description: given.description.or(name).unwrap_or_default(),
            details: given.details,
            nature,
            quantity: quantity(given.quantity)?,
            unit_price_cents: given.unit_price_cents,
            discount_cents: given.discount_cents,
            vat,
        })
    }

    fn vat(&self, given: &PaperLineInput, nature: Nature) -> VatTreatment {
        let usual = match (self.settings.scheme, nature) {
            (VatScheme::Margin, Nature::Car) => VatScheme::Margin,
            (VatScheme::Franchise, _) => VatScheme::Franchise,
            _ => VatScheme::Taxed,
        };
        match given.vat.unwrap_or(usual) {
            VatScheme::Taxed => {
                let normal = vat::rate(self.settings.seller.territory, RateKind::Normal, self.on);
                let rate = given.rate_basis_points.or(normal.map(|rate| rate.basis_points));
                VatTreatment::Taxed { rate_basis_points: rate.unwrap_or(0) }
            }
            // What a credit note takes off the price, it takes off the margin: the purchase stays.
            VatScheme::Margin if self.is_credit => {
                VatTreatment::Margin { purchase_cents: Some(given.purchase_cents.unwrap_or(0)) }
            }
            VatScheme::Margin => {
                let known = self.about.purchase_cents.filter(|_| nature == Nature::Car);
                VatTreatment::Margin { purchase_cents: given.purchase_cents.or(known) }
            }
            VatScheme::Franchise => VatTreatment::Franchise,
            VatScheme::Disbursement => VatTreatment::Disbursement,
        }
    }
}

/// To the thousandth; what is no number at all is refused, what makes no sense is a fault of the paper.
fn quantity(given: f64) -> Result<Quantity> {
    let thousandths = (given * 1000.0).round();
    if !thousandths.is_finite() || thousandths.abs() > 1e9 {
        return Err(Error::bad_input("Cette quantité est trop grande.", "This quantity is too large."));
    }
    // Finite and bounded above: nothing is cut off.
    #[allow(clippy::cast_possible_truncation)]
    let thousandths = thousandths as i64;
    Ok(Quantity { thousandths })
}
