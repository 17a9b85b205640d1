//! Adds the Factur-X extension schema to the XMP metadata of a finished PDF.
//!
//! The PDF library writes the metadata itself and leaves no place for a schema of ours. It writes them as an
//! uncompressed stream, as PDF/A asks, in a file with a plain cross-reference table: the text is inserted there, and
//! the length of the stream and the offsets of what follows are put right. Anything unexpected is an error, never a
//! damaged file.

use crate::DocumentError;
use crate::facturx::FILE_NAME;

const NAMESPACE: &str = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#";
const BAG_END: &str = "</rdf:Bag></pdfaExtension:schemas>";
const RDF_END: &str = "</rdf:RDF>";

/// The properties of Factur-X 1.0, table "XMP extension schema", with their descriptions.
const PROPERTIES: [(&str, &str, &str); 4] = [
    ("DocumentFileName", FILE_NAME, "The name of the embedded XML document"),
    ("DocumentType", "INVOICE", "The type of the hybrid document in capital letters, e.g. INVOICE or ORDER"),
    ("Version", "1.0", "The actual version of the standard applying to the embedded XML document"),
    ("ConformanceLevel", "EN 16931", "The conformance level of the embedded XML document"),
];

pub(super) fn add_factur_x(pdf: Vec<u8>) -> Result<Vec<u8>, DocumentError> {
    insert(&pdf).ok_or_else(|| DocumentError::Pdf("the metadata are not where they were expected".to_owned()))
}

fn insert(pdf: &[u8]) -> Option<Vec<u8>> {
    let header = find(pdf, b"/Type/Metadata/Subtype/XML>>\nstream\n", 0)?;
    let object = rfind(&pdf[..header], b" 0 obj\n<</Length ")?;
    let digits = object + b" 0 obj\n<</Length ".len();
    let length: usize = std::str::from_utf8(&pdf[digits..header]).ok()?.parse().ok()?;
    let start = find(pdf, b"stream\n", header)? + b"stream\n".len();
    let old = std::str::from_utf8(pdf.get(start..start.checked_add(length)?)?).ok()?;
    let new = with_schema(old)?;
    let mut out = pdf[..digits].to_vec();
    out.extend_from_slice(new.len().to_string().as_bytes());
    out.extend_from_slice(&pdf[header..start]);
    out.extend_from_slice(new.as_bytes());
    out.extend_from_slice(&pdf[start + length..]);
    let grown = out.len() - pdf.len();
    move_offsets(&mut out, start, grown)?;
    Some(out)
}

/// Exactly one place for each insertion, or none at all.
fn with_schema(xmp: &str) -> Option<String> {
    let single = |needle| xmp.matches(needle).count() == 1;
    if !single(BAG_END) || !single(RDF_END) {
        return None;
    }
    let declared = xmp.replacen(BAG_END, &format!("{}{BAG_END}", schema()), 1);
    Some(declared.replacen(RDF_END, &format!("{}{RDF_END}", values()), 1))
}

fn schema() -> String {
    let property = |(name, _, description): &(&str, &str, &str)| {
        format!(
            "<rdf:li rdf:parseType=\"Resource\"><pdfaProperty:name>{name}</pdfaProperty:name>\
             <pdfaProperty:valueType>Text</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category>\
             <pdfaProperty:description>{description}</pdfaProperty:description></rdf:li>"
        )
    };
    let properties: String = PROPERTIES.iter().map(property).collect();
    format!(
        "<rdf:li rdf:parseType=\"Resource\"><pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>\
         <pdfaSchema:namespaceURI>{NAMESPACE}</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix>\
         <pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property></rdf:li>"
    )
}

fn values() -> String {
    let values: String = PROPERTIES.iter().map(|(name, value, _)| format!("<fx:{name}>{value}</fx:{name}>")).collect();
    format!("<rdf:Description rdf:about=\"\" xmlns:fx=\"{NAMESPACE}\">{values}</rdf:Description>")
}

/// Adds `grown` to the offsets beyond `after` in the cross-reference table and to its own place.
fn move_offsets(pdf: &mut Vec<u8>, after: usize, grown: usize) -> Option<()> {
    let table = rfind(pdf, b"\nxref\n")? + 1;
    let trailer = find(pdf, b"trailer\n", table)?;
    let mut at = table;
    while let Some(end) = find(&pdf[..trailer], b" 00000 n", at) {
        let digits = end.checked_sub(10)?..end;
        let offset: usize = std::str::from_utf8(&pdf[digits.clone()]).ok()?.parse().ok()?;
        if offset > after {
            pdf[digits].copy_from_slice(format!("{:010}", offset + grown).as_bytes());
        }
        at = end + 1;
    }
    let place = find(pdf, b"startxref\n", trailer)? + b"startxref\n".len();
    let end = find(pdf, b"\n", place)?;
    let old: usize = std::str::from_utf8(&pdf[place..end]).ok()?.parse().ok()?;
    if old + grown != table {
        return None;
    }
    pdf.splice(place..end, table.to_string().into_bytes());
    Some(())
}

fn find(bytes: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    bytes.get(from..)?.windows(needle.len()).position(|window| window == needle).map(|at| at + from)
}

fn rfind(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).rposition(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_layout_is_refused() {
        for pdf in [&b""[..], b"%PDF-1.7", b"1 0 obj\n<</Length 9/Type/Metadata/Subtype/XML>>\nstream\nshort"] {
            assert!(matches!(add_factur_x(pdf.to_vec()), Err(DocumentError::Pdf(_))));
        }
    }
}
