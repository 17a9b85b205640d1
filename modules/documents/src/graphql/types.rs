use async_graphql::{ComplexObject, Context, Enum, InputObject, SimpleObject};
use chrono::{DateTime, NaiveDate, Utc};
use keroxio_core::{GqlResult, RequestContext as _};
use keroxio_plugin_documents::invoice::{Address, Buyer, Line, Payment, PriceBasis, Sale, Seller, VatTreatment};
use keroxio_plugin_documents::totals::{Category, LineTotal, Totals, totals};
use uuid::Uuid;

use crate::error::Told;
use crate::http;
use crate::kinds::{PaperKind, PaperLineNature, PaperState, PaymentMeans, VatScheme, VatTerritory};
use crate::loaders::{Credited, Sellers};
use crate::model::{Paper as Row, PaperSearch};
use crate::papers::{completed, today};
use crate::sellers::Settings;

/// A postal address.
#[derive(SimpleObject)]
pub struct PaperAddress {
    /// Number and street, and more lines.
    lines: Vec<String>,
    /// Postal code.
    postcode: String,
    /// Town.
    city: String,
    /// ISO 3166-1 code of the country.
    country: String,
}

impl From<Address> for PaperAddress {
    fn from(address: Address) -> Self {
        let Address { lines, postcode, city, country } = address;
        Self { lines, postcode, city, country }
    }
}

/// What your papers say of you.
#[derive(SimpleObject)]
pub struct SellerDetails {
    /// Registered name.
    name: String,
    /// Name on the shop sign, where it differs.
    trade_name: Option<String>,
    /// `SAS`, `SARL`, `EI` and the like.
    legal_form: String,
    /// Share capital in whole euros.
    capital_euros: Option<u64>,
    /// Nine digits.
    siren: Option<String>,
    /// Fourteen digits of the site that sells.
    siret: Option<String>,
    /// VAT number.
    vat_id: Option<String>,
    /// Register and town.
    rcs: Option<String>,
    /// Registered address.
    address: PaperAddress,
    /// Where sales are taxed.
    territory: VatTerritory,
    /// Telephone.
    phone: Option<String>,
    /// E-mail address.
    email: Option<String>,
    /// Where to send money.
    iban: Option<String>,
    /// Code of the bank.
    bic: Option<String>,
    /// How VAT on your cars is usually charged.
    vat: VatScheme,
    /// Rate of the penalty for late payment, in French.
    late_penalty: String,
    /// Name and site of the consumer mediator.
    mediator: Option<String>,
    /// Whether VAT on services is paid when they are invoiced.
    vat_on_debits: bool,
}

impl From<Settings> for SellerDetails {
    fn from(settings: Settings) -> Self {
        let Settings { seller, terms, scheme } = settings;
        let Seller { name, trade_name, legal_form, capital_euros, siren, siret, vat_id, rcs, .. } = seller;
        Self {
            name,
            trade_name,
            legal_form,
            capital_euros,
            siren,
            siret,
            vat_id,
            rcs,
            address: seller.address.into(),
            territory: seller.territory.into(),
            phone: seller.phone,
            email: seller.email,
            iban: seller.iban,
            bic: seller.bic,
            vat: scheme,
            late_penalty: terms.late_penalty,
            mediator: terms.mediator,
            vat_on_debits: terms.vat_on_debits,
        }
    }
}

/// Who buys.
#[derive(SimpleObject)]
pub struct PaperBuyer {
    /// Their name.
    name: String,
    /// Whether it is a company.
    is_company: bool,
    /// A company's nine digits.
    siren: Option<String>,
    /// A company's VAT number.
    vat_id: Option<String>,
    /// Their address.
    address: PaperAddress,
}

impl From<Buyer> for PaperBuyer {
    fn from(buyer: Buyer) -> Self {
        let is_company = buyer.is_company();
        let (name, siren, vat_id, address) = match buyer {
            Buyer::Person { name, address } => (name, None, None, address),
            Buyer::Company { name, siren, vat_id, address } => (name, siren, vat_id, address),
        };
        Self { name, is_company, siren, vat_id, address: address.into() }
    }
}

/// A line of a paper.
#[derive(SimpleObject)]
pub struct PaperLine {
    /// What is sold.
    description: String,
    /// More about it.
    details: Option<String>,
    /// What it is.
    nature: PaperLineNature,
    /// How many, or hours.
    quantity: f64,
    /// Price of one, in cents.
    unit_price_cents: i64,
    /// What is taken off the whole line, in cents.
    discount_cents: i64,
    /// How VAT is charged.
    vat: VatScheme,
    /// The rate of `TAXED` in hundredths of a percent.
    rate_basis_points: Option<u32>,
    /// What the car cost you, in cents, for `MARGIN`. It is on no paper.
    purchase_cents: Option<i64>,
    /// What the line comes to, in cents, on the basis of the prices.
    total_cents: i64,
}

