//! Names people use for models which the advertisements, and so the model, call otherwise.

/// Make, name as typed, name the model knows; all of them normalised, the longer names first.
const NAMES: [(&str, &str, &str); 31] = [
    ("audi", "rs e tron gt", "e tron gt"),
    ("citroen", "grand c4 spacetourer", "grand c4 picasso"),
    ("citroen", "c4 spacetourer", "c4 picasso"),
    ("dr automobiles", "dr 4.0", "dr4.0"),
    ("fiat", "grande punto", "punto"),
    ("fiat", "punto evo", "punto"),
    ("ford", "ka+", "ka ka+"),
    ("ford", "ka", "ka ka+"),
    ("kia", "pro cee d", "proceed pro cee"),
    ("kia", "pro ceed", "proceed pro cee"),
    ("kia", "proceed", "proceed pro cee"),
    ("kia", "cee d", "ceed cee d"),
    ("kia", "ceed", "ceed cee d"),
    ("lexus", "ct 200h", "ct 200h"),
    ("lexus", "ct", "ct 200h"),
    ("lexus", "es 300h", "es 300"),
    ("lexus", "es", "es 300"),
    ("mazda", "mazda 2", "2"),
    ("mazda", "mazda 3", "3"),
    ("mazda", "mazda3", "3"),
    ("mazda", "mazda 6", "6"),
    ("mini", "cabriolet", "cabrio"),
    ("peugeot", "e 208", "208"),
    ("peugeot", "e 2008", "2008"),
    ("renault", "r5", "5"),
    ("skoda", "rapid", "rapid spaceback"),
    ("toyota", "prius+", "prius plus"),
    ("volkswagen", "coccinelle", "beetle"),
    ("volkswagen", "id buzz", "id.buzz"),
    ("volkswagen", "id. buzz", "id.buzz"),
    ("volkswagen", "up!", "up"),
];

/// A normalised text that begins with a model's other name, with the name the model knows in its place.
pub fn usual(brand: &str, text: &str) -> Option<String> {
    let listed = NAMES.iter().filter(|(make, ..)| *make == brand).find_map(|(_, typed, known)| {
        let rest = text.strip_prefix(typed)?;
        (rest.is_empty() || rest.starts_with(' ')).then(|| format!("{known}{rest}"))
    });
    listed.or_else(|| match brand {
        "mercedes" => class(text),
        "bmw" => series(text),
        "volkswagen" => numbered_id(text),
        _ => None,
    })
}

/// `c220 cdi` and `c 220 cdi` are `classe c 220 cdi`.
fn class(text: &str) -> Option<String> {
    let letter = text.chars().next().filter(|c| "abcegrstvx".contains(*c))?;
    let rest = text.strip_prefix(letter)?.trim_start();
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    (digits == 3).then(|| format!("classe {letter} {rest}"))
}

/// `320d touring` is `serie 3 320d touring`, `m135i` is `serie 1 m135i`.
fn series(text: &str) -> Option<String> {
    let number = text.strip_prefix('m').unwrap_or(text);
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    let first = number.chars().next()?;
    (digits == 3).then(|| format!("serie {first} {text}"))
}

/// `id3`, `id 3` are `id.3`.
fn numbered_id(text: &str) -> Option<String> {
    let rest = text.strip_prefix("id")?.trim_start();
    rest.starts_with(|c: char| c.is_ascii_digit()).then(|| format!("id.{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_alone_are_names() {
        assert_eq!(usual("volkswagen", "up! 1.0 60").as_deref(), Some("up 1.0 60"));
        assert_eq!(usual("kia", "ceed").as_deref(), Some("ceed cee d"));
        assert_eq!(usual("mercedes", "c220 cdi").as_deref(), Some("classe c 220 cdi"));
        assert_eq!(usual("mercedes", "cla 200"), None);
        assert_eq!(usual("bmw", "320d touring").as_deref(), Some("serie 3 320d touring"));
        assert_eq!(usual("bmw", "m135i").as_deref(), Some("serie 1 m135i"));
        assert_eq!(usual("bmw", "m3"), None);
        assert_eq!(usual("ford", "kadett"), None);
        assert_eq!(usual("volkswagen", "id3").as_deref(), Some("id.3"));
    }
}
