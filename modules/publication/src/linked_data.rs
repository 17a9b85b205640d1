//! An ad in the words of schema.org, for search engines.

use keroxio_auth::Organization;
use keroxio_images::PublicPicture;
use keroxio_listing::Ad;
use keroxio_vehicle::Vehicle;
use serde_json::{Map, Value, json};

/// A `Car` with its `Offer`; what is not known is left out. A private seller is not named.
pub fn car(ad: &Ad, car: &Vehicle, seller: &Organization, pictures: &[PublicPicture], url: &str) -> Value {
    let registered = car.first_registration_year.zip(car.first_registration_month);
    let is_dealer = seller.kind == "dealer";
    let seller =
        if is_dealer { json!({ "@type": "AutoDealer", "name": seller.name }) } else { json!({ "@type": "Person" }) };
    let quantity = |value: i32, unit: &str| json!({ "@type": "QuantitativeValue", "value": value, "unitCode": unit });
    let offer = ad.price_eur.map(|price| {
        json!({
            "@type": "Offer", "price": price, "priceCurrency": "EUR", "url": url, "seller": seller,
            "availability": "https://schema.org/InStock", "itemCondition": "https://schema.org/UsedCondition",
        })
    });
    // UN/CEFACT codes: kilometre, metric horsepower.
    let engine = car.power_hp.map(|hp| json!({ "@type": "EngineSpecification", "enginePower": quantity(hp, "HJ") }));
    let images: Vec<&str> = pictures.iter().map(|picture| picture.url.as_str()).collect();
    let known = [
        ("name", json!(ad.title)),
        ("description", json!(ad.body)),
        ("url", json!(url)),
        ("brand", json!(car.make.as_ref().map(|make| json!({ "@type": "Brand", "name": make })))),
        ("model", json!(car.model)),
        ("vehicleConfiguration", json!(car.version)),
        ("dateVehicleFirstRegistered", json!(registered.map(|(year, month)| format!("{year}-{month:02}")))),
        ("mileageFromOdometer", json!(car.mileage_km.map(|km| quantity(km, "KMT")))),
        ("fuelType", json!(car.fuel_label())),
        ("vehicleTransmission", json!(car.gearbox_label())),
        ("numberOfDoors", json!(car.doors)),
        ("vehicleSeatingCapacity", json!(car.seats)),
        ("color", json!(car.colour)),
        ("vehicleEngine", json!(engine)),
        ("image", json!(images)),
        ("offers", json!(offer)),
    ];
    let mut all =
        Map::from_iter([("@context".to_owned(), json!("https://schema.org")), ("@type".to_owned(), json!("Car"))]);
    all.extend(known.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.to_owned(), value)));
    Value::Object(all)
}

/// As the text of a script element, which nothing in it can end.
pub fn script(data: &Value) -> String {
    data.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_of_a_seller_ends_the_script() {
        let data = json!({ "name": "</script><script>alert(1)</script>", "n": 1 });
        let text = script(&data);
        assert!(!text.contains('<') && !text.contains('>'), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).ok(), Some(data));
    }
}
