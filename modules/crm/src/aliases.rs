//! Addresses that leads are mailed to.

use chrono::Duration;
use keroxio_core::{Actor, App, Result, Right, Tx};
use uuid::Uuid;

use crate::error;
use crate::model::{self, Alias};
use crate::settings::Inbound;

/// How long a replaced alias still takes mail: portals keep an address for a while.
pub const OVERLAP: Duration = Duration::days(30);

pub async fn list(app: &App, actor: &Actor) -> Result<Vec<Alias>> {
    actor.may(Right::Read)?;
    Ok(model::aliases(&mut *app.conn().await?, actor.org_id).await?)
}

fn fresh(tx: &Tx, org_id: Uuid, listing_id: Option<Uuid>) -> Alias {
    Alias {
        id: Uuid::now_v7(),
        org_id,
        listing_id,
        token: hex::encode(rand::random::<[u8; 12]>()),
        created_at: tx.app().now(),
        replaced_at: None,
    }
}

/// Makes an address for a listing, or for the whole organization, in place of the one there is.
///
/// # Errors
/// `INBOUND_NOT_CONFIGURED` where no mail comes in.
pub async fn rotate(app: &App, actor: &Actor, listing: Option<Uuid>) -> Result<Alias> {
    actor.may(Right::Publish)?;
    let mut tx = app.begin().await?;
    if let Some(listing) = listing {
        keroxio_listing::service::get_in(&mut tx, actor.org_id, listing).await?;
    }
    if !app.get::<Inbound>()?.is_configured() {
        return Err(error::inbound_not_configured());
    }
    model::lock_intake(&mut tx, actor.org_id).await?;
    let alias = fresh(&tx, actor.org_id, listing);
    model::replace_alias(&mut tx, &alias).await?;
    tx.commit().await?;
    Ok(alias)
}

/// The address for a listing, made where there is none; none where no mail comes in.
pub async fn address_for(tx: &mut Tx, org: Uuid, listing: Option<Uuid>) -> Result<Option<String>> {
    let inbound: Inbound = tx.app().get()?;
    if !inbound.is_configured() {
        return Ok(None);
    }
    model::lock_intake(tx, org).await?;
    let alias = match model::current_alias(tx, org, listing).await? {
        Some(alias) => alias,
        None => {
            let alias = fresh(tx, org, listing);
            model::replace_alias(tx, &alias).await?;
            alias
        }
    };
    Ok(inbound.address(&alias.token))
}

/// The alias that a mail was sent to, by its addresses.
pub async fn find(app: &App, addresses: &[String]) -> Result<Option<Alias>> {
    let inbound: Inbound = app.get()?;
    let tokens: Vec<String> = addresses.iter().filter_map(|address| inbound.token(address)).collect();
    let mut found = model::aliases_by_tokens(&mut *app.conn().await?, &tokens, app.now() - OVERLAP).await?;
    // One of a listing says more than one of the whole organization.
    found.sort_by_key(|alias| alias.listing_id.is_none());
    Ok(found.into_iter().next())
}
