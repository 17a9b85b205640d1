//! Tables that people send: CSV as spreadsheets and other programs write it, or a workbook.

use std::collections::HashMap;
use std::io::{Cursor, Read as _};

use async_graphql::{Context, Upload};
use calamine::{Data, DataRef, Reader as _, Xlsx};
use chrono::{Datelike as _, NaiveDate};
use csv::StringRecord;
use serde_json::json;

use crate::{Error, ErrorCode, Result};

pub const COLUMNS_MISSING: ErrorCode = ErrorCode("COLUMNS_MISSING");
/// What a workbook may come to once unpacked, in bytes.
const MOST_UNPACKED: u64 = 200 << 20;
/// Columns of a workbook, and bytes of one of its cells.
const MOST_COLUMNS: usize = 200;
const LONGEST_CELL: usize = 8_000;

/// A line that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineError {
    /// Its line in the file; the header is line 1.
    pub line: u64,
    /// Name of the column.
    pub column: &'static str,
    pub message_fr: String,
    pub message_en: String,
}

impl LineError {
    pub fn new(line: u64, column: &'static str, fr: impl Into<String>, en: impl Into<String>) -> Self {
        Self { line, column, message_fr: fr.into(), message_en: en.into() }
    }
}

/// The rows of a table, and where each column is.
pub struct Table {
    columns: HashMap<String, usize>,
    rows: Vec<(u64, StringRecord)>,
}

/// One row.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    /// Its line in the file; the header is line 1.
    pub line: u64,
    columns: &'a HashMap<String, usize>,
    cells: &'a StringRecord,
}

impl<'a> Row<'a> {
    /// What a column holds, without the spaces around it; none where it holds nothing.
    pub fn get(&self, column: &str) -> Option<&'a str> {
        self.columns.get(column).and_then(|at| self.cells.get(*at)).map(str::trim).filter(|text| !text.is_empty())
    }
}

impl Table {
    /// Reads a workbook (the first sheet of an XLSX) or a CSV with a header: comma, semicolon or tabulator; UTF-8 with or
    /// without a byte order mark, UTF-16 with one, otherwise Windows-1252. Names of columns lose their capitals and
    /// accents, and what is no letter or digit becomes `_`: `Prix (€)` is `prix`.
    ///
    /// # Errors
    /// `BAD_INPUT` for what is no table, has no row, has two columns of a name or more than `most` rows.
    pub fn read(bytes: &[u8], most: usize) -> Result<Self> {
        let (header, rows) =
            if bytes.starts_with(b"PK\x03\x04") { workbook(bytes, most)? } else { sheet(bytes, most)? };
        let mut columns = HashMap::new();
        for (at, name) in header.iter().enumerate() {
            let name = plain(name);
            if !name.is_empty() && columns.insert(name.clone(), at).is_some() {
                return Err(twice(&name));
            }
        }
        Ok(Self { columns, rows })
    }

    /// Gives columns the name they are asked by, where they have one of their others; the first that is there counts.
    pub fn rename(&mut self, names: &[(&str, &[&str])]) {
        for (name, others) in names {
            if self.columns.contains_key(*name) {
                continue;
            }
            if let Some(at) = others.iter().find_map(|other| self.columns.get(*other)) {
                self.columns.insert((*name).to_owned(), *at);
            }
        }
    }

    /// # Errors
    /// `COLUMNS_MISSING` naming those that are not there.
    pub fn require(&self, columns: &[&str]) -> Result<()> {
        let missing: Vec<&str> = columns.iter().copied().filter(|name| !self.columns.contains_key(*name)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let names = missing.join(", ");
        Err(Error::new(
            COLUMNS_MISSING,
            format!("Colonnes absentes de la première ligne : {names}."),
            format!("Columns missing from the first line: {names}."),
        )
        .with_details(json!({ "missing": missing })))
    }

    /// Rows that hold something.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(line, cells)| Row { line: *line, columns: &self.columns, cells })
    }
}

type Rows = (StringRecord, Vec<(u64, StringRecord)>);

