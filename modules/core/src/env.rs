use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Mutex;

/// Settings from the environment. Problems are collected, so that a start-up reports all of them at once.
#[derive(Debug, Default)]
pub struct Env {
    vars: HashMap<String, String>,
    problems: Mutex<Vec<String>>,
}

impl Env {
    pub fn from_process() -> Self {
        Self::from_vars(std::env::vars())
    }

    pub fn from_vars(vars: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { vars: vars.into_iter().filter(|(_, v)| !v.is_empty()).collect(), problems: Mutex::default() }
    }

    /// Names of what is set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.vars.keys().map(String::as_str)
    }

    /// The value, if set and not empty.
    pub fn optional(&self, name: &str) -> Option<String> {
        self.vars.get(name).cloned()
    }

    /// The value; when it is missing the problem is noted and an empty text returned.
    pub fn required(&self, name: &str, purpose: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.problem(format!("{name} is missing: {purpose}"));
            String::new()
        })
    }

    /// The parsed value or the default; a value that does not parse is noted.
    pub fn parsed<T: FromStr>(&self, name: &str, default: T) -> T {
        match self.optional(name).map(|v| v.parse::<T>().map_err(|_| v)) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(text)) => {
                self.problem(format!("{name}: `{text}` is not a valid {}", std::any::type_name::<T>()));
                default
            }
        }
    }

    pub fn problem(&self, text: String) {
        self.problems.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(text);
    }

    /// # Errors
    /// One error that lists every problem found so far.
    pub fn check(&self) -> anyhow::Result<()> {
        let problems = self.problems.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if problems.is_empty() {
            return Ok(());
        }
        anyhow::bail!("configuration:\n  - {}", problems.join("\n  - "))
    }
}

/// What can be set: the reference of settings is made of these, and a test finds what is read without being one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    pub name: &'static str,
    /// What holds where it is not set; empty for nothing.
    pub default: &'static str,
    /// One sentence, in Markdown.
    pub what: &'static str,
    pub is_secret: bool,
}

impl Setting {
    pub const fn plain(name: &'static str, default: &'static str, what: &'static str) -> Self {
        Self { name, default, what, is_secret: false }
    }

    /// One whose value nobody may see.
    pub const fn secret(name: &'static str, default: &'static str, what: &'static str) -> Self {
        Self { name, default, what, is_secret: true }
    }
}

/// A value that must not appear in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}
