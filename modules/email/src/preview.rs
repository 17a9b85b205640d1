//! Letters before anybody gets one.

use async_graphql::SimpleObject;
use keroxio_core::Result;
use uuid::Uuid;

use crate::kind::LetterKind;
use crate::letter::{Letter, Locale};
use crate::settings::Settings;
use crate::unsubscribe::{Key, Unsubscribed};

/// A letter with made-up content, as its reader would see it.
#[derive(SimpleObject)]
#[graphql(name = "EmailPreview")]
pub struct Preview {
    /// Its subject.
    subject: String,
    /// As most programs show it.
    html: String,
    /// As programs without HTML show it.
    text: String,
}

pub fn of(settings: &Settings, key: &Key, kind: LetterKind, locale: Locale) -> Result<Preview> {
    let nobody = Unsubscribed { org_id: Uuid::nil(), user_id: Uuid::nil(), topic: kind.name().to_owned() };
    let unsubscribe = kind.is_optional().then(|| key.address(&settings.public_url, &nobody));
    let written = Letter::sample(kind).write(locale, &settings.app_url, unsubscribe.as_deref())?;
    Ok(Preview { subject: written.subject, html: written.html, text: written.plain })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use keroxio_core::Env;

    use super::*;

    fn previews() -> Vec<(LetterKind, Locale, Preview)> {
        let env = Env::from_vars([("KEROXIO_APP_URL".to_owned(), "https://app.keroxio.example".to_owned())]);
        let (settings, key) = (Settings::read(&env), Key::from_env(&env));
        let both = |kind| {
            [Locale::French, Locale::English].map(|locale| (kind, locale, of(&settings, &key, kind, locale).unwrap()))
        };
        LetterKind::ALL.into_iter().flat_map(both).collect()
    }

    /// What programs for letters take away, or ask their reader about.
    const MISSING: [&str; 12] =
        ["<img", "<script", "<style", "<link", "src=", "url(", "@import", "class=", "<svg", "<form", "position:", "{{"];

    #[test]
    fn every_letter_is_whole_light_and_needs_nothing_from_anywhere() {
        for (kind, locale, letter) in previews() {
            let Preview { subject, html, text } = &letter;
            let what = format!("{kind:?} in {locale:?}: {subject}\n{text}\n{html}");
            assert!(
                html.len() <= 100 << 10 && html.starts_with("<!doctype html>") && html.trim_end().ends_with("</html>"),
                "{what}"
            );
            assert!(html.contains(&format!("<html lang=\"{}\">", locale.name())), "{what}");
            assert!(MISSING.iter().all(|part| !html.contains(part)), "{what}");
            assert!(["{{", "{%", "}}", "%}"].iter().all(|mark| !html.contains(mark) && !text.contains(mark)), "{what}");
            assert!((5..=90).contains(&subject.chars().count()) && !subject.contains('{'), "{what}");
            assert!(text.len() > 60 && !text.contains('<'), "{what}");
            // What is shown beside the subject comes before anything that can be seen.
            let (hidden, seen) = (html.find("<div style=\"display:none").unwrap(), html.find("<p").unwrap());
            assert!(hidden < seen, "{what}");
            for link in html.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
                let link = link.replace("&#x2f;", "/").replace("&amp;", "&");
                assert!(text.contains(&link), "{link} is in the HTML only: {what}");
            }
            assert_eq!(text.contains("/email/unsubscribe/"), kind.is_optional(), "{what}");
        }
    }

    #[test]
    fn a_letter_in_french_is_not_one_in_english() {
        let all = previews();
        for pair in all.chunks(2) {
            let [(kind, _, french), (_, _, english)] = pair else { panic!("two languages") };
            assert_ne!(french.subject, english.subject, "{kind:?}");
            assert_ne!(french.text, english.text, "{kind:?}");
            assert!(french.text.contains("Vous recevez") && english.text.contains("You receive"), "{kind:?}");
        }
    }
}
