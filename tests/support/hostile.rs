//! Reads `fixtures/hostile/cases.tsv` (described in the README beside it) and expands its escapes.

const TEXT: &str = include_str!("../../fixtures/hostile/cases.tsv");

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    /// What kind of trick it is.
    pub(crate) category: &'static str,
    /// Where the trick sits.
    pub(crate) carrier: &'static str,
    /// What must happen.
    pub(crate) expect: &'static str,
    /// The trick itself, with escapes.
    pub(crate) value: &'static str,
}

/// Returns every case of the table.
pub(crate) fn cases() -> Vec<Case> {
    let lines = TEXT.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [category, carrier, expect, value, _note] = fields[..] else {
                panic!("a case has five fields: {line:?}")
            };
            Case { category, carrier, expect, value }
        })
        .collect()
}

impl Case {
    /// Expands the value to the bytes of one path.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        expand(self.value)
    }
}

/// Expands names, repetitions and escapes to raw bytes.
pub(crate) fn expand(value: &str) -> Vec<u8> {
    let named = value
        .replace("{TOOLDIR_UPPER}", ".GIT/HAUL")
        .replace("{TOOLDIR}", ".git/haul")
        .replace("{PTR_EXT}", "haul");
    let mut out = Vec::new();
    let mut rest = named.as_str();
    while let Some(c) = rest.chars().next() {
        if let Some((piece, after)) = repetition(rest) {
            out.extend(piece);
            rest = after;
        } else if c == '\\' {
            rest = escape(&rest[1..], &mut out);
        } else {
            out.extend_from_slice(c.to_string().as_bytes());
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

/// `{N*text}` at the front; any other brace stands for itself.
fn repetition(text: &str) -> Option<(Vec<u8>, &str)> {
    let (inner, after) = text.strip_prefix('{')?.split_once('}')?;
    let (count, piece) = inner.split_once('*')?;
    Some((piece.as_bytes().repeat(count.parse().ok()?), after))
}

fn escape<'a>(text: &'a str, out: &mut Vec<u8>) -> &'a str {
    let (kind, rest) = text.split_at(1);
    match kind {
        "\\" | "\"" => out.extend_from_slice(kind.as_bytes()),
        "n" => out.push(b'\n'),
        "r" => out.push(b'\r'),
        "t" => out.push(b'\t'),
        "x" => {
            out.push(u8::from_str_radix(&rest[..2], 16).expect("two digits"));
            return &rest[2..];
        }
        "u" => {
            let (digits, after) =
                rest.strip_prefix('{').and_then(|r| r.split_once('}')).expect("braces");
            push_code_point(u32::from_str_radix(digits, 16).expect("digits"), out);
            return after;
        }
        _ => panic!("unknown escape \\{kind}"),
    }
    rest
}

/// A lone surrogate has no UTF-8 form, so it is written as UTF-8 would, were it allowed.
fn push_code_point(code: u32, out: &mut Vec<u8>) {
    match char::from_u32(code) {
        Some(c) => out.extend_from_slice(c.to_string().as_bytes()),
        None => out.extend(
            [code >> 12 | 0xe0, code >> 6 & 0x3f | 0x80, code & 0x3f | 0x80]
                .map(|byte| u8::try_from(byte).expect("a surrogate has sixteen bits")),
        ),
    }
}