fn sheet(bytes: &[u8], most: usize) -> Result<Rows> {
    let text = text(bytes)?;
    let header = text.lines().next().unwrap_or_default();
    // The one that is there most often: a title may hold a comma.
    let count = |delimiter: &u8| header.bytes().filter(|byte| byte == delimiter).count();
    let delimiter = [b';', b',', b'\t'].into_iter().rev().max_by_key(count).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().map_err(no_table)?.clone();
    let mut rows = Vec::new();
    for cells in reader.records() {
        let cells = cells.map_err(no_table)?;
        let line = cells.position().map_or(0, csv::Position::line);
        push(&mut rows, line, cells, most)?;
    }
    Ok((header, rows))
}

fn push(rows: &mut Vec<(u64, StringRecord)>, line: u64, cells: StringRecord, most: usize) -> Result<()> {
    if cells.iter().all(|cell| cell.trim().is_empty()) {
        return Ok(());
    }
    if rows.len() == most {
        return Err(Error::bad_input(
            format!("Le fichier dépasse {most} lignes : découpez-le."),
            format!("The file has more than {most} lines: split it."),
        ));
    }
    rows.push((line, cells));
    Ok(())
}

/// The text of a file, by its byte order mark; without one as UTF-8, and where it is none, as Windows writes in France.
fn text(bytes: &[u8]) -> Result<String> {
    let (encoding, bytes) = match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, length)) => (encoding, bytes.get(length..).unwrap_or_default()),
        None if std::str::from_utf8(bytes).is_ok() => (encoding_rs::UTF_8, bytes),
        None => (encoding_rs::WINDOWS_1252, bytes),
    };
    let (text, broken) = encoding.decode_without_bom_handling(bytes);
    // No spreadsheet writes these into a table, and PostgreSQL keeps no NUL.
    if broken || text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(Error::bad_input(
            "Ce fichier n'est pas un tableau CSV ou XLSX, ou son codage n'est pas connu : enregistrez-le en CSV UTF-8.",
            "This file is no CSV or XLSX table, or its encoding is not known: save it as CSV UTF-8.",
        ));
    }
    // The reader counts lines by their last sign.
    Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
}

fn workbook(bytes: &[u8], most: usize) -> Result<Rows> {
    unpacks_within(bytes, MOST_UNPACKED)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|_| no_workbook())?;
    let sheet = book.sheet_names().first().cloned().ok_or_else(no_workbook)?;
    let mut cells = book.worksheet_cells_reader(&sheet).map_err(|_| no_workbook())?;
    let (mut rows, mut line, mut at) = (Vec::new(), Vec::<String>::new(), None);
    // Cell by cell: a sheet whose last cell is far away would be a grid of billions, and a text that many cells share
    // would be copied for each.
    while let Some(found) = cells.next_cell().map_err(|_| no_workbook())? {
        let (row, column) = found.get_position();
        if at.is_some_and(|at| at != row) {
            push(&mut rows, line_of(at), std::mem::take(&mut line).into(), most + 1)?;
        }
        at = Some(row);
        let column = usize::try_from(column).map_err(Error::internal)?;
        let text = cell(found.get_value());
        if column >= MOST_COLUMNS || text.len() > LONGEST_CELL {
            return Err(too_wide());
        }
        line.resize(line.len().max(column + 1), String::new());
        line[column] = text;
    }
    push(&mut rows, line_of(at), line.into(), most + 1)?;
    if rows.is_empty() {
        return Err(no_workbook());
    }
    let (_, header) = rows.remove(0);
    Ok((header, rows))
}

fn line_of(row: Option<u32>) -> u64 {
    u64::from(row.unwrap_or(0)) + 1
}

/// Unpacks everything to nowhere, so that a bomb is found before anybody holds it.
fn unpacks_within(bytes: &[u8], most: u64) -> Result<()> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| no_workbook())?;
    let mut left = most;
    for at in 0..archive.len() {
        let entry = archive.by_index(at).map_err(|_| no_workbook())?;
        let read = std::io::copy(&mut entry.take(left + 1), &mut std::io::sink()).map_err(|_| no_workbook())?;
        left = left.checked_sub(read).ok_or_else(|| {
            Error::bad_input(
                "Ce classeur est trop grand une fois décompressé : enregistrez-le en CSV ou découpez-le.",
                "This workbook is too large once unpacked: save it as CSV or split it.",
            )
        })?;
    }
    Ok(())
}

