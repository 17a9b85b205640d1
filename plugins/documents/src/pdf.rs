//! The documents as A4 PDF/A-3b files: invoice and credit note with their Factur-X XML inside, quote, police register.
//!
//! Fonts are embedded and part of the program, so a server without fonts gives the same file. The same input gives the
//! same bytes.

mod canvas;
mod font;
mod ledger;
mod sheet;
mod xmp;

use chrono::{DateTime, Datelike as _, Timelike as _, Utc};
use krilla::configure::{Archival, ConfigurationBuilder};
use krilla::embed::{AssociationKind, EmbeddedFile, MimeType};
use krilla::metadata::{DateTime as PdfTime, Metadata};
use krilla::{Document, SerializeSettings};
use serde::{Deserialize, Serialize};

use crate::invoice::{Kind, Sale};
use crate::{DocumentError, facturx};

pub use ledger::RegisterExtract;

/// What a garage may choose about the look of its papers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Look {
    /// Red, green and blue of titles and lines. Choose a dark colour: white text is set on it.
    pub accent: [u8; 3],
}

impl Default for Look {
    fn default() -> Self {
        Self { accent: [17, 58, 112] }
    }
}

/// Invoice or credit note as Factur-X: PDF/A-3b with the XML attached as `factur-x.xml` (relationship Alternative, as
/// the French use of Factur-X asks for profiles from BASIC on) and named in the XMP metadata.
///
/// `made_at` becomes the date of the file.
///
/// # Errors
/// [`DocumentError::Faults`] when the document may not be issued, [`DocumentError::WrongKind`] for a quote.
pub fn invoice(sale: &Sale, look: Look, made_at: DateTime<Utc>) -> Result<Vec<u8>, DocumentError> {
    let xml = facturx::xml(sale)?;
    let mut document = archive()?;
    sheet::draw(sale, look)?.render(&mut document)?;
    attach(&mut document, xml, made_at)?;
    xmp::add_factur_x(finish(document, title(sale), sale.seller.name.clone(), made_at)?)
}

/// Quote with a place to sign; PDF/A-3b without attachment.
///
/// # Errors
/// [`DocumentError::Faults`] when the quote is incomplete, [`DocumentError::WrongKind`] for any other document.
pub fn quote(sale: &Sale, look: Look, made_at: DateTime<Utc>) -> Result<Vec<u8>, DocumentError> {
    if sale.kind != Kind::Quote {
        return Err(DocumentError::WrongKind);
    }
    let faults = sale.validate();
    if !faults.is_empty() {
        return Err(DocumentError::Faults(faults));
    }
    let mut document = archive()?;
    sheet::draw(sale, look)?.render(&mut document)?;
    finish(document, title(sale), sale.seller.name.clone(), made_at)
}

/// Police register of a site and a period: a landscape table, each entry with its number and hash.
///
/// # Errors
/// [`DocumentError::Register`] when the chain of the extract is broken: a register that was tampered with is not
/// printed as if it were whole. [`DocumentError::Pdf`] when an entry is longer than a page.
pub fn register_pdf(extract: &RegisterExtract, look: Look, made_at: DateTime<Utc>) -> Result<Vec<u8>, DocumentError> {
    extract.verify()?;
    let mut document = archive()?;
    ledger::draw(extract, look, made_at)?.render(&mut document)?;
    let title = format!("Registre d’objets mobiliers – {}", extract.site_name);
    finish(document, title, extract.holder.clone(), made_at)
}

fn title(sale: &Sale) -> String {
    format!("{} {} – {}", sheet::kind_name(sale.kind), sale.number, sale.seller.name)
}

fn archive() -> Result<Document, DocumentError> {
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A3_B)
        .finish()
        .map_err(|error| DocumentError::Pdf(format!("{error:?}")))?;
    Ok(Document::new_with(SerializeSettings { configuration, ..SerializeSettings::default() }))
}

fn attach(document: &mut Document, xml: Vec<u8>, made_at: DateTime<Utc>) -> Result<(), DocumentError> {
    let file = EmbeddedFile {
        path: facturx::FILE_NAME.to_owned(),
        mime_type: MimeType::new("text/xml"),
        description: Some("Factur-X, EN 16931".to_owned()),
        association_kind: AssociationKind::Alternative,
        data: xml.into(),
        modification_date: Some(pdf_time(made_at)),
        compress: Some(true),
        location: None,
    };
    document.embed_file(file).ok_or_else(|| DocumentError::Pdf("the XML could not be attached".to_owned()))
}

fn finish(
    mut document: Document,
    title: String,
    author: String,
    made_at: DateTime<Utc>,
) -> Result<Vec<u8>, DocumentError> {
    let metadata = Metadata::new()
        .title(title)
        .authors(vec![author])
        .language("fr-FR".to_owned())
        .creator("Keroxio".to_owned())
        .producer("Keroxio".to_owned())
        .creation_date(pdf_time(made_at));
    document.set_metadata(metadata);
    document.finish().map_err(|error| DocumentError::Pdf(format!("{error:?}")))
}

fn pdf_time(time: DateTime<Utc>) -> PdfTime {
    let small = |number: u32| u8::try_from(number).unwrap_or(0);
    PdfTime::new(u16::try_from(time.year()).unwrap_or(0))
        .month(small(time.month()))
        .day(small(time.day()))
        .hour(small(time.hour()))
        .minute(small(time.minute()))
        .second(small(time.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}
