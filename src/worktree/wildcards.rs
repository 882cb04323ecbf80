//! One pattern of an ignore file against one path, with what Git takes for wildcards: `*`, `?`, `[…]`, `\`
//! and `**` between slashes.
//!
//! All that a pattern could have matched so far is kept side by side, so that the time is bounded by the
//! length of the pattern times that of the path, whatever both are made of.

/// Begin what is more than a character of its own.
const WILD: &[u8] = b"*?[\\";

/// Returns how many bytes at the start of a pattern stand for themselves.
pub(super) fn plain_len(pattern: &[u8]) -> usize {
    pattern.iter().position(|byte| WILD.contains(byte)).unwrap_or(pattern.len())
}

/// Returns the end of a pattern, of which every byte stands for itself. `**/` may stand for nothing.
fn plain_end(pattern: &[u8]) -> &[u8] {
    let last = pattern.iter().rposition(|byte| WILD.contains(byte) || *byte == b']');
    // What stands behind a backslash is left out with it.
    let start = last.map_or(0, |at| at + 1 + usize::from(pattern.get(at) == Some(&b'\\')));
    let end = pattern.get(start..).unwrap_or_default();
    end.strip_prefix(b"/").unwrap_or(end)
}

/// Says whether the whole text is what the pattern describes.
pub(super) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    if !text.ends_with(plain_end(pattern)) {
        return false;
    }
    let mut now = Places::new(pattern);
    let mut next = Places::new(pattern);
    now.arrive(0);
    for byte in text {
        for at in now.waiting.drain(..) {
            match stars(pattern, at) {
                Some(Stars { end, over_slashes }) if over_slashes || *byte != b'/' => {
                    next.wait(at);
                    next.arrive(end);
                }
                Some(_) => {}
                None => {
                    if let Some(end) = one(pattern, at, *byte) {
                        next.arrive(end);
                    }
                }
            }
        }
        if next.waiting.is_empty() && !next.at_end() {
            return false;
        }
        now.forget();
        std::mem::swap(&mut now, &mut next);
    }
    now.at_end()
}

/// Places in a pattern that a text has come to.
struct Places<'p> {
    pattern: &'p [u8],
    /// Where another byte may go on, each once.
    waiting: Vec<usize>,
    is_waiting: Vec<bool>,
    arrived: Vec<bool>,
    /// Where to clear the marks.
    marked: Vec<usize>,
}

impl<'p> Places<'p> {
    fn new(pattern: &'p [u8]) -> Self {
        let none = || vec![false; pattern.len() + 1];
        let (waiting, marked) = (Vec::new(), Vec::new());
        Self { pattern, waiting, is_waiting: none(), arrived: none(), marked }
    }

    /// Comes to a place from the one before it, and to those behind it that need no byte.
    fn arrive(&mut self, at: usize) {
        let mut todo = vec![at];
        while let Some(at) = todo.pop() {
            if !mark(&mut self.arrived, at) {
                continue;
            }
            self.marked.push(at);
            if at < self.pattern.len() {
                self.wait(at);
            }
            if let Some(Stars { end, over_slashes }) = stars(self.pattern, at) {
                todo.push(end);
                // No folder is as good as any number of them.
                if over_slashes && self.pattern.get(end) == Some(&b'/') {
                    todo.push(end + 1);
                }
            }
        }
    }

    /// Stays at a place for another byte.
    fn wait(&mut self, at: usize) {
        if mark(&mut self.is_waiting, at) {
            self.marked.push(at);
            self.waiting.push(at);
        }
    }

    fn at_end(&self) -> bool {
        self.arrived.last() == Some(&true)
    }

    fn forget(&mut self) {
        for at in self.marked.drain(..) {
            for marks in [&mut self.is_waiting, &mut self.arrived] {
                if let Some(mark) = marks.get_mut(at) {
                    *mark = false;
                }
            }
        }
        self.waiting.clear();
    }
}

/// Sets a mark; says whether it was not set.
fn mark(marks: &mut [bool], at: usize) -> bool {
    marks.get_mut(at).is_some_and(|mark| !std::mem::replace(mark, true))
}

/// A run of `*`.
struct Stars {
    end: usize,
    /// Whether it matches slashes: two or more, alone between slashes or the ends of the pattern.
    over_slashes: bool,
}

fn stars(pattern: &[u8], at: usize) -> Option<Stars> {
    let run = pattern.get(at..)?.iter().take_while(|byte| **byte == b'*').count();
    let end = at + run;
    let before = at == 0 || pattern.get(at - 1) == Some(&b'/');
    let rest = pattern.get(end..).unwrap_or_default();
    let behind = rest.is_empty() || rest.starts_with(b"/") || rest.starts_with(b"\\/");
    (run > 0).then_some(Stars { end, over_slashes: run > 1 && before && behind })
}

