//! SMTP as a client: sessions with their dialogue recorded, and looks at servers that never send mail.

mod dialogue;
mod extensions;
mod failure;
#[cfg(any(test, feature = "test-support"))]
mod fake;
mod probe;
mod session;

pub use dialogue::{Dialogue, Line, Speaker, Step};
pub use extensions::Extensions;
pub use failure::SessionError;
#[cfg(any(test, feature = "test-support"))]
pub use fake::FakeMail;
pub use probe::{Probe, Probed, Probing, Smtp, SmtpClient};
pub use session::{Session, SmtpPatience};
