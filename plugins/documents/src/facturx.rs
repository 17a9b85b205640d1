//! The Cross Industry Invoice of Factur-X, profile EN 16931 (UN/CEFACT CII D22B, the D16B subset of EN 16931-3-3).
//!
//! The order of elements is that of the schema and matters. Amounts are euros with two decimals. BT and BG numbers are
//! those of EN 16931-1. The fields that French approved platforms ask for (AFNOR XP Z12-012: BT-23, notes PMT, PMD and
//! AAB, electronic addresses in scheme 0225) are filled as well.

use std::io::{self, Write as _};

use chrono::NaiveDate;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use crate::DocumentError;
use crate::invoice::{Address, Buyer, Car, Kind, Line, Nature, PaymentMeans, PriceBasis, Sale, Seller, VatTreatment};
use crate::mentions::{Mention, mentions};
use crate::text::{decimal, percent};
use crate::totals::{Category, LineTotal, Totals, VatGroup, totals};
use crate::vat::divide_half_up;

/// BT-24.
pub const PROFILE: &str = "urn:cen.eu:en16931:2017";

/// Name that the XML must have inside the PDF.
pub const FILE_NAME: &str = "factur-x.xml";

/// French electronic address (SIREN) in the list of electronic address schemes.
const ADDRESS_SCHEME: &str = "0225";
/// SIREN and SIRET in ISO 6523.
const SIREN_SCHEME: &str = "0002";
const SIRET_SCHEME: &str = "0009";

/// The XML of an invoice or a credit note.
///
/// # Errors
/// [`DocumentError::Faults`] when the document may not be issued, [`DocumentError::WrongKind`] for a quote.
pub fn xml(sale: &Sale) -> Result<Vec<u8>, DocumentError> {
    if sale.kind == Kind::Quote {
        return Err(DocumentError::WrongKind);
    }
    let faults = sale.validate();
    if !faults.is_empty() {
        return Err(DocumentError::Faults(faults));
    }
    let mut xml = Xml(Writer::new_with_indent(Vec::new(), b' ', 1));
    document(&mut xml, sale)?;
    let mut bytes = xml.0.into_inner();
    bytes.write_all(b"\n")?;
    Ok(bytes)
}

struct Xml(Writer<Vec<u8>>);

impl Xml {
    fn open(&mut self, name: &str) -> io::Result<()> {
        self.0.write_event(Event::Start(BytesStart::new(name)))
    }

    fn close(&mut self, name: &str) -> io::Result<()> {
        self.0.write_event(Event::End(BytesEnd::new(name)))
    }

    fn within(&mut self, name: &str, inside: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
        self.open(name)?;
        inside(self)?;
        self.close(name)
    }

    fn leaf(&mut self, name: &str, text: &str) -> io::Result<()> {
        self.leaf_with(name, None, text)
    }

    fn leaf_with(&mut self, name: &str, attribute: Option<(&str, &str)>, text: &str) -> io::Result<()> {
        let start = BytesStart::new(name).with_attributes(attribute);
        self.0.write_event(Event::Start(start))?;
        self.0.write_event(Event::Text(BytesText::new(&allowed(text))))?;
        self.close(name)
    }

    fn maybe(&mut self, name: &str, text: Option<&str>) -> io::Result<()> {
        text.filter(|text| !text.trim().is_empty()).map_or(Ok(()), |text| self.leaf(name, text))
    }

    fn amount(&mut self, name: &str, cents: i64) -> io::Result<()> {
        self.leaf(name, &decimal(cents))
    }

    fn date(&mut self, name: &str, day: NaiveDate) -> io::Result<()> {
        let text = day.format("%Y%m%d").to_string();
        self.within(name, |xml| xml.leaf_with("udt:DateTimeString", Some(("format", "102")), &text))
    }
}

/// XML 1.0 has no place for most control characters, not even escaped.
fn allowed(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .filter(|c| !matches!(c, '\u{fffe}' | '\u{ffff}'))
        .collect()
}