impl PaperLine {
    fn of(line: Line, total: &LineTotal) -> Self {
        let (vat, rate_basis_points, purchase_cents) = match line.vat {
            VatTreatment::Taxed { rate_basis_points } => (VatScheme::Taxed, Some(rate_basis_points), None),
            VatTreatment::Margin { purchase_cents } => (VatScheme::Margin, None, purchase_cents),
            VatTreatment::Franchise => (VatScheme::Franchise, None, None),
            VatTreatment::Disbursement => (VatScheme::Disbursement, None, None),
        };
        Self {
            description: line.description,
            details: line.details,
            nature: line.nature.into(),
            // Thousandths of what one counts are far below what a float holds exactly.
            #[allow(clippy::cast_precision_loss)]
            quantity: line.quantity.thousandths as f64 / 1000.0,
            unit_price_cents: line.unit_price_cents,
            discount_cents: line.discount_cents,
            vat,
            rate_basis_points,
            purchase_cents,
            total_cents: total.shown_cents,
        }
    }
}

/// Something paid already.
#[derive(SimpleObject)]
pub struct PaperPayment {
    /// When.
    on: NaiveDate,
    /// How.
    means: PaymentMeans,
    /// How much, in cents.
    amount_cents: i64,
}

impl From<Payment> for PaperPayment {
    fn from(payment: Payment) -> Self {
        Self { on: payment.on, means: payment.means.into(), amount_cents: payment.amount_cents }
    }
}

/// VAT at one rate.
#[derive(SimpleObject)]
pub struct PaperVat {
    /// The rate in hundredths of a percent; 0 where none is shown.
    rate_basis_points: u32,
    /// Total without VAT, in cents.
    net_cents: i64,
    /// VAT, in cents.
    vat_cents: i64,
    /// Whether it is taxed at all; under the margin scheme no VAT is shown.
    is_taxed: bool,
}

/// What a paper adds up to.
#[derive(SimpleObject)]
pub struct PaperTotals {
    /// Without VAT, in cents.
    net_cents: i64,
    /// VAT that is shown, in cents.
    vat_cents: i64,
    /// With VAT, in cents.
    gross_cents: i64,
    /// What was paid already, in cents.
    paid_cents: i64,
    /// What is left to pay, in cents.
    due_cents: i64,
    /// VAT contained in the price of cars under the margin scheme, in cents: for your accounts, on no paper. Negative on
    /// credit notes.
    margin_vat_cents: i64,
    /// VAT by rate, the highest first.
    vat: Vec<PaperVat>,
}

impl From<&Totals> for PaperTotals {
    fn from(totals: &Totals) -> Self {
        let vat = totals.groups.iter().map(|group| PaperVat {
            rate_basis_points: group.basis_points,
            net_cents: group.net_cents,
            vat_cents: group.vat_cents,
            is_taxed: group.category == Category::Standard,
        });
        Self {
            net_cents: totals.net_cents,
            vat_cents: totals.vat_cents,
            gross_cents: totals.gross_cents,
            paid_cents: totals.paid_cents,
            due_cents: totals.due_cents,
            margin_vat_cents: totals.margin_vat_cents,
            vat: vat.collect(),
        }
    }
}

/// Something that forbids to issue a paper.
#[derive(SimpleObject)]
pub struct PaperFault {
    /// Stable code, for instance `CAR_VIN_MISSING`.
    code: String,
    /// Where, for instance `lines[2].quantity`.
    field: String,
    /// What to do about it, in French.
    message: String,
    /// The same in English.
    message_en: String,
}

impl From<Told> for PaperFault {
    fn from(told: Told) -> Self {
        Self { code: told.code, field: told.field, message: told.fr, message_en: told.en }
    }
}

/// A quote, an invoice or a credit note.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Paper {
    #[graphql(skip)]
    row: Row,
    /// Identifier.
    id: Uuid,
    /// What it is.
    kind: PaperKind,
    /// Where it stands.
    state: PaperState,
    /// Its number, for instance `F-2026-000123`; null for a draft.
    number: Option<String>,
    /// Its date.
    issued_on: Option<NaiveDate>,
    /// When it was issued.
    issued_at: Option<DateTime<Utc>>,
    /// SHA-256 of its file.
    pdf_sha256: Option<String>,
    /// The car it is about.
    vehicle_id: Option<Uuid>,
    /// The listing it is about.
    listing_id: Option<Uuid>,
    /// The buyer among your contacts.
    contact_id: Option<Uuid>,
    /// The invoice that a credit note takes back.
    credits_id: Option<Uuid>,
    /// The quote that an invoice follows.
    quote_id: Option<Uuid>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
}

