//! PostgreSQL and Redis behind TLS: a server whose authority is known is trusted, any other is not.

use std::net::SocketAddr;
use std::sync::Arc;

use keroxio_core::{App, AppBuilder, Env};
use keroxio_test_support::TestDatabase;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A fresh authority in PEM, and a server it vouches for under this name.
fn authority(name: &str) -> (String, TlsAcceptor) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let server_key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&server_key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![server.der().clone()], PrivateKeyDer::Pkcs8(server_key.serialize_der().into()))
        .unwrap();
    (pem, TlsAcceptor::from(Arc::new(config)))
}

/// Ends TLS before a server that does not speak it; answers its port. PostgreSQL is asked for TLS first.
async fn before(target: SocketAddr, acceptor: TlsAcceptor, postgres: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if postgres {
                    let mut request = [0; 8];
                    client.read_exact(&mut request).await.ok()?;
                    assert_eq!(request, [0, 0, 0, 8, 4, 210, 22, 47], "the client asks for TLS before all else");
                    client.write_all(b"S").await.ok()?;
                }
                let mut client = acceptor.accept(client).await.ok()?;
                let mut server = TcpStream::connect(target).await.ok()?;
                copy_bidirectional(&mut client, &mut server).await.ok()
            });
        }
    });
    port
}

/// Scheme, credentials, address and path of a server's URL.
fn parts(url: &str) -> (&str, &str, SocketAddr, &str) {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (credentials, rest) = rest.rsplit_once('@').unwrap();
    let (address, path) = rest.split_once('/').unwrap();
    (scheme, credentials, address.parse().unwrap(), path)
}

async fn start(database: &str, redis: &str, ca: Option<&str>) -> anyhow::Result<App> {
    let settings = [("DATABASE_URL", database), ("REDIS_URL", redis), ("KEROXIO_REDIS_PREFIX", "tls")];
    let ca = ca.map(|file| ("KEROXIO_TLS_CA", file));
    let settings = settings.into_iter().chain(ca).map(|(name, value)| (name.to_owned(), value.to_owned()));
    let app = AppBuilder::default().start(&Env::from_vars(settings), &[]).await?;
    app.ready().await.map_err(|e| anyhow::anyhow!("{e}"))?;
    Ok(app)
}

#[tokio::test]
async fn connections_are_encrypted_and_only_known_authorities_are_trusted() {
    let database = TestDatabase::create().await;
    let redis = std::env::var("REDIS_URL").unwrap();
    let (pem, acceptor) = authority("localhost");
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, pem).unwrap();
    let ca = ca.to_str().unwrap();

    let (scheme, credentials, address, name) = parts(&database.url);
    let port = before(address, acceptor.clone(), true).await;
    let secure_database = format!("{scheme}://{credentials}@localhost:{port}/{name}?sslmode=require");
    let (_, redis_credentials, redis_address, number) = parts(&redis);
    let port = before(redis_address, acceptor, false).await;
    let secure_redis = format!("rediss://{redis_credentials}@localhost:{port}/{number}");

    start(&secure_database, &secure_redis, Some(ca)).await.unwrap();
    // Each alone, because the first that fails would hide the other.
    let stranger = start(&secure_database, &redis, None).await.err().unwrap();
    assert!(format!("{stranger:#}").contains("certificate"), "{stranger:#}");
    let stranger = start(&database.url, &secure_redis, None).await.err().unwrap();
    assert!(format!("{stranger:#}").to_lowercase().contains("certificate"), "{stranger:#}");
    let unencrypted = start(&format!("{}?sslmode=require", database.url), &redis, Some(ca)).await.err().unwrap();
    assert!(format!("{unencrypted:#}").contains("TLS"), "{unencrypted:#}");

    let missing = start(&secure_database, &secure_redis, Some("/nowhere.pem")).await.err().unwrap();
    assert!(missing.to_string().contains("KEROXIO_TLS_CA"), "{missing:#}");
    database.drop().await;
}
