use std::path::Path;

use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
use async_graphql::{Name, Positioned};
use cargo_metadata::MetadataCommand;
use keroxio_test_support::TestApp;
use serde_json::{Value, json};

#[test]
fn the_committed_schema_equals_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema/schema.graphql");
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(committed == keroxio_schema::sdl(), "run `make schema` and look at the difference");
}

#[test]
fn no_module_shadows_a_root_field_of_another() {
    let whole = root_fields(&keroxio_schema::sdl());
    let mut parts: Vec<_> = keroxio_schema::sdl_by_module().iter().flat_map(|(_, sdl)| root_fields(sdl)).collect();
    parts.sort();
    assert!(whole.len() > 30, "the roots were not found: {whole:?}");
    assert_eq!(parts, whole);
}

/// `Query.vehicle` and its like, sorted; a module's own roots have other names than those of the whole.
fn root_fields(sdl: &str) -> Vec<String> {
    // The library prints a root without fields as `type NoMutation {}`, which its own parser refuses.
    let document = async_graphql::parser::parse_schema(sdl.replace(" {\n}", "")).unwrap();
    let (mut roots, mut types) = (Vec::new(), Vec::new());
    for definition in document.definitions {
        match definition {
            TypeSystemDefinition::Schema(schema) => {
                let schema = schema.node;
                roots =
                    vec![("Query", schema.query), ("Mutation", schema.mutation), ("Subscription", schema.subscription)];
            }
            TypeSystemDefinition::Type(ty) => types.push(ty.node),
            TypeSystemDefinition::Directive(_) => {}
        }
    }
    let mut fields = Vec::new();
    for ty in types {
        let is_root =
            |(_, name): &&(_, Option<Positioned<Name>>)| name.as_ref().is_some_and(|n| n.node == ty.name.node);
        let (Some((root, _)), TypeKind::Object(object)) = (roots.iter().find(is_root), ty.kind) else { continue };
        fields.extend(object.fields.iter().map(|field| format!("{root}.{}", field.node.name.node)));
    }
    fields.sort();
    fields
}

/// Tier of each module; a module depends only on strictly lower ones.
const TIERS: [(&str, u32); 19] = [
    ("keroxio-core", 0),
    ("keroxio-email", 1),
    ("keroxio-jobs", 1),
    ("keroxio-subscription", 1),
    ("keroxio-auth", 2),
    ("keroxio-storage", 2),
    ("keroxio-plates", 3),
    ("keroxio-images", 4),
    ("keroxio-notification", 3),
    ("keroxio-vehicle", 3),
    ("keroxio-billing", 4),
    ("keroxio-pricing", 4),
    ("keroxio-listing", 5),
    ("keroxio-publication", 6),
    ("keroxio-crm", 7),
    ("keroxio-privacy", 7),
    ("keroxio-documents", 8),
    ("keroxio-webhook", 8),
    ("keroxio-admin", 9),
];

#[test]
fn modules_depend_downwards_and_never_on_a_concrete_plugin() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec().unwrap();
    let tier = |name: &str| TIERS.iter().find(|(n, _)| *n == name).map(|(_, t)| *t);
    let mut modules = 0;
    for package in &metadata.packages {
        if !package.manifest_path.as_str().contains("/modules/") {
            continue;
        }
        modules += 1;
        let own = tier(package.name.as_str()).unwrap_or_else(|| panic!("{} has no tier", package.name));
        for dependency in &package.dependencies {
            assert!(!dependency.name.ends_with("-ort"), "{} depends on {}", package.name, dependency.name);
            if let Some(theirs) = tier(&dependency.name) {
                assert!(theirs < own, "{} (tier {own}) depends on {} (tier {theirs})", package.name, dependency.name);
            }
        }
    }
    assert_eq!(modules, TIERS.len());
}

const INTROSPECTION: &str = "{ __schema { types { name kind description fields { name description args { name description } } inputFields { name description } enumValues { name description } } } }";

