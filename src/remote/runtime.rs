//! The one place where synchronous code meets asynchronous code.

use std::pin::pin;
use std::sync::OnceLock;
use std::time::Duration;

use futures::future::select;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::error::RemoteError;
use crate::progress::StopFlag;

/// Threads that may wait for the file system at once; the requests of a wave share them.
const MAX_BLOCKING_THREADS: usize = 64;

/// How often something that waits for a remote looks whether the user asked to stop.
pub(super) const TICK: Duration = Duration::from_millis(20);

static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();

fn runtime() -> Result<&'static Runtime, RemoteError> {
    // Built on first use, so that commands without network do not pay for its threads.
    let built = RUNTIME.get_or_init(|| {
        Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(MAX_BLOCKING_THREADS)
            .thread_keep_alive(Duration::from_secs(2))
            .thread_name("haul-remote")
            // What this build has: time, and with services the network.
            .enable_all()
            .build()
            .map_err(|e| e.to_string())
    });
    built.as_ref().map_err(|why| RemoteError::NoThreads { why: why.clone() })
}

/// Runs `work` on the calling thread, to its end or until the user asks to stop.
pub(super) fn block_on<T>(
    stop: StopFlag,
    work: impl Future<Output = Result<T, RemoteError>>,
) -> Result<T, RemoteError> {
    block_on_beyond(stop, Duration::ZERO, work)
}

/// As [`block_on`], and gives `work` some time beyond the wish to stop: it may be what clears away what
/// stopping left.
pub(super) fn block_on_beyond<T>(
    stop: StopFlag,
    beyond: Duration,
    work: impl Future<Output = Result<T, RemoteError>>,
) -> Result<T, RemoteError> {
    let asked = async {
        loop {
            if let Err(stopped) = stop.check() {
                tokio::time::sleep(beyond).await;
                return Err(stopped.into());
            }
            tokio::time::sleep(TICK).await;
        }
    };
    runtime()?.block_on(async { select(pin!(work), pin!(asked)).await.factor_first().0 })
}

/// A background task that is told to stop when this is dropped, and waited for.
pub(super) struct Running {
    task: JoinHandle<()>,
    /// Dropped to say stop.
    stop: Option<oneshot::Sender<()>>,
}

/// Ends when the task that waits for it is to stop.
pub(super) type Stop = oneshot::Receiver<()>;

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Ok(runtime) = runtime() {
            runtime.block_on(async {
                drop((&mut self.task).await);
                // Uploads that ended early remove their pieces on a thread for blocking work; those
                // began before this does.
                let _ended: Option<()> = blocking(|| ()).await;
            });
        }
    }
}

/// Starts `work` in the background.
pub(super) fn spawn<F: Future<Output = ()> + Send + 'static>(
    work: impl FnOnce(Stop) -> F,
) -> Result<Running, RemoteError> {
    let (stop, stopped) = oneshot::channel();
    let task = runtime()?.spawn(work(stopped));
    Ok(Running { task, stop: Some(stop) })
}

/// Runs `work`, which waits for the file system, where waiting harms no other request.
///
/// `None` if `work` did not end.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}
