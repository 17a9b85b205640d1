use async_graphql::{Context, Object};
use keroxio_core::{Access, GqlResult, access};

use crate::catalogue::{self, Make, Model};
use crate::input::FuelType;

/// Longest text that is looked for, in characters.
const LONGEST: usize = 60;

fn typed(search: Option<String>) -> String {
    search.unwrap_or_default().chars().take(LONGEST).collect()
}

fn most(first: Option<i32>) -> usize {
    usize::try_from(first.unwrap_or(20).clamp(1, 100)).unwrap_or(20)
}

/// A make of cars.
pub struct VehicleMake(&'static Make);

/// A make of cars.
#[Object]
impl VehicleMake {
    /// Name, as people write it.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Its models that fit what was typed, best first.
    #[graphql(complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity")]
    async fn models(
        &self,
        #[graphql(desc = "What was typed so far; accents, case and hyphens do not matter.")] search: Option<String>,
        #[graphql(desc = "At most so many, 1 to 100; 20 by default.")] first: Option<i32>,
    ) -> Vec<VehicleModel> {
        self.0.models(&typed(search)).into_iter().take(most(first)).map(VehicleModel).collect()
    }
}

/// A model of cars.
pub struct VehicleModel(&'static Model);

/// A model of cars.
#[Object]
impl VehicleModel {
    /// Name, as people write it.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// First year of first registration that is usual; older ones exist.
    async fn first_year(&self) -> i32 {
        self.0.from
    }

    /// Last year of first registration that is usual.
    async fn last_year(&self) -> i32 {
        self.0.until
    }

    /// Energies it is sold with, the most frequent first.
    async fn fuels(&self) -> Vec<FuelType> {
        self.0.fuels()
    }

    /// Engines and finishes that are often named, the most frequent first; many are missing.
    async fn versions(&self) -> &[String] {
        &self.0.versions
    }
}

#[derive(Default)]
pub struct CatalogueQuery;

#[Object]
impl CatalogueQuery {
    /// Makes that fit what was typed, best first, to complete a form. Counted in advertisements: rare makes and models
    /// are missing, and any name can be typed.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read), complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity")]
    async fn vehicle_makes(
        &self,
        _ctx: &Context<'_>,
        #[graphql(desc = "What was typed so far; accents, case and hyphens do not matter.")] search: Option<String>,
        #[graphql(desc = "At most so many, 1 to 100; 20 by default.")] first: Option<i32>,
    ) -> GqlResult<Vec<VehicleMake>> {
        Ok(catalogue::makes(&typed(search)).into_iter().take(most(first)).map(VehicleMake).collect())
    }

    /// A make by its name, however it is written; null for one that is not known.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn vehicle_make(
        &self,
        _ctx: &Context<'_>,
        #[graphql(desc = "Its name.")] name: String,
    ) -> GqlResult<Option<VehicleMake>> {
        Ok(catalogue::make(&name).map(VehicleMake))
    }
}
