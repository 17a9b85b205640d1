//! Global object identification: one question for whatever has an identifier, as Relay's clients ask it again.

use std::collections::HashMap;

use async_graphql::{Context, ID, Interface, Object};
use diesel::sql_types::{Array, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use futures_util::future::try_join_all;
use keroxio_core::{Access, Error, ErrorCode, GqlResult, Module, RequestContext as _, access, follow};
use keroxio_images::PhotoCleaning;
use keroxio_jobs::Job;
use keroxio_listing::Listing;
use keroxio_plates::PlateReading;
use keroxio_pricing::PriceEstimate;
use keroxio_storage::StoredPhoto;
use keroxio_vehicle::VehicleObject;
use uuid::Uuid;

pub use NodeQuery as Query;
pub use keroxio_core::{NoMutation as Mutation, NoSubscription as Subscription};

/// Objects asked for at once.
const MOST: usize = 100;

pub struct NodeModule;
pub const MODULE: NodeModule = NodeModule;

impl Module for NodeModule {
    fn name(&self) -> &'static str {
        "node"
    }
}

/// An object with an identifier of its own, which `node` finds again.
// The derive wants the types themselves; an answer holds a hundred of them at most.
#[allow(clippy::large_enum_variant)]
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Identifier, unique among all objects."))]
pub enum Node {
    Vehicle(VehicleObject),
    Listing(Listing),
    Photo(StoredPhoto),
    PlateReading(PlateReading),
    PhotoCleaning(PhotoCleaning),
    PriceEstimate(PriceEstimate),
    Job(Job),
}

#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The object of your organization that has an identifier; null when there is none.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "Its identifier.")] id: ID) -> GqlResult<Option<Node>> {
        Ok(find(ctx, &[id]).await?.pop().flatten())
    }

    /// The objects of your organization that have these identifiers, in their order; null in the place of one that
    /// there is not.
    #[graphql(
        guard = "Access::Read",
        directive = access::apply(Access::Read),
        complexity = "ids.len() * (1 + child_complexity)"
    )]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Their identifiers, 100 at most.")] ids: Vec<ID>,
    ) -> GqlResult<Vec<Option<Node>>> {
        if ids.len() > MOST {
            return Err(Error::bad_input(
                format!("`nodes` accepte {MOST} identifiants au plus : demandez-les en plusieurs fois."),
                format!("`nodes` takes at most {MOST} identifiers: ask for them in several requests."),
            )
            .into());
        }
        find(ctx, &ids).await
    }
}

/// What is no identifier of ours names nothing.
async fn find(ctx: &Context<'_>, ids: &[ID]) -> GqlResult<Vec<Option<Node>>> {
    let ids: Vec<Option<Uuid>> = ids.iter().map(|id| id.parse().ok()).collect();
    let types = types(ctx, ids.iter().flatten().copied().collect()).await?;
    let found = ids.into_iter().map(|id| {
        let known = id.and_then(|id| Some((id, *types.get(&id)?)));
        async move {
            match known {
                Some((id, name)) => Box::pin(load(ctx, name, id)).await,
                None => Ok(None),
            }
        }
    });
    try_join_all(found).await
}

#[derive(diesel::QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
}

/// The types of those that are the organization's own.
async fn types(ctx: &Context<'_>, ids: Vec<Uuid>) -> GqlResult<HashMap<Uuid, &'static str>> {
    let all: Vec<_> = crate::MODULES.iter().flat_map(|module| module.nodes()).collect();
    let of = all
        .iter()
        .map(|(name, table)| format!("SELECT id, '{name}' AS name FROM {table} WHERE org_id = $1 AND id = ANY($2)"));
    let query = of.collect::<Vec<_>>().join(" UNION ALL ");
    let mut conn = ctx.app().conn().await?;
    let found = diesel::sql_query(query)
        .bind::<SqlUuid, _>(ctx.actor()?.org_id)
        .bind::<Array<SqlUuid>, _>(ids)
        .load::<Found>(&mut conn)
        .await
        .map_err(Error::from)?;
    let name = |found: &Found| all.iter().find(|(name, _)| *name == found.name).map(|(name, _)| *name);
    Ok(found.iter().filter_map(|found| Some((found.id, name(found)?))).collect())
}

/// One that its module does not show any more is not there.
async fn load(ctx: &Context<'_>, name: &str, id: Uuid) -> GqlResult<Option<Node>> {
    let (app, org) = (ctx.app(), ctx.actor()?.org_id);
    let loaded = match name {
        "Vehicle" => keroxio_vehicle::service::fetch(app, org, id).await.map(|row| Node::Vehicle(row.into())),
        "Listing" => keroxio_listing::service::get(app, org, id).await.map(|row| Node::Listing(row.into())),
        "Photo" => keroxio_storage::service::get(app, org, id).await.map(|row| Node::Photo(row.into())),
        "PlateReading" => keroxio_plates::service::fetch(app, org, id).await.map(|row| Node::PlateReading(row.into())),
        "PhotoCleaning" => keroxio_images::service::get(app, org, id).await.map(|row| Node::PhotoCleaning(row.into())),
        "PriceEstimate" => keroxio_pricing::service::get(app, org, id).await.map(|row| Node::PriceEstimate(row.into())),
        "Job" => {
            let mut conn = app.conn().await?;
            follow::get(&mut conn, org, id).await.map(|row| Node::Job(row.into()))
        }
        _ => return Ok(None),
    };
    match loaded {
        Ok(node) => Ok(Some(node)),
        Err(error) if error.code() == ErrorCode::NOT_FOUND => Ok(None),
        Err(error) => Err(error.into()),
    }
}
