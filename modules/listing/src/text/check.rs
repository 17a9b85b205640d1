//! Whether a text that somebody else wrote says what the facts say, all that the law wants, and nothing more.
//!
//! What has to be said must be there word for word. Around it only words are allowed that our own ads of these facts
//! use, or that claim nothing about a car (`neutral_fr.txt`, `neutral_en.txt`), and a number only beside the word it
//! stands beside in our own.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{AdFacts, AdTone, Manner, english, french, write};

/// Longest body, in characters: that of the strictest portal.
const LONGEST: usize = 4_000;
/// Findings reported of one text.
const MOST_FINDINGS: usize = 30;
/// Ways of putting an ad whose words are looked at.
const SEEDS: u64 = 8;

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "text", rename_all = "snake_case")]
pub enum Objection {
    /// Something that has to be said is not, or not word for word.
    Missing(String),
    /// A word for which there is no fact.
    Claim(String),
    /// A number for which there is no fact, or with another meaning.
    Number(String),
    /// Signs that are none of an ad's.
    Sign(String),
    /// It has more characters than a portal takes.
    TooLong(String),
}

/// What an ad of these facts has to say: of each the ways to say it.
pub fn duties(facts: &AdFacts, language: &str) -> Vec<Vec<String>> {
    if language == "en" { english::duties(facts) } else { french::duties(facts) }
}

/// All that is wrong with a text; nothing for one that may stand.
pub fn objections(body: &str, facts: &AdFacts, language: &str) -> Vec<Objection> {
    let mut found = Vec::new();
    if body.chars().count() > LONGEST {
        found.push(Objection::TooLong(LONGEST.to_string()));
    }
    let strange = |c: &char| !c.is_alphanumeric() && !c.is_whitespace() && !"'’.,;:!?()«»\"-–—•&+/".contains(*c);
    found.extend(body.chars().find(strange).map(|sign| Objection::Sign(sign.to_string())));
    let (rest, missing) = without_duties(&plain(body), facts, language);
    found.extend(missing.into_iter().map(Objection::Missing));
    let ours = Ours::of(facts, language);
    let tokens = tokens(&rest);
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| tokens.get(at));
        if token.chars().any(|c| c.is_ascii_digit()) {
            let beside = [(before, Some(token)), (Some(token), tokens.get(at + 1))];
            if !beside.iter().any(|(a, b)| a.zip(*b).is_some_and(|(a, b)| ours.knows_pair(a, b))) {
                found.push(Objection::Number(token.clone()));
            }
        } else if !ours.words.contains(token) {
            found.push(Objection::Claim(token.clone()));
        }
    }
    let mut seen = HashSet::new();
    found.retain(|objection| seen.insert(format!("{objection:?}")));
    found.truncate(MOST_FINDINGS);
    found
}

/// The words our own ads of these facts use, and those that claim nothing.
struct Ours {
    words: HashSet<String>,
    pairs: HashSet<(String, String)>,
}

impl Ours {
    fn of(facts: &AdFacts, language: &str) -> Self {
        let neutral = if language == "en" { include_str!("neutral_en.txt") } else { include_str!("neutral_fr.txt") };
        let mut words: HashSet<String> = neutral.split_whitespace().map(str::to_owned).collect();
        let mut pairs = HashSet::new();
        for tone in [AdTone::Professional, AdTone::Friendly, AdTone::Short] {
            for seed in 0..SEEDS {
                let ours = write(facts, &Manner { language, tone, seed }).body;
                // A number means what it means in the whole text; what only the law's words may say, only they say.
                let whole = tokens(&plain(&ours));
                pairs.extend(whole.windows(2).map(|pair| (pair[0].clone(), pair[1].clone())));
                words.extend(tokens(&without_duties(&plain(&ours), facts, language).0));
            }
        }
        Self { words, pairs }
    }

    fn knows_pair(&self, before: &str, after: &str) -> bool {
        self.pairs.contains(&(before.to_owned(), after.to_owned()))
    }
}

/// A text without what has to be said, and what of it is missing.
fn without_duties(text: &str, facts: &AdFacts, language: &str) -> (String, Vec<String>) {
    let mut rest = text.to_owned();
    let mut missing = Vec::new();
    for ways in duties(facts, language) {
        let ways: Vec<String> = ways.iter().map(|way| plain(way)).collect();
        match ways.iter().find(|way| text.contains(way.as_str())) {
            Some(_) => ways.iter().for_each(|way| rest = rest.replace(way.as_str(), " | ")),
            None => missing.extend(ways.into_iter().next()),
        }
    }
    (rest, missing)
}

/// Lower case, one kind of space and of apostrophe.
fn plain(text: &str) -> String {
    let text = text.to_lowercase().replace('’', "'");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Words and numbers in their order; `|` stands where a duty was, so that nothing is beside it.
fn tokens(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_alphanumeric() && c != '|');
    parts.filter(|part| !part.is_empty() && *part != "|").map(str::to_owned).collect()
}
