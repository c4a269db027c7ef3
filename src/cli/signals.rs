//! Ctrl-C and the polite end that runners send.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::Exit;
use crate::state::Store as _;
use crate::state::remote::Remote;

/// Ends at the first request to stop.
pub async fn first() {
    next().await;
}

/// What a request to stop meets: one for a whole command line, also where that is of several environments.
#[derive(Default)]
pub struct Stopping(Arc<Inner>);

#[derive(Default)]
struct Inner {
    listens: AtomicBool,
    asked: AtomicBool,
    /// How many plans are being carried out: what is in flight is finished first then ([`raise`]).
    carrying: AtomicUsize,
    /// Whether one was, since [`Stopping::begins`].
    carried: AtomicBool,
    leases: Mutex<Vec<Weak<Remote>>>,
    farewell: Mutex<Option<Farewell>>,
}

/// Hears of each request to stop, and whether a plan is being carried out; ends the process where none is.
type Farewell = Box<dyn Fn(bool) + Send>;

/// A plan is being carried out as long as this is there.
pub struct Carrying(Arc<Inner>);

impl Drop for Carrying {
    fn drop(&mut self) {
        self.0.carried.store(true, Ordering::SeqCst);
        self.0.carrying.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Stopping {
    /// From now on a request to stop gives this lease back before the process ends, so that nobody has to wait until it runs
    /// out. Not while a plan is being carried out.
    pub fn gives_back(&self, remote: &Arc<Remote>) {
        self.0.leases().push(Arc::downgrade(remote));
        self.listen();
    }

    /// From now on each request to stop is told, and whoever hears of one ends the process.
    pub fn tells(&self, farewell: Farewell) {
        *self.0.farewell() = Some(farewell);
        self.listen();
    }

    /// Nobody is told any more.
    pub fn tells_nobody(&self) {
        self.0.farewell().take();
    }

    /// Begins to carry a plan out.
    pub fn carrying(&self) -> Carrying {
        self.0.carrying.fetch_add(1, Ordering::SeqCst);
        Carrying(Arc::clone(&self.0))
    }

    /// Another environment begins, in which nothing was carried out yet.
    pub fn begins(&self) {
        self.0.carried.store(false, Ordering::SeqCst);
    }

    /// Whether a plan was carried out in it, to its end or not.
    pub fn has_carried(&self) -> bool {
        self.0.carried.load(Ordering::SeqCst)
    }

    /// Whether somebody asked to stop.
    pub fn asked(&self) -> bool {
        self.0.asked.load(Ordering::SeqCst)
    }

    /// The same for another screen.
    pub fn same(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    fn listen(&self) {
        if self.0.listens.swap(true, Ordering::SeqCst) {
            return;
        }
        let inner = Arc::clone(&self.0);
        let listen = move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
            loop {
                runtime.block_on(next());
                inner.stop();
            }
        };
        // Without this thread a signal ends the process as it always did, and a lease runs out by itself.
        let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(listen);
    }
}

impl Inner {
    fn stop(&self) {
        let again = self.asked.swap(true, Ordering::SeqCst);
        let carrying = self.carrying.load(Ordering::SeqCst) > 0;
        if !carrying {
            let leases = std::mem::take(&mut *self.leases());
            leases.iter().filter_map(Weak::upgrade).for_each(|remote| remote.unlock());
        }
        match &*self.farewell() {
            Some(tell) if carrying || !again => tell(carrying),
            _ if carrying => {}
            _ => end(),
        }
    }

    fn leases(&self) -> MutexGuard<'_, Vec<Weak<Remote>>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn farewell(&self) -> MutexGuard<'_, Option<Farewell>> {
        self.farewell.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the process, whatever other threads wait for.
#[expect(clippy::exit, reason = "another thread may be in a read of the terminal, which nothing else ends")]
pub fn end() -> ! {
    std::process::exit(i32::from(Exit::Interrupted.code()))
}

/// Raises the level with each request to stop: 1 finish what is in flight, 2 stop now. `told` hears of each.
pub async fn raise(stop: Arc<AtomicU8>, stopping: &Stopping, told: impl Fn(u8)) -> std::convert::Infallible {
    // One that came after [`Stopping::carrying`] and before this listened.
    let mut early = stopping.asked();
    loop {
        if !std::mem::take(&mut early) {
            next().await;
        }
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
