//! Accounts, sessions, members and keys.

mod accounts;
mod guests;
mod keys;
mod members;
mod second_factor;
mod sessions;
