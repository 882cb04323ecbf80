//! One suite over a folder and over memory, then what only a folder or a failing network can do.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use object_store::memory::InMemory;

use crate::hash::{Digest, PackId};
use crate::hint::Hint;
use crate::progress::{Job, Silent, Stopped};

use super::io::is_key;
use super::{Access, Create, Fetch, Remote, RemoteError, RemoteSpec, Upload};

fn folder(path: &Path, create: Create) -> Result<Remote, RemoteError> {
    Remote::open(&RemoteSpec::parse("remote", path, Access::default()).unwrap(), create)
}

fn name_of(bytes: &[u8]) -> PackId {
    PackId::from_digest(Digest(*blake3::hash(bytes).as_bytes()))
}

fn over_both(check: impl Fn(&Remote)) {
    let dir = tempfile::tempdir().unwrap();
    check(&folder(dir.path(), Create::Yes).unwrap());
    check(&Remote::over(Arc::new(InMemory::new()), "memory"));
}

fn with_job<T>(run: impl FnOnce(&Job<'_>) -> T) -> T {
    run(&Job::new(&Silent, &AtomicBool::new(false)))
}

fn keys(remote: &Remote, prefix: &str) -> Vec<(String, u64)> {
    remote.list(prefix).unwrap().into_iter().map(|l| (l.key, l.size)).collect()
}

#[test]
fn what_was_put_is_read_listed_and_counted() {
    over_both(|remote| {
        assert_eq!(remote.list("i").unwrap(), []);
        for (key, body) in [("p/b", "12345"), ("p/a", ""), ("i/x-1.y", "xyz"), ("format", "f")] {
            remote.put(key, body.into()).unwrap();
        }
        assert_eq!(keys(remote, "p/"), [("p/a".into(), 0), ("p/b".into(), 5)]);
        assert_eq!(remote.list("").unwrap().len(), 4);
        assert!(remote.list("p").unwrap().iter().all(|l| l.modified_ms > 1_500_000_000_000));
        assert_eq!(remote.get("p/b", 5).unwrap(), "12345");
        assert_eq!(remote.get("p/a", 0).unwrap(), "");
        remote.put("p/b", "new".into()).unwrap();
        assert_eq!(remote.get("p/b", 9).unwrap(), "new");
        assert_eq!(remote.head("i/x-1.y").unwrap().unwrap().size, 3);
        let counts = remote.counts();
        assert_eq!((counts.list, counts.put, counts.get, counts.head), (4, 5, 3, 1));
        assert_eq!((counts.waves, counts.bytes_sent, counts.bytes_received), (13, 12, 8));
    });
}

#[test]
fn a_missing_key_is_missing_and_no_failure_of_the_remote() {
    over_both(|remote| {
        assert!(remote.get("p/none", 10).unwrap_err().is_missing());
        assert!(remote.get_range("p/none", 0..1).unwrap_err().is_missing());
        assert_eq!(remote.head("p/none").unwrap(), None);
        let text = remote.get("p/none", 10).unwrap_err().to_string();
        assert!(text.contains("`p/none`") && text.contains(remote.label()), "{text}");
    });
}

#[test]
fn a_range_is_given_whole_or_the_object_is_damaged() {
    over_both(|remote| {
        remote.put("p/a", "0123456789".into()).unwrap();
        assert_eq!(remote.get_range("p/a", 2..5).unwrap(), "234");
        assert_eq!(remote.get_range("p/a", 0..10).unwrap(), "0123456789");
        assert_eq!(remote.get_range("p/a", 3..3).unwrap(), "");
        for past in [5..11, 10..11, 100..200, 0..u64::MAX] {
            let error = remote.get_range("p/a", past.clone()).unwrap_err();
            assert!(matches!(error, RemoteError::Damaged { .. }), "{past:?}: {error}");
        }
        #[expect(clippy::reversed_empty_ranges, reason = "what the test is about")]
        let error = remote.get_range("p/a", 5..2).unwrap_err();
        assert!(matches!(error, RemoteError::InvalidRange { .. }), "{error}");
    });
}

#[test]
fn an_object_above_the_limit_is_refused_before_its_body_is_read() {
    over_both(|remote| {
        remote.put("p/a", vec![7; 1000].into()).unwrap();
        let error = remote.get("p/a", 999).unwrap_err();
        assert!(matches!(error, RemoteError::Damaged { .. }), "{error}");
        assert_eq!(remote.counts().bytes_received, 0);
        assert_eq!(remote.get("p/a", 1000).unwrap().len(), 1000);
    });
}

#[test]
fn of_many_writers_at_once_one_creates() {
    over_both(|remote| {
        let created: usize = std::thread::scope(|scope| {
            let write = |i: u8| {
                scope.spawn(move || {
                    let outcome = remote.put_if_absent("format", vec![i; 9].into()).unwrap();
                    usize::from(outcome == super::PutOutcome::Created)
                })
            };
            let writers: Vec<_> = (0..8).map(write).collect();
            writers.into_iter().map(|w| w.join().unwrap()).sum()
        });
        assert_eq!(created, 1);
        assert_eq!(remote.get("format", 9).unwrap().len(), 9);
        assert_eq!(remote.list("").unwrap().len(), 1);
    });
}

#[test]
fn concurrent_writes_of_one_key_leave_one_whole_object() {
    over_both(|remote| {
        std::thread::scope(|scope| {
            for i in 0..8_u8 {
                scope.spawn(move || remote.put("p/a", vec![i; 100_000].into()).unwrap());
            }
        });
        let bytes = remote.get("p/a", 100_000).unwrap();
        assert!(bytes.len() == 100_000 && bytes.iter().all(|b| *b == bytes[0]));
        assert_eq!(keys(remote, "p"), [("p/a".into(), 100_000)]);
    });
}

#[test]
fn texts_that_are_no_keys_are_never_sent() {
    over_both(|remote| {
        let long = "a".repeat(257);
        for odd in ["", "/a", "a/", "a//b", "../a", "p/..", "a..b", "./a", "A", "a#1", "a b", "é"]
        {
            assert!(!is_key(odd), "{odd}");
            let error = remote.put(odd, "x".into()).unwrap_err();
            assert!(matches!(error, RemoteError::InvalidKey { .. }), "{odd}: {error}");
        }
        assert!(remote.get(&long, 1).is_err());
        assert!(remote.list("../").is_err());
        assert_eq!(remote.list("").unwrap(), []);
    });
}

#[test]
fn a_wave_answers_each_fetch_once_and_is_one_wave() {
    over_both(|remote| {
        let expected = |i: usize| Bytes::from(vec![u8::try_from(i % 251).unwrap(); 64 * 1024]);
        let (mut fetches, whole) = (Vec::new(), 64 << 20);
        for i in 0..100_usize {
            if i != 50 {
                remote.put(&format!("p/{i}"), expected(i)).unwrap();
            }
            let range = (i % 2 == 1).then_some(10..20);
            fetches.push(Fetch { key: format!("p/{i}"), range, limit: whole });
        }
        let (waves, mut seen) = (remote.counts().waves, vec![0; 100]);
        let result = with_job(|job| {
            remote.get_ranges::<RemoteError>(fetches, 8, job, |i, answer| {
                seen[i] += 1;
                match (i, answer) {
                    (50, answer) => assert!(answer.unwrap_err().is_missing()),
                    (i, answer) if i % 2 == 1 => assert_eq!(answer?, expected(i).slice(10..20)),
                    (i, answer) => assert_eq!(answer?, expected(i)),
                }
                Ok(())
            })
        });
        result.unwrap();
        assert!(seen.iter().all(|n| *n == 1));
        assert_eq!(remote.counts().waves, waves + 1);
    });
}

#[test]
fn a_wave_within_a_wave_and_answers_larger_than_the_budget_do_not_block() {
    over_both(|remote| {
        remote.put("p/a", "x".into()).unwrap();
        let fetch = Fetch { key: "p/a".into(), range: None, limit: u64::MAX };
        let mut inner = 0;
        with_job(|job| {
            remote.get_ranges::<RemoteError>(vec![fetch.clone(); 5], 3, job, |_, _| {
                remote.get_ranges(vec![fetch.clone(); 2], 2, job, |_, answer| {
                    answer.map(|_| inner += 1)
                })
            })
        })
        .unwrap();
        assert_eq!(inner, 10);
    });
}

#[test]
fn files_of_all_sizes_are_sent_and_acknowledged_once() {
    let dir = tempfile::tempdir().unwrap();
    let sizes = [0, 1, 8 << 20, (8 << 20) + 1, 20_000_000];
    let file = |i: usize, size: u64| {
        let path = dir.path().join(i.to_string());
        let body: Vec<u8> = (0..size).map(|n| (n / 7 % 251) as u8).collect();
        let name = name_of(&body);
        #[expect(clippy::disallowed_methods, reason = "a file of the test, not of the user")]
        fs::write(&path, body).unwrap();
        Upload { key: format!("p/{i}"), path, size, name }
    };
    let uploads: Vec<_> = sizes.into_iter().enumerate().map(|(i, size)| file(i, size)).collect();
    over_both(|remote| {
        let mut done = vec![];
        with_job(|job| {
            remote.put_files::<RemoteError>(uploads.clone(), 3, job, |i| {
                done.push(i);
                assert_eq!(remote.head(&format!("p/{i}"))?.unwrap().size, sizes[i]);
                Ok(())
            })
        })
        .unwrap();
        done.sort_unstable();
        assert_eq!(done, [0, 1, 2, 3, 4]);
        for upload in &uploads {
            let sent = remote.get(&upload.key, upload.size).unwrap();
            assert!(sent == fs::read(&upload.path).unwrap(), "{}", upload.key);
        }
        assert_eq!(remote.counts().bytes_sent, sizes.iter().sum::<u64>());
        let all = uploads.iter().map(|u| u.key.clone()).chain(["p/none".into()]).collect();
        let found = with_job(|job| remote.head_many(all, 4, job)).unwrap();
        assert_eq!(found.iter().flatten().map(|l| l.size).collect::<Vec<_>>(), sizes);
        assert!(found[5].is_none());
    });
}

#[test]
fn a_file_that_changed_is_damaged_or_gone_is_not_sent() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let file = fs::File::options().create_new(true).write(true).open(&path).unwrap();
    over_both(|remote| {
        for (real, told) in [(9, 10), (10, 9), (9 << 20, 10 << 20), (10 << 20, 9 << 20)] {
            file.set_len(real).unwrap();
            let name = PackId([0; 16]);
            let upload = Upload { key: "p/a".into(), path: path.clone(), size: told, name };
            let sent = with_job(|job| remote.put_files(vec![upload], 1, job, |_| Ok(())));
            assert!(matches!(sent, Err(RemoteError::Changed { .. })), "{sent:?}");
        }
        for size in [9, 9 << 20] {
            file.set_len(size).unwrap();
            let name = name_of(b"other bytes");
            let upload = Upload { key: "p/a".into(), path: path.clone(), size, name };
            let sent = with_job(|job| remote.put_files(vec![upload], 1, job, |_| Ok(())));
            assert!(matches!(sent, Err(RemoteError::Differs { .. })), "{sent:?}");
        }
        let name = name_of(b"");
        let gone = Upload { key: "p/a".into(), path: dir.path().join("none"), size: 1, name };
        let sent = with_job(|job| remote.put_files(vec![gone], 1, job, |_| Ok(())));
        assert!(matches!(sent, Err(RemoteError::Local { .. })), "{sent:?}");
        assert_eq!(remote.list("").unwrap(), []);
    });
}

