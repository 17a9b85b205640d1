use std::sync::Arc;

use serde::Deserialize;

/// What a portal asks for and allows; dated data, because portals change without notice.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Channel {
    pub id: String,
    pub name: String,
    pub deposit_url: String,
    pub hosts: Vec<String>,
    pub title_limit: usize,
    pub body_limit: usize,
    /// Days after which an ad there is to be renewed.
    pub renew_days: i64,
    pub fields: Vec<String>,
}

#[derive(Clone)]
pub struct Channels(Arc<Vec<Channel>>);

impl Channels {
    pub fn load() -> anyhow::Result<Self> {
        Ok(Self(Arc::new(serde_json::from_str(include_str!("../channels.json"))?)))
    }

    pub fn iter(&self) -> impl Iterator<Item = &Channel> {
        self.0.iter()
    }

    pub fn get(&self, id: &str) -> Option<&Channel> {
        self.0.iter().find(|c| c.id == id)
    }
}

impl Channel {
    /// The portal's number of an ad, if this is an https address of an ad of this portal.
    pub fn external_id(&self, url: &str) -> Option<String> {
        let rest = url.trim().strip_prefix("https://")?;
        let (host, path) = rest.split_once('/')?;
        if !self.hosts.iter().any(|h| h == host) {
            return None;
        }
        let path = path.split(['?', '#']).next()?;
        let digits = path.split(|c: char| !c.is_ascii_digit()).rfind(|digits| digits.len() >= 6)?;
        Some(digits.to_owned())
    }
}

/// Cuts at a word, so that a text never ends in the middle of one.
pub fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let short: String = text.chars().take(limit).collect();
    short.rfind(char::is_whitespace).and_then(|end| short.get(..end)).unwrap_or(&short).to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_an_ad_of_the_portal_is_followed() {
        let channels = Channels::load().unwrap();
        let leboncoin = channels.get("leboncoin").unwrap();
        let id = |url| leboncoin.external_id(url);
        assert_eq!(id("https://www.leboncoin.fr/ad/voitures/2718281828?x=1"), Some("2718281828".into()));
        for wrong in [
            "http://www.leboncoin.fr/ad/voitures/2718281828",
            "https://www.leboncoin.fr.evil.example/ad/voitures/2718281828",
            "https://evil.example/www.leboncoin.fr/2718281828",
            "https://user@www.leboncoin.fr/ad/2718281828",
            "https://www.leboncoin.fr/deposer-une-annonce",
            "javascript:alert(1)",
        ] {
            assert_eq!(id(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_text_is_cut_at_a_word() {
        assert_eq!(cut("Peugeot 3008 BlueHDi", 13), "Peugeot 3008");
        assert_eq!(cut("court", 50), "court");
    }
}
