use chrono::{Duration, NaiveDate};
use diesel_async::AsyncPgConnection;
use keroxio_auth::Organization;
use keroxio_core::{Actor, App, Effects, Money, Result, Right, Tx, group_digits};
use keroxio_email::Letter;
use keroxio_listing::{Ad, service as listings};
use keroxio_notification::{Notice, NotificationKind};
use keroxio_vehicle::Vehicle;
use keroxio_vehicle::histovec::{self, Report};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::channel::{Channel, Channels, cut};
use crate::graphql::Publishability;
use crate::model::{self, Pack};
use crate::rules::{Facts, Rules, Seller};
use crate::{error, jobs::BuildPacks, online};

/// Name of our own page where a channel is asked for.
pub(crate) const OWN_PAGE: &str = "page";

/// Writes one pack per channel and reports the step, in one transaction.
pub(crate) async fn build(app: &App, job: &BuildPacks) -> Result<Effects> {
    let ad = listings::get(app, job.org_id, job.listing_id).await?;
    let vehicle = keroxio_vehicle::service::fetch(app, job.org_id, ad.vehicle_id).await?;
    let channels: Channels = app.get()?;
    let mut tx = app.begin().await?;
    for channel in channels.iter() {
        let pack = pack(&ad, &vehicle, channel, app);
        model::upsert(&mut tx, &pack).await?;
        tx.count("publication.prepared");
    }
    listings::report_publication(&mut tx, job.listing_id, &job.fingerprint, false).await?;
    Ok(tx.into())
}

pub(crate) async fn give_up(app: &App, job: &BuildPacks) -> Result<Effects> {
    let mut tx: Tx = app.begin().await?;
    listings::report_publication(&mut tx, job.listing_id, &job.fingerprint, true).await?;
    Ok(tx.into())
}

fn pack(ad: &Ad, vehicle: &Vehicle, channel: &Channel, app: &App) -> Pack {
    let fields: Vec<Value> = channel
        .fields
        .iter()
        .filter_map(|name| field(name, ad, vehicle).map(|(label, value)| json!({ "label": label, "value": value })))
        .collect();
    Pack {
        id: Uuid::now_v7(),
        org_id: ad.org_id,
        listing_id: ad.id,
        channel: channel.id.clone(),
        title: cut(ad.title.as_deref().unwrap_or_default(), channel.title_limit),
        body: cut(ad.body.as_deref().unwrap_or_default(), channel.body_limit),
        fields: json!(fields),
        state: "prepared".to_owned(),
        ad_url: None,
        external_id: None,
        created_at: app.now(),
        updated_at: app.now(),
        published_at: None,
        withdrawn_at: None,
        sold_at: ad.sold_at,
        reminded_at: None,
    }
}

/// The listing that an organization published at an address of a portal.
pub async fn listing_at(app: &App, conn: &mut AsyncPgConnection, org: Uuid, url: &str) -> Result<Option<Uuid>> {
    let channels: Channels = app.get()?;
    let known = channels.iter().find_map(|channel| Some((&channel.id, channel.external_id(url)?)));
    let Some((channel, external_id)) = known else { return Ok(None) };
    Ok(model::listing_published_as(conn, org, channel, &external_id).await?)
}

/// Label and value of a field of a portal's form; an unknown fact leaves its field out.
pub(crate) fn field(name: &str, ad: &Ad, vehicle: &Vehicle) -> Option<(&'static str, String)> {
    Some(match name {
        "make" => ("Marque", vehicle.make.clone()?),
        "model" => ("Modèle", vehicle.model.clone()?),
        "version" => ("Version", vehicle.version.clone()?),
        "first_registration" => {
            let year = vehicle.first_registration_year?;
            let value = vehicle.first_registration_month.map_or(year.to_string(), |m| format!("{m:02}/{year}"));
            ("Première mise en circulation", value)
        }
        "mileage" => ("Kilométrage", format!("{}\u{a0}km", group_digits(vehicle.mileage_km?.into()))),
        "fuel" => ("Énergie", vehicle.fuel_label()?.to_owned()),
        "gearbox" => ("Boîte de vitesses", vehicle.gearbox_label()?.to_owned()),
        "doors" => ("Portes", vehicle.doors?.to_string()),
        "seats" => ("Places", vehicle.seats?.to_string()),
        "fiscal_hp" => ("Puissance fiscale", format!("{}\u{a0}CV", vehicle.fiscal_hp?)),
        "power_hp" => ("Puissance DIN", format!("{}\u{a0}ch", vehicle.power_hp?)),
        "colour" => ("Couleur", vehicle.colour.clone()?),
        "price" => ("Prix", Money::euros(ad.price_eur?).formatted),
        _ => return None,
    })
}

