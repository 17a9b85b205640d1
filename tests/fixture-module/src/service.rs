use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keroxio_core::{Actor, App, Effects, Event, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::Signature;
use crate::tables::fixture_notes;

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = fixture_notes)]
pub struct Note {
    pub id: Uuid,
    pub org_id: Uuid,
    pub body: String,
    pub signature: Option<String>,
}

/// Announced with every new note.
#[derive(Serialize, Deserialize)]
pub struct NoteWritten {
    pub note: Uuid,
}

impl Event for NoteWritten {
    const NAME: &'static str = "fixture.note_written";
}

pub(crate) fn topic(org: Uuid) -> String {
    format!("fixture:{org}")
}

pub(crate) async fn write(app: &App, actor: &Actor, body: String) -> Result<Note> {
    let note = Note { id: Uuid::now_v7(), org_id: actor.org_id, body, signature: None };
    let mut tx = app.begin().await?;
    diesel::insert_into(fixture_notes::table).values(&note).execute(&mut *tx).await?;
    tx.announce(&NoteWritten { note: note.id }).await?;
    tx.commit().await?;
    Ok(note)
}

pub(crate) async fn list(app: &App, org: Uuid) -> Result<Vec<Note>> {
    let mut conn = app.conn().await?;
    let notes = fixture_notes::table.filter(fixture_notes::org_id.eq(org)).order(fixture_notes::id);
    Ok(notes.select(Note::as_select()).load(&mut conn).await?)
}

pub(crate) async fn sign(app: &App, id: Uuid) -> Result<Effects> {
    let Signature(signature) = app.get()?;
    let mut tx = app.begin().await?;
    let org: Uuid = diesel::update(fixture_notes::table.find(id))
        .set(fixture_notes::signature.eq(signature))
        .returning(fixture_notes::org_id)
        .get_result(&mut *tx)
        .await?;
    tx.publish(topic(org), json!({ "id": id }));
    Ok(tx.into())
}
