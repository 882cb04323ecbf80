use std::ffi::OsString;

use clap::Args;

use crate::cli::args::SourceArgs;
use crate::units::parse_size;

const EXAMPLES: &str = "\
Examples:
  haul cat v1.0:data/labels.csv | head           the beginning of a file as it was
  haul cat --range 1M..2M HEAD:big.bin > part    a part of a file, and nothing else is fetched

As with Git, a path behind `REV:` is meant from the root of the repository, unless it begins with `./`.";

/// Print the bytes of a tracked file, at any revision
///
/// Fetches only the chunks that are needed and not here, as they are printed, and checks each.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CatArgs {
    /// A tracked file or one inside a tracked folder, of a revision or of the worktree's pointers
    #[arg(value_name = "[REV:]PATH")]
    pub(crate) word: OsString,

    /// Only the bytes from A on and before B, such as `0..100`, `1M..2M`, `5G..`
    #[arg(long, value_name = "A..B", value_parser = parse_range)]
    pub(crate) range: Option<(u64, Option<u64>)>,

    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

/// Reads `A..B`, either of which may be left out.
fn parse_range(text: &str) -> Result<(u64, Option<u64>), String> {
    let wrong = || format!("`{text}` is not a range such as 0..100 or 1M..2M");
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let size = |text: &str| parse_size(text).map_err(|_| wrong());
    let from = if from.is_empty() { 0 } else { size(from)? };
    let to = if to.is_empty() { None } else { Some(size(to)?) };
    if to.is_some_and(|to| to < from) {
        return Err(format!("`{text}` ends before it begins"));
    }
    Ok((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_people_write_them() {
        assert_eq!(parse_range("0..100"), Ok((0, Some(100))));
        assert_eq!(parse_range("1K..2K"), Ok((1024, Some(2048))));
        assert_eq!(parse_range("..5"), Ok((0, Some(5))));
        assert_eq!(parse_range("7.."), Ok((7, None)));
        for text in ["", "5", "a..b", "9..3", "1..2..3", "-1..5"] {
            assert!(parse_range(text).is_err(), "{text}");
        }
    }
}
