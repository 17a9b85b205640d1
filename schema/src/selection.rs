//! Queries of webhooks, answered by the schema of this crate.

use std::sync::OnceLock;

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationType};
use async_graphql::{Request, Response, ServerError, Variables};
use keroxio_core::{Actor, App, Authentication, Error, ErrorCode, Loaders};
use keroxio_webhook::Selection;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Schema, Unreadable, build, read, share};

/// Made when it is first needed: most processes of an installation without webhooks never need it.
#[derive(Default)]
pub struct SchemaSelection(OnceLock<Schema>);

impl SchemaSelection {
    async fn execute(&self, app: &App, actor: Actor, document: ExecutableDocument, query: &str, id: Uuid) -> Response {
        let schema = self.0.get_or_init(|| build(app.clone()));
        let who: Authentication = Ok(Some(actor));
        let mut request = Request::new(query).variables(Variables::from_json(json!({ "id": id })));
        request.set_parsed_query(document);
        let (request, _shared) = share(request.data(who).data(Loaders::default()));
        schema.execute(request).await
    }
}

#[async_trait::async_trait]
impl Selection for SchemaSelection {
    async fn check(&self, app: &App, actor: Actor, query: &str) -> Result<(), String> {
        let document = read(query).map_err(|why| match why {
            Unreadable::Syntax { message, .. } => message,
            Unreadable::Refused(error) => error.message_en().to_owned(),
        })?;
        let operation = match &document.operations {
            DocumentOperations::Single(operation) => Some(operation),
            DocumentOperations::Multiple(named) if named.len() == 1 => named.values().next(),
            DocumentOperations::Multiple(_) => None,
        };
        let operation = operation.ok_or("one operation, not several")?;
        if operation.node.ty != OperationType::Query {
            return Err("a query, neither a mutation nor a subscription".to_owned());
        }
        let is_id = |variables: &[_]| matches!(variables, [only] if named_id(only));
        if !is_id(&operation.node.variable_definitions) {
            return Err("exactly one variable, $id: UUID!".to_owned());
        }
        // Asked for nothing there is: what is wrong with the document itself is at no field.
        let answer = self.execute(app, actor, document, query, Uuid::nil()).await;
        match answer.errors.iter().find(|error| error.path.is_empty()) {
            Some(error) => Err(error.message.clone()),
            None => Ok(()),
        }
    }

    async fn answer(&self, app: &App, actor: Actor, query: &str, id: Uuid) -> Result<Value, Error> {
        let document = read(query).map_err(|why| Error::internal(anyhow::anyhow!("a kept query: {why:?}")))?;
        let answer = self.execute(app, actor, document, query, id).await;
        let data = answer.data.into_json()?;
        if answer.errors.is_empty() {
            return Ok(data);
        }
        let passing = [ErrorCode::UNAVAILABLE, ErrorCode::INTERNAL, ErrorCode::RATE_LIMITED];
        let code =
            |error: &ServerError| error.extensions.as_ref().and_then(|extensions| extensions.get("code").cloned());
        if answer.errors.iter().any(|error| passing.iter().any(|passing| code(error) == Some(passing.0.into()))) {
            return Err(Error::unavailable(anyhow::anyhow!("a webhook's query: asked again later")));
        }
        let codes = answer.errors.iter().map(|error| json!({ "message": error.message, "path": error.path }));
        Ok(json!({ "data": data, "errors": codes.collect::<Vec<_>>() }))
    }
}

fn named_id(variable: &async_graphql::Positioned<async_graphql::parser::types::VariableDefinition>) -> bool {
    variable.node.name.node == "id" && variable.node.var_type.node.to_string() == "UUID!"
}
