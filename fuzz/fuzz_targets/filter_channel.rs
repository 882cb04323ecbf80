//! Whatever is said to a filter, it answers in whole pkt-lines, with the bytes that it was given, and
//! the same however the pipe cuts what comes.
#![no_main]

use std::io::Read;

use haul::git::{Channel, Verdict, Wish};
use libfuzzer_sys::fuzz_target;

/// What is read of a file that is smudged before it is answered: the channel passes over the rest.
const SHORT: u64 = 16;

fuzz_target!(|input: &[u8]| {
    let answers = talk(input);
    assert_eq!(talk(OneByOne(input)), answers);
    assert!(is_whole(&answers));
});

/// Answers with what is sent, until no request comes or none that can be understood.
fn talk(input: impl Read) -> Vec<u8> {
    let mut answers = Vec::new();
    let Ok(mut channel) = Channel::open(input, &mut answers) else { return answers };
    let mut delayed = Vec::new();
    while let Ok(Some(request)) = channel.request() {
        let mut bytes = Vec::new();
        let answered = match request.wish {
            Wish::Clean => match channel.content().read_to_end(&mut bytes) {
                Ok(_) => channel.answer_with(bytes.as_slice()).map(drop),
                Err(_) => break,
            },
            Wish::Smudge { can_delay: true } => {
                delayed.push(request.path);
                channel.answer(Verdict::Delayed)
            }
            Wish::Smudge { can_delay: false } => {
                match channel.content().take(SHORT).read_to_end(&mut bytes) {
                    Ok(_) => channel.answer_with(bytes.as_slice()).map(drop),
                    Err(_) => break,
                }
            }
            Wish::Available => channel.answer_paths(&std::mem::take(&mut delayed)),
        };
        if answered.is_err() {
            break;
        }
    }
    answers
}

/// Says whether these are pkt-lines, each to its end; read apart from what is tested.
fn is_whole(mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        let digits = bytes.get(..4).and_then(|digits| std::str::from_utf8(digits).ok());
        let Some(len) = digits.and_then(|digits| usize::from_str_radix(digits, 16).ok()) else {
            return false;
        };
        match bytes.get(len.max(4)..) {
            Some(rest) if len == 0 || len > 4 => bytes = rest,
            _ => return false,
        }
    }
    true
}

/// A pipe that gives one byte at a time.
struct OneByOne<'i>(&'i [u8]);

impl Read for OneByOne<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let len = out.len().min(1);
        self.0.read(&mut out[..len])
    }
}
