//! The short form of the chaos suite; `make chaos` runs the long one.
#![allow(clippy::unwrap_used)]

use std::process::Command;

use serde_json::Value;

#[test]
fn nothing_is_lost_or_applied_twice_while_everything_around_breaks() {
    let run = Command::new(env!("CARGO_BIN_EXE_keroxio-chaos"))
        .arg("run")
        .envs([("SEED", "7"), ("JOBS", "1500"), ("FAULTS", "18")])
        .output()
        .unwrap();
    let (told, log) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    let report: Value = serde_json::from_str(told.lines().last().unwrap_or_default()).unwrap_or_default();
    assert!(run.status.success(), "{report}\n{log}");
    assert!(report["jobs"].as_i64().unwrap() >= 1_000, "{report}");
    assert_eq!(report["kinds"], 9, "{report}");
    for fault in ["lost", "doubled", "out_of_order", "stale", "unasked"] {
        assert_eq!(report[fault], 0, "{report}");
    }
    assert_eq!(report["dead"], report["meant_to_die"], "{report}");
}