fn document(xml: &mut Xml, sale: &Sale) -> io::Result<()> {
    let totals = totals(sale);
    xml.0.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let names = [
        ("xmlns:rsm", "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"),
        ("xmlns:qdt", "urn:un:unece:uncefact:data:standard:QualifiedDataType:100"),
        ("xmlns:ram", "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"),
        ("xmlns:udt", "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"),
    ];
    let root = "rsm:CrossIndustryInvoice";
    xml.0.write_event(Event::Start(BytesStart::new(root).with_attributes(names)))?;
    context(xml, sale, &totals)?;
    head(xml, sale)?;
    xml.within("rsm:SupplyChainTradeTransaction", |xml| {
        for (index, (line, total)) in sale.lines.iter().zip(&totals.lines).enumerate() {
            trade_line(xml, sale, index, line, total)?;
        }
        agreement(xml, sale)?;
        delivery(xml, sale)?;
        settlement(xml, sale, &totals)
    })?;
    xml.close(root)
}

fn context(xml: &mut Xml, sale: &Sale, totals: &Totals) -> io::Result<()> {
    xml.within("rsm:ExchangedDocumentContext", |xml| {
        xml.within("ram:BusinessProcessSpecifiedDocumentContextParameter", |xml| {
            xml.leaf("ram:ID", &process(sale, totals))
        })?;
        xml.within("ram:GuidelineSpecifiedDocumentContextParameter", |xml| xml.leaf("ram:ID", PROFILE))
    })
}

/// BT-23 as France uses it: goods (B), services (S) or both (M); 1 to be paid, 2 paid already.
fn process(sale: &Sale, totals: &Totals) -> String {
    let is_service = |line: &Line| matches!(line.nature, Nature::Service | Nature::Hours);
    let services = sale.lines.iter().any(is_service);
    let goods = sale.lines.iter().any(|line| !is_service(line));
    let letter = match (goods, services) {
        (true, true) => 'M',
        (false, true) => 'S',
        _ => 'B',
    };
    let paid = sale.kind == Kind::Invoice && totals.due_cents == 0;
    format!("{letter}{}", if paid { '2' } else { '1' })
}

fn head(xml: &mut Xml, sale: &Sale) -> io::Result<()> {
    let code = if sale.kind == Kind::CreditNote { "381" } else { "380" };
    xml.within("rsm:ExchangedDocument", |xml| {
        xml.leaf("ram:ID", &sale.number)?;
        xml.leaf("ram:TypeCode", code)?;
        xml.date("ram:IssueDateTime", sale.issued_on)?;
        for mention in mentions(sale) {
            note(xml, &mention)?;
        }
        let reason = sale.credited.as_ref().and_then(|credited| credited.reason.as_deref());
        for text in reason.into_iter().chain(sale.notes.iter().map(String::as_str)) {
            let mention = Mention { id: String::new(), subject: None, fr: text.to_owned(), en: String::new() };
            note(xml, &mention)?;
        }
        identity_note(xml, &sale.seller)
    })
}

fn note(xml: &mut Xml, mention: &Mention) -> io::Result<()> {
    xml.within("ram:IncludedNote", |xml| {
        xml.leaf("ram:Content", &mention.fr)?;
        xml.maybe("ram:SubjectCode", mention.subject.as_deref())
    })
}

/// Legal form, capital and register of the seller (C. com. R.123-238) have no field of their own.
fn identity_note(xml: &mut Xml, seller: &Seller) -> io::Result<()> {
    let mut parts = vec![format!("{} {}", seller.name, seller.legal_form)];
    parts.extend(seller.capital_euros.map(|euros| format!("capital {euros} EUR")));
    parts.extend(seller.rcs.clone());
    let fr = parts.join(", ");
    note(xml, &Mention { id: String::new(), subject: Some("ABL".to_owned()), fr, en: String::new() })
}

fn trade_line(xml: &mut Xml, sale: &Sale, index: usize, line: &Line, total: &LineTotal) -> io::Result<()> {
    xml.within("ram:IncludedSupplyChainTradeLineItem", |xml| {
        xml.within("ram:AssociatedDocumentLineDocument", |xml| xml.leaf("ram:LineID", &(index + 1).to_string()))?;
        product(xml, sale, line)?;
        xml.within("ram:SpecifiedLineTradeAgreement", |xml| {
            xml.within("ram:NetPriceProductTradePrice", |xml| {
                xml.leaf("ram:ChargeAmount", &net_price(sale.price_basis, line, total))
            })
        })?;
        xml.within("ram:SpecifiedLineTradeDelivery", |xml| {
            xml.leaf_with("ram:BilledQuantity", Some(("unitCode", unit(line.nature))), &line.quantity.to_string())
        })?;
        line_settlement(xml, total)
    })
}

