#![doc = include_str!("../README.md")]

mod archive;
mod channel;
mod error;
mod feed;
mod feed_graphql;
mod graphql;
mod jobs;
mod life;
mod linked_data;
mod model;
mod moderation;
mod moderation_graphql;
mod online;
mod page;
mod report_form;
mod rules;
pub mod service;
mod tables;
mod task_graphql;
mod tasks;

pub use keroxio_core::NoSubscription as Subscription;
pub use page::{PageEnding, Shown, Site, shown_at, shown_listing};
pub use rules::{needs_report, report_good_until};
pub use tasks::{Task, tasks_of};

#[derive(async_graphql::MergedObject, Default)]
#[graphql(name = "PublicationAndFeedQuery")]
pub struct Query(
    graphql::PublicationQuery,
    feed_graphql::FeedQuery,
    task_graphql::TaskQuery,
    moderation_graphql::ModerationQuery,
);

#[derive(async_graphql::MergedObject, Default)]
#[graphql(name = "PublicationAndFeedMutation")]
pub struct Mutation(
    graphql::PublicationMutation,
    feed_graphql::FeedMutation,
    task_graphql::TaskMutation,
    moderation_graphql::ModerationMutation,
);

pub struct PublicationModule;
pub const MODULE: PublicationModule = PublicationModule;

impl keroxio_core::Module for PublicationModule {
    fn name(&self) -> &'static str {
        "publication"
    }

    fn init(&self, env: &keroxio_core::Env, app: &mut keroxio_core::AppBuilder) -> anyhow::Result<()> {
        app.provide(channel::Channels::load()?);
        app.provide(rules::Rules::load()?);
        app.provide(tasks::Deadlines::load()?);
        app.provide(page::Site::read(env));
        Ok(())
    }

    fn features(&self) -> &'static [keroxio_core::Feature] {
        &[moderation::PAGES]
    }

    fn routes(&self) -> Option<axum::Router<keroxio_core::App>> {
        Some(page::routes().merge(feed::routes()).merge(report_form::routes()))
    }

    fn describe_metrics(&self) {
        keroxio_core::metrics::know_events(&[
            "publication.prepared",
            "publication.published",
            "publication.withdrawn",
            "publication.page_opened",
            "publication.reported",
            "publication.hidden",
        ]);
    }

    fn jobs(&self, jobs: &mut keroxio_core::JobRegistry) {
        jobs.register::<jobs::BuildPacks>().register::<life::FollowSale>().register::<life::RemindSellers>();
        jobs.register::<online::FollowMove>().register::<feed::BuildFeed>();
        let every_hour = feed::BuildFeeds { after: None };
        jobs.register::<feed::BuildFeeds>().recur(keroxio_core::Recurrence("20 * * * *"), &every_hour);
        jobs.on::<keroxio_vehicle::events::VehicleMoved, online::FollowMove>();
        let every_night = moderation::ForgetReports;
        jobs.register::<moderation::ForgetReports>().recur(keroxio_core::Recurrence("35 3 * * *"), &every_night);
        jobs.register::<tasks::ReviewListing>().register::<tasks::ReviewCar>();
        let each_day = tasks::ReviewAll { after: None };
        jobs.register::<tasks::ReviewAll>().recur(keroxio_core::Recurrence("45 6 * * *"), &each_day);
        jobs.on::<keroxio_listing::events::ListingSold, tasks::ReviewListing>();
        jobs.on::<keroxio_listing::events::ListingTakenBack, tasks::ReviewListing>();
        jobs.on::<keroxio_listing::events::ListingPrepared, tasks::ReviewListing>();
        jobs.on::<keroxio_vehicle::events::VehicleChanged, tasks::ReviewCar>();
        jobs.on::<keroxio_vehicle::events::VehicleMoved, tasks::ReviewCar>();
        let every_morning = life::RemindSellers { after: None };
        jobs.recur(keroxio_core::Recurrence("15 8 * * *"), &every_morning);
        jobs.on::<keroxio_listing::events::ListingSold, life::FollowSale>();
        jobs.on::<keroxio_listing::events::ListingTakenBack, life::FollowSale>();
        jobs.on::<keroxio_listing::events::ListingPrepared, jobs::BuildPacks>();
    }
}
