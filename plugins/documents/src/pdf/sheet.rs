//! Layout of quote, invoice and credit note.

use super::Look;
use super::canvas::{Align, Canvas, Colour, GREY, INK, RULE, Style, TINT, WHITE};
use crate::DocumentError;
use crate::invoice::{Address, Buyer, Car, Kind, Line, Nature, PriceBasis, Sale, Seller, VatTreatment};
use crate::mentions::mentions;
use crate::text::{euros, french_date, french_percent, french_quantity, grouped, spaced};
use crate::totals::{Category, LineTotal, Totals, totals};

/// A4 in points.
const WIDTH: f32 = 595.28;
const HEIGHT: f32 = 841.89;
const MARGIN: f32 = 44.0;
const INNER: f32 = WIDTH - 2.0 * MARGIN;
const RIGHT: f32 = WIDTH - MARGIN;
/// Nothing but the foot below this line.
const BOTTOM: f32 = HEIGHT - 66.0;

const BODY: Style = Style::regular(9.0, INK);
const STRONG: Style = Style::bold(9.0, INK);
const SMALL: Style = Style::regular(7.6, GREY);
const LABEL: Style = Style::regular(7.2, GREY);
const MENTION: Style = Style::regular(7.4, [66, 73, 87]);

/// Right edges of the columns of figures; the description takes the rest.
const QUANTITY_AT: f32 = 334.0;
const PRICE_AT: f32 = 417.0;
const VAT_AT: f32 = 467.0;
const DESCRIPTION_WIDTH: f32 = 238.0;

pub(super) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Quote => "Devis",
        Kind::Invoice => "Facture",
        Kind::CreditNote => "Avoir",
    }
}

struct Sheet<'a> {
    canvas: Canvas,
    sale: &'a Sale,
    totals: Totals,
    accent: Colour,
    /// Where the next block begins.
    y: f32,
}

pub(super) fn draw(sale: &Sale, look: Look) -> Result<Canvas, DocumentError> {
    let canvas = Canvas::new(WIDTH, HEIGHT)?;
    let mut sheet = Sheet { canvas, sale, totals: totals(sale), accent: look.accent, y: 0.0 };
    sheet.head();
    sheet.facts_and_buyer();
    sheet.car();
    sheet.table();
    sheet.closing();
    sheet.mentions();
    sheet.feet();
    Ok(sheet.canvas)
}

