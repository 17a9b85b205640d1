//! Against a server of our own that speaks the service's interface.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use axum::Router;
use axum::extract::Multipart;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::post;
use image::{Rgb, RgbImage};
use keroxio_plugin_plates_remote::PlatesRemote;
use keroxio_plugin_sdk::{DecodeLimits, Photo, PlateReader, PluginError};

const READ: &str = r#"{"processing_time":31.2,"results":[
  {"box":{"xmin":10,"ymin":20,"xmax":60,"ymax":32},"plate":"xy456zt","region":{"code":"fr","score":0.6},"score":0.71,
   "candidates":[],"dscore":0.66,"vehicle":{"score":0.3,"type":"Sedan"}},
  {"box":{"xmin":480,"ymin":600,"xmax":960,"ymax":700},"plate":"fs938ha","region":{"code":"fr","score":0.8},"score":0.93,
   "candidates":[{"score":0.93,"plate":"fs938ha"},{"score":0.7,"plate":"fs93bha"}],"dscore":0.88}],
  "filename":"1617_photo.jpg","version":1,"camera_id":null,"timestamp":"2026-11-24T10:00:00Z"}"#;

/// A server that answers this; checks the key, the region and that a small picture without metadata comes.
async fn serve(status: StatusCode, body: String) -> String {
    let answer = move |headers: HeaderMap, form: Multipart| async move {
        if headers["authorization"] != "Token the-key" {
            return (StatusCode::FORBIDDEN, r#"{"detail":"Invalid token."}"#.to_owned()).into_response();
        }
        let (region, picture) = fields(form).await;
        assert_eq!(region, "fr");
        let photo = Photo::decode(&picture, DecodeLimits::default()).unwrap();
        assert_eq!((photo.width(), photo.height()), (1_920, 1_440));
        assert!(!picture.windows(4).any(|bytes| bytes == b"Exif"));
        (status, body).into_response()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/plate-reader/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/v1/plate-reader/", post(answer))).await });
    url
}

async fn fields(mut form: Multipart) -> (String, Vec<u8>) {
    let (mut region, mut picture) = (String::new(), Vec::new());
    while let Some(field) = form.next_field().await.unwrap() {
        match field.name() {
            Some("regions") => region = field.text().await.unwrap(),
            Some("upload") => picture = field.bytes().await.unwrap().to_vec(),
            other => panic!("{other:?}"),
        }
    }
    (region, picture)
}

fn photo() -> Photo {
    Photo::from_rgb(RgbImage::from_pixel(2_400, 1_800, Rgb([90, 90, 90])))
}

fn reader(url: &str, key: &str) -> PlatesRemote {
    let _ = rustls::crypto::ring::default_provider().install_default();
    PlatesRemote::new(url, Some(key.to_owned()), 1.01).unwrap()
}

#[tokio::test]
async fn the_largest_plate_comes_first_in_pixels_of_the_photo() {
    let url = serve(StatusCode::CREATED, READ.to_owned()).await;
    let sightings = reader(&url, "the-key").read(&photo()).await.unwrap();
    assert_eq!(sightings.len(), 2);
    let texts: Vec<&str> = sightings[0].readings.iter().map(|r| r.text.as_str()).collect();
    assert_eq!(texts, ["FS938HA", "FS93BHA"]);
    assert_eq!(sightings[0].readings[0].characters.len(), 7);
    assert!((sightings[0].quad[0].x - 600.0).abs() < 0.1 && (sightings[0].quad[2].y - 875.0).abs() < 0.1);
    assert_eq!(sightings[1].readings[0].text, "XY456ZT");
}

#[tokio::test]
async fn refusals_say_who_has_to_act() {
    let broken = |status, body: &str| serve(status, body.to_owned());
    let ask = async |url: String, key| reader(&url, key).read(&photo()).await.unwrap_err();
    let url = broken(StatusCode::OK, READ).await;
    assert!(matches!(ask(url, "another").await, PluginError::Refused(_)), "a wrong key is its owner's");
    let url = broken(StatusCode::PAYLOAD_TOO_LARGE, "{}").await;
    assert!(matches!(ask(url, "the-key").await, PluginError::UnsupportedInput(_)), "no later attempt helps");
    for (status, body) in [
        (StatusCode::TOO_MANY_REQUESTS, "{}"),
        (StatusCode::BAD_GATEWAY, "<html>"),
        (StatusCode::OK, "<html>"),
        (StatusCode::OK, r#"{"results":[{"plate":"ab123cd"}]}"#),
        (StatusCode::FOUND, ""),
    ] {
        let url = broken(status, body).await;
        let error = ask(url, "the-key").await;
        assert!(matches!(error, PluginError::Failed(_)) && !error.to_string().contains("the-key"), "{status}: {error}");
    }
    let endless = broken(StatusCode::OK, &"[".repeat(3 << 20)).await;
    assert!(ask(endless, "the-key").await.to_string().contains("too much"));
    assert!(matches!(ask("http://127.0.0.1:9/".to_owned(), "the-key").await, PluginError::Failed(_)));
}

#[tokio::test]
async fn nonsense_in_an_answer_is_left_out() {
    let body = r#"{"results":[
      {"box":{"xmin":-1e9,"ymin":0,"xmax":1e9,"ymax":50},"plate":"fs938ha","score":7.0},
      {"box":{"xmin":60,"ymin":60,"xmax":10,"ymax":10},"plate":"fs938ha","score":0.9},
      {"box":{"xmin":0,"ymin":0,"xmax":90,"ymax":20},"plate":"<script>","score":-3}]}"#;
    let url = serve(StatusCode::OK, body.to_owned()).await;
    let sightings = reader(&url, "the-key").read(&photo()).await.unwrap();
    assert_eq!(sightings.len(), 2, "a box that encloses nothing is no plate");
    assert_eq!((sightings[0].quad[1].x, sightings[0].score), (2_400.0, 1.0));
    assert!(sightings[1].readings.is_empty() && sightings[1].score == 0.0);
}

#[tokio::test]
async fn without_a_key_of_its_own_it_asks_for_those_who_have_one() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = serve(StatusCode::OK, READ.to_owned()).await;
    let reader = PlatesRemote::new(&url, None, 1.01).unwrap();
    assert!(reader.needs_key());
    assert!(matches!(reader.read(&photo()).await, Err(PluginError::Refused(_))));
    let keyed = reader.with_key("the-key").unwrap();
    assert_eq!((keyed.needs_key(), keyed.read(&photo()).await.unwrap().len()), (false, 2));
}

#[test]
fn photos_leave_encrypted_only() {
    for url in ["http://api.example.org/v1/plate-reader/", "ftp://127.0.0.1/", "nowhere"] {
        assert!(PlatesRemote::new(url, None, 1.01).is_err(), "{url}");
    }
}
