use std::sync::Arc;

use async_trait::async_trait;
use image::{GrayImage, Luma, Rgb, RgbImage};
use keroxio_plugin_sdk::{
    Angle, BackgroundRemover, BackgroundRemovers, Face, Manifest, Matte, Photo, PluginError, Rectangle,
};
use keroxio_test_support::{Actor, FakeAngles, FakeFaces, FakeRemover, Setup, TestApp, fixture};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

const CLEAN: &str =
    "mutation($p: [UUID!]!, $s: PhotoScene) { cleanPhotos(photoIds: $p, scene: $s) { id photoId jobId } }";
const CLEANING: &str = "query($id: UUID!) { photoCleaning(id: $id) { state verdict errorCode jobId \
  remarks { code adviceFr adviceEn } cleaned { url mediaType width height } masked { url mediaType width height } \
  frame { left top width height } } }";
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

/// What is before and what is after lie exactly over each other, so that a page may draw a slider between them.
#[tokio::test]
async fn a_framed_picture_says_which_part_of_the_photo_it_shows() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let photo = photos(&garage, &["hatch-front.jpg"]).await.remove(0);
    let made = cleaned(&app, &garage, &photo, None).await;
    let side = |of: &str, name: &str| made[of][name].as_f64().unwrap();
    let (before, after) =
        (picture(&garage, &made["masked"]["url"]).await, picture(&garage, &made["cleaned"]["url"]).await);
    let (before, after) = (before.into_rgb8(), after.into_rgb8());
    let scale = side("frame", "width") * side("masked", "width") / side("cleaned", "width");
    let same = side("frame", "height") * side("masked", "height") / side("cleaned", "height");
    assert!((scale - same).abs() < 0.01 && side("frame", "width") != 1.0, "{scale} {same}");
    // The middle of the car is the same in both.
    let (x, y) = (after.width() / 2, after.height() * 6 / 10);
    let at = |start: &str, side: u32, place: u32| {
        (made["frame"][start].as_f64().unwrap() * f64::from(side) + f64::from(place) * scale) as u32
    };
    let there = before.get_pixel(at("left", before.width(), x), at("top", before.height(), y)).0;
    let here = after.get_pixel(x, y).0;
    assert!(here.iter().zip(there).all(|(a, b)| a.abs_diff(b) < 40), "{here:?} {there:?}");
    app.finish().await;
}

