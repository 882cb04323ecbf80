//! What belongs to the process as a whole: signals, panics, variables read before any setting.

use std::backtrace::Backtrace;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::panic::{self, PanicHookInfo};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::render;
use crate::fs::{failpoint, open_log, planted};
use crate::ops::{Exit, OpError};
use crate::path::show;

/// Bytes of addresses in which heaps for all threads have room.
const ROOMY: u64 = 8 << 30;

/// The user asked to stop.
pub(crate) static STOP: AtomicBool = AtomicBool::new(false);

/// Reads a variable that no setting can stand for.
#[expect(clippy::disallowed_methods, reason = "concerns the terminal or the tests, not a setting")]
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Returns where this program lies, or its name if the system does not say.
pub(crate) fn program() -> PathBuf {
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from("haul"))
}

/// Returns the time of this machine, in ms since 1970.
#[expect(clippy::disallowed_methods, reason = "the library is given the time")]
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Starts the program anew with one heap if its address space is limited.
///
/// Every thread would have a heap of its own, for each of which the C library sets aside 64 MiB of
/// addresses; with few of them none are left for the stack of the next thread.
pub(crate) fn spare_addresses() {
    const NAME: &str = "MALLOC_ARENA_MAX";
    let limit = rustix::process::getrlimit(rustix::process::Resource::As).current;
    if limit.is_none_or(|limit| limit >= ROOMY) || variable(NAME).is_some() {
        return;
    }
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_else(|| OsString::from("haul"));
    // Where that cannot be, things may still go well.
    let _why_not = Command::new(program()).arg0(name).args(arguments).env(NAME, "1").exec();
}

/// Makes the first SIGINT, SIGTERM or SIGHUP raise [`STOP`], and the second end the process.
pub(crate) fn catch_signals() {
    let caught = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            #[expect(clippy::exit, clippy::disallowed_methods, reason = "asked for twice")]
            std::process::exit(i32::from(exit::number(Exit::Interrupted)));
        }
        render::say_between("stopping; once more to stop at once");
    });
    if let Err(error) = caught {
        tracing::warn!(%error, "signals end the process at once");
    }
}

/// Makes a panic say that it is our fault; with a backtrace if `verbose`.
pub(crate) fn explain_panics(verbose: bool) {
    panic::set_hook(Box::new(move |info| {
        render::say(&panic_text(info));
        if verbose {
            render::say(&Backtrace::force_capture().to_string());
        } else {
            render::say("  hint: run it again with -v and report what it prints");
        }
    }));
}

fn panic_text(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let what = show(text.unwrap_or("no message").as_bytes());
    let place = info.location().map_or_else(String::new, |at| format!(" at {at}"));
    format!("error: this is a defect of haul\n cause: {what}{place}")
}

/// Arms the crash point that the fault tests ask for; nothing in release builds.
pub(crate) fn arm_crash_point() {
    if let Some(spec) = variable("HAUL_FAILPOINT").and_then(|spec| spec.into_string().ok()) {
        failpoint::arm(&spec);
    }
    if let Some(name) = variable("HAUL_PLANTED").and_then(|name| name.into_string().ok()) {
        planted::plant(&name);
    }
}

/// What goes into a trace file. Storage libraries log addresses with their keys, so theirs stays out.
const TRACED: &str = "haul=trace";

/// Sends what the library logs to stderr, as `-v` and `HAUL_LOG` ask, and to a file.
pub(crate) fn start_log(verbose: u8, trace_file: Option<&Path>) -> Result<(), Failure> {
    let level = match verbose {
        0 => None,
        1 => Some("haul=info"),
        2 => Some("haul=debug"),
        _ => Some("haul=trace,object_store=debug"),
    };
    let asked = variable("HAUL_LOG").and_then(|text| text.into_string().ok());
    let filter = asked.as_deref().or(level);
    if filter.is_none() && trace_file.is_none() {
        return Ok(());
    }
    let spoken = filter.map(|filter| {
        fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(false)
            // Told on stderr too, which would be the end where nobody reads that.
            .log_internal_errors(false)
            .without_time()
            .with_filter(EnvFilter::new(filter))
    });
    let file = trace_file.map(open_log).transpose().map_err(OpError::from)?;
    let written = file.map(|file| {
        let file = Mutex::new(file);
        fmt::layer().with_writer(file).with_ansi(false).with_filter(EnvFilter::new(TRACED))
    });
    if tracing_subscriber::registry().with(spoken).with(written).try_init().is_err() {
        render::say("warning: the log was already started");
    }
    Ok(())
}

/// Ends what is printed, so that nothing is lost when `main` returns.
pub(crate) fn flush() -> std::io::Result<()> {
    std::io::stdout().flush()
}
