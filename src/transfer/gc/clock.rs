//! The storage's clock: what it says of an object written just now. No clock of ours is used.

use bytes::Bytes;

use crate::catalogue::key;
use crate::remote::RemoteError;
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;

/// From this age on a push record can be covered, and a pack that nobody names removed: 14 days.
pub const OLD_MS: u64 = 14 * 24 * HOUR_MS;
/// An hour: how long what a baseline or a run replaces stays for readers that listed it before.
pub(super) const HOUR_MS: u64 = 60 * 60 * 1000;

/// Writes a probe and returns when the storage says that it received it, in ms since 1970.
pub fn now(contact: &Contact) -> Result<u64, TransferError> {
    let remote = contact.remote();
    // Never the same bytes twice, so that no storage takes the second for the first.
    let nonce = crate::transfer::upload::random()?;
    remote.put(key::GC_PROBE, Bytes::copy_from_slice(&nonce))?;
    let seen = remote.head(key::GC_PROBE)?.map_or(0, |listed| listed.modified_ms);
    if seen == 0 {
        let (remote, key) = (contact.label().into(), key::GC_PROBE.to_owned());
        let why = "the storage does not say when it was written".to_owned();
        return Err(RemoteError::Damaged { remote, key, why }.into());
    }
    Ok(seen)
}

/// Says whether something is at least this old; what has no time is not.
pub(super) fn is_older(written_ms: u64, age_ms: u64, now_ms: u64) -> bool {
    written_ms > 0 && now_ms.saturating_sub(written_ms) >= age_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_time_or_one_in_the_future_is_never_old() {
        assert!(is_older(1, OLD_MS, OLD_MS + 1) && !is_older(2, OLD_MS, OLD_MS + 1));
        assert!(!is_older(0, OLD_MS, u64::MAX) && !is_older(9, 1, 5));
    }
}
