//! Ctrl-C and the polite end that runners send.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use super::Exit;
use crate::state::Store as _;
use crate::state::remote::Remote;

/// Ends at the first request to stop.
pub async fn first() {
    next().await;
}

/// From now on a request to stop gives the lease back before the process ends, so that nobody has to wait until it runs out.
/// Not while `carrying`: then what is in flight is finished first ([`raise`]).
pub fn give_back(remote: &Arc<Remote>, carrying: &Arc<AtomicBool>) {
    let (remote, carrying) = (Arc::downgrade(remote), Arc::clone(carrying));
    let listen = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        loop {
            runtime.block_on(next());
            if !carrying.load(Ordering::SeqCst) {
                if let Some(remote) = remote.upgrade() {
                    remote.unlock();
                }
                #[expect(clippy::exit, reason = "the main thread may be in a read of the terminal, which nothing else ends")]
                std::process::exit(i32::from(Exit::Interrupted.code()));
            }
        }
    };
    // Without this thread a signal ends the process as it always did, and the lease runs out by itself.
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(listen);
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
