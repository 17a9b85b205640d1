//! The main business rules of EN 16931, checked on the XML that comes out, with arithmetic of their own.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use keroxio_plugin_documents::invoice::{PriceBasis, Sale, VatTreatment};
use keroxio_plugin_documents::{facturx, totals};
use quick_xml::Reader;
use quick_xml::events::Event;

/// An element without namespaces: name, attributes, own text, children.
#[derive(Debug, Default)]
struct Node {
    name: String,
    attributes: BTreeMap<String, String>,
    text: String,
    children: Vec<Node>,
}

impl Node {
    fn all<'a>(&'a self, path: &'a str) -> Vec<&'a Node> {
        path.split('/').fold(vec![self], |nodes, name| {
            nodes.into_iter().flat_map(|node| &node.children).filter(|node| node.name == name).collect()
        })
    }

    fn one<'a>(&'a self, path: &'a str) -> &'a Node {
        let found = self.all(path);
        assert_eq!(found.len(), 1, "{path} in {}", self.name);
        found[0]
    }

    fn get(&self, path: &str) -> Option<String> {
        self.all(path).first().map(|node| node.text.clone())
    }

    /// Amount in cents; two decimals are asked for (BR-DEC-*).
    fn cents(&self, path: &str) -> i64 {
        let text = &self.one(path).text;
        let (whole, decimals) = text.split_once('.').unwrap();
        assert_eq!(decimals.len(), 2, "{path} {text}");
        format!("{whole}{decimals}").parse().unwrap()
    }
}

fn parse(xml: &[u8]) -> Node {
    let mut reader = Reader::from_str(std::str::from_utf8(xml).unwrap());
    let local = |name: &str| name.rsplit(':').next().unwrap().to_owned();
    let mut open = vec![Node::default()];
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                let attributes = start.attributes().map(|attribute| {
                    let attribute = attribute.unwrap();
                    (local(attribute.key.as_ref()), attribute.value.into_owned())
                });
                open.push(Node {
                    name: local(start.name().as_ref()),
                    attributes: attributes.collect(),
                    ..Node::default()
                });
            }
            Event::Text(text) => open.last_mut().unwrap().text.push_str(text.trim()),
            Event::GeneralRef(entity) => {
                open.last_mut().unwrap().text.push_str(&format!("&{};", &*entity));
            }
            Event::End(_) => {
                let node = open.pop().unwrap();
                open.last_mut().unwrap().children.push(node);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    open.pop().unwrap().children.pop().unwrap()
}

