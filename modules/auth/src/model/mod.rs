//! Rows and statements; no rules.

mod accounts;
mod api_keys;
mod links;
mod members;
mod oversight;
mod sessions;
mod sites;
mod trail;

pub use accounts::*;
pub use api_keys::*;
pub use links::*;
pub use members::*;
pub use oversight::*;
pub use sessions::*;
pub use sites::*;
pub use trail::*;