fn cell(data: &DataRef<'_>) -> String {
    match data {
        DataRef::Empty | DataRef::Error(_) => String::new(),
        DataRef::SharedString(text) => (*text).get(..LONGEST_CELL + 1).unwrap_or(text).replace('\0', ""),
        DataRef::DateTime(at) => at.as_datetime().map_or(String::new(), |at| at.format("%Y-%m-%d").to_string()),
        DataRef::DateTimeIso(text) => text.get(..10).unwrap_or(text).to_owned(),
        other => Data::from(other.clone()).to_string().replace('\0', ""),
    }
}

fn no_table(e: csv::Error) -> Error {
    let line = e.position().map_or(0, csv::Position::line);
    Error::bad_input(
        format!("Le fichier n'est pas un CSV lisible (ligne {line})."),
        format!("The file is no CSV that can be read (line {line})."),
    )
}

fn no_workbook() -> Error {
    Error::bad_input(
        "Ce classeur ne peut pas être lu : enregistrez-le en XLSX ou en CSV UTF-8.",
        "This workbook cannot be read: save it as XLSX or as CSV UTF-8.",
    )
}

fn too_wide() -> Error {
    Error::bad_input(
        format!(
            "Ce classeur a plus de {MOST_COLUMNS} colonnes, ou une cellule de plus de {LONGEST_CELL} octets : ne gardez que le tableau."
        ),
        format!(
            "This workbook has more than {MOST_COLUMNS} columns, or a cell of more than {LONGEST_CELL} bytes: keep the table only."
        ),
    )
}

fn twice(name: &str) -> Error {
    let name: String = name.chars().take(40).collect();
    Error::bad_input(
        format!("Deux colonnes s'appellent « {name} » : gardez-en une."),
        format!("Two columns are called “{name}”: keep one."),
    )
}

/// Small letters without accents, words joined by `_`.
fn plain(name: &str) -> String {
    let letters: String = unaccented(name).chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    letters.split_whitespace().collect::<Vec<_>>().join("_")
}

/// A table that somebody uploaded.
///
/// # Errors
/// `BAD_INPUT` for a file of more than so many MiB.
pub fn uploaded(ctx: &Context<'_>, file: &Upload, most_mib: u64) -> Result<Vec<u8>> {
    let most = most_mib << 20;
    let mut bytes = Vec::new();
    let content = file.value(ctx).map_err(Error::internal)?.content;
    content.take(most + 1).read_to_end(&mut bytes).map_err(Error::internal)?;
    if bytes.len() as u64 > most {
        return Err(Error::bad_input(
            format!("Le fichier dépasse {most_mib} Mio : découpez-le."),
            format!("The file is larger than {most_mib} MiB: split it."),
        ));
    }
    Ok(bytes)
}

