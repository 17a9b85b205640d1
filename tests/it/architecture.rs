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
const TIERS: [(&str, u32); 11] = [
    ("keroxio-core", 0),
    ("keroxio-jobs", 1),
    ("keroxio-storage", 1),
    ("keroxio-auth", 2),
    ("keroxio-plates", 2),
    ("keroxio-images", 3),
    ("keroxio-notification", 3),
    ("keroxio-vehicle", 3),
    ("keroxio-pricing", 4),
    ("keroxio-listing", 5),
    ("keroxio-publication", 6),
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

const INTROSPECTION: &str = "{ __schema { mutationType { fields { name args { name type { kind name ofType { kind name } } } } }
  types { name kind description fields { name description args { name description } } inputFields { name description } enumValues { name description } } } }";

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

/// Mutations anybody may call.
const OPEN: [&str; 4] = ["register", "logIn", "refreshSession", "logOut"];

/// Mutations that take a file; each has a test of its own.
const WITH_FILES: [&str; 4] = ["uploadPhoto", "importMarketAds", "importStock", "readCertificate"];

#[tokio::test]
async fn every_other_mutation_asks_who_you_are() {
    let app = TestApp::start().await;
    let id = "01890000-0000-7000-8000-000000000000";
    let calls = [
        format!("cancelJob(id: \"{id}\") {{ id }}"),
        format!("retryJobs(ids: [\"{id}\"])"),
        "purgeJobs(state: DONE, days: 1)".to_owned(),
        format!("readPlate(photoId: \"{id}\") {{ id }}"),
        format!("correctPlate(readingId: \"{id}\", text: \"AB-123-CD\") {{ id }}"),
        format!("cleanPhoto(photoId: \"{id}\") {{ id }}"),
        format!("cleanPhotos(photoIds: [\"{id}\"]) {{ id }}"),
        "setPhotoPreset(input: {}) { scene }".to_owned(),
        format!("markNotificationsRead(ids: [\"{id}\"])"),
        "updateOrganization(siren: \"732829320\") { id }".to_owned(),
        "createVehicle(input: {}) { id }".to_owned(),
        format!("updateVehicle(id: \"{id}\", input: {{}}) {{ id }}"),
        format!("settleVehicleFact(id: \"{id}\", statementId: \"{id}\") {{ id }}"),
        format!("moveVehicle(id: \"{id}\", to: READY) {{ id }}"),
        format!("undoStockImport(id: \"{id}\") {{ removed }}"),
        "exportStock(format: CSV) { url }".to_owned(),
        format!("undoVehicleChange(id: \"{id}\") {{ id }}"),
        format!("estimatePrice(vehicleId: \"{id}\") {{ id }}"),
        format!("recordSale(vehicleId: \"{id}\", price: 9000) {{ insideInterval }}"),
        "estimateStock".to_owned(),
        format!("markListingSold(id: \"{id}\") {{ id }}"),
        format!("cancelSale(id: \"{id}\") {{ id }}"),
        "setRegistryAccess(credential: \"x\") { register }".to_owned(),
        "removeRegistryAccess".to_owned(),
        format!("lookUpVehicle(id: \"{id}\") {{ id }}"),
        format!("archiveListingPhotos(listingId: \"{id}\") {{ url }}"),
        "createStockFeed(format: XML) { id }".to_owned(),
        format!("buildStockFeed(id: \"{id}\") {{ id }}"),
        format!("closeStockFeed(id: \"{id}\")"),
        format!(
            "recordHistovec(vehicleId: \"{id}\", input: {{ holderAgrees: true, reportOn: \"2026-01-01\", saleForbidden: false }}) {{ id }}"
        ),
        format!("forgetHistovec(vehicleId: \"{id}\")"),
        format!("completeSaleTask(id: \"{id}\") {{ id }}"),
        format!("reopenSaleTask(id: \"{id}\") {{ id }}"),
        format!("openListingPage(listingId: \"{id}\") {{ url }}"),
        format!("closeListingPage(listingId: \"{id}\") {{ url }}"),
        format!("withdrawPublication(id: \"{id}\") {{ id }}"),
        format!("prepareListing(input: {{ photoIds: [\"{id}\"] }}) {{ id }}"),
        format!("correctListing(id: \"{id}\", vehicle: {{}}) {{ id }}"),
        format!("editListing(id: \"{id}\") {{ id }}"),
        format!("restoreListingText(id: \"{id}\", version: 1) {{ id }}"),
        format!("rewriteListing(id: \"{id}\") {{ id }}"),
        format!("draftListing(id: \"{id}\") {{ id }}"),
        format!("repeatListingStep(id: \"{id}\", step: TEXT) {{ id }}"),
        format!("confirmPublication(id: \"{id}\", url: \"https://x\") {{ id }}"),
    ];
    let schema = app.anonymous().run(INTROSPECTION, json!({})).await;
    for field in schema.at("/__schema/mutationType/fields").as_array().unwrap() {
        let name = field["name"].as_str().unwrap();
        let called = |call: &String| call.split(['(', ' ']).next() == Some(name);
        let known = OPEN.contains(&name) || WITH_FILES.contains(&name) || calls.iter().any(called);
        assert!(known, "{name} is called by nobody here: add it");
    }
    for call in calls {
        let answer = app.anonymous().run(&format!("mutation {{ {call} }}"), json!({})).await;
        assert_eq!(answer.code(), "UNAUTHENTICATED", "{call}");
    }
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
