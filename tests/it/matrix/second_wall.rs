//! What is left when every service forgets whose rows it may show.
//!
//! The schema is told that whoever asks belongs to another organization: each filter of each service then lets that
//! organization's rows through, as if it were not there. What still hides them is PostgreSQL, whose connections are the
//! asker's.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use async_graphql::{Executor, Request, Response};
use futures_util::stream::BoxStream;
use keroxio_core::{Actor, Authentication};
use keroxio_test_support::{Actor as Somebody, Setup};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::schema::{Question, Types};
use super::tenants::{everything_of, house, ids_of};

/// A schema whose services take everybody for a member of one organization, once it is named.
#[derive(Clone)]
struct Unfiltered {
    schema: keroxio_schema::Schema,
    victim: Arc<OnceLock<Uuid>>,
}

impl Unfiltered {
    fn mistaken(&self, request: Request) -> Request {
        let known = request.data.get(&std::any::TypeId::of::<Authentication>());
        let known = known.and_then(|known| known.downcast_ref::<Authentication>()).copied();
        match (self.victim.get(), known) {
            (Some(victim), Some(Ok(Some(actor)))) => {
                let mistaken: Authentication = Ok(Some(Actor { org_id: *victim, ..actor }));
                request.data(mistaken)
            }
            _ => request,
        }
    }
}

impl Executor for Unfiltered {
    async fn execute(&self, request: Request) -> Response {
        self.schema.execute(self.mistaken(request)).await
    }

    fn execute_stream(
        &self,
        request: Request,
        session: Option<Arc<async_graphql::Data>>,
    ) -> BoxStream<'static, Response> {
        Executor::execute_stream(&self.schema, self.mistaken(request), session)
    }
}

/// Texts of an answer's data, at any depth.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, found)),
        _ => {}
    }
}

async fn shown(asker: &Somebody, question: &Question, variables: Value) -> (Vec<String>, Vec<String>) {
    let answer = asker.run(&question.text, variables).await;
    let mut found = Vec::new();
    texts(answer.data(), &mut found);
    (answer.codes().into_iter().map(str::to_owned).collect(), found)
}

#[tokio::test]
async fn a_service_that_forgets_its_filter_still_shows_nothing_of_another_organization() {
    let victim = Arc::new(OnceLock::new());
    let armed = victim.clone();
    let app = Setup::default()
        .start_composed(keroxio_schema::MODULES, |app| Unfiltered { schema: keroxio_schema::build(app), victim })
        .await;
    let owner = house(&app, "victim").await;
    let asker = house(&app, "stranger").await;
    let ids = ids_of(&app, "victim@example.org").await;
    let org =
        app.texts("SELECT org_id::text AS text FROM auth_users WHERE email = 'victim@example.org'").await.remove(0);
    let before = everything_of(&app, &org).await;
    let sdl = keroxio_schema::sdl();
    let types = Types::of(&sdl);
    armed.set(org.parse().unwrap()).unwrap();

    // The mistake is real: it changes nothing for the victim, whose connections are theirs.
    let list = "{ vehicles(first: 5) { nodes { id } } }";
    assert!(!owner.run(list, json!({})).await.at("/vehicles/nodes").as_array().unwrap().is_empty());
    assert_eq!(asker.run(list, json!({})).await.at("/vehicles/nodes"), &json!([]));

    let (mut leaks, mut asked) = (BTreeSet::new(), 0);
    for (root, depth) in [("Query", Some(2)), ("Mutation", None)] {
        for field in types.fields(root) {
            let bare = types.deep_question(root, field, &[], depth);
            if bare.takes_file || field.name.node == "leaveOrganization" {
                continue;
            }
            let mut all = vec![(bare.text.clone(), json!({}))];
            for (argument, ty) in &bare.ids {
                let question = types.deep_question(root, field, &[argument], depth);
                let value = |id: &String| if ty.starts_with('[') { json!([id]) } else { json!(id) };
                all.extend(
                    ids.iter().map(|id| {
                        (question.text.clone(), Value::Object(Map::from_iter([(argument.clone(), value(id))])))
                    }),
                );
            }
            for (text, variables) in all {
                asked += 1;
                let question = Question { text, ..types.deep_question(root, field, &[], depth) };
                let (codes, found) = shown(&asker, &question, variables.clone()).await;
                let given = variables.to_string();
                leaks.extend(
                    found
                        .iter()
                        .filter(|text| ids.contains(*text) && !given.contains(*text))
                        .map(|text| format!("{root}.{} shows {text}", field.name.node)),
                );
                if codes.iter().any(|code| code == "NO_CODE") {
                    leaks.insert(format!("{root}.{}: {codes:?}", field.name.node));
                }
            }
        }
    }
    assert!(asked > 1_000, "{asked}");
    assert!(leaks.is_empty(), "{leaks:#?}");
    let after = everything_of(&app, &org).await;
    let changed: Vec<_> = after.iter().filter(|row| !before.contains(row)).take(3).collect();
    assert!(after == before, "what was the victim's changed: {changed:#?}");
}
