//! The stock as a table, in the columns that `import` reads.

use chrono::NaiveDate;
use keroxio_core::table::guarded;
use keroxio_core::{App, Error, Result};
use keroxio_plate_grammar::Plate;
use rust_xlsxwriter::{Format, Workbook};
use uuid::Uuid;

use crate::model::{self, StockFilter, Vehicle};

/// Cars of one file.
const MOST: i64 = 50_000;

const COLUMNS: [&str; 23] = [
    "reference",
    "immatriculation",
    "plaque_etrangere",
    "marque",
    "modele",
    "version",
    "mise_en_circulation",
    "kilometrage",
    "energie",
    "boite_de_vitesses",
    "puissance_din",
    "puissance_fiscale",
    "portes",
    "places",
    "couleur",
    "crit_air",
    "controle_technique",
    "numero_de_serie",
    "co2",
    "prix_ttc",
    "entree_en_stock",
    "etat",
    "jours_en_stock",
];

/// What a file is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
pub enum StockFormat {
    /// CSV in UTF-8 with a byte order mark, semicolons between columns, as spreadsheets in France open it.
    Csv,
    /// A workbook.
    Xlsx,
}

/// A file of the stock.
pub struct StockFile {
    /// Private address, good for an hour.
    pub url: String,
    pub cars: usize,
}

/// Writes the cars of a filter to a private file.
///
/// # Errors
/// `BAD_INPUT` where they are too many for one file.
pub async fn export(app: &App, org: Uuid, filter: &StockFilter, format: StockFormat) -> Result<StockFile> {
    let cars = {
        let mut conn = app.conn().await?;
        model::all(&mut conn, org, filter, MOST + 1).await?
    };
    if cars.len() as i64 > MOST {
        return Err(Error::bad_input(
            format!("Plus de {MOST} voitures : filtrez par état ou par recherche."),
            format!("More than {MOST} cars: filter by state or search."),
        ));
    }
    let (count, today) = (cars.len(), app.now().date_naive());
    let write = move || match format {
        StockFormat::Csv => csv(&cars, today),
        StockFormat::Xlsx => workbook(&cars, today),
    };
    let bytes = tokio::task::spawn_blocking(write).await.map_err(Error::internal)??;
    let media_type = match format {
        StockFormat::Csv => "text/csv; charset=utf-8",
        StockFormat::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    };
    let object = keroxio_storage::service::put_once(app, org, bytes, media_type).await?;
    Ok(StockFile { url: keroxio_storage::service::signed_url(app, &object)?, cars: count })
}

/// A cell: numbers stay numbers, so that a workbook can add them up.
enum Cell {
    Text(String),
    Number(f64),
}

impl Cell {
    fn text(text: Option<&str>) -> Self {
        Self::Text(text.unwrap_or_default().to_owned())
    }

    fn number(number: Option<i32>) -> Self {
        number.map_or_else(|| Self::text(None), |number| Self::Number(number.into()))
    }

    fn day(day: Option<NaiveDate>) -> Self {
        Self::Text(day.map(|day| day.format("%Y-%m-%d").to_string()).unwrap_or_default())
    }

    /// As a spreadsheet may read it without taking it for a formula.
    fn written(self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => guarded(text),
        }
    }
}

fn row(car: &Vehicle, today: NaiveDate) -> [Cell; COLUMNS.len()] {
    let shown = |field| Cell::Text(crate::fields::shown(field, &car.value(field)).unwrap_or_default());
    let days = i32::try_from(car.days_in_stock(today)).ok();
    [
        Cell::text(car.stock_number.as_deref()),
        shown("plate"),
        Cell::text(car.plate.as_deref().filter(|plate| Plate::parse(plate).is_err()).map(|_| "oui")),
        Cell::text(car.make.as_deref()),
        Cell::text(car.model.as_deref()),
        Cell::text(car.version.as_deref()),
        Cell::text(car.first_registration().as_deref()),
        Cell::number(car.mileage_km),
        Cell::text(car.fuel_label()),
        Cell::text(car.gearbox_label()),
        Cell::number(car.power_hp),
        Cell::number(car.fiscal_hp),
        Cell::number(car.doors),
        Cell::number(car.seats),
        Cell::text(car.colour.as_deref()),
        shown("critAir"),
        Cell::day(car.inspected_on),
        Cell::text(car.vin.as_deref()),
        Cell::number(car.co2),
        Cell::number(car.asking_price_eur),
        Cell::day(car.entered_on),
        Cell::text(Some(car.stock_state().french())),
        Cell::number(days),
    ]
}

fn csv(cars: &[Vehicle], today: NaiveDate) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer("\u{feff}".as_bytes().to_vec());
    writer.write_record(COLUMNS).map_err(Error::internal)?;
    for car in cars {
        writer.write_record(row(car, today).map(Cell::written)).map_err(Error::internal)?;
    }
    writer.into_inner().map_err(|e| Error::internal(e.into_error()))
}

fn workbook(cars: &[Vehicle], today: NaiveDate) -> Result<Vec<u8>> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("Stock").map_err(Error::internal)?;
    sheet.set_freeze_panes(1, 0).map_err(Error::internal)?;
    let bold = Format::new().set_bold();
    for (name, column) in COLUMNS.iter().zip(0..) {
        sheet.write_string_with_format(0, column, *name, &bold).map_err(Error::internal)?;
    }
    for (car, line) in cars.iter().zip(1..) {
        for (cell, column) in row(car, today).into_iter().zip(0..) {
            match cell {
                Cell::Number(number) => sheet.write_number(line, column, number),
                // Written as a text, it is none of a formula.
                Cell::Text(text) => sheet.write_string(line, column, text),
            }
            .map_err(Error::internal)?;
        }
    }
    book.save_to_buffer().map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_taken_for_a_formula() {
        for text in ["=HYPERLINK(\"https://evil.example\")", "+33", "-2", "@SUM(A1)"] {
            assert_eq!(Cell::text(Some(text)).written(), format!("'{text}"));
        }
        assert_eq!(Cell::text(Some("Clio")).written(), "Clio");
        assert_eq!(Cell::number(Some(-2)).written(), "-2");
    }
}
