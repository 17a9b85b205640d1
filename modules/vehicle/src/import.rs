//! Brings a stock from a table: all of it or nothing, and back again.

use std::collections::{HashMap, HashSet};

use async_graphql::MaybeUndefined;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keroxio_core::table::{LineError, Row, Table, day, number, unaccented};
use keroxio_core::{Actor, App, Error, Page, Result, Right, Tx};
use keroxio_plate_grammar::{Plate, normalize_foreign};
use uuid::Uuid;

use crate::error;
use crate::input::{CritAir, FuelType, GearboxType, VehicleInput};
use crate::model::{self, Vehicle};
use crate::service;
use crate::statements::{self, Speaker};
use crate::tables::vehicle_imports::{self, dsl};

/// Lines of one table.
pub const MOST_ROWS: usize = 5_000;
/// Cars written by one statement: a statement has at most 65,535 values.
const AT_ONCE: usize = 1_000;

/// Columns by the name of the fact, and what else garages and their software call them.
const COLUMNS: [(&str, &[&str]); 20] = [
    ("stock_number", &["reference", "ref", "numero_de_stock", "numero_stock", "no_stock", "n_stock", "id_vehicule"]),
    ("plate", &["immatriculation", "plaque", "immat"]),
    ("make", &["marque", "brand"]),
    ("model", &["modele"]),
    ("version", &["finition", "libelle_version"]),
    ("first_registration", &["mise_en_circulation", "premiere_mise_en_circulation", "date_mec", "mec"]),
    ("mileage_km", &["kilometrage", "km", "mileage"]),
    ("fuel", &["energie", "carburant"]),
    ("gearbox", &["boite_de_vitesses", "boite", "transmission"]),
    ("power_hp", &["puissance_din", "puissance_ch", "puissance", "ch"]),
    ("fiscal_hp", &["puissance_fiscale", "cv_fiscaux", "cv"]),
    ("doors", &["portes", "nombre_de_portes", "nb_portes"]),
    ("seats", &["places", "nombre_de_places", "nb_places"]),
    ("colour", &["couleur", "color"]),
    ("crit_air", &["critair", "vignette_crit_air"]),
    ("technical_inspection_on", &["controle_technique", "date_controle_technique", "date_ct"]),
    ("vin", &["numero_de_serie", "numero_d_identification", "chassis", "n_serie"]),
    ("co2", &["emissions_co2", "emission_co2", "co2_g_km"]),
    ("asking_price", &["prix", "prix_ttc", "prix_de_vente", "prix_de_vente_ttc", "price"]),
    ("entered_on", &["entree_en_stock", "date_d_entree", "date_entree", "entree"]),
];

/// It is no fact of its own, but says how the plate is meant.
const FOREIGN: (&str, &[&str]) = ("foreign_plate", &["plaque_etrangere", "immatriculation_etrangere"]);

/// How a table is taken.
#[derive(Debug, Clone, Copy)]
pub struct How {
    /// Nothing is saved.
    pub dry_run: bool,
    /// Wrong lines are left out and the others saved; otherwise one wrong line stops all.
    pub skip_errors: bool,
}

/// What became of a table of cars; of a dry run, what would.
pub struct Report {
    pub id: Option<Uuid>,
    pub lines: usize,
    pub created: usize,
    pub updated: usize,
    pub unchanged: usize,
    pub errors: Vec<LineError>,
}

/// A table that was imported.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = vehicle_imports)]
pub struct Import {
    pub id: Uuid,
    pub org_id: Uuid,
    pub created: i32,
    pub updated: i32,
    pub imported_at: DateTime<Utc>,
    pub imported_by: Uuid,
    pub undone_at: Option<DateTime<Utc>>,
}

/// A car of the table: as it is to be, and the facts its line speaks of.
struct Line {
    number: u64,
    car: Vehicle,
    given: Vec<&'static str>,
}

