//! A garage's ads for others: a file that multi-publishers fetch, and the photos for a portal's form.

use std::time::Duration;

use keroxio_core::relay;
use keroxio_test_support::{Actor, TestApp, fixture};
use serde_json::json;

const PREPARE: &str = "mutation($i: PrepareListingInput!) { prepareListing(input: $i) { id vehicle { id } } }";
const CREATE: &str = "mutation($f: FeedFormat!) { createStockFeed(format: $f) { id url cars } }";
const BUILD: &str =
    "mutation($id: UUID!, $a: Boolean!) { buildStockFeed(id: $id, acceptFewer: $a) { cars heldBackCars } }";
const FEEDS: &str = "{ stockFeeds { format cars heldBackCars } }";
const SELL: &str = "mutation($l: UUID!) { markListingSold(id: $l) { id } }";
const ARCHIVE: &str = "mutation($l: UUID!) { archiveListingPhotos(listingId: $l) { url photos } }";

/// A lawful ad of a garage with an identity; its listing.
async fn ad(app: &TestApp, garage: &Actor, number: &str) -> String {
    let photo = garage.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    let facts = json!({ "make": "Renault", "model": "Clio", "version": "TCe 90 <Zen>", "firstRegistration": "2024-03",
        "mileageKm": 45_000, "critAir": "CLASS_1", "stockNumber": number });
    let made = garage.run(PREPARE, json!({ "i": { "photoIds": [photo], "vehicle": facts } })).await;
    app.run_jobs().await;
    made.text("/prepareListing/id")
}

async fn named(app: &TestApp) -> Actor {
    let garage = app.garage("dupont").await;
    let name = "mutation { updateOrganization(siren: \"732829320\") { id } }";
    garage.run(name, json!({})).await.at("/updateOrganization");
    garage
}

