//! A page of our own for an ad: open to anybody while its seller wants it and the car is for sale.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_auth::Organization;
use keroxio_core::table::unaccented;
use keroxio_core::{Actor, App, Error, ErrorCode, Result, Right};
use keroxio_images::{PublicPicture, public_pictures, shown_files};
use keroxio_listing::{Ad, service as listings};
use keroxio_vehicle::{Vehicle, histovec};
use serde_json::json;
use uuid::Uuid;

use crate::linked_data;
use crate::moderation::PAGES;
use crate::rules::FindingSeverity;
use crate::service::Subject;
use crate::tables::publication_pages::{self, dsl};
use crate::{error, online, service};

/// Where the pages are.
const PATH: &str = "/a/";
/// Compiled once. A template that cannot be is missing from it, which every request then says.
static TEMPLATES: LazyLock<minijinja::Environment<'static>> = LazyLock::new(|| {
    let mut templates = minijinja::Environment::new();
    let all = [
        ("page.html", include_str!("../templates/page.html")),
        ("report.html", include_str!("../templates/report.html")),
    ];
    for (name, text) in all {
        if let Err(e) = templates.add_template(name, text) {
            tracing::error!("the template {name}: {e}");
        }
    }
    templates
});
/// Addresses of one site map, by its specification.
const MOST_IN_MAP: i64 = 50_000;
const FACTS: [&str; 13] = [
    "make",
    "model",
    "version",
    "first_registration",
    "mileage",
    "fuel",
    "gearbox",
    "power_hp",
    "fiscal_hp",
    "doors",
    "colour",
    "crit_air",
    "seller",
];

/// Where pages are seen from outside.
#[derive(Clone)]
pub struct Site(String);

impl Site {
    pub fn read(env: &keroxio_core::Env) -> Self {
        let url = env.optional("KEROXIO_PUBLIC_URL").unwrap_or_else(|| "http://127.0.0.1:8080".to_owned());
        Self(url.trim_end_matches('/').to_owned())
    }

    pub fn page(&self, slug: &str) -> String {
        self.address(&format!("{PATH}{slug}"))
    }

