//! The hash chain that makes a change in the police register visible.
//!
//! `hash = SHA-256(version || previous || canonical)`, where
//!
//! - `version` is [`VERSION`] as two bytes, big endian;
//! - `previous` is the hash of the entry before, 32 bytes, all zero for the first entry of a site ([`GENESIS`]);
//! - `canonical` is [`canonical`]: UTF-8 text, one field a line in a fixed order, `name=length:value` where `length` is
//!   the number of bytes of the value in decimal, so that no value can look like another field. An absent value is
//!   `name=-`. Dates are `YYYY-MM-DD`, times `YYYY-MM-DDTHH:MM:SSZ`, numbers plain decimal. Text is taken as it is, byte
//!   by byte: store it as it was hashed.
//!
//! A new layout gets a new version; entries keep the version they were sealed with. A chain shows changes, removals,
//! insertions and reordering. It cannot show that the last entries were cut off: keep the last hash elsewhere (a mail to
//! the owner, a timestamp) and give it to [`verify_until`].

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::invoice::PaymentMeans;
use crate::register::{Entry, Event, Object, Party};

/// Layout of [`canonical`] that new entries are sealed with.
pub const VERSION: u16 = 1;

/// What the first entry of a site has as its previous hash.
pub const GENESIS: Hash = Hash([0; 32]);

/// A SHA-256 value; written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// An entry with its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    pub entry: Entry,
    pub version: u16,
    pub previous: Hash,
    pub hash: Hash,
}

/// Where a chain breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("position {at}: {why}")]
pub struct Broken {
    /// Index in the list that was verified, from 0; its length when the end is wrong.
    pub at: usize,
    pub why: Why,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    #[error("an entry was changed after it was sealed")]
    Changed,
    #[error("an entry does not continue the one before: one was removed, inserted or moved")]
    Link,
    #[error("the chronological numbers have a gap or a repetition")]
    Number,
    #[error("an entry belongs to the register of another site")]
    Site,
    #[error("an entry is dated before the one it follows")]
    Time,
    #[error("an entry was sealed with a layout this program does not know")]
    Version,
    #[error("the register does not end with the expected hash: entries are missing at the end")]
    End,
}

/// Seals an entry after the last one of its site; [`GENESIS`] when it is the first.
pub fn seal(entry: Entry, previous: Hash) -> Sealed {
    let hash = hash(VERSION, previous, &entry);
    Sealed { entry, version: VERSION, previous, hash }
}

/// Verifies the whole register of a site, from its first entry.
///
/// # Errors
/// The first place where the chain breaks.
pub fn verify(entries: &[Sealed]) -> Result<(), Broken> {
    verify_from(entries, GENESIS, 1)
}

/// Verifies a part of a register, for instance a period, given the hash before it and the number it starts with.
///
/// # Errors
/// The first place where the chain breaks.
pub fn verify_from(entries: &[Sealed], previous: Hash, first_number: u64) -> Result<(), Broken> {
    let (mut previous, mut number) = (previous, first_number);
    let mut last: Option<&Entry> = None;
    for (at, sealed) in entries.iter().enumerate() {
        check(sealed, previous, number, last).map_err(|why| Broken { at, why })?;
        (previous, number, last) = (sealed.hash, number.saturating_add(1), Some(&sealed.entry));
    }
    Ok(())
}

/// [`verify`], and the last hash must be the one kept elsewhere.
///
/// # Errors
/// The first place where the chain breaks, or [`Why::End`].
pub fn verify_until(entries: &[Sealed], last: Hash) -> Result<(), Broken> {
    verify(entries)?;
    let end = entries.last().map_or(GENESIS, |sealed| sealed.hash);
    if end == last { Ok(()) } else { Err(Broken { at: entries.len(), why: Why::End }) }
}

fn check(sealed: &Sealed, previous: Hash, number: u64, last: Option<&Entry>) -> Result<(), Why> {
    let entry = &sealed.entry;
    if sealed.version != VERSION {
        return Err(Why::Version);
    }
    if sealed.previous != previous {
        return Err(Why::Link);
    }
    if sealed.hash != hash(sealed.version, previous, entry) {
        return Err(Why::Changed);
    }
    if entry.number != number {
        return Err(Why::Number);
    }
    match last {
        Some(last) if last.site != entry.site => Err(Why::Site),
        Some(last) if seconds(last.recorded_at) > seconds(entry.recorded_at) => Err(Why::Time),
        _ => Ok(()),
    }
}

