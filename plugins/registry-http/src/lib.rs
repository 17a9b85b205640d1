#![doc = include_str!("../README.md")]

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use chrono::NaiveDate;
use keroxio_plugin_sdk::{Manifest, PluginError, RegisteredCar, RegistryError, VehicleRegistry};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

const TIMEOUT: Duration = Duration::from_secs(15);
/// Largest answer read, in bytes.
const MOST: usize = 256 << 10;
/// Longest text taken from an answer.
const MAX_TEXT: usize = 120;

/// How a service is asked, and where the facts are in its answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    name: String,
    url: String,
    #[serde(default)]
    headers: HashMap<String, String>,
    #[serde(default)]
    cost_cents: u32,
    /// JSON pointers.
    fields: Fields,
    /// Form of dates in the answer.
    #[serde(default = "iso")]
    date: String,
    /// The service's words for energies and gearboxes.
    #[serde(default)]
    words: HashMap<String, String>,
}

fn iso() -> String {
    "%Y-%m-%d".to_owned()
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct Fields {
    make: Option<String>,
    model: Option<String>,
    version: Option<String>,
    first_registration: Option<String>,
    fuel: Option<String>,
    gearbox: Option<String>,
    power_hp: Option<String>,
    fiscal_hp: Option<String>,
    doors: Option<String>,
    seats: Option<String>,
    colour: Option<String>,
    vin: Option<String>,
    co2: Option<String>,
}

/// A vehicle register behind somebody's HTTP service.
pub struct RegistryHttp {
    manifest: Manifest,
    settings: Settings,
    client: Client,
}

impl RegistryHttp {
    /// Reads the file that says how the service is asked.
    ///
    /// # Errors
    /// [`PluginError::ModelUnavailable`] naming what is wrong with the file, or that the address is not encrypted to a
    /// host elsewhere.
    pub fn load(file: &Path) -> Result<Self, PluginError> {
        let refused = |e: &dyn std::fmt::Display| {
            PluginError::ModelUnavailable(format!("vehicle register ({}): {e}", file.display()))
        };
        let text = std::fs::read_to_string(file).map_err(|e| refused(&e))?;
        let settings: Settings = serde_json::from_str(&text).map_err(|e| refused(&e))?;
        let url = Url::parse(&settings.url.replace("{plate}", "AB123CD")).map_err(|e| refused(&e))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let here = ["127.0.0.1", "localhost", "[::1]"].contains(&host.as_str());
        if url.scheme() != "https" && !(here && url.scheme() == "http") {
            return Err(refused(&"the address must begin with https://"));
        }
        if host.contains("ab123cd") || !settings.url.contains("{plate}") {
            return Err(refused(&"{plate} must be in the path or the query of the address"));
        }
        // Redirects would carry the credential to whom the service names.
        let client = Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).build();
        let version = format!("{}+{}", env!("CARGO_PKG_VERSION"), settings.name);
        Ok(Self {
            manifest: Manifest { id: "registry-http".to_owned(), version, models: Vec::new() },
            settings,
            client: client.map_err(|e| refused(&e))?,
        })
    }

    async fn ask(&self, plate: &str, credential: &str) -> Result<Option<Vec<u8>>, RegistryError> {
        let url = self.settings.url.replace("{plate}", plate);
        let headers = headers(&self.settings.headers, credential)?;
        let mut response = self.client.get(url).headers(headers).send().await.map_err(|e| failed(&e.without_url()))?;
        match response.status() {
            StatusCode::NOT_FOUND | StatusCode::NO_CONTENT => return Ok(None),
            status if status.is_success() => {}
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                return Err(RegistryError::Refused(status.to_string()));
            }
            status => return Err(failed(&status)),
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| failed(&e.without_url()))? {
            body.extend_from_slice(&chunk);
            if body.len() > MOST {
                return Err(failed(&"it answers too much"));
            }
        }
        Ok(Some(body))
    }

    fn car(&self, answer: &Value) -> RegisteredCar {
        let Fields { make, model, version, first_registration, fuel, gearbox, .. } = &self.settings.fields;
        let Fields { power_hp, fiscal_hp, doors, seats, colour, vin, co2, .. } = &self.settings.fields;
        RegisteredCar {
            make: text(answer, make),
            model: text(answer, model),
            version: text(answer, version),
            first_registration: text(answer, first_registration)
                .and_then(|day| NaiveDate::parse_from_str(&day, &self.settings.date).ok()),
            fuel: self.word(answer, fuel),
            gearbox: self.word(answer, gearbox),
            power_hp: number(answer, power_hp),
            fiscal_hp: number(answer, fiscal_hp),
            doors: number(answer, doors),
            seats: number(answer, seats),
            colour: text(answer, colour),
            vin: text(answer, vin),
            co2: number(answer, co2),
        }
    }

    fn word<T: DeserializeOwned>(&self, answer: &Value, pointer: &Option<String>) -> Option<T> {
        let word = self.settings.words.get(&text(answer, pointer)?)?;
        serde_json::from_value(Value::from(word.as_str())).ok()
    }
}

fn headers(wanted: &HashMap<String, String>, credential: &str) -> Result<HeaderMap, RegistryError> {
    let mut headers = HeaderMap::new();
    for (name, value) in wanted {
        let name = HeaderName::try_from(name).map_err(|e| failed(&e))?;
        let filled = HeaderValue::try_from(value.replace("{credential}", credential));
        // The value stays out of what is said: it is the credential.
        let mut filled = filled.map_err(|_| RegistryError::Refused("it holds signs no header may have".to_owned()))?;
        filled.set_sensitive(true);
        headers.insert(name, filled);
    }
    Ok(headers)
}

/// What is at a pointer, as words with one space between them.
fn text(answer: &Value, pointer: &Option<String>) -> Option<String> {
    let text = match answer.pointer(pointer.as_ref()?)? {
        Value::String(text) => text
            .split(|c: char| c.is_whitespace() || c.is_control())
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" "),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then(|| text.chars().take(MAX_TEXT).collect())
}

fn number(answer: &Value, pointer: &Option<String>) -> Option<u32> {
    let number: f64 = text(answer, pointer)?.replace(',', ".").parse().ok()?;
    (number.is_finite() && (1.0..1e6).contains(&number)).then_some(number.round() as u32)
}

fn failed(reason: &dyn std::fmt::Display) -> RegistryError {
    RegistryError::Failed(reason.to_string())
}

#[async_trait]
impl VehicleRegistry for RegistryHttp {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn cost_cents(&self) -> u32 {
        self.settings.cost_cents
    }

    async fn look_up(&self, plate: &str, credential: &str) -> Result<Option<RegisteredCar>, RegistryError> {
        if plate.is_empty() || !plate.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Ok(None);
        }
        let Some(body) = self.ask(plate, credential).await? else { return Ok(None) };
        let answer: Value = serde_json::from_slice(&body).map_err(|e| failed(&e))?;
        let car = self.car(&answer);
        Ok((car.make.is_some() || car.model.is_some()).then_some(car))
    }
}
