//! The sentences that the law wants on a document, as dated data with their sources (`data/mentions.json`).

use std::sync::LazyLock;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::Confidence;
use crate::invoice::{Kind, Nature, Sale, VatTreatment};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BuyerType {
    Person,
    Company,
}

/// What a document must contain for a mention to apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    Margin,
    Franchise,
    Disbursement,
    Goods,
    Mediator,
    VatOnDebits,
}

/// A sentence with the days and the documents it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    pub id: String,
    pub from: NaiveDate,
    #[serde(default)]
    pub until: Option<NaiveDate>,
    pub kinds: Vec<Kind>,
    /// Both kinds of buyers when none.
    #[serde(default)]
    pub buyer: Option<BuyerType>,
    #[serde(default)]
    pub needs: Vec<Need>,
    /// Code of the note in the XML (BT-21, UNTDID 4451).
    #[serde(default)]
    pub subject: Option<String>,
    pub fr: String,
    pub en: String,
    pub source: String,
    pub confidence: Confidence,
}

/// A sentence to print.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// Stable name of the rule.
    pub id: String,
    pub subject: Option<String>,
    pub fr: String,
    pub en: String,
}

// Part of the program and read by a test; see the same remark in `vat.rs`.
static RULES: LazyLock<Vec<Rule>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../data/mentions.json")).unwrap_or_default());

/// Every mention this crate knows, past and coming ones included.
pub fn rules() -> &'static [Rule] {
    &RULES
}

/// The mentions that a document must carry on the day it is issued, in the order in which they are printed.
pub fn mentions(sale: &Sale) -> Vec<Mention> {
    rules().iter().filter(|rule| applies(rule, sale)).map(|rule| fill(rule, sale)).collect()
}

fn applies(rule: &Rule, sale: &Sale) -> bool {
    let in_force = rule.from <= sale.issued_on && rule.until.is_none_or(|until| sale.issued_on <= until);
    let buyer = if sale.buyer.is_company() { BuyerType::Company } else { BuyerType::Person };
    in_force
        && rule.kinds.contains(&sale.kind)
        && rule.buyer.is_none_or(|wanted| wanted == buyer)
        && rule.needs.iter().all(|need| meets(*need, sale))
}

fn meets(need: Need, sale: &Sale) -> bool {
    let any = |matches: fn(&VatTreatment) -> bool| sale.lines.iter().any(|line| matches(&line.vat));
    match need {
        Need::Margin => any(|vat| matches!(vat, VatTreatment::Margin { .. })),
        Need::Franchise => any(|vat| matches!(vat, VatTreatment::Franchise)),
        Need::Disbursement => any(|vat| matches!(vat, VatTreatment::Disbursement)),
        Need::Goods => sale.lines.iter().any(|line| matches!(line.nature, Nature::Car | Nature::Goods)),
        Need::Mediator => sale.terms.mediator.is_some(),
        Need::VatOnDebits => sale.terms.vat_on_debits,
    }
}

fn fill(rule: &Rule, sale: &Sale) -> Mention {
    let mediator = sale.terms.mediator.as_deref().unwrap_or_default();
    let write = |text: &str| text.replace("{penalty}", &sale.terms.late_penalty).replace("{mediator}", mediator);
    Mention { id: rule.id.clone(), subject: rule.subject.clone(), fr: write(&rule.fr), en: write(&rule.en) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tests::{company, invoice, margin_invoice};

    fn ids(sale: &Sale) -> Vec<String> {
        mentions(sale).into_iter().map(|mention| mention.id).collect()
    }

    #[test]
    fn the_file_of_mentions_is_read_and_complete() {
        assert_eq!(rules().len(), 12);
        for rule in rules() {
            assert!(!rule.fr.is_empty() && !rule.en.is_empty() && !rule.source.is_empty(), "{}", rule.id);
        }
    }

    #[test]
    fn professionals_read_about_late_payment_and_consumers_about_guarantees() {
        let consumer = ids(&invoice());
        assert!(consumer.contains(&"legal_guarantee_of_conformity".to_owned()));
        assert!(!consumer.contains(&"recovery_indemnity".to_owned()));
        let professional = ids(&Sale { buyer: company(), ..invoice() });
        for id in ["late_payment_penalty", "recovery_indemnity", "early_payment_discount"] {
            assert!(professional.contains(&id.to_owned()), "{id}");
        }
        assert!(!professional.contains(&"legal_guarantee_of_conformity".to_owned()));
    }

    #[test]
    fn margin_sales_name_the_special_scheme_once_whatever_the_year() {
        for on in ["2026-11-26", "2027-12-31", "2028-01-01", "2031-06-01"] {
            let sale = Sale { issued_on: on.parse().unwrap(), ..margin_invoice() };
            let found: Vec<Mention> = mentions(&sale).into_iter().filter(|m| m.id == "margin_scheme").collect();
            assert_eq!(found.len(), 1, "{on}");
            assert!(found[0].fr.starts_with("Régime particulier – Biens d’occasion"));
            assert_eq!(found[0].fr.contains("CGI"), on < "2028");
        }
        assert!(!ids(&invoice()).contains(&"margin_scheme".to_owned()));
    }

    #[test]
    fn sellers_who_chose_debits_say_so() {
        let mut sale = invoice();
        assert!(!ids(&sale).contains(&"vat_on_debits".to_owned()));
        sale.terms.vat_on_debits = true;
        assert!(ids(&sale).contains(&"vat_on_debits".to_owned()));
    }

    #[test]
    fn placeholders_are_filled() {
        let mut sale = Sale { buyer: company(), ..invoice() };
        sale.terms.late_penalty = "12 % l’an".to_owned();
        assert!(mentions(&sale).iter().any(|mention| mention.fr.ends_with(": 12 % l’an.")));
        assert!(mentions(&sale).iter().all(|mention| !mention.fr.contains('{')));
    }
}
