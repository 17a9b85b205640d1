//! Every setting there is, for those who run an installation.

use std::fmt::Write as _;

use keroxio_core::{Env, Module, SETTINGS, Setting};

/// Those of the executable itself: addresses, logs, workers and which plugins are put in.
const OWN: &[Setting] = &[
    Setting::plain("KEROXIO_HTTP_ADDR", "127.0.0.1:8080", "Address on which the API listens."),
    Setting::plain(
        "KEROXIO_METRICS_ADDR",
        "",
        "Metrics, `/healthz` and `/readyz` at an address of their own; a worker has no other. Without it the API serves `/metrics` too.",
    ),
    Setting::plain(
        "KEROXIO_PROXY",
        "off",
        "`on`: a proxy of ours stands before the API, and its `X-Forwarded-For` is believed. Without it behind one, all callers count as one address.",
    ),
    Setting::plain(
        "KEROXIO_CORS_ORIGINS",
        "",
        "Origins whose pages may call the API from a browser, separated by commas.",
    ),
    Setting::plain(
        "KEROXIO_INTROSPECTION",
        "everyone",
        "Who may ask what the schema is: `everyone`, `signed-in`, `off`.",
    ),
    Setting::plain("KEROXIO_QUERIES", "", "JSON file of documents; nothing else is answered then."),
    Setting::plain(
        "KEROXIO_DEFAULT_CONCURRENCY",
        "8",
        "Jobs of the queue `default` that a worker does at the same time.",
    ),
    Setting::plain(
        "KEROXIO_INFERENCE_CONCURRENCY",
        "1",
        "The same of the queue `inference`; each takes about one core.",
    ),
    Setting::plain(
        "KEROXIO_OUTBOUND_CONCURRENCY",
        "8",
        "The same of the queue `outbound`, which calls services outside.",
    ),
    Setting::plain(
        "ORT_DYLIB_PATH",
        "",
        "The library of ONNX Runtime. Required where pictures or prices are worked on.",
    ),
    Setting::plain(
        "KEROXIO_MODELS_DIR",
        ".keroxio/models",
        "Folder of models that are not ours, as `make setup` and `keroxio models add` fill it.",
    ),
    Setting::plain("KEROXIO_PLATES_MODEL_DIR", "plugins/plates-ort/model", "Folder of our plate reader."),
    Setting::plain("KEROXIO_IMAGES_MODEL_DIR", "plugins/images-ort/model", "Folder of our cut-out model."),
    Setting::plain("KEROXIO_PRICING_MODEL_DIR", "plugins/pricing-ort/model", "Folder of our price model."),
    Setting::plain(
        "KEROXIO_PLATES_READERS",
        "keroxio",
        "Plate readers in the order in which they are asked: `keroxio`, `keroxio:MODEL`, `ppocr`, `remote`.",
    ),
    Setting::plain("KEROXIO_REMOTE_PLATES_URL", "", "Address of the reader `remote`, which photos are sent to."),
    Setting::secret(
        "KEROXIO_REMOTE_PLATES_TOKEN",
        "",
        "Its token, for the photos of everybody; without one it is asked for those who brought a key of their own.",
    ),
    Setting::plain(
        "KEROXIO_REMOTE_PLATES_ACCEPT_FROM",
        "1.01",
        "Confidence from which it is believed without asking anybody; above 1 never.",
    ),
    Setting::plain(
        "KEROXIO_IMAGES_MODELS",
        "keroxio",
        "Cut-out models in the order in which they are tried: `keroxio`, or a model of the store.",
    ),
    Setting::plain("KEROXIO_FACES", "on", "`off`: faces are not looked for, and not blurred."),
    Setting::plain(
        "KEROXIO_REGISTRY",
        "",
        "JSON file that describes a reseller of the vehicle register (`plugins/registry-http/README.md`).",
    ),
    Setting::plain(
        "KEROXIO_REWRITER_URL",
        "",
        "Address of a language model with an OpenAI-compatible interface, which puts ads in other words; what it writes is checked.",
    ),
    Setting::plain("KEROXIO_REWRITER_MODEL", "", "Its name there. Required with an address."),
    Setting::secret("KEROXIO_REWRITER_KEY", "", "Its key."),
];

/// Beginnings of the names that are ours: something else that begins so is a slip of the pen.
const OURS: [&str; 3] = ["KEROXIO_", "STRIPE_", "RESEND_"];
/// Of scripts beside the program.
const ELSEWHERE: [&str; 1] = ["KEROXIO_SERVICES"];

/// All settings, by who reads them.
fn all(modules: &[&dyn Module]) -> Vec<(&'static str, &'static [Setting])> {
    let of_modules = modules.iter().map(|module| (module.name(), module.settings()));
    [("api", OWN), ("core", SETTINGS)].into_iter().chain(of_modules).filter(|(_, all)| !all.is_empty()).collect()
}

/// The reference in Markdown.
pub fn reference(modules: &[&dyn Module]) -> String {
    let mut text = String::from(
        "# Settings\n\nWritten by `keroxio settings --markdown` from what the code declares. Settings are read from the environment; a start with wrong ones names all that is wrong. An empty value is none.\n",
    );
    for (who, settings) in all(modules) {
        let _ = write!(text, "\n## {who}\n\n| Setting | Default | What it is |\n| --- | --- | --- |\n");
        for setting in settings {
            let secret = if setting.is_secret { " Secret." } else { "" };
            let _ = writeln!(text, "| `{}` | {} | {}{secret} |", setting.name, setting.default, setting.what);
        }
    }
    text
}

/// What is set, for a look on the command line; secrets are not shown.
pub fn print(env: &Env, modules: &[&dyn Module]) {
    for (_, settings) in all(modules) {
        for setting in settings {
            let value = match env.optional(setting.name) {
                Some(_) if setting.is_secret => "(set)".to_owned(),
                Some(value) => value,
                None if setting.default.is_empty() => "-".to_owned(),
                None => format!("- ({})", setting.default),
            };
            println!("{:<36} {value}", setting.name);
        }
    }
}

/// Names in the environment that look like ours and are not.
pub fn unknown(env: &Env, modules: &[&dyn Module]) -> Vec<String> {
    let known: Vec<&str> = all(modules).iter().flat_map(|(_, settings)| settings.iter().map(|s| s.name)).collect();
    let is_ours = |name: &&str| OURS.iter().any(|start| name.starts_with(start));
    let mut unknown: Vec<String> = env
        .names()
        .filter(is_ours)
        .filter(|name| !known.contains(name) && !ELSEWHERE.contains(name))
        .map(str::to_owned)
        .collect();
    unknown.sort();
    unknown
}
