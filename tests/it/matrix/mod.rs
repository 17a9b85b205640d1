//! Every root field, asked by everybody: what it answers is decided and written down.
//!
//! The questions are made from the schema, so that a new field without `@access`, or whose answers nobody looked at,
//! fails. `UPDATE_MATRIX=1` writes `tests/fixtures/access.txt` anew, to be read before it is committed.

mod nodes;
mod schema;
mod second_wall;
mod tenants;

pub use tenants::house;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use keroxio_core::{Access, Rights, Role};
use keroxio_test_support::{Actor, TestApp};

use schema::{Question, questions};

/// What these change would disturb the questions after them: they are asked last.
const LAST: [&str; 2] = ["revokeOtherDevices", "leaveOrganization"];

/// Somebody who asks: a short name, what they may do, and whether they are a person.
struct Asker {
    name: &'static str,
    actor: Actor,
    rights: Rights,
    is_person: bool,
}

fn table() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/access.txt")
}

/// What a field must answer by what the schema says of it; none where it is the field's own business.
fn refusal(access: Access, asker: &Asker) -> Option<&'static str> {
    let is_anonymous = asker.rights == Rights::NONE;
    match access {
        Access::Open => None,
        _ if is_anonymous => Some("UNAUTHENTICATED"),
        Access::Person => (!asker.is_person).then_some("FORBIDDEN"),
        Access::Staff => Some("FORBIDDEN"),
        right => right.right().filter(|right| !asker.rights.contains(*right)).map(|_| "FORBIDDEN"),
    }
}

async fn askers(app: &TestApp) -> Vec<Asker> {
    let owner = app.verified_garage("garage").await;
    let mut askers = vec![Asker { name: "anonymous", actor: app.anonymous(), rights: Rights::NONE, is_person: false }];
    for (name, role, spelled) in [
        ("manager", Role::Manager, "MANAGER"),
        ("seller", Role::Seller, "SELLER"),
        ("accountant", Role::Accountant, "ACCOUNTANT"),
        ("read_only", Role::ReadOnly, "READ_ONLY"),
    ] {
        let actor = app.member(&owner, name, spelled).await;
        askers.push(Asker { name, actor, rights: role.rights(), is_person: true });
    }
    for (name, right) in [("key_money", keroxio_core::Right::Money), ("key_read", keroxio_core::Right::Read)] {
        let actor = app.program(&owner, &[right.name()]).await;
        askers.push(Asker { name, actor, rights: Rights::of(&[right]), is_person: false });
    }
    // Whoever is refused shall have been refused before anything changed.
    askers.push(Asker { name: "owner", actor: owner, rights: Role::Owner.rights(), is_person: true });
    askers
}

async fn ask(asker: &Asker, question: &Question) -> String {
    let answer = match question.takes_file {
        true => asker.actor.send(&question.text, serde_json::json!({}), b"no file of any kind".to_vec()).await,
        false => asker.actor.run(&question.text, serde_json::json!({})).await,
    };
    answer.codes().first().map_or("ok", |code| code).to_owned()
}

#[tokio::test]
async fn every_field_answers_everybody_as_was_decided() {
    let app = TestApp::start().await;
    let askers = askers(&app).await;
    let mut all = questions(&keroxio_schema::sdl());
    all.sort_by_key(|question| LAST.contains(&question.field.as_str()));
    let (mut lines, mut wrong) = (BTreeMap::new(), Vec::new());
    for question in &all {
        let access = question.access.unwrap_or_else(|| panic!("{} says not who may ask: add @access", question.field));
        let mut answers = Vec::new();
        for asker in &askers {
            let code = ask(asker, question).await;
            let expected = refusal(access, asker);
            let is_refusal = ["UNAUTHENTICATED", "FORBIDDEN"].contains(&code.as_str());
            if expected.map_or(is_refusal, |expected| expected != code)
                || ["INTERNAL", "NO_CODE"].contains(&code.as_str())
            {
                wrong.push(format!("{} by {}: {code}, not {expected:?}", question.field, asker.name));
            }
            answers.push(format!("{}={code}", asker.name));
        }
        lines.insert(format!("{}.{}", question.root, question.field), answers.join(" "));
    }
    assert!(wrong.is_empty(), "{:#?}", &wrong[..wrong.len().min(20)]);
    let written: String = lines.iter().map(|(field, answers)| format!("{field}: {answers}\n")).collect();
    if std::env::var_os("UPDATE_MATRIX").is_some() {
        std::fs::write(table(), &written).unwrap();
    }
    let decided = std::fs::read_to_string(table()).unwrap_or_default();
    let differing: Vec<_> = written.lines().filter(|line| !decided.lines().any(|known| known == *line)).collect();
    assert!(differing.is_empty() && decided.lines().count() == lines.len(), "not as decided: {differing:#?}");
    app.run_jobs().await;
    app.finish().await;
}
