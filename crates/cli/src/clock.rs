//! The machine's clock, read in this one place.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use redeliver_model::{Clock, Timestamp};

/// The clock of this machine.
pub(crate) struct SystemClock;

/// The same for those who keep it.
pub(crate) fn shared() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }
}
