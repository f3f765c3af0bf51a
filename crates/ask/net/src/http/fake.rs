//! A web of a few lines for tests, filled by one literal; it never opens a socket.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;

use super::{FetchError, Fetched, Fetching, Get, Http};

/// A faked web: what is not named has no address.
///
/// ```
/// # #[cfg(feature = "test-support")] {
/// use redeliver_net::http::{FakeWeb, FetchError};
/// let web = FakeWeb {
///     pages: &[("https://mta-sts.example.org/.well-known/mta-sts.txt", 200, "version: STSv1\n")],
///     fail: &[("https://slow.example.org/", FetchError::Timeout)],
///     ..FakeWeb::default()
/// };
/// # }
/// ```
#[derive(Debug, Default)]
pub struct FakeWeb {
    /// URL, status and body; the content type is `text/plain`.
    pub pages: &'static [(&'static str, u16, &'static str)],
    /// URLs that are not fetched, and why; this goes before pages.
    pub fail: &'static [(&'static str, FetchError)],
    /// Every URL that was asked for, in order.
    pub asked: Mutex<Vec<String>>,
}

impl Http for FakeWeb {
    fn get<'a>(&'a self, get: &'a Get) -> Fetching<'a> {
        Box::pin(async move {
            if let Ok(mut asked) = self.asked.lock() {
                asked.push(get.url.clone());
            }
            if let Some((_, error)) = self.fail.iter().find(|(url, _)| *url == get.url) {
                return Err(error.clone());
            }
            let page = self.pages.iter().find(|(url, ..)| *url == get.url);
            let (url, status, body) = page.ok_or(FetchError::NoAddress)?;
            if body.len() > get.longest {
                return Err(FetchError::TooLarge(get.longest));
            }
            Ok(Fetched {
                url: (*url).to_owned(),
                passed: Vec::new(),
                server: SocketAddr::from((Ipv4Addr::new(192, 0, 2, 80), 443)),
                status: *status,
                fields: vec![("content-type".to_owned(), "text/plain".to_owned())],
                body: body.as_bytes().to_vec(),
                tls: None,
            })
        })
    }
}
