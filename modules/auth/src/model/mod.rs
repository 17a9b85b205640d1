//! Rows and statements; no rules.

mod accounts;
mod api_keys;
mod links;
mod members;
mod sessions;
mod sites;

pub use accounts::*;
pub use api_keys::*;
pub use links::*;
pub use members::*;
pub use sessions::*;
pub use sites::*;
