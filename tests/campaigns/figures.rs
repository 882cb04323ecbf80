//! What a campaign is told, what it counts, and how cases run.

use std::cell::RefCell;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Cases that run at once.
const THREADS: usize = 2;
/// Misses after which no further case begins.
const ENOUGH: usize = 10;

/// One campaign of the list.
pub(crate) struct Campaign {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Args) -> Figures,
}

/// What the command line asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Args {
    /// The long form, which is run by hand.
    pub(crate) long: bool,
    /// How many cases, whatever the form.
    pub(crate) points: Option<u64>,
    /// The first case; the others count up from it.
    pub(crate) seed: u64,
    names: Vec<String>,
}

impl Args {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut args = Self::default();
        while let Some(word) = words.next() {
            let mut number = || {
                let next = words.next().and_then(|word| word.parse().ok());
                next.ok_or_else(|| format!("`{word}` needs a number"))
            };
            match word.as_str() {
                "--long" => args.long = true,
                "--points" => args.points = Some(number()?),
                "--seed" => args.seed = number()?,
                // What `cargo test` hands to every test program.
                flag if flag.starts_with('-') => {}
                name => args.names.push(name.to_owned()),
            }
        }
        Ok(args)
    }

    /// Returns how many cases to run.
    pub(crate) fn cases(&self, short: u64, long: u64) -> u64 {
        self.points.unwrap_or(if self.long { long } else { short })
    }
}

/// What a campaign counted, and what went wrong.
#[derive(Default)]
pub(crate) struct Figures {
    rows: Vec<(String, String)>,
    /// A line for each thing that must not have happened.
    pub(crate) misses: Vec<String>,
}

impl Figures {
    /// Adds a row of the table.
    pub(crate) fn row(&mut self, what: impl Into<String>, figure: impl Display) {
        self.rows.push((what.into(), figure.to_string()));
    }

    /// Runs `case` for each seed, on two threads; a panic or an error is a miss.
    pub(crate) fn cases(
        &mut self,
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
                let seed = args.seed + number;
                if let Err(why) = guarded(|| case(seed)) {
                    let miss = format!("{why}\n  repeat: --seed {seed} --points 1");
                    misses.lock().expect("is sound").push(miss);
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(work);
            }
        });
        self.row("cases", next.into_inner().min(count));
        self.misses.extend(misses.into_inner().expect("is sound"));
    }
}

thread_local! {
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs a case and turns a panic into an error.
pub(crate) fn guarded(case: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(case)).unwrap_or_else(|_| {
        let why = PANIC.with(|panic| panic.borrow_mut().take());
        Err(why.unwrap_or_else(|| "panicked".to_owned()))
    })
}

/// Runs what the command line asks for and prints the tables.
pub(crate) fn main(campaigns: &[Campaign]) -> ExitCode {
    let args = match Args::read(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(why) => {
            println!("error: {why}");
            return ExitCode::from(2);
        }
    };
    set_hook(Box::new(|info| {
        PANIC.with(|panic| *panic.borrow_mut() = Some(info.to_string()));
    }));
    let asked = |c: &&Campaign| args.names.is_empty() || args.names.iter().any(|n| n == c.name);
    let chosen: Vec<&Campaign> = campaigns.iter().filter(asked).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = campaigns.iter().map(|campaign| campaign.name).collect();
        println!("no campaign of that name; there are: {}", names.join(", "));
    }
    let missed = chosen.iter().filter(|campaign| !passes(campaign, &args)).count();
    ExitCode::from(u8::from(missed > 0))
}

fn passes(campaign: &Campaign, args: &Args) -> bool {
    println!("\n{}: {}", campaign.name, campaign.about);
    let start = Instant::now();
    let mut figures = (campaign.run)(args);
    figures.row("misses", figures.misses.len());
    figures.row("seconds", start.elapsed().as_secs());
    let width = figures.rows.iter().map(|(what, _)| what.len()).max().unwrap_or(0);
    for (what, figure) in &figures.rows {
        println!("  {what:width$}  {figure}");
    }
    for miss in &figures.misses {
        println!("MISS {}: {miss}", campaign.name);
    }
    figures.misses.is_empty()
}