#[tokio::test]
async fn everything_in_the_schema_is_described() {
    let app = TestApp::start().await;
    let schema = app.garage("integrator").await.run(INTROSPECTION, json!({})).await;
    let roots = ["Query", "Mutation", "Subscription"];
    let mut bare = Vec::new();
    let blank = |v: &Value| v["description"].as_str().is_none_or(str::is_empty);
    for kind in schema.at("/__schema/types").as_array().unwrap() {
        let name = kind["name"].as_str().unwrap();
        let library =
            name.starts_with("__") || name.ends_with("Connection") || name.ends_with("Edge") || name == "PageInfo";
        if library || kind["kind"] == "SCALAR" {
            continue;
        }
        if blank(kind) && !roots.contains(&name) {
            bare.push(name.to_owned());
        }
        for list in ["fields", "inputFields", "enumValues"] {
            for field in kind[list].as_array().into_iter().flatten() {
                if blank(field) {
                    bare.push(format!("{name}.{}", field["name"]));
                }
                for arg in field["args"].as_array().into_iter().flatten().filter(|a| blank(a)) {
                    bare.push(format!("{name}.{}({})", field["name"], arg["name"]));
                }
            }
        }
    }
    assert_eq!(bare, Vec::<String>::new());
    app.finish().await;
}

/// Whoever makes a masking decision makes a picture public.
#[test]
fn only_the_module_that_looks_for_plates_decides_that_they_are_hidden() {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../modules");
    let mut deciders = Vec::new();
    for module in std::fs::read_dir(modules).unwrap() {
        let Ok(files) = std::fs::read_dir(module.unwrap().path().join("src")) else { continue };
        for file in files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "rs")) {
            let text = std::fs::read_to_string(&file).unwrap();
            let makes = text.lines().any(|line| line.contains("MaskingDecision {") && !line.contains("struct"));
            if makes {
                deciders
                    .push(file.iter().rev().take(3).map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("<"));
            }
        }
    }
    assert_eq!(deciders, ["jobs.rs<src<images"]);
}

/// The reference of settings is what the code says it reads, and the code reads nothing else.
#[test]
fn every_setting_is_in_the_reference() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let reference = keroxio_api::settings::reference(keroxio_schema::MODULES);
    let written = std::fs::read_to_string(root.join("api/SETTINGS.md")).unwrap();
    assert!(written == reference, "run `make schema`: api/SETTINGS.md is not what the code declares");
    let mut read = std::collections::BTreeSet::new();
    for folder in ["api/src", "modules", "plugins", "schema/src"] {
        names_in(&root.join(folder), &mut read);
    }
    assert!(read.len() > 50, "{read:?}");
    let missing: Vec<_> = read.iter().filter(|name| !reference.contains(&format!("| `{name}` |"))).collect();
    assert!(missing.is_empty(), "read and not declared: {missing:?}");
    let sample = std::fs::read_to_string(root.join(".env.sample")).unwrap();
    let named = sample.lines().filter_map(|line| line.trim_start_matches('#').split_once('=').map(|(name, _)| name));
    let unknown: Vec<_> = named
        .filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'))
        .filter(|name| !reference.contains(&format!("| `{name}` |")))
        .collect();
    assert!(unknown.is_empty(), "in .env.sample and read by nobody: {unknown:?}");
}

/// Names of settings as a source reads them: texts in capitals that begin as ours do.
fn names_in(folder: &Path, names: &mut std::collections::BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names_in(&path, names);
        } else if path.extension().is_some_and(|kind| kind == "rs") && !path.ends_with("declared.rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let quoted = text.split('"').skip(1).step_by(2);
            let starts = [
                "KEROXIO_",
                "STRIPE_",
                "RESEND_",
                "SMTP_",
                "ORT_DYLIB",
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "DATABASE_URL",
                "REDIS_URL",
            ];
            let is_name = |text: &&str| {
                starts.iter().any(|start| text.starts_with(start))
                    && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
                    && !text.ends_with('_')
                    && *text != "KEROXIO_SERVICES"
            };
            names.extend(quoted.filter(is_name).map(str::to_owned));
        }
    }
}
