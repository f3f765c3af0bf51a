//! What several targets hold: bounds, and quotations.

use redeliver_diagnose::Engine;
use redeliver_model::Timestamp;
use std::sync::OnceLock;

/// The moment of every run, so that the same input gives the same output.
pub const NOW: Timestamp = Timestamp(1_795_000_000);

/// The engine of the built-in catalog, built once.
pub fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::builtin().expect("the catalog is whole"))
}

/// Whether `inner` is a piece of the memory of `outer`.
pub fn lies_in(inner: &str, outer: &str) -> bool {
    inner.is_empty() || outer.as_bytes().as_ptr_range().contains(&inner.as_ptr()) && {
        inner.as_bytes().as_ptr_range().end <= outer.as_bytes().as_ptr_range().end
    }
}

/// Holds `got` to `times` the bytes that came in, and some that do not depend on them.
#[track_caller]
pub fn bounded(got: usize, input: usize, times: usize, free: usize) {
    assert!(got <= input * times + free, "{got} bytes out of {input}");
}
