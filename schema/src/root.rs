//! The roots of the schema, below which no extension is asked. The library would ask each of ours at each field, and finds
//! out for them what the field is: as much work as resolving it. They care for root fields alone.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use async_graphql::extensions::Extensions;
use async_graphql::parser::types::{Field, OperationDefinition};
use async_graphql::registry::Registry;
use async_graphql::{
    ContainerType, Context, ContextSelectionSet, EmptyMutation, EmptySubscription, Object, ObjectType, OutputType,
    Positioned, QueryEnv, QueryEnvInner, Request, Response, ServerResult, SubscriptionType, Value,
};
use futures_util::{FutureExt as _, Stream, StreamExt as _};
use keroxio_core::{Authentication, Credential};

/// A root type of the schema.
#[derive(Default)]
pub struct Root<T>(pub T);

/// What a request knows, without extensions: made once for all its root fields, as soon as one of them has fields. None
/// once the request is over.
#[derive(Clone)]
struct Below(Arc<Mutex<Option<Made>>>);

#[derive(Default)]
struct Made(Option<Arc<QueryEnv>>);

/// What the root fields of a request share, for as long as this is kept: it holds what holds it.
pub struct Shared(Below);

/// Has the root fields of a request share what they need.
pub fn share(request: Request) -> (Request, Shared) {
    let below = Below(Arc::new(Mutex::new(Some(Made::default()))));
    (request.data(below.clone()), Shared(below))
}

impl Drop for Shared {
    fn drop(&mut self) {
        *locked(&self.0.0) = None;
    }
}

impl Below {
    /// None where extensions are to be asked everywhere: files cannot be handed on, and all that staff are told in the
    /// place of a member is noted, each event of it.
    fn env(ctx: &Context<'_>) -> Option<Arc<QueryEnv>> {
        let actor = ctx.data_opt::<Authentication>().and_then(|known| known.as_ref().ok()?.as_ref());
        if !ctx.query_env.uploads.is_empty() || actor.is_some_and(|a| matches!(a.credential, Credential::Staff(_))) {
            return None;
        }
        let mut made = locked(&ctx.data_opt::<Self>()?.0);
        Some(Arc::clone(made.as_mut()?.0.get_or_insert_with(|| Arc::new(without_extensions(ctx.query_env)))))
    }
}

impl<T: OutputType> OutputType for Root<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        self.0.resolve(ctx, field).await
    }
}

impl<T: ObjectType> ContainerType for Root<T> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let has_fields = !ctx.item.node.selection_set.node.items.is_empty();
        let Some(env) = has_fields.then(|| Below::env(ctx)).flatten() else {
            return self.0.resolve_field(ctx).await;
        };
        let mut inner = ctx.clone();
        inner.query_env = &env;
        let answer = self.0.resolve_field(&inner).await;
        // Where the answer is put together, only what the request itself gathered is looked at.
        pass_on(&env.errors, &ctx.query_env.errors, |from, to| to.append(from));
        pass_on(&env.http_headers, &ctx.query_env.http_headers, |from, to| to.extend(std::mem::take(from)));
        answer
    }
}

impl<T: ObjectType> ObjectType for Root<T> {}

impl<T: SubscriptionType> SubscriptionType for Root<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    fn create_field_stream<'a>(
        &'a self,
        ctx: &'a Context<'_>,
    ) -> Option<Pin<Box<dyn Stream<Item = Response> + Send + 'a>>> {
        let Some(env) = Below::env(ctx) else { return self.0.create_field_stream(ctx) };
        Some(Box::pin(asynk_strim::stream_fn(async move |mut yielder| {
            let mut inner = ctx.clone();
            inner.query_env = &env;
            // A field that is none is refused before anything is executed.
            let Some(mut events) = self.0.create_field_stream(&inner) else { return };
            while let Some(event) = events.next().await {
                yielder.yield_item(event).await;
            }
        })))
    }
}

