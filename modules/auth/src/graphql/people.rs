use async_graphql::{Context, Object};
use keroxio_core::{Access, GqlResult, RequestContext as _, Role, access, as_system};
use uuid::Uuid;

use super::types::{Invitation, Member, Organization, Session, Site, SiteInput};
use crate::members::{self, Acceptance};
use crate::organizations::{self, SiteFacts};
use crate::origin::Origin;

impl From<SiteInput> for SiteFacts {
    fn from(input: SiteInput) -> Self {
        Self { name: input.name, street: input.street, postal_code: input.postal_code, city: input.city }
    }
}

#[derive(Default)]
pub struct PeopleMutation;

#[Object]
impl PeopleMutation {
    /// Changes your organization. `SIREN_INVALID` for a number whose check digit is wrong.
    #[graphql(guard = "Access::Settings", directive = access::apply(Access::Settings))]
    async fn update_organization(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Name shown to buyers, 1 to 120 characters; absent: it stays.")] name: Option<String>,
        #[graphql(desc = "Number of the company; absent: it stays; empty: it is taken away.")] siren: Option<String>,
    ) -> GqlResult<Organization> {
        Ok(Box::pin(organizations::update(ctx.app(), &ctx.actor()?, name, siren)).await?.into())
    }

    /// Invites somebody to your organization by e-mail. Only owners invite owners. `EMAIL_NOT_VERIFIED` until your own
    /// address is confirmed.
    #[graphql(guard = "Access::Members", directive = access::apply(Access::Members))]
    async fn invite_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "E-mail address.")] email: String,
        #[graphql(desc = "The role they will have.")] role: Role,
    ) -> GqlResult<Invitation> {
        Ok(Box::pin(members::invite(ctx.app(), &ctx.actor()?, &email, role)).await?.into())
    }

    /// Takes an invitation back.
    #[graphql(guard = "Access::Members", directive = access::apply(Access::Members))]
    async fn revoke_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Identifier of the invitation.")] id: Uuid,
    ) -> GqlResult<bool> {
        Box::pin(members::revoke_invitation(ctx.app(), &ctx.actor()?, id)).await?;
        Ok(true)
    }

    /// Accepts an invitation by the link that was sent, and signs in to the organization. `LINK_INVALID` when it has
    /// expired, was taken back, or was used.
    #[graphql(directive = access::apply(Access::Open))]
    async fn accept_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Token of the link.")] token: String,
        #[graphql(desc = "New password, 10 to 200 characters; or that of the account the address has.")]
        password: String,
        #[graphql(desc = "Code of the second factor of the account the address has, where one is on.")] code: Option<
            String,
        >,
    ) -> GqlResult<Session> {
        let acceptance = Acceptance { token, password, code };
        Ok(Box::pin(as_system(members::accept(ctx.app(), acceptance, &Origin::of(ctx)))).await?.into())
    }

    /// Gives a member another role. Only owners make owners and unmake them; the last one stays (`LAST_OWNER`).
    #[graphql(guard = "Access::Members", directive = access::apply(Access::Members))]
    async fn change_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Identifier of the person.")] user_id: Uuid,
        #[graphql(desc = "The new role.")] role: Role,
    ) -> GqlResult<Member> {
        Ok(Box::pin(members::change_role(ctx.app(), &ctx.actor()?, user_id, role)).await?.into())
    }

    /// Takes a member out of your organization; their sessions in it end.
    #[graphql(guard = "Access::Members", directive = access::apply(Access::Members))]
    async fn remove_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Identifier of the person.")] user_id: Uuid,
    ) -> GqlResult<bool> {
        Box::pin(members::remove(ctx.app(), &ctx.actor()?, user_id)).await?;
        Ok(true)
    }

    /// Takes you out of the organization you are signed in to. `LAST_OWNER` while nobody else owns it.
    #[graphql(guard = "Access::Person", directive = access::apply(Access::Person))]
    async fn leave_organization(&self, ctx: &Context<'_>) -> GqlResult<bool> {
        Box::pin(as_system(members::leave(ctx.app(), &ctx.actor()?))).await?;
        Ok(true)
    }

    /// Deletes your account, for good: you leave every organization, and your address, name and sessions are forgotten.
    /// What you did for an organization stays there without them. `LAST_OWNER` while nobody else owns one of them: make
    /// somebody its owner first, or erase it (`eraseOrganization`), which deletes your account as well.
    #[graphql(guard = "Access::Person", directive = access::apply(Access::Person))]
    async fn delete_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Your password, once more.")] password: String,
    ) -> GqlResult<bool> {
        Box::pin(as_system(members::delete_account(ctx.app(), &ctx.actor()?, password))).await?;
        Ok(true)
    }

    /// Adds a place where your organization sells.
    #[graphql(guard = "Access::Settings", directive = access::apply(Access::Settings))]
    async fn create_site(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new site.")] input: SiteInput,
    ) -> GqlResult<Site> {
        Ok(Box::pin(organizations::create_site(ctx.app(), &ctx.actor()?, input.into())).await?.into())
    }

    /// Changes a site.
    #[graphql(guard = "Access::Settings", directive = access::apply(Access::Settings))]
    async fn update_site(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Identifier of the site.")] id: Uuid,
        #[graphql(desc = "What changes.")] input: SiteInput,
    ) -> GqlResult<Site> {
        Ok(Box::pin(organizations::update_site(ctx.app(), &ctx.actor()?, id, input.into())).await?.into())
    }

    /// Takes a site away.
    #[graphql(guard = "Access::Settings", directive = access::apply(Access::Settings))]
    async fn remove_site(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Identifier of the site.")] id: Uuid,
    ) -> GqlResult<bool> {
        Box::pin(organizations::remove_site(ctx.app(), &ctx.actor()?, id)).await?;
        Ok(true)
    }
}
