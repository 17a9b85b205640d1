//! The end of an organization.

use std::collections::BTreeMap;
use std::time::Duration as Patience;

use diesel_async::{RunQueryDsl, SimpleAsyncConnection as _};
use keroxio_core::{Actor, App, BackgroundJob, Effects, Error, ErrorCode, JobError, Priority, Result, Right, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::model::{self, Erasure};
use crate::{catalogue, holds};

/// Asks for the erasure of the caller's organization, of which they name the name; answers the number of the certificate.
pub async fn ask(app: &App, actor: &Actor, name: &str, password: String) -> Result<Uuid> {
    actor.may(Right::Own)?;
    keroxio_auth::service::prove(app, actor, password).await?;
    let organization = keroxio_auth::service::organization(app, actor.org_id).await?;
    if organization.name.trim() != name.trim() {
        return Err(Error::new(
            ErrorCode("NAME_MISMATCH"),
            "Écrivez le nom exact de l'organisation à effacer : rien n'a été effacé.",
            "Write the exact name of the organization to be erased: nothing was erased.",
        ));
    }
    begin(app, actor.org_id).await
}

/// Begins an erasure, for whoever answers for it.
pub async fn begin(app: &App, org: Uuid) -> Result<Uuid> {
    keroxio_core::as_system(async {
        let mut tx = app.begin().await?;
        let erasure = Erasure {
            id: Uuid::new_v4(),
            organization: org,
            asked_at: app.now(),
            erased_at: None,
            deleted: json!({}),
            kept: json!([]),
        };
        model::insert_erasure(&mut tx, &erasure).await?;
        tx.enqueue(&Erase { erasure_id: erasure.id }).await?;
        tx.commit().await?;
        Ok(erasure.id)
    })
    .await
}

/// What is left of an erased organization.
pub async fn certificate(app: &App, id: Uuid) -> Result<Erasure> {
    let found = keroxio_core::as_system(async { Ok::<_, Error>(model::erasure(&mut *app.conn().await?, id).await?) });
    found.await?.ok_or_else(|| Error::not_found("Certificat", "Certificate"))
}

/// Erases an organization, all of it in one transaction.
#[derive(Serialize, Deserialize)]
pub struct Erase {
    pub erasure_id: Uuid,
}

impl BackgroundJob for Erase {
    const NAME: &'static str = "privacy.erase";
    const PRIORITY: Priority = Priority::Low;
    const TIMEOUT: Patience = Patience::from_secs(600);

    /// None: the work goes on while the organization's rows are deleted.
    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let mut tx = app.begin().await?;
        let erasure = model::erasure(&mut tx, self.erasure_id).await?.filter(|erasure| erasure.erased_at.is_none());
        let Some(mut erasure) = erasure else { return Ok(Effects::none()) };
        let org = erasure.organization;
        let Ok(organization) = keroxio_auth::service::organization_in(&mut tx, org).await else {
            return Ok(Effects::none());
        };
        let kept = holds::copy(&mut tx, org, &organization.kind, app.now()).await?;
        keroxio_billing::service::erase(&mut tx, org).await?;
        let mut deleted = delete(&mut tx, org).await?;
        let people = keroxio_auth::service::erase(&mut tx, org).await?;
        deleted.insert("auth_users".to_owned(), people);
        keroxio_storage::service::erase(&mut tx, org).await?;
        erasure.erased_at = Some(app.now());
        erasure.deleted = serde_json::to_value(deleted).map_err(Error::from)?;
        erasure.kept = serde_json::to_value(kept).map_err(Error::from)?;
        model::save_erasure(&mut tx, &erasure).await?;
        Ok(tx.into())
    }
}

/// Deletes every row of an organization but those that say who belongs to it. Done in the role of tenants, which reaches
/// nobody else's: a mistake here deletes too little.
pub async fn delete(tx: &mut Tx, org: Uuid) -> Result<BTreeMap<String, usize>> {
    let tables = catalogue::tables(tx).await?;
    // Papers and registers that else stay as they are let go of their rows now: what is kept of them was copied before.
    let erasing = format!("SET LOCAL keroxio.erasing = '{org}'");
    tx.batch_execute(&format!("SET LOCAL ROLE keroxio_tenant; SET LOCAL keroxio.org = '{org}'; {erasing}")).await?;
    let mut deleted = BTreeMap::new();
    for table in tables.iter().filter(|table| !table.name.starts_with("auth_")) {
        let own = if table.is_owned { "WHERE org_id = core_tenant()" } else { "" };
        let rows = diesel::sql_query(format!("DELETE FROM {} {own}", table.name)).execute(&mut **tx).await?;
        if rows > 0 && !table.is_passing {
            deleted.insert(table.name.clone(), rows);
        }
    }
    tx.batch_execute("RESET ROLE; RESET keroxio.org; RESET keroxio.erasing").await?;
    Ok(deleted)
}
