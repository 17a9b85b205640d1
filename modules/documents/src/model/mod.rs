//! Rows and statements; no rules.

mod papers;
mod register;
mod sellers;

pub use papers::*;
pub use register::*;
pub use sellers::*;
