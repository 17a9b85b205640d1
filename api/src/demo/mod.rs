//! Role `demo`: the whole journey through the API, as any client would run it.

mod client;
mod facts;
mod report;
mod services;
mod sheet;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use keroxio_core::Env;
use keroxio_core::telemetry::Telemetry;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::cli::DemoOptions;
use crate::serve::{self, Roles};
use client::Client;

const LISTING: &str = include_str!("listing.graphql");

pub async fn run(options: DemoOptions) -> anyhow::Result<()> {
    let options = facts::complete(options)?;
    let servers = services::Servers::start_if_needed()?;
    let env = servers.env(&options.out)?;
    let _traces = Telemetry::read(&Env::from_vars([("KEROXIO_LOG".to_owned(), log_filter())])).start();
    let outcome = journey(&env, &options).await;
    drop(servers);
    let document = outcome?;
    if options.json {
        println!("{document}");
    }
    eprintln!("==> report: {}", options.out.join("index.html").display());
    eprintln!("==> all photos, before and after: {}", options.out.join("sheet.jpg").display());
    Ok(())
}

fn log_filter() -> String {
    std::env::var("KEROXIO_LOG").unwrap_or_else(|_| "warn".to_owned())
}

async fn journey(env: &Env, options: &facts::Car) -> anyhow::Result<Value> {
    let url = env.required("DATABASE_URL", "PostgreSQL");
    env.check()?;
    crate::migrate::apply(&url, keroxio_schema::MODULES).await?;
    let stop = CancellationToken::new();
    let server = serve::start(env, Roles::BOTH, stop.clone()).await?;
    let addr = server.addr.context("the API did not start")?;
    let result = drive(&format!("http://{addr}"), options).await;
    stop.cancel();
    server.wait().await?;
    result
}

/// Register, upload, prepare, follow, collect.
async fn drive(base: &str, options: &facts::Car) -> anyhow::Result<Value> {
    let started = Instant::now();
    let client = Client::register(base).await?;
    let mut photos = Vec::new();
    let mut rejected = Vec::new();
    for path in &options.photos {
        eprintln!("==> uploading {}", path.display());
        match client.upload(path).await {
            Ok(id) => photos.push((id, path.clone())),
            Err(e) => {
                eprintln!("    refused: {e:#}");
                rejected.push(json!({ "photo": path, "error": format!("{e:#}") }));
            }
        }
    }
    anyhow::ensure!(!photos.is_empty(), "no photo could be used: {}", json!(rejected));
    let uploaded_ms = started.elapsed().as_millis();
    let ids: Vec<&str> = photos.iter().map(|(id, _)| id.as_str()).collect();
    let listing = client
        .call(
            "mutation($input: PrepareListingInput!) { prepareListing(input: $input) { id } }",
            json!({ "input": { "photoIds": ids, "vehicle": options.facts } }),
        )
        .await?;
    let id = listing.pointer("/prepareListing/id").and_then(Value::as_str).context("no listing id")?.to_owned();
    client.follow(&id).await?;
    let data = client.call(LISTING, json!({ "id": id })).await?;
    let out = prepare_folder(&options.out)?;
    let mut document = report::document(&data, uploaded_ms, started.elapsed().as_millis());
    report::download(&client, &data, &photos, &out, &mut document).await?;
    if let Some(object) = document.as_object_mut() {
        object.insert("rejected".to_owned(), json!(rejected));
    }
    sheet::draw(document["photos"].as_array().map_or(&[], Vec::as_slice), &out).save(out.join("sheet.jpg"))?;
    std::fs::write(out.join("index.html"), report::html(&document)?)?;
    std::fs::write(out.join("demo.json"), serde_json::to_vec_pretty(&document)?)?;
    Ok(document)
}

fn prepare_folder(out: &Path) -> anyhow::Result<PathBuf> {
    std::fs::create_dir_all(out).with_context(|| format!("{} cannot be written", out.display()))?;
    Ok(out.to_owned())
}
