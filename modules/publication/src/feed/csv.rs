use keroxio_core::table::guarded;
use keroxio_core::{Error, Result};

use super::car::{FACTS, FeedCar};

pub fn write(cars: &[FeedCar]) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer("\u{feff}".as_bytes().to_vec());
    writer.write_record(FACTS.iter().chain(&["photos"])).map_err(Error::internal)?;
    for car in cars {
        let cell = |name: &&str| {
            let fact = car.facts.iter().find(|(known, _)| known == name);
            guarded(fact.map(|(_, value)| value.clone()).unwrap_or_default())
        };
        let photos = car.photos.join("|");
        writer.write_record(FACTS.iter().map(cell).chain([photos])).map_err(Error::internal)?;
    }
    writer.into_inner().map_err(|e| Error::internal(e.into_error()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_line_per_car_and_no_formula() {
        let text = String::from_utf8(write(&[super::super::car::sample()]).unwrap()).unwrap();
        let table = keroxio_core::table::Table::read(text.replace('\u{1}', "").as_bytes(), 10).unwrap();
        let row = table.rows().next().unwrap();
        assert_eq!((row.get("reference"), row.get("make")), (Some("VO-1"), Some("'=1+1")));
        assert_eq!(row.get("photos"), Some("https://example.org/p/1|https://example.org/p/2"));
        assert_eq!(table.rows().count(), 1);
    }
}