/// A number as spreadsheets write it in France too: `12 990,50 €`, `45 000 km`, `12.990`.
pub fn number(text: &str) -> Option<f64> {
    let plain: String = unaccented(text).chars().filter(|c| !c.is_whitespace() && *c != '€').collect();
    let plain = ["km", "ch", "cv", "eur"].iter().find_map(|unit| plain.strip_suffix(unit)).unwrap_or(&plain);
    // Three digits after a separator are thousands: nobody writes a thousandth of a euro.
    let groups: Vec<&str> = plain.split(['.', ',']).collect();
    let thousands = groups.len() > 1 && groups.iter().skip(1).all(|group| group.len() == 3);
    let plain = if thousands { groups.concat() } else { plain.replace(',', ".") };
    plain.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A day as spreadsheets write it, with the whole year.
pub fn day(text: &str) -> Option<NaiveDate> {
    let day = |form: &&str| NaiveDate::parse_from_str(text, form).ok().filter(|day| day.year() >= 1900);
    ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y"].iter().find_map(day)
}

/// A cell as a spreadsheet may read it without taking it for a formula.
pub fn guarded(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}

/// A text in small letters without French accents, to be compared.
pub fn unaccented(text: &str) -> String {
    let plain = |c: char| match c {
        'à' | 'â' | 'ä' | 'á' | 'ã' => 'a',
        'ç' => 'c',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'î' | 'ï' | 'í' => 'i',
        'ñ' => 'n',
        'ô' | 'ö' | 'ó' | 'õ' => 'o',
        'ù' | 'û' | 'ü' | 'ú' => 'u',
        'ÿ' => 'y',
        c => c,
    };
    text.chars().flat_map(char::to_lowercase).map(plain).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn cells(bytes: &[u8]) -> Vec<(u64, Option<String>, Option<String>)> {
        let table = Table::read(bytes, 10).unwrap();
        let text = |row: &Row<'_>, name| row.get(name).map(str::to_owned);
        table.rows().map(|row| (row.line, text(&row, "modele"), text(&row, "prix"))).collect()
    }

    #[test]
    fn a_table_is_read_however_it_was_saved() {
        let wanted =
            vec![(2, Some("Mégane".to_owned()), Some("9 990,00 €".to_owned())), (4, None, Some("1".to_owned()))];
        let text = "Modèle;Prix (€)\r\nMégane;9 990,00 €\r\n;\r\n;1\r\n";
        let utf16: Vec<u8> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let windows = encoding_rs::WINDOWS_1252.encode(text).0.into_owned();
        let tabs = text.replace(';', "\t");
        for bytes in [text.as_bytes(), format!("\u{feff}{text}").as_bytes(), &utf16, &windows, tabs.as_bytes()] {
            assert_eq!(cells(bytes), wanted);
        }
        assert_eq!(cells(b"modele,prix\n\"Clio; IV\",\"1,5\"\n"), [(2, Some("Clio; IV".into()), Some("1,5".into()))]);
    }

    #[test]
    fn numbers_and_days_are_read_as_france_writes_them() {
        let read = [
            ("45 000 km", 45_000.0),
            ("12\u{202f}990,50 €", 12_990.5),
            ("90ch", 90.0),
            ("1.0", 1.0),
            ("12.990 €", 12_990.0),
            ("45.000 km", 45_000.0),
            ("1,234,567", 1_234_567.0),
        ];
        for (text, known) in read {
            assert_eq!(number(text), Some(known), "{text}");
        }
        for text in ["", "douze", "NaN", "inf", "12-3"] {
            assert_eq!(number(text), None, "{text}");
        }
        for text in ["2020-03-14", "14/03/2020", "14-03-2020", "14.03.2020"] {
            assert_eq!(day(text).map(|day| day.to_string()).as_deref(), Some("2020-03-14"), "{text}");
        }
        for text in ["14/03/20", "14-03-20", "2020", "-"] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_table_says_so() {
        let refused = |bytes: &[u8]| Table::read(bytes, 3).err().map(|e| e.code());
        for bytes in [&b"\x00\x01\x02"[..], b"PK\x03\x04 and nothing", b"a;a\n1;2\n", b"a\n1\n2\n3\n4\n"] {
            assert_eq!(refused(bytes), Some(ErrorCode::BAD_INPUT), "{bytes:?}");
        }
        let table = Table::read(b"brand\nRenault\n", 3).unwrap();
        assert_eq!(table.require(&["brand", "price"]).err().map(|e| e.code()), Some(COLUMNS_MISSING));
    }

    #[test]
    fn a_bomb_is_found_before_anybody_holds_it() {
        use std::io::Write as _;
        let mut bomb = zip::ZipWriter::new(Cursor::new(Vec::new()));
        bomb.start_file("xl/worksheets/sheet1.xml", zip::write::SimpleFileOptions::default()).unwrap();
        bomb.write_all(&vec![b' '; 4 << 20]).unwrap();
        let bytes = bomb.finish().unwrap().into_inner();
        assert!(bytes.len() < 10_000);
        assert!(unpacks_within(&bytes, 4 << 20).is_ok());
        assert_eq!(unpacks_within(&bytes, (4 << 20) - 1).err().map(|e| e.code()), Some(ErrorCode::BAD_INPUT));
    }
}
