//! HTTP that cannot be turned inward: GET of a URL that came from outside.
//!
//! The address that was vetted is the address that is dialled; every redirect is vetted anew. No cookies, no decompression,
//! no proxies, everything bounded in size and time.

#[cfg(any(test, feature = "test-support"))]
mod fake;
mod fetch;
mod fetch_error;
mod target;

#[cfg(any(test, feature = "test-support"))]
pub use fake::FakeWeb;
pub use fetch::{Fetched, Fetching, Get, Http, HttpClient};
pub use fetch_error::FetchError;