/// UN/ECE recommendation 20: hour, or one.
fn unit(nature: Nature) -> &'static str {
    if nature == Nature::Hours { "HUR" } else { "C62" }
}

/// BT-146. A price typed with tax becomes the net price with as many decimals as it takes for quantity x price to give
/// the net amount of the line to the cent; six at most (BR-FR-DEC-03).
fn net_price(basis: PriceBasis, line: &Line, total: &LineTotal) -> String {
    if basis == PriceBasis::Net || total.category == Category::Exempt {
        return decimal(line.unit_price_cents);
    }
    let before_discount = i128::from(total.net_cents) + i128::from(total.discount_cents);
    // Cents times 10^4 are millionths of a euro, thousandths of a unit take another 10^3.
    let millionths = divide_half_up(before_discount * 10_000_000, i128::from(line.quantity.thousandths).max(1));
    let text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
    let end = text.trim_end_matches('0').len();
    text[..end.max(text.len() - 4)].to_owned()
}

fn product(xml: &mut Xml, sale: &Sale, line: &Line) -> io::Result<()> {
    xml.within("ram:SpecifiedTradeProduct", |xml| {
        xml.leaf("ram:Name", &line.description)?;
        xml.maybe("ram:Description", line.details.as_deref())?;
        match sale.car.as_ref().filter(|_| line.nature == Nature::Car) {
            Some(car) => car_facts(car).iter().try_for_each(|(name, value)| characteristic(xml, name, value)),
            None => Ok(()),
        }
    })
}

fn characteristic(xml: &mut Xml, name: &str, value: &str) -> io::Result<()> {
    xml.within("ram:ApplicableProductCharacteristic", |xml| {
        xml.leaf("ram:Description", name)?;
        xml.leaf("ram:Value", value)
    })
}

