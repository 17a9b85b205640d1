use async_graphql::{Context, Enum, InputObject, Object, SimpleObject, Upload};
use chrono::{DateTime, NaiveDate, Utc};
use keroxio_core::{Access, GqlResult, RequestContext as _, access, table};
use uuid::Uuid;

use crate::certificate::{self, ReadField, Reading};
use crate::graphql::VehicleObject;
use crate::histovec::{self, Given, Mileage, Report};

/// Largest photo, in MiB.
const MOST_MIB: u64 = 25;

/// Where the reading of a certificate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum CertificateState {
    /// It is being read.
    Running,
    /// It is read.
    Done,
    /// No certificate could be read in the photo: take it again from above, whole and in good light.
    Failed,
}

/// A field of a registration certificate.
#[derive(SimpleObject)]
pub struct CertificateField {
    /// Code of the field, for instance `D.1`.
    code: String,
    /// What was read.
    text: String,
    /// How sure the reading is, 0 to 1.
    confidence: f64,
    /// The fact it became, by its name in `VehicleInput`; null where it was not sure or could not be true.
    fact: Option<String>,
}

impl From<ReadField> for CertificateField {
    fn from(field: ReadField) -> Self {
        Self { code: field.code, text: field.text, confidence: field.confidence, fact: field.fact }
    }
}

/// The last reading of a car's registration certificate. The photo was deleted when it was read.
#[derive(SimpleObject)]
pub struct CertificateReading {
    /// Where it stands.
    state: CertificateState,
    /// Fields that speak of the car; the holder's name and address are not kept.
    fields: Vec<CertificateField>,
    /// Which reader read it, in which version.
    read_by: Option<String>,
    /// When it was asked for.
    asked_at: DateTime<Utc>,
    /// When it ended.
    ended_at: Option<DateTime<Utc>>,
}

impl From<Reading> for CertificateReading {
    fn from(reading: Reading) -> Self {
        Self {
            state: match reading.state.as_str() {
                "done" => CertificateState::Done,
                "failed" => CertificateState::Failed,
                _ => CertificateState::Running,
            },
            fields: reading.fields().into_iter().map(CertificateField::from).collect(),
            read_by: reading.read_by,
            asked_at: reading.asked_at,
            ended_at: reading.ended_at,
        }
    }
}

/// An odometer reading in a HistoVec report.
#[derive(SimpleObject, InputObject)]
#[graphql(input_name = "HistovecMileageInput")]
pub struct HistovecMileage {
    /// Day of the inspection.
    on: NaiveDate,
    /// Kilometres.
    km: i32,
}

/// What a HistoVec report says of a car.
#[derive(InputObject)]
pub struct HistovecInput {
    /// That the holder of the certificate agrees to its being kept until the sale is over. Without it nothing is kept.
    holder_agrees: bool,
    /// The report's sharing link, which begins with `https://histovec.interieur.gouv.fr/`.
    url: Option<String>,
    /// Day of the report.
    report_on: NaiveDate,
    /// Holders so far, 1 to 99.
    holders: Option<i32>,
    /// Whether something forbids the sale: theft, pledge, opposition.
    sale_forbidden: bool,
    /// Odometer readings of its inspections, 60 at most.
    #[graphql(default)]
    mileages: Vec<HistovecMileage>,
}

impl From<HistovecInput> for Given {
    fn from(input: HistovecInput) -> Self {
        Self {
            holder_agrees: input.holder_agrees,
            url: input.url,
            report_on: input.report_on,
            holders: input.holders,
            sale_forbidden: input.sale_forbidden,
            mileages: input.mileages.into_iter().map(|m| Mileage { on: m.on, km: m.km }).collect(),
        }
    }
}

/// A HistoVec report, kept with its holder's consent for a month longer than the car is for sale.
pub struct HistovecReport(pub Report);

/// A HistoVec report, kept with its holder's consent for a month longer than the car is for sale.
#[Object]
impl HistovecReport {
    /// Day of the report. The certificate of administrative status that goes with it may be 15 days old at the sale.
    async fn report_on(&self) -> NaiveDate {
        self.0.report_on
    }

    /// Its sharing link, to be given to buyers.
    async fn url(&self, ctx: &Context<'_>) -> GqlResult<Option<String>> {
        Ok(histovec::link(ctx.app(), &self.0)?)
    }

    /// Holders so far.
    async fn holders(&self) -> Option<i32> {
        self.0.holders
    }

    /// Whether something forbids the sale: theft, pledge, opposition.
    async fn sale_forbidden(&self) -> bool {
        self.0.sale_forbidden
    }

    /// Odometer readings, oldest first.
    async fn mileages(&self) -> Vec<HistovecMileage> {
        self.0.mileages().into_iter().map(|m| HistovecMileage { on: m.on, km: m.km }).collect()
    }

    /// When somebody of your organization said that the holder agrees.
    async fn consent_at(&self) -> DateTime<Utc> {
        self.0.consent_at
    }

    /// Who said so.
    async fn consent_by(&self) -> Uuid {
        self.0.consent_by
    }
}

#[derive(Default)]
pub struct PapersMutation;

#[Object]
impl PapersMutation {
    /// Reads the registration certificate of a car from a photo of it: number, first registration, make, model,
    /// identification number, power, energy, fiscal power, seats, CO2. What is read surely is a fact with the source
    /// `CERTIFICATE`; the photo is deleted at once. Follow it with `Vehicle.certificate`.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn read_certificate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The car.")] vehicle_id: Uuid,
        #[graphql(desc = "A photo of the certificate: JPEG, PNG or WebP, at most 25 MiB.")] file: Upload,
    ) -> GqlResult<VehicleObject> {
        let bytes = table::uploaded(ctx, &file, MOST_MIB)?;
        Ok(Box::pin(certificate::start(ctx.app(), &ctx.actor()?, vehicle_id, bytes)).await?.into())
    }

    /// Keeps what a HistoVec report says of a car, in place of one kept before. `publishability` then finds a mileage
    /// below one read earlier, and a car that may not be sold. `CONSENT_REQUIRED`, `HISTOVEC_URL_INVALID`.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn record_histovec(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The car.")] vehicle_id: Uuid,
        #[graphql(desc = "What the report says.")] input: HistovecInput,
    ) -> GqlResult<VehicleObject> {
        Ok(Box::pin(histovec::record(ctx.app(), &ctx.actor()?, vehicle_id, input.into())).await?.into())
    }

    /// Forgets the HistoVec report of a car: its holder agrees no longer. Answers whether there was one.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn forget_histovec(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The car.")] vehicle_id: Uuid,
    ) -> GqlResult<bool> {
        Ok(Box::pin(histovec::forget(ctx.app(), &ctx.actor()?, vehicle_id)).await?)
    }
}
