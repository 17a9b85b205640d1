use std::sync::Arc;

use async_trait::async_trait;
use image::{GrayImage, Luma};
use keroxio_plugin_sdk::{BackgroundRemover, BackgroundRemovers, Manifest, Matte, Photo, PluginError};
use keroxio_test_support::{Actor, FakeRemover, Setup, TestApp, fixture};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

const CLEAN: &str =
    "mutation($p: [UUID!]!, $s: PhotoScene) { cleanPhotos(photoIds: $p, scene: $s) { id photoId jobId } }";
const CLEANING: &str = "query($id: UUID!) { photoCleaning(id: $id) { state verdict errorCode jobId \
  remarks { code adviceFr adviceEn } cleaned { url mediaType width height } masked { url mediaType } } }";
const CHOOSE: &str =
    "mutation($i: PhotoPresetInput!) { setPhotoPreset(input: $i) { scene plateCover framed logoPhotoId } }";

async fn photos(garage: &Actor, names: &[&str]) -> Vec<String> {
    let mut ids = Vec::new();
    for name in names {
        ids.push(garage.upload(fixture(name)).await.text("/uploadPhoto/id"));
    }
    ids
}

/// Cleans one photo and waits for what becomes of it.
async fn cleaned(app: &TestApp, garage: &Actor, photo: &str, scene: Option<&str>) -> Value {
    let id = garage.run(CLEAN, json!({ "p": [photo], "s": scene })).await.text("/cleanPhotos/0/id");
    app.run_jobs().await;
    garage.run(CLEANING, json!({ "id": id })).await.at("/photoCleaning").clone()
}

async fn picture(garage: &Actor, url: &Value) -> image::DynamicImage {
    let bytes = garage.get(url.as_str().unwrap()).await.bytes().await.unwrap();
    image::load_from_memory(&bytes).unwrap()
}

#[tokio::test]
async fn a_set_of_photos_is_cleaned_at_once_and_the_same_again_is_no_work() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let set = photos(&garage, &["hatch-front.jpg", "no-car.jpg"]).await;
    let started = garage.run(CLEAN, json!({ "p": set })).await;
    assert_eq!(started.at("/cleanPhotos/1/photoId"), &json!(set[1]));
    app.run_jobs().await;
    let first = garage.run(CLEANING, json!({ "id": started.text("/cleanPhotos/0/id") })).await;
    assert_eq!(
        (first.at("/photoCleaning/state"), first.at("/photoCleaning/verdict")),
        (&json!("DONE"), &json!("GOOD"))
    );

    let again = garage.run(CLEAN, json!({ "p": set })).await;
    assert_eq!(again.at("/cleanPhotos/0/jobId"), first.at("/photoCleaning/jobId"), "no new job");
    assert_eq!(app.run_jobs().await, 0);
    let too_many = vec![set[0].clone(); 41];
    assert_eq!(garage.run(CLEAN, json!({ "p": too_many })).await.code(), "BAD_INPUT");
    let stranger = app.garage("martin").await;
    assert_eq!(stranger.run(CLEAN, json!({ "p": set })).await.code(), "NOT_FOUND");
    app.finish().await;
}

#[tokio::test]
async fn every_scene_gives_another_picture_of_the_same_car() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let photo = photos(&garage, &["hatch-front.jpg"]).await.remove(0);
    let mut corners = Vec::new();
    for scene in ["STUDIO_WHITE", "STUDIO_GREY", "STUDIO_BLACK", "SHOWROOM", "GARAGE", "OUTDOOR"] {
        let made = cleaned(&app, &garage, &photo, Some(scene)).await;
        assert_eq!(made["cleaned"]["mediaType"], "image/jpeg", "{scene}");
        let drawn = picture(&garage, &made["cleaned"]["url"]).await.into_rgb8();
        corners.push(drawn.get_pixel(4, 4).0);
    }
    corners.sort_unstable();
    corners.dedup();
    assert_eq!(corners.len(), 6, "{corners:?}");
    let made = cleaned(&app, &garage, &photo, Some("TRANSPARENT")).await;
    assert_eq!(made["cleaned"]["mediaType"], "image/png");
    let alpha = picture(&garage, &made["cleaned"]["url"]).await.into_rgba8();
    assert_eq!(alpha.get_pixel(1, 1).0[3], 0);
    assert_eq!(alpha.get_pixel(alpha.width() / 2, alpha.height() / 2).0[3], 255);
    app.finish().await;
}

