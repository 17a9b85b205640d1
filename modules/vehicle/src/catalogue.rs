//! Makes, models and versions to complete what a seller types (`catalogue/README.md`). It helps, it does not limit: any
//! name can be typed.

use std::sync::LazyLock;

use keroxio_core::table::unaccented;
use keroxio_plugin_sdk::Fuel;
use serde::Deserialize;

use crate::input::FuelType;

static MAKES: LazyLock<Vec<Make>> = LazyLock::new(|| {
    // It is part of the executable; a test reads it.
    serde_json::from_str(include_str!("../catalogue/catalogue.json")).unwrap_or_default()
});

#[derive(Debug, Deserialize)]
pub struct Make {
    #[serde(rename = "make")]
    pub name: String,
    /// Advertisements it was counted in.
    pub ads: u32,
    /// Most frequent first.
    pub models: Vec<Model>,
}

#[derive(Debug, Deserialize)]
pub struct Model {
    #[serde(rename = "model")]
    pub name: String,
    pub ads: u32,
    /// Years of first registration that were seen, without the rarest.
    pub from: i32,
    pub until: i32,
    /// Most frequent first.
    pub fuels: Vec<String>,
    /// Engines and finishes, most frequent first.
    pub versions: Vec<String>,
}

impl Model {
    pub fn fuels(&self) -> Vec<FuelType> {
        self.fuels
            .iter()
            .filter_map(|word| serde_json::from_value::<Fuel>(word.as_str().into()).ok())
            .map(FuelType::from)
            .collect()
    }
}

/// Makes whose name fits what was typed, best first.
pub fn makes(typed: &str) -> Vec<&'static Make> {
    let mut fitting: Vec<_> = MAKES.iter().filter_map(|make| Some((fit(&make.name, typed)?, make))).collect();
    fitting.sort_by_key(|(fit, make)| (*fit, std::cmp::Reverse(make.ads)));
    fitting.into_iter().map(|(_, make)| make).collect()
}

/// A make by its name, however it is written.
pub fn make(name: &str) -> Option<&'static Make> {
    let wanted = bare(name);
    MAKES.iter().find(|make| bare(&make.name) == wanted)
}

impl Make {
    /// Its models whose name fits what was typed, best first.
    pub fn models(&self, typed: &str) -> Vec<&Model> {
        let mut fitting: Vec<_> =
            self.models.iter().filter_map(|model| Some((fit(&model.name, typed)?, model))).collect();
        fitting.sort_by_key(|(fit, model)| (*fit, std::cmp::Reverse(model.ads)));
        fitting.into_iter().map(|(_, model)| model).collect()
    }
}

/// How well a name fits what was typed, the smaller the better; none where it does not.
fn fit(name: &str, typed: &str) -> Option<u8> {
    let (name, typed) = (bare(name), bare(typed));
    match name.find(&typed)? {
        0 if name.len() == typed.len() => Some(0),
        0 => Some(1),
        _ => Some(2),
    }
}

/// Letters and digits alone: `T-Roc` is found by `troc`, `Citroën` by `citroen`.
fn bare(text: &str) -> String {
    let plain = unaccented(text).replace('š', "s");
    plain.chars().filter(|c| c.is_alphanumeric() || *c == '+').collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn names<T>(found: &[&T], name: fn(&T) -> &str) -> Vec<String> {
        found.iter().map(|one| name(one).to_owned()).collect()
    }

    #[test]
    fn it_is_whole_and_names_nothing_twice() {
        assert!(MAKES.len() > 60 && MAKES.iter().map(|make| make.models.len()).sum::<usize>() > 500);
        let makes: HashSet<String> = MAKES.iter().map(|make| bare(&make.name)).collect();
        assert_eq!(makes.len(), MAKES.len());
        for make in MAKES.iter() {
            let models: HashSet<String> = make.models.iter().map(|model| bare(&model.name)).collect();
            assert_eq!(models.len(), make.models.len(), "{}", make.name);
            for model in &make.models {
                assert_eq!(model.fuels().len(), model.fuels.len(), "{} {}", make.name, model.name);
                assert!(!model.fuels.is_empty() && model.from <= model.until && model.ads >= 8);
            }
        }
    }

    #[test]
    fn what_is_typed_in_any_way_finds_its_name() {
        for (typed, first) in [
            ("citroen", "Citroën"),
            ("SKO", "Škoda"),
            ("mercedes", "Mercedes-Benz"),
            ("land r", "Land Rover"),
            ("vw", ""),
        ] {
            let found = names(&makes(typed), |make| &make.name);
            assert_eq!(found.first().map_or("", String::as_str), first, "{typed}");
        }
        let models = |of: &str, typed: &str| names(&make(of).unwrap().models(typed), |model| &model.name);
        assert_eq!(models("VOLKSWAGEN", "t roc")[0], "T-Roc");
        assert_eq!(models("renault", "mega")[0], "Mégane");
        assert_eq!(models("renault", "")[0], "Clio", "the most frequent where nothing was typed");
        assert!(makes("zzz").is_empty() && make("zzz").is_none());
    }
}
