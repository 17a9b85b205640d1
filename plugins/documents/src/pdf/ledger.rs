//! Layout of the police register: landscape table, one row an entry.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::Look;
use super::canvas::{Align, Canvas, Colour, GREY, INK, RULE, Style, TINT, WHITE};
use crate::DocumentError;
use crate::chain::{self, Broken, Hash, Sealed};
use crate::invoice::PaymentMeans;
use crate::register::{Event, Object, Party};
use crate::text::{euros, french_date, grouped, spaced};

/// A4 on its side, points.
const WIDTH: f32 = 841.89;
const HEIGHT: f32 = 595.28;
const MARGIN: f32 = 30.0;
const INNER: f32 = WIDTH - 2.0 * MARGIN;
const BOTTOM: f32 = HEIGHT - 40.0;
/// Space left and right of the text of a cell.
const PAD: f32 = 5.0;

const CELL: Style = Style::regular(7.2, INK);
const CELL_STRONG: Style = Style::bold(7.2, INK);
const CELL_SMALL: Style = Style::regular(6.2, GREY);

/// Title and width of each column; they add up to [`INNER`].
const COLUMNS: [(&str, f32); 7] = [
    ("N°", 32.0),
    ("Date, nature", 84.0),
    ("Véhicule", 182.0),
    ("Immatriculation, VIN", 112.0),
    ("Vendeur ou acquéreur", 178.0),
    ("Prix, règlement", 78.0),
    ("Empreinte SHA-256", INNER - 666.0),
];

/// The entries of one site and one period, ready to print.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterExtract {
    /// Company that keeps the register, and its SIRET.
    pub holder: String,
    pub holder_siret: String,
    /// Name and address of the site.
    pub site_name: String,
    pub site_address: String,
    /// First and last day of the period.
    pub from: NaiveDate,
    pub until: NaiveDate,
    /// Hash of the entry before the first one; [`chain::GENESIS`] when the register begins here.
    pub previous: Hash,
    /// Chronological number that the first entry must have.
    pub first_number: u64,
    pub entries: Vec<Sealed>,
}

impl RegisterExtract {
    /// # Errors
    /// Where the chain of the extract breaks; see [`chain::verify_from`].
    pub fn verify(&self) -> Result<(), Broken> {
        chain::verify_from(&self.entries, self.previous, self.first_number)
    }
}

struct Ledger<'a> {
    canvas: Canvas,
    extract: &'a RegisterExtract,
    accent: Colour,
    y: f32,
}

pub(super) fn draw(extract: &RegisterExtract, look: Look, made_at: DateTime<Utc>) -> Result<Canvas, DocumentError> {
    let mut ledger = Ledger { canvas: Canvas::new(WIDTH, HEIGHT)?, extract, accent: look.accent, y: 0.0 };
    ledger.head();
    ledger.table_head();
    for sealed in &extract.entries {
        ledger.row(sealed)?;
    }
    ledger.seal(made_at);
    ledger.feet(made_at);
    Ok(ledger.canvas)
}

