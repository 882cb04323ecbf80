//! Amounts as people type them.

/// Reads `1234`, `500K`, `2.5 GiB`: powers of 1024, the unit's case and `B`, `iB` do not matter.
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a size such as 500M or 2G");
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err(wrong()),
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if part.len() > 3 || (part.is_empty() && number.contains('.')) {
        return Err(wrong());
    }
    let thousandths: u128 = format!("{part:0<3}").parse().map_err(|_| wrong())?;
    let whole: u64 = whole.parse().map_err(|_| wrong())?;
    let bytes = ((u128::from(whole) * 1000 + thousandths) << shift) / 1000;
    u64::try_from(bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("0", 0),
            ("1234", 1234),
            ("500K", 512_000),
            ("2G", 2 << 30),
            ("2.5 GiB", 2_684_354_560),
            ("1mb", 1 << 20),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "G", "-1", "1.", "1.0001", "1X", "99999999999T", "1e3", ".5"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
