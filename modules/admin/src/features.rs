use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keroxio_core::{Access, Error, Feature, GqlResult, RequestContext as _, Switch, access};
use uuid::Uuid;

/// A part of the platform that can be turned off.
#[derive(SimpleObject)]
pub struct FeatureState {
    /// Stable name.
    name: &'static str,
    /// What it is, in French.
    title: &'static str,
    /// The same in English.
    title_en: &'static str,
    /// Whether you have it now.
    on: bool,
}

/// For whom a part of the platform is on.
#[derive(SimpleObject)]
pub struct FeatureSwitch {
    /// Stable name.
    name: &'static str,
    /// What it is, in French.
    title: &'static str,
    /// The same in English.
    title_en: &'static str,
    /// Of a hundred organizations, for how many.
    percent: i32,
    /// Organizations for which it is on in any case.
    organization_ids: Vec<Uuid>,
    /// When that was last changed; never where it is on for everybody from the start.
    changed_at: Option<DateTime<Utc>>,
    /// By whom of staff.
    changed_by: Option<Uuid>,
}

impl FeatureSwitch {
    fn of(feature: &Feature, switch: Option<&Switch>) -> Self {
        Self {
            name: feature.name,
            title: feature.title_fr,
            title_en: feature.title_en,
            percent: switch.map_or(100, |switch| switch.percent),
            organization_ids: switch.map(|switch| switch.organizations.clone()).unwrap_or_default(),
            changed_at: switch.map(|switch| switch.changed_at),
            changed_by: switch.map(|switch| switch.changed_by),
        }
    }
}

#[derive(Default)]
pub struct FeatureQuery;

#[Object]
impl FeatureQuery {
    /// Parts of the platform that can be turned off, and whether you have them now. What is off answers `FEATURE_OFF`.
    #[graphql(guard = "Access::Open", directive = access::apply(Access::Open), complexity = "10 * child_complexity")]
    async fn features(&self, ctx: &Context<'_>) -> GqlResult<Vec<FeatureState>> {
        let (app, org) = (ctx.app(), ctx.actor().ok().map(|actor| actor.org_id));
        let mut states = Vec::new();
        for feature in app.features() {
            let on = app.is_on(feature, org).await?;
            states.push(FeatureState { name: feature.name, title: feature.title_fr, title_en: feature.title_en, on });
        }
        Ok(states)
    }

    /// For whom each part of the platform is on.
    #[graphql(guard = "Access::Staff", directive = access::apply(Access::Staff), complexity = "10 * child_complexity")]
    async fn feature_switches(&self, ctx: &Context<'_>) -> GqlResult<Vec<FeatureSwitch>> {
        let switches = ctx.app().switches().await?;
        Ok(ctx.app().features().iter().map(|f| FeatureSwitch::of(f, switches.get(f.name))).collect())
    }
}

#[derive(Default)]
pub struct FeatureMutation;

#[Object]
impl FeatureMutation {
    /// Says for whom a part of the platform is on: 0 turns it off, 100 gives it to everybody. Takes effect within five
    /// seconds.
    #[graphql(guard = "Access::Staff", directive = access::apply(Access::Staff))]
    async fn set_feature(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its stable name.")] name: String,
        #[graphql(desc = "Of a hundred organizations, for how many.")] percent: i32,
        #[graphql(desc = "Organizations that have it in any case, a thousand at most.")] organization_ids: Option<
            Vec<Uuid>,
        >,
    ) -> GqlResult<FeatureSwitch> {
        let (app, actor) = (ctx.app(), ctx.actor()?);
        let feature = app.features().iter().find(|feature| feature.name == name);
        let feature = feature.ok_or_else(|| Error::not_found("Fonction", "Feature"))?;
        let switch = app.switch(&actor, feature, percent, organization_ids.unwrap_or_default()).await?;
        Ok(FeatureSwitch::of(feature, Some(&switch)))
    }
}