impl From<Row> for Paper {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            kind: row.kind(),
            state: row.state(),
            number: row.number.clone(),
            issued_on: row.issued_on,
            issued_at: row.issued_at,
            pdf_sha256: row.pdf_sha256.clone(),
            vehicle_id: row.vehicle_id,
            listing_id: row.listing_id,
            contact_id: row.contact_id,
            credits_id: row.credits_id,
            quote_id: row.quote_id,
            created_at: row.created_at,
            updated_at: row.updated_at,
            row,
        }
    }
}

impl Paper {
    /// As it was issued, or as it would be today.
    async fn sale(&self, ctx: &Context<'_>) -> GqlResult<Sale> {
        let sale = self.row.sale()?;
        if self.state == PaperState::Issued {
            return Ok(sale);
        }
        let settings = ctx.load::<Sellers>(self.row.org_id).await?;
        let on = today(ctx.app().now());
        Ok(settings.map_or(sale.clone(), |settings| completed(sale, self.kind, &settings, on)))
    }
}

#[ComplexObject]
impl Paper {
    /// Who buys.
    async fn buyer(&self) -> GqlResult<PaperBuyer> {
        Ok(self.row.sale()?.buyer.into())
    }

    /// What is sold.
    #[graphql(complexity = "5 + child_complexity")]
    async fn lines(&self, ctx: &Context<'_>) -> GqlResult<Vec<PaperLine>> {
        let sale = self.sale(ctx).await?;
        let totals = totals(&sale);
        Ok(sale.lines.into_iter().zip(&totals.lines).map(|(line, total)| PaperLine::of(line, total)).collect())
    }

    /// Whether prices include VAT.
    async fn prices_include_vat(&self) -> GqlResult<bool> {
        Ok(self.row.sale()?.price_basis == PriceBasis::TaxIncluded)
    }

    /// What was paid already.
    async fn payments(&self) -> GqlResult<Vec<PaperPayment>> {
        Ok(self.row.sale()?.payments.into_iter().map(Into::into).collect())
    }

    /// What it adds up to.
    async fn totals(&self, ctx: &Context<'_>) -> GqlResult<PaperTotals> {
        Ok(PaperTotals::from(&totals(&self.sale(ctx).await?)))
    }

    /// Last day to pay.
    async fn due_on(&self) -> GqlResult<Option<NaiveDate>> {
        Ok(self.row.sale()?.due_on)
    }

    /// Last day on which a quote can be accepted.
    async fn valid_until(&self) -> GqlResult<Option<NaiveDate>> {
        Ok(self.row.sale()?.valid_until)
    }

    /// Day on which the car is handed over.
    async fn delivered_on(&self) -> GqlResult<Option<NaiveDate>> {
        Ok(self.row.sale()?.delivery.map(|delivery| delivery.on))
    }

    /// Further sentences that are printed.
    async fn notes(&self) -> GqlResult<Vec<String>> {
        Ok(self.row.sale()?.notes)
    }

    /// What forbids to issue a draft as it stands today; empty when it may be issued.
    async fn faults(&self, ctx: &Context<'_>) -> GqlResult<Vec<PaperFault>> {
        if self.state == PaperState::Issued {
            return Ok(Vec::new());
        }
        let faults = self.sale(ctx).await?.validate();
        Ok(faults.iter().map(|fault| Told::from(fault).into()).collect())
    }

    /// What issued credit notes took back of an invoice, in cents.
    async fn credited_cents(&self, ctx: &Context<'_>) -> GqlResult<i64> {
        Ok(ctx.load::<Credited>(self.id).await?.unwrap_or(0))
    }

    /// Private address of the file (PDF/A-3b, an invoice or a credit note with Factur-X inside), good for an hour; null
    /// for a draft. It is the file as it was issued, always the same.
    async fn pdf_url(&self, ctx: &Context<'_>) -> GqlResult<Option<String>> {
        let is_issued = self.state == PaperState::Issued;
        Ok(is_issued.then(|| http::paper_url(ctx.app(), self.id)).transpose()?)
    }
}

/// Kinds a paper is drafted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum PaperDraftKind {
    /// An offer.
    Quote,
    /// An invoice.
    Invoice,
}

impl From<PaperDraftKind> for PaperKind {
    fn from(kind: PaperDraftKind) -> Self {
        match kind {
            PaperDraftKind::Quote => Self::Quote,
            PaperDraftKind::Invoice => Self::Invoice,
        }
    }
}

/// Which papers.
#[derive(InputObject, Default)]
pub struct PaperFilter {
    /// Of this kind.
    kind: Option<PaperKind>,
    /// Which stand here.
    state: Option<PaperState>,
    /// Issued on this day or later.
    from: Option<NaiveDate>,
    /// Issued on this day or before.
    to: Option<NaiveDate>,
    /// About this listing.
    listing_id: Option<Uuid>,
}

impl From<PaperFilter> for PaperSearch {
    fn from(filter: PaperFilter) -> Self {
        let PaperFilter { kind, state, from, to, listing_id } = filter;
        Self { kind, state, from, to, listing_id }
    }
}