impl Sheet<'_> {
    fn left(&mut self, x: f32, y: f32, text: &str, style: Style) -> f32 {
        self.canvas.text(x, y, text, style, Align::Left)
    }

    fn right(&mut self, x: f32, y: f32, text: &str, style: Style) -> f32 {
        self.canvas.text(x, y, text, style, Align::Right)
    }

    fn break_page(&mut self) {
        self.canvas.new_page();
        self.canvas.filled(0.0, 0.0, WIDTH, 5.0, 0.0, self.accent);
        let text = format!("{} {}", kind_name(self.sale.kind), self.sale.number);
        self.left(MARGIN, 24.0, &self.sale.seller.name.clone(), Style::bold(9.0, self.accent));
        self.right(RIGHT, 24.0, &text, SMALL);
        self.y = 52.0;
    }

    /// Starts a page when less than `height` points are left.
    fn need(&mut self, height: f32) {
        if self.y + height > BOTTOM {
            self.break_page();
        }
    }

    fn head(&mut self) {
        self.canvas.filled(0.0, 0.0, WIDTH, 5.0, 0.0, self.accent);
        let name = self.sale.seller.trade_name.clone().unwrap_or_else(|| self.sale.seller.name.clone());
        let name_style = Style::bold(17.0, self.accent);
        let mut y = 34.0;
        y += self.canvas.paragraph(MARGIN, y, &name, name_style, 290.0) + 3.0;
        for line in seller_lines(&self.sale.seller) {
            self.left(MARGIN, y, &line, SMALL);
            y += SMALL.leading();
        }
        let title = kind_name(self.sale.kind).to_uppercase();
        self.right(RIGHT, 31.0, &title, Style::bold(22.0, INK));
        self.right(RIGHT, 62.0, &format!("N° {}", self.sale.number), Style::bold(10.0, INK));
        self.y = f32::max(y, 92.0) + 16.0;
    }

    fn facts_and_buyer(&mut self) {
        let top = self.y;
        let split = MARGIN + INNER * 0.5;
        let mut y = top + 4.0;
        for (label, value) in head_facts(self.sale) {
            self.left(MARGIN, y + 0.8, &label, LABEL);
            y += self.canvas.paragraph(MARGIN + 92.0, y, &value, BODY, split - MARGIN - 104.0) + 2.5;
        }
        let bottom = f32::max(self.buyer(split, top), y);
        self.y = bottom + 16.0;
    }

    fn buyer(&mut self, x: f32, top: f32) -> f32 {
        let (width, pad) = (RIGHT - x, 12.0);
        let lines = buyer_lines(&self.sale.buyer);
        let name = self.sale.buyer.name().to_owned();
        let name_style = Style::bold(10.0, INK);
        let inner = width - 2.0 * pad;
        let body: f32 = lines.iter().map(|line| self.canvas.measure(line, BODY, inner)).sum();
        let height = 2.0 * pad + LABEL.leading() + 3.0 + self.canvas.measure(&name, name_style, inner) + body;
        self.canvas.filled(x, top, width, height, 4.0, TINT);
        let label = if self.sale.kind == Kind::Invoice { "FACTURÉ À" } else { "CLIENT" };
        let mut y = top + pad;
        self.left(x + pad, y, label, Style::bold(6.8, self.accent));
        y += LABEL.leading() + 3.0;
        y += self.canvas.paragraph(x + pad, y, &name, name_style, inner);
        for line in lines {
            y += self.canvas.paragraph(x + pad, y, &line, BODY, inner);
        }
        top + height
    }

    fn car(&mut self) {
        let Some(car) = self.sale.car.clone() else { return };
        let (top, pad) = (self.y, 12.0);
        let inner = INNER - 2.0 * pad;
        let name = format!("{} {}", car.make, car.model);
        let name_style = Style::bold(11.0, INK);
        let title = self.canvas.measure(&name, name_style, inner) + self.canvas.measure(&car.version, BODY, inner);
        let height = 9.0 + title + 5.0 + LABEL.leading() + STRONG.leading() + 9.0;
        self.canvas.filled(MARGIN, top, INNER, height, 4.0, TINT);
        self.canvas.filled(MARGIN, top, 3.0, height, 0.0, self.accent);
        let mut y = top + 9.0;
        y += self.canvas.paragraph(MARGIN + pad, y, &name, name_style, inner);
        y += self.canvas.paragraph(MARGIN + pad, y, &car.version, BODY, inner) + 5.0;
        let mut x = MARGIN + pad;
        for (label, value, width) in car_facts(&car) {
            self.left(x, y, label, LABEL);
            self.left(x, y + LABEL.leading(), &value, STRONG);
            x += width;
        }
        self.y = top + height + 16.0;
    }

    fn table(&mut self) {
        self.table_head();
        let pairs: Vec<(Line, LineTotal)> = self.sale.lines.iter().cloned().zip(self.totals.lines.clone()).collect();
        for (line, total) in pairs {
            self.row(&line, &total);
        }
    }

    fn table_head(&mut self) {
        self.need(60.0);
        let style = Style::bold(7.4, WHITE);
        self.canvas.filled(MARGIN, self.y, INNER, 20.0, 2.0, self.accent);
        let y = self.y + 5.0;
        let tax = self.price_label();
        self.left(MARGIN + 8.0, y, "Désignation", style);
        self.right(QUANTITY_AT, y, "Qté", style);
        self.right(PRICE_AT, y, &format!("Prix unit.{tax}"), style);
        self.right(VAT_AT, y, "TVA", style);
        self.right(RIGHT - 8.0, y, &format!("Total{tax}"), style);
        self.y += 24.0;
    }

    /// What the prices in the table are; mixed tables say it line by line, in the column of VAT.
    fn price_label(&self) -> &'static str {
        let has = |category| self.totals.groups.iter().any(|group| group.category == category);
        match (self.sale.price_basis, has(Category::Standard), has(Category::Exempt)) {
            (PriceBasis::TaxIncluded, ..) => " TTC",
            (PriceBasis::Net, true, false) => " HT",
            (PriceBasis::Net, ..) => "",
        }
    }

    fn row(&mut self, line: &Line, total: &LineTotal) {
        let mut details: Vec<String> = line.details.iter().cloned().collect();
        if line.discount_cents > 0 {
            details.push(format!("Remise : {}", euros(-line.discount_cents)));
        }
        let description = self.canvas.measure(&line.description, BODY, DESCRIPTION_WIDTH);
        let below: f32 = details.iter().map(|text| self.canvas.measure(text, SMALL, DESCRIPTION_WIDTH)).sum();
        let height = description + below + 9.0;
        if self.y + height > BOTTOM {
            self.break_page();
            self.table_head();
        }
        let y = self.y + 2.0;
        let mut below = y + self.canvas.paragraph(MARGIN + 8.0, y, &line.description, BODY, DESCRIPTION_WIDTH);
        for text in details {
            below += self.canvas.paragraph(MARGIN + 8.0, below, &text, SMALL, DESCRIPTION_WIDTH);
        }
        let unit = if line.nature == Nature::Hours { "\u{a0}h" } else { "" };
        self.right(QUANTITY_AT, y, &format!("{}{unit}", french_quantity(line.quantity)), BODY);
        self.right(PRICE_AT, y, &euros(line.unit_price_cents), BODY);
        self.right(VAT_AT, y, &vat_label(line), BODY);
        self.right(RIGHT - 8.0, y, &euros(total.shown_cents), STRONG);
        self.y += height;
        self.canvas.rule(MARGIN, self.y - 2.5, INNER, RULE);
        self.y += 1.5;
    }

    fn closing(&mut self) {
        let rows = sum_rows(self.sale, &self.totals);
        let height = 22.0 + rows.len() as f32 * 15.0 + 34.0;
        // The signature, or the payments and how to pay the rest.
        let left = if self.sale.kind == Kind::Quote { 96.0 } else { 70.0 + self.sale.payments.len() as f32 * 11.5 };
        self.need(f32::max(height, left) + 8.0);
        let top = self.y + 8.0;
        let split = MARGIN + INNER * 0.54;
        let sums = self.sums(split, top, &rows);
        let left = if self.sale.kind == Kind::Quote {
            self.signature(top, split - MARGIN - 18.0)
        } else {
            self.payment(top, split - MARGIN - 18.0)
        };
        self.y = f32::max(sums, left) + 16.0;
    }

    fn sums(&mut self, x: f32, top: f32, rows: &[(String, String)]) -> f32 {
        let mut y = top;
        for (label, value) in rows {
            self.left(x + 10.0, y, label, BODY);
            self.right(RIGHT - 8.0, y, value, BODY);
            y += 15.0;
        }
        let label = last_label(self.sale, &self.totals);
        let amount = if self.sale.kind == Kind::Invoice { self.totals.due_cents } else { self.totals.gross_cents };
        y += 3.0;
        self.canvas.filled(x, y, RIGHT - x, 28.0, 3.0, self.accent);
        self.left(x + 10.0, y + 7.4, label, Style::bold(9.5, WHITE));
        self.right(RIGHT - 8.0, y + 6.0, &euros(amount), Style::bold(11.5, WHITE));
        y + 28.0
    }

    /// What was paid, and how to pay the rest.
    fn payment(&mut self, top: f32, width: f32) -> f32 {
        let mut y = top;
        let heading = Style::bold(7.6, self.accent);
        if !self.sale.payments.is_empty() {
            self.left(MARGIN, y, "RÈGLEMENTS REÇUS", heading);
            y += 13.0;
            for payment in self.sale.payments.clone() {
                self.left(MARGIN, y, &format!("{}  {}", french_date(payment.on), payment.means.french()), SMALL);
                self.right(MARGIN + width, y, &euros(payment.amount_cents), SMALL);
                y += 11.5;
            }
            y += 6.0;
        }
        if self.sale.kind == Kind::Invoice && self.totals.due_cents > 0 {
            self.left(MARGIN, y, "POUR PAYER", heading);
            y += 13.0;
            for line in how_to_pay(self.sale) {
                y += self.canvas.paragraph(MARGIN, y, &line, SMALL, width) + 1.0;
            }
        }
        y
    }

    fn signature(&mut self, top: f32, width: f32) -> f32 {
        let height = 92.0;
        self.canvas.filled(MARGIN, top, width, height, 4.0, TINT);
        self.left(MARGIN + 10.0, top + 8.0, "BON POUR ACCORD", Style::bold(7.6, self.accent));
        let text = "Date, nom et signature du client, précédés de la mention manuscrite « bon pour accord ».";
        self.canvas.paragraph(MARGIN + 10.0, top + 21.0, text, LABEL, width - 20.0);
        top + height
    }

    fn mentions(&mut self) {
        let reason = self.sale.credited.as_ref().and_then(|credited| credited.reason.clone());
        let reason = reason.map(|reason| format!("Motif de l’avoir : {reason}."));
        let own = reason.into_iter().chain(self.sale.notes.clone());
        let texts: Vec<String> = own.chain(mentions(self.sale).into_iter().map(|mention| mention.fr)).collect();
        if texts.is_empty() {
            return;
        }
        self.need(26.0);
        self.canvas.rule(MARGIN, self.y, INNER, RULE);
        self.y += 7.0;
        for text in texts {
            self.need(self.canvas.measure(&text, MENTION, INNER));
            self.y += self.canvas.paragraph(MARGIN, self.y, &text, MENTION, INNER) + 2.2;
        }
    }

    fn feet(&mut self) {
        let identity = identity(&self.sale.seller);
        let style = Style::regular(6.8, GREY);
        let runs = self.canvas.fonts.wrap(&identity, style.size, style.weight, INNER);
        let lines: Vec<String> = runs.into_iter().map(|run| run.text).collect();
        let count = self.canvas.page_count();
        for page in 0..count {
            self.canvas.filled_on(page, MARGIN, HEIGHT - 50.0, INNER, 0.6, RULE);
            for (index, line) in lines.iter().enumerate() {
                let y = HEIGHT - 44.0 + style.leading() * index as f32;
                self.canvas.text_on(page, WIDTH / 2.0, y, line, style, Align::Centre);
            }
            let number = format!("Page {} / {count}", page + 1);
            self.canvas.text_on(page, RIGHT, HEIGHT - 22.0, &number, style, Align::Right);
            self.canvas.text_on(page, MARGIN, HEIGHT - 22.0, &self.sale.number, style, Align::Left);
        }
    }
}

