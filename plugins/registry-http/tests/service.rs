//! Against a server of our own that answers as a reseller might.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Write as _;
use std::path::PathBuf;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use keroxio_plugin_registry_http::RegistryHttp;
use keroxio_plugin_sdk::{Fuel, Gearbox, RegistryError, VehicleRegistry as _};

const CAR: &str = r#"{"data":{"marque":" RENAULT\u0000 ","modele":"CLIO","date":"14/03/2020","energie":"ES","boite":"M",
  "puissance":"90,0","cv":5,"portes":"cinq","places":0,"version":{"x":1}}}"#;

async fn serve(status: StatusCode, body: String) -> String {
    let answer = move |Path(plate): Path<String>, headers: HeaderMap| async move {
        assert_eq!(plate, "AB123CD");
        if headers["x-key"] != "key the-credential" {
            return StatusCode::FORBIDDEN.into_response();
        }
        (status, body).into_response()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/v1/{plate}", get(answer))).await });
    url
}

fn settings(url: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("registry-{}-{}.json", std::process::id(), url.len()));
    let path = path.with_extension(format!("{}.json", url.replace(['/', ':', '.', '{', '}'], "_")));
    let text = format!(
        r#"{{"name":"test","url":"{url}","headers":{{"x-key":"key {{credential}}"}},"cost_cents":25,"date":"%d/%m/%Y",
        "fields":{{"make":"/data/marque","model":"/data/modele","firstRegistration":"/data/date","fuel":"/data/energie",
          "gearbox":"/data/boite","powerHp":"/data/puissance","fiscalHp":"/data/cv","doors":"/data/portes",
          "seats":"/data/places","version":"/data/version"}},"words":{{"ES":"petrol","M":"manual"}}}}"#
    );
    std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
    path
}

fn registry(url: &str) -> RegistryHttp {
    let _ = rustls::crypto::ring::default_provider().install_default();
    RegistryHttp::load(&settings(&format!("{url}{{plate}}"))).unwrap()
}

#[tokio::test]
async fn a_car_is_known_by_its_number() {
    let registry = registry(&serve(StatusCode::OK, CAR.to_owned()).await);
    let car = registry.look_up("AB123CD", "the-credential").await.unwrap().unwrap();
    assert_eq!((car.make.as_deref(), car.model.as_deref()), (Some("RENAULT"), Some("CLIO")));
    assert_eq!(car.first_registration.unwrap().to_string(), "2020-03-14");
    assert_eq!((car.fuel, car.gearbox, car.power_hp), (Some(Fuel::Petrol), Some(Gearbox::Manual), Some(90)));
    assert_eq!(
        (car.fiscal_hp, car.doors, car.seats, car.version),
        (Some(5), None, None, None),
        "what is nonsense is not known"
    );
    assert_eq!(registry.cost_cents(), 25);
}

#[tokio::test]
async fn what_it_does_not_know_is_told_from_what_goes_wrong() {
    for (status, body) in [(StatusCode::NOT_FOUND, ""), (StatusCode::NO_CONTENT, ""), (StatusCode::OK, "{\"data\":{}}")]
    {
        let registry = registry(&serve(status, body.to_owned()).await);
        assert!(registry.look_up("AB123CD", "the-credential").await.unwrap().is_none(), "{status}");
        assert!(registry.look_up("../admin", "the-credential").await.unwrap().is_none(), "never asked");
    }
    let large = format!("\"{}\"", "x".repeat(300_000));
    for (status, body) in [
        (StatusCode::TOO_MANY_REQUESTS, "{}"),
        (StatusCode::BAD_GATEWAY, "<html>"),
        (StatusCode::OK, "<html>"),
        (StatusCode::OK, &large),
        (StatusCode::FOUND, ""),
    ] {
        let registry = registry(&serve(status, body.to_owned()).await);
        let error = registry.look_up("AB123CD", "the-credential").await.unwrap_err();
        assert!(matches!(error, RegistryError::Failed(_)) && !error.to_string().contains("the-credential"), "{error}");
    }
    let registry = registry(&serve(StatusCode::OK, CAR.to_owned()).await);
    for wrong in ["another", "line\nbreak"] {
        let error = registry.look_up("AB123CD", wrong).await.unwrap_err();
        assert!(matches!(error, RegistryError::Refused(_)) && !error.to_string().contains(wrong), "{error}");
    }
}

#[test]
fn an_address_that_would_show_the_credential_is_refused() {
    for url in
        ["http://elsewhere.example/{plate}", "https://api.example/plates", "https://{plate}.example/", "nonsense"]
    {
        assert!(RegistryHttp::load(&settings(url)).is_err(), "{url}");
    }
}
