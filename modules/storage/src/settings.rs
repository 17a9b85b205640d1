use std::time::Duration;

use keroxio_core::Env;
use opendal::Operator;
use opendal::layers::{MetricsLayer, RetryLayer, TimeoutLayer};
use opendal::services::{Fs, Memory, S3};

/// Where files are kept.
#[derive(Clone)]
pub struct Store(pub Operator);

pub fn store(env: &Env) -> anyhow::Result<Option<Store>> {
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
    let operator = operator
        .layer(TimeoutLayer::new().with_timeout(Duration::from_secs(20)).with_io_timeout(Duration::from_secs(20)))
        .layer(RetryLayer::new().with_max_times(3))
        .layer(MetricsLayer::default());
    Ok(Some(Store(operator)))
}