fn example(name: &str) -> Sale {
    let path = format!("{}/tests/data/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

const EXAMPLES: [&str; 4] = ["margin_invoice", "repair_invoice", "company_invoice", "credit_note"];

fn trees() -> Vec<(String, Node)> {
    let mut sales: Vec<(String, Sale)> = EXAMPLES.map(|name| (name.to_owned(), example(name))).into();
    let mut franchise = example("repair_invoice");
    franchise.seller.vat_id = None;
    franchise.lines.iter_mut().for_each(|line| line.vat = VatTreatment::Franchise);
    sales.push(("franchise".to_owned(), franchise));
    let mut margin_only = example("margin_invoice");
    margin_only.lines.truncate(1);
    sales.push(("margin_only".to_owned(), margin_only));
    let mut included = example("company_invoice");
    included.price_basis = PriceBasis::TaxIncluded;
    included.lines[1].vat = VatTreatment::Taxed { rate_basis_points: 550 };
    sales.push(("tax_included_two_rates".to_owned(), included));
    sales.into_iter().map(|(name, sale)| (name, parse(&facturx::xml(&sale).unwrap()))).collect()
}

const TRADE: &str = "SupplyChainTradeTransaction";
const LINES: &str = "SupplyChainTradeTransaction/IncludedSupplyChainTradeLineItem";
const SETTLEMENT: &str = "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement";
const SUMS: &str = "SpecifiedTradeSettlementHeaderMonetarySummation";
const LINE_AMOUNT: &str = "SpecifiedLineTradeSettlement/SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount";
const LINE_TAX: &str = "SpecifiedLineTradeSettlement/ApplicableTradeTax";

/// `20` and `5.5` as hundredths.
fn rate(node: &Node) -> i64 {
    let text = node.get("RateApplicablePercent").unwrap();
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    format!("{whole}{decimals:0<2}").parse().unwrap()
}

#[test]
fn what_every_invoice_must_have_br_01_to_16() {
    for (name, root) in trees() {
        let context = root.one("ExchangedDocumentContext");
        assert_eq!(context.one("GuidelineSpecifiedDocumentContextParameter/ID").text, facturx::PROFILE, "BR-01");
        let head = root.one("ExchangedDocument");
        assert!(!head.one("ID").text.is_empty(), "BR-02");
        assert_eq!(head.one("IssueDateTime/DateTimeString").attributes["format"], "102", "BR-03");
        let kind = if name == "credit_note" { "381" } else { "380" };
        assert_eq!(head.one("TypeCode").text, kind, "BR-04");
        assert_eq!(root.one(SETTLEMENT).one("InvoiceCurrencyCode").text, "EUR", "BR-05");
        let agreement = root.one(TRADE).one("ApplicableHeaderTradeAgreement");
        for party in ["SellerTradeParty", "BuyerTradeParty"] {
            let party = agreement.one(party);
            assert!(!party.one("Name").text.is_empty(), "BR-06, BR-07");
            assert_eq!(party.one("PostalTradeAddress/CountryID").text.len(), 2, "BR-09, BR-11");
        }
        assert!(!root.all(LINES).is_empty(), "BR-16");
    }
}

#[test]
fn lines_br_21_to_27() {
    for (name, root) in trees() {
        for (index, line) in root.all(LINES).into_iter().enumerate() {
            assert_eq!(line.one("AssociatedDocumentLineDocument/LineID").text, (index + 1).to_string(), "BR-21");
            let quantity = line.one("SpecifiedLineTradeDelivery/BilledQuantity");
            assert!(["C62", "HUR"].contains(&quantity.attributes["unitCode"].as_str()), "BR-23");
            assert!(!line.one("SpecifiedTradeProduct/Name").text.is_empty(), "BR-25");
            let price = &line.one("SpecifiedLineTradeAgreement/NetPriceProductTradePrice/ChargeAmount").text;
            assert!(!price.starts_with('-'), "BR-27");
            // The amount of a line is what a reader computes: quantity x net price - allowances.
            let allowance = "SpecifiedLineTradeSettlement/SpecifiedTradeAllowanceCharge";
            let allowances: i64 = line.all(allowance).iter().map(|node| node.cents("ActualAmount")).sum();
            let product = price.parse::<f64>().unwrap() * quantity.text.parse::<f64>().unwrap() * 100.0;
            assert_eq!(product.round() as i64 - allowances, line.cents(LINE_AMOUNT), "{name} line {index}");
        }
    }
}

#[test]
fn totals_reconcile_br_co_10_13_14_15_16() {
    for (name, root) in trees() {
        let sums = root.one(SETTLEMENT).one(SUMS);
        let lines: i64 = root.all(LINES).iter().map(|line| line.cents(LINE_AMOUNT)).sum();
        assert_eq!(sums.cents("LineTotalAmount"), lines, "BR-CO-10 {name}");
        assert_eq!(sums.cents("TaxBasisTotalAmount"), lines, "BR-CO-13 {name}: no allowance or charge on the whole");
        let taxes = root.all("SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement/ApplicableTradeTax");
        let vat: i64 = taxes.iter().map(|tax| tax.cents("CalculatedAmount")).sum();
        assert_eq!(sums.cents("TaxTotalAmount"), vat, "BR-CO-14 {name}");
        assert_eq!(sums.one("TaxTotalAmount").attributes["currencyID"], "EUR");
        let gross = sums.cents("GrandTotalAmount");
        assert_eq!(gross, lines + vat, "BR-CO-15 {name}");
        let paid = sums.all("TotalPrepaidAmount").first().map_or(0, |_| sums.cents("TotalPrepaidAmount"));
        assert_eq!(sums.cents("DuePayableAmount"), gross - paid, "BR-CO-16 {name}");
    }
}

#[test]
fn vat_breakdown_br_co_17_18_br_s_br_e() {
    for (name, root) in trees() {
        let taxes = root.all("SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement/ApplicableTradeTax");
        assert!(!taxes.is_empty(), "BR-CO-18");
        let exact = name != "tax_included_two_rates" && name != "margin_invoice" && name != "credit_note";
        for tax in &taxes {
            let (base, vat, rate) = (tax.cents("BasisAmount"), tax.cents("CalculatedAmount"), rate(tax));
            let expected = (base * rate * 2 + 10_000) / 20_000;
            // Prices with tax included may leave one cent, which BR-CO-17 allows.
            assert!((vat - expected).abs() <= i64::from(!exact), "BR-CO-17, BR-S-09, BR-E-09 {name}");
            let category = tax.one("CategoryCode").text.clone();
            let lines = root.all(LINES);
            let members = lines.iter().filter(|line| {
                let of_line = line.one(LINE_TAX);
                of_line.one("CategoryCode").text == category && self::rate(of_line) == rate
            });
            let sum: i64 = members.map(|line| line.cents(LINE_AMOUNT)).sum();
            assert_eq!(base, sum, "BR-S-08, BR-E-08 {name}");
            let reasons = tax.all("ExemptionReason").len() + tax.all("ExemptionReasonCode").len();
            match category.as_str() {
                "S" => {
                    assert!(rate > 0, "BR-S-05");
                    assert_eq!(reasons, 0, "BR-S-10");
                }
                "E" => {
                    assert_eq!((rate, vat), (0, 0), "BR-E-05, BR-E-09");
                    assert!(reasons >= 1, "BR-E-10");
                }
                other => panic!("category {other}"),
            }
        }
        let exempt = taxes.iter().filter(|tax| tax.one("CategoryCode").text == "E").count();
        let exempt_lines = root.all(LINES).iter().any(|line| line.one(LINE_TAX).one("CategoryCode").text == "E");
        assert_eq!(exempt, usize::from(exempt_lines), "BR-E-01 {name}");
    }
}

#[test]
fn the_seller_is_identified_br_s_02_br_e_02_br_co_26() {
    for (name, root) in trees() {
        let seller = root.one("SupplyChainTradeTransaction/ApplicableHeaderTradeAgreement/SellerTradeParty");
        let scheme = if name == "franchise" { "FC" } else { "VA" };
        assert_eq!(seller.one("SpecifiedTaxRegistration/ID").attributes["schemeID"], scheme, "BR-S-02, BR-E-02");
        assert_eq!(seller.one("SpecifiedLegalOrganization/ID").attributes["schemeID"], "0002", "BR-CO-26");
    }
}

#[test]
fn margin_scheme_has_its_code_and_text() {
    let (_, root) = trees().into_iter().find(|(name, _)| name == "margin_only").unwrap();
    let tax = root.one(SETTLEMENT).one("ApplicableTradeTax");
    assert_eq!(tax.one("ExemptionReasonCode").text, "VATEX-EU-F");
    assert!(tax.one("ExemptionReason").text.contains("Biens d’occasion"));
    let notes = root.all("ExchangedDocument/IncludedNote");
    assert!(notes.iter().any(|note| note.one("Content").text.starts_with("Régime particulier – Biens d’occasion")));
}

#[test]
fn money_to_pay_has_terms_br_co_25_and_an_account_br_61() {
    for (_, root) in trees() {
        let settlement = root.one(SETTLEMENT);
        assert!(!settlement.one("SpecifiedTradePaymentTerms/Description").text.is_empty(), "BR-CO-25");
        let means = settlement.one("SpecifiedTradeSettlementPaymentMeans");
        assert_eq!(means.one("TypeCode").text, "58", "BR-49");
        assert!(!means.one("PayeePartyCreditorFinancialAccount/IBANID").text.is_empty(), "BR-61");
    }
}

#[test]
fn a_credit_note_names_its_invoice_and_has_positive_amounts() {
    let (_, root) = trees().into_iter().find(|(name, _)| name == "credit_note").unwrap();
    let reference = root.one(SETTLEMENT).one("InvoiceReferencedDocument");
    assert_eq!(reference.one("IssuerAssignedID").text, "F-2026-000123", "BR-55");
    assert!(root.one(SETTLEMENT).one(SUMS).cents("GrandTotalAmount") > 0);
}

#[test]
fn professionals_get_the_notes_that_platforms_ask_for_br_fr_05() {
    let (_, root) = trees().into_iter().find(|(name, _)| name == "company_invoice").unwrap();
    for code in ["PMT", "PMD", "AAB"] {
        let notes = root.all("ExchangedDocument/IncludedNote");
        let count = notes.iter().filter(|note| note.get("SubjectCode").as_deref() == Some(code)).count();
        assert_eq!(count, 1, "{code}");
    }
}

#[test]
fn the_xml_says_what_the_totals_say() {
    for name in EXAMPLES {
        let sale = example(name);
        let totals = totals::totals(&sale);
        let root = parse(&facturx::xml(&sale).unwrap());
        let sums = root.one(SETTLEMENT).one(SUMS);
        assert_eq!(sums.cents("GrandTotalAmount"), totals.gross_cents);
        assert_eq!(sums.cents("DuePayableAmount"), totals.due_cents);
    }
}