/// BG-32: what the invoice must repeat about the car.
fn car_facts(car: &Car) -> Vec<(&'static str, String)> {
    let guarantee = if car.mileage_guaranteed { "" } else { " (non garanti)" };
    let facts = [
        ("Marque", Some(car.make.clone())),
        ("Modèle", Some(car.model.clone())),
        ("Version", Some(car.version.clone())),
        ("Immatriculation", car.plate.clone()),
        ("Numéro de série (VIN)", car.vin.clone()),
        ("Première mise en circulation", car.first_registered_on.map(|day| day.format("%Y-%m").to_string())),
        ("Kilométrage", car.mileage_km.map(|km| format!("{km} km{guarantee}"))),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn line_settlement(xml: &mut Xml, total: &LineTotal) -> io::Result<()> {
    xml.within("ram:SpecifiedLineTradeSettlement", |xml| {
        xml.within("ram:ApplicableTradeTax", |xml| {
            xml.leaf("ram:TypeCode", "VAT")?;
            xml.leaf("ram:CategoryCode", total.category.code())?;
            xml.leaf("ram:RateApplicablePercent", &percent(total.basis_points))
        })?;
        if total.discount_cents > 0 {
            discount(xml, total.discount_cents)?;
        }
        xml.within("ram:SpecifiedTradeSettlementLineMonetarySummation", |xml| {
            xml.amount("ram:LineTotalAmount", total.net_cents)
        })
    })
}

fn discount(xml: &mut Xml, cents: i64) -> io::Result<()> {
    xml.within("ram:SpecifiedTradeAllowanceCharge", |xml| {
        xml.within("ram:ChargeIndicator", |xml| xml.leaf("udt:Indicator", "false"))?;
        xml.amount("ram:ActualAmount", cents)?;
        xml.leaf("ram:ReasonCode", "95")?;
        xml.leaf("ram:Reason", "Remise")
    })
}

fn agreement(xml: &mut Xml, sale: &Sale) -> io::Result<()> {
    xml.within("ram:ApplicableHeaderTradeAgreement", |xml| {
        xml.within("ram:SellerTradeParty", |xml| seller_party(xml, &sale.seller))?;
        xml.within("ram:BuyerTradeParty", |xml| buyer_party(xml, &sale.buyer))
    })
}

fn seller_party(xml: &mut Xml, seller: &Seller) -> io::Result<()> {
    if let Some(siret) = &seller.siret {
        xml.leaf_with("ram:GlobalID", Some(("schemeID", SIRET_SCHEME)), siret)?;
    }
    xml.leaf("ram:Name", &seller.name)?;
    xml.within("ram:SpecifiedLegalOrganization", |xml| {
        xml.leaf_with("ram:ID", Some(("schemeID", SIREN_SCHEME)), seller.siren.as_deref().unwrap_or_default())?;
        xml.maybe("ram:TradingBusinessName", seller.trade_name.as_deref())
    })?;
    contact(xml, seller)?;
    address(xml, &seller.address)?;
    electronic_address(xml, seller.siren.as_deref())?;
    match (&seller.vat_id, &seller.siren) {
        (Some(vat_id), _) => tax_registration(xml, "VA", vat_id),
        // BR-E-02: a seller without VAT number, exempt as a small business, has a tax registration all the same (BT-32).
        (None, Some(siren)) => tax_registration(xml, "FC", siren),
        (None, None) => Ok(()),
    }
}

fn contact(xml: &mut Xml, seller: &Seller) -> io::Result<()> {
    if seller.phone.is_none() && seller.email.is_none() {
        return Ok(());
    }
    xml.within("ram:DefinedTradeContact", |xml| {
        xml.leaf("ram:PersonName", seller.trade_name.as_deref().unwrap_or(&seller.name))?;
        if let Some(phone) = &seller.phone {
            xml.within("ram:TelephoneUniversalCommunication", |xml| xml.leaf("ram:CompleteNumber", phone))?;
        }
        if let Some(email) = &seller.email {
            xml.within("ram:EmailURIUniversalCommunication", |xml| xml.leaf("ram:URIID", email))?;
        }
        Ok(())
    })
}

fn buyer_party(xml: &mut Xml, buyer: &Buyer) -> io::Result<()> {
    xml.leaf("ram:Name", buyer.name())?;
    let (siren, vat_id) = match buyer {
        Buyer::Person { .. } => (None, None),
        Buyer::Company { siren, vat_id, .. } => (siren.as_deref(), vat_id.as_deref()),
    };
    if let Some(siren) = siren {
        xml.within("ram:SpecifiedLegalOrganization", |xml| {
            xml.leaf_with("ram:ID", Some(("schemeID", SIREN_SCHEME)), siren)
        })?;
    }
    address(xml, buyer.address())?;
    electronic_address(xml, siren)?;
    vat_id.map_or(Ok(()), |vat_id| tax_registration(xml, "VA", vat_id))
}

fn address(xml: &mut Xml, address: &Address) -> io::Result<()> {
    xml.within("ram:PostalTradeAddress", |xml| {
        xml.leaf("ram:PostcodeCode", &address.postcode)?;
        for (name, line) in ["ram:LineOne", "ram:LineTwo", "ram:LineThree"].into_iter().zip(&address.lines) {
            xml.maybe(name, Some(line))?;
        }
        xml.leaf("ram:CityName", &address.city)?;
        xml.leaf("ram:CountryID", &address.country)
    })
}

fn electronic_address(xml: &mut Xml, siren: Option<&str>) -> io::Result<()> {
    let Some(siren) = siren else { return Ok(()) };
    xml.within("ram:URIUniversalCommunication", |xml| {
        xml.leaf_with("ram:URIID", Some(("schemeID", ADDRESS_SCHEME)), siren)
    })
}

fn tax_registration(xml: &mut Xml, scheme: &str, id: &str) -> io::Result<()> {
    xml.within("ram:SpecifiedTaxRegistration", |xml| xml.leaf_with("ram:ID", Some(("schemeID", scheme)), id))
}

fn delivery(xml: &mut Xml, sale: &Sale) -> io::Result<()> {
    xml.within("ram:ApplicableHeaderTradeDelivery", |xml| {
        let Some(delivery) = &sale.delivery else { return delivered_on_issue(xml, sale) };
        xml.within("ram:ShipToTradeParty", |xml| {
            xml.leaf("ram:Name", sale.buyer.name())?;
            address(xml, &delivery.place)
        })?;
        xml.within("ram:ActualDeliverySupplyChainEvent", |xml| xml.date("ram:OccurrenceDateTime", delivery.on))
    })
}

/// An invoice names the day of the supply when it differs from its own: without one, they are the same (CGI ann. II
/// art. 242 nonies A, I, 10°).
fn delivered_on_issue(xml: &mut Xml, sale: &Sale) -> io::Result<()> {
    if sale.kind != Kind::Invoice {
        return Ok(());
    }
    xml.within("ram:ActualDeliverySupplyChainEvent", |xml| xml.date("ram:OccurrenceDateTime", sale.issued_on))
}

fn settlement(xml: &mut Xml, sale: &Sale, totals: &Totals) -> io::Result<()> {
    xml.within("ram:ApplicableHeaderTradeSettlement", |xml| {
        xml.leaf("ram:PaymentReference", &sale.number)?;
        xml.leaf("ram:InvoiceCurrencyCode", "EUR")?;
        payment_means(xml, sale)?;
        for group in &totals.groups {
            trade_tax(xml, sale, group)?;
        }
        payment_terms(xml, sale, totals)?;
        summation(xml, totals)?;
        credited(xml, sale)
    })
}

/// BG-16: where to pay, and otherwise how it was paid.
fn payment_means(xml: &mut Xml, sale: &Sale) -> io::Result<()> {
    let (code, iban) = match (&sale.seller.iban, sale.payments.last()) {
        (Some(iban), _) => ("58", Some(iban.replace(' ', ""))),
        (None, Some(payment)) => (means_code(payment.means), None),
        (None, None) => return Ok(()),
    };
    xml.within("ram:SpecifiedTradeSettlementPaymentMeans", |xml| {
        xml.leaf("ram:TypeCode", code)?;
        let Some(iban) = iban else { return Ok(()) };
        xml.within("ram:PayeePartyCreditorFinancialAccount", |xml| xml.leaf("ram:IBANID", &iban))?;
        match &sale.seller.bic {
            Some(bic) => xml.within("ram:PayeeSpecifiedCreditorFinancialInstitution", |xml| xml.leaf("ram:BICID", bic)),
            None => Ok(()),
        }
    })
}

/// UNTDID 4461. A transfer whose account is not told has the code of "defined between the parties".
fn means_code(means: PaymentMeans) -> &'static str {
    match means {
        PaymentMeans::Card => "48",
        PaymentMeans::Cash => "10",
        PaymentMeans::Cheque => "20",
        PaymentMeans::BankCheque => "23",
        PaymentMeans::Transfer | PaymentMeans::TradeIn | PaymentMeans::Financing => "ZZZ",
    }
}

fn trade_tax(xml: &mut Xml, sale: &Sale, group: &VatGroup) -> io::Result<()> {
    let exemption = (group.category == Category::Exempt).then(|| exemption(sale));
    xml.within("ram:ApplicableTradeTax", |xml| {
        xml.amount("ram:CalculatedAmount", group.vat_cents)?;
        xml.leaf("ram:TypeCode", "VAT")?;
        xml.maybe("ram:ExemptionReason", exemption.as_ref().map(|(reason, _)| reason.as_str()))?;
        xml.amount("ram:BasisAmount", group.net_cents)?;
        xml.leaf("ram:CategoryCode", group.category.code())?;
        xml.maybe("ram:ExemptionReasonCode", exemption.as_ref().and_then(|(_, code)| *code))?;
        xml.leaf("ram:RateApplicablePercent", &percent(group.basis_points))
    })
}

/// Text and VATEX code of the one exempt group (BR-E-01 allows no second). Where several reasons meet in it, the text
/// names them all and no code is given, since a code would be wrong for a part of the amount.
fn exemption(sale: &Sale) -> (String, Option<&'static str>) {
    let reasons: Vec<(&str, &'static str)> = [
        (VatTreatment::Margin { purchase_cents: None }, "Régime particulier - Biens d’occasion", "VATEX-EU-F"),
        (VatTreatment::Franchise, "TVA non applicable, franchise en base", "VATEX-FR-FRANCHISE"),
        (VatTreatment::Disbursement, "Débours, sommes hors champ de la TVA", "VATEX-EU-79-C"),
    ]
    .into_iter()
    .filter(|(kind, ..)| {
        sale.lines.iter().any(|line| std::mem::discriminant(&line.vat) == std::mem::discriminant(kind))
    })
    .map(|(_, reason, code)| (reason, code))
    .collect();
    let text: Vec<&str> = reasons.iter().map(|(reason, _)| *reason).collect();
    let code = if reasons.len() == 1 { reasons.first().map(|(_, code)| *code) } else { None };
    (text.join(" ; "), code)
}

/// BR-CO-25: a sum to pay needs a due date or terms.
fn payment_terms(xml: &mut Xml, sale: &Sale, totals: &Totals) -> io::Result<()> {
    xml.within("ram:SpecifiedTradePaymentTerms", |xml| {
        let text = match (sale.kind, totals.due_cents) {
            (Kind::CreditNote, _) => "À rembourser ou à déduire",
            (_, 0) => "Payé",
            _ => "À payer au plus tard à la date d’échéance, ou à réception",
        };
        xml.leaf("ram:Description", text)?;
        sale.due_on.map_or(Ok(()), |due| xml.date("ram:DueDateDateTime", due))
    })
}

fn summation(xml: &mut Xml, totals: &Totals) -> io::Result<()> {
    xml.within("ram:SpecifiedTradeSettlementHeaderMonetarySummation", |xml| {
        xml.amount("ram:LineTotalAmount", totals.net_cents)?;
        xml.amount("ram:TaxBasisTotalAmount", totals.net_cents)?;
        xml.leaf_with("ram:TaxTotalAmount", Some(("currencyID", "EUR")), &decimal(totals.vat_cents))?;
        xml.amount("ram:GrandTotalAmount", totals.gross_cents)?;
        if totals.paid_cents > 0 {
            xml.amount("ram:TotalPrepaidAmount", totals.paid_cents)?;
        }
        xml.amount("ram:DuePayableAmount", totals.due_cents)
    })
}

fn credited(xml: &mut Xml, sale: &Sale) -> io::Result<()> {
    let Some(invoice) = &sale.credited else { return Ok(()) };
    let text = invoice.issued_on.format("%Y%m%d").to_string();
    xml.within("ram:InvoiceReferencedDocument", |xml| {
        xml.leaf("ram:IssuerAssignedID", &invoice.number)?;
        xml.within("ram:FormattedIssueDateTime", |xml| {
            xml.leaf_with("qdt:DateTimeString", Some(("format", "102")), &text)
        })
    })
}

#[cfg(test)]
// Cents are written like euros: 12_000_00 is 12 000.00.
#[allow(clippy::inconsistent_digit_grouping)]
mod tests {
    use super::*;
    use crate::check::tests::{invoice, margin_invoice};

    #[test]
    fn a_quote_and_a_faulty_invoice_have_no_xml() {
        assert!(matches!(xml(&Sale { kind: Kind::Quote, ..invoice() }), Err(DocumentError::WrongKind)));
        assert!(matches!(xml(&Sale { lines: Vec::new(), ..invoice() }), Err(DocumentError::Faults(_))));
    }

    #[test]
    fn control_characters_do_not_break_the_xml() {
        let mut sale = invoice();
        sale.lines[0].description = "Vidange <&> \u{1} \u{b} \u{ffff}fin".to_owned();
        let text = String::from_utf8(xml(&sale).unwrap()).unwrap();
        assert!(text.contains("Vidange &lt;&amp;&gt;   fin"));
    }

    #[test]
    fn the_purchase_price_and_the_margin_vat_stay_secret() {
        let text = String::from_utf8(xml(&margin_invoice()).unwrap()).unwrap();
        for secret in ["15200", "465.00", "2790.00"] {
            assert!(!text.contains(secret), "{secret}");
        }
    }

    #[test]
    fn one_reason_has_its_code_and_several_have_none() {
        let mut sale = margin_invoice();
        assert_eq!(exemption(&sale).1, None);
        sale.lines.truncate(2);
        assert_eq!(exemption(&sale), ("Régime particulier - Biens d’occasion".to_owned(), Some("VATEX-EU-F")));
    }

    #[test]
    fn prices_with_tax_become_net_prices_that_multiply_back() {
        let mut sale = Sale { price_basis: PriceBasis::TaxIncluded, ..invoice() };
        sale.lines.truncate(1);
        sale.lines[0].unit_price_cents = 100_00;
        let price = |sale: &Sale| net_price(sale.price_basis, &sale.lines[0], &totals(sale).lines[0]);
        assert_eq!(price(&sale), "83.33");
        sale.lines[0].quantity.thousandths = 7000;
        assert_eq!(price(&sale), "83.332857", "7 x 83.332857 = 583.33");
    }
}
