//! What `benches/stores.py` measures haul beside: a plain client of the same library, and a line that
//! takes longer.
//!
//!     client up FILE KEY       sends a file in parts of 8 MiB, eight at once
//!     client down KEY FILE     reads it back in the same way
//!     client late PORT SERVER MILLISECONDS
//!                              listens on 127.0.0.1 and passes on what comes as much later
//!
//! The bucket and its keys are those that the variables of Amazon's own tools name. The last one runs
//! until it is ended.
#![expect(clippy::unwrap_used, reason = "a bench stops by panicking")]
#![expect(clippy::panic, reason = "a bench stops by panicking")]
#![expect(clippy::disallowed_methods, reason = "a bench makes plain files")]

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ClientOptions, MultipartUpload, ObjectStoreExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

const PART: u64 = 8 << 20;
const AT_ONCE: usize = 8;
/// Pieces on the late line, of 64 KiB at most: more than what 8 connections have under way.
const ON_THE_LINE: usize = 1024;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match arguments.as_slice() {
        ["up", file, key] => runtime.block_on(up(&store(), file, &Path::from(*key))),
        ["down", key, file] => runtime.block_on(down(store(), Path::from(*key), file)),
        ["late", port, server, time] => {
            let time = Duration::from_millis(time.parse().unwrap());
            runtime.block_on(late(format!("127.0.0.1:{port}"), server, time));
        }
        _ => panic!("the first comment of benches/client.rs says what it takes"),
    }
}

fn store() -> AmazonS3 {
    let options = ClientOptions::new().with_allow_http(true).with_timeout_disabled();
    AmazonS3Builder::from_env().with_client_options(options).build().unwrap()
}

async fn up(store: &AmazonS3, file: &str, key: &Path) {
    let file = Arc::new(File::open(file).unwrap());
    let length = file.metadata().unwrap().len();
    let mut parts = store.put_multipart(key).await.unwrap();
    let mut running = JoinSet::new();
    for from in (0..length).step_by(8 << 20) {
        let file = Arc::clone(&file);
        let mut bytes = vec![0; usize::try_from(PART.min(length - from)).unwrap()];
        let read = move || file.read_exact_at(&mut bytes, from).map(|()| bytes);
        let bytes = tokio::task::spawn_blocking(read).await.unwrap().unwrap();
        if running.len() == AT_ONCE {
            let _sent: () = running.join_next().await.unwrap().unwrap();
        }
        let part = parts.put_part(Bytes::from(bytes).into());
        running.spawn(async move { part.await.unwrap() });
    }
    running.join_all().await;
    parts.complete().await.unwrap();
}

async fn down(store: AmazonS3, key: Path, file: &str) {
    let (store, file) = (Arc::new(store), Arc::new(File::create(file).unwrap()));
    let length = store.head(&key).await.unwrap().size;
    let mut running = JoinSet::new();
    for from in (0..length).step_by(8 << 20) {
        let (store, file, key) = (Arc::clone(&store), Arc::clone(&file), key.clone());
        if running.len() == AT_ONCE {
            let _written: () = running.join_next().await.unwrap().unwrap();
        }
        running.spawn(async move {
            let bytes = store.get_range(&key, from..length.min(from + PART)).await.unwrap();
            let write = move || file.write_all_at(&bytes, from);
            tokio::task::spawn_blocking(write).await.unwrap().unwrap();
        });
    }
    running.join_all().await;
}

/// Passes each connection on; what is asked goes out later by `time`, answers come at once. So every
/// request takes as much longer, and bytes are as fast as before.
async fn late(address: String, server: &str, time: Duration) {
    let listener = TcpListener::bind(address).await.unwrap();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let server = server.to_owned();
        tokio::spawn(async move {
            let Ok(upstream) = TcpStream::connect(server).await else { return };
            drop((client.set_nodelay(true), upstream.set_nodelay(true)));
            let (mut asked, mut answers) = client.into_split();
            let (mut from, mut to) = upstream.into_split();
            let (line, mut arriving) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THE_LINE);
            tokio::spawn(async move {
                let mut bytes = vec![0; 64 << 10];
                while let Ok(count @ 1..) = asked.read(&mut bytes).await {
                    let piece = bytes.iter().take(count).copied().collect();
                    if line.send((Instant::now() + time, piece)).await.is_err() {
                        return;
                    }
                }
            });
            tokio::spawn(async move {
                while let Some((due, bytes)) = arriving.recv().await {
                    tokio::time::sleep_until(due.into()).await;
                    if to.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
            });
            drop(copy(&mut from, &mut answers).await);
        });
    }
}
