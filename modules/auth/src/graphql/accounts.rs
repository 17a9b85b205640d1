use async_graphql::{Context, Object};
use keroxio_core::{Access, GqlResult, RequestContext as _, access, as_system};
use uuid::Uuid;

use super::types::{EmailStanding, RegisterInput, SecondFactorSetup, Session};
use crate::accounts::{self, NewAccount};
use crate::guests::{self, Claim};
use crate::origin::Origin;
use crate::{second_factor, sessions};

#[derive(Default)]
pub struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Creates an account with its organization, signs in, and sends a link that confirms the address. `EMAIL_TAKEN`
    /// when the address has one, `TOO_MANY_ATTEMPTS` for many accounts from one place.
    #[graphql(directive = access::apply(Access::Open))]
    async fn register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new account.")] input: RegisterInput,
    ) -> GqlResult<Session> {
        let new = NewAccount {
            email: input.email,
            password: input.password,
            organization: input.organization_name,
            kind: input.organization_kind.name(),
            locale: input.language.unwrap_or_default(),
        };
        Ok(Box::pin(as_system(accounts::register(ctx.app(), new, &Origin::of(ctx)))).await?.into())
    }

    /// Signs in. `INVALID_CREDENTIALS` for a wrong password and for an unknown address alike, `SECOND_FACTOR_REQUIRED`
    /// when a code is needed, `TOO_MANY_ATTEMPTS` with the seconds to wait after many attempts.
    #[graphql(directive = access::apply(Access::Open))]
    async fn log_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "E-mail address.")] email: String,
        #[graphql(desc = "Password.")] password: String,
        #[graphql(desc = "Code of the authenticator application, or a recovery code, where a second factor is on.")]
        code: Option<String>,
    ) -> GqlResult<Session> {
        Ok(Box::pin(as_system(accounts::log_in(ctx.app(), &email, password, code.as_deref(), &Origin::of(ctx))))
            .await?
            .into())
    }

    /// Exchanges a refresh token for a new session. A token used twice ends every session that came from it.
    #[graphql(directive = access::apply(Access::Open))]
    async fn refresh_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refresh token of the last session.")] refresh_token: String,
        #[graphql(desc = "Another organization of theirs to be signed in to; absent: the same.")]
        organization_id: Option<Uuid>,
    ) -> GqlResult<Session> {
        Ok(Box::pin(as_system(sessions::refresh(ctx.app(), &refresh_token, organization_id, &Origin::of(ctx))))
            .await?
            .into())
    }

    /// Ends the session of a refresh token; true even when it had already ended.
    #[graphql(directive = access::apply(Access::Open))]
    async fn log_out(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refresh token of the session.")] refresh_token: String,
    ) -> GqlResult<bool> {
        Box::pin(as_system(sessions::log_out(ctx.app(), &refresh_token))).await?;
        Ok(true)
    }

    /// Ends one of your sessions, on another device or this one.
    #[graphql(guard = "Access::Person", directive = access::apply(Access::Person))]
    async fn revoke_device(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Identifier of the device.")] id: Uuid,
    ) -> GqlResult<bool> {
        Box::pin(as_system(sessions::revoke(ctx.app(), &ctx.actor()?, id))).await?;
        Ok(true)
    }

    /// Ends all of your sessions but this one, and answers how many. Renew yours with `refreshSession`.
    #[graphql(guard = "Access::Person", directive = access::apply(Access::Person))]
    async fn revoke_other_devices(&self, ctx: &Context<'_>) -> GqlResult<usize> {
        Ok(Box::pin(as_system(sessions::revoke_others(ctx.app(), &ctx.actor()?))).await?)
    }

    /// Asks for a link by which a new password can be chosen. True whether or not the address has an account.
    #[graphql(directive = access::apply(Access::Open))]
    async fn request_password_reset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "E-mail address of the account.")] email: String,
    ) -> GqlResult<bool> {
        Box::pin(as_system(accounts::request_reset(ctx.app(), &email, &Origin::of(ctx)))).await?;
        Ok(true)
    }

    /// Sets a new password by the link sent for it; every session of the account ends. `LINK_INVALID` when it has
    /// expired or was used.
    #[graphql(directive = access::apply(Access::Open))]
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Token of the link.")] token: String,
        #[graphql(desc = "New password, 10 to 200 characters.")] password: String,
    ) -> GqlResult<bool> {
        Box::pin(as_system(accounts::reset(ctx.app(), &token, password, &Origin::of(ctx)))).await?;
        Ok(true)
    }

    /// Changes your password; your other sessions end. Renew yours with `refreshSession`.
    #[graphql(guard = "Access::Person", directive = access::apply(Access::Person))]
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The password you have.")] current_password: String,
        #[graphql(desc = "New password, 10 to 200 characters.")] password: String,
    ) -> GqlResult<bool> {
        Box::pin(as_system(accounts::change_password(ctx.app(), &ctx.actor()?, current_password, password))).await?;
        Ok(true)
    }

    /// Has letters sent to your address again, after its server refused them or you called one spam; three times a day.
    #[graphql(guard = "Access::Person", directive = access::apply(Access::Person))]
    async fn clear_email_suppression(&self, ctx: &Context<'_>) -> GqlResult<EmailStanding> {
        Ok(Box::pin(as_system(accounts::clear_suppression(ctx.app(), &ctx.actor()?))).await?.into())
    }

    /// Sends the link that confirms your address once more.
    #[graphql(guard = "Access::Person", directive = access::apply(Access::Person))]
    async fn request_email_verification(&self, ctx: &Context<'_>) -> GqlResult<bool> {
        Box::pin(as_system(accounts::request_verification(ctx.app(), &ctx.actor()?, &Origin::of(ctx)))).await?;
        Ok(true)
    }

    /// Confirms an address by the link sent to it. `LINK_INVALID` when it has expired or was used.
    #[graphql(directive = access::apply(Access::Open))]
    async fn verify_email(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Token of the link.")] token: String,
    ) -> GqlResult<bool> {
        Box::pin(as_system(accounts::verify_email(ctx.app(), &token, &Origin::of(ctx)))).await?;
        Ok(true)
    }

    /// Makes a secret for your authenticator application. The second factor is on after `confirmSecondFactor`.
    #[graphql(guard = "Access::Person", directive = access::apply(Access::Person))]
    async fn begin_second_factor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Your password.")] password: String,
    ) -> GqlResult<SecondFactorSetup> {
        Ok(Box::pin(as_system(second_factor::begin(ctx.app(), &ctx.actor()?, password))).await?.into())
    }

    /// Turns the second factor on by a first code of your application. Answers ten recovery codes, shown this once:
    /// each opens your account one time without the application.
    #[graphql(guard = "Access::Person", directive = access::apply(Access::Person))]
    async fn confirm_second_factor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Code of the application.")] code: String,
    ) -> GqlResult<Vec<String>> {
        Ok(Box::pin(as_system(second_factor::confirm(ctx.app(), &ctx.actor()?, &code))).await?)
    }

    /// Turns the second factor off.
    #[graphql(guard = "Access::Person", directive = access::apply(Access::Person))]
    async fn disable_second_factor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Your password.")] password: String,
        #[graphql(desc = "Code of the application, or a recovery code.")] code: String,
    ) -> GqlResult<bool> {
        Box::pin(as_system(second_factor::disable(ctx.app(), &ctx.actor()?, password, &code))).await?;
        Ok(true)
    }

    /// Makes ten new recovery codes; the old ones no longer work.
    #[graphql(guard = "Access::Person", directive = access::apply(Access::Person))]
    async fn renew_recovery_codes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Code of the application, or a recovery code.")] code: String,
    ) -> GqlResult<Vec<String>> {
        Ok(Box::pin(as_system(second_factor::renew(ctx.app(), &ctx.actor()?, &code))).await?)
    }

    /// Begins without an account: photos, cars and advertisements can be prepared. What nobody has claimed thirty days
    /// after the last visit is erased.
    #[graphql(directive = access::apply(Access::Open))]
    async fn start_as_guest(&self, ctx: &Context<'_>) -> GqlResult<Session> {
        Ok(Box::pin(as_system(guests::start(ctx.app(), &Origin::of(ctx)))).await?.into())
    }

    /// Sends a guest the link by which they keep what they began. `NOT_A_GUEST` for an account.
    #[graphql(guard = "Access::Person", directive = access::apply(Access::Person))]
    async fn request_claim(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "E-mail address.")] email: String,
    ) -> GqlResult<bool> {
        Box::pin(as_system(guests::request_claim(ctx.app(), &ctx.actor()?, &email, &Origin::of(ctx)))).await?;
        Ok(true)
    }

    /// Keeps what a guest began, by the link they were sent. Where the address has an account already, its password is
    /// asked for, and it gets what the guest began as one more organization.
    #[graphql(directive = access::apply(Access::Open))]
    async fn claim_guest(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Token of the link.")] token: String,
        #[graphql(desc = "New password, 10 to 200 characters; or that of the account the address has.")]
        password: String,
        #[graphql(desc = "Code of the second factor of the account the address has, where one is on.")] code: Option<
            String,
        >,
        #[graphql(desc = "Name of the seller, 1 to 120 characters.")] organization_name: Option<String>,
    ) -> GqlResult<Session> {
        let claim = Claim { token, password, code, organization: organization_name };
        Ok(Box::pin(as_system(guests::claim(ctx.app(), claim, &Origin::of(ctx)))).await?.into())
    }
}
