//! What a campaign is told.

/// The arguments of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Args {
    /// The campaigns to run; all if there is none. A name that no campaign has runs nothing: `cargo
    /// test NAME` gives the name of any test to every target.
    names: Vec<String>,
    /// All cases instead of a sample.
    pub(crate) long: bool,
    /// What a sample is drawn with.
    pub(crate) seed: u64,
    /// How many cases; the campaign's own number if absent.
    pub(crate) count: Option<u64>,
    /// How long a campaign that works against the clock goes on; its own time if absent.
    pub(crate) seconds: Option<u64>,
    /// Prints each step, where a campaign has steps.
    pub(crate) trace: bool,
    /// Only says which campaigns there are.
    pub(crate) list: bool,
}

impl Args {
    /// Reads the words behind the program's name; flags of the usual test runner are ignored.
    pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut args = Self { seed: 1, ..Self::default() };
        let mut words = words;
        while let Some(word) = words.next() {
            match word.as_str() {
                "--long" => args.long = true,
                "--trace" => args.trace = true,
                "--list" => args.list = true,
                "--seed" => args.seed = number(&word, words.next())?,
                "--seconds" => args.seconds = Some(number(&word, words.next())?),
                "--count" | "--points" => args.count = Some(number(&word, words.next())?),
                flag if flag.starts_with('-') => {}
                name => args.names.push(name.to_owned()),
            }
        }
        Ok(args)
    }

    /// Says whether a campaign is to run.
    pub(crate) fn chooses(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|chosen| chosen == name)
    }

    /// Returns how many cases to run: as given, or all of the long or the short form.
    pub(crate) fn cases(&self, long: u64, short: u64) -> u64 {
        self.count.unwrap_or(if self.long { long } else { short })
    }
}

fn number(flag: &str, word: Option<String>) -> Result<u64, String> {
    let word = word.ok_or_else(|| format!("{flag} needs a number"))?;
    word.parse().map_err(|_| format!("{flag} needs a number, not `{word}`"))
}
