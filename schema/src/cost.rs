//! What a request costs, and how much an organization may still ask for.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextRequest, NextValidation};
use async_graphql::{Response, ServerError, ValidationResult, Value, value};
use keroxio_core::metrics::{COST, REFUSALS};
use keroxio_core::{App, Authentication, ClientAddress, ErrorCode, Limits, Taken};

/// Takes the complexity of every document from its organization's bucket before it is executed, and from that of its API
/// key where it has one, or from that of the address it comes from where nobody is signed in; tells in `extensions.cost` what it took and what is left.
pub struct Cost;

#[derive(Default)]
struct Spent(Mutex<Option<(usize, Limits, Taken)>>);

impl ExtensionFactory for Cost {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Spent::default())
    }
}

#[async_trait::async_trait]
impl Extension for Spent {
    async fn request(&self, ctx: &ExtensionContext<'_>, next: NextRequest<'_>) -> Response {
        let response = next.run(ctx).await;
        let spent = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match spent {
            Some((requested, limits, taken)) => response.extension("cost", told(requested, limits, &taken)),
            None => response,
        }
    }

    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let valid = next.run(ctx).await?;
        let Some(app) = ctx.data_opt::<App>() else { return Ok(valid) };
        let actor = ctx.data_opt::<Authentication>().and_then(|known| known.ok().flatten());
        let address = ctx.data_opt::<ClientAddress>().copied();
        let cost = valid.complexity.max(1) as f64;
        for (name, limits) in Limits::buckets(app, actor.as_ref(), address) {
            let taken = app.take(&name, limits.bucket(), cost).await;
            let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // What is told is where least is left.
            if spent.is_none_or(|(_, _, before)| taken.left < before.left) {
                *spent = Some((valid.complexity, limits, taken));
            }
            drop(spent);
            if !taken.enough {
                metrics::counter!(REFUSALS, "by" => "cost").increment(1);
                return Err(vec![limited(&taken)]);
            }
        }
        metrics::histogram!(COST).record(cost);
        Ok(valid)
    }
}

fn told(requested: usize, limits: Limits, taken: &Taken) -> Value {
    value!({
        "requested": requested,
        "remaining": taken.left.floor() as i64,
        "capacity": limits.capacity,
        "perSecond": limits.per_second,
    })
}

fn limited(taken: &Taken) -> ServerError {
    let seconds = taken.seconds();
    let message = format!("Trop de demandes en peu de temps. Réessayez dans {seconds} secondes.");
    let mut error = ServerError::new(message, None);
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("code", ErrorCode::RATE_LIMITED.0);
    extensions.set("messageEn", format!("Too much was asked for in a short time. Try again in {seconds} seconds."));
    extensions.set("details", value!({ "retryAfterSeconds": seconds }));
    error
}
