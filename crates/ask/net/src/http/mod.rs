//! HTTP that cannot be turned inward: GET of a URL that came from outside.
//!
//! The address that was vetted is the address that is dialled; every redirect is vetted anew. No cookies, no decompression,
//! no proxies, everything bounded in size and time.

mod fetch;
mod fetch_error;
mod target;

pub use fetch::{Fetched, Fetching, Get, Http, HttpClient};
pub use fetch_error::FetchError;