#[tokio::test]
async fn a_garage_chooses_its_look_once() {
    let app = TestApp::start().await;
    let (garage, stranger) = (app.garage("dupont").await, app.garage("martin").await);
    let [photo, logo]: [String; 2] = photos(&garage, &["hatch-front.jpg", "no-car.jpg"]).await.try_into().unwrap();
    let plain = cleaned(&app, &garage, &photo, None).await;

    let foreign = stranger.run(CHOOSE, json!({ "i": { "backgroundPhotoId": logo } })).await;
    assert_eq!(foreign.code(), "NOT_FOUND");
    let nothing = garage.run(CHOOSE, json!({ "i": { "plateCover": "INLAY" } })).await;
    assert_eq!(nothing.code(), "BAD_INPUT");
    let chosen = json!({ "scene": "STUDIO_BLACK", "plateCover": "INLAY", "framed": false, "logoPhotoId": logo });
    let answer = garage.run(CHOOSE, json!({ "i": chosen })).await;
    assert_eq!(answer.at("/setPhotoPreset"), &chosen);
    let kept = garage.run("{ photoPreset { scene plateCover framed logoPhotoId } }", json!({})).await;
    assert_eq!(kept.at("/photoPreset"), &chosen);
    let other = stranger.run("{ photoPreset { scene plateCover framed } }", json!({})).await;
    assert_eq!(other.at("/photoPreset/scene"), "STUDIO_WHITE");

    let dark = cleaned(&app, &garage, &photo, None).await;
    let level = async |made: &Value| {
        let drawn = picture(&garage, &made["cleaned"]["url"]).await.into_rgb8();
        drawn.get_pixel(drawn.width() - 5, 5).0[0]
    };
    let (before, after) = (level(&plain).await, level(&dark).await);
    assert!(before > 200 && after < 80, "{before} {after}");
    let own = cleaned(&app, &garage, &photo, Some("STUDIO_WHITE")).await;
    assert!(level(&own).await > 200, "a scene asked for by name wins");
    app.finish().await;
}

/// Says that it has begun, and goes on when it may.
struct Patient(FakeRemover, Semaphore, Semaphore);

#[async_trait]
impl BackgroundRemover for Patient {
    fn manifest(&self) -> &Manifest {
        self.0.manifest()
    }

    async fn matte(&self, photo: &Photo) -> Result<Matte, PluginError> {
        self.1.add_permits(1);
        self.2.acquire().await.unwrap().forget();
        self.0.matte(photo).await
    }
}

#[tokio::test]
async fn another_look_asked_for_while_the_photo_is_drawn_is_the_one_it_gets() {
    let patient = Arc::new(Patient(FakeRemover::new(), Semaphore::new(0), Semaphore::new(0)));
    let app = Setup::default().images(BackgroundRemovers::new(vec![patient.clone()])).start().await;
    let garage = app.garage("dupont").await;
    let photo = photos(&garage, &["hatch-front.jpg"]).await.remove(0);
    let id = garage.run(CLEAN, json!({ "p": [photo], "s": "STUDIO_WHITE" })).await.text("/cleanPhotos/0/id");
    let change_of_mind = async {
        patient.1.acquire().await.unwrap().forget();
        let answer = garage.run(CLEAN, json!({ "p": [photo], "s": "STUDIO_BLACK" })).await;
        assert_eq!(answer.text("/cleanPhotos/0/id"), id, "one cleaning a photo");
        patient.2.add_permits(2);
    };
    tokio::join!(app.run_jobs(), change_of_mind);
    let made = garage.run(CLEANING, json!({ "id": id })).await.at("/photoCleaning").clone();
    assert_eq!(made["state"], "DONE");
    let drawn = picture(&garage, &made["cleaned"]["url"]).await.into_rgb8();
    assert!(drawn.get_pixel(drawn.width() - 5, 5).0[0] < 80, "the black studio");
    app.finish().await;
}

/// Cuts out a pole, or nothing at all.
struct Clumsy(Manifest, bool);

#[async_trait]
impl BackgroundRemover for Clumsy {
    fn manifest(&self) -> &Manifest {
        &self.0
    }

    async fn matte(&self, photo: &Photo) -> Result<Matte, PluginError> {
        let (w, h) = (photo.width(), photo.height());
        let pole = |x: u32| self.1 && (w / 2..w / 2 + w / 8).contains(&x);
        let alpha =
            GrayImage::from_fn(w, h, |x, y| Luma([if pole(x) && y > h / 8 && y < h - h / 8 { 255 } else { 0 }]));
        Ok(Matte { alpha, coverage: 0.1, confidence: 0.95, found: self.1 })
    }
}

fn clumsy(finds: bool) -> Arc<dyn BackgroundRemover> {
    Arc::new(Clumsy(Manifest { id: "clumsy".to_owned(), version: "1".to_owned(), models: Vec::new() }, finds))
}

#[tokio::test]
async fn a_bad_cut_out_is_not_shown_and_the_seller_learns_why() {
    let app = Setup::default().images(BackgroundRemovers::new(vec![clumsy(true)])).start().await;
    let garage = app.garage("dupont").await;
    let photo = photos(&garage, &["hatch-front.jpg"]).await.remove(0);
    let made = cleaned(&app, &garage, &photo, None).await;
    assert_eq!((&made["state"], &made["verdict"]), (&json!("DONE"), &json!("REJECTED")));
    assert!(made["cleaned"].is_null() && made["masked"]["url"].is_string(), "{made}");
    let remarks: Vec<&Value> = made["remarks"].as_array().unwrap().iter().collect();
    assert!(remarks.iter().any(|remark| remark["code"] == "UNLIKELY_SHAPE"), "{remarks:?}");
    assert!(remarks.iter().all(|remark| !remark["adviceFr"].as_str().unwrap().is_empty()));
    app.finish().await;
}

#[tokio::test]
async fn the_next_network_is_asked_where_the_first_fails() {
    let removers = BackgroundRemovers::new(vec![clumsy(false), Arc::new(FakeRemover::new())]);
    let app = Setup::default().images(removers).start().await;
    let garage = app.garage("dupont").await;
    let photo = photos(&garage, &["hatch-front.jpg"]).await.remove(0);
    let made = cleaned(&app, &garage, &photo, None).await;
    assert_eq!(made["verdict"], "GOOD");
    assert!(made["cleaned"]["url"].is_string());
    app.finish().await;
}
