//! The 8.3 names that Windows gives beside long ones: `LONGNA~1.BIN` for `longname123.bin`.

/// A name that must not be written under any of its aliases.
///
/// All fields are in lower case.
pub(super) struct Guard {
    /// The name itself.
    pub(super) name: &'static [u8],
    /// What the first short names have before their `~`.
    pub(super) short: &'static [u8],
    /// The extension of its short names.
    pub(super) ext: &'static [u8],
    /// What later short names have before their `~`: see [`hashed_stem`].
    pub(super) hash: [u8; 6],
}

impl Guard {
    /// Says whether a folded name would open this one on some file system.
    pub(super) fn catches(&self, folded: &[u8]) -> bool {
        folded.strip_prefix(self.name).is_some_and(nothing_follows) || self.catches_short(folded)
    }

    fn catches_short(&self, folded: &[u8]) -> bool {
        let Some(tilde) = folded.iter().take(7).position(|b| *b == b'~') else { return false };
        let (stem, rest) = folded.split_at(tilde);
        let digits = rest.iter().skip(1).take_while(|b| b.is_ascii_digit()).count();
        let number = rest.get(1..=digits).unwrap_or_default();
        if number.is_empty() || number.starts_with(b"0") {
            return false;
        }
        // Later short names are eight characters in all: the more digits, the less of the stem.
        let first = stem == self.short && digits == 1;
        let later = self.hash.starts_with(stem) && stem.len() + 1 + digits == 8;
        let tail = rest.get(1 + digits..).unwrap_or_default();
        let tail = match self.ext {
            b"" => Some(tail),
            ext => tail.strip_prefix(b".").and_then(|tail| tail.strip_prefix(ext)),
        };
        (first || later) && tail.is_some_and(nothing_follows)
    }
}

/// Dots and blanks at the end are dropped by Windows, and a colon starts the name of a stream.
fn nothing_follows(tail: &[u8]) -> bool {
    tail.iter().find(|b| !matches!(b, b'.' | b' ')).is_none_or(|b| *b == b':')
}

/// A name that has the form of a short one, split up; in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ShortName {
    /// What stands before the `~`.
    pub(super) stem: Vec<u8>,
    /// How many digits follow the `~`.
    pub(super) digits: usize,
    /// What stands behind the dot, or nothing.
    pub(super) ext: Vec<u8>,
}

impl ShortName {
    /// Reads a name of the form `STEM~N.EXT`, at most eight and three bytes.
    pub(super) fn parse(name: &[u8]) -> Option<Self> {
        let (base, ext) = split_extension(name);
        if base.len() > 8 || ext.len() > 3 || ext.contains(&b'.') || base.contains(&b'.') {
            return None;
        }
        let tilde = base.iter().rposition(|b| *b == b'~')?;
        let (stem, number) = base.split_at(tilde);
        let digits = number.len() - 1;
        let counts = number.iter().skip(1).all(u8::is_ascii_digit) && number.get(1) != Some(&b'0');
        (counts && digits > 0).then(|| Self {
            stem: stem.to_ascii_lowercase(),
            digits,
            ext: ext.to_ascii_lowercase(),
        })
    }

    /// Lists the forms of short name that Windows may give to a long name; none if it fits as it is.
    pub(super) fn candidates(long: &[u8]) -> Vec<Self> {
        if fits(long) {
            return Vec::new();
        }
        let (base, ext) = split_extension(trim_leading_dots(long));
        let base = shorten(base);
        let ext: Vec<u8> = shorten(ext).into_iter().take(3).collect();
        let hash = hashed_stem(long);
        let mut out = Vec::new();
        for digits in 1..=6 {
            let room = 7 - digits;
            for stem in [base.as_slice(), hash.as_slice()] {
                let stem = stem.iter().take(room).copied().collect();
                out.push(Self { stem, digits, ext: ext.clone() });
            }
        }
        out
    }
}

/// Says whether a name is an 8.3 name already, so that Windows gives it no other.
fn fits(name: &[u8]) -> bool {
    let (base, ext) = split_extension(name);
    (1..=8).contains(&base.len())
        && ext.len() <= 3
        && !name.ends_with(b".")
        && base.iter().chain(ext).all(|b| b.is_ascii_graphic() && !b".+,;=[]".contains(b))
}

fn split_extension(name: &[u8]) -> (&[u8], &[u8]) {
    match name.iter().rposition(|b| *b == b'.') {
        Some(dot) => (name.get(..dot).unwrap_or_default(), name.get(dot + 1..).unwrap_or_default()),
        None => (name, b""),
    }
}

fn trim_leading_dots(mut name: &[u8]) -> &[u8] {
    while let [b'.', rest @ ..] = name {
        name = rest;
    }
    name
}

fn shorten(text: &[u8]) -> Vec<u8> {
    let kept = text.iter().filter(|b| !matches!(b, b'.' | b' '));
    kept.map(|b| if b"+,;=[]".contains(b) { b'_' } else { b.to_ascii_lowercase() }).collect()
}

/// Returns two characters and four hexadecimal digits: what NTFS puts before the `~` once the first
/// four short names of a stem are taken.
///
/// The checksum is not documented; this one gives the values that Git's own tables hold.
fn hashed_stem(long: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(long);
    let sum = text.encode_utf16().fold(0u16, |sum, unit| sum.wrapping_mul(0x25).wrapping_add(unit));
    let spread = (i32::from(sum)).wrapping_mul(314_159_269).unsigned_abs();
    let whole = (u64::from(spread) * 1_152_921_497) >> 60;
    let mixed = u64::from(spread).wrapping_sub(whole.wrapping_mul(1_000_000_007));
    let mut out: Vec<u8> = shorten(trim_leading_dots(long)).into_iter().take(2).collect();
    for shift in [0, 4, 8, 12] {
        let digit = (mixed >> shift & 0xf).try_into().ok().and_then(|d| char::from_digit(d, 16));
        out.extend(digit.map(|c| c as u8));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_gives_the_values_that_git_knows() {
        for (name, stem) in [
            (".gitmodules", "gi7eba"),
            (".gitignore", "gi250a"),
            (".gitattributes", "gi7d29"),
            (".mailmap", "maba30"),
            (".haulignore", "ha56cf"),
            ("haul.toml", "ha4db0"),
            (".git", "gi2837"),
        ] {
            assert_eq!(hashed_stem(name.as_bytes()), stem.as_bytes(), "{name}");
        }
    }

    #[test]
    fn a_name_that_fits_in_eight_and_three_has_no_short_name() {
        assert!(ShortName::candidates(b"LONGNA~1.BIN").is_empty());
        assert!(ShortName::candidates(b"a.txt").is_empty());
        assert!(!ShortName::candidates(b"a b.txt").is_empty());
        assert!(!ShortName::candidates(b"a.jpeg").is_empty());
        assert!(!ShortName::candidates(b".a").is_empty());
    }

    #[test]
    fn a_long_name_may_get_stems_that_shrink_as_the_number_grows() {
        let names = ShortName::candidates(b"Long.name 123.binary");
        for short in ["LONGNA~1.BIN", "longn~10.bin", "long~100.bin"] {
            let short = ShortName::parse(short.as_bytes()).expect("is of the form");
            assert!(names.contains(&short), "{short:?}");
        }
        assert!(!names.contains(&ShortName::parse(b"longna~1.txt").expect("is of the form")));
        assert_eq!(ShortName::parse(b"longname~1.bin"), None);
        assert_eq!(ShortName::parse(b"a~0.bin"), None);
        assert_eq!(ShortName::parse(b"a~"), None);
    }
}
