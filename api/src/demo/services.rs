use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use keroxio_core::Env;

use crate::config::find_up;

/// PostgreSQL and Redis for the demo: those configured, or private ones started from a checkout
/// and stopped again when this value is dropped.
pub struct Servers {
    script: Option<PathBuf>,
    vars: HashMap<String, String>,
}

impl Servers {
    pub fn start_if_needed() -> anyhow::Result<Self> {
        if std::env::var("DATABASE_URL").is_ok() && std::env::var("REDIS_URL").is_ok() {
            return Ok(Self { script: None, vars: HashMap::new() });
        }
        let here = std::env::current_dir()?;
        let script = find_up(&here, "api/dev/services.sh")
            .context("set DATABASE_URL and REDIS_URL, or run the demo inside a checkout (`make demo`)")?;
        let was_up = call(&script, "status").is_ok();
        eprintln!("==> starting private PostgreSQL and Redis");
        call(&script, "up")?;
        let vars = call(&script, "env")?
            .lines()
            .filter_map(|line| line.trim_start_matches("export ").split_once('='))
            .map(|(name, value)| (name.to_owned(), value.trim_matches(['"', '\'']).to_owned()))
            .collect();
        Ok(Self { script: (!was_up).then_some(script), vars })
    }

    /// Settings of this run: the process's, then the private servers', then what a demo needs.
    pub fn env(&self, out: &Path) -> anyhow::Result<Env> {
        let mut vars = self.vars.clone();
        vars.extend(std::env::vars());
        vars.insert("KEROXIO_HTTP_ADDR".to_owned(), "127.0.0.1:0".to_owned());
        let storage = std::path::absolute(out)?.join("storage");
        vars.entry("KEROXIO_STORAGE_DIR".to_owned()).or_insert_with(|| storage.to_string_lossy().into_owned());
        vars.entry("KEROXIO_SECRET_KEY".to_owned())
            .or_insert_with(|| format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple()));
        Ok(Env::from_vars(vars))
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        if let Some(script) = &self.script
            && let Err(e) = call(script, "down")
        {
            eprintln!("private servers not stopped: {e:#}");
        }
    }
}

fn call(script: &Path, verb: &str) -> anyhow::Result<String> {
    let output = Command::new("bash").arg(script).arg(verb).output().context("bash is needed")?;
    anyhow::ensure!(
        output.status.success(),
        "{} {verb} failed:\n{}",
        script.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}
