use serde::Serialize;

/// Something that forbids to issue a document, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    pub code: FaultCode,
    /// Field of the input, for instance `lines[2].quantity`.
    pub path: String,
    /// For the person at the desk.
    pub fr: String,
    pub en: String,
}

impl Fault {
    pub(crate) fn new(code: FaultCode, path: impl Into<String>) -> Self {
        Self { code, path: path.into(), fr: code.french().to_owned(), en: code.english().to_owned() }
    }
}

/// Writes the codes once: variant, stable name, French, English.
macro_rules! fault_codes {
    ($($variant:ident $code:literal $fr:literal $en:literal)*) => {
        /// Stable name of a fault; serialised in snake case.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
        pub enum FaultCode {
            $(#[doc = $en] #[serde(rename = $code)] $variant,)*
        }

        impl FaultCode {
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            pub fn french(self) -> &'static str {
                match self { $(Self::$variant => $fr,)* }
            }

            pub fn english(self) -> &'static str {
                match self { $(Self::$variant => $en,)* }
            }
        }
    };
}

fault_codes! {
    NumberInvalid "number_invalid"
        "Le numéro est vide ou contient un caractère interdit : 1 à 35 lettres, chiffres ou - + _ /."
        "The number is empty or has a forbidden character: 1 to 35 letters, digits or - + _ /."
    NumberWrongSeries "number_wrong_series"
        "Ce numéro appartient à une autre série : F pour une facture, A pour un avoir, D pour un devis."
        "This number belongs to another series: F for an invoice, A for a credit note, D for a quote."
    IssueDateOutOfRange "issue_date_out_of_range"
        "La date du document doit être comprise entre 2000 et 2099 : corrigez-la."
        "The date of the document must lie between 2000 and 2099: correct it."
    DueDateMissing "due_date_missing"
        "Indiquez la date d’échéance : elle est obligatoire sur une facture à un professionnel."
        "Give the due date: an invoice to a professional must have one."
    DueBeforeIssue "due_before_issue"
        "L’échéance précède la date du document : choisissez une date égale ou postérieure."
        "The due date is before the date of the document: choose the same day or a later one."
    QuoteValidityMissing "quote_validity_missing"
        "Indiquez jusqu’à quelle date le devis est valable."
        "Say until which day the quote is valid."
    QuoteValidityPast "quote_validity_past"
        "Le devis expire avant sa propre date : choisissez une date de validité postérieure."
        "The quote expires before its own date: choose a later last day."
    SellerNameMissing "seller_name_missing"
        "Indiquez le nom ou la raison sociale du garage."
        "Give the name of the garage."
    SellerLegalFormMissing "seller_legal_form_missing"
        "Indiquez la forme juridique du garage (SARL, SAS, EI…)."
        "Give the legal form of the garage (SARL, SAS, EI…)."
    SellerCapitalMissing "seller_capital_missing"
        "Indiquez le capital social : il est obligatoire pour une société."
        "Give the share capital: it is mandatory for a company."
    SellerRcsMissing "seller_rcs_missing"
        "Indiquez le RCS et sa ville (par exemple RCS Lyon) : il est obligatoire pour une société."
        "Give the trade register and its town (for instance RCS Lyon): it is mandatory for a company."
    SellerSirenMissing "seller_siren_missing"
        "Indiquez le SIREN du garage (9 chiffres, sur l’avis de situation Insee)."
        "Give the SIREN of the garage (9 digits, on the Insee certificate)."
    SellerSirenInvalid "seller_siren_invalid"
        "Ce SIREN est faux : vérifiez ses 9 chiffres, la clé de contrôle ne correspond pas."
        "This SIREN is wrong: check its 9 digits, the check digit does not match."
    SellerSiretInvalid "seller_siret_invalid"
        "Ce SIRET est faux : vérifiez ses 14 chiffres, la clé de contrôle ne correspond pas."
        "This SIRET is wrong: check its 14 digits, the check digit does not match."
    SiretSirenMismatch "siret_siren_mismatch"
        "Le SIRET ne commence pas par le SIREN : l’un des deux est d’une autre entreprise."
        "The SIRET does not begin with the SIREN: one of them is of another company."
    SellerVatIdMissing "seller_vat_id_missing"
        "Indiquez le numéro de TVA intracommunautaire du garage (FR suivi de 11 caractères)."
        "Give the VAT number of the garage (FR and 11 characters)."
    SellerVatIdInvalid "seller_vat_id_invalid"
        "Ce numéro de TVA est faux ou n’est pas celui de ce SIREN : vérifiez-le."
        "This VAT number is wrong or does not belong to this SIREN: check it."
    SellerIbanInvalid "seller_iban_invalid"
        "Cet IBAN est faux : recopiez-le depuis le RIB."
        "This IBAN is wrong: copy it from the bank details."
    AddressIncomplete "address_incomplete"
        "Complétez l’adresse : rue, code postal, ville et pays (code à deux lettres)."
        "Complete the address: street, postcode, town and country (two-letter code)."
    BuyerNameMissing "buyer_name_missing"
        "Indiquez le nom de l’acheteur."
        "Give the name of the buyer."
    BuyerSirenMissing "buyer_siren_missing"
        "Indiquez le SIREN de l’entreprise cliente : il est obligatoire sur la facture."
        "Give the SIREN of the client company: the invoice must state it."
    BuyerSirenInvalid "buyer_siren_invalid"
        "Le SIREN du client est faux : vérifiez ses 9 chiffres."
        "The SIREN of the client is wrong: check its 9 digits."
    BuyerVatIdInvalid "buyer_vat_id_invalid"
        "Le numéro de TVA du client est faux : vérifiez-le (code du pays puis 2 à 13 caractères)."
        "The VAT number of the client is wrong: check it (country code, then 2 to 13 characters)."
    DeliveryMissing "delivery_missing"
        "Indiquez la date et le lieu de livraison du véhicule."
        "Give the day and place of delivery of the car."
    CarMissing "car_missing"
        "Décrivez le véhicule : une ligne vend une voiture mais aucune n’est renseignée."
        "Describe the car: a line sells a car but none is given."
    CarNameMissing "car_name_missing"
        "Indiquez la marque, le modèle et la version du véhicule (décret 78-993)."
        "Give make, model and version of the car (décret 78-993)."
    CarPlateMissing "car_plate_missing"
        "Indiquez l’immatriculation du véhicule."
        "Give the registration number of the car."
    CarVinMissing "car_vin_missing"
        "Indiquez le numéro de série (VIN, repère E de la carte grise)."
        "Give the VIN (field E of the registration certificate)."
    CarVinInvalid "car_vin_invalid"
        "Ce numéro de série est impossible : 17 chiffres et lettres sans I, O ni Q depuis 1982."
        "This VIN is impossible: 17 digits and letters without I, O and Q since 1982."
    CarFirstRegistrationMissing "car_first_registration_missing"
        "Indiquez la date de première mise en circulation (repère B de la carte grise)."
        "Give the date of first registration (field B of the registration certificate)."
    CarFirstRegistrationFuture "car_first_registration_future"
        "La première mise en circulation est postérieure au document : corrigez la date."
        "The first registration is later than the document: correct the date."
    CarMileageMissing "car_mileage_missing"
        "Indiquez le kilométrage ; s’il ne peut être prouvé, il sera suivi de « non garanti »."
        "Give the mileage; if it cannot be proved, \"non garanti\" is printed after it."
    TextTooLong "text_too_long"
        "Ce texte est trop long pour le document : raccourcissez-le."
        "This text is too long for the document: shorten it."
    LinesMissing "lines_missing"
        "Ajoutez au moins une ligne."
        "Add at least one line."
    LineDescriptionMissing "line_description_missing"
        "Décrivez ce que la ligne vend."
        "Describe what the line sells."
    LineQuantityNotPositive "line_quantity_not_positive"
        "La quantité doit être supérieure à zéro ; pour reprendre une vente, faites un avoir."
        "The quantity must be above zero; to take back a sale, make a credit note."
    LinePriceNegative "line_price_negative"
        "Le prix unitaire ne peut être négatif : utilisez une remise ou un avoir."
        "The unit price cannot be negative: use a discount or a credit note."
    LineDiscountInvalid "line_discount_invalid"
        "La remise doit être comprise entre zéro et le montant de la ligne."
        "The discount must lie between zero and the amount of the line."
    LineRateUnknown "line_rate_unknown"
        "Ce taux de TVA n’existe pas sur ce territoire à cette date : choisissez un taux en vigueur."
        "This VAT rate does not exist in that territory on that day: choose one in force."
    AmountTooLarge "amount_too_large"
        "Ce montant dépasse 100 millions d’euros : vérifiez la saisie."
        "This amount is above 100 million euros: check what was typed."
    MarginPurchaseMissing "margin_purchase_missing"
        "Indiquez le prix d’achat du véhicule : sans lui, la TVA sur la marge ne peut être calculée."
        "Give the purchase price of the car: VAT on the margin cannot be computed without it."
    MarginPurchaseNegative "margin_purchase_negative"
        "Le prix d’achat ne peut être négatif."
        "The purchase price cannot be negative."
    MarginQuantityNotOne "margin_quantity_not_one"
        "Une ligne sous le régime de la marge vend un seul bien : mettez la quantité à 1."
        "A line under the margin scheme sells one item: set the quantity to 1."
    MarginOnService "margin_on_service"
        "Le régime de la marge ne concerne que les biens d’occasion : choisissez un taux pour ce service."
        "The margin scheme is for used goods only: choose a rate for this service."
    FranchiseWithVat "franchise_with_vat"
        "Un vendeur en franchise de TVA ne peut facturer de TVA ni appliquer la marge : choisissez un seul régime."
        "A seller exempt as a small business cannot charge VAT nor use the margin scheme: choose one regime."
    PaymentNotPositive "payment_not_positive"
        "Un règlement doit être supérieur à zéro."
        "A payment must be above zero."
    PaymentsExceedTotal "payments_exceed_total"
        "Les règlements dépassent le total : corrigez-les ou remboursez le client."
        "The payments exceed the total: correct them or refund the client."
    CashLimitExceeded "cash_limit_exceeded"
        "Un acheteur résident ne peut payer plus de 1 000 € en espèces à un professionnel (c. mon. fin. D.112-3)."
        "A resident buyer cannot pay a professional more than EUR 1,000 in cash (C. mon. fin. D.112-3)."
    CreditedMissing "credited_missing"
        "Indiquez la facture que l’avoir corrige : son numéro et sa date."
        "Give the invoice that the credit note corrects: its number and date."
    CreditedUnexpected "credited_unexpected"
        "Seul un avoir se réfère à une facture : retirez la référence ou faites un avoir."
        "Only a credit note refers to an invoice: remove the reference or make a credit note."
    CreditBeforeInvoice "credit_before_invoice"
        "L’avoir est daté d’avant la facture qu’il corrige : vérifiez les dates."
        "The credit note is dated before the invoice it corrects: check the dates."
    CreditExceedsInvoice "credit_exceeds_invoice"
        "L’avoir dépasse ce qui reste de la facture, avoirs précédents déduits : réduisez son montant."
        "The credit note exceeds what is left of the invoice after earlier credit notes: lower its amount."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_every_message_is_a_sentence_in_both_languages() {
        let mut names: Vec<&str> = FaultCode::ALL.iter().map(|code| code.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FaultCode::ALL.len());
        for code in FaultCode::ALL {
            assert!(code.french().ends_with('.') && code.english().ends_with('.'), "{code:?}");
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }
}
