//! The rules behind [`Sale::validate`]: each function looks at one part of the form and adds what it finds.

use chrono::{Datelike as _, NaiveDate};

use crate::FaultCode::{self, *};
use crate::invoice::{
    Address, Buyer, Car, CreditedInvoice, Kind, Line, MAX_AMOUNT_CENTS, Nature, PaymentMeans, Quantity, Sale, Seller,
    VatTreatment,
};
use crate::number::DocumentNumber;
use crate::totals::totals;
use crate::{Fault, vat};

/// Cash that a resident may pay to a professional (C. mon. fin. D.112-3), cents.
const CASH_LIMIT_CENTS: i64 = 100_000;

/// Day from which the SIREN of a French client company is a mandatory mention (décret 2022-1299, with e-invoicing).
fn buyer_siren_required(on: NaiveDate) -> bool {
    NaiveDate::from_ymd_opt(2026, 9, 1).is_some_and(|start| on >= start)
}

struct Report(Vec<Fault>);

impl Report {
    fn add(&mut self, code: FaultCode, path: impl Into<String>) {
        self.0.push(Fault::new(code, path));
    }

    fn add_if(&mut self, wrong: bool, code: FaultCode, path: impl Into<String>) {
        if wrong {
            self.add(code, path);
        }
    }
}

pub(crate) fn sale(sale: &Sale) -> Vec<Fault> {
    let mut report = Report(Vec::new());
    head(sale, &mut report);
    seller(sale, &mut report);
    buyer(sale, &mut report);
    car(sale, &mut report);
    lines(sale, &mut report);
    lengths(sale, &mut report);
    // Sums of absurd amounts would only add absurd faults.
    if !report.0.iter().any(|fault| fault.code == AmountTooLarge) {
        payments(sale, &mut report);
        credited(sale, &mut report);
    }
    report.0
}

fn head(sale: &Sale, report: &mut Report) {
    report.add_if(!is_number(&sale.number), NumberInvalid, "number");
    let series_kind = sale.number.parse::<DocumentNumber>().ok().map(|number| number.series().kind());
    report.add_if(series_kind.is_some_and(|kind| kind != sale.kind), NumberWrongSeries, "number");
    report.add_if(!(2000..=2099).contains(&sale.issued_on.year()), IssueDateOutOfRange, "issued_on");
    let needs_due = sale.kind == Kind::Invoice && sale.buyer.is_company();
    report.add_if(needs_due && sale.due_on.is_none(), DueDateMissing, "due_on");
    report.add_if(sale.due_on.is_some_and(|due| due < sale.issued_on), DueBeforeIssue, "due_on");
    report.add_if(sale.kind == Kind::Quote && sale.valid_until.is_none(), QuoteValidityMissing, "valid_until");
    report.add_if(sale.valid_until.is_some_and(|until| until < sale.issued_on), QuoteValidityPast, "valid_until");
    if let Some(delivery) = &sale.delivery {
        address(&delivery.place, "delivery.place", report);
    }
    let needs_delivery = sale.kind == Kind::Invoice && sells_car(sale);
    report.add_if(needs_delivery && sale.delivery.is_none(), DeliveryMissing, "delivery");
}

/// BR-FR-01 and BR-FR-02: what approved platforms accept as a number.
fn is_number(text: &str) -> bool {
    (1..=35).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-+_/".contains(&b))
}

fn sells_car(sale: &Sale) -> bool {
    sale.lines.iter().any(|line| line.nature == Nature::Car)
}

