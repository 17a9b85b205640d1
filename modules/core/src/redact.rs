//! What must not stand in logs: addresses and numbers of people, plates, and what opens a door.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::LazyLock;

use regex::{Captures, Regex};
use tracing_subscriber::fmt::MakeWriter;

/// E-mail addresses; tokens (JWT, our API keys, keys of Stripe and Resend, `Bearer …`); passwords in addresses of
/// servers; French plates of the SIV and of before; vehicle identification numbers; telephone numbers.
static PATTERN: LazyLock<Result<Regex, regex::Error>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
        (?P<mail>[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)
        | (?P<token>\beyJ[\w-]+\.[\w-]+\.[\w-]+ | \bkx_[\w-]{8,} | \b(?:sk|rk|whsec|re)_[A-Za-z0-9_]{8,} | (?i:bearer)\s+[\w.~+/=-]{8,})
        | ://[^\s:/@]*:(?P<password>[^\s@/]+)@
        | (?P<vin>\b[A-HJ-NPR-Z0-9]{3}[A-HJ-NPR-Z0-9]{8}[A-HJ-NPR-Z0-9]{2}[0-9]{4}\b)
        | (?P<plate>\b[A-HJ-NP-TV-Z]{2}[\s-]?[0-9]{3}[\s-]?[A-HJ-NP-TV-Z]{2}\b | \b[0-9]{1,4}[\s-][A-HJ-NP-Z]{2,3}[\s-](?:[0-9]{2}|2[AB]|97[1-6])\b)
        | (?P<phone>(?:\+33|\b0)\s?[1-9](?:[\s.-]?[0-9]{2}){4}\b)",
    )
});

/// A line without what must not stand in it.
pub fn redacted(line: &str) -> Cow<'_, str> {
    let Ok(pattern) = &*PATTERN else { return Cow::Borrowed("(a line that could not be looked through)\n") };
    pattern.replace_all(line, |found: &Captures<'_>| {
        if let Some(password) = found.name("password") {
            return found[0].replacen(&format!(":{}@", password.as_str()), ":***@", 1);
        }
        let kind = ["mail", "token", "vin", "plate", "phone"].into_iter().find(|kind| found.name(kind).is_some());
        format!("[{}]", kind.unwrap_or("private"))
    })
}

/// Lines that pass through [`redacted`] on their way to the error stream.
#[derive(Clone, Copy)]
pub struct Redacting;

/// One line.
pub struct Line(Vec<u8>);

impl<'a> MakeWriter<'a> for Redacting {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(Vec::with_capacity(256))
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.0);
        // Nobody is left to be told where that fails.
        let _ = io::stderr().lock().write_all(redacted(&text).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_somebodys_is_named_and_not_said() {
        for (line, expected) in [
            ("no letter to lea.moreau+x@example.co.uk today", "no letter to [mail] today"),
            ("Authorization: Bearer abc.def-123456", "Authorization: [token]"),
            ("token eyJhbGciOi.eyJzdWIi.sig-_x refused", "token [token] refused"),
            ("key kx_0123456789abcdef", "key [token]"),
            ("STRIPE sk_live_0123456789", "STRIPE [token]"),
            ("postgres://keroxio:s3cr%40t@db:5432/x is away", "postgres://keroxio:***@db:5432/x is away"),
            ("redis://:pass@127.0.0.1:6379/0", "redis://:***@127.0.0.1:6379/0"),
            ("plate AB-123-CD, then AB123CD and 123 ABC 75", "plate [plate], then [plate] and [plate]"),
            ("vin VF1RFB00564123456 seen", "vin [vin] seen"),
            ("calls 06 11 22 33 44 or +33611223344", "calls [phone] or [phone]"),
        ] {
            assert_eq!(redacted(line), expected);
        }
    }

    #[test]
    fn what_is_nobodys_stays() {
        for line in [
            "2026-11-26T21:33:13.123456Z  INFO request{id=0193e6b0c0de7abc8def0123456789ab route=/graphql}: took 12 ms",
            "job 01936e1a-7b2c-7def-8123-456789abcdef is tried again",
            "keroxio_core::jobs: 1000 rows, GET /a/renault-clio-tce-90-zen-2018-12ab34cd56ef",
            "listening on 127.0.0.1:8080, http://[::1]:9090/metrics",
            "version 2026-11-26-000173_core_trace applied",
        ] {
            assert_eq!(redacted(line), line);
        }
    }
}
