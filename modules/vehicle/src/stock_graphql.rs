use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::{Context, Object, SimpleObject, Upload};
use chrono::{DateTime, Utc};
use keroxio_core::table::{self, LineError};
use keroxio_core::{Access, GqlResult, Money, Page, RequestContext as _, access, connection};
use uuid::Uuid;

use crate::export::{self, StockFormat};
use crate::graphql::VehicleObject;
use crate::import::{self, Import, Report};
use crate::model::{StockFilter, SummaryRow};
use crate::stock::{self, Move, StockState};

/// Largest table, in MiB.
const MOST_MIB: u64 = 8;
/// Errors told of one table.
const MOST_ERRORS: usize = 100;

/// A car that went from one state to another.
#[derive(SimpleObject)]
pub struct StockMove {
    /// Where it was.
    from: StockState,
    /// Where it went.
    to: StockState,
    /// When.
    moved_at: DateTime<Utc>,
    /// The user who moved it; null where something that happened did, such as a sale.
    moved_by: Option<Uuid>,
}

impl From<Move> for StockMove {
    fn from(moved: Move) -> Self {
        Self {
            from: StockState::stored(&moved.from_state),
            to: StockState::stored(&moved.to_state),
            moved_at: moved.moved_at,
            moved_by: moved.moved_by,
        }
    }
}

/// Cars of one state.
#[derive(SimpleObject)]
pub struct StockSummary {
    /// The state.
    state: StockState,
    /// How many cars are in it.
    cars: i64,
    /// The sum of their asking prices, where they have one.
    asking: Option<Money>,
    /// Half of them have been in stock for longer, in days.
    median_days: f64,
}

/// A line of a table that was not taken.
#[derive(SimpleObject)]
pub struct StockLineError {
    /// Its line in the file; the header is line 1.
    line: u64,
    /// The column that is wrong, by its fact.
    column: &'static str,
    /// What is wrong, in French.
    message: String,
    /// The same in English.
    message_en: String,
}

impl From<LineError> for StockLineError {
    fn from(error: LineError) -> Self {
        Self { line: error.line, column: error.column, message: error.message_fr, message_en: error.message_en }
    }
}

/// What became of a table of cars; of a dry run, what would.
#[derive(SimpleObject)]
pub struct StockImport {
    /// Identifier, for `undoStockImport`; null where nothing was saved.
    id: Option<Uuid>,
    /// Lines of the table, without the header.
    lines: usize,
    /// New cars.
    created: usize,
    /// Cars of the stock that the table corrects.
    updated: usize,
    /// Cars of the stock of which it says nothing new.
    unchanged: usize,
    /// Lines refused.
    refused: usize,
    /// The first hundred of them.
    errors: Vec<StockLineError>,
}

impl From<Report> for StockImport {
    fn from(report: Report) -> Self {
        Self {
            id: report.id,
            lines: report.lines,
            created: report.created,
            updated: report.updated,
            unchanged: report.unchanged,
            refused: report.errors.len(),
            errors: report.errors.into_iter().take(MOST_ERRORS).map(StockLineError::from).collect(),
        }
    }
}

/// A table that was imported.
#[derive(SimpleObject)]
pub struct PastStockImport {
    /// Identifier.
    id: Uuid,
    /// Cars it brought.
    created: i32,
    /// Cars it corrected.
    updated: i32,
    /// When.
    imported_at: DateTime<Utc>,
    /// The user who brought it.
    imported_by: Uuid,
    /// When it was taken back.
    undone_at: Option<DateTime<Utc>>,
}

impl From<Import> for PastStockImport {
    fn from(import: Import) -> Self {
        Self {
            id: import.id,
            created: import.created,
            updated: import.updated,
            imported_at: import.imported_at,
            imported_by: import.imported_by,
            undone_at: import.undone_at,
        }
    }
}

/// What taking an import back came to.
#[derive(SimpleObject)]
pub struct StockImportUndone {
    /// New cars that went again.
    removed: usize,
    /// Corrected cars that are what they were.
    restored: usize,
    /// New cars that were worked on since and stay.
    kept: usize,
}

/// A file of the stock.
#[derive(SimpleObject)]
pub struct StockExport {
    /// Private address, good for an hour.
    url: String,
    /// Cars in it.
    cars: usize,
}

