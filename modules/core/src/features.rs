//! Parts of the program that staff turn off while it runs, or on for some organizations first.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::tables::core_features::{self, dsl};
use crate::{Actor, App, Error, ErrorCode, Result, as_system};

/// After this long the table is looked at again: a change is everywhere within it.
const FRESH: Duration = Duration::from_secs(5);
/// Organizations that may be named for one part.
const MOST_NAMED: usize = 1_000;

/// A part that can be turned off. Modules declare theirs ([`crate::Module::features`]) and ask before they begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feature {
    /// Stable, `<module>.<what>`.
    pub name: &'static str,
    pub title_fr: &'static str,
    pub title_en: &'static str,
}

/// For whom a part is on; without such a row for everybody.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = core_features)]
pub struct Switch {
    pub name: String,
    /// Of a hundred organizations, for how many.
    pub percent: i32,
    /// For these in any case.
    pub organizations: Vec<Uuid>,
    pub changed_by: Uuid,
    pub changed_at: DateTime<Utc>,
}

impl Switch {
    /// The same organizations at each look, and those of a smaller share are among those of a larger one. Nobody in
    /// particular has what everybody has.
    fn is_on(&self, org: Option<Uuid>) -> bool {
        let Some(org) = org else { return self.percent == 100 };
        self.percent == 100 || self.organizations.contains(&org) || place(&self.name, org) < self.percent
    }
}

/// A number from 0 to 99 that belongs to an organization and a part.
fn place(name: &str, org: Uuid) -> i32 {
    let digest = Sha256::new().chain_update(name).chain_update(org.as_bytes()).finalize();
    i32::from(u16::from_be_bytes([digest[0], digest[1]]) % 100)
}

type Switches = Arc<HashMap<String, Switch>>;

/// What is declared, and what was last seen of the table.
pub(crate) struct Features {
    declared: Vec<Feature>,
    seen: RwLock<Option<(Instant, Switches)>>,
}

impl Features {
    pub fn new(declared: Vec<Feature>) -> Self {
        Self { declared, seen: RwLock::new(None) }
    }
}

impl App {
    /// The parts that can be turned off.
    pub fn features(&self) -> &[Feature] {
        &self.known_features().declared
    }

    /// Whether a part is on for an organization; without one, whether it is on for everybody.
    ///
    /// # Errors
    /// `UNAVAILABLE` when PostgreSQL cannot be asked.
    pub async fn is_on(&self, feature: &Feature, org: Option<Uuid>) -> Result<bool> {
        Ok(self.switches().await?.get(feature.name).is_none_or(|switch| switch.is_on(org)))
    }

    /// # Errors
    /// `FEATURE_OFF`, with the name of the part, where it is not on.
    pub async fn require(&self, feature: &Feature, org: Option<Uuid>) -> Result<()> {
        if self.is_on(feature, org).await? { Ok(()) } else { Err(off(feature)) }
    }

    /// For whom the declared parts are on, where that is not everybody.
    ///
    /// # Errors
    /// `UNAVAILABLE` when PostgreSQL cannot be asked.
    pub async fn switches(&self) -> Result<Switches> {
        let features = self.known_features();
        let seen = features.seen.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, switches)) = seen
            && at.elapsed() < FRESH
        {
            return Ok(switches);
        }
        let rows: Vec<Switch> = as_system(async {
            let mut conn = self.conn().await?;
            Ok::<_, Error>(core_features::table.select(Switch::as_select()).load(&mut conn).await?)
        })
        .await?;
        let switches: Switches = Arc::new(rows.into_iter().map(|row| (row.name.clone(), row)).collect());
        *features.seen.write().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), Arc::clone(&switches)));
        Ok(switches)
    }

    /// Says for whom a part is on. This process knows at once, others within five seconds.
    ///
    /// # Errors
    /// `BAD_INPUT` for a share that is none or too many organizations.
    pub async fn switch(&self, actor: &Actor, feature: &Feature, percent: i32, named: Vec<Uuid>) -> Result<Switch> {
        if !(0..=100).contains(&percent) || named.len() > MOST_NAMED {
            return Err(Error::bad_input(
                "Une part va de 0 à 100, et mille organisations au plus peuvent être nommées.",
                "A share is 0 to 100, and a thousand organizations at most can be named.",
            ));
        }
        let name = feature.name.to_owned();
        let row = Switch { name, percent, organizations: named, changed_by: actor.user_id, changed_at: self.now() };
        let mut conn = self.conn().await?;
        let insert = diesel::insert_into(core_features::table).values(&row);
        insert.on_conflict(dsl::name).do_update().set(&row).execute(&mut conn).await?;
        *self.known_features().seen.write().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(row)
    }
}

fn off(feature: &Feature) -> Error {
    Error::new(
        ErrorCode::FEATURE_OFF,
        format!("Indisponible en ce moment : {}. Réessayez plus tard.", feature.title_fr),
        format!("Not available at the moment: {}. Try again later.", feature.title_en),
    )
    .with_detail("feature", feature.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn switch(percent: i32, organizations: Vec<Uuid>) -> Switch {
        Switch {
            name: "a.b".to_owned(),
            percent,
            organizations,
            changed_by: Uuid::nil(),
            changed_at: DateTime::<Utc>::default(),
        }
    }

    #[test]
    fn a_share_is_that_of_organizations_and_grows_without_leaving_any_out() {
        let orgs: Vec<Uuid> = (0..2_000_u128).map(Uuid::from_u128).collect();
        let on = |percent| orgs.iter().filter(|org| switch(percent, vec![]).is_on(Some(**org))).collect::<Vec<_>>();
        let (none, tenth, half) = (on(0), on(10), on(50));
        assert!(none.is_empty() && on(100).len() == orgs.len());
        assert!(
            (150..250).contains(&tenth.len()) && (900..1_100).contains(&half.len()),
            "{} {}",
            tenth.len(),
            half.len()
        );
        assert!(tenth.iter().all(|org| half.contains(org)));
    }

    #[test]
    fn the_named_have_it_and_nobody_in_particular_only_what_everybody_has() {
        let org = Uuid::from_u128(7);
        assert!(switch(0, vec![org]).is_on(Some(org)) && !switch(0, vec![org]).is_on(Some(Uuid::from_u128(8))));
        assert!(!switch(99, vec![]).is_on(None) && switch(100, vec![]).is_on(None));
    }
}
