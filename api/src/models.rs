//! Role `models`: the networks that read plates and cut out cars, ours and those an operator adds.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use keroxio_core::Env;
use keroxio_onnx::{CONTRACTS, Contract};
use keroxio_plugin_sdk::{ModelCard, ModelFile};
use serde_json::json;

use crate::cli::{AddModel, ModelsCommand};
use crate::plugins;

/// Licences under which a model may be used in a commercial service without asking anybody.
const FREE: [&str; 9] = [
    "MIT",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "CC0-1.0",
    "CC-BY-4.0",
    "Unlicense",
    "LicenseRef-Keroxio-Proprietary",
];

/// Contracts of models that ONNX Runtime does not run; of those the checksum is looked at.
const NO_NETWORKS: [&str; 1] = ["faces-seeta"];

/// Prints one JSON line per model, or says what was done.
///
/// # Errors
/// A model that does not hold what its card says; a file that cannot be added, with the reason.
pub fn run(command: ModelsCommand) -> anyhow::Result<()> {
    let env = Env::from_process();
    match command {
        ModelsCommand::List => list(&env),
        ModelsCommand::Verify => verify(&env),
        ModelsCommand::Add(wanted) => {
            let card = add(&plugins::store(&env), &wanted)?;
            println!("{}", serde_json::to_string(&card)?);
            Ok(())
        }
    }
}

/// Paths of all cards: of the models in the repository, then of those in the store.
fn cards(env: &Env) -> Vec<PathBuf> {
    let in_folder = |folder: PathBuf| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut cards: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
        cards.sort();
        cards
    };
    [plugins::plates_folder(env), plugins::images_folder(env), plugins::store(env)]
        .into_iter()
        .flat_map(in_folder)
        .collect()
}

fn list(env: &Env) -> anyhow::Result<()> {
    for path in cards(env) {
        match ModelCard::read(&path) {
            Ok(card) => {
                let bytes = std::fs::metadata(path.with_file_name(&card.file)).map(|m| m.len()).ok();
                let mut line = serde_json::to_value(&card)?;
                line["bytes"] = json!(bytes);
                line["card"] = json!(path);
                println!("{line}");
            }
            Err(e) => println!("{}", json!({ "card": path, "problem": e.to_string() })),
        }
    }
    Ok(())
}

fn verify(env: &Env) -> anyhow::Result<()> {
    let mut wrong = 0;
    let cards = cards(env);
    for path in &cards {
        let problem = check(path).err().map(|e| format!("{e:#}"));
        wrong += usize::from(problem.is_some());
        println!("{}", json!({ "card": path, "ok": problem.is_none(), "problem": problem }));
    }
    ensure!(!cards.is_empty(), "no model is installed: run `make setup`");
    ensure!(wrong == 0, "{wrong} of {} models cannot be used", cards.len());
    Ok(())
}

/// What is wrong with the models of this installation, one sentence each.
pub fn problems(env: &Env) -> Vec<String> {
    let cards = cards(env);
    if cards.is_empty() {
        return vec!["no model is installed: run `make setup`".to_owned()];
    }
    let problem = |path: &PathBuf| check(path).err().map(|e| format!("{}: {e:#}", path.display()));
    cards.iter().filter_map(problem).collect()
}

/// Checksum, and what goes in and comes out.
fn check(path: &Path) -> anyhow::Result<()> {
    let (card, _, bytes) = ModelCard::load(path)?;
    if NO_NETWORKS.contains(&card.contract.as_str()) {
        return Ok(());
    }
    contract(&card.contract)?.check(&keroxio_onnx::session(&bytes)?)?;
    Ok(())
}

fn contract(name: &str) -> anyhow::Result<Contract> {
    let known = || CONTRACTS.map(|contract| contract.name).join(", ");
    Contract::named(name).with_context(|| format!("no plugin takes a model of contract {name}; known are {}", known()))
}

/// Copies a model into the store with its card. Nothing is left behind when it is refused.
pub fn add(store: &Path, wanted: &AddModel) -> anyhow::Result<ModelCard> {
    ensure!(
        FREE.contains(&wanted.licence.as_str()) || wanted.licence_agreed,
        "the licence {} is none of {}: if you hold it or it allows your use, repeat with --licence-agreed",
        wanted.licence,
        FREE.join(", ")
    );
    let (file, bytes) = ModelFile::load(&wanted.file, &wanted.licence, wanted.sha256.as_deref())?;
    contract(&wanted.contract)?.check(&keroxio_onnx::session(&bytes)?)?;
    let card = ModelCard {
        model: wanted.model.clone(),
        version: wanted.version.clone(),
        contract: wanted.contract.clone(),
        file: format!("{}.onnx", wanted.model),
        sha256: file.sha256,
        licence: wanted.licence.clone(),
        upstream: wanted.upstream.clone(),
    };
    ensure!(
        !card.model.is_empty()
            && card.model.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c))
            && !card.model.starts_with('.'),
        "{:?}: models have plain names: letters, digits, `-` and `.`",
        card.model
    );
    let (target, beside) = (store.join(&card.file), store.join(format!("{}.json", card.model)));
    if beside.exists() {
        bail!("{} is in the store already: remove {} first, or choose another name", card.model, beside.display());
    }
    std::fs::create_dir_all(store).with_context(|| store.display().to_string())?;
    // The card comes last: a model without one does not exist.
    std::fs::write(&target, &bytes).with_context(|| target.display().to_string())?;
    std::fs::write(&beside, serde_json::to_vec_pretty(&card)?).with_context(|| beside.display().to_string())?;
    Ok(card)
}
