//! What can go wrong between haul and a server, and when it does.

use std::time::Duration;

use hyper::HeaderMap;

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// The request is not carried out; the answer is this status, with this code and pause.
    Status(u16, &'static str, Option<u64>),
    /// The request is not carried out; the answer is an error under status 200.
    Error200,
    /// The request is not carried out; the answer is a listing without anything in it.
    EmptyList,
    /// The request is not carried out, and the connection ends.
    Close,
    /// The request is carried out, and the connection ends without an answer.
    LoseAnswer,
    /// The connection ends in the middle of the answer's body.
    Cut,
    /// The body has the last byte missing, and says so.
    Shorten,
    /// The body has a byte more, and says so.
    Lengthen,
    /// One bit of the body is another one.
    Flip,
    /// The whole object comes, whatever part of it was asked for.
    Whole,
    /// A page of a listing has at most as many names.
    Pages(u32),
    /// What was written was written at this time.
    Written(&'static str),
    /// The answer comes late.
    Late(Duration),
    /// The answer comes late, and is a 503 while more requests than this are under way.
    Busy(usize, Duration),
    /// The body comes in pieces, with as much time between them.
    Slow(Duration),
    /// The body stops in the middle, and nothing comes any more.
    Stall,
}

/// When it goes wrong.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// The method, or nothing for all.
    pub(crate) method: &'static str,
    /// What path and query contain, or the condition, which stands behind them as ` if-none-match`.
    pub(crate) part: String,
    /// How often.
    pub(crate) times: usize,
    pub(crate) fault: Fault,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) place: String,
    pub(crate) headers: HeaderMap,
}

/// How many requests go wrong by chance, each in one of some ways that are over at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chance {
    pub(crate) percent: u64,
    pub(crate) seed: u64,
}

const BY_CHANCE: [Fault; 11] = [
    Fault::Status(503, "SlowDown", None),
    Fault::Status(503, "SlowDown", Some(1)),
    Fault::Status(500, "InternalError", None),
    Fault::Status(429, "TooManyRequests", None),
    Fault::Status(400, "RequestTimeout", None),
    Fault::Error200,
    Fault::Close,
    Fault::LoseAnswer,
    Fault::Cut,
    Fault::Flip,
    Fault::Late(Duration::from_millis(300)),
];

impl Chance {
    /// Draws what goes wrong with the next request.
    pub(crate) fn draw(&mut self) -> Option<Fault> {
        // The finalizer of splitmix64.
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = (self.seed ^ self.seed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^= number >> 31;
        let which = usize::try_from(number / 100 % BY_CHANCE.len() as u64).unwrap_or(0);
        (number % 100 < self.percent).then(|| BY_CHANCE.get(which).copied())?
    }
}
