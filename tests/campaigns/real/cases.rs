//! Runs the cases of a campaign, each of which may fail in its own way.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Once};

use crate::args::Args;
use crate::figures::Figures;

/// Cases that run at once.
const THREADS: usize = 2;
/// Misses after which no further case begins.
const ENOUGH: usize = 10;

thread_local! {
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `case` for each seed, on two threads; a panic or an error is a miss.
pub(crate) fn run(
    figures: &mut Figures,
    args: &Args,
    count: u64,
    case: impl Fn(u64) -> Result<(), String> + Sync,
) {
    let (next, misses) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count || misses.lock().expect("is sound").len() >= ENOUGH {
                break;
            }
            let seed = args.seed.wrapping_add(number);
            if let Err(why) = guarded(|| case(seed)) {
                let miss = format!("{why}\n  again: --seed {seed} --points 1");
                misses.lock().expect("is sound").push(miss);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(work);
        }
    });
    figures.row("cases", next.into_inner().min(count));
    for miss in misses.into_inner().expect("is sound") {
        figures.miss(miss);
    }
}

/// Runs a case and turns a panic into an error.
pub(crate) fn guarded(case: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        set_hook(Box::new(|info| {
            PANIC.with(|panic| *panic.borrow_mut() = Some(info.to_string()));
        }));
    });
    catch_unwind(AssertUnwindSafe(case)).unwrap_or_else(|_| {
        let why = PANIC.with(|panic| panic.borrow_mut().take());
        Err(why.unwrap_or_else(|| "panicked".to_owned()))
    })
}
