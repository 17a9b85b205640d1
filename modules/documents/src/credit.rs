//! Credit notes: they take back of an invoice what is left of it, never more.

use diesel_async::AsyncPgConnection;
use keroxio_core::{Actor, App, Result, Right, Tx};
use keroxio_plugin_documents::invoice::{CreditedInvoice, Kind, Sale};
use uuid::Uuid;

use crate::input::{About, LineWriter, PaperLineInput};
use crate::kinds::PaperKind;
use crate::model::{self, Paper};
use crate::papers::{self, today};
use crate::{error, sellers};

/// A credit note to be: of these lines, or of the whole invoice.
pub async fn draft(
    app: &App,
    actor: &Actor,
    invoice: Uuid,
    reason: String,
    lines: Option<Vec<PaperLineInput>>,
) -> Result<Paper> {
    actor.may(Right::Publish)?;
    let mut tx = app.begin().await?;
    let wanted = ("une facture", "an invoice");
    let invoice = papers::hold_issued(&mut tx, actor.org_id, invoice, PaperKind::Invoice, wanted).await?;
    let settings = sellers::of(&mut tx, actor.org_id).await?;
    let mut sale = invoice.sale()?;
    if let Some(lines) = lines {
        let about = About { car: sale.car.clone(), price_cents: None, purchase_cents: None };
        let on = sale.delivery.as_ref().map_or(sale.issued_on, |delivery| delivery.on);
        let writer = LineWriter { about: &about, settings: &settings, on, is_credit: true };
        sale.lines = lines.into_iter().map(|line| writer.line(line)).collect::<Result<_>>()?;
    }
    sale.credited = Some(CreditedInvoice {
        number: std::mem::take(&mut sale.number),
        issued_on: sale.issued_on,
        gross_cents: invoice.gross_cents,
        credited_cents: credited(&mut tx, invoice.id).await?,
        reason: Some(reason.trim().to_owned()).filter(|reason| !reason.is_empty()),
    });
    (sale.kind, sale.due_on, sale.payments) = (Kind::CreditNote, None, Vec::new());
    let mut paper = papers::blank(app, actor, PaperKind::CreditNote);
    (paper.vehicle_id, paper.listing_id) = (invoice.vehicle_id, invoice.listing_id);
    (paper.contact_id, paper.credits_id) = (invoice.contact_id, Some(invoice.id));
    papers::keep(&mut paper, sale, &settings, today(app.now()))?;
    model::insert_paper(&mut tx, &paper).await?;
    tx.commit().await?;
    Ok(paper)
}

/// What earlier credit notes took back of the invoice by now. The invoice is held, so that two credit notes at a time
/// do not both find it whole.
pub async fn recount(tx: &mut Tx, paper: &Paper, sale: &mut Sale) -> Result<()> {
    let (Some(id), Some(invoice)) = (paper.credits_id, sale.credited.as_mut()) else { return Ok(()) };
    model::lock_paper(tx, paper.org_id, id).await?.ok_or_else(error::paper)?;
    invoice.credited_cents = credited(tx, id).await?;
    Ok(())
}

async fn credited(conn: &mut AsyncPgConnection, invoice: Uuid) -> Result<i64> {
    Ok(model::credited(conn, &[invoice]).await?.into_iter().map(|(_, cents)| cents).sum())
}