fn seller(sale: &Sale, report: &mut Report) {
    let seller = &sale.seller;
    report.add_if(is_blank(&seller.name), SellerNameMissing, "seller.name");
    report.add_if(is_blank(&seller.legal_form), SellerLegalFormMissing, "seller.legal_form");
    report.add_if(is_company(seller) && seller.capital_euros.is_none(), SellerCapitalMissing, "seller.capital_euros");
    let no_rcs = seller.rcs.as_deref().is_none_or(is_blank);
    report.add_if(is_company(seller) && no_rcs, SellerRcsMissing, "seller.rcs");
    match seller.siren.as_deref() {
        None => report.add(SellerSirenMissing, "seller.siren"),
        Some(siren) => report.add_if(!is_siren(siren), SellerSirenInvalid, "seller.siren"),
    }
    if let Some(siret) = seller.siret.as_deref() {
        report.add_if(!is_siret(siret), SellerSiretInvalid, "seller.siret");
        let mismatch = seller.siren.as_deref().is_some_and(|siren| !siret.starts_with(siren));
        report.add_if(mismatch, SiretSirenMismatch, "seller.siret");
    }
    seller_vat(sale, report);
    report.add_if(seller.iban.as_deref().is_some_and(|iban| !is_iban(iban)), SellerIbanInvalid, "seller.iban");
    address(&seller.address, "seller.address", report);
}

fn seller_vat(sale: &Sale, report: &mut Report) {
    let exempt = sale.lines.iter().any(|line| line.vat == VatTreatment::Franchise);
    match sale.seller.vat_id.as_deref() {
        None => report.add_if(!exempt, SellerVatIdMissing, "seller.vat_id"),
        Some(id) => {
            let fits = is_french_vat_id(id) && sale.seller.siren.as_deref().is_none_or(|siren| id.ends_with(siren));
            report.add_if(!fits, SellerVatIdInvalid, "seller.vat_id");
        }
    }
}

/// Companies state capital and register (C. com. R.123-238); sole traders and associations have no capital.
fn is_company(seller: &Seller) -> bool {
    const COMPANIES: [&str; 10] = ["SARL", "EURL", "SAS", "SASU", "SA", "SNC", "SCS", "SCA", "SELARL", "SCOP"];
    COMPANIES.contains(&seller.legal_form.trim().to_uppercase().replace('.', "").as_str())
}

fn buyer(sale: &Sale, report: &mut Report) {
    report.add_if(is_blank(sale.buyer.name()), BuyerNameMissing, "buyer.name");
    address(sale.buyer.address(), "buyer.address", report);
    let Buyer::Company { siren, vat_id, address, .. } = &sale.buyer else { return };
    match siren.as_deref() {
        None => {
            let required = address.country == "FR" && sale.kind != Kind::Quote && buyer_siren_required(sale.issued_on);
            report.add_if(required, BuyerSirenMissing, "buyer.siren");
        }
        Some(siren) => report.add_if(!is_siren(siren), BuyerSirenInvalid, "buyer.siren"),
    }
    report.add_if(vat_id.as_deref().is_some_and(|id| !is_vat_id(id)), BuyerVatIdInvalid, "buyer.vat_id");
}

fn address(address: &Address, path: &str, report: &mut Report) {
    let country = address.country.len() == 2 && address.country.bytes().all(|b| b.is_ascii_uppercase());
    let street = address.lines.first().is_some_and(|line| !is_blank(line));
    let complete = street && country && !is_blank(&address.postcode) && !is_blank(&address.city);
    report.add_if(!complete, AddressIncomplete, path);
    // Three lines are what the XML has room for (BT-35, BT-36, BT-162).
    let long = |text: &String| text.chars().count() > NAME_LENGTH;
    let too_long = address.lines.len() > 3 || address.lines.iter().chain([&address.city, &address.postcode]).any(long);
    report.add_if(too_long, TextTooLong, path);
}

fn car(sale: &Sale, report: &mut Report) {
    report.add_if(sells_car(sale) && sale.car.is_none(), CarMissing, "car");
    // A repair names the car as far as it is known; only its sale needs every fact.
    if let Some(car) = sale.car.as_ref().filter(|_| sells_car(sale)) {
        car_facts(car, sale.issued_on, report);
    }
}

