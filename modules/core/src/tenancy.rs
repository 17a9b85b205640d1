//! For whom the work of this moment is done. Connections taken while it is done for an organization see that
//! organization's rows only: PostgreSQL's row-level security is the second wall behind the filters of the services.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;
use uuid::Uuid;

use crate::Actor;

tokio::task_local! {
    static TENANT: Option<Uuid>;
}

/// For which organization this work is done; none for the installation's own work, which sees everything.
pub(crate) fn tenant() -> Option<Uuid> {
    TENANT.try_with(|tenant| *tenant).unwrap_or_default()
}

/// The organization whose rows a request may see. Staff look after everybody's; whoever is nobody reaches only what is
/// open to all.
pub fn tenant_of(actor: Option<&Actor>) -> Option<Uuid> {
    actor.filter(|actor| !actor.staff).map(|actor| actor.org_id)
}

/// Does work for an organization.
pub async fn as_tenant<F: Future>(tenant: Option<Uuid>, work: F) -> F::Output {
    TENANT.scope(tenant, work).await
}

/// Does work that reaches beyond one organization, for instance signing in. Whoever calls this answers for the filters.
pub async fn as_system<F: Future>(work: F) -> F::Output {
    TENANT.scope(None, work).await
}

/// A stream whose every step is done for an organization.
pub struct TenantStream<S> {
    tenant: Option<Uuid>,
    inner: S,
}

impl<S: Stream + Unpin> TenantStream<S> {
    pub fn new(tenant: Option<Uuid>, inner: S) -> Self {
        Self { tenant, inner }
    }
}

impl<S: Stream + Unpin> Stream for TenantStream<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.get_mut();
        TENANT.sync_scope(this.tenant, || Pin::new(&mut this.inner).poll_next(cx))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt as _, stream};

    use super::*;

    #[tokio::test]
    async fn work_is_done_for_whom_it_was_begun() {
        let id = Uuid::now_v7();
        assert_eq!(tenant(), None);
        as_tenant(Some(id), async {
            assert_eq!(tenant(), Some(id));
            as_system(async { assert_eq!(tenant(), None) }).await;
            assert_eq!(tenant(), Some(id));
        })
        .await;
        let seen = TenantStream::new(Some(id), stream::repeat_with(tenant).take(2)).collect::<Vec<_>>().await;
        assert_eq!(seen, [Some(id), Some(id)]);
    }
}