fn hash(version: u16, previous: Hash, entry: &Entry) -> Hash {
    let mut digest = Sha256::new();
    digest.update(version.to_be_bytes());
    digest.update(previous.0);
    digest.update(canonical(entry).as_bytes());
    Hash(digest.finalize().into())
}

fn seconds(time: DateTime<Utc>) -> i64 {
    time.timestamp()
}

/// The text of an entry that is hashed, layout [`VERSION`]; see the head of this module.
pub fn canonical(entry: &Entry) -> String {
    let mut fields = Fields(String::new());
    fields.put("site", &entry.site);
    fields.put("number", entry.number);
    fields.put("recorded_at", entry.recorded_at.format("%Y-%m-%dT%H:%M:%SZ"));
    match &entry.event {
        Event::Arrival { on, object, from, price_cents, means } => {
            fields.put("event", "arrival");
            fields.put("on", on);
            fields.object(object);
            fields.party(from);
            fields.price(*price_cents, *means);
        }
        Event::Departure { on, arrival, to, price_cents, means } => {
            fields.put("event", "departure");
            fields.put("on", on);
            fields.put("arrival", arrival);
            fields.party(to);
            fields.price(*price_cents, *means);
        }
        Event::Correction { corrected, reason, text } => {
            fields.put("event", "correction");
            fields.put("corrected", corrected);
            fields.put("reason", reason);
            fields.put("text", text);
        }
    }
    fields.0
}

struct Fields(String);

impl Fields {
    fn put(&mut self, name: &str, value: impl fmt::Display) {
        let value = value.to_string();
        self.0.push_str(&format!("{name}={}:{value}\n", value.len()));
    }

    fn maybe(&mut self, name: &str, value: Option<impl fmt::Display>) {
        match value {
            Some(value) => self.put(name, value),
            None => self.0.push_str(&format!("{name}=-\n")),
        }
    }

    fn object(&mut self, object: &Object) {
        self.put("make", &object.make);
        self.put("model", &object.model);
        self.put("version", &object.version);
        self.put("colour", &object.colour);
        self.maybe("mileage_km", object.mileage_km);
        self.maybe("plate", object.plate.as_deref());
        self.maybe("type_code", object.type_code.as_deref());
        self.put("vin", &object.vin);
        self.put("country", &object.country);
    }

    fn party(&mut self, party: &Party) {
        match party {
            Party::Person { name, address, document, document_number, document_issued } => {
                self.put("party", "person");
                self.put("name", name);
                self.put("address", address);
                self.maybe("document", document.as_deref());
                self.maybe("document_number", document_number.as_deref());
                self.maybe("document_issued", document_issued.as_deref());
            }
            Party::Company { name, address, siret, representative } => {
                self.put("party", "company");
                self.put("name", name);
                self.put("address", address);
                self.put("siret", siret);
                self.maybe("representative", representative.as_deref());
            }
        }
    }

    fn price(&mut self, cents: Option<i64>, means: Option<PaymentMeans>) {
        self.maybe("price_cents", cents);
        self.maybe("means", means.map(means_name));
    }
}

/// Stable names: renaming a variant must not change old hashes.
fn means_name(means: PaymentMeans) -> &'static str {
    match means {
        PaymentMeans::Card => "card",
        PaymentMeans::Transfer => "transfer",
        PaymentMeans::Cash => "cash",
        PaymentMeans::Cheque => "cheque",
        PaymentMeans::BankCheque => "bank_cheque",
        PaymentMeans::TradeIn => "trade_in",
        PaymentMeans::Financing => "financing",
    }
}