/// Returns where what stands for one byte ends, if it stands for this one; nothing too if it is broken off.
fn one(pattern: &[u8], at: usize, byte: u8) -> Option<usize> {
    match *pattern.get(at)? {
        b'?' => (byte != b'/').then_some(at + 1),
        b'[' => class(pattern, at + 1, byte),
        b'\\' => (*pattern.get(at + 1)? == byte).then_some(at + 2),
        own => (own == byte).then_some(at + 1),
    }
}

/// Judges by the class whose inner part begins at `start`.
fn class(pattern: &[u8], start: usize, byte: u8) -> Option<usize> {
    let negated = matches!(pattern.get(start), Some(b'!' | b'^'));
    let first = start + usize::from(negated);
    let (mut at, mut found) = (first, false);
    // Where a range could begin.
    let mut low = None;
    loop {
        let own = *pattern.get(at)?;
        if own == b']' && at > first {
            break;
        }
        let next = pattern.get(at + 1).copied();
        match (own, low, next) {
            (b'-', Some(from), Some(to)) if to != b']' => {
                let escaped = usize::from(to == b'\\');
                let to = *pattern.get(at + 1 + escaped)?;
                found |= (from..=to).contains(&byte);
                low = None;
                at += 2 + escaped;
            }
            (b'[', _, Some(b':')) => {
                let name = pattern.get(at + 2..)?;
                let name = name.get(..name.iter().position(|byte| *byte == b']')?)?;
                if let Some(name) = name.strip_suffix(b":") {
                    found |= is_of(name, byte)?;
                    low = None;
                    at += name.len() + 4;
                } else {
                    found |= byte == b'[';
                    low = Some(b'[');
                    at += 1;
                }
            }
            (b'\\', _, escaped) => {
                let escaped = escaped?;
                found |= byte == escaped;
                low = Some(escaped);
                at += 2;
            }
            _ => {
                found |= byte == own;
                low = Some(own);
                at += 1;
            }
        }
    }
    (found != negated && byte != b'/').then_some(at + 1)
}

/// Says whether a byte is of a kind that has a name; nothing if the name is none.
fn is_of(name: &[u8], byte: u8) -> Option<bool> {
    let is_space = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    Some(match name {
        b"alnum" => byte.is_ascii_alphanumeric(),
        b"alpha" => byte.is_ascii_alphabetic(),
        b"blank" => matches!(byte, b' ' | b'\t'),
        b"cntrl" => byte.is_ascii_control(),
        b"digit" => byte.is_ascii_digit(),
        b"graph" => byte.is_ascii_graphic(),
        b"lower" => byte.is_ascii_lowercase(),
        b"print" => byte.is_ascii_graphic() || byte == b' ',
        b"punct" => byte.is_ascii_punctuation(),
        b"space" => is_space,
        b"upper" => byte.is_ascii_uppercase(),
        b"xdigit" => byte.is_ascii_hexdigit(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_mean_what_they_mean_to_git() {
        for (pattern, yes, no) in [
            ("a*c", "abbc", "ab/c"),
            ("**/c", "c", "bc"),
            ("a/**/c", "a/b/b/c", "a/bc"),
            ("a/**", "a/b/c", "a"),
            ("a**/c", "ab/c", "a/b/c"),
            ("?[!0-9]", "1a", "a/"),
            ("[]a-]", "]", "b"),
            ("[[:digit:]x]", "x", "d"),
            (r"[\]{]", "{", r"\"),
            (r"\*", "*", "a"),
        ] {
            assert!(matches(pattern.as_bytes(), yes.as_bytes()), "{pattern} {yes}");
            assert!(!matches(pattern.as_bytes(), no.as_bytes()), "{pattern} {no}");
        }
        for broken in ["a[b", r"a\", "[[:nothing:]]", "[a-", "[[:"] {
            assert!(!matches(broken.as_bytes(), broken.as_bytes()), "{broken}");
        }
    }

    #[test]
    fn patterns_made_to_take_for_ever_do_not() {
        let deep = "a/".repeat(1000);
        assert!(!matches(format!("{}b", "**/a/".repeat(300)).as_bytes(), deep.as_bytes()));
        assert!(!matches("**/".repeat(20_000).as_bytes(), b"a"));
        let name = "a".repeat(255);
        assert!(!matches(format!("{}b", "*a".repeat(120)).as_bytes(), name.as_bytes()));
    }
}
