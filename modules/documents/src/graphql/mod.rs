mod mutation;
mod query;
mod register_mutation;
mod register_query;
mod register_types;
mod types;

pub use mutation::PaperMutation;
pub use query::PaperQuery;
pub use register_mutation::RegisterMutation;
pub use register_query::RegisterQuery;
