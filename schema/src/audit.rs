use std::sync::{Arc, OnceLock};

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextParseQuery, NextResolve, ResolveInfo,
};
use async_graphql::parser::types::{ExecutableDocument, Field};
use async_graphql::{ServerError, ServerResult, Value, Variables};
use keroxio_core::{Actor, App, Authentication, ClientAddress, Credential};
use uuid::Uuid;

/// Writes down what is done by whom: every mutation of somebody we know, all that staff ask for in the place of a member,
/// and what they look at that only they may see. The trail is the last to be written: what was done stays done where it cannot be, and the log says so.
pub struct Audit;

impl ExtensionFactory for Audit {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Request::default())
    }
}

#[derive(Default)]
struct Request {
    variables: OnceLock<Variables>,
}

#[async_trait::async_trait]
impl Extension for Request {
    async fn parse_query(
        &self,
        ctx: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        next: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        let _ = self.variables.set(variables.clone());
        next.run(ctx, query, variables).await
    }

    async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let is_root = info.path_node.parent.is_none() && !info.is_for_introspection;
        let actor = ctx.data_opt::<Authentication>().and_then(|known| known.as_ref().ok()?.as_ref());
        let Some(actor) = actor.filter(|actor| is_root && is_of_interest(ctx, &info, actor)).copied() else {
            return next.run(ctx, info).await;
        };
        let (action, subject) = (info.name.to_owned(), self.subject(info.field));
        let answer = next.run(ctx, info).await;
        let outcome = answer.as_ref().map_or_else(code, |_| keroxio_auth::trail::OK);
        let (app, address) = (ctx.data_unchecked::<App>(), ctx.data_opt::<ClientAddress>().copied());
        if let Err(e) = keroxio_auth::trail::note(app, &actor, &action, outcome, subject, address).await {
            tracing::error!(user = %actor.user_id, action, outcome, "not in the trail: {e}");
        }
        answer
    }
}

fn is_of_interest(ctx: &ExtensionContext<'_>, info: &ResolveInfo<'_>, actor: &Actor) -> bool {
    let acts_for_another = matches!(actor.credential, Credential::Staff(_));
    info.parent_type == "Mutation" || acts_for_another || actor.staff && is_for_staff(ctx, info)
}

/// Whether only staff may ask for a root field: the schema says so.
fn is_for_staff(ctx: &ExtensionContext<'_>, info: &ResolveInfo<'_>) -> bool {
    let root = ctx.schema_env.registry.types.get(info.parent_type);
    let field = root.and_then(|root| root.field_by_name(info.name));
    field.is_some_and(|field| {
        let access = field.directive_invocations.iter().find(|directive| directive.name == "access");
        access.and_then(|access| access.args.get("to")).is_some_and(|to| to.to_string() == "STAFF")
    })
}

/// Codes are a list in the code; whatever is not one of them is the library's.
fn code(error: &ServerError) -> &str {
    match error.extensions.as_ref().and_then(|extensions| extensions.get("code")) {
        Some(Value::String(code)) => code,
        _ => "NO_CODE",
    }
}

impl Request {
    /// The first identifier among the arguments of a field, or among those of its `input`.
    fn subject(&self, field: &Field) -> Option<Uuid> {
        let variables = self.variables.get();
        field.arguments.iter().find_map(|(_, given)| {
            let resolved = given.node.clone().into_const_with(|name| {
                Ok::<_, ()>(variables.and_then(|all| all.get(&name)).cloned().unwrap_or_default())
            });
            match resolved.ok()? {
                Value::Object(input) => input.values().find_map(identifier),
                other => identifier(&other),
            }
        })
    }
}

fn identifier(value: &Value) -> Option<Uuid> {
    match value {
        Value::String(text) if text.len() == 36 => text.parse().ok(),
        _ => None,
    }
}