fn address_lines(address: &Address) -> Vec<String> {
    let mut lines: Vec<String> = address.lines.iter().filter(|line| !line.trim().is_empty()).cloned().collect();
    lines.push(format!("{} {}", address.postcode, address.city));
    if address.country != "FR" {
        lines.push(address.country.clone());
    }
    lines
}

fn seller_lines(seller: &Seller) -> Vec<String> {
    let mut lines = address_lines(&seller.address);
    let contact: Vec<String> = seller.phone.iter().chain(&seller.email).cloned().collect();
    if !contact.is_empty() {
        lines.push(contact.join("  ·  "));
    }
    lines
}

fn buyer_lines(buyer: &Buyer) -> Vec<String> {
    let mut lines = address_lines(buyer.address());
    if let Buyer::Company { siren, vat_id, .. } = buyer {
        lines.extend(siren.as_ref().map(|siren| format!("SIREN {}", spaced(siren))));
        lines.extend(vat_id.as_ref().map(|id| format!("TVA {id}")));
    }
    lines
}

fn head_facts(sale: &Sale) -> Vec<(String, String)> {
    let mut facts = vec![("Date d’émission".to_owned(), french_date(sale.issued_on))];
    let mut add = |label: &str, value: Option<String>| facts.extend(value.map(|value| (label.to_owned(), value)));
    add("Valable jusqu’au", sale.valid_until.map(french_date));
    if sale.kind == Kind::Invoice {
        add("Échéance", sale.due_on.map(french_date));
    }
    if let Some(delivery) = &sale.delivery {
        add("Livraison", Some(french_date(delivery.on)));
        add("Lieu de livraison", Some(address_lines(&delivery.place).join(", ")));
    }
    add("Opération", Some(operation(sale).to_owned()));
    let invoice = |number: &str, on| format!("{number} du {}", french_date(on));
    add("Facture d’origine", sale.credited.as_ref().map(|credited| invoice(&credited.number, credited.issued_on)));
    facts
}

