//! Futures of services are boxed here: the library reserves stack for those of all fields of a type at once.

mod access;
mod accounts;
mod audit;
mod people;
mod query;
mod types;

use async_graphql::MergedObject;

pub use audit::AuditStep;
pub use query::AuthQuery as Query;

#[derive(MergedObject, Default)]
#[graphql(name = "AuthMutation")]
pub struct Mutation(accounts::AccountMutation, people::PeopleMutation, access::AccessMutation);
