//! Parameters as Stripe takes them: `items[0][price]=…`.

use serde_json::{Map, Value};

/// Everything is text, as it is on the wire.
pub fn parse(text: &str) -> Value {
    let url = reqwest::Url::parse(&format!("http://form/?{text}")).unwrap();
    let mut root = Value::Object(Map::new());
    for (key, value) in url.query_pairs() {
        let mut at = &mut root;
        for part in key.split('[').map(|part| part.trim_end_matches(']')) {
            if at.is_null() {
                *at = Value::Object(Map::new());
            }
            at = at.as_object_mut().unwrap().entry(part.to_owned()).or_insert(Value::Null);
        }
        *at = Value::String(value.into_owned());
    }
    root
}

/// The first parameter that is none of these.
pub fn unknown<'a>(params: &'a Value, known: &[&str]) -> Option<&'a str> {
    params.as_object().unwrap().keys().map(String::as_str).find(|name| !known.contains(name))
}

pub fn text<'a>(params: &'a Value, pointer: &str) -> Option<&'a str> {
    params.pointer(pointer)?.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn brackets_nest() {
        let parsed = super::parse("a=1&items[0][price]=p%26q&items%5B0%5D%5Bid%5D=i&m[k]=v");
        assert_eq!(parsed, json!({ "a": "1", "items": { "0": { "price": "p&q", "id": "i" } }, "m": { "k": "v" } }));
    }
}
