//! Where webhooks may go: to the public internet, whatever a name says it resolves to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use keroxio_core::{Env, Result};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};

use crate::error;

const TIMEOUT: Duration = Duration::from_secs(15);
/// How names end that lead inside.
const INSIDE: [&str; 3] = [".localhost", ".internal", ".local"];

/// Sends webhooks.
#[derive(Clone)]
pub struct Sender {
    pub client: Client,
    /// Addresses inside are allowed: for development.
    private: bool,
}

impl Sender {
    /// # Errors
    /// When there is no TLS.
    pub fn from_env(env: &Env) -> anyhow::Result<Self> {
        let private = env.optional("KEROXIO_WEBHOOKS_PRIVATE").as_deref() == Some("on");
        let client = Client::builder()
            .timeout(TIMEOUT)
            .redirect(Policy::none())
            .no_proxy()
            .user_agent("Keroxio-Webhooks/1")
            .dns_resolver(Arc::new(Guarded { private }))
            .build()?;
        Ok(Self { client, private })
    }

    /// # Errors
    /// `DESTINATION_REFUSED` for what is no public HTTPS address. Names are resolved, and looked at, when they are called.
    pub fn check(&self, address: &str) -> Result<Url> {
        checked(address, self.private)
    }
}

fn checked(address: &str, private: bool) -> Result<Url> {
    let url = Url::parse(address).map_err(|_| error::destination())?;
    let is_secure = url.scheme() == "https" || (private && url.scheme() == "http");
    let is_bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let is_public = match host.parse::<IpAddr>() {
        Ok(address) => is_public(address),
        Err(_) => host.contains('.') && !INSIDE.iter().any(|ending| host.ends_with(ending)),
    };
    let is_short = address.len() <= 2_000;
    if is_secure && is_bare && is_short && (is_public || private) { Ok(url) } else { Err(error::destination()) }
}

/// Resolves names, and refuses those that lead inside.
struct Guarded {
    private: bool,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let private = self.private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if !private && found.iter().any(|address| !is_public(address.ip())) {
                return Err("the name leads to an address that is not public".into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the public internet (IANA special-purpose registries).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        // Shared by carriers, protocol assignments, benchmarks.
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b)))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // Global unicast only; of it not documentation, nor what wraps an address of IPv4 (Teredo, 6to4).
    (a & 0xe000) == 0x2000 && !(a == 0x2001 && (b < 0x0200 || b == 0x0db8)) && a != 0x2002 && a != 0x3fff
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_the_public_internet_is_a_destination() {
        for good in [
            "https://example.org/hook",
            "https://example.org:8443/a?b=c",
            "https://1.1.1.1/",
            "https://[2606:4700::1]/",
        ] {
            assert!(checked(good, false).is_ok(), "{good}");
        }
        for bad in [
            "http://example.org/",
            "ftp://example.org/",
            "https://user:password@example.org/",
            "https://localhost/",
            "https://redis/",
            "https://metadata.google.internal/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0/",
            "https://10.0.0.1/",
            "https://172.16.3.4/",
            "https://192.168.1.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://100.64.0.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[fe80::1]/",
            "https://[fc00::1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[2002:7f00:1::]/",
            "https://example.org/#fragment",
            "nonsense",
        ] {
            assert!(checked(bad, false).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_connected_to() {
        let inside = Guarded { private: false }.resolve("localhost".parse().unwrap()).await;
        assert!(inside.is_err());
        assert!(Guarded { private: true }.resolve("localhost".parse().unwrap()).await.is_ok());
    }
}