#[tokio::test]
async fn a_garage_chooses_its_look_once() {
    let app = TestApp::start().await;
    let (garage, stranger) = (app.garage("dupont").await, app.garage("martin").await);
    let [photo, logo]: [String; 2] = photos(&garage, &["hatch-front.jpg", "no-car.jpg"]).await.try_into().unwrap();
    let level = async |made: &Value| {
        let drawn = picture(&garage, &made["cleaned"]["url"]).await.into_rgb8();
        drawn.get_pixel(drawn.width() - 5, 5).0[0]
    };
    let before = level(&cleaned(&app, &garage, &photo, None).await).await;

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
    assert_eq!(dark["frame"], json!({ "left": 0.0, "top": 0.0, "width": 1.0, "height": 1.0 }), "all of the photo");
    let after = level(&dark).await;
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

#[tokio::test]
async fn faces_are_blurred_and_the_seller_reads_what_was_done() {
    const DONE: &str = "query($id: UUID!) { photoCleaning(id: $id) { facesBlurred platesMasked verdict
      remarks { code adviceFr } edits { kind count textFr textEn } fidelityNote english: fidelityNote(language: EN) masked { url } } }";
    let area = Rectangle { left: 60.0, top: 60.0, width: 40.0, height: 40.0 };
    let unsure = Face { area: Rectangle { left: 300.0, ..area }, score: 0.1 };
    let faces = Arc::new(FakeFaces::seeing(&[Face { area, score: 0.9 }, unsure]));
    let app = Setup::default().faces(faces).start().await;
    let garage = app.garage("dupont").await;
    let checked = RgbImage::from_fn(640, 480, |x, y| Rgb([if (x / 2 + y / 2) % 2 == 0 { 20 } else { 230 }; 3]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    checked.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    let photo = garage.upload(bytes.into_inner()).await.text("/uploadPhoto/id");
    let id = garage.run(CLEAN, json!({ "p": [photo] })).await.text("/cleanPhotos/0/id");
    app.run_jobs().await;
    let answer = garage.run(DONE, json!({ "id": id })).await;
    let done = answer.at("/photoCleaning");
    assert_eq!((&done["facesBlurred"], &done["platesMasked"]), (&json!(1), &json!(1)));
    assert_eq!(done["verdict"], "USABLE", "whoever is cut out with the car stays beside it on the new ground");
    assert_eq!(done["remarks"][0]["code"], "PERSON_IN_VIEW");
    assert!(done["remarks"][0]["adviceFr"].as_str().unwrap().contains("personne"));
    let kinds: Vec<&Value> = done["edits"].as_array().unwrap().iter().map(|edit| &edit["kind"]).collect();
    assert_eq!(kinds[..3], ["METADATA_REMOVED", "PLATES_HIDDEN", "FACES_BLURRED"]);
    assert!(done["fidelityNote"].as_str().unwrap().contains("pixels de la voiture"));
    assert!(done["english"].as_str().unwrap().contains("pixels of the car"));
    let shown = picture(&garage, &done["masked"]["url"]).await.into_luma8();
    let spread = |left: u32, top: u32| {
        let values = (top..top + 30).flat_map(|y| (left..left + 30).map(move |x| (x, y)));
        let (low, high) = values.fold((255, 0), |(l, h), (x, y)| {
            let v = shown.get_pixel(x, y).0[0];
            (v.min(l), v.max(h))
        });
        high - low
    };
    assert!(spread(65, 65) < 40, "the face is blurred: {}", spread(65, 65));
    assert!(spread(305, 65) > 100, "what is hardly a face is not");
    app.finish().await;
}

#[tokio::test]
async fn a_seller_learns_which_views_are_missing() {
    const MISSING: &str = "query($p: [UUID!]!) { missingAngles(photoIds: $p) { angles adviceFr adviceEn } }";
    let app = Setup::default().angles(Arc::new(FakeAngles::saying(Angle::FrontLeft, 0.9))).start().await;
    let (garage, stranger) = (app.garage("dupont").await, app.garage("martin").await);
    let photo = photos(&garage, &["hatch-front.jpg"]).await.remove(0);
    let none = garage.run(MISSING, json!({ "p": [photo] })).await;
    assert_eq!(none.at("/missingAngles").as_array().unwrap().len(), 4, "nothing is known before the cleaning");
    let id = garage.run(CLEAN, json!({ "p": [photo] })).await.text("/cleanPhotos/0/id");
    app.run_jobs().await;
    let told = garage.run("query($id: UUID!) { photoCleaning(id: $id) { angle } }", json!({ "id": id })).await;
    assert_eq!(told.at("/photoCleaning/angle"), "FRONT_LEFT");
    let missing = garage.run(MISSING, json!({ "p": [photo] })).await;
    assert_eq!(missing.at("/missingAngles/0/angles"), &json!(["REAR_LEFT", "REAR_RIGHT", "REAR"]));
    assert_eq!(missing.at("/missingAngles/1/angles/0"), "RIGHT");
    assert_eq!(missing.at("/missingAngles").as_array().unwrap().len(), 2);
    assert_eq!(stranger.run(MISSING, json!({ "p": [photo] })).await.code(), "NOT_FOUND");
    assert_eq!(garage.run(MISSING, json!({ "p": [] })).await.code(), "BAD_INPUT");
    app.finish().await;

    let unsure = Setup::default().angles(Arc::new(FakeAngles::saying(Angle::Rear, 0.4))).start().await;
    let garage = unsure.garage("dupont").await;
    let photo = photos(&garage, &["hatch-front.jpg"]).await.remove(0);
    let id = garage.run(CLEAN, json!({ "p": [photo] })).await.text("/cleanPhotos/0/id");
    unsure.run_jobs().await;
    let told = garage.run("query($id: UUID!) { photoCleaning(id: $id) { angle } }", json!({ "id": id })).await;
    assert!(told.at("/photoCleaning/angle").is_null(), "not told surely enough");
    unsure.finish().await;
}

#[tokio::test]
async fn pages_get_lighter_files_of_the_picture_that_is_shown() {
    const FILES: &str = "query($id: UUID!) { photoCleaning(id: $id) {
      cleaned { width bytes variants { url mediaType width height bytes } } masked { variants { url } } } }";
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let photo = photos(&garage, &["hatch-front.jpg"]).await.remove(0);
    let id = garage.run(CLEAN, json!({ "p": [photo] })).await.text("/cleanPhotos/0/id");
    app.run_jobs().await;
    let answer = garage.run(FILES, json!({ "id": id })).await;
    let (cleaned, variants) = (answer.at("/photoCleaning/cleaned"), answer.at("/photoCleaning/cleaned/variants"));
    let kinds: Vec<&Value> = variants.as_array().unwrap().iter().map(|v| &v["mediaType"]).collect();
    let each = ["image/avif", "image/jpeg", "image/webp"];
    assert_eq!(kinds, each.repeat(2));
    assert_eq!(answer.at("/photoCleaning/masked/variants"), &json!([]), "it is not the one shown");
    for variant in variants.as_array().unwrap() {
        assert!([640, 1_280].contains(&variant["width"].as_u64().unwrap()), "{variant}");
        assert!(variant["bytes"].as_i64().unwrap() < cleaned["bytes"].as_i64().unwrap(), "{variant}");
        let file = app.anonymous().get(variant["url"].as_str().unwrap()).await;
        assert_eq!(file.headers()["content-type"].to_str().unwrap(), variant["mediaType"]);
        assert_eq!(file.headers()["x-content-type-options"], "nosniff");
        let bytes = file.bytes().await.unwrap();
        assert!(bytes.windows(18).any(|w| w == b"compositeSynthetic"), "what kind of picture it is goes along");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_change_of_look_that_is_called_off_leaves_the_picture_there_was() {
    const SHOWN: &str = "query($id: UUID!) { photoCleaning(id: $id) { state cleaned { url } edits { kind } } }";
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let photo = photos(&garage, &["hatch-front.jpg"]).await.remove(0);
    let id = garage.run(CLEAN, json!({ "p": [photo] })).await.text("/cleanPhotos/0/id");
    app.run_jobs().await;
    let before = garage.run(SHOWN, json!({ "id": id })).await;
    let again = garage.run(CLEAN, json!({ "p": [photo], "s": "TRANSPARENT" })).await;
    let job = again.text("/cleanPhotos/0/jobId");
    garage.run("mutation($j: UUID!) { cancelJob(id: $j) { id } }", json!({ "j": job })).await.text("/cancelJob/id");
    app.run_jobs().await;
    let after = garage.run(SHOWN, json!({ "id": id })).await;
    assert_eq!(before.at("/photoCleaning"), after.at("/photoCleaning"));
    let open = app.anonymous().get(&after.text("/photoCleaning/cleaned/url")).await;
    assert_eq!(open.status(), 200);
    app.finish().await;
}

#[tokio::test]
async fn where_no_faces_are_looked_for_none_are_said_to_have_been_found() {
    const DONE: &str = "query($id: UUID!) { photoCleaning(id: $id) { facesBlurred edits { kind } masked { url } } }";
    let app = Setup::default().without_faces().start().await;
    let garage = app.garage("dupont").await;
    let photo = photos(&garage, &["hatch-front.jpg"]).await.remove(0);
    let id = garage.run(CLEAN, json!({ "p": [photo] })).await.text("/cleanPhotos/0/id");
    app.run_jobs().await;
    let done = garage.run(DONE, json!({ "id": id })).await;
    assert_eq!(done.at("/photoCleaning/facesBlurred"), &Value::Null);
    assert!(!done.at("/photoCleaning/edits").to_string().contains("FACES"));
    picture(&garage, done.at("/photoCleaning/masked/url")).await;
    app.finish().await;
}

#[tokio::test]
async fn faces_on_a_background_of_the_garage_are_blurred_too() {
    let area = Rectangle { left: 5.0, top: 5.0, width: 24.0, height: 24.0 };
    let faces = Arc::new(FakeFaces::seeing(&[Face { area, score: 0.9 }]));
    let app = Setup::default().faces(faces).start().await;
    let garage = app.garage("dupont").await;
    let checked = RgbImage::from_fn(640, 480, |x, y| Rgb([if (x / 2 + y / 2) % 2 == 0 { 20 } else { 230 }; 3]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    checked.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    let ground = garage.upload(bytes.into_inner()).await.text("/uploadPhoto/id");
    let even = RgbImage::from_pixel(640, 480, Rgb([90; 3]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    even.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    let photo = garage.upload(bytes.into_inner()).await.text("/uploadPhoto/id");
    garage.run(CHOOSE, json!({ "i": { "backgroundPhotoId": ground, "framed": false } })).await.at("/setPhotoPreset");
    let made = cleaned(&app, &garage, &photo, None).await;
    let shown = &picture(&garage, &made["cleaned"]["url"]).await.into_luma8();
    let spread = |left: u32, top: u32| {
        let values = (top..top + 8).flat_map(|y| (left..left + 8).map(move |x| shown.get_pixel(x, y).0[0]));
        let (low, high) = values.fold((255, 0), |(l, h), v| (v.min(l), v.max(h)));
        high - low
    };
    assert!(!made["remarks"].to_string().contains("PERSON"), "who is not on the car does not stay: {made}");
    assert!(spread(8, 8) < 40, "the face is blurred: {}", spread(8, 8));
    assert!(spread(100, 4) > 100, "the rest of the ground is not");
    app.finish().await;
}
