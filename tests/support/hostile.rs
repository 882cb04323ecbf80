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

/// Builds the pointer that a case describes in braces, from one of a file of this hash and size.
pub(crate) fn pointer_text(case: &str, hash: &str, size: u64) -> Vec<u8> {
    let file = |oid: &str, size: &str| format!("haul 1\nkind file\noid {oid}\nsize {size}\n");
    let real = file(&format!("b3:{hash}"), &size.to_string());
    let sized = |size: &str| file(&format!("b3:{hash}"), size);
    let hashed = |hash: &str| file(&format!("b3:{hash}"), &size.to_string());
    let text = match case {
        "{size=real+1}" => sized(&(size + 1).to_string()),
        "{size=real-1}" => sized(&(size - 1).to_string()),
        "{hash=}" => hashed(""),
        "{hash=63 hex}" => hashed(&hash[1..]),
        "{hash=65 hex}" => hashed(&format!("{hash}0")),
        "{hash=64 hex UPPER}" => hashed(&hash.to_uppercase()),
        r"{hash=64 hex with one \u{660} digit}" => hashed(&format!("{}\u{660}", &hash[1..])),
        "{hash=of other content}" => hashed(&blake3::hash(b"other").to_hex()),
        "{hash=all zero}" => hashed(&"0".repeat(64)),
        "{hash=../../canary-escape}" => hashed("../../canary-escape"),
        "{hash=/canary-escape}" => hashed("/canary-escape"),
        "{hash algorithm=md5}" => file("md5:d41d8cd98f00b204e9800998ecf8427e", &size.to_string()),
        "{hash algorithm=unknown}" => file(&format!("b9:{hash}"), &size.to_string()),
        "{version=999}" => real.replace("haul 1", "haul 999"),
        "{version line missing}" => real.replace("haul 1\n", ""),
        "{duplicate key hash}" => {
            real.replace("size", &format!("oid b3:{}\nsize", blake3::hash(b"other").to_hex()))
        }
        "{unknown key}" => real.replace("oid", "future value\noid"),
        "{keys in other order}" => format!("haul 1\nkind file\nsize {size}\noid b3:{hash}\n"),
        "{CRLF line ends}" => real.replace('\n', "\r\n"),
        "{trailing NUL bytes}" => real + "\0\0\0",
        "{UTF-8 BOM in front}" => format!("\u{feff}{real}"),
        "{one line of 64 MiB}" => format!("haul 1\nkind file\na {}\n", "x".repeat(64 << 20)),
        "{1,000,000 keys}" => {
            let keys: String =
                (0..1_000_000).flat_map(|i| [format!("k{i:07}"), " v\n".to_owned()]).collect();
            format!("haul 1\nkind file\n{keys}")
        }
        "{nested 100,000 deep if the format nests}" => {
            format!("haul 1\nkind file\noid {}\n", "[".repeat(100_000))
        }
        "{YAML anchors bomb, if YAML}" => "haul 1\nkind file\na: &a [x]\nb: [*a, *a]\n".to_owned(),
        "{pointer of a pointer}" => hashed(&blake3::hash(real.as_bytes()).to_hex()),
        "{real data that starts like a pointer, 10 MiB}" => real + &"x".repeat(10 << 20),
        "{empty file}" => String::new(),
        _ => match case.strip_prefix("{size=").and_then(|rest| rest.strip_suffix('}')) {
            Some(size) => sized(size),
            None => panic!("nobody knows how to build {case}"),
        },
    };
    text.into_bytes()
}
