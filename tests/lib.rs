//! Tests of the whole system live in `it/`; this crate has no code of its own.
