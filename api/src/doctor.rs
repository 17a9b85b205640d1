//! Role `doctor`: looks at everything an installation depends on, and says how to mend what is wrong.

use std::path::Path;

use diesel::sql_types::{BigInt, Bool, Text};
use diesel_async::RunQueryDsl as _;
use keroxio_core::{App, AppBuilder, Env, establish};
use keroxio_schema::MODULES;
use serde::Serialize;

use crate::{migrate, models, plugins, serve, settings};

/// Oldest PostgreSQL that the statements are written for.
const POSTGRES: i64 = 14;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    Ok,
    /// It works, and will not for long, or not well.
    Warning,
    Error,
}

#[derive(Debug, Serialize)]
pub struct Finding {
    pub what: &'static str,
    pub grade: Grade,
    /// What was found and, where it is not well, how to mend it.
    pub told: String,
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, what: &'static str, grade: Grade, told: impl Into<String>) {
        self.0.push(Finding { what, grade, told: told.into() });
    }

    fn of<E: std::fmt::Display>(&mut self, what: &'static str, tried: Result<impl Into<String>, E>) {
        match tried {
            Ok(told) => self.add(what, Grade::Ok, told),
            Err(e) => self.add(what, Grade::Error, format!("{e:#}")),
        }
    }
}

/// # Errors
/// Where anything is wrong that keeps the installation from working.
pub async fn run(json: bool) -> anyhow::Result<()> {
    show(&look(&Env::from_process()).await, json)
}

/// Everything, in the order in which it should be mended.
pub async fn look(env: &Env) -> Vec<Finding> {
    let mut findings = Findings::default();
    database(env, &mut findings).await;
    runtime(&mut findings);
    if findings.0.iter().all(|finding| finding.what != "onnxruntime" || finding.grade == Grade::Ok) {
        match models::problems(env).as_slice() {
            [] => findings.add("models", Grade::Ok, "every file is what its card says"),
            problems => findings.add("models", Grade::Error, format!("{}: fetch them anew", problems.join("; "))),
        }
    }
    disk(env, &mut findings);
    match start(env).await {
        Ok(app) => {
            match settings::unknown(env, MODULES).as_slice() {
                [] => findings.add("settings", Grade::Ok, "complete"),
                unknown => {
                    let told =
                        format!("{} is read by nobody: a slip of the pen? See api/SETTINGS.md", unknown.join(", "));
                    findings.add("settings", Grade::Warning, told);
                }
            }
            for (name, verdict) in app.health().await {
                findings.of(name, verdict.map(|()| "can be read and written"));
            }
            redis(&app, &mut findings).await;
        }
        Err(e) => {
            findings.add("settings", Grade::Error, format!("{e:#}. Every setting is explained in api/SETTINGS.md"))
        }
    }
    mail(env, &mut findings);
    findings.0
}

fn show(findings: &[Finding], json: bool) -> anyhow::Result<()> {
    for finding in findings {
        if json {
            println!("{}", serde_json::to_string(finding)?);
            continue;
        }
        let sign = match finding.grade {
            Grade::Ok => "ok     ",
            Grade::Warning => "WARNING",
            Grade::Error => "ERROR  ",
        };
        println!("{sign} {:<12} {}", finding.what, finding.told);
    }
    let wrong = findings.iter().filter(|finding| finding.grade == Grade::Error).count();
    anyhow::ensure!(wrong == 0, "{wrong} of {} things keep this installation from working", findings.len());
    Ok(())
}

/// An application with all that both roles need, that does nothing.
async fn start(env: &Env) -> anyhow::Result<App> {
    let mut builder = AppBuilder::default();
    plugins::provide(env, &mut builder);
    plugins::provide_registry(env, &mut builder);
    plugins::provide_rewriter(env, &mut builder);
    serve::provide_http(env, &mut builder);
    serve::provide_selector(&mut builder);
    builder.start(env, MODULES).await
}

#[derive(diesel::QueryableByName)]
struct Server {
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = BigInt)]
    connections: i64,
    #[diesel(sql_type = Bool)]
    has_role: bool,
    #[diesel(sql_type = Bool)]
    may_take_role: bool,
    #[diesel(sql_type = Text)]
    encoding: String,
}

const SERVER: &str = "SELECT current_setting('server_version_num')::bigint / 10000 AS version, \
    current_setting('max_connections')::bigint AS connections, \
    EXISTS (SELECT FROM pg_roles WHERE rolname = 'keroxio_tenant') AS has_role, \
    coalesce((SELECT pg_has_role(current_user, oid, 'MEMBER') FROM pg_roles WHERE rolname = 'keroxio_tenant'), false) AS may_take_role, \
    current_setting('server_encoding') AS encoding";

