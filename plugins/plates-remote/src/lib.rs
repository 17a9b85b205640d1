#![doc = include_str!("../README.md")]

mod answer;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{PixelType, ResizeOptions, Resizer};
use jpeg_encoder::{ColorType, Encoder};
use keroxio_plugin_sdk::{Manifest, Photo, PlateReader, PlateSighting, PluginError};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, StatusCode, Url};

use crate::answer::Answer;

/// Longer side of what is sent, in pixels.
const LONGEST: u32 = 1_920;
const QUALITY: u8 = 90;
const TIMEOUT: Duration = Duration::from_secs(20);
/// Largest answer read, in bytes.
const MOST: usize = 1 << 20;

/// Reads plates by a service that speaks Plate Recognizer's interface.
#[derive(Clone)]
pub struct PlatesRemote {
    manifest: Manifest,
    client: Client,
    url: Url,
    /// With none of its own it asks only for those who have one.
    token: Option<String>,
    accept_from: f32,
}

impl PlatesRemote {
    /// `accept_from`: the service's score from which on nobody has to be asked; over 1 for never.
    ///
    /// # Errors
    /// [`PluginError::ModelUnavailable`] when the address is none, or not encrypted to a host elsewhere.
    pub fn new(url: &str, token: Option<String>, accept_from: f32) -> Result<Self, PluginError> {
        let refused = |e: &dyn std::fmt::Display| PluginError::ModelUnavailable(format!("remote plate reader: {e}"));
        let url = Url::parse(url).map_err(|e| refused(&e))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let here = ["127.0.0.1", "localhost", "[::1]"].contains(&host.as_str());
        if url.scheme() != "https" && !(here && url.scheme() == "http") {
            return Err(refused(&"the address must begin with https://"));
        }
        // Redirects would carry the key to whom the service names.
        let client = Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).build();
        Ok(Self {
            manifest: Manifest {
                id: "plates-remote".to_owned(),
                version: format!("{}+{host}", env!("CARGO_PKG_VERSION")),
                models: Vec::new(),
            },
            client: client.map_err(|e| refused(&e))?,
            url,
            token,
            accept_from,
        })
    }

    async fn ask(&self, jpeg: Vec<u8>) -> Result<Vec<u8>, PluginError> {
        let part = Part::bytes(jpeg).file_name("photo.jpg").mime_str("image/jpeg").map_err(failed)?;
        let form = Form::new().text("regions", "fr").part("upload", part);
        let token = self.token.as_ref().ok_or_else(|| PluginError::Refused("no key to ask with".to_owned()))?;
        let authorization = format!("Token {token}");
        let request = self.client.post(self.url.clone()).header("authorization", authorization).multipart(form);
        // Errors of the client name the address, never the key.
        let mut response = request.send().await.map_err(failed)?;
        match response.status() {
            status if status.is_success() => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(PluginError::Refused("by the remote plate reader".to_owned()));
            }
            status @ (StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNSUPPORTED_MEDIA_TYPE) => {
                return Err(PluginError::UnsupportedInput(format!("the remote plate reader answers {status}")));
            }
            status => return Err(failed(format!("the remote plate reader answers {status}"))),
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            body.extend_from_slice(&chunk);
            if body.len() > MOST {
                return Err(failed("the remote plate reader answers too much"));
            }
        }
        Ok(body)
    }
}

#[async_trait]
impl PlateReader for PlatesRemote {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn accept_from(&self) -> f32 {
        self.accept_from
    }

    fn is_local(&self) -> bool {
        false
    }

    fn with_key(&self, key: &str) -> Option<Arc<dyn PlateReader>> {
        Some(Arc::new(Self { token: Some(key.to_owned()), ..self.clone() }))
    }

    fn needs_key(&self) -> bool {
        self.token.is_none()
    }

    async fn read(&self, photo: &Photo) -> Result<Vec<PlateSighting>, PluginError> {
        let (copy, scale) = (photo.clone(), scale_of(photo));
        let jpeg = tokio::task::spawn_blocking(move || encode(&copy, scale)).await.map_err(failed)??;
        let body = self.ask(jpeg).await?;
        let answer: Answer = serde_json::from_slice(&body).map_err(|e| failed(format!("remote plate reader: {e}")))?;
        Ok(answer.sightings(1.0 / scale, (photo.width() as f32, photo.height() as f32)))
    }
}

/// By how much the photo is reduced.
fn scale_of(photo: &Photo) -> f32 {
    (LONGEST as f32 / photo.width().max(photo.height()) as f32).min(1.0)
}

fn encode(photo: &Photo, scale: f32) -> Result<Vec<u8>, PluginError> {
    let side = |pixels: u32| ((pixels as f32 * scale).round() as u16).max(1);
    let (width, height) = (side(photo.width()), side(photo.height()));
    let source = ImageRef::new(photo.width(), photo.height(), photo.rgb().as_raw(), PixelType::U8x3).map_err(failed)?;
    let mut small = Image::new(width.into(), height.into(), PixelType::U8x3);
    Resizer::new().resize(&source, &mut small, &ResizeOptions::new()).map_err(failed)?;
    let mut jpeg = Vec::new();
    Encoder::new(&mut jpeg, QUALITY).encode(small.buffer(), width, height, ColorType::Rgb).map_err(failed)?;
    Ok(jpeg)
}

fn failed(reason: impl std::fmt::Display) -> PluginError {
    PluginError::Failed(reason.to_string())
}
