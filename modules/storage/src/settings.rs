use std::time::Duration;

use keroxio_core::health::{Trouble, Verdict};
use keroxio_core::{App, Env};
use opendal::layers::{MetricsLayer, RetryLayer, TimeoutLayer};
use opendal::services::{Fs, Memory, S3};
use opendal::{ErrorKind, Operator};
use uuid::Uuid;

/// Where files are kept.
#[derive(Clone)]
pub struct Store(pub Operator);

/// The same place, asked once: whoever looks whether it works wants no second try.
#[derive(Clone)]
pub struct Probe(Operator);

pub fn store(env: &Env) -> anyhow::Result<Option<(Store, Probe)>> {
    let operator = if let Some(bucket) = env.optional("KEROXIO_S3_BUCKET") {
        opendal_http_transport_reqwest::install_default();
        let mut s3 = S3::default()
            .bucket(&bucket)
            .region(&env.optional("KEROXIO_S3_REGION").unwrap_or_else(|| "auto".to_owned()))
            .access_key_id(&env.required("KEROXIO_S3_ACCESS_KEY_ID", "key of the bucket in KEROXIO_S3_BUCKET"))
            .secret_access_key(&env.required("KEROXIO_S3_SECRET_ACCESS_KEY", "secret of that key"));
        if let Some(endpoint) = env.optional("KEROXIO_S3_ENDPOINT") {
            s3 = s3.endpoint(&endpoint);
        }
        Operator::new(s3)?
    } else {
        match env.required("KEROXIO_STORAGE_DIR", "folder for photos, or set KEROXIO_S3_BUCKET").as_str() {
            "" => return Ok(None),
            ":memory:" => Operator::new(Memory::default())?,
            folder => Operator::new(Fs::default().root(folder))?,
        }
    };
    let probe = operator.clone();
    let operator = operator
        .layer(TimeoutLayer::new().with_timeout(Duration::from_secs(20)).with_io_timeout(Duration::from_secs(20)))
        .layer(RetryLayer::new().with_max_times(3))
        .layer(MetricsLayer::default());
    Ok(Some((Store(operator), Probe(probe))))
}

/// Writes a file and takes it away again: a full disk and a lost permission show at nothing less.
pub async fn look(app: App) -> Verdict {
    let Ok(Probe(operator)) = app.get::<Probe>() else { return Ok(()) };
    let path = format!("health/{}", Uuid::now_v7().simple());
    let tried = match operator.write(&path, "ok").await {
        Ok(_) => operator.delete(&path).await,
        Err(e) => Err(e),
    };
    tried.map_err(|e| {
        tracing::warn!("storage: {e}");
        let io = std::error::Error::source(&e).and_then(|cause| cause.downcast_ref::<std::io::Error>());
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::StorageFull) {
            Trouble::new("its disk is full", "Free some of it, or give it more.")
        } else if e.kind() == ErrorKind::PermissionDenied {
            Trouble::new("we may not write", "Give us KEROXIO_STORAGE_DIR, or the key of the bucket its rights.")
        } else {
            Trouble::new("not writable", "See KEROXIO_STORAGE_DIR, or the settings KEROXIO_S3_*.")
        }
    })
}