#[test]
fn a_wave_ends_when_the_user_stops_or_the_caller_fails() {
    #[derive(Debug)]
    enum Ended {
        Mine,
        Remote(RemoteError),
    }
    impl From<RemoteError> for Ended {
        fn from(error: RemoteError) -> Self {
            Self::Remote(error)
        }
    }
    over_both(|remote| {
        remote.put("p/a", "x".into()).unwrap();
        let fetches = vec![Fetch { key: "p/a".into(), range: None, limit: 1 }; 500];
        let (stop, mut seen) = (AtomicBool::new(false), 0);
        let ended = remote.get_ranges(fetches.clone(), 2, &Job::new(&Silent, &stop), |_, _| {
            seen += 1;
            stop.store(seen == 3, Ordering::Relaxed);
            Ok::<(), Ended>(())
        });
        assert!(matches!(ended, Err(Ended::Remote(RemoteError::Stopped(Stopped)))), "{ended:?}");
        assert_eq!(seen, 3);
        let ended = with_job(|job| remote.get_ranges(fetches, 2, job, |_, _| Err(Ended::Mine)));
        assert!(matches!(ended, Err(Ended::Mine)), "{ended:?}");
    });
}

#[test]
fn a_folder_that_is_not_there_is_an_error_and_never_an_empty_listing() {
    let dir = tempfile::tempdir().unwrap();
    let error = folder(dir.path(), Create::No).unwrap_err();
    assert!(matches!(error, RemoteError::Gone { .. }) && error.hint().is_some(), "{error}");
    let remote = folder(dir.path(), Create::Yes).unwrap();
    remote.put("p/a", "x".into()).unwrap();
    fs::remove_dir_all(dir.path().join("remote")).unwrap();
    for error in [
        remote.list("p").unwrap_err(),
        remote.head("p/a").unwrap_err(),
        remote.get("p/a", 1).unwrap_err(),
        remote.put("p/a", "x".into()).unwrap_err(),
    ] {
        assert!(matches!(error, RemoteError::Gone { .. }) && !error.is_missing(), "{error}");
    }
    assert!(!dir.path().join("remote").exists());
}

