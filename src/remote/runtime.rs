//! The one place where synchronous code meets asynchronous code.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
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
            .enable_time()
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

/// A background task that is aborted when this is dropped.
pub(super) struct Running(JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts `work` in the background.
pub(super) fn spawn(
    work: impl Future<Output = ()> + Send + 'static,
) -> Result<Running, RemoteError> {
    Ok(Running(runtime()?.spawn(work)))
}

/// Runs `work`, which waits for the file system, where waiting harms no other request.
///
/// `None` if `work` did not end.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}
