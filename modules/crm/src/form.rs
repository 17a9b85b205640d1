//! The form that anybody may fill in, on the page of an ad or on a site of the garage's own.

use std::sync::LazyLock;
use std::time::Duration as Time;

use axum::Router;
use axum::extract::{Form, FromRequest as _, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use keroxio_core::{App, Bucket, ClientAddress, Error, ErrorCode, Feature, Result, as_system, as_tenant};
use keroxio_publication::{Shown, shown_at, shown_listing};
use minijinja::context;
use serde::Deserialize;
use uuid::Uuid;

use crate::error;
use crate::intake::{self, Incoming};
use crate::kinds::{ContactConsentPurpose, LeadSource};
use crate::model::About;
use crate::reach::{self, LONGEST_MESSAGE, Person};
use crate::settings::FormKey;

/// Shortest time in which anybody fills a form in, and longest time for which one is good.
const FASTEST: Duration = Duration::seconds(3);
const LONGEST: Duration = Duration::hours(24);
/// Messages from one address: at once, and in a day; and about one ad.
const FROM: Bucket = Bucket::of(5, Time::from_secs(600));
const FROM_DAILY: Bucket = Bucket::of(30, Time::from_secs(86_400));
const ABOUT: Bucket = Bucket::of(60, Time::from_secs(3_600));
/// Web addresses in a message.
const MOST_LINKS: usize = 2;
/// Bytes of a form.
const MOST_BYTES: usize = 32 << 10;
/// The text beside the box about other cars, by which a consent is known.
pub const CONSENT_VERSION: &str = "page-2026-11";

static TEMPLATES: LazyLock<minijinja::Environment<'static>> = LazyLock::new(|| {
    let mut templates = minijinja::Environment::new();
    let all = [
        ("form.html", include_str!("../templates/form.html")),
        ("again.html", include_str!("../templates/again.html")),
        ("thanks.html", include_str!("../templates/thanks.html")),
    ];
    for (name, text) in all {
        if let Err(e) = templates.add_template(name, text) {
            tracing::error!("the template {name}: {e}");
        }
    }
    templates
});

/// Forms that anybody may fill in.
pub const FORMS: Feature = Feature {
    name: "crm.forms",
    title_fr: "le formulaire de contact des annonces",
    title_en: "the contact form of advertisements",
};

/// What somebody fills in.
#[derive(Default, Deserialize)]
pub struct Filled {
    /// The token of the form.
    #[serde(default)]
    pub form: String,
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub postal_code: Option<String>,
    #[serde(default)]
    pub message: String,
    /// Whether they want to hear of other cars.
    pub offers: Option<String>,
    /// Nobody sees this field: who fills it in is no person.
    pub website: Option<String>,
}

/// A form for an ad: when it was given out, signed.
pub fn token(app: &App, listing: Uuid) -> Result<String> {
    let key: FormKey = app.get()?;
    let mut token = listing.as_bytes().to_vec();
    token.extend(app.now().timestamp().to_be_bytes());
    token.extend(key.sign(&token));
    Ok(URL_SAFE_NO_PAD.encode(token))
}

/// The ad that a form is for, and when it was given out.
fn opened(app: &App, token: &str) -> Result<(Uuid, DateTime<Utc>)> {
    let key: FormKey = app.get()?;
    let bytes = URL_SAFE_NO_PAD.decode(token).ok().filter(|bytes| bytes.len() == 40).ok_or_else(error::form)?;
    let (what, signature) = bytes.split_at(24);
    let at: [u8; 8] = what[16..].try_into().map_err(|_| error::form())?;
    let at = DateTime::from_timestamp(i64::from_be_bytes(at), 0).ok_or_else(error::form)?;
    let listing = Uuid::from_slice(&what[..16]).map_err(|_| error::form())?;
    let is_good = key.is_signed(what, signature) && at > app.now() - LONGEST;
    if is_good { Ok((listing, at)) } else { Err(error::form()) }
}

/// A form for an ad that anybody may see at this moment.
///
/// # Errors
/// `NOT_FOUND` for every other one.
pub async fn open(app: &App, listing: Uuid) -> Result<String> {
    let shown = as_system(shown_listing(app, listing)).await;
    match shown {
        Ok(Some(shown)) => token(app, shown.ad.id),
        Ok(None) => Err(error::page()),
        Err(e) if e.code() == ErrorCode::NOT_FOUND => Err(error::page()),
        Err(e) => Err(e),
    }
}

