use keroxio_test_support::{TestApp, fixture};
use serde_json::json;

#[tokio::test]
async fn each_bad_file_gets_its_own_answer_and_good_ones_come_in() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let refusals = [
        ("text.jpg", "PHOTO_UNKNOWN_FORMAT"),
        ("truncated.jpg", "PHOTO_DAMAGED"),
        ("bomb.png", "PHOTO_TOO_MANY_PIXELS"),
        ("empty.jpg", "PHOTO_EMPTY"),
        ("sample.heic", "PHOTO_UNSUPPORTED_FORMAT"),
    ];
    for (name, code) in refusals {
        assert_eq!(garage.upload(fixture(name)).await.code(), code, "{name}");
    }
    for name in ["cmyk.jpg", "sixteen-bit.png", "gps.jpg", "hatch-front.jpg"] {
        assert_eq!(garage.upload(fixture(name)).await.text("/uploadPhoto/mediaType"), "image/jpeg", "{name}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_turned_photo_is_stored_upright() {
    let app = TestApp::start().await;
    let stored = app.garage("dupont").await.upload(fixture("exif-rotated.jpg")).await;
    assert_eq!((stored.at("/uploadPhoto/width"), stored.at("/uploadPhoto/height")), (&json!(480), &json!(360)));
    app.finish().await;
}

#[tokio::test]
async fn a_photo_says_nothing_of_its_owner_and_opens_only_by_its_signature() {
    let app = TestApp::start().await;
    let (garage, stranger) = (app.garage("dupont").await, app.garage("martin").await);
    let photo = garage.upload(fixture("gps.jpg")).await;
    let url = photo.text("/uploadPhoto/url");
    let bytes = garage.get(&url).await.bytes().await.unwrap();
    assert!(bytes.starts_with(&[0xFF, 0xD8]) && !bytes.windows(4).any(|w| w == b"Exif"), "metadata is left");
    let (address, _) = url.rsplit_once("signature=").unwrap();
    assert_eq!(garage.get(&format!("{address}signature=00")).await.status(), 404);
    let id = photo.text("/uploadPhoto/id");
    let asked = stranger.run("query($id: UUID!) { photo(id: $id) { id } }", json!({ "id": id })).await;
    assert_eq!(asked.code(), "NOT_FOUND");
    app.finish().await;
}

#[tokio::test]
async fn an_upload_cannot_be_forged_in_json() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let forged = garage
        .run("mutation($f: Upload!) { uploadPhoto(file: $f) { id } }", json!({ "f": "#__graphql_file__:0" }))
        .await;
    assert_eq!(forged.code(), "BAD_INPUT");
    app.finish().await;
}
