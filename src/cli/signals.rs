//! Ctrl-C and the polite end that runners send.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Ends at the first request to stop.
pub async fn first() {
    next().await;
}

/// Raises the level with each request to stop: 1 finish what is in flight, 2 stop now. `told` hears of each.
pub async fn raise(stop: Arc<AtomicU8>, told: impl Fn(u8)) -> std::convert::Infallible {
    loop {
        next().await;
        let level = stop.load(Ordering::SeqCst).saturating_add(1).min(2);
        stop.store(level, Ordering::SeqCst);
        told(level);
    }
}

#[cfg(unix)]
async fn next() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

#[cfg(not(unix))]
async fn next() {
    let _ = tokio::signal::ctrl_c().await;
}
