//! Who sells, as papers say it.

use async_graphql::InputObject;
use diesel_async::AsyncPgConnection;
use keroxio_core::{Actor, App, Error, Result, Right};
use keroxio_plugin_documents::invoice::{Seller, Terms};
use uuid::Uuid;

use crate::input::{PaperAddressInput, compact};
use crate::kinds::{VatScheme, VatTerritory};
use crate::model::{self, SellerRow};

/// Characters of a line.
const LONGEST: usize = 200;

/// What your papers say of you.
#[derive(InputObject)]
pub struct SellerDetailsInput {
    /// Registered name; that of the organization by default.
    name: Option<String>,
    /// Name on the shop sign, where it differs.
    trade_name: Option<String>,
    /// `SAS`, `SARL`, `EI` and the like.
    legal_form: String,
    /// Share capital in whole euros; companies need it.
    capital_euros: Option<u64>,
    /// Fourteen digits of the site that sells. The SIREN is its beginning, or that of the organization.
    siret: Option<String>,
    /// VAT number; not needed under the small business exemption.
    vat_id: Option<String>,
    /// Register and town, for instance `RCS Lyon`; companies need it.
    rcs: Option<String>,
    /// Registered address.
    address: PaperAddressInput,
    /// Where sales are taxed.
    #[graphql(default_with = "VatTerritory::Metropole")]
    territory: VatTerritory,
    /// Telephone.
    phone: Option<String>,
    /// E-mail address.
    email: Option<String>,
    /// Where to send money.
    iban: Option<String>,
    /// Code of the bank.
    bic: Option<String>,
    /// How VAT on your cars is usually charged.
    #[graphql(default_with = "VatScheme::Margin")]
    vat: VatScheme,
    /// Rate of the penalty for late payment, in French; that of the law by default.
    late_penalty: Option<String>,
    /// Name and site of the consumer mediator.
    mediator: Option<String>,
    /// Whether you opted to pay VAT on services when they are invoiced.
    #[graphql(default)]
    vat_on_debits: bool,
}

/// What is said of a seller, completed by what is known of the organization.
#[derive(Clone)]
pub struct Settings {
    pub seller: Seller,
    pub terms: Terms,
    pub scheme: VatScheme,
}

/// As it stands: what is missing is a fault of papers once they are to be issued.
pub async fn of(conn: &mut AsyncPgConnection, org: Uuid) -> Result<Settings> {
    let organization = keroxio_auth::service::organization_in(conn, org).await?;
    let row = model::seller(conn, org).await?;
    let mut settings = match row {
        Some(row) => Settings {
            seller: serde_json::from_value(row.seller)?,
            terms: serde_json::from_value(row.terms)?,
            scheme: VatScheme::stored(&row.vat_scheme),
        },
        None => Settings { seller: nobody(), terms: Terms::default(), scheme: VatScheme::Margin },
    };
    let seller = &mut settings.seller;
    if seller.name.is_empty() {
        seller.name = organization.name;
    }
    seller.siren = seller.siren.take().or(organization.siren);
    Ok(settings)
}

/// A seller of whom nothing is known.
pub fn nobody() -> Seller {
    Seller {
        name: String::new(),
        trade_name: None,
        legal_form: String::new(),
        capital_euros: None,
        siren: None,
        siret: None,
        vat_id: None,
        rcs: None,
        address: Default::default(),
        territory: Default::default(),
        phone: None,
        email: None,
        iban: None,
        bic: None,
    }
}

pub async fn get(app: &App, actor: &Actor) -> Result<Settings> {
    actor.may(Right::Read)?;
    of(&mut *app.conn().await?, actor.org_id).await
}

pub async fn set(app: &App, actor: &Actor, input: SellerDetailsInput) -> Result<Settings> {
    actor.may(Right::Settings)?;
    let siret = compact(input.siret);
    let seller = Seller {
        name: line(input.name)?.unwrap_or_default(),
        trade_name: line(input.trade_name)?,
        legal_form: line(Some(input.legal_form))?.unwrap_or_default(),
        capital_euros: input.capital_euros,
        siren: siret.as_deref().and_then(|siret| siret.get(..9)).map(str::to_owned),
        siret,
        vat_id: compact(input.vat_id),
        rcs: line(input.rcs)?,
        address: input.address.into(),
        territory: input.territory.into(),
        phone: line(input.phone)?,
        email: line(input.email)?,
        iban: compact(input.iban),
        bic: compact(input.bic),
    };
    let usual = Terms::default();
    let terms = Terms {
        late_penalty: line(input.late_penalty)?.unwrap_or(usual.late_penalty),
        mediator: line(input.mediator)?,
        vat_on_debits: input.vat_on_debits,
    };
    let row = SellerRow {
        org_id: actor.org_id,
        seller: serde_json::to_value(seller)?,
        terms: serde_json::to_value(terms)?,
        vat_scheme: input.vat.name().to_owned(),
        updated_at: app.now(),
    };
    let mut tx = app.begin().await?;
    model::save_seller(&mut tx, &row).await?;
    let settings = of(&mut tx, actor.org_id).await?;
    tx.commit().await?;
    Ok(settings)
}

fn line(given: Option<String>) -> Result<Option<String>> {
    let text = given.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if text.as_deref().is_some_and(|text| text.chars().count() > LONGEST || text.contains(char::is_control)) {
        return Err(Error::bad_input(
            "Chaque mention tient sur une ligne de 200 caractères au plus.",
            "Each of these is one line of 200 characters at most.",
        ));
    }
    Ok(text)
}
