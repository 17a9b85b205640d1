use keroxio_auth::Organization;
use keroxio_core::{App, Result};
use keroxio_images::shown_files;
use keroxio_listing::{Ad, service as listings};
use keroxio_storage::PublicUrl;
use keroxio_vehicle::{Vehicle, histovec};
use uuid::Uuid;

use crate::rules::FindingSeverity;
use crate::service::{self, Subject};

/// Cars of one feed.
const MOST: i64 = 5_000;

/// A car of a feed: what anybody may see of it, so no plate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedCar {
    /// Name of each fact, and what it is; facts that are not known are left out.
    pub facts: Vec<(&'static str, String)>,
    /// Addresses of the renditions, in the seller's order.
    pub photos: Vec<String>,
}

/// Names of the facts, in the order of the columns of a feed.
pub const FACTS: [&str; 20] = [
    "reference",
    "make",
    "model",
    "version",
    "first_registration",
    "mileage_km",
    "fuel",
    "gearbox",
    "power_hp",
    "fiscal_hp",
    "doors",
    "seats",
    "colour",
    "crit_air",
    "price_eur",
    "title",
    "description",
    "seller",
    "siren",
    "updated_at",
];

/// The cars of an organization whose ads are ready, unsold, lawful and have a picture.
pub async fn of_org(app: &App, org: Uuid) -> Result<Vec<FeedCar>> {
    let organization = keroxio_auth::service::organization(app, org).await?;
    let (own, today) = (service::own_page(), app.now().date_naive());
    let mut cars = Vec::new();
    let ads = listings::ready(app, org, MOST).await?;
    let ids: Vec<_> = ads.iter().map(|ad| ad.vehicle_id).collect();
    let vehicles = keroxio_vehicle::service::fetch_all(app, org, &ids).await?;
    let reports = histovec::of_all(&mut *app.conn().await?, &ids).await?;
    for ad in ads {
        let Some(vehicle) = vehicles.get(&ad.vehicle_id).filter(|vehicle| !vehicle.stock_state().is_gone()) else {
            continue;
        };
        let history = reports.get(&ad.vehicle_id);
        let subject = Subject { ad: &ad, vehicle, organization: &organization, disputed: &[], history, sales: 0 };
        let judged = service::judge(app, &subject, &own, today)?;
        if !judged.codes(FindingSeverity::Blocking).is_empty() {
            continue;
        }
        let files = shown_files(app, org, &listings::photos(app, ad.id).await?).await?;
        let photos = files.iter().filter_map(|file| PublicUrl::of(app, file).transpose());
        let photos: Vec<String> = photos.map(|url| url.map(|url| url.as_str().to_owned())).collect::<Result<_>>()?;
        if !photos.is_empty() {
            cars.push(FeedCar { facts: facts(&ad, vehicle, &organization), photos });
        }
    }
    Ok(cars)
}

fn facts(ad: &Ad, car: &Vehicle, seller: &Organization) -> Vec<(&'static str, String)> {
    let number = |number: Option<i32>| number.map(|number| number.to_string());
    let fact = |name| {
        let value = match name {
            "reference" => Some(car.stock_number.clone().unwrap_or_else(|| ad.id.to_string())),
            "make" => car.make.clone(),
            "model" => car.model.clone(),
            "version" => car.version.clone(),
            "first_registration" => car.first_registration(),
            "mileage_km" => number(car.mileage_km),
            "fuel" => car.fuel_label().map(str::to_owned),
            "gearbox" => car.gearbox_label().map(str::to_owned),
            "power_hp" => number(car.power_hp),
            "fiscal_hp" => number(car.fiscal_hp),
            "doors" => number(car.doors),
            "seats" => number(car.seats),
            "colour" => car.colour.clone(),
            "crit_air" => car.crit_air.clone(),
            "price_eur" => number(ad.price_eur),
            "title" => ad.title.clone(),
            "description" => ad.body.clone(),
            "seller" => (seller.kind == "dealer").then(|| seller.name.clone()),
            "siren" => seller.siren.clone(),
            _ => Some(ad.updated_at.format("%Y-%m-%dT%H:%M:%SZ").to_string()),
        };
        value.map(|value| (name, value))
    };
    FACTS.into_iter().filter_map(fact).collect()
}

#[cfg(test)]
pub fn sample() -> FeedCar {
    FeedCar {
        facts: vec![
            ("reference", "VO-1".into()),
            ("make", "=1+1".into()),
            ("description", "Un <b> & \u{1}\n;\"deux\"".into()),
        ],
        photos: vec!["https://example.org/p/1".into(), "https://example.org/p/2".into()],
    }
}
