//! The one place where synchronous code meets asynchronous code.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::error::RemoteError;

/// Threads that may wait for the file system at once; the requests of a wave share them.
const MAX_BLOCKING_THREADS: usize = 64;

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

/// Runs `work` to its end on the calling thread.
pub(super) fn block_on<T>(
    work: impl Future<Output = Result<T, RemoteError>>,
) -> Result<T, RemoteError> {
    runtime()?.block_on(work)
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