#[test]
fn links_and_pipes_in_a_folder_are_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let remote = folder(dir.path(), Create::Yes).unwrap();
    remote.put("p/a", "x".into()).unwrap();
    let (root, secret) = (dir.path().join("remote"), dir.path().join("secret"));
    fs::create_dir(&secret).unwrap();
    symlink(&secret, root.join("m")).unwrap();
    symlink(root.join("p/a"), root.join("p/link")).unwrap();
    symlink(&root, root.join("p/loop")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, root.join("p/pipe"), 0o600.into()).unwrap();
    for key in ["p/link", "p/loop/format", "p/pipe", "m/x"] {
        let damaged = |error: RemoteError| {
            assert!(matches!(error, RemoteError::Damaged { .. }), "{key}: {error}");
        };
        damaged(remote.get(key, 9).unwrap_err());
        damaged(remote.head(key).unwrap_err());
        damaged(remote.put(key, "y".into()).unwrap_err());
    }
    assert_eq!(keys(&remote, "p"), [("p/a".into(), 1)]);
    assert!(matches!(remote.list("m").unwrap_err(), RemoteError::Damaged { .. }));
    assert_eq!(fs::read_dir(&secret).unwrap().count(), 0);
}

#[test]
fn names_that_are_no_keys_are_left_out_of_a_listing() {
    use std::os::unix::ffi::OsStrExt;
    let dir = tempfile::tempdir().unwrap();
    let remote = folder(dir.path(), Create::Yes).unwrap();
    remote.put("i/a", "x".into()).unwrap();
    for odd in [&b"a#1"[..], b"\xff\xfe", b"UPPER", b"a b", b"x..y", b"new\nline"] {
        let path = dir.path().join("remote/i").join(std::ffi::OsStr::from_bytes(odd));
        fs::File::options().create_new(true).write(true).open(path).unwrap();
    }
    assert_eq!(keys(&remote, "i"), [("i/a".into(), 1)]);
}

#[test]
fn a_file_cut_short_is_damaged_and_an_unreadable_folder_is_denied() {
    let dir = tempfile::tempdir().unwrap();
    let remote = folder(dir.path(), Create::Yes).unwrap();
    remote.put("p/a", "0123456789".into()).unwrap();
    let path = dir.path().join("remote/p/a");
    fs::File::options().write(true).open(&path).unwrap().set_len(4).unwrap();
    let error = remote.get_range("p/a", 2..8).unwrap_err();
    assert!(matches!(error, RemoteError::Damaged { .. }), "{error}");
    let parent = dir.path().join("remote/p");
    fs::set_permissions(&parent, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read_dir(&parent).is_err() {
        for error in [remote.list("p").unwrap_err(), remote.put("p/b", "x".into()).unwrap_err()] {
            assert!(matches!(error, RemoteError::Denied { .. }), "{error}");
        }
    }
    fs::set_permissions(&parent, fs::Permissions::from_mode(0o700)).unwrap();
}