fn car_facts(car: &Car, on: NaiveDate, report: &mut Report) {
    let named = !is_blank(&car.make) && !is_blank(&car.model) && !is_blank(&car.version);
    report.add_if(!named, CarNameMissing, "car");
    report.add_if(car.plate.as_deref().is_none_or(is_blank), CarPlateMissing, "car.plate");
    match car.vin.as_deref() {
        None => report.add(CarVinMissing, "car.vin"),
        Some(vin) => report.add_if(!is_vin(vin, car.first_registered_on), CarVinInvalid, "car.vin"),
    }
    match car.first_registered_on {
        None => report.add(CarFirstRegistrationMissing, "car.first_registered_on"),
        Some(day) => report.add_if(day > on, CarFirstRegistrationFuture, "car.first_registered_on"),
    }
    report.add_if(car.mileage_km.is_none(), CarMileageMissing, "car.mileage_km");
}

fn lines(sale: &Sale, report: &mut Report) {
    report.add_if(sale.lines.is_empty(), LinesMissing, "lines");
    let on = sale.delivery.as_ref().map_or(sale.issued_on, |delivery| delivery.on);
    for (index, line) in sale.lines.iter().enumerate() {
        let path = format!("lines[{index}]");
        amounts(line, &path, report);
        treatment(line, &path, sale, on, report);
    }
    let any = |matches: fn(&VatTreatment) -> bool| sale.lines.iter().any(|line| matches(&line.vat));
    let other = any(|vat| matches!(vat, VatTreatment::Taxed { .. } | VatTreatment::Margin { .. }));
    report.add_if(other && any(|vat| *vat == VatTreatment::Franchise), FranchiseWithVat, "lines");
}

fn amounts(line: &Line, path: &str, report: &mut Report) {
    report.add_if(is_blank(&line.description), LineDescriptionMissing, format!("{path}.description"));
    report.add_if(line.quantity.thousandths <= 0, LineQuantityNotPositive, format!("{path}.quantity"));
    report.add_if(line.unit_price_cents < 0, LinePriceNegative, format!("{path}.unit_price_cents"));
    let amount = vat::divide_half_up(i128::from(line.quantity.thousandths) * i128::from(line.unit_price_cents), 1000);
    let discount = (0..=amount.max(0)).contains(&line.discount_cents);
    report.add_if(!discount, LineDiscountInvalid, format!("{path}.discount_cents"));
    let large = amount > MAX_AMOUNT_CENTS || line.unit_price_cents > MAX_AMOUNT_CENTS;
    report.add_if(large, AmountTooLarge, format!("{path}.unit_price_cents"));
}

fn treatment(line: &Line, path: &str, sale: &Sale, on: NaiveDate, report: &mut Report) {
    let path = format!("{path}.vat");
    match line.vat {
        VatTreatment::Taxed { rate_basis_points } => {
            report.add_if(!vat::is_lawful(sale.seller.territory, rate_basis_points, on), LineRateUnknown, path);
        }
        VatTreatment::Margin { purchase_cents } => {
            // A quote is made before the books are looked at.
            let missing = purchase_cents.is_none() && sale.kind != Kind::Quote;
            report.add_if(missing, MarginPurchaseMissing, path.clone());
            report.add_if(purchase_cents.is_some_and(|cents| cents < 0), MarginPurchaseNegative, path.clone());
            report.add_if(line.quantity != Quantity::ONE, MarginQuantityNotOne, path.clone());
            report.add_if(matches!(line.nature, Nature::Service | Nature::Hours), MarginOnService, path);
        }
        VatTreatment::Franchise | VatTreatment::Disbursement => {}
    }
}

/// Longest texts, in characters: what a page holds with room to spare.
const NAME_LENGTH: usize = 120;
const DESCRIPTION_LENGTH: usize = 300;
const NOTE_LENGTH: usize = 1000;

