//! Times as people type them.

use std::time::Duration;

/// Reads `0`, `90s`, `30m`, `24h`, `14d`.
pub(crate) fn parse_span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a time such as 30m, 24h or 7d");
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds: u64 = match unit {
        "" if number == 0 => 1,
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(wrong)
}

/// Reads `2026-03-01`, the first moment of that day in UTC, as text that Git reads in one way only:
/// Git itself takes words that it does not know for the present.
pub(crate) fn parse_day(text: &str) -> Result<String, String> {
    let wrong = || format!("`{text}` is not a day such as 2026-03-01");
    let mut parts = text.split('-');
    let mut part = |digits: usize, range: std::ops::RangeInclusive<u32>| {
        let part = parts.next().filter(|p| p.len() == digits)?;
        let all = part.bytes().all(|c| c.is_ascii_digit());
        let number = part.parse().ok().filter(|_| all)?;
        range.contains(&number).then_some(number)
    };
    let day = part(4, 1971..=2098).zip(part(2, 1..=12)).zip(part(2, 1..=31));
    let ((year, month), day) = day.ok_or_else(wrong)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if day > last || parts.next().is_some() {
        return Err(wrong());
    }
    Ok(format!("{text}T00:00:00Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, seconds) in
            [("0", 0), ("90s", 90), ("30m", 1800), ("24h", 86_400), ("7d", 604_800)]
        {
            assert_eq!(parse_span(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "h", "1", "24 h", "-1h", "1.5h", "1w", "99999999999999999999s"] {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_is_read_in_one_form_only() {
        assert_eq!(parse_day("2024-02-29").as_deref(), Ok("2024-02-29T00:00:00Z"));
        for text in
            ["yesterday", "2023-02-29", "2024-13-01", "2024-1-1", "24-01-01", "2024-01-01T", ""]
        {
            assert!(parse_day(text).is_err(), "{text}");
        }
    }
}
