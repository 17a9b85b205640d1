//! Garages and private sellers, and their sites.

use diesel_async::AsyncPgConnection;
use keroxio_core::{Actor, App, Error, Result, Right};
use uuid::Uuid;

use crate::error;
use crate::events::OrganizationChanged;
use crate::model::{self, Organization, Site};

/// Most sites of an organization.
const MAX_SITES: usize = 200;

pub fn checked_name(name: &str) -> Result<String> {
    let name = name.trim();
    if name.chars().any(char::is_control) {
        return Err(Error::bad_input("Le nom tient sur une ligne.", "The name is one line."));
    }
    if name.is_empty() || name.chars().count() > 120 {
        return Err(Error::bad_input(
            "Le nom doit compter de 1 à 120 caractères.",
            "The name must have 1 to 120 characters.",
        ));
    }
    Ok(name.to_owned())
}

/// An organization on a connection of the caller's.
pub async fn fetch(conn: &mut AsyncPgConnection, id: Uuid) -> Result<Organization> {
    let found = model::organization(conn, id).await?;
    found.ok_or_else(|| Error::not_found("Organisation", "Organization"))
}

/// Changes what is given of the caller's organization; an empty SIREN takes it away.
pub async fn update(app: &App, actor: &Actor, name: Option<String>, siren: Option<String>) -> Result<Organization> {
    actor.may(Right::Settings)?;
    let mut tx = app.begin().await?;
    let locked = model::lock_organization(&mut tx, actor.org_id).await?;
    let mut organization = locked.ok_or_else(|| Error::not_found("Organisation", "Organization"))?;
    if let Some(name) = name {
        organization.name = checked_name(&name)?;
    }
    if let Some(siren) = siren {
        let digits: String = siren.chars().filter(|c| !c.is_whitespace()).collect();
        if !digits.is_empty() && !is_siren(&digits) {
            return Err(error::siren());
        }
        organization.siren = Some(digits).filter(|digits| !digits.is_empty());
    }
    model::save_organization(&mut tx, &organization).await?;
    tx.announce(&OrganizationChanged { org_id: organization.id }).await?;
    tx.commit().await?;
    Ok(organization)
}

/// Nine digits whose last is a check digit by Luhn's formula.
fn is_siren(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let doubled = |(at, digit): (usize, &u32)| match (at % 2, digit * 2) {
        (0, _) => *digit,
        (_, twice) if twice > 9 => twice - 9,
        (_, twice) => twice,
    };
    digits.len() == 9
        && text.chars().count() == 9
        && digits.iter().rev().enumerate().map(doubled).sum::<u32>().is_multiple_of(10)
}

/// What is said of a site; an empty text takes away, none leaves as it is.
#[derive(Default)]
pub struct SiteFacts {
    pub name: Option<String>,
    pub street: Option<String>,
    pub postal_code: Option<String>,
    pub city: Option<String>,
}

impl SiteFacts {
    fn apply(self, site: &mut Site) -> Result<()> {
        if let Some(name) = self.name {
            site.name = checked_name(&name)?;
        }
        for (given, kept) in
            [(self.street, &mut site.street), (self.postal_code, &mut site.postal_code), (self.city, &mut site.city)]
        {
            let Some(given) = given else { continue };
            if given.chars().count() > 200 {
                return Err(Error::bad_input(
                    "Une ligne d'adresse compte 200 caractères au plus.",
                    "A line of an address has 200 characters at most.",
                ));
            }
            *kept = Some(given.trim().to_owned()).filter(|given| !given.is_empty());
        }
        Ok(())
    }
}

pub async fn sites(app: &App, actor: &Actor) -> Result<Vec<Site>> {
    actor.may(Right::Read)?;
    Ok(model::sites(&mut *app.conn().await?, actor.org_id).await?)
}

pub async fn create_site(app: &App, actor: &Actor, facts: SiteFacts) -> Result<Site> {
    actor.may(Right::Settings)?;
    let mut site = Site {
        id: Uuid::now_v7(),
        org_id: actor.org_id,
        name: String::new(),
        street: None,
        postal_code: None,
        city: None,
        created_at: app.now(),
    };
    let named = SiteFacts { name: Some(facts.name.unwrap_or_default()), ..facts };
    named.apply(&mut site)?;
    let mut tx = app.begin().await?;
    // Two at a time wait for each other, so that the bound holds.
    model::lock_organization(&mut tx, actor.org_id).await?;
    if model::sites(&mut tx, actor.org_id).await?.len() >= MAX_SITES {
        return Err(error::too_many("sites", "sites", MAX_SITES));
    }
    model::insert_site(&mut tx, &site).await?;
    tx.commit().await?;
    Ok(site)
}

pub async fn update_site(app: &App, actor: &Actor, id: Uuid, facts: SiteFacts) -> Result<Site> {
    actor.may(Right::Settings)?;
    let mut tx = app.begin().await?;
    let mut site = model::lock_site(&mut tx, actor.org_id, id).await?.ok_or_else(no_site)?;
    facts.apply(&mut site)?;
    model::save_site(&mut tx, &site).await?;
    tx.commit().await?;
    Ok(site)
}

pub async fn remove_site(app: &App, actor: &Actor, id: Uuid) -> Result<()> {
    actor.may(Right::Settings)?;
    let mut tx = app.begin().await?;
    if !model::delete_site(&mut tx, actor.org_id, id).await? {
        return Err(no_site());
    }
    tx.commit().await
}

fn no_site() -> Error {
    Error::not_found("Site", "Site")
}

#[cfg(test)]
mod tests {
    use super::is_siren;

    #[test]
    fn a_siren_has_nine_digits_and_the_last_one_is_right() {
        assert!(is_siren("732829320") && is_siren("552100554"));
        for wrong in ["732829321", "73282932", "7328293200", "73282932x", "", "732-829320"] {
            assert!(!is_siren(wrong), "{wrong}");
        }
    }
}
