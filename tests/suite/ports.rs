//! Ports that have to be known before whoever listens on them starts.

use std::net::TcpListener;
use std::ops::Range;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the ports that systems give to outgoing connections: nobody takes one of these between the look and the use.
const LASTING: Range<u16> = 10_000..32_768;

/// A port that is free now, and that no other test of this run is given.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Runs at the same time begin at different places.
    let begin = u16::try_from(std::process::id() * 97 % u32::from(LASTING.end - LASTING.start)).unwrap();
    loop {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = LASTING.start + (begin + step) % (LASTING.end - LASTING.start);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
