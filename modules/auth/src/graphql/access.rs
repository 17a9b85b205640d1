use async_graphql::{Context, Object};
use keroxio_core::{Access, GqlResult, RequestContext as _, access};
use uuid::Uuid;

use super::types::{ApiKey, ApiKeyInput, CreatedApiKey};
use crate::api_keys::{self, NewKey};

#[derive(Default)]
pub struct AccessMutation;

#[Object]
impl AccessMutation {
    /// Makes a key for a program that acts for your organization. A key makes no keys. `EMAIL_NOT_VERIFIED` until your
    /// address is confirmed.
    #[graphql(guard = "Access::Settings", directive = access::apply(Access::Settings))]
    async fn create_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new key.")] input: ApiKeyInput,
    ) -> GqlResult<CreatedApiKey> {
        let new = NewKey {
            name: input.name,
            scopes: input.scopes,
            expires_at: input.expires_at,
            capacity: input.cost_capacity,
            per_second: input.cost_per_second,
        };
        Ok(Box::pin(api_keys::create(ctx.app(), &ctx.actor()?, new)).await?.into())
    }

    /// Makes a key of the same name, rights and limits. The old one goes on for 24 hours, so that programs can be
    /// changed over.
    #[graphql(guard = "Access::Settings", directive = access::apply(Access::Settings))]
    async fn rotate_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Identifier of the key.")] id: Uuid,
    ) -> GqlResult<CreatedApiKey> {
        Ok(Box::pin(api_keys::rotate(ctx.app(), &ctx.actor()?, id)).await?.into())
    }

    /// Ends a key at once.
    #[graphql(guard = "Access::Settings", directive = access::apply(Access::Settings))]
    async fn revoke_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Identifier of the key.")] id: Uuid,
    ) -> GqlResult<ApiKey> {
        Ok(Box::pin(api_keys::revoke(ctx.app(), &ctx.actor()?, id)).await?.into())
    }
}