#[derive(Default)]
pub struct StockQuery;

#[Object]
impl StockQuery {
    /// The stock of your organization by state; states without a car are left out.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn stock_summary(&self, ctx: &Context<'_>) -> GqlResult<Vec<StockSummary>> {
        let rows = Box::pin(stock::summary(ctx.app(), ctx.actor()?.org_id)).await?;
        let summary = |row: SummaryRow| StockSummary {
            state: StockState::stored(&row.stock_state),
            cars: row.cars,
            asking: row.asking_eur.map(|total| Money::euros(i32::try_from(total).unwrap_or(i32::MAX))),
            median_days: row.median_days,
        };
        Ok(rows.into_iter().map(summary).collect())
    }

    /// Tables that your organization imported, latest first.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read), complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity")]
    async fn stock_imports(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Page size, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the last row already seen.")] after: Option<String>,
    ) -> GqlResult<Connection<String, PastStockImport, EmptyFields, EmptyFields>> {
        let page = Page::new(first, after.as_deref())?;
        let rows = Box::pin(import::list(ctx.app(), ctx.actor()?.org_id, page)).await?;
        Ok(connection(page, rows.into_iter().map(|import| (import.id, import.into())).collect()))
    }
}

#[derive(Default)]
pub struct StockMutation;

#[Object]
impl StockMutation {
    /// Moves a car through the stock. `STOCK_MOVE_REFUSED` says where it may go from where it is. Moving it to `SOLD`
    /// sells its listing too, moving it back to `READY` cancels the sale; `PUBLISHED` follows from publications.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn move_vehicle(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The car.")] id: Uuid,
        #[graphql(desc = "Where it goes.")] to: StockState,
    ) -> GqlResult<VehicleObject> {
        Ok(Box::pin(stock::move_to(ctx.app(), &ctx.actor()?, id, to)).await?.into())
    }

    /// Takes a table of cars into your stock: XLSX (first sheet) or CSV with a header, as your software exports it.
    ///
    /// Needed: `marque`, `modele`. Also read: `reference`, `immatriculation`, `version`, `mise_en_circulation` (month and
    /// year), `kilometrage`, `energie`, `boite_de_vitesses`, `puissance_din`, `puissance_fiscale`, `portes`, `places`,
    /// `couleur`, `crit_air`, `controle_technique`, `prix_ttc`, `entree_en_stock`, and the English names of the same. A
    /// car whose reference is in the stock is corrected, or else one whose plate is, unless the two have references that
    /// differ; every other one is new. An empty cell says nothing. As long as a line is wrong nothing is saved, unless you ask to leave such lines out.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn import_stock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The table, at most 8 MiB and 5,000 lines.")] file: Upload,
        #[graphql(desc = "Whether nothing is to be saved.", default)] dry_run: bool,
        #[graphql(desc = "Whether wrong lines are left out and the others saved.", default)] skip_errors: bool,
    ) -> GqlResult<StockImport> {
        let bytes = table::uploaded(ctx, &file, MOST_MIB)?;
        let how = import::How { dry_run, skip_errors };
        Ok(Box::pin(import::import(ctx.app(), &ctx.actor()?, bytes, how)).await?.into())
    }

    /// Takes an import back: new cars that nobody worked on since go, corrected ones are again what they were.
    /// `IMPORT_UNDONE` when that was done before.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn undo_stock_import(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The import.")] id: Uuid,
    ) -> GqlResult<StockImportUndone> {
        let undone = Box::pin(import::undo(ctx.app(), &ctx.actor()?, id)).await?;
        Ok(StockImportUndone { removed: undone.removed, restored: undone.restored, kept: undone.kept })
    }

    /// Writes your stock to a file that `importStock` reads again, newest car first.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn export_stock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it is written as.")] format: StockFormat,
        #[graphql(desc = "Only cars that `vehicles(search:)` finds.")] search: Option<String>,
        #[graphql(desc = "Only cars in these states; all by default.")] states: Option<Vec<StockState>>,
    ) -> GqlResult<StockExport> {
        let filter = StockFilter::new(search.as_deref(), states)?;
        let file = Box::pin(export::export(ctx.app(), ctx.actor()?.org_id, &filter, format)).await?;
        Ok(StockExport { url: file.url, cars: file.cars })
    }
}