pub(crate) async fn of_listing(app: &App, actor: &Actor, listing: Uuid) -> Result<Vec<(Pack, Channel)>> {
    actor.may(Right::Read)?;
    listings::get(app, actor.org_id, listing).await?;
    let channels: Channels = app.get()?;
    let mut conn = app.conn().await?;
    let mut packs = model::of_listing(&mut conn, actor.org_id, listing).await?;
    let mut known = Vec::with_capacity(packs.len());
    for channel in channels.iter() {
        if let Some(at) = packs.iter().position(|pack| pack.channel == channel.id) {
            known.push((packs.swap_remove(at), channel.clone()));
        }
    }
    Ok(known)
}

/// What is not as the law and the portal want it, on a day.
pub(crate) async fn publishability(
    app: &App,
    actor: &Actor,
    listing: Uuid,
    channel: &str,
    on: NaiveDate,
) -> Result<Publishability> {
    actor.may(Right::Read)?;
    let ad = listings::get(app, actor.org_id, listing).await?;
    let channels: Channels = app.get()?;
    let own = own_page();
    let channel = match channel {
        OWN_PAGE => &own,
        id => channels.get(id).ok_or_else(|| error::unknown_channel(id, &channels))?,
    };
    let vehicle = keroxio_vehicle::service::fetch(app, actor.org_id, ad.vehicle_id).await?;
    let organization = keroxio_auth::service::organization(app, actor.org_id).await?;
    let disputed = keroxio_vehicle::service::disputed(app, &vehicle).await?;
    let history = histovec::of(&mut *app.conn().await?, vehicle.id).await?;
    let (disputed, history) = (disputed.as_slice(), history.as_ref());
    let sales = listings::sold_since(app, actor.org_id, app.now() - Duration::days(365)).await?;
    let subject = Subject { ad: &ad, vehicle: &vehicle, organization: &organization, disputed, history, sales };
    judge(app, &subject, channel, on)
}

/// Our own page shows all there is.
pub(crate) fn own_page() -> Channel {
    Channel { title_limit: usize::MAX, body_limit: usize::MAX, ..Channel::default() }
}

/// What is judged.
pub(crate) struct Subject<'a> {
    pub ad: &'a Ad,
    pub vehicle: &'a Vehicle,
    pub organization: &'a Organization,
    /// Facts about which not everybody says the same. They block nothing: who only asks what does may leave them out.
    pub disputed: &'a [&'static str],
    /// The car's HistoVec report, where there is one.
    pub history: Option<&'a Report>,
    /// Cars the seller sold in the twelve months before. They block nothing either.
    pub sales: i64,
}

pub(crate) fn judge(app: &App, subject: &Subject<'_>, channel: &Channel, on: NaiveDate) -> Result<Publishability> {
    let Subject { ad, vehicle, organization, disputed, history, sales } = *subject;
    let seller = if organization.kind == "dealer" { Seller::Dealer } else { Seller::Private };
    let siren = organization.siren.as_deref();
    let rules: Rules = app.get()?;
    let facts = Facts { seller, siren, ad, vehicle, disputed, history, sales, channel, on };
    Ok(Publishability::of(&rules.findings(&facts)))
}

/// Tells the members of the organization that an ad is online.
async fn tell(tx: &mut Tx, pack: &Pack, channel: &Channel) -> Result<()> {
    let car = keroxio_listing::service::get_in(tx, pack.org_id, pack.listing_id).await?.title;
    let (title, portal) = (car.clone().unwrap_or_default(), channel.name.clone());
    let notice = Notice {
        org_id: pack.org_id,
        kind: NotificationKind::AdPublished,
        title_fr: format!("Annonce en ligne sur {portal} : {title}"),
        title_en: format!("Ad online on {portal}: {title}"),
        subject_id: Some(pack.listing_id),
    };
    let letter = Letter::AdPublished { car, channel: portal, url: format!("/listings/{}", pack.listing_id) };
    keroxio_notification::service::notify_by(tx, notice, &letter).await
}

/// The seller pastes the ad's address; we keep the portal's number of it.
pub(crate) async fn confirm(app: &App, actor: &Actor, id: Uuid, url: &str) -> Result<(Pack, Channel)> {
    actor.may(Right::Publish)?;
    let channels: Channels = app.get()?;
    let mut tx = app.begin().await?;
    let mut pack = model::lock(&mut tx, actor.org_id, id).await?.ok_or_else(error::not_found)?;
    let channel = channels.get(&pack.channel).cloned().ok_or_else(error::not_found)?;
    let external_id = channel.external_id(url).ok_or_else(|| error::wrong_url(&channel.name))?;
    let now = app.now();
    pack.state = "published".to_owned();
    pack.ad_url = Some(url.trim().to_owned());
    pack.external_id = Some(external_id);
    pack.updated_at = now;
    (pack.published_at, pack.withdrawn_at, pack.reminded_at) = (Some(now), None, None);
    model::save(&mut tx, &pack).await?;
    online::shown(&mut tx, pack.org_id, pack.listing_id).await?;
    tell(&mut tx, &pack, &channel).await?;
    tx.count("publication.published");
    tx.commit().await?;
    Ok((pack, channel))
}
