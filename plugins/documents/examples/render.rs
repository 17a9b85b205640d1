//! Writes the XML and the PDF of every sale in `tests/data`, a long invoice and a register to a folder:
//! `cargo run --example render -- OUT`.

use std::error::Error;
use std::path::Path;

use chrono::{DateTime, Utc};
use keroxio_plugin_documents::chain::{GENESIS, Sealed, seal};
use keroxio_plugin_documents::invoice::{Kind, PaymentMeans};
use keroxio_plugin_documents::pdf::{self, Look, RegisterExtract};
use keroxio_plugin_documents::register::{Entry, Event, Object, Party};
use keroxio_plugin_documents::{Sale, facturx};

fn main() -> Result<(), Box<dyn Error>> {
    let out = std::env::args().nth(1).ok_or("give a folder")?;
    let out = Path::new(&out);
    std::fs::create_dir_all(out)?;
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data"))? {
        let path = file?.path();
        let name = path.file_stem().and_then(|name| name.to_str()).ok_or("a name")?.to_owned();
        let sale: Sale = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
        write(out, &name, &sale)?;
        if name == "repair_invoice" {
            write(out, "long_invoice", &long(sale))?;
        }
    }
    std::fs::write(out.join("register.pdf"), pdf::register_pdf(&register()?, Look::default(), made_at()?)?)?;
    Ok(())
}

fn made_at() -> Result<DateTime<Utc>, Box<dyn Error>> {
    Ok("2026-11-26T09:30:00Z".parse()?)
}

fn write(out: &Path, name: &str, sale: &Sale) -> Result<(), Box<dyn Error>> {
    let pdf = if sale.kind == Kind::Quote {
        pdf::quote(sale, Look::default(), made_at()?)?
    } else {
        std::fs::write(out.join(format!("{name}.xml")), facturx::xml(sale)?)?;
        pdf::invoice(sale, Look::default(), made_at()?)?
    };
    std::fs::write(out.join(format!("{name}.pdf")), pdf)?;
    Ok(())
}

fn long(mut sale: Sale) -> Sale {
    let lines = sale.lines.clone();
    sale.lines = (0..45).map(|index| lines[index % lines.len()].clone()).collect();
    sale
}

fn register() -> Result<RegisterExtract, Box<dyn Error>> {
    let mut entries: Vec<Sealed> = Vec::new();
    for index in 0..24_u64 {
        let previous = entries.last().map_or(GENESIS, |sealed| sealed.hash);
        let recorded_at = made_at()? - chrono::Duration::hours(24 * 24) + chrono::Duration::hours(24 * index as i64);
        let entry = Entry { site: "grenoble".into(), number: index + 1, recorded_at, event: event(index, recorded_at) };
        entries.push(seal(entry, previous));
    }
    Ok(RegisterExtract {
        holder: "Garage des Alpes".into(),
        holder_siret: "73282932000074".into(),
        site_name: "Site de Grenoble".into(),
        site_address: "12 avenue de l’Europe, 38100 Grenoble".into(),
        from: "2026-11-01".parse()?,
        until: "2026-11-30".parse()?,
        previous: GENESIS,
        first_number: 1,
        entries,
    })
}

fn event(index: u64, at: DateTime<Utc>) -> Event {
    let on = at.date_naive();
    if index == 7 {
        let text = "Kilométrage relevé à l’entrée : 92 140 km au lieu de 29 140 km.".into();
        return Event::Correction { corrected: 5, reason: "chiffres inversés à la saisie".into(), text };
    }
    if index % 3 == 2 && index != 8 {
        let name = "Transports Dauphiné SARL".into();
        let address = "Zone industrielle du Parc, 38170 Seyssinet-Pariset".into();
        let to =
            Party::Company { name, address, siret: "40483304800022".into(), representative: Some("Marc Noël".into()) };
        let (price_cents, means) = (Some(1_799_000), Some(PaymentMeans::Transfer));
        return Event::Departure { on, arrival: index, to, price_cents, means };
    }
    let object = Object {
        make: "Peugeot".into(),
        model: "308 SW".into(),
        version: "1.5 BlueHDi 130 Allure Pack EAT8".into(),
        colour: "gris Artense".into(),
        mileage_km: Some(84_210 + 1_000 * index as u32),
        plate: Some("GB-482-KT".into()),
        type_code: Some("M10PGTVP0123456".into()),
        vin: "VF3LCYHZRLS012345".into(),
        country: "FR".into(),
    };
    let from = Party::Person {
        name: "Hélène Lefèvre".into(),
        address: "8 rue des Œillets, 73000 Chambéry".into(),
        document: Some("Carte nationale d’identité".into()),
        document_number: Some("X4RTBPFW4".into()),
        document_issued: Some("préfecture de la Savoie, 12/05/2022".into()),
    };
    Event::Arrival { on, object, from, price_cents: Some(1_520_000), means: Some(PaymentMeans::BankCheque) }
}