impl Ledger<'_> {
    fn head(&mut self) {
        self.canvas.filled(0.0, 0.0, WIDTH, 5.0, 0.0, self.accent);
        let extract = self.extract;
        self.canvas.text(MARGIN, 20.0, "Registre d’objets mobiliers", Style::bold(16.0, self.accent), Align::Left);
        let law = "Livre de police : code pénal, art. 321-7 et R.321-3 à R.321-7";
        self.canvas.text(MARGIN, 43.0, law, Style::regular(7.6, GREY), Align::Left);
        let period = format!("Du {} au {}", french_date(extract.from), french_date(extract.until));
        let right = WIDTH - MARGIN;
        self.canvas.text(right, 21.0, &period, Style::bold(11.0, INK), Align::Right);
        let holder = format!("{}, SIRET {}", extract.holder, spaced(&extract.holder_siret));
        self.canvas.text(right, 38.0, &holder, Style::regular(7.6, INK), Align::Right);
        let site = format!("{}, {}", extract.site_name, extract.site_address);
        self.canvas.text(right, 48.5, &site, Style::regular(7.6, GREY), Align::Right);
        self.y = 68.0;
    }

    fn table_head(&mut self) {
        self.canvas.filled(MARGIN, self.y, INNER, 18.0, 2.0, self.accent);
        let mut x = MARGIN;
        for (title, width) in COLUMNS {
            self.canvas.text(x + PAD, self.y + 4.2, title, Style::bold(7.0, WHITE), Align::Left);
            x += width;
        }
        self.y += 20.0;
    }

    fn row(&mut self, sealed: &Sealed) -> Result<(), DocumentError> {
        let cells = cells(sealed, &self.extract.entries);
        let height =
            cells.iter().zip(COLUMNS).map(|(cell, (_, width))| self.cell_height(cell, width)).fold(0.0, f32::max);
        let height = height + 8.0;
        if height > BOTTOM - 46.0 {
            // Nothing of a register may be left out or drawn beyond the paper.
            return Err(DocumentError::Pdf(format!("entry {} does not fit on a page", sealed.entry.number)));
        }
        if self.y + height > BOTTOM {
            self.canvas.new_page();
            self.y = 26.0;
            self.table_head();
        }
        let mut x = MARGIN;
        for (cell, (_, width)) in cells.iter().zip(COLUMNS) {
            let mut y = self.y + 3.0;
            for (text, style) in cell {
                y += self.canvas.paragraph(x + PAD, y, text, *style, width - 2.0 * PAD);
            }
            x += width;
        }
        self.y += height;
        self.canvas.rule(MARGIN, self.y - 1.0, INNER, RULE);
        self.y += 1.0;
        Ok(())
    }

    fn cell_height(&self, cell: &[(String, Style)], width: f32) -> f32 {
        cell.iter().map(|(text, style)| self.canvas.measure(text, *style, width - 2.0 * PAD)).sum()
    }

    /// What anybody needs to check the chain again.
    fn seal(&mut self, made_at: DateTime<Utc>) {
        let height = 62.0;
        if self.y + height + 10.0 > BOTTOM {
            self.canvas.new_page();
            self.y = 26.0;
        }
        let top = self.y + 8.0;
        self.canvas.filled(MARGIN, top, INNER, height, 4.0, TINT);
        let x = MARGIN + 10.0;
        let title = "Chaîne d’empreintes vérifiée à l’édition : chaque inscription continue la précédente";
        self.canvas.text(x, top + 7.0, title, Style::bold(7.8, self.accent), Align::Left);
        let entries = &self.extract.entries;
        let last = entries.last().map_or(self.extract.previous, |sealed| sealed.hash);
        let lines = [
            format!("{} inscriptions, éditées le {} (UTC)", entries.len(), made_at.format("%d/%m/%Y à %H:%M")),
            format!("Empreinte précédente : {}", self.extract.previous),
            format!("Dernière empreinte : {last}"),
        ];
        for (index, line) in lines.iter().enumerate() {
            let y = top + 20.0 + 11.0 * index as f32;
            self.canvas.text(x, y, line, Style::regular(7.2, INK), Align::Left);
        }
        self.y = top + height;
    }

    fn feet(&mut self, made_at: DateTime<Utc>) {
        let style = Style::regular(6.6, GREY);
        let count = self.canvas.page_count();
        let left = format!("{}, {}", self.extract.holder, self.extract.site_name);
        let (from, until) = (french_date(self.extract.from), french_date(self.extract.until));
        let middle = format!("Du {from} au {until}, édité le {}", made_at.format("%d/%m/%Y"));
        for page in 0..count {
            let y = HEIGHT - 24.0;
            self.canvas.filled_on(page, MARGIN, y - 5.0, INNER, 0.6, RULE);
            self.canvas.text_on(page, MARGIN, y, &left, style, Align::Left);
            self.canvas.text_on(page, WIDTH / 2.0, y, &middle, style, Align::Centre);
            let number = format!("Page {} / {count}", page + 1);
            self.canvas.text_on(page, WIDTH - MARGIN, y, &number, style, Align::Right);
        }
    }
}

type Cell = Vec<(String, Style)>;