    /// The address of a path.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = publication_pages)]
pub struct Page {
    pub listing_id: Uuid,
    pub org_id: Uuid,
    pub slug: String,
    pub opened_at: DateTime<Utc>,
    pub gone_at: Option<DateTime<Utc>>,
    /// Since when staff have hidden it, and why.
    pub hidden_at: Option<DateTime<Utc>>,
    pub hidden_for: Option<String>,
}

impl Page {
    /// Whether it is open and not hidden.
    pub fn is_seen(&self) -> bool {
        self.gone_at.is_none() && self.hidden_at.is_none()
    }
}

/// What another module puts at the end of the page of an ad: HTML of its own, whose forms lead to addresses of ours.
#[derive(Clone)]
pub struct PageEnding(pub Arc<Ending>);

/// Given the address's last part and the listing.
pub type Ending = dyn Fn(&App, &str, Uuid) -> Result<String> + Send + Sync;

/// An ad that anybody sees on a page of ours at this moment.
pub struct Shown {
    pub slug: String,
    pub ad: Ad,
    pub vehicle: Vehicle,
    pub organization: Organization,
}

/// The ad at the address of a page, or nothing where it is gone.
///
/// # Errors
/// `NOT_FOUND` where there never was a page.
pub async fn shown_at(app: &App, slug: &str) -> Result<Option<Shown>> {
    let page = at(&mut *app.conn().await?, slug).await?.ok_or_else(error::not_found)?;
    current(app, page).await
}

/// The page at an address, whatever has become of it.
pub(crate) async fn at(conn: &mut AsyncPgConnection, slug: &str) -> Result<Option<Page>> {
    let found = dsl::publication_pages.filter(dsl::slug.eq(slug)).select(Page::as_select());
    Ok(found.first(conn).await.optional()?)
}

/// The page of a listing, locked.
pub(crate) async fn lock(conn: &mut AsyncPgConnection, listing: Uuid) -> QueryResult<Option<Page>> {
    dsl::publication_pages.find(listing).select(Page::as_select()).for_update().first(conn).await.optional()
}

/// Hides a page since a moment for a reason, or shows it again.
pub(crate) async fn set_hidden(
    conn: &mut AsyncPgConnection,
    listing: Uuid,
    hidden: Option<(DateTime<Utc>, &str)>,
) -> QueryResult<usize> {
    let (at, why) = hidden.unzip();
    diesel::update(dsl::publication_pages.find(listing))
        .set((dsl::hidden_at.eq(at), dsl::hidden_for.eq(why)))
        .execute(conn)
        .await
}

/// The same by the listing.
///
/// # Errors
/// `NOT_FOUND` where there never was a page.
pub async fn shown_listing(app: &App, listing: Uuid) -> Result<Option<Shown>> {
    let page = {
        let mut conn = app.conn().await?;
        let found = dsl::publication_pages.find(listing).select(Page::as_select());
        found.first(&mut conn).await.optional()?.ok_or_else(error::not_found)?
    };
    current(app, page).await
}

async fn current(app: &App, page: Page) -> Result<Option<Shown>> {
    if !page.is_seen() {
        return Ok(None);
    }
    let ad = listings::get(app, page.org_id, page.listing_id).await?;
    let vehicle = keroxio_vehicle::service::fetch(app, page.org_id, ad.vehicle_id).await?;
    let organization = keroxio_auth::service::organization(app, page.org_id).await?;
    if organization.suspended_at.is_some() {
        return Ok(None);
    }
    // Sold a moment ago, or edited into what may not appear: nobody sees that meanwhile.
    let own = service::own_page();
    let history = histovec::of(&mut *app.conn().await?, vehicle.id).await?;
    let history = history.as_ref();
    let subject = Subject { ad: &ad, vehicle: &vehicle, organization: &organization, disputed: &[], history, sales: 0 };
    let judged = service::judge(app, &subject, &own, app.now().date_naive())?;
    if ad.sold_at.is_some() || vehicle.stock_state().is_gone() || !judged.is_publishable() {
        return Ok(None);
    }
    Ok(Some(Shown { slug: page.slug, ad, vehicle, organization }))
}

/// Opens the page of an ad, at the address it had before.
///
/// # Errors
/// `NOT_PUBLISHABLE` while the law wants something else first, or no picture is ready; `LISTING_SOLD` for a sold car.
pub(crate) async fn open(app: &App, actor: &Actor, listing: Uuid) -> Result<Page> {
    actor.may(Right::Publish)?;
    app.require(&PAGES, Some(actor.org_id)).await?;
    let ad = listings::get(app, actor.org_id, listing).await?;
    if ad.sold_at.is_some() {
        return Err(keroxio_listing::sold_already());
    }
    let vehicle = keroxio_vehicle::service::fetch(app, ad.org_id, ad.vehicle_id).await?;
    if vehicle.stock_state().is_gone() {
        return Err(error::not_for_sale());
    }
    let organization = keroxio_auth::service::organization(app, ad.org_id).await?;
    let history = histovec::of(&mut *app.conn().await?, vehicle.id).await?;
    let history = history.as_ref();
    let subject = Subject { ad: &ad, vehicle: &vehicle, organization: &organization, disputed: &[], history, sales: 0 };
    let judged = service::judge(app, &subject, &service::own_page(), app.now().date_naive())?;
    let blocking = judged.codes(FindingSeverity::Blocking);
    if !blocking.is_empty() {
        return Err(error::not_publishable(&blocking));
    }
    let photos = listings::photos(app, listing).await?;
    if shown_files(app, ad.org_id, &photos).await?.is_empty() {
        return Err(error::no_picture());
    }
    let fresh = Page {
        listing_id: listing,
        org_id: ad.org_id,
        slug: slug(ad.title.as_deref().unwrap_or_default()),
        opened_at: app.now(),
        gone_at: None,
        hidden_at: None,
        hidden_for: None,
    };
    let mut tx = app.begin().await?;
    let page = diesel::insert_into(dsl::publication_pages)
        .values(&fresh)
        .on_conflict(dsl::listing_id)
        .do_update()
        .set(dsl::gone_at.eq(None::<DateTime<Utc>>))
        .returning(Page::as_returning())
        .get_result(&mut *tx)
        .await?;
    if let Some(why) = &page.hidden_for {
        return Err(error::page_hidden(why));
    }
    online::shown(&mut tx, ad.org_id, listing).await?;
    tx.count("publication.page_opened");
    tx.commit().await?;
    Ok(page)
}

/// Closes the page of an ad; whoever comes is told that it is gone.
pub(crate) async fn close(app: &App, actor: &Actor, listing: Uuid) -> Result<Page> {
    actor.may(Right::Publish)?;
    let mut tx = app.begin().await?;
    let mine = dsl::publication_pages.filter(dsl::org_id.eq(actor.org_id).and(dsl::listing_id.eq(listing)));
    let closed =
        diesel::update(mine)
            .set(dsl::gone_at.eq(
                diesel::dsl::sql("coalesce(gone_at, ").bind::<diesel::sql_types::Timestamptz, _>(app.now()).sql(")"),
            ))
            .returning(Page::as_returning())
            .get_result(&mut *tx)
            .await
            .optional()?;
    let closed = closed.ok_or_else(error::not_found)?;
    online::hidden(&mut tx, actor.org_id, listing).await?;
    tx.commit().await?;
    Ok(closed)
}

/// The page of a listing of the caller's, if it ever had one.
pub(crate) async fn of_listing(app: &App, actor: &Actor, listing: Uuid) -> Result<Option<Page>> {
    actor.may(Right::Read)?;
    listings::get(app, actor.org_id, listing).await?;
    let mut conn = app.conn().await?;
    Ok(dsl::publication_pages.find(listing).select(Page::as_select()).first(&mut conn).await.optional()?)
}

/// Whether the page of an ad is open.
pub(crate) async fn is_open(conn: &mut AsyncPgConnection, listing: Uuid) -> QueryResult<bool> {
    let open = dsl::publication_pages.filter(dsl::listing_id.eq(listing));
    let open = open.filter(dsl::gone_at.is_null().and(dsl::hidden_at.is_null()));
    diesel::select(diesel::dsl::exists(open)).get_result(conn).await
}

/// Closes the page of a car that is no longer for sale.
pub(crate) async fn gone(conn: &mut AsyncPgConnection, listing: Uuid, at: DateTime<Utc>) -> QueryResult<usize> {
    let open = dsl::publication_pages.filter(dsl::listing_id.eq(listing).and(dsl::gone_at.is_null()));
    diesel::update(open).set(dsl::gone_at.eq(at)).execute(conn).await
}

/// `renault-clio-tce-90-zen-2020-k3v9x2mq`: to be read by people, and not to be guessed.
fn slug(title: &str) -> String {
    let plain: String = unaccented(title).chars().map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' }).collect();
    let words = plain.split_whitespace().take(12).collect::<Vec<_>>().join("-");
    format!("{words}-{}", hex::encode(rand::random::<[u8; 6]>()))
}

pub fn routes() -> Router<App> {
    Router::new().route("/a/{slug}", get(show)).route("/sitemap.xml", get(site_map))
}

async fn show(State(app): State<App>, Path(slug): Path<String>) -> Response {
    match render(&app, &slug).await {
        Ok(Some(html)) => {
            let policy = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
            let headers = [(header::CACHE_CONTROL, "public, max-age=60"), (header::CONTENT_SECURITY_POLICY, policy)];
            (headers, Html(html)).into_response()
        }
        Ok(None) => (StatusCode::GONE, Html(GONE)).into_response(),
        Err(e) if e.code() == ErrorCode::NOT_FOUND => StatusCode::NOT_FOUND.into_response(),
        Err(e) => {
            tracing::error!("the page {slug} cannot be shown: {e:?}");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

const GONE: &str = "<!doctype html><html lang=\"fr\"><meta charset=\"utf-8\"><title>Annonce retirée</title><p>Cette voiture n'est plus à vendre. <span lang=\"en\">This car is no longer for sale.</span></p></html>";

/// The page, or nothing where it is gone.
async fn render(app: &App, slug: &str) -> Result<Option<String>> {
    let Some(Shown { slug, ad, vehicle, organization }) = shown_at(app, slug).await? else { return Ok(None) };
    let photos = listings::photos(app, ad.id).await?;
    let pictures = public_pictures(app, ad.org_id, &photos).await?;
    let url = app.get::<Site>()?.page(&slug);
    let ending = app.get::<PageEnding>().ok().map(|ending| (ending.0)(app, &slug, ad.id)).transpose()?;
    let facts: Vec<_> = FACTS
        .iter()
        .filter_map(|name| fact(name, &ad, &vehicle, &organization))
        .map(|(label, value)| json!({ "label": label, "value": value }))
        .collect();
    let body = ad.body.clone().unwrap_or_default();
    let document = json!({
        "title": ad.title,
        "price": ad.price_eur.map(|price| keroxio_core::Money::euros(price).formatted),
        "description": body.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect::<String>(),
        "url": url,
        "body": body,
        "facts": facts,
        "pictures": pictures.iter().map(shown).collect::<Vec<_>>(),
        "ending": ending,
        "slug": slug,
        "linked_data": linked_data::script(&linked_data::car(&ad, &vehicle, &organization, &pictures, &url)),
    });
    let page = TEMPLATES.get_template("page.html");
    let html = page.and_then(|page| page.render(minijinja::value::Serde(&document)));
    Ok(Some(html.map_err(Error::internal)?))
}

/// Fills a template of this module in.
pub(crate) fn render_template(name: &str, context: minijinja::Value) -> Result<String> {
    let template = TEMPLATES.get_template(name).map_err(Error::internal)?;
    template.render(context).map_err(Error::internal)
}

/// A line of the page; the odometer reading with the words that the law wants after it.
fn fact(name: &str, ad: &Ad, vehicle: &Vehicle, seller: &Organization) -> Option<(&'static str, String)> {
    match name {
        "mileage" => service::field(name, ad, vehicle).map(|(label, km)| (label, format!("{km} (non garanti)"))),
        "crit_air" => Some(match vehicle.crit_air.as_deref()? {
            "none" => ("Crit'Air", "non classée".to_owned()),
            "e" => ("Crit'Air", "électrique".to_owned()),
            class => ("Crit'Air", class.to_owned()),
        }),
        "seller" if seller.kind == "dealer" => {
            let siren = seller.siren.as_ref().map_or(String::new(), |siren| format!(", SIREN {siren}"));
            Some(("Vendeur professionnel", format!("{}{siren}", seller.name)))
        }
        _ => service::field(name, ad, vehicle),
    }
}

/// A picture with its lighter files by format, lightest format first.
fn shown(picture: &PublicPicture) -> serde_json::Value {
    let sources: Vec<_> = ["image/avif", "image/webp"]
        .iter()
        .filter_map(|media_type| {
            let files = picture.files.iter().filter(|file| file.media_type == *media_type);
            let set: Vec<String> = files.map(|file| format!("{} {}w", file.url, file.width)).collect();
            (!set.is_empty()).then(|| json!({ "media_type": media_type, "srcset": set.join(", ") }))
        })
        .collect();
    json!({ "url": picture.url, "width": picture.width, "height": picture.height, "sources": sources })
}

async fn site_map(State(app): State<App>) -> Response {
    let open = async {
        let site = app.get::<Site>()?;
        let mut conn = app.conn().await?;
        let slugs: Vec<(String, DateTime<Utc>)> = dsl::publication_pages
            .filter(dsl::gone_at.is_null().and(dsl::hidden_at.is_null()))
            .order(dsl::listing_id.desc())
            .limit(MOST_IN_MAP)
            .select((dsl::slug, dsl::opened_at))
            .load(&mut conn)
            .await?;
        let entry = |(slug, at): &(String, DateTime<Utc>)| {
            format!("<url><loc>{}</loc><lastmod>{}</lastmod></url>\n", site.page(slug), at.format("%Y-%m-%d"))
        };
        Ok::<_, Error>(slugs.iter().map(entry).collect::<String>())
    };
    match open.await {
        Ok(entries) => {
            let map = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n{entries}</urlset>\n"
            );
            ([(header::CONTENT_TYPE, "application/xml"), (header::CACHE_CONTROL, "public, max-age=600")], map)
                .into_response()
        }
        Err(e) => {
            tracing::error!("the site map cannot be shown: {e:?}");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn an_address_is_made_of_plain_words_and_a_secret() {
        let made = slug("Citroën C3 <b> 1.2 PureTech – 2019");
        assert!(made.starts_with("citroen-c3-b-1-2-puretech-2019-"), "{made}");
        assert_ne!(made, slug("Citroën C3 <b> 1.2 PureTech – 2019"));
        assert!(slug("").chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
    }
}
