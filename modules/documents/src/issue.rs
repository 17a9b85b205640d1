//! The moment a paper gets its number. Everything happens in one transaction that holds the counter of the series:
//! either the number, the paper as it stays and its file are there, or none of them and the number is free again.

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use keroxio_core::{Actor, App, Error, Result, Right, Tx};
use keroxio_plugin_documents::invoice::{Kind, Sale};
use keroxio_plugin_documents::number::DocumentNumber;
use keroxio_plugin_documents::pdf::{self, Look};
use keroxio_plugin_documents::totals::totals;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::kinds::{PaperKind, PaperState};
use crate::model::{self, Counter, Original, Paper};
use crate::papers::{self, completed, today};
use crate::{credit, error, sellers};

/// Counted when a paper is issued.
pub const ISSUED: &str = "documents.paper_issued";

pub async fn issue(app: &App, actor: &Actor, id: Uuid) -> Result<Paper> {
    actor.may(Right::Publish)?;
    let mut tx = app.begin().await?;
    let mut paper = papers::hold_draft(&mut tx, actor.org_id, id).await?;
    let settings = sellers::of(&mut tx, actor.org_id).await?;
    let mut sale = paper.sale()?;
    credit::recount(&mut tx, &paper, &mut sale).await?;
    let sale = completed(sale, paper.kind(), &settings, today(app.now()));
    // Looked at before the counter is held: whoever waits for it waits for papers that will be.
    let faults = sale.validate();
    if !faults.is_empty() {
        return Err(error::invalid(&faults.iter().map(error::Told::from).collect::<Vec<_>>()));
    }
    let (number, on, at) = next_number(&mut tx, &paper).await?;
    let sale = Sale { number: number.to_string(), issued_on: on, ..sale };
    let pdf = render(sale.clone(), at).await?;
    papers::count(&mut paper, &totals(&sale));
    paper.sale = serde_json::to_value(&sale)?;
    PaperState::Issued.name().clone_into(&mut paper.state);
    paper.pdf_sha256 = Some(hex::encode(Sha256::digest(&pdf)));
    (paper.number, paper.issued_on, paper.issued_at) = (Some(sale.number), Some(on), Some(at));
    paper.updated_at = at;
    model::save_paper(&mut tx, &paper).await?;
    model::insert_original(&mut tx, &Original { paper_id: paper.id, org_id: paper.org_id, pdf }).await?;
    tx.count(ISSUED);
    tx.commit().await?;
    Ok(paper)
}

/// The next number of a series with the day and the moment of it. They are looked up once the counter is held, so that
/// numbers and days run the same way; where the clock of this machine is behind, the day is that of the number before.
async fn next_number(tx: &mut Tx, paper: &Paper) -> Result<(DocumentNumber, NaiveDate, DateTime<Utc>)> {
    let first = today(tx.app().now());
    let new = Counter {
        org_id: paper.org_id,
        series: paper.kind().name().to_owned(),
        year: first.year(),
        last: 0,
        last_on: first,
    };
    let mut counter = model::hold_counter(tx, &new).await?;
    let at = tx.app().now();
    counter.last_on = counter.last_on.max(today(at));
    if counter.last_on.year() != counter.year {
        (counter.year, counter.last) = (counter.last_on.year(), 0);
    }
    counter.last += 1;
    model::save_counter(tx, &counter).await?;
    Ok((number(paper.kind(), &counter)?, counter.last_on, at))
}

fn number(kind: PaperKind, counter: &Counter) -> Result<DocumentNumber> {
    let year = u16::try_from(counter.year).map_err(Error::internal)?;
    let sequence = u32::try_from(counter.last).map_err(Error::internal)?;
    DocumentNumber::new(kind.series(), year, sequence).map_err(Error::internal)
}

async fn render(sale: Sale, at: DateTime<Utc>) -> Result<Vec<u8>> {
    let work = move || match sale.kind {
        Kind::Quote => pdf::quote(&sale, Look::default(), at),
        Kind::Invoice | Kind::CreditNote => pdf::invoice(&sale, Look::default(), at),
    };
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?.map_err(error::of_document)
}
