use keroxio_core::{Env, Secret, standard_webhooks};

/// Where letters come from and where their links lead.
#[derive(Clone)]
pub struct Settings {
    pub from: String,
    /// Address of the front end, without a slash at its end.
    pub app_url: String,
    /// Address of this API, likewise.
    pub public_url: String,
}

impl Settings {
    pub fn read(env: &Env) -> Self {
        let own = || env.optional("KEROXIO_PUBLIC_URL").unwrap_or_else(|| "http://127.0.0.1:8080".to_owned());
        let app_url = env.optional("KEROXIO_APP_URL").unwrap_or_else(own).trim_end_matches('/').to_owned();
        if !app_url.starts_with("https://") && !app_url.starts_with("http://") {
            env.problem(format!("KEROXIO_APP_URL: {app_url:?} is no address such as https://app.example.org"));
        }
        let from = env.optional("KEROXIO_MAIL_FROM").unwrap_or_else(|| "Keroxio <no-reply@keroxio.example>".to_owned());
        Self { from, app_url, public_url: own().trim_end_matches('/').to_owned() }
    }
}

/// Secrets by which Resend proves what it tells; several while one is replaced.
#[derive(Clone)]
pub struct Hook(pub Vec<Secret>);

impl Hook {
    pub fn read(env: &Env) -> Self {
        let text = env.optional("RESEND_WEBHOOK_SECRET").unwrap_or_default();
        let secrets: Vec<Secret> = text.split(',').map(str::trim).filter(|s| !s.is_empty()).map(Secret::new).collect();
        if !secrets.iter().all(standard_webhooks::is_secret) {
            env.problem("RESEND_WEBHOOK_SECRET: a secret is `whsec_` and Base64".to_owned());
        }
        Self(secrets)
    }
}

/// For how long it is known to whom was written, and what became of it.
#[derive(Debug, Clone, Copy)]
pub struct Retention(pub chrono::Duration);

impl Retention {
    pub fn read(env: &Env) -> Self {
        Self(chrono::Duration::days(env.parsed("KEROXIO_EMAIL_DAYS", 365_u32).into()))
    }
}
