use serde::Serialize;
use serde::de::DeserializeOwned;

/// A fact a module announces. Modules above it react in jobs (see `JobRegistry::on`); the reactions
/// are written in the transaction that made the fact true, so none is lost.
pub trait Event: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// `<module>.<past_participle>`, for instance `plates.read`.
    const NAME: &'static str;
}
