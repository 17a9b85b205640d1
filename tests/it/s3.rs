//! The journey with its files in S3: `s3s-fs` checks signatures and keeps the objects in a folder.

use std::path::Path;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use keroxio_test_support::{Setup, fixture};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use serde_json::json;

const BUCKET: &str = "photos";

/// A server that knows one key; answers its address.
async fn serve_s3(folder: &Path, key: &str, secret: &str) -> String {
    std::fs::create_dir_all(folder.join(BUCKET)).unwrap();
    let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder).unwrap());
    service.set_auth(SimpleAuth::from_single(key, secret));
    let service = service.build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                let http = Builder::new(TokioExecutor::new());
                let _ = http.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    address
}

fn configured(endpoint: &str, secret: &str) -> Setup {
    Setup::default()
        .set("KEROXIO_S3_BUCKET", BUCKET)
        .set("KEROXIO_S3_ENDPOINT", endpoint)
        .set("KEROXIO_S3_REGION", "eu-west-3")
        .set("KEROXIO_S3_ACCESS_KEY_ID", "keroxio")
        .set("KEROXIO_S3_SECRET_ACCESS_KEY", secret)
}

fn objects(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 1 };
    entries.map(|entry| objects(&entry.unwrap().path())).sum()
}

#[tokio::test]
async fn photos_and_renditions_are_kept_in_the_bucket() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = serve_s3(folder.path(), "keroxio", "right secret").await;
    let app = configured(&endpoint, "right secret").start().await;
    let garage = app.garage("dupont").await;
    let photo = garage.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    assert_eq!(objects(&folder.path().join(BUCKET)), 1);
    let started = garage.run("mutation($p: UUID!) { cleanPhoto(photoId: $p) { id } }", json!({ "p": photo })).await;
    app.run_jobs().await;
    let query = "query($id: UUID!) { photoCleaning(id: $id) { state cleaned { url } masked { url } } }";
    let cleaning = garage.run(query, json!({ "id": started.text("/cleanPhoto/id") })).await;
    assert_eq!(cleaning.at("/photoCleaning/state"), "DONE");
    for rendition in ["cleaned", "masked"] {
        let file = garage.get(&cleaning.text(&format!("/photoCleaning/{rendition}/url"))).await;
        assert_eq!(file.headers()["content-type"], "image/jpeg");
        let bytes = file.bytes().await.unwrap();
        assert!(bytes.starts_with(&[0xff, 0xd8]) && bytes.ends_with(&[0xff, 0xd9]));
    }
    assert!(objects(&folder.path().join(BUCKET)) >= 3);
    app.finish().await;
}

#[tokio::test]
async fn a_refusing_bucket_is_a_coded_error_and_leaves_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = serve_s3(folder.path(), "keroxio", "right secret").await;
    let app = configured(&endpoint, "wrong secret").start().await;
    let garage = app.garage("dupont").await;
    let refused = garage.upload(fixture("hatch-front.jpg")).await;
    assert_eq!(refused.code(), "UNAVAILABLE");
    assert!(!refused.0.to_string().contains("SignatureDoesNotMatch"), "the cause stays inside: {}", refused.0);
    assert_eq!(objects(&folder.path().join(BUCKET)), 0);
    app.finish().await;
}