/// Takes a message in. The answer is the same whoever it is from.
///
/// # Errors
/// `FORM_INVALID`, `FORM_TOO_FAST`, `TOO_MANY_ATTEMPTS`, `MESSAGE_REFUSED`, `BAD_INPUT`.
pub async fn submit(app: &App, filled: Filled, from: Option<ClientAddress>) -> Result<()> {
    app.require(&FORMS, None).await?;
    let (listing, given_out) = opened(app, &filled.form)?;
    let waited = app.now() - given_out;
    if waited < FASTEST {
        return Err(error::too_fast((FASTEST - waited).num_seconds() + 1));
    }
    if let Some(from) = from.map(ClientAddress::network) {
        app.take(&format!("lead-from:{from}"), FROM, 1.0).await.or_wait()?;
        app.take(&format!("lead-from-daily:{from}"), FROM_DAILY, 1.0).await.or_wait()?;
    }
    let message = reach::message(&filled.message);
    if message.chars().count() > LONGEST_MESSAGE {
        return Err(error::too_long(("Message", "Message"), LONGEST_MESSAGE));
    }
    let name_links = filled.name.as_deref().map_or(0, reach::links);
    if reach::links(&message) > MOST_LINKS || name_links > 0 {
        return Err(error::links(MOST_LINKS));
    }
    let person = Person::typed(filled.name, filled.email, filled.phone, filled.postal_code)?;
    if filled.website.is_some_and(|text| !text.is_empty()) {
        // It shall not learn that it was found out.
        return Ok(());
    }
    app.take(&format!("lead-about:{}", listing.simple()), ABOUT, 1.0).await.or_wait()?;
    let Some(Shown { ad, vehicle, .. }) = as_system(shown_listing(app, listing)).await? else {
        return Err(error::page());
    };
    let consents = match filled.offers {
        Some(_) => vec![(ContactConsentPurpose::Offers, CONSENT_VERSION.to_owned())],
        None => Vec::new(),
    };
    let incoming = Incoming {
        org_id: ad.org_id,
        source: LeadSource::PageForm,
        person,
        language: Some(ad.language),
        message: Some(message).filter(|message| !message.is_empty()),
        about: About { listing_id: Some(ad.id), vehicle_id: Some(vehicle.id), car_text: None },
        value_eur: ad.price_eur.or(vehicle.asking_price_eur),
        remark: None,
        received_at: app.now(),
        external_id: None,
        consents,
        by: None,
        is_quiet: false,
    };
    let work = async {
        let mut tx = app.begin().await?;
        intake::receive(&mut tx, incoming).await?;
        tx.commit().await
    };
    as_tenant(Some(ad.org_id), work).await
}

/// The form as the end of a page.
pub fn ending(app: &App, slug: &str, listing: Uuid) -> Result<String> {
    html(slug, &token(app, listing)?, &Filled::default(), None)
}

fn html(slug: &str, token: &str, filled: &Filled, wrong: Option<&str>) -> Result<String> {
    render(
        "form.html",
        context! {
            slug => slug, token => token, wrong => wrong, name => &filled.name, email => &filled.email,
            phone => &filled.phone, postal_code => &filled.postal_code, message => &filled.message,
            offers => filled.offers.is_some(), most => LONGEST_MESSAGE,
        },
    )
}

fn render(name: &str, context: minijinja::Value) -> Result<String> {
    let template = TEMPLATES.get_template(name).map_err(Error::internal)?;
    template.render(context).map_err(Error::internal)
}

pub fn routes() -> Router<App> {
    Router::new().route("/a/{slug}/contact", post(send)).route("/a/{slug}/merci", get(thanks))
}

const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

fn page(status: StatusCode, html: Result<String>) -> Response {
    match html {
        Ok(html) => {
            let headers = [(header::CACHE_CONTROL, "no-store"), (header::CONTENT_SECURITY_POLICY, POLICY)];
            (status, headers, Html(html)).into_response()
        }
        Err(e) => {
            tracing::error!("a form cannot be shown: {e:?}");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

async fn thanks() -> Response {
    page(StatusCode::OK, render("thanks.html", context! {}))
}

/// The form without JavaScript: what is wrong is said above what was filled in, which nobody has to write again.
async fn send(State(app): State<App>, Path(slug): Path<String>, request: Request) -> Response {
    let from = request.extensions().get::<ClientAddress>().copied();
    let (parts, body) = request.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, MOST_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let request = Request::from_parts(parts, bytes.into());
    let Ok(Form(filled)) = Form::<Filled>::from_request(request, &()).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let again = Filled {
        form: filled.form.clone(),
        name: filled.name.clone(),
        email: filled.email.clone(),
        phone: filled.phone.clone(),
        postal_code: filled.postal_code.clone(),
        message: filled.message.clone(),
        offers: filled.offers.clone(),
        website: None,
    };
    match Box::pin(submit(&app, filled, from)).await {
        Ok(()) => Redirect::to(&format!("/a/{slug}/merci")).into_response(),
        Err(e) if [ErrorCode::INTERNAL, ErrorCode::UNAVAILABLE].contains(&e.code()) => {
            tracing::error!("a message cannot be taken: {e:?}");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Err(e) => show_again(&app, &slug, &again, &e).await,
    }
}

async fn show_again(app: &App, slug: &str, filled: &Filled, wrong: &Error) -> Response {
    let status = match wrong.code() {
        ErrorCode::TOO_MANY_ATTEMPTS | error::FORM_TOO_FAST => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::NOT_FOUND => StatusCode::GONE,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let Ok(Some(shown)) = shown_at(app, slug).await else { return StatusCode::GONE.into_response() };
    // Too fast once is soon slow enough: the moment stays the one of the first form.
    let token = match wrong.code() {
        error::FORM_INVALID => token(app, shown.ad.id),
        _ => Ok(filled.form.clone()),
    };
    let again = token.and_then(|token| html(slug, &token, filled, Some(wrong.message_fr())));
    page(
        status,
        again.and_then(|form| render("again.html", context! { title => shown.ad.title, slug => slug, form => form })),
    )
}
