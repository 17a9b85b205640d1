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
        let is_number = token.chars().any(|c| c.is_ascii_digit());
        if is_number && !ours.knows_number(&tokens, at) {
            found.push(Objection::Number(token.clone()));
        } else if !is_number && token != BREAK && !ours.words.contains(token) {
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

    /// A number means what the word after it says; at the end of a sentence what the word before it says.
    fn knows_number(&self, tokens: &[String], at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|at| tokens.get(at)).map_or(BREAK, String::as_str);
        let after = tokens.get(at + 1).map_or(BREAK, String::as_str);
        let pair = if after == BREAK { (before, tokens[at].as_str()) } else { (tokens[at].as_str(), after) };
        pair.0 != BREAK && self.pairs.contains(&(pair.0.to_owned(), pair.1.to_owned()))
    }
}

/// A text without what has to be said, and what of it is missing.
fn without_duties(text: &str, facts: &AdFacts, language: &str) -> (String, Vec<String>) {
    let mut rest = text.to_owned();
    let mut missing = Vec::new();
    for ways in duties(facts, language) {
        let ways: Vec<String> = ways.iter().map(|way| plain(way)).collect();
        let said: Vec<bool> = ways.iter().map(|way| take_out(&mut rest, way, text)).collect();
        if !said.contains(&true) {
            missing.extend(ways.into_iter().next());
        }
    }
    (rest, missing)
}

/// Takes a duty out wherever it stands as whole words; answers whether the text as it was says it.
fn take_out(rest: &mut String, duty: &str, text: &str) -> bool {
    while let Some(at) = find_whole(rest, duty) {
        rest.replace_range(at..at + duty.len(), &format!(" {BREAK} "));
    }
    find_whole(text, duty).is_some()
}

/// Where words stand that neither begin nor end within a word or a number.
fn find_whole(text: &str, words: &str) -> Option<usize> {
    let starts_with_digit = words.starts_with(|c: char| c.is_ascii_digit());
    text.match_indices(words).map(|(at, _)| at).find(|at| {
        let (before, after) = (&text[..*at], &text[at + words.len()..]);
        let joins = |c: char| c.is_alphanumeric();
        // `145 200 km` is not `45 200 km`, nor is `1 45 200 km`.
        let number_before = starts_with_digit && before.trim_end().ends_with(|c: char| c.is_ascii_digit());
        !before.ends_with(joins) && !after.starts_with(joins) && !number_before
    })
}

/// Stands between sentences, and where a duty was.
const BREAK: &str = "|";

/// Lower case, one kind of space and of apostrophe; lines end as sentences do.
fn plain(text: &str) -> String {
    let text = text.to_lowercase().replace('’', "'").replace(['\n', '•'], " | ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Words, numbers and breaks in their order; what is elided keeps its apostrophe: `d'` is no `d`.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut word = String::new();
    for sign in text.chars() {
        if sign.is_alphanumeric() {
            word.push(sign);
            continue;
        }
        if sign == '\'' && ["c", "d", "j", "l", "m", "n", "s", "qu"].contains(&word.as_str()) {
            word.push(sign);
        }
        if !word.is_empty() {
            tokens.push(std::mem::take(&mut word));
        }
        if "|.;!?".contains(sign) && tokens.last().is_some_and(|last| last != BREAK) {
            tokens.push(BREAK.to_owned());
        }
    }
    if !word.is_empty() {
        tokens.push(word);
    }
    tokens
}