fn lengths(sale: &Sale, report: &mut Report) {
    let mut check = |text: &str, most: usize, path: &str| {
        report.add_if(text.chars().count() > most, TextTooLong, path);
    };
    check(&sale.seller.name, NAME_LENGTH, "seller.name");
    check(sale.seller.trade_name.as_deref().unwrap_or_default(), NAME_LENGTH, "seller.trade_name");
    check(sale.buyer.name(), NAME_LENGTH, "buyer.name");
    check(&sale.terms.late_penalty, DESCRIPTION_LENGTH, "terms.late_penalty");
    check(sale.terms.mediator.as_deref().unwrap_or_default(), DESCRIPTION_LENGTH, "terms.mediator");
    if let Some(car) = &sale.car {
        check(&format!("{} {}", car.make, car.model), NAME_LENGTH, "car");
        check(&car.version, NAME_LENGTH, "car.version");
    }
    for (index, line) in sale.lines.iter().enumerate() {
        check(&line.description, DESCRIPTION_LENGTH, &format!("lines[{index}].description"));
        check(line.details.as_deref().unwrap_or_default(), NOTE_LENGTH, &format!("lines[{index}].details"));
    }
    for (index, note) in sale.notes.iter().enumerate() {
        check(note, NOTE_LENGTH, &format!("notes[{index}]"));
    }
    let reason = sale.credited.as_ref().and_then(|credited| credited.reason.as_deref());
    check(reason.unwrap_or_default(), DESCRIPTION_LENGTH, "credited.reason");
}

fn payments(sale: &Sale, report: &mut Report) {
    for (index, payment) in sale.payments.iter().enumerate() {
        let wrong = payment.amount_cents <= 0;
        report.add_if(wrong, PaymentNotPositive, format!("payments[{index}].amount_cents"));
    }
    report.add_if(totals(sale).due_cents < 0, PaymentsExceedTotal, "payments");
    let cash = sale.payments.iter().filter(|payment| payment.means == PaymentMeans::Cash);
    let cash = cash.fold(0, |sum: i64, payment| sum.saturating_add(payment.amount_cents));
    // Residents only; from abroad a consumer may pay 15 000 €, which the country of the address suggests.
    let resident = sale.buyer.address().country == "FR";
    report.add_if(resident && cash > CASH_LIMIT_CENTS, CashLimitExceeded, "payments");
}

fn credited(sale: &Sale, report: &mut Report) {
    match (&sale.credited, sale.kind) {
        (None, Kind::CreditNote) => report.add(CreditedMissing, "credited"),
        (Some(invoice), Kind::CreditNote) => credit(sale, invoice, report),
        (Some(_), _) => report.add(CreditedUnexpected, "credited"),
        (None, _) => {}
    }
}

fn credit(sale: &Sale, invoice: &CreditedInvoice, report: &mut Report) {
    report.add_if(!is_number(&invoice.number), CreditedMissing, "credited.number");
    report.add_if(sale.issued_on < invoice.issued_on, CreditBeforeInvoice, "issued_on");
    let left = invoice.gross_cents.saturating_sub(invoice.credited_cents);
    report.add_if(totals(sale).gross_cents > left, CreditExceedsInvoice, "lines");
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// Whether the digits pass the Luhn check.
fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, b)| {
            let digit = u32::from(b - b'0');
            let weighted = if place % 2 == 1 { digit * 2 } else { digit };
            weighted / 10 + weighted % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

fn is_digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_digit())
}

/// 9 digits with a right check digit.
pub(crate) fn is_siren(text: &str) -> bool {
    is_digits(text, 9) && luhn(text)
}

/// 14 digits with a right check digit. The sites of La Poste follow another rule: their digits add up to a multiple of 5.
pub(crate) fn is_siret(text: &str) -> bool {
    if !is_digits(text, 14) {
        return false;
    }
    let post =
        text.starts_with("356000000") && text.bytes().map(|b| u32::from(b - b'0')).sum::<u32>().is_multiple_of(5);
    luhn(text) && is_siren(&text[..9]) || post
}

/// `FR`, a key and the SIREN; the usual numeric key is (12 + 3 x (SIREN mod 97)) mod 97, keys with letters are not
/// checked further.
fn is_french_vat_id(id: &str) -> bool {
    let well_formed = id.len() == 13 && id.starts_with("FR") && id.is_ascii();
    if !well_formed || !is_siren(&id[4..]) {
        return false;
    }
    let (key, siren) = (&id[2..4], id[4..].parse::<u64>().unwrap_or(0));
    match key.parse::<u64>() {
        Ok(key) => key == (12 + 3 * (siren % 97)) % 97,
        Err(_) => key.bytes().all(|b| b.is_ascii_uppercase() && b != b'O' && b != b'I' || b.is_ascii_digit()),
    }
}

