use async_graphql::{Context, Object, SimpleObject, Subscription};
use futures_util::{Stream, StreamExt as _, stream};
use keroxio_core::{Access, GqlError, GqlResult, RequestContext as _, access};
use uuid::Uuid;

use crate::service::{self, Note};

/// A note of your organization.
#[derive(SimpleObject)]
pub struct FixtureNote {
    /// Identifier.
    id: Uuid,
    /// What was written.
    body: String,
    /// Who signed it; null until a job has.
    signature: Option<String>,
}

impl From<Note> for FixtureNote {
    fn from(note: Note) -> Self {
        Self { id: note.id, body: note.body, signature: note.signature }
    }
}

#[derive(Default)]
pub struct FixtureQuery;

#[Object]
impl FixtureQuery {
    /// Notes of your organization, oldest first.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn fixture_notes(&self, ctx: &Context<'_>) -> GqlResult<Vec<FixtureNote>> {
        let notes = service::list(ctx.app(), ctx.actor()?.org_id).await?;
        Ok(notes.into_iter().map(Into::into).collect())
    }
}

#[derive(Default)]
pub struct FixtureMutation;

#[Object]
impl FixtureMutation {
    /// Writes a note; a job signs it.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn write_fixture_note(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to write.")] body: String,
    ) -> GqlResult<FixtureNote> {
        Ok(service::write(ctx.app(), &ctx.actor()?, body).await?.into())
    }
}

#[derive(Default)]
pub struct FixtureSubscription;

#[Subscription]
impl FixtureSubscription {
    /// Your notes as they are, and again each time one was signed.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn fixture_notes_signed(
        &self,
        ctx: &Context<'_>,
    ) -> Result<impl Stream<Item = Vec<FixtureNote>> + use<>, GqlError> {
        let (app, org) = (ctx.app().clone(), ctx.actor()?.org_id);
        let signed = app.live().subscribe(&service::topic(org)).await?.map(drop);
        // The state at the beginning tells the client that nothing is missed from here on.
        Ok(stream::once(async {}).chain(signed).filter_map(move |()| {
            let app = app.clone();
            async move {
                let notes = service::list(&app, org).await.ok()?;
                Some(notes.into_iter().map(Into::into).collect())
            }
        }))
    }
}
