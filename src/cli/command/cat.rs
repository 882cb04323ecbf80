use std::io::{self, Write};

use crate::cli::args::CatArgs;
use crate::cli::command::select::source;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::ops::Exit;
use crate::ops::OpError;
use crate::ops::cat::{Cat, CatOptions};

pub(super) fn run(args: &CatArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo_or_bare()?;
    if session.json {
        return Err(OpError::Refused {
            what: "the bytes of a file are no JSON document".to_owned(),
            next: "leave out `--json`; `haul ls --json` tells of the file".to_owned(),
        }
        .into());
    }
    let word = args.word.clone();
    let options = CatOptions { word, range: args.range, source: source(&args.source) };
    let mut cat = Cat::open(&repo, &options, &session.job)?;
    let mut out = io::stdout().lock();
    while let Some(bytes) = cat.next_bytes(&session.job)? {
        out.write_all(&bytes)?;
    }
    out.flush()?;
    Ok(Exit::Done)
}
