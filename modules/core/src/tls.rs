//! Whom we trust at the other end of a connection to PostgreSQL and Redis.

use std::sync::Arc;

use anyhow::Context as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::Env;

/// Name of the setting with a file of further authorities, in PEM.
const CA: &str = "KEROXIO_TLS_CA";

/// The machine's authorities and those of the setting; certificates are always verified, names included.
///
/// # Errors
/// When the file of the setting cannot be read or holds no certificate.
pub(crate) fn client_config(env: &Env) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    for problem in &native.errors {
        tracing::debug!("an authority of this machine is passed over: {problem}");
    }
    roots.add_parsable_certificates(native.certs);
    if let Some(file) = env.optional(CA) {
        let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&file)
            .and_then(Iterator::collect)
            .with_context(|| format!("{CA}: {file} is no file of certificates in PEM"))?;
        anyhow::ensure!(!certificates.is_empty(), "{CA}: {file} holds no certificate");
        for certificate in certificates {
            roots.add(certificate).with_context(|| format!("{CA}: {file} holds an unusable certificate"))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
