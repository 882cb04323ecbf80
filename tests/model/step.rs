//! Steps, and what they lead to.

use std::fmt;

use crate::state::{PUSHERS, Packs, State, TRIES, members};

/// One request of one client, for people to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    who: &'static str,
    number: usize,
    what: &'static str,
    more: &'static str,
    packs: Packs,
    set: Option<u16>,
}

impl Step {
    fn new(who: &'static str, number: usize, what: &'static str) -> Self {
        Self { who, number, what, more: "", packs: 0, set: None }
    }

    pub(crate) fn push(number: usize, what: &'static str) -> Self {
        Self::new("push", number + 1, what)
    }

    pub(crate) fn gc(number: usize, what: &'static str) -> Self {
        Self::new("gc", number + 1, what)
    }

    pub(crate) fn other(what: &'static str) -> Self {
        Self::new("others", 0, what)
    }

    pub(crate) fn about(self, more: &'static str, pack: u8) -> Self {
        Self { more, packs: 1 << pack, ..self }
    }

    pub(crate) fn pack(self, pack: u8) -> Self {
        Self { packs: 1 << pack, ..self }
    }

    pub(crate) fn packs(self, packs: Packs) -> Self {
        Self { packs, ..self }
    }

    pub(crate) fn set(self, set: u16) -> Self {
        Self { set: Some(set), ..self }
    }
}

/// The name of a pack: `M` and `D` are the old ones, `m` and `d` those of a pusher.
fn name(pack: u8) -> String {
    match pack {
        0 => "M".to_owned(),
        1 => "D".to_owned(),
        15 => "none".to_owned(),
        _ => {
            let at = (usize::from(pack) - 2) / 2;
            let kind = if pack.is_multiple_of(2) { "m" } else { "d" };
            format!("{kind}{}.{}", at / TRIES % PUSHERS + 1, at % TRIES + 1)
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = members(self.packs).map(name).collect();
        write!(f, "{} {}: {}", self.who, self.number, self.what)?;
        if !self.more.is_empty() {
            write!(f, ", {}", self.more)?;
        }
        if !names.is_empty() {
            write!(f, " {}", names.join(" "))?;
        }
        match self.set {
            Some(set) => write!(f, " {:?}", members(set).collect::<Vec<_>>()),
            None => Ok(()),
        }
    }
}

/// The states that one state leads to.
#[derive(Default)]
pub(crate) struct Next {
    all: Vec<(Step, State)>,
}

impl Next {
    pub(crate) fn add(&mut self, step: Step, mut state: State) {
        state.tidy();
        self.all.push((step, state));
    }

    pub(crate) fn drain(&mut self) -> std::vec::Drain<'_, (Step, State)> {
        self.all.drain(..)
    }
}