fn cells(sealed: &Sealed, all: &[Sealed]) -> [Cell; 7] {
    let entry = &sealed.entry;
    let number: Cell = vec![(entry.number.to_string(), CELL_STRONG)];
    let hash: Vec<char> = sealed.hash.to_string().chars().collect();
    let hash: Cell = hash.chunks(16).map(|part| (part.iter().collect(), CELL_SMALL)).collect();
    let written = entry.recorded_at.date_naive();
    let (on, what) = match &entry.event {
        Event::Arrival { on, .. } => (*on, "Entrée".to_owned()),
        Event::Departure { on, arrival, .. } => (*on, format!("Sortie du n°\u{a0}{arrival}")),
        Event::Correction { corrected, .. } => (written, format!("Rectifie le n°\u{a0}{corrected}")),
    };
    let day = if on == written { String::new() } else { format!("le {} ", french_date(written)) };
    let recorded = format!("Inscrit {day}à {} UTC", entry.recorded_at.format("%H:%M"));
    let date: Cell = vec![(french_date(on), CELL_STRONG), (what, CELL), (recorded, CELL_SMALL)];
    let [car, identifiers, party, price] = event_cells(&entry.event, all);
    [number, date, car, identifiers, party, price, hash]
}

fn event_cells(event: &Event, all: &[Sealed]) -> [Cell; 4] {
    match event {
        Event::Arrival { object, from, price_cents, means, .. } => {
            [object_cell(object), identifier_cell(object), party_cell(from), price_cell(*price_cents, *means)]
        }
        Event::Departure { arrival, to, price_cents, means, .. } => {
            let [car, identifiers] = arrived(*arrival, all);
            [car, identifiers, party_cell(to), price_cell(*price_cents, *means)]
        }
        Event::Correction { reason, text, .. } => {
            let car = vec![(text.clone(), CELL), (format!("Motif : {reason}"), CELL_SMALL)];
            [car, Vec::new(), Vec::new(), Vec::new()]
        }
    }
}

/// The car of an exit, as it was entered; its entry may lie before the period.
fn arrived(number: u64, all: &[Sealed]) -> [Cell; 2] {
    let entry = all.iter().map(|sealed| &sealed.entry).find(|entry| entry.number == number);
    match entry.map(|entry| &entry.event) {
        Some(Event::Arrival { object, .. }) => {
            [vec![(format!("{} {}", object.make, object.model), CELL)], identifier_cell(object)]
        }
        _ => [vec![(format!("Voir l’inscription n°\u{a0}{number}"), CELL)], Vec::new()],
    }
}

fn object_cell(object: &Object) -> Cell {
    let name = format!("{} {}", object.make, object.model);
    let mileage = object.mileage_km.map(|km| format!("{}\u{a0}km", grouped(u64::from(km))));
    let facts: Vec<String> =
        [Some(object.colour.clone()), mileage, object.type_code.clone(), Some(object.country.clone())]
            .into_iter()
            .flatten()
            .filter(|text| !text.is_empty())
            .collect();
    [(name, CELL_STRONG), (object.version.clone(), CELL), (facts.join(", "), CELL_SMALL)]
        .into_iter()
        .filter(|(text, _)| !text.trim().is_empty())
        .collect()
}

fn identifier_cell(object: &Object) -> Cell {
    let plate = object.plate.clone().unwrap_or_else(|| "Sans immatriculation".to_owned());
    vec![(plate, CELL_STRONG), (object.vin.clone(), CELL)]
}

fn party_cell(party: &Party) -> Cell {
    let (name, address, proof) = match party {
        Party::Person { name, address, document, document_number, document_issued } => {
            let parts: Vec<&str> =
                [document, document_number, document_issued].into_iter().flatten().map(String::as_str).collect();
            (name, address, parts.join(", "))
        }
        Party::Company { name, address, siret, representative } => {
            let by = representative.as_ref().map(|person| format!(", par {person}")).unwrap_or_default();
            (name, address, format!("SIRET {}{by}", spaced(siret)))
        }
    };
    let mut cell = vec![(name.clone(), CELL_STRONG), (address.clone(), CELL)];
    if !proof.is_empty() {
        cell.push((proof, CELL_SMALL));
    }
    cell
}

fn price_cell(cents: Option<i64>, means: Option<PaymentMeans>) -> Cell {
    let price = cents.map_or_else(|| "Sans prix".to_owned(), euros);
    let mut cell = vec![(price, CELL_STRONG)];
    cell.extend(means.map(|means| (means.french().to_owned(), CELL)));
    cell
}