/// Category of the operation, a mandatory mention with e-invoicing (décret 2022-1299).
fn operation(sale: &Sale) -> &'static str {
    let is_service = |line: &Line| matches!(line.nature, Nature::Service | Nature::Hours);
    let services = sale.lines.iter().any(is_service);
    let goods = sale.lines.iter().any(|line| !is_service(line));
    match (goods, services) {
        (true, true) => "Livraison de biens et prestation de services",
        (false, true) => "Prestation de services",
        _ => "Livraison de biens",
    }
}

/// Label, value and width of what identifies the car.
fn car_facts(car: &Car) -> Vec<(&'static str, String, f32)> {
    let guarantee = if car.mileage_guaranteed { "garanti" } else { "non garanti" };
    let mileage = |km: u32| format!("{}\u{a0}km ({guarantee})", grouped(u64::from(km)));
    let facts = [
        ("Immatriculation", car.plate.clone(), 88.0),
        ("N° de série (VIN)", car.vin.clone(), 144.0),
        // Month and year are what décret 78-993 asks for, and often all that is known.
        ("1re mise en circulation", car.first_registered_on.map(|day| day.format("%m/%Y").to_string()), 112.0),
        ("Kilométrage", car.mileage_km.map(mileage), 120.0),
    ];
    facts.into_iter().filter_map(|(label, value, width)| Some((label, value?, width))).collect()
}

