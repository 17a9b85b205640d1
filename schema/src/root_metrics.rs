use std::sync::Arc;
use std::time::Instant;

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextResolve, ResolveInfo};
use async_graphql::{ServerResult, Value};
use keroxio_core::metrics::{FIELD_ERRORS, FIELD_SECONDS};
use tracing::Instrument as _;

/// Times root fields. Their names come from the schema, never from the client's aliases or
/// operation names, so the number of series is bounded.
pub struct RootMetrics;

impl ExtensionFactory for RootMetrics {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait::async_trait]
impl Extension for RootMetrics {
    async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        if info.path_node.parent.is_some() || info.is_for_introspection {
            return next.run(ctx, info).await;
        }
        let field = format!("{}.{}", info.parent_type, info.name);
        let started = Instant::now();
        let span = tracing::info_span!("field", field);
        let outcome = next.run(ctx, info).instrument(span).await;
        metrics::histogram!(FIELD_SECONDS, "field" => field.clone()).record(started.elapsed().as_secs_f64());
        if let Err(error) = &outcome {
            // Codes are a list in the code; whatever is not one of them is the library's.
            let code = error.extensions.as_ref().and_then(|extensions| match extensions.get("code") {
                Some(Value::String(code)) => Some(code.clone()),
                _ => None,
            });
            let code = code.unwrap_or_else(|| "NO_CODE".to_owned());
            metrics::counter!(FIELD_ERRORS, "field" => field, "code" => code).increment(1);
        }
        outcome
    }
}