async fn database(env: &Env, findings: &mut Findings) {
    let Some(url) = env.optional("DATABASE_URL") else {
        return findings.add("database", Grade::Error, "DATABASE_URL is not set: postgres://user:password@host/name");
    };
    let mut conn = match establish(&url, env).await {
        Ok(conn) => conn,
        Err(e) => return findings.add("database", Grade::Error, format!("{e:#}. See DATABASE_URL, and that it runs")),
    };
    let server: Server = match diesel::sql_query(SERVER).get_result(&mut conn).await {
        Ok(server) => server,
        Err(e) => return findings.add("database", Grade::Error, e.to_string()),
    };
    match server.version {
        old if old < POSTGRES => findings.add(
            "database",
            Grade::Error,
            format!("PostgreSQL {old}: at least {POSTGRES} is needed, move the data to a newer one"),
        ),
        version => findings.add("database", Grade::Ok, format!("PostgreSQL {version}")),
    }
    if server.encoding != "UTF8" {
        findings.add("encoding", Grade::Error, format!("{}: make the database with ENCODING 'UTF8'", server.encoding));
    }
    pool(env, &server, findings);
    match migrate::pending(&url, MODULES).await {
        Ok(names) if names.is_empty() => findings.add("migrations", Grade::Ok, "all are applied"),
        Ok(names) => findings.add(
            "migrations",
            Grade::Error,
            format!("{} are missing, from {} on: run `keroxio migrate`", names.len(), names[0]),
        ),
        Err(e) => findings.add("migrations", Grade::Error, format!("{e:#}")),
    }
    match (server.has_role, server.may_take_role) {
        (false, _) => findings.add(
            "tenancy",
            Grade::Error,
            "the role keroxio_tenant is missing: run `keroxio migrate` as a user with CREATEROLE, or CREATE ROLE keroxio_tenant",
        ),
        (true, false) => findings.add(
            "tenancy",
            Grade::Error,
            "our database user may not take the role keroxio_tenant: GRANT keroxio_tenant TO the user of DATABASE_URL",
        ),
        (true, true) => findings.add("tenancy", Grade::Ok, "the second wall stands"),
    }
}

/// Two pools of this size are opened by each process.
fn pool(env: &Env, server: &Server, findings: &mut Findings) {
    let size = env.parsed("KEROXIO_DATABASE_POOL", 16_i64);
    let told = format!("one process opens up to {} connections, the server takes {}", size * 2, server.connections);
    if size * 2 > server.connections {
        findings.add(
            "connections",
            Grade::Error,
            format!("{told}: lower KEROXIO_DATABASE_POOL or raise max_connections"),
        );
    } else if size * 6 > server.connections {
        findings.add("connections", Grade::Warning, format!("{told}: three processes would not fit"));
    } else {
        findings.add("connections", Grade::Ok, told);
    }
}

fn runtime(findings: &mut Findings) {
    let Some(path) = std::env::var_os("ORT_DYLIB_PATH") else {
        let told = "ORT_DYLIB_PATH is not set: `make setup` fetches the library, or install the wheel onnxruntime";
        return findings.add("onnxruntime", Grade::Error, told);
    };
    if Path::new(&path).is_file() {
        findings.add("onnxruntime", Grade::Ok, path.to_string_lossy());
    } else {
        let told = format!("{} is no file: set ORT_DYLIB_PATH to libonnxruntime.so", path.to_string_lossy());
        findings.add("onnxruntime", Grade::Error, told);
    }
}

/// Free space where files are kept on a disk of ours.
fn disk(env: &Env, findings: &mut Findings) {
    let folder = env.optional("KEROXIO_STORAGE_DIR").filter(|_| env.optional("KEROXIO_S3_BUCKET").is_none());
    let Some(folder) = folder.filter(|folder| folder != ":memory:") else { return };
    let told = std::process::Command::new("df").args(["-Pk", &folder]).output();
    let free = told.ok().and_then(|told| {
        let text = String::from_utf8(told.stdout).ok()?;
        text.lines().nth(1)?.split_whitespace().nth(3)?.parse::<u64>().ok()
    });
    match free.map(|kib| kib >> 20) {
        None => findings.add(
            "disk",
            Grade::Warning,
            format!("{folder} does not exist yet; it is made with the first photo"),
        ),
        Some(gib) if gib < 1 => findings.add("disk", Grade::Error, format!("less than 1 GiB is free at {folder}")),
        Some(gib) if gib < 5 => findings.add("disk", Grade::Warning, format!("{gib} GiB are free at {folder}")),
        Some(gib) => findings.add("disk", Grade::Ok, format!("{gib} GiB are free at {folder}")),
    }
}

async fn redis(app: &App, findings: &mut Findings) {
    match app.redis().setting("maxmemory-policy").await {
        Ok(policy) if policy == "noeviction" => {}
        Ok(policy) => findings.add(
            "redis",
            Grade::Warning,
            format!("maxmemory-policy is {policy}: with noeviction it never throws tickets of jobs away"),
        ),
        // Hosted ones do not tell.
        Err(_) => {}
    }
}

fn mail(env: &Env, findings: &mut Findings) {
    match (env.optional("RESEND_API_KEY"), env.optional("SMTP_URL")) {
        (None, None) => findings.add(
            "mail",
            Grade::Warning,
            "neither RESEND_API_KEY nor SMTP_URL is set: letters stay in the mailbox of staff",
        ),
        (None, Some(_)) => findings.add("mail", Grade::Ok, "letters go by a mail server"),
        (Some(_), _) if env.optional("RESEND_WEBHOOK_SECRET").is_none() => findings.add(
            "mail",
            Grade::Warning,
            "letters go by Resend, which cannot tell of those that bounced or were called spam: set RESEND_WEBHOOK_SECRET \
             and a webhook to /webhooks/resend",
        ),
        (Some(_), _) => findings.add("mail", Grade::Ok, "letters go by Resend"),
    }
}