async fn fetched(app: &TestApp, url: &str) -> (u16, String) {
    let answer = app.anonymous().page(&url[url.find("/feeds/").unwrap()..]).await;
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn a_feed_holds_the_ads_that_may_appear_and_nothing_private() {
    let app = TestApp::start().await;
    let garage = named(&app).await;
    ad(&app, &garage, "VO-1").await;
    let unlawful = garage.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    let facts = json!({ "make": "Fiat", "model": "500", "firstRegistration": "2024-03", "mileageKm": 1_000 });
    garage.run(PREPARE, json!({ "i": { "photoIds": [unlawful], "vehicle": facts } })).await.at("/prepareListing");
    let xml = garage.run(CREATE, json!({ "f": "XML" })).await;
    let csv = garage.run(CREATE, json!({ "f": "CSV" })).await.text("/createStockFeed/url");
    let again = garage.run(CREATE, json!({ "f": "XML" })).await;
    assert_eq!(xml.at("/createStockFeed"), again.at("/createStockFeed"), "one feed per format");
    let url = xml.text("/createStockFeed/url");
    assert_eq!(fetched(&app, &url).await.0, 404, "nothing before the first file");
    app.run_jobs().await;
    let (status, text) = fetched(&app, &url).await;
    assert_eq!(status, 200);
    for said in ["<reference>VO-1</reference>", "TCe 90 &lt;Zen&gt;", "<price_eur>", "<siren>732829320</siren>", "/p/"]
    {
        assert!(text.contains(said), "{said} is missing from\n{text}");
    }
    for private in ["YK482ZN", "YK-482-ZN", "Fiat", "/files/"] {
        assert!(!text.contains(private), "{private} is in\n{text}");
    }
    let picture = text.split("<photo>").nth(1).unwrap().split('<').next().unwrap();
    assert_eq!(app.anonymous().get(picture).await.status(), 200);
    let (_, text) = fetched(&app, &csv).await;
    assert_eq!(text.lines().next().unwrap().trim_start_matches('\u{feff}').split(';').next(), Some("reference"));
    assert!(text.contains("\nVO-1;Renault;Clio;"), "{text}");

    let stranger = app.garage("martin").await;
    let id = xml.text("/createStockFeed/id");
    assert_eq!(stranger.run(BUILD, json!({ "id": id, "a": true })).await.code(), "NOT_FOUND");
    let close = "mutation($id: UUID!) { closeStockFeed(id: $id) }";
    assert_eq!(stranger.run(close, json!({ "id": id })).await.code(), "NOT_FOUND");
    assert_eq!(stranger.run(FEEDS, json!({})).await.at("/stockFeeds"), &json!([]));
    assert_eq!(garage.run(close, json!({ "id": id })).await.text("/closeStockFeed"), id);
    assert_eq!(fetched(&app, &url).await.0, 404);
    assert_eq!(fetched(&app, &csv.replace(".csv", ".xml")).await.0, 404);
    app.finish().await;
}

#[tokio::test]
async fn a_feed_that_is_suddenly_small_is_held_back_until_the_seller_accepts_it() {
    let app = TestApp::start().await;
    let garage = named(&app).await;
    relay::look(&app.app).await.unwrap();
    let mut listings = Vec::new();
    for number in ["VO-1", "VO-2", "VO-3", "VO-4"] {
        listings.push(ad(&app, &garage, number).await);
    }
    let feed = garage.run(CREATE, json!({ "f": "XML" })).await;
    let (id, url) = (feed.text("/createStockFeed/id"), feed.text("/createStockFeed/url"));
    app.run_jobs().await;
    for listing in &listings[..3] {
        garage.run(SELL, json!({ "l": listing })).await.at("/markListingSold");
    }
    let told = async || {
        app.app.clock().advance(Duration::from_secs(3_600));
        relay::look(&app.app).await.unwrap();
        app.run_jobs().await;
        let garage = app.log_in("dupont").await;
        let heard = garage.run("{ notifications(first: 50) { nodes { kind } } }", json!({})).await;
        let nodes = heard.at("/notifications/nodes").as_array().unwrap().clone();
        nodes.iter().filter(|node| node["kind"] == "feed_held_back").count()
    };
    assert_eq!(told().await, 1);
    assert_eq!(told().await, 1, "told once");
    let garage = app.log_in("dupont").await;
    let held = json!([{ "format": "XML", "cars": 4, "heldBackCars": 1 }]);
    assert_eq!(garage.run(FEEDS, json!({})).await.at("/stockFeeds"), &held);
    assert_eq!(fetched(&app, &url).await.1.matches("<vehicle>").count(), 4, "the last good file is served");
    let refused = garage.run(BUILD, json!({ "id": id, "a": false })).await;
    assert_eq!(refused.code(), "FEED_SHRUNK");
    assert_eq!(refused.0.pointer("/errors/0/extensions/details"), Some(&json!({ "before": 4, "now": 1 })));
    let accepted = garage.run(BUILD, json!({ "id": id, "a": true })).await;
    assert_eq!(accepted.at("/buildStockFeed"), &json!({ "cars": 1, "heldBackCars": null }));
    assert_eq!(fetched(&app, &url).await.1.matches("<vehicle>").count(), 1);
    garage.run(SELL, json!({ "l": listings[3] })).await.at("/markListingSold");
    assert_eq!(garage.run(BUILD, json!({ "id": id, "a": false })).await.code(), "FEED_SHRUNK", "none is too few");
    app.run_jobs().await;
    app.finish().await;
}

#[tokio::test]
async fn the_photos_of_an_ad_come_in_one_numbered_file() {
    let app = TestApp::start().await;
    let (garage, stranger) = (named(&app).await, app.garage("martin").await);
    let photos = [
        garage.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id"),
        garage.upload(fixture("suv-front.jpg")).await.text("/uploadPhoto/id"),
    ];
    let made = garage.run(PREPARE, json!({ "i": { "photoIds": photos, "vehicle": {} } })).await;
    let listing = made.text("/prepareListing/id");
    assert_eq!(garage.run(ARCHIVE, json!({ "l": listing })).await.code(), "NOT_PUBLISHABLE", "none is ready");
    app.run_jobs().await;
    assert_eq!(stranger.run(ARCHIVE, json!({ "l": listing })).await.code(), "NOT_FOUND");
    let archive = garage.run(ARCHIVE, json!({ "l": listing })).await;
    assert_eq!(archive.at("/archiveListingPhotos/photos"), 2);
    let answer = garage.get(&archive.text("/archiveListingPhotos/url")).await;
    assert_eq!(answer.headers()["content-disposition"], "attachment; filename=\"photos.zip\"");
    let bytes = answer.bytes().await.unwrap();
    let mut file = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let names: Vec<String> = file.file_names().map(|name| name.unwrap().into_owned()).collect();
    assert_eq!(names, ["01.jpg", "02.jpg"]);
    let pictures = "query($l: UUID!) { listing(id: $l) { photos { cleaning { cleaned { url } } } } }";
    let shown = garage.run(pictures, json!({ "l": listing })).await;
    for (at, photo) in shown.at("/listing/photos").as_array().unwrap().iter().enumerate() {
        let url = photo["cleaning"]["cleaned"]["url"].as_str().unwrap();
        let public = garage.get(url).await.bytes().await.unwrap();
        let mut packed = Vec::new();
        std::io::Read::read_to_end(&mut file.by_index(at).unwrap(), &mut packed).unwrap();
        assert!(packed == public, "photo {at} is the masked one that is shown");
    }

    // Cut out to stand on no ground, a car is for pages of one's own: portals take no such picture.
    let alone = "mutation($p: [UUID!]!) { cleanPhotos(photoIds: $p, scene: TRANSPARENT) { id } }";
    garage.run(alone, json!({ "p": [photos[0]] })).await.at("/cleanPhotos");
    app.run_jobs().await;
    let pictures = "query($l: UUID!) { listing(id: $l) { photos { cleaning { cleaned { url } masked { url } } } } }";
    let shown = garage.run(pictures, json!({ "l": listing })).await;
    let url = |kind: &str| shown.text(&format!("/listing/photos/0/cleaning/{kind}/url"));
    assert!(garage.get(&url("cleaned")).await.bytes().await.unwrap().starts_with(b"\x89PNG"));
    let archive = garage.run(ARCHIVE, json!({ "l": listing })).await.text("/archiveListingPhotos/url");
    let bytes = garage.get(&archive).await.bytes().await.unwrap();
    let mut file = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut packed = Vec::new();
    std::io::Read::read_to_end(&mut file.by_index(0).unwrap(), &mut packed).unwrap();
    assert!(packed == garage.get(&url("masked")).await.bytes().await.unwrap());
    assert!(packed.starts_with(&[0xFF, 0xD8]), "named .jpg, and one");
    let file = archive.rsplit('/').next().unwrap().split('?').next().unwrap();
    assert_eq!(garage.run(alone, json!({ "p": [file] })).await.code(), "NOT_FOUND", "an archive is no photo");
    app.finish().await;
}
