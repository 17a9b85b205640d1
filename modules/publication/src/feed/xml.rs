use keroxio_core::{Error, Result};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::car::FeedCar;

pub fn write(cars: &[FeedCar]) -> Result<Vec<u8>> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None))).map_err(Error::internal)?;
    writer
        .create_element("vehicles")
        .write_inner_content(|writer| cars.iter().try_for_each(|car| vehicle(writer, car)))
        .map_err(Error::internal)?;
    Ok(writer.into_inner())
}

fn vehicle(writer: &mut Writer<Vec<u8>>, car: &FeedCar) -> std::io::Result<()> {
    let content = |writer: &mut Writer<Vec<u8>>| {
        for (name, value) in &car.facts {
            writer.create_element(*name).write_text_content(BytesText::new(&allowed(value)))?;
        }
        let photos = |writer: &mut Writer<Vec<u8>>| {
            for url in &car.photos {
                writer.create_element("photo").write_text_content(BytesText::new(url))?;
            }
            Ok(())
        };
        writer.create_element("photos").write_inner_content(photos)?;
        Ok(())
    };
    writer.create_element("vehicle").write_inner_content(content)?;
    Ok(())
}

/// Without what XML 1.0 has no way to write.
fn allowed(text: &str) -> String {
    text.chars()
        .filter(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_sellers_write_is_text() {
        let text = String::from_utf8(write(&[super::super::car::sample()]).unwrap()).unwrap();
        assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<vehicles>"), "{text}");
        assert!(text.contains("<description>Un &lt;b&gt; &amp; \n;&quot;deux&quot;</description>"), "{text}");
        assert!(text.contains("<photo>https://example.org/p/2</photo>"), "{text}");
        let mut reader = quick_xml::Reader::from_str(&text);
        loop {
            if reader.read_event().unwrap() == Event::Eof {
                break;
            }
        }
    }
}