fn is_vat_id(id: &str) -> bool {
    if id.starts_with("FR") {
        return is_french_vat_id(id);
    }
    let (country, rest) = id.split_at_checked(2).unwrap_or_default();
    let country = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
    country && (2..=13).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// ISO 13616: moved and read as a number, it leaves 1 when divided by 97.
fn is_iban(text: &str) -> bool {
    let compact: Vec<u8> = text.bytes().filter(|b| *b != b' ').collect();
    if !(15..=34).contains(&compact.len()) || !compact.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
        return false;
    }
    let value = |b: &u8| if b.is_ascii_digit() { u32::from(b - b'0') } else { u32::from(b - b'A') + 10 };
    let turned = compact[4..].iter().chain(&compact[..4]).map(value);
    turned.fold(0, |rest, value| (if value < 10 { rest * 10 } else { rest * 100 } + value) % 97) == 1
}

fn is_vin(text: &str, first_registered_on: Option<NaiveDate>) -> bool {
    let allowed = |b: u8| b.is_ascii_digit() || b.is_ascii_uppercase();
    let modern = |b: u8| !b"IOQ".contains(&b);
    let old = first_registered_on.is_some_and(|day| day.year() < 1982);
    let length = text.len() == 17 || old && (1..=17).contains(&text.len());
    length && text.bytes().all(|b| allowed(b) && (old || modern(b)))
}

#[cfg(test)]
// Cents are written like euros: 12_000_00 is 12 000.00.
#[allow(clippy::inconsistent_digit_grouping)]
pub(crate) mod tests {
    use super::*;
    use crate::invoice::Payment;

    fn read(json: &str) -> Sale {
        serde_json::from_str(json).unwrap()
    }

    /// A repair for a person, normal VAT, prices without tax.
    pub(crate) fn invoice() -> Sale {
        read(include_str!("../tests/data/repair_invoice.json"))
    }

    /// A used car under the margin scheme with a normal-rate service and a disbursement.
    pub(crate) fn margin_invoice() -> Sale {
        read(include_str!("../tests/data/margin_invoice.json"))
    }

    pub(crate) fn company() -> Buyer {
        read(include_str!("../tests/data/company_invoice.json")).buyer
    }

    fn credit_note() -> Sale {
        read(include_str!("../tests/data/credit_note.json"))
    }

