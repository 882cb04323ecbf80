//! Servers that say too much, or do not listen.

use std::io::{PipeReader, PipeWriter, Read, Write, empty, pipe};
use std::time::Duration;

use super::files::{Below, Fault};
use super::line::Line;
use super::packet::{Answer, Request, Verb};

/// What a server says to a request: packets without their lengths, of the kind and id of the request.
type Says = fn(u8, [u8; 4]) -> Vec<Vec<u8>>;

/// Speaks with a server that answers in this way until nobody listens.
fn with(says: Says) -> Line {
    let (requests, input) = pipe().unwrap();
    let (output, answers) = pipe().unwrap();
    std::thread::spawn(move || serve(requests, answers, says));
    Line::over(None, (input, output, empty()))
}

fn serve(mut requests: PipeReader, mut answers: PipeWriter, says: Says) -> Option<()> {
    loop {
        let mut length = [0; 4];
        requests.read_exact(&mut length).ok()?;
        let mut packet = vec![0; u32::from_be_bytes(length) as usize];
        requests.read_exact(&mut packet).ok()?;
        let id = packet[1..5].try_into().unwrap();
        for said in says(packet[0], id) {
            answers.write_all(&u32::try_from(said.len()).unwrap().to_be_bytes()).ok()?;
            answers.write_all(&said).ok()?;
        }
    }
}

fn packet(kind: u8, id: [u8; 4], fields: &[u8]) -> Vec<u8> {
    [&[kind][..], &id, fields].concat()
}

/// A list of names, or of none, of a folder that has no end.
fn names(count: u32, id: [u8; 4]) -> Vec<u8> {
    let name = b"\0\0\0\x01u\0\0\0\0\0\0\0\x04\0\0\x81\xa4";
    let all: Vec<u8> = (0..count).flat_map(|_| name.to_vec()).collect();
    packet(104, id, &[&count.to_be_bytes()[..], &all].concat())
}

fn endless(count: u32, kind: u8, id: [u8; 4]) -> Vec<Vec<u8>> {
    match kind {
        11 => vec![packet(102, id, b"\0\0\0\x01h")],
        12 => vec![names(count, id)],
        _ => vec![packet(101, id, b"\0\0\0\0")],
    }
}

#[test]
fn a_folder_without_end_is_given_up() {
    let all: [Says; 2] = [|kind, id| endless(100, kind, id), |kind, id| endless(0, kind, id)];
    for says in all {
        let listed = with(says).list("top", 5000, Below::WHOLE);
        assert!(matches!(listed, Err(Fault::TooMany)), "{listed:?}");
    }
}

#[test]
fn an_answer_that_comes_twice_is_none() {
    let mut line = with(|_, id| {
        // The first request is never answered, the second again and again.
        if id[3] == 1 { Vec::new() } else { vec![packet(101, id, b"\0\0\0\0"); 3] }
    });
    line.silence = Duration::from_secs(20);
    let asked = line.ask([Request::new(Verb::Stat), Request::new(Verb::Stat)]);
    assert_eq!(asked.unwrap_err().kind(), std::io::ErrorKind::InvalidData);
}

#[test]
fn answers_in_any_order_go_to_their_requests() {
    let mut line = with(|_, id| if id[3] == 2 { twice(id) } else { Vec::new() });
    let asked = line.ask([Request::new(Verb::Stat), Request::new(Verb::Stat)]).unwrap();
    assert_eq!(asked, [Answer::Status(1, String::new()), Answer::Status(2, String::new())]);
}

/// The answer to a request, and then that to the one before it.
fn twice(id: [u8; 4]) -> Vec<Vec<u8>> {
    let before = [id[0], id[1], id[2], id[3] - 1];
    vec![packet(101, id, b"\0\0\0\x02"), packet(101, before, b"\0\0\0\x01")]
}

#[test]
fn a_server_that_reads_nothing_is_given_up_like_one_that_says_nothing() {
    let (_unread, input) = pipe().unwrap();
    let (output, _unsaid) = pipe().unwrap();
    let mut line = Line::over(None, (input, output, empty()));
    line.silence = Duration::from_millis(50);
    // More than any pipe holds.
    let piece = vec![0; 32 << 10];
    let write = |_| Request::new(Verb::Write).text(&piece);
    let asked = line.ask((0..64).map(write));
    assert_eq!(asked.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
}