#[cfg(test)]
// Cents are written like euros: 12_000_00 is 12 000.00.
#[allow(clippy::inconsistent_digit_grouping)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn person(name: &str) -> Party {
        Party::Person {
            name: name.to_owned(),
            address: "1 rue Haute, 38000 Grenoble".to_owned(),
            document: Some("CNI".to_owned()),
            document_number: Some("X4RTBPFW4".to_owned()),
            document_issued: None,
        }
    }

    fn arrival(name: &str, km: u32) -> Event {
        let object = Object {
            make: "Renault".to_owned(),
            model: "Clio".to_owned(),
            vin: "VF15RBF0A58123456".to_owned(),
            country: "FR".to_owned(),
            mileage_km: Some(km),
            ..Object::default()
        };
        let means = Some(PaymentMeans::Transfer);
        Event::Arrival {
            on: "2026-11-26".parse().unwrap(),
            object,
            from: person(name),
            price_cents: Some(7_500_00),
            means,
        }
    }

    fn event(kind: u8, text: &str, value: u32) -> Event {
        match kind {
            0 => arrival(text, value),
            1 => Event::Departure {
                on: "2026-11-27".parse().unwrap(),
                arrival: u64::from(value),
                to: person(text),
                price_cents: None,
                means: None,
            },
            _ => Event::Correction { corrected: u64::from(value), reason: text.to_owned(), text: String::new() },
        }
    }

    fn chain(events: Vec<Event>) -> Vec<Sealed> {
        let mut previous = GENESIS;
        let mut sealed = Vec::new();
        for (index, event) in events.into_iter().enumerate() {
            let recorded_at = DateTime::from_timestamp(1_795_000_000 + 60 * index as i64, 0).unwrap();
            let entry = Entry { site: "grenoble".to_owned(), number: index as u64 + 1, recorded_at, event };
            sealed.push(seal(entry, previous));
            previous = sealed[index].hash;
        }
        sealed
    }

    fn some_chain() -> impl Strategy<Value = Vec<Sealed>> {
        prop::collection::vec((0_u8..3, "\\PC{0,12}", any::<u32>()), 2..9)
            .prop_map(|events| chain(events.into_iter().map(|(kind, text, value)| event(kind, &text, value)).collect()))
    }

    #[test]
    fn the_layout_never_changes() {
        let sealed = &chain(vec![arrival("Zoé Martin", 52_000)])[0];
        assert_eq!(
            canonical(&sealed.entry),
            "site=8:grenoble\nnumber=1:1\nrecorded_at=20:2026-11-18T11:06:40Z\nevent=7:arrival\non=10:2026-11-26\n\
             make=7:Renault\nmodel=4:Clio\nversion=0:\ncolour=0:\nmileage_km=5:52000\nplate=-\ntype_code=-\n\
             vin=17:VF15RBF0A58123456\ncountry=2:FR\nparty=6:person\nname=11:Zoé Martin\n\
             address=27:1 rue Haute, 38000 Grenoble\ndocument=3:CNI\ndocument_number=9:X4RTBPFW4\ndocument_issued=-\n\
             price_cents=6:750000\nmeans=8:transfer\n"
        );
        // Computed with another program from the text above: sha256(00 01, 32 zero bytes, text).
        assert_eq!(sealed.hash.to_string(), "fc4e260d86bc66c84124302dcd5c82a14533e72d25c1158b6fbc8e1f10cdbe08");
    }

    #[test]
    fn a_value_cannot_pretend_to_be_a_field() {
        let correction = |reason: &str, text: &str| {
            let event = Event::Correction { corrected: 1, reason: reason.to_owned(), text: text.to_owned() };
            canonical(&chain(vec![event])[0].entry)
        };
        assert_ne!(correction("a\ntext=1:b", ""), correction("a", "b"));
        assert_ne!(correction("-", ""), correction("", "-"));
    }

    #[test]
    fn an_empty_register_is_whole() {
        assert_eq!(verify(&[]), Ok(()));
        assert_eq!(verify_until(&[], GENESIS), Ok(()));
    }

    #[test]
    fn only_the_last_hash_shows_that_the_end_is_missing() {
        let whole = chain(vec![arrival("a", 1), arrival("b", 2), arrival("c", 3)]);
        let last = whole[2].hash;
        assert_eq!(verify_until(&whole, last), Ok(()));
        assert_eq!(verify(&whole[..2]), Ok(()));
        assert_eq!(verify_until(&whole[..2], last), Err(Broken { at: 2, why: Why::End }));
    }

    #[test]
    fn a_period_is_verified_from_the_hash_before_it() {
        let whole = chain(vec![arrival("a", 1), arrival("b", 2), arrival("c", 3)]);
        assert_eq!(verify_from(&whole[1..], whole[0].hash, 2), Ok(()));
        assert_eq!(verify(&whole[1..]), Err(Broken { at: 0, why: Why::Link }));
        assert_eq!(verify_from(&whole[1..], whole[0].hash, 3), Err(Broken { at: 0, why: Why::Number }));
    }

    #[test]
    fn sites_times_and_versions_are_checked_even_when_the_hashes_fit() {
        let mut whole = chain(vec![arrival("a", 1), arrival("b", 2)]);
        let reseal = |entry: Entry, previous| seal(entry, previous);
        let second = whole[1].entry.clone();
        whole[1] = reseal(Entry { site: "lyon".to_owned(), ..second.clone() }, whole[0].hash);
        assert_eq!(verify(&whole), Err(Broken { at: 1, why: Why::Site }));
        whole[1] = reseal(Entry { recorded_at: DateTime::UNIX_EPOCH, ..second.clone() }, whole[0].hash);
        assert_eq!(verify(&whole), Err(Broken { at: 1, why: Why::Time }));
        whole[1] = Sealed { version: 2, ..reseal(second, whole[0].hash) };
        assert_eq!(verify(&whole), Err(Broken { at: 1, why: Why::Version }));
    }

    #[test]
    fn a_sealed_entry_survives_json() {
        let sealed = chain(vec![arrival("Zoé", 1), event(2, "ça", 1)]);
        let back: Vec<Sealed> = serde_json::from_str(&serde_json::to_string(&sealed).unwrap()).unwrap();
        assert_eq!(back, sealed);
        assert_eq!(verify(&back), Ok(()));
    }

    proptest! {
        #[test]
        fn what_is_sealed_verifies(whole in some_chain()) {
            prop_assert_eq!(verify(&whole), Ok(()));
        }

        #[test]
        fn any_change_is_seen_where_it_is(
            mut whole in some_chain(), place in any::<prop::sample::Index>(), what in 0_u8..6, bit in 0_usize..256,
        ) {
            let at = place.index(whole.len());
            let sealed = &mut whole[at];
            match what {
                0 => sealed.entry.site.push('x'),
                1 => sealed.entry.number += 1,
                2 => sealed.entry.recorded_at += chrono::Duration::seconds(1),
                3 => sealed.hash.0[bit / 8] ^= 1 << (bit % 8),
                4 => sealed.previous.0[bit / 8] ^= 1 << (bit % 8),
                _ => match &mut sealed.entry.event {
                    Event::Arrival { price_cents, .. } | Event::Departure { price_cents, .. } => {
                        *price_cents = Some(price_cents.map_or(0, |cents| cents + 1));
                    }
                    Event::Correction { text, .. } => text.push(' '),
                },
            }
            prop_assert_eq!(verify(&whole).unwrap_err().at, at);
        }

        #[test]
        fn any_removal_is_seen(mut whole in some_chain(), place in any::<prop::sample::Index>()) {
            let last = whole[whole.len() - 1].hash;
            let at = place.index(whole.len());
            whole.remove(at);
            prop_assert_eq!(verify_until(&whole, last).unwrap_err().at, at);
        }

        #[test]
        fn any_insertion_is_seen(mut whole in some_chain(), place in any::<prop::sample::Index>(), copy in any::<bool>()) {
            let at = place.index(whole.len());
            let last = whole[whole.len() - 1].hash;
            let forged = if copy {
                whole[at].clone()
            } else {
                let entry = Entry { event: event(2, "forged", 0), ..whole[at].entry.clone() };
                seal(entry, whole[at].previous)
            };
            whole.insert(at, forged);
            let seen = verify_until(&whole, last).unwrap_err().at;
            prop_assert!(seen == at || seen == at + 1);
        }

        #[test]
        fn any_reordering_is_seen(
            mut whole in some_chain(), a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>(),
        ) {
            let (a, b) = (a.index(whole.len()), b.index(whole.len()));
            prop_assume!(a != b);
            whole.swap(a, b);
            prop_assert_eq!(verify(&whole).unwrap_err().at, a.min(b));
        }
    }
}