fn vat_label(line: &Line) -> String {
    match line.vat {
        VatTreatment::Taxed { rate_basis_points } => french_percent(rate_basis_points),
        VatTreatment::Margin { .. } => "Marge".to_owned(),
        VatTreatment::Franchise => "–".to_owned(),
        VatTreatment::Disbursement => "Débours".to_owned(),
    }
}

/// Rows above the coloured one. VAT on a margin is never among them (CGI art. 297 E).
fn sum_rows(sale: &Sale, totals: &Totals) -> Vec<(String, String)> {
    let exempt: i64 =
        totals.groups.iter().filter(|group| group.category == Category::Exempt).map(|g| g.net_cents).sum();
    let taxed: Vec<_> = totals.groups.iter().filter(|group| group.category == Category::Standard).collect();
    let mut rows = Vec::new();
    if !taxed.is_empty() {
        let label = if exempt == 0 { "Total HT" } else { "Total HT des lignes taxées" };
        rows.push((label.to_owned(), euros(taxed.iter().map(|group| group.net_cents).sum())));
        for group in &taxed {
            let base = if taxed.len() > 1 { format!(" sur {}", euros(group.net_cents)) } else { String::new() };
            rows.push((format!("TVA {}{base}", french_percent(group.basis_points)), euros(group.vat_cents)));
        }
        if exempt != 0 {
            rows.push(("Sans TVA apparente".to_owned(), euros(exempt)));
        }
    }
    if sale.kind == Kind::Invoice {
        rows.push((if is_franchise(sale) { "Total" } else { "Total TTC" }.to_owned(), euros(totals.gross_cents)));
        if totals.paid_cents > 0 {
            rows.push(("Déjà réglé".to_owned(), euros(-totals.paid_cents)));
        }
    }
    rows
}

fn is_franchise(sale: &Sale) -> bool {
    sale.lines.iter().any(|line| line.vat == VatTreatment::Franchise)
}

fn last_label(sale: &Sale, totals: &Totals) -> &'static str {
    match sale.kind {
        Kind::Quote if is_franchise(sale) => "Total",
        Kind::CreditNote if is_franchise(sale) => "Total de l’avoir",
        Kind::Quote => "Total TTC",
        Kind::CreditNote => "Total de l’avoir TTC",
        Kind::Invoice if totals.due_cents == 0 => "Soldée, reste à payer",
        Kind::Invoice => "Net à payer",
    }
}

fn how_to_pay(sale: &Sale) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(due) = sale.due_on {
        lines.push(format!("Au plus tard le {}, référence {}.", french_date(due), sale.number));
    }
    if let Some(iban) = &sale.seller.iban {
        let compact: Vec<char> = iban.chars().filter(|c| *c != ' ').collect();
        let groups: Vec<String> = compact.chunks(4).map(|group| group.iter().collect()).collect();
        lines.push(format!("IBAN {}", groups.join("\u{a0}")));
    }
    lines.extend(sale.seller.bic.as_ref().map(|bic| format!("BIC {bic}")));
    lines
}

/// What C. com. R.123-237 and R.123-238 want on every paper of a trader.
fn identity(seller: &Seller) -> String {
    let mut parts = vec![format!("{}, {}", seller.name, seller.legal_form)];
    let capital = |euros: u64| format!("au capital de {}\u{a0}€", grouped(euros));
    if let Some(euros) = seller.capital_euros {
        parts = vec![format!("{} {}", parts.concat(), capital(euros))];
    }
    let siren = seller.siren.as_ref().map(|siren| spaced(siren)).unwrap_or_default();
    parts.push(seller.rcs.as_ref().map_or(format!("SIREN {siren}"), |rcs| format!("{rcs} {siren}")));
    parts.extend(seller.siret.as_ref().map(|siret| format!("SIRET {}", spaced(siret))));
    parts.extend(seller.vat_id.as_ref().map(|id| format!("TVA {id}")));
    parts.join("  ·  ")
}
