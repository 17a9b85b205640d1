//! What `node` finds, for whom.

use std::collections::BTreeMap;

use keroxio_core::Right;
use keroxio_test_support::{Actor, TestApp};
use serde_json::{Value, json};

use super::askers;
use super::schema::{NOBODY, Types};
use super::tenants::{furnish, house, ids_of};

const NODE: &str = "query($id: ID!) { node(id: $id) { __typename id } }";
const NODES: &str = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";

/// An id of each type that the organization has.
async fn kinds(owner: &Actor, ids: &[String]) -> BTreeMap<String, String> {
    let mut kinds = BTreeMap::new();
    for some in ids.chunks(100) {
        let found = owner.run(NODES, json!({ "ids": some })).await;
        let found = found.at("/nodes").as_array().unwrap().clone();
        assert_eq!(found.len(), some.len());
        for (node, id) in found.iter().zip(some).filter(|(node, _)| !node.is_null()) {
            assert_eq!(node["id"], json!(id), "in the order they were asked for");
            kinds.insert(node["__typename"].as_str().unwrap().to_owned(), id.clone());
        }
    }
    kinds
}

#[tokio::test]
async fn every_kind_of_node_is_found_by_those_who_may_read_and_by_nobody_else() {
    let app = TestApp::start().await;
    let askers = askers(&app).await;
    let owner = &askers.last().unwrap().actor;
    furnish(&app, owner, "garage").await;
    let stranger = house(&app, "stranger").await;
    let ids: Vec<String> = ids_of(&app, "garage@example.org").await.into_iter().collect();
    let kinds = kinds(owner, &ids).await;
    // A new type has to be among what the house is furnished with.
    let known = Types::of(&keroxio_schema::sdl());
    let expected: Vec<_> = known.implementors("Node");
    assert_eq!(kinds.keys().cloned().collect::<Vec<_>>(), expected);
    for (kind, id) in &kinds {
        for asker in &askers {
            let answer = asker.actor.run(NODE, json!({ "id": id })).await;
            let (code, name) =
                (answer.codes().first().copied().map(str::to_owned), &answer.0["data"]["node"]["__typename"]);
            let may = asker.rights.contains(Right::Read);
            let refusal = if asker.name == "anonymous" { "UNAUTHENTICATED" } else { "FORBIDDEN" };
            assert_eq!(code.as_deref(), (!may).then_some(refusal), "{kind} by {}", asker.name);
            assert_eq!(*name, if may { json!(kind) } else { Value::Null }, "{kind} by {}", asker.name);
        }
        let answer = stranger.run(NODE, json!({ "id": id })).await;
        assert_eq!((answer.codes(), answer.at("/node")), (vec![], &Value::Null), "{kind}");
    }
    let odd = ["", "no id", NOBODY, "01890000"];
    assert_eq!(*owner.run(NODES, json!({ "ids": odd })).await.at("/nodes"), json!([null, null, null, null]));
    assert_eq!(owner.run(NODES, json!({ "ids": vec![NOBODY; 101] })).await.codes(), ["BAD_INPUT"]);
    app.run_jobs().await;
    app.finish().await;
}
