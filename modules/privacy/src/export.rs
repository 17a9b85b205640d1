//! Everything an organization has, in one file.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::time::Duration as Patience;

use chrono::Duration;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use keroxio_core::{
    Actor, App, BackgroundJob, Bucket, Effects, Error, GivenUp, JobError, Priority, Result, Right, as_tenant,
};
use keroxio_email::{Letter, Locale};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::catalogue::{self, PERSONAL, SECRET};
use crate::model::{self, Export};

/// Files of an archive, in bytes; the rest is listed.
const MAX_FILES: i64 = 512 << 20;
/// Exports of an organization: each reads all it has.
const OFTEN: Bucket = Bucket::of(5, std::time::Duration::from_secs(24 * 3_600));
/// How long an export can be fetched.
pub const KEPT: Duration = Duration::days(7);

/// Asks for an export; while one is under way it is that one.
pub async fn ask(app: &App, actor: &Actor) -> Result<Export> {
    actor.may(Right::Own)?;
    let mut tx = app.begin().await?;
    let known = model::exports(&mut tx, actor.org_id).await?;
    if let Some(pending) = known.into_iter().find(|export| export.state == "pending") {
        return Ok(pending);
    }
    app.take(&format!("export:{}", actor.org_id.simple()), OFTEN, 1.0).await.or_wait()?;
    let export = Export {
        id: Uuid::now_v7(),
        org_id: actor.org_id,
        asked_by: actor.user_id,
        state: "pending".to_owned(),
        object_id: None,
        rows: None,
        files: None,
        asked_at: app.now(),
        ended_at: None,
    };
    model::insert_export(&mut tx, &export).await?;
    tx.enqueue(&ExportData { export_id: export.id, org_id: export.org_id }).await?;
    tx.commit().await?;
    Ok(export)
}

pub async fn list(app: &App, actor: &Actor) -> Result<Vec<Export>> {
    actor.may(Right::Own)?;
    Ok(model::exports(&mut *app.conn().await?, actor.org_id).await?)
}

/// A private address of a finished export, good for an hour.
pub async fn url(app: &App, export: &Export) -> Result<Option<String>> {
    let Some(object) = export.object_id else { return Ok(None) };
    let object = keroxio_storage::service::get(app, export.org_id, object).await?;
    keroxio_storage::service::signed_url(app, &object).map(Some)
}

/// Writes an export.
#[derive(Serialize, Deserialize)]
pub struct ExportData {
    pub export_id: Uuid,
    pub org_id: Uuid,
}

impl BackgroundJob for ExportData {
    const NAME: &'static str = "privacy.export";
    const PRIORITY: Priority = Priority::Low;
    const TIMEOUT: Patience = Patience::from_secs(900);

    fn org_id(&self) -> Option<Uuid> {
        Some(self.org_id)
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let export = model::export(&mut *app.conn().await?, self.export_id).await?;
        let Some(mut export) = export.filter(|export| export.state == "pending") else { return Ok(Effects::none()) };
        // What the organization may see is what it has.
        let written = as_tenant(Some(self.org_id), write(&app, export.asked_by)).await?;
        let object = keroxio_storage::service::put(&app, self.org_id, written.bytes, "application/zip", None).await?;
        let mut tx = app.begin().await?;
        "ready".clone_into(&mut export.state);
        (export.object_id, export.ended_at) = (Some(object.id), Some(app.now()));
        (export.rows, export.files) = (Some(written.rows), Some(written.files));
        model::save_export(&mut tx, &export).await?;
        if let Some((email, locale)) = keroxio_auth::service::address_of(&mut tx, export.asked_by).await? {
            let letter = Letter::ExportReady { url: "/account/exports".to_owned() };
            keroxio_email::service::send(&mut tx, Some(self.org_id), &email, Locale::named(&locale), &letter).await?;
        }
        Ok(tx.into())
    }

    async fn gave_up(self, app: App, _why: GivenUp) -> Result<Effects> {
        let mut tx = app.begin().await?;
        if let Some(mut export) = model::export(&mut tx, self.export_id).await? {
            "failed".clone_into(&mut export.state);
            export.ended_at = Some(app.now());
            model::save_export(&mut tx, &export).await?;
        }
        Ok(tx.into())
    }
}

struct Written {
    bytes: Vec<u8>,
    rows: i64,
    files: i64,
}

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    text: String,
}

/// The archive: a file of JSON lines per table, and the files.
async fn write(app: &App, asked_by: Uuid) -> Result<Written> {
    let mut archive = ZipWriter::new(tempfile::tempfile().map_err(Error::internal)?);
    let mut rows = 0;
    let mut conn = app.conn().await?;
    for table in catalogue::tables(&mut conn).await?.iter().filter(|table| !table.is_passing) {
        let own = if table.is_owned { "org_id = core_tenant()" } else { "true" };
        let who =
            if PERSONAL.contains(&table.name.as_str()) { format!("user_id = '{asked_by}'") } else { "true".to_owned() };
        let query =
            format!("SELECT (to_jsonb(t) - $1::text[])::text AS text FROM {} t WHERE {own} AND {who}", table.name);
        let secret: Vec<&str> = SECRET.to_vec();
        let query = diesel::sql_query(query).bind::<diesel::sql_types::Array<Text>, _>(secret);
        let lines: Vec<Line> = query.load(&mut conn).await?;
        rows += i64::try_from(lines.len()).unwrap_or(i64::MAX);
        let text: String = lines.into_iter().map(|line| line.text + "\n").collect();
        add(&mut archive, &format!("data/{}.jsonl", table.name), text.as_bytes())?;
    }
    drop(conn);
    let files = files(app, &mut archive).await?;
    let mut file = archive.finish().map_err(Error::internal)?;
    Ok(Written { bytes: whole(&mut file)?, rows, files })
}

/// The files themselves, the newest first, and a list of all.
async fn files(app: &App, archive: &mut ZipWriter<File>) -> Result<i64> {
    let (mut added, mut bytes, mut list) = (0, 0, String::new());
    for object in keroxio_storage::service::all_of_tenant(app).await? {
        let fits = object.media_type != "application/zip" && bytes + object.bytes <= MAX_FILES;
        let line = serde_json::json!({ "id": object.id, "mediaType": object.media_type, "bytes": object.bytes, "included": fits });
        list += &format!("{line}\n");
        if fits {
            let content = keroxio_storage::service::read(app, &object).await?;
            let ending = object.media_type.rsplit('/').next().unwrap_or("bin");
            add(archive, &format!("files/{}.{ending}", object.id), &content)?;
            (added, bytes) = (added + 1, bytes + object.bytes);
        }
    }
    add(archive, "files.jsonl", list.as_bytes())?;
    Ok(added)
}

fn add(archive: &mut ZipWriter<File>, name: &str, content: &[u8]) -> Result<()> {
    archive.start_file(name, SimpleFileOptions::default()).map_err(Error::internal)?;
    archive.write_all(content).map_err(Error::internal)
}

fn whole(file: &mut File) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).map_err(Error::internal)?;
    file.read_to_end(&mut bytes).map_err(Error::internal)?;
    Ok(bytes)
}
