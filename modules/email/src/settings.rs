use keroxio_core::Env;

/// Where letters come from and where their links lead.
#[derive(Clone)]
pub struct Settings {
    pub from: String,
    /// Address of the front end, without a slash at its end.
    pub app_url: String,
}

impl Settings {
    pub fn read(env: &Env) -> Self {
        let own = || env.optional("KEROXIO_PUBLIC_URL").unwrap_or_else(|| "http://127.0.0.1:8080".to_owned());
        let app_url = env.optional("KEROXIO_APP_URL").unwrap_or_else(own).trim_end_matches('/').to_owned();
        if !app_url.starts_with("https://") && !app_url.starts_with("http://") {
            env.problem(format!("KEROXIO_APP_URL: {app_url:?} is no address such as https://app.example.org"));
        }
        let from = env.optional("KEROXIO_MAIL_FROM").unwrap_or_else(|| "Keroxio <no-reply@keroxio.example>".to_owned());
        Self { from, app_url }
    }
}
