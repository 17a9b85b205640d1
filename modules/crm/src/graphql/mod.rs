mod mutation;
mod query;
mod subscription;
mod types;

pub use mutation::CrmMutation;
pub use query::CrmQuery;
pub use subscription::CrmSubscription;