/// Takes the cars of a table into the stock. A car whose number is in the stock is corrected, or else one whose plate is, unless
/// the two have numbers that differ; every other one is new.
///
/// # Errors
/// `COLUMNS_MISSING` and `BAD_INPUT` as [`Table::read`]. Wrong lines are no error but in the report.
pub async fn import(app: &App, actor: &Actor, bytes: Vec<u8>, how: How) -> Result<Report> {
    actor.may(Right::Stock)?;
    let table = tokio::task::spawn_blocking(move || read(&bytes)).await.map_err(Error::internal)??;
    let mut tx = app.begin().await?;
    let known = Known::of(&mut tx, actor.org_id, &table).await?;
    let mut errors = Vec::new();
    let mut seen = HashSet::new();
    let (mut fresh, mut changed, mut unchanged, mut lines) = (Vec::new(), Vec::new(), 0, 0);
    for row in table.rows() {
        lines += 1;
        let before = known.car(&row);
        let base = before.cloned().unwrap_or_else(|| Vehicle::empty(actor.org_id, app.now()));
        let line = match line(&row, base, app.now()).and_then(|line| once(line, &mut seen)) {
            Ok(line) => line,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        match before {
            None => fresh.push(line),
            Some(before) => {
                // What a line says as it is known settles nothing.
                let differs = |field: &&'static str| before.value(field) != line.car.value(field);
                let given: Vec<&'static str> = line.given.iter().copied().filter(differs).collect();
                if given.is_empty() {
                    unchanged += 1;
                } else {
                    changed.push((before.clone(), Line { given, ..line }));
                }
            }
        }
    }
    let report = Report { id: None, lines, created: fresh.len(), updated: changed.len(), unchanged, errors };
    let stopped = how.dry_run || !how.skip_errors && !report.errors.is_empty();
    if stopped || fresh.is_empty() && changed.is_empty() {
        return Ok(report);
    }
    let id = save(&mut tx, actor, fresh, changed).await?;
    tx.commit().await?;
    Ok(Report { id: Some(id), ..report })
}

fn read(bytes: &[u8]) -> Result<Table> {
    let mut table = Table::read(bytes, MOST_ROWS)?;
    table.rename(&COLUMNS);
    table.rename(&[FOREIGN]);
    table.require(&["make", "model"])?;
    Ok(table)
}

/// Cars of the stock that the table may speak of.
struct Known {
    cars: Vec<Vehicle>,
    by_number: HashMap<String, usize>,
    by_plate: HashMap<String, usize>,
}

impl Known {
    async fn of(tx: &mut Tx, org: Uuid, table: &Table) -> Result<Self> {
        let numbers: Vec<String> = table.rows().filter_map(|row| stock_number(&row)).collect();
        let plates: Vec<String> = table.rows().filter_map(|row| plate(&row)).collect();
        let cars = model::lock_known(tx, org, &numbers, &plates).await?;
        let index = |key: fn(&Vehicle) -> Option<&String>| {
            cars.iter().enumerate().filter_map(|(at, car)| Some((key(car)?.clone(), at))).collect()
        };
        let by_number = index(|car| car.stock_number.as_ref());
        // One that was sold is another car's history: the same plate may come back.
        let by_plate = index(|car| car.plate.as_ref().filter(|_| !car.stock_state().is_gone()));
        Ok(Self { cars, by_number, by_plate })
    }

    fn car(&self, row: &Row<'_>) -> Option<&Vehicle> {
        let number = stock_number(row);
        if let Some(at) = number.as_ref().and_then(|number| self.by_number.get(number)) {
            return self.cars.get(*at);
        }
        let car = plate(row).and_then(|plate| self.by_plate.get(&plate)).and_then(|at| self.cars.get(*at));
        // The same plate under another number is another entry of the stock.
        car.filter(|car| number.is_none() || car.stock_number.is_none())
    }
}

/// As it is stored.
fn stock_number(row: &Row<'_>) -> Option<String> {
    let words = unguarded(row.get("stock_number")?).split_whitespace().collect::<Vec<_>>().join(" ");
    (!words.is_empty()).then_some(words)
}

fn plate(row: &Row<'_>) -> Option<String> {
    let text = row.get("plate")?;
    if is_foreign(row) {
        return normalize_foreign(text).ok();
    }
    Some(Plate::parse(text).ok()?.normalized().to_owned())
}

/// Whether the line says that its plate is of another country.
fn is_foreign(row: &Row<'_>) -> bool {
    row.get(FOREIGN.0).is_some_and(|text| ["oui", "o", "yes", "y", "1", "true", "x"].contains(&unaccented(text).trim()))
}

/// The same car on two lines is a slip.
fn once(line: Line, seen: &mut HashSet<String>) -> Result<Line, LineError> {
    let (column, key) = match (&line.car.stock_number, &line.car.plate) {
        (Some(number), _) => ("stock_number", format!("number {number}")),
        (None, Some(plate)) => ("plate", format!("plate {plate}")),
        (None, None) => return Ok(line),
    };
    // Two lines with other numbers may still have found the same car.
    if seen.insert(key) && seen.insert(line.car.id.to_string()) {
        return Ok(line);
    }
    Err(LineError::new(
        line.number,
        column,
        "cette voiture est déjà sur une autre ligne",
        "this car is on another line already",
    ))
}

/// One line, each fact checked as if the seller had typed it.
fn line(row: &Row<'_>, mut car: Vehicle, now: DateTime<Utc>) -> Result<Line, LineError> {
    let mut given = Vec::new();
    for (column, _) in COLUMNS {
        let Some(text) = row.get(column) else { continue };
        let wrong = |fr: &str, en: &str| LineError::new(row.line, column, fr, en);
        let mut input = fact(column, text).ok_or_else(|| {
            wrong(&format!("« {} » n'est pas compris", short(text)), &format!("“{}” is not understood", short(text)))
        })?;
        input.foreign_plate = is_foreign(row);
        let fields = input.apply(&mut car, now).map_err(|e| wrong(e.message_fr(), e.message_en()))?;
        given.extend(fields);
    }
    for (column, missing) in [("make", car.make.is_none()), ("model", car.model.is_none())] {
        if missing {
            return Err(LineError::new(row.line, column, "valeur absente", "value missing"));
        }
    }
    Ok(Line { number: row.line, car, given })
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// What a cell says, or none where it cannot be understood.
fn fact(column: &str, text: &str) -> Option<VehicleInput> {
    let mut input = VehicleInput::default();
    let words = || MaybeUndefined::Value(unguarded(text).to_owned());
    let count = || whole(text).map(MaybeUndefined::Value);
    match column {
        "stock_number" => input.stock_number = words(),
        "plate" => input.plate = words(),
        "make" => input.make = words(),
        "model" => input.model = words(),
        "version" => input.version = words(),
        "colour" => input.colour = words(),
        "vin" => input.vin = words(),
        "co2" => input.co2 = count()?,
        "first_registration" => input.first_registration = MaybeUndefined::Value(month(text)?),
        "mileage_km" => input.mileage_km = count()?,
        "power_hp" => input.power_hp = count()?,
        "fiscal_hp" => input.fiscal_hp = count()?,
        "doors" => input.doors = count()?,
        "seats" => input.seats = count()?,
        "asking_price" => input.asking_price = count()?,
        "fuel" => input.fuel = MaybeUndefined::Value(fuel(text)?),
        "gearbox" => input.gearbox = MaybeUndefined::Value(gearbox(text)?),
        "crit_air" => input.crit_air = MaybeUndefined::Value(crit_air(text)?),
        "technical_inspection_on" => input.technical_inspection_on = MaybeUndefined::Value(day(text)?),
        "entered_on" => input.entered_on = MaybeUndefined::Value(day(text)?),
        _ => return None,
    }
    Some(input)
}

/// Without the mark that keeps a spreadsheet from taking a text for a formula (see `export`).
fn unguarded(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@']) => rest,
        _ => text,
    }
}

fn whole(text: &str) -> Option<i32> {
    number(text).filter(|number| number.abs() < 1e9).map(|number| number.round() as i32)
}

/// `2020-03`, `03/2020`, or a whole day. A year alone does not say the month, which an ad needs.
fn month(text: &str) -> Option<String> {
    let month = |year: &str, month: &str| {
        let both = year.len() == 4 && (1..=2).contains(&month.len());
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        (both && digits(year) && digits(month)).then(|| format!("{year}-{month:0>2}"))
    };
    if let Some(day) = day(text) {
        return Some(day.format("%Y-%m").to_string());
    }
    let (first, second) = text.split_once(['-', '/', '.'])?;
    month(first, second).or_else(|| month(second, first))
}

fn fuel(text: &str) -> Option<FuelType> {
    let words = unaccented(text);
    let has = |part: &str| words.contains(part);
    Some(match words.as_str() {
        _ if has("rechargeable") || has("plug") || words == "phev" => FuelType::PluginHybrid,
        _ if has("hybrid") || words == "hev" || words == "mhev" => FuelType::Hybrid,
        _ if has("electri") || words == "el" || words == "ev" => FuelType::Electric,
        _ if has("ethanol") || has("e85") => FuelType::Ethanol,
        _ if has("gpl") || has("lpg") => FuelType::Lpg,
        _ if has("gnv") || has("cng") => FuelType::Cng,
        "essence" | "petrol" | "gasoline" | "es" | "sp95" | "sp98" => FuelType::Petrol,
        "diesel" | "gazole" | "go" | "gasoil" => FuelType::Diesel,
        "other" | "autre" => FuelType::Other,
        _ => return None,
    })
}

fn gearbox(text: &str) -> Option<GearboxType> {
    let words = unaccented(text);
    let starts = |with: &[&str]| with.iter().any(|start| words.starts_with(start));
    match () {
        () if starts(&["man", "bvm", "meca"]) || words == "m" => Some(GearboxType::Manual),
        () if starts(&["auto", "bva", "robot", "dsg", "edc", "cvt"]) || words == "a" => Some(GearboxType::Automatic),
        () => None,
    }
}

fn crit_air(text: &str) -> Option<CritAir> {
    let words = unaccented(text);
    let class = words.trim_start_matches("crit'air").trim_start_matches("class_").trim();
    match class {
        "electrique" | "0" => Some(CritAir::E),
        "non classee" | "unclassed" => Some(CritAir::Unclassed),
        class => CritAir::stored(class),
    }
}

async fn save(tx: &mut Tx, actor: &Actor, fresh: Vec<Line>, changed: Vec<(Vehicle, Line)>) -> Result<Uuid> {
    let now = tx.app().now();
    let row = Import {
        id: Uuid::now_v7(),
        org_id: actor.org_id,
        created: i32::try_from(fresh.len()).map_err(Error::internal)?,
        updated: i32::try_from(changed.len()).map_err(Error::internal)?,
        imported_at: now,
        imported_by: actor.user_id,
        undone_at: None,
    };
    diesel::insert_into(vehicle_imports::table).values(&row).execute(&mut **tx).await?;
    let by = Speaker::seller(actor.user_id);
    let mut cars = Vec::with_capacity(fresh.len());
    let mut said = Vec::new();
    for mut line in fresh {
        line.car.import_id = Some(row.id);
        said.extend(statements::begin(&mut line.car, by, &line.given));
        cars.push(line.car);
    }
    for batch in cars.chunks(AT_ONCE) {
        model::insert_all(tx, batch).await.map_err(service::taken)?;
    }
    statements::insert(tx, &said).await?;
    for (mut car, line) in changed {
        let number = car.plate.clone();
        statements::add(tx, &mut car, &line.car, statements::Change { id: row.id, by, at: now }, &line.given).await?;
        service::keep(tx, &mut car, number).await?;
        service::announce(tx, &car).await?;
    }
    Ok(row.id)
}

/// What an undo came to.
pub struct Undone {
    pub removed: usize,
    pub restored: usize,
    /// New cars that were worked on since and stay.
    pub kept: usize,
}

/// Takes an import back: new cars that nobody touched go, corrected ones are again what they were.
///
/// # Errors
/// `NOT_FOUND`; `IMPORT_UNDONE` for the second time.
pub async fn undo(app: &App, actor: &Actor, id: Uuid) -> Result<Undone> {
    actor.may(Right::Stock)?;
    let mut tx = app.begin().await?;
    let mine = dsl::vehicle_imports.filter(dsl::org_id.eq(actor.org_id).and(dsl::id.eq(id)));
    let import = mine.select(Import::as_select()).for_update().first(&mut *tx).await.optional()?;
    let import = import.ok_or_else(|| Error::not_found("Import", "Import"))?;
    if import.undone_at.is_some() {
        return Err(error::import_undone());
    }
    let now = app.now();
    diesel::update(dsl::vehicle_imports.find(id)).set(dsl::undone_at.eq(now)).execute(&mut *tx).await?;
    let changed = statements::changed_by(&mut tx, id).await?;
    // In the order in which an import locks them: two that meet wait for one another in one direction only.
    model::lock_imported(&mut tx, id, &changed).await?;
    let removed = model::delete_imported(&mut tx, id).await?;
    for vehicle in &changed {
        let mut car = service::locked(&mut tx, actor.org_id, *vehicle).await?;
        let number = car.plate.clone();
        statements::retract(&mut tx, &mut car, id, now).await?;
        service::keep(&mut tx, &mut car, number).await?;
        service::announce(&mut tx, &car).await?;
    }
    tx.commit().await?;
    let created = usize::try_from(import.created).unwrap_or(0);
    Ok(Undone { removed, restored: changed.len(), kept: created.saturating_sub(removed) })
}

/// Imports of an organization, latest first.
pub async fn list(app: &App, org: Uuid, page: Page) -> Result<Vec<Import>> {
    let mut query =
        dsl::vehicle_imports.filter(dsl::org_id.eq(org)).select(Import::as_select()).order(dsl::id.desc()).into_boxed();
    if let Some(after) = page.after {
        query = query.filter(dsl::id.lt(after));
    }
    Ok(query.limit(page.limit + 1).load(&mut *app.conn().await?).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_understood_as_garages_write_them() {
        for (text, number) in [
            ("45 000 km", 45_000),
            ("12\u{202f}990,50 €", 12_991),
            ("90ch", 90),
            ("7", 7),
            ("1.0", 1),
            ("12.990 €", 12_990),
            ("45.000 km", 45_000),
            ("1,234,567", 1_234_567),
        ] {
            assert_eq!(whole(text), Some(number), "{text}");
        }
        for text in ["", "douze", "1e12", "NaN", "inf", "12-3"] {
            assert_eq!(whole(text), None, "{text}");
        }
        for text in ["2020-03", "03/2020", "3/2020", "2020-03-14", "14/03/2020", "14.03.2020"] {
            assert_eq!(month(text).as_deref(), Some("2020-03"), "{text}");
        }
        for text in ["2020", "mars 2020", "03/20", "-", "2020-", "14/03/20", "14-03-20"] {
            assert_eq!(month(text), None, "{text}");
        }
    }

    #[test]
    fn a_workbook_whose_last_cell_is_far_away_is_refused_at_once() {
        let refused = |row: u32, column: u16, text: &str| {
            let mut book = rust_xlsxwriter::Workbook::new();
            let sheet = book.add_worksheet();
            for (at, name) in ["marque", "modele"].into_iter().enumerate() {
                sheet.write_string(0, at as u16, name).ok();
            }
            sheet.write_string(row, column, text).ok();
            read(&book.save_to_buffer().unwrap_or_default()).err().map(|e| e.code())
        };
        assert_eq!(refused(1_048_575, 1, "Clio"), None, "one row, wherever it is");
        assert_eq!(refused(1, 16_383, "Clio"), Some(keroxio_core::ErrorCode::BAD_INPUT));
        assert_eq!(refused(1, 1, &"x".repeat(9_000)), Some(keroxio_core::ErrorCode::BAD_INPUT));
    }

    #[test]
    fn energies_and_gearboxes_have_many_names() {
        let fuels = [
            ("Essence", FuelType::Petrol),
            ("GAZOLE", FuelType::Diesel),
            ("Hybride essence", FuelType::Hybrid),
            ("Hybride rechargeable", FuelType::PluginHybrid),
            ("PLUGIN_HYBRID", FuelType::PluginHybrid),
            ("Électrique", FuelType::Electric),
            ("Bioéthanol (E85)", FuelType::Ethanol),
        ];
        for (text, known) in fuels {
            assert_eq!(fuel(text), Some(known), "{text}");
        }
        assert_eq!(fuel("charbon"), None);
        assert_eq!((gearbox("Mécanique"), gearbox("BVA6")), (Some(GearboxType::Manual), Some(GearboxType::Automatic)));
        assert_eq!(gearbox("six"), None);
        for (text, known) in [("2", CritAir::Class2), ("Crit'Air 1", CritAir::Class1), ("E", CritAir::E)] {
            assert_eq!(crit_air(text), Some(known), "{text}");
        }
        assert_eq!(crit_air("9"), None);
    }
}
