use async_graphql::{Context, Object, SimpleObject, Upload};
use chrono::NaiveDate;
use keroxio_core::table::{self, LineError};
use keroxio_core::{Access, GqlResult, Money, RequestContext as _, access};
use uuid::Uuid;

use crate::level;
use crate::market::{self, ImportReport, Origin, Place};

/// Largest table, in MiB.
const MOST_MIB: u64 = 24;
/// Errors told of one table.
const MOST_ERRORS: usize = 100;

/// A line of a table that was not taken.
#[derive(SimpleObject)]
pub struct MarketAdError {
    /// Its line in the file; the header is line 1.
    line: u64,
    /// The column that is wrong.
    column: &'static str,
    /// What is wrong, in French.
    message: String,
    /// The same in English.
    message_en: String,
}

impl From<LineError> for MarketAdError {
    fn from(error: LineError) -> Self {
        Self { line: error.line, column: error.column, message: error.message_fr, message_en: error.message_en }
    }
}

/// What became of a table of ads; of a dry run, what would.
#[derive(SimpleObject)]
pub struct MarketImport {
    /// Lines of the table, without the header.
    lines: usize,
    /// Ads taken: the latest of each car.
    accepted: usize,
    /// Ads taken that replace what the same source told of the same car before.
    replaced: usize,
    /// Lines refused.
    refused: usize,
    /// The first hundred of them.
    errors: Vec<MarketAdError>,
    /// Median of asking price over estimate, minus one, in percent: far from 0, these are not the market that
    /// estimates are for.
    median_difference_percent: Option<f64>,
    /// Whether nothing was saved.
    dry_run: bool,
}

impl MarketImport {
    fn of(report: ImportReport, dry_run: bool) -> Self {
        Self {
            lines: report.lines,
            accepted: report.accepted,
            replaced: report.known,
            refused: report.errors.len(),
            errors: report.errors.into_iter().take(MOST_ERRORS).map(MarketAdError::from).collect(),
            median_difference_percent: report.median_difference.map(|difference| difference * 100.0),
            dry_run,
        }
    }
}

/// How far the operator's ads of a month are from the price model.
#[derive(SimpleObject)]
pub struct PriceDrift {
    /// First day of the month.
    month: NaiveDate,
    /// Energy, as in the ads: `petrol`, `diesel`, ...; `unknown` where they do not tell.
    fuel: String,
    /// Ads of that month.
    ads: i32,
    /// Median of asking price over estimate, minus one, in percent.
    median_difference_percent: f64,
}

/// A sale that was recorded.
#[derive(SimpleObject)]
pub struct SaleRecord {
    /// What was paid.
    price: Money,
    /// Whether that lies in the interval estimated for the day; null where nothing could be estimated, and then the
    /// sale is not kept either.
    inside_interval: Option<bool>,
    /// The middle of that interval.
    estimated: Option<Money>,
}

#[derive(Default)]
pub struct MarketQuery;

#[Object]
impl MarketQuery {
    /// How far the market is from the price model, month by month for a year, latest first. For staff.
    #[graphql(guard = "Access::Staff", directive = access::apply(Access::Staff))]
    async fn price_drift(&self, ctx: &Context<'_>) -> GqlResult<Vec<PriceDrift>> {
        let months = Box::pin(market::drift(ctx.app())).await?;
        let drift = |month: level::Month| PriceDrift {
            month: month.month,
            fuel: month.fuel,
            ads: month.ads,
            median_difference_percent: month.median_residual.exp_m1() * 100.0,
        };
        Ok(months.into_iter().map(drift).collect())
    }
}

#[derive(Default)]
pub struct MarketMutation;

#[Object]
impl MarketMutation {
    /// Brings a table of the operator's advertisements into the market that every estimate is compared with. For
    /// staff.
    ///
    /// XLSX (first sheet) or CSV with a header. Needed: `ad_date`, `brand`, `model`, `year`, `mileage_km`,
    /// `fuel`, `price` (euros, all taxes). Also read: `ad_id`, `version`, `month`, `gearbox`, `power_hp`, `fiscal_hp`,
    /// `doors`, `seats`, `body`, `country`, `first_seen`, `gone_on`. `COLUMNS_MISSING` names what is not there,
    /// `PRICES_UNRELATED` refuses a table whose prices do not go with its cars.
    #[graphql(guard = "Access::Staff", directive = access::apply(Access::Staff))]
    async fn import_market_ads(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The table, at most 24 MiB and 200,000 lines.")] file: Upload,
        #[graphql(desc = "Name of the source, shown with every ad, 1 to 60 characters.")] source: String,
        #[graphql(desc = "Whether nothing is to be saved.", default)] dry_run: bool,
    ) -> GqlResult<MarketImport> {
        let source = source.trim();
        let bytes = table::uploaded(ctx, &file, MOST_MIB)?;
        let report = Box::pin(market::import(ctx.app(), &Origin { org: None, source }, bytes, dry_run)).await?;
        Ok(MarketImport::of(report, dry_run))
    }

    /// Remembers what a car of your organization was sold for. It is compared with in your estimates only and shown
    /// to nobody else.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn record_sale(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The car.")] vehicle_id: Uuid,
        #[graphql(desc = "What was paid, in whole euros, 300 to 1,000,000.")] price: i32,
        #[graphql(desc = "Day of the sale; today by default.")] sold_on: Option<NaiveDate>,
    ) -> GqlResult<SaleRecord> {
        let app = ctx.app();
        let day = sold_on.unwrap_or_else(|| app.now().date_naive());
        let sale = Box::pin(market::record_sale(app, ctx.actor()?.org_id, vehicle_id, price, day)).await?;
        Ok(SaleRecord {
            price: Money::euros(price),
            inside_interval: sale.as_ref().map(|sale| sale.place == Place::Inside),
            estimated: sale.map(|sale| Money::euros(sale.estimated.round().clamp(1.0, 1e7) as i32)),
        })
    }
}