fn pass_on<T>(from: &Mutex<T>, to: &Mutex<T>, how: impl FnOnce(&mut T, &mut T)) {
    how(&mut locked(from), &mut locked(to));
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Of the operation only the variables are asked for again: its fields are with the context of each.
fn without_extensions(env: &QueryEnv) -> QueryEnv {
    let OperationDefinition { ty, variable_definitions, .. } = &env.operation.node;
    let operation = OperationDefinition {
        ty: *ty,
        variable_definitions: variable_definitions.clone(),
        directives: Vec::new(),
        selection_set: Positioned::default(),
    };
    QueryEnv::new(QueryEnvInner {
        extensions: no_extensions(),
        variables: env.variables.clone(),
        operation_name: env.operation_name.clone(),
        operation: Positioned::new(operation, env.operation.pos),
        fragments: env.fragments.clone(),
        uploads: Vec::new(),
        session_data: env.session_data.clone(),
        query_data: env.query_data.clone(),
        http_headers: Mutex::default(),
        introspection_mode: env.introspection_mode,
        errors: Mutex::default(),
    })
}

/// The library makes them for a schema only: this is what one without any has.
fn no_extensions() -> Extensions {
    static NONE: OnceLock<Extensions> = OnceLock::new();
    struct Empty;
    #[Object]
    impl Empty {
        async fn seen(&self, ctx: &Context<'_>) -> bool {
            NONE.set(ctx.query_env.extensions.clone()).is_ok()
        }
    }
    if NONE.get().is_none() {
        let schema = async_graphql::Schema::new(Empty, EmptyMutation, EmptySubscription);
        let _ = schema.execute("{ seen }").now_or_never();
    }
    NONE.get().cloned().unwrap_or_else(|| unreachable!("a schema answers at once what needs no waiting"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Weak;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextResolve, ResolveInfo};
    use async_graphql::{Schema, Subscription, Variables};
    use futures_util::stream;
    use serde_json::json;

    use super::*;

    static ASKED: AtomicUsize = AtomicUsize::new(0);

    struct Counting;

    impl ExtensionFactory for Counting {
        fn create(&self) -> Arc<dyn Extension> {
            Arc::new(Self)
        }
    }

    #[async_trait::async_trait]
    impl Extension for Counting {
        async fn resolve(
            &self,
            ctx: &ExtensionContext<'_>,
            info: ResolveInfo<'_>,
            next: NextResolve<'_>,
        ) -> ServerResult<Option<Value>> {
            ASKED.fetch_add(1, Ordering::Relaxed);
            next.run(ctx, info).await
        }
    }

    struct Car;

    #[Object]
    impl Car {
        async fn doors(&self, more: i32) -> i32 {
            3 + more
        }
        async fn owner(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<String>> {
            ctx.insert_http_header("x-car", "1");
            ctx.add_error(ctx.set_error_path(async_graphql::ServerError::new("unknown", None)));
            Ok(None)
        }
    }

    #[derive(Default)]
    struct Roots;

    #[Object]
    impl Roots {
        async fn car(&self) -> Car {
            Car
        }
        async fn count(&self) -> i32 {
            1
        }
    }

    #[derive(Default)]
    struct Events;

    #[Subscription]
    impl Events {
        async fn cars(&self) -> impl Stream<Item = Car> {
            stream::iter([Car, Car])
        }
    }

    const QUERY: &str = "query($n: Int = 1) { count car { doors(more: $n) ...rest } again: car { doors(more: 0) } }
        fragment rest on Car { owner }";

    #[tokio::test]
    async fn below_a_root_field_nobody_is_asked_and_all_is_answered_the_same() {
        let roots = (Root(Roots), EmptyMutation, Root(Events));
        let schema = Schema::build(roots.0, roots.1, roots.2).extension(Counting).finish();
        let asked = async |request: Request| {
            let before = ASKED.load(Ordering::Relaxed);
            let answer = schema.execute(request).await;
            (ASKED.load(Ordering::Relaxed) - before, answer)
        };
        let (plain, expected) = asked(Request::new(QUERY)).await;
        let (request, shared) = share(Request::new(QUERY));
        let (few, answer) = asked(request).await;
        assert_eq!((plain, few), (6, 3));
        assert_eq!(json!(answer), json!(expected));
        assert_eq!(answer.http_headers, expected.http_headers);
        assert_eq!((answer.errors.len(), answer.errors[0].message.as_str()), (1, "unknown"));
        let given = Variables::from_json(json!({ "n": 2 }));
        let (again, _shared) = share(Request::new(QUERY).variables(given));
        assert_eq!(asked(again).await.1.data.into_json().unwrap()["car"]["doors"], 5);

        // It holds the request's data, which hold it: let go of in time, all of it is gone.
        let kept: Weak<_> = Arc::downgrade(&shared.0.0);
        drop(shared);
        assert_eq!(kept.strong_count(), 0);

        let before = ASKED.load(Ordering::Relaxed);
        let (request, _shared) = share(Request::new("subscription { cars { doors(more: 1) } }"));
        let events: Vec<_> = schema.execute_stream(request).map(|event| event.data.to_string()).collect().await;
        assert_eq!(events, ["{cars: {doors: 4}}"; 2]);
        assert_eq!(ASKED.load(Ordering::Relaxed), before);
    }
}
