#![doc = include_str!("../README.md")]

mod advance;
mod error;
pub mod events;
mod graphql;
mod jobs;
mod loaders;
mod model;
mod rewriting;
pub mod service;
mod steps;
mod subscription;
mod tables;
mod text;
mod text_graphql;
mod texts;
mod watch;

use keroxio_core::metrics::PREPARATION_SECONDS;

pub use error::sold_already;
pub use graphql::{Listing, ListingQuery as Query};
pub use loaders::Ads;
pub use model::Ad;
pub use subscription::ListingSubscription as Subscription;

#[derive(async_graphql::MergedObject, Default)]
#[graphql(name = "ListingAndTextMutation")]
pub struct Mutation(graphql::AdMutation, text_graphql::TextMutation);

pub struct ListingModule;
pub const MODULE: ListingModule = ListingModule;

impl keroxio_core::Module for ListingModule {
    fn name(&self) -> &'static str {
        "listing"
    }

    fn nodes(&self) -> &'static [(&'static str, &'static str)] {
        &[("Listing", "listing_ads")]
    }

    fn features(&self) -> &'static [keroxio_core::Feature] {
        &[rewriting::REWRITING]
    }

    fn describe_metrics(&self) {
        metrics::describe_histogram!(
            PREPARATION_SECONDS,
            "Time from the photos to an ad that is ready, or waits for its seller (incomplete); the first time only."
        );
        for state in [steps::ListingState::Ready, steps::ListingState::Incomplete] {
            let _ = metrics::histogram!(PREPARATION_SECONDS, "outcome" => state.as_str());
        }
    }

    fn jobs(&self, jobs: &mut keroxio_core::JobRegistry) {
        jobs.register::<jobs::AdvanceListing>().register::<jobs::PhotoChanged>().register::<jobs::PriceListing>();
        jobs.register::<jobs::FollowVehicle>().register::<jobs::FollowMove>().register::<jobs::FollowOrganization>();
        jobs.register::<watch::WatchPrice>().register::<rewriting::RewriteText>();
        let every_night = watch::WatchPrices { after: None };
        jobs.register::<watch::WatchPrices>().recur(keroxio_core::Recurrence("30 4 * * *"), &every_night);
        jobs.on::<keroxio_auth::events::OrganizationChanged, jobs::FollowOrganization>();
        jobs.on::<keroxio_vehicle::events::VehicleChanged, jobs::FollowVehicle>();
        jobs.on::<keroxio_vehicle::events::VehicleMoved, jobs::FollowMove>();
        jobs.on::<keroxio_plates::events::PlateRead, jobs::PhotoChanged>();
        jobs.on::<keroxio_images::events::PhotoCleaned, jobs::PhotoChanged>();
    }
}