    fn codes(sale: &Sale) -> Vec<&'static str> {
        sale.validate().into_iter().map(|fault| fault.code.as_str()).collect()
    }

    /// What changing one thing in a document without faults brings up.
    fn after(mut sale: Sale, change: impl FnOnce(&mut Sale)) -> Vec<&'static str> {
        assert_eq!(codes(&sale), [""; 0], "the document to begin with");
        change(&mut sale);
        codes(&sale)
    }

    #[test]
    fn the_examples_have_no_faults() {
        let quote = read(include_str!("../tests/data/quote.json"));
        let company = read(include_str!("../tests/data/company_invoice.json"));
        for sale in [invoice(), margin_invoice(), credit_note(), quote, company] {
            assert_eq!(codes(&sale), [""; 0], "{}", sale.number);
        }
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let found = after(margin_invoice(), |sale| {
            sale.seller.siren = None;
            sale.buyer = Buyer::Person { name: " ".to_owned(), address: Address::default() };
            sale.lines[0].quantity = Quantity::units(-1);
            sale.lines[0].vat = VatTreatment::Margin { purchase_cents: None };
            sale.car.as_mut().unwrap().vin = None;
        });
        for code in [
            "seller_siren_missing",
            "buyer_name_missing",
            "address_incomplete",
            "line_quantity_not_positive",
            "margin_purchase_missing",
            "car_vin_missing",
        ] {
            assert!(found.contains(&code), "{code} in {found:?}");
        }
    }

    #[test]
    fn a_fault_says_where_and_what_to_do() {
        let mut sale = invoice();
        sale.lines[1].quantity = Quantity { thousandths: 0 };
        let fault = sale.validate().remove(0);
        assert_eq!(fault.path, "lines[1].quantity");
        assert!(fault.fr.contains("faites un avoir") && fault.en.contains("make a credit note"));
    }

    #[test]
    fn numbers_and_dates() {
        assert_eq!(after(invoice(), |s| s.number.clear()), ["number_invalid"]);
        assert_eq!(after(invoice(), |s| s.number = "F 1".to_owned()), ["number_invalid"]);
        assert_eq!(after(invoice(), |s| s.number = "A-2026-000001".to_owned()), ["number_wrong_series"]);
        let eve = invoice().issued_on.pred_opt();
        assert_eq!(after(invoice(), |s| s.due_on = eve), ["due_before_issue"]);
        assert_eq!(after(invoice(), |s| s.valid_until = eve), ["quote_validity_past"]);
        assert_eq!(after(margin_invoice(), |s| s.delivery = None), ["delivery_missing"]);
    }

    #[test]
    fn the_seller_must_be_who_it_says() {
        assert_eq!(after(invoice(), |s| s.seller.capital_euros = None), ["seller_capital_missing"]);
        assert_eq!(after(invoice(), |s| s.seller.rcs = None), ["seller_rcs_missing"]);
        assert_eq!(after(invoice(), |s| s.seller.vat_id = None), ["seller_vat_id_missing"]);
        assert_eq!(after(invoice(), |s| s.seller.vat_id = Some("FR00732829320".to_owned())), ["seller_vat_id_invalid"]);
        assert_eq!(
            after(invoice(), |s| s.seller.iban = Some("FR7630006000011234567890188".into())),
            ["seller_iban_invalid"]
        );
        assert_eq!(after(invoice(), |s| s.seller.siret = Some("40483304800022".into())), ["siret_siren_mismatch"]);
        let other = after(invoice(), |s| s.seller.siren = Some("732829321".to_owned()));
        assert_eq!(other, ["seller_siren_invalid", "siret_siren_mismatch", "seller_vat_id_invalid"]);
    }

    #[test]
    fn check_digits() {
        assert!(is_siren("732829320") && is_siren("356000000") && !is_siren("732829321") && !is_siren("73282932"));
        assert!(is_siret("73282932000074") && !is_siret("73282932000075"));
        assert!(is_siret("35600000000048"), "La Poste, head office, passes the common rule too");
        assert!(is_siret("35600000049837"), "a post office follows its own rule");
        assert!(is_french_vat_id("FR44732829320") && !is_french_vat_id("FR45732829320"));
        assert!(is_vat_id("DE123456789") && !is_vat_id("D") && !is_vat_id("é1234"));
        assert!(is_iban("FR76 3000 6000 0112 3456 7890 189") && !is_iban("FR7630006000011234567890180"));
    }

    #[test]
    fn vins_of_old_cars_are_short() {
        let year = |year| NaiveDate::from_ymd_opt(year, 5, 1);
        assert!(is_vin("VF3LBBHZHFS123456", year(2019)) && !is_vin("VF3LBBHZHFS12345O", year(2019)));
        assert!(!is_vin("1234567", year(2019)) && is_vin("1234567", year(1968)));
    }

    #[test]
    fn margin_lines_are_one_used_good_with_its_purchase_price() {
        let margin = |purchase_cents| VatTreatment::Margin { purchase_cents };
        assert_eq!(after(margin_invoice(), |s| s.lines[0].vat = margin(None)), ["margin_purchase_missing"]);
        assert_eq!(after(margin_invoice(), |s| s.lines[0].vat = margin(Some(-1))), ["margin_purchase_negative"]);
        assert_eq!(after(margin_invoice(), |s| s.lines[1].vat = margin(Some(0))), ["margin_on_service"]);
        let two = after(margin_invoice(), |s| s.lines[0].quantity = Quantity::units(2));
        assert_eq!(two, ["margin_quantity_not_one"]);
        assert_eq!(after(margin_invoice(), |s| s.lines[1].vat = VatTreatment::Franchise), ["franchise_with_vat"]);
    }

    #[test]
    fn rates_and_amounts() {
        let taxed = |rate_basis_points| VatTreatment::Taxed { rate_basis_points };
        assert_eq!(after(invoice(), |s| s.lines[0].vat = taxed(1960)), ["line_rate_unknown"]);
        assert_eq!(after(invoice(), |s| s.lines[0].unit_price_cents = -1)[0], "line_price_negative");
        assert_eq!(after(invoice(), |s| s.lines[0].discount_cents = 1_000_000_00)[0], "line_discount_invalid");
        assert_eq!(after(invoice(), |s| s.lines[0].unit_price_cents = i64::MAX), ["amount_too_large"]);
        assert_eq!(after(invoice(), |s| s.lines.clear()), ["lines_missing"]);
    }

    #[test]
    fn texts_fit_on_the_paper() {
        assert_eq!(after(invoice(), |s| s.lines[0].description = "é".repeat(300)), [""; 0]);
        assert_eq!(after(invoice(), |s| s.lines[0].description = "é".repeat(301)), ["text_too_long"]);
        assert_eq!(after(invoice(), |s| s.notes.push("x".repeat(1001))), ["text_too_long"]);
        let four_lines = after(invoice(), |s| s.seller.address.lines = vec!["x".to_owned(); 4]);
        assert_eq!(four_lines, ["text_too_long"]);
    }

    #[test]
    fn payments_are_lawful_and_not_more_than_the_total() {
        let pay = |means, amount_cents| Payment { on: invoice().issued_on, means, amount_cents };
        let cash = after(margin_invoice(), |s| s.payments = vec![pay(PaymentMeans::Cash, 1_000_01)]);
        assert_eq!(cash, ["cash_limit_exceeded"]);
        let much = after(margin_invoice(), |s| s.payments = vec![pay(PaymentMeans::Card, 99_000_00)]);
        assert_eq!(much, ["payments_exceed_total"]);
        let none = after(invoice(), |s| s.payments = vec![pay(PaymentMeans::Card, 0)]);
        assert_eq!(none, ["payment_not_positive"]);
    }

    #[test]
    fn a_credit_note_takes_back_no_more_than_is_left() {
        let credited = |s: &mut Sale, cents| s.credited.as_mut().unwrap().credited_cents = cents;
        let gross = totals(&credit_note()).gross_cents;
        let invoiced = credit_note().credited.unwrap().gross_cents;
        assert_eq!(after(credit_note(), |s| credited(s, invoiced - gross)), [""; 0], "the whole rest");
        assert_eq!(after(credit_note(), |s| credited(s, invoiced - gross + 1)), ["credit_exceeds_invoice"]);
        assert_eq!(after(credit_note(), |s| s.credited = None), ["credited_missing"]);
        assert_eq!(after(credit_note(), |s| s.kind = Kind::Invoice)[0], "number_wrong_series");
        let early = credit_note().credited.unwrap().issued_on.pred_opt().unwrap();
        assert_eq!(after(credit_note(), |s| s.issued_on = early), ["credit_before_invoice"]);
    }

    #[test]
    fn french_companies_are_named_by_their_siren_since_e_invoicing() {
        let nameless = |s: &mut Sale| {
            if let Buyer::Company { siren, .. } = &mut s.buyer {
                *siren = None;
            }
        };
        let sale = Sale { buyer: company(), due_on: Some(invoice().issued_on), ..invoice() };
        assert_eq!(after(sale.clone(), nameless), ["buyer_siren_missing"]);
        let earlier = "2026-08-31".parse().unwrap();
        assert_eq!(after(Sale { issued_on: earlier, ..sale.clone() }, nameless), [""; 0]);
        assert_eq!(after(sale, |s| s.due_on = None), ["due_date_missing"]);
    }
}
