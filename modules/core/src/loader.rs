//! Rows that many fields of one request ask for one by one are read together.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::runtime::{TokioSpawner, TokioTimer};
use uuid::Uuid;

use crate::{App, GqlError, GqlResult, Result, as_tenant, tenancy};

/// What is read together. Nothing is kept: a later look reads anew.
pub trait Batch: Send + Sync + 'static {
    /// Holds whose row it is, where the caller has not checked that.
    type Key: Hash + Eq + Clone + Send + Sync + 'static;
    type Value: Clone + Send + Sync + 'static;

    /// The values of some keys; those without one are missing.
    fn load(app: &App, keys: &[Self::Key]) -> impl Future<Output = Result<HashMap<Self::Key, Self::Value>>> + Send;
}

/// The loaders of one request.
#[derive(Clone, Default)]
pub struct Loaders(Arc<Mutex<HashMap<TypeId, Box<dyn Any + Send + Sync>>>>);

impl Loaders {
    pub(crate) async fn load<B: Batch>(&self, app: &App, key: B::Key) -> GqlResult<Option<B::Value>> {
        self.of::<B>(app).load_one(key).await
    }

    fn of<B: Batch>(&self, app: &App) -> Arc<DataLoader<Adapter<B>>> {
        let mut loaders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known =
            loaders.get(&TypeId::of::<B>()).and_then(|loader| loader.downcast_ref::<Arc<DataLoader<Adapter<B>>>>());
        if let Some(known) = known {
            return Arc::clone(known);
        }
        let adapter = Adapter::<B> { app: app.clone(), tenant: tenancy::tenant(), batch: PhantomData };
        let fresh = Arc::new(DataLoader::new(adapter, TokioSpawner::current(), TokioTimer::default()));
        loaders.insert(TypeId::of::<B>(), Box::new(Arc::clone(&fresh)));
        fresh
    }
}

struct Adapter<B> {
    app: App,
    /// The library loads in a task of its own, which would not know.
    tenant: Option<Uuid>,
    batch: PhantomData<fn() -> B>,
}

impl<B: Batch> Loader<B::Key> for Adapter<B> {
    type Value = B::Value;
    type Error = GqlError;

    async fn load(&self, keys: &[B::Key]) -> GqlResult<HashMap<B::Key, B::Value>> {
        Ok(as_tenant(self.tenant, B::load(&self.app, keys)).await?)
    }
}
