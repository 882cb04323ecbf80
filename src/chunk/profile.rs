use std::fmt;

/// A frozen rule for cutting: the sizes that chunks may have, under a name that recipes record.
///
/// A name or a code never changes its meaning; a new rule is a new profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Profile {
    /// `m64.1`: chunks of 32 to 96 KiB, 64 KiB aimed at.
    M64 = 1,
    /// `m16.1`: chunks of 8 to 24 KiB, for small text tables.
    M16 = 2,
    /// `m256.1`: chunks of 128 to 384 KiB, for very large media.
    M256 = 3,
}

impl Profile {
    /// What a path without a previous version is cut with: `m64.1`.
    pub const DEFAULT: Self = Self::M64;

    /// Every profile that this build can cut with, in the order of their codes.
    pub const ALL: [Self; 3] = [Self::M64, Self::M16, Self::M256];

    /// Finds a profile by its exact name; nothing if this build does not know it.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// Finds a profile by its code in stored trees; nothing if this build does not know it.
    pub fn by_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.code() == code)
    }

    /// Returns the name that pointers carry: at most 16 bytes, `[a-z][a-z0-9.]*`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::M64 => "m64.1",
            Self::M16 => "m16.1",
            Self::M256 => "m256.1",
        }
    }

    /// Returns the code that stored trees carry; never 0.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Returns the chunk size aimed at, in bytes; a multiple of 8192.
    pub const fn target(self) -> usize {
        match self {
            Self::M64 => 64 << 10,
            Self::M16 => 16 << 10,
            Self::M256 => 256 << 10,
        }
    }

    /// Returns the smallest size in bytes of a chunk that is not the last of its file.
    pub const fn min(self) -> usize {
        self.target() / 2
    }

    /// Returns the largest size in bytes of any chunk, and the look-ahead that a cut needs.
    pub const fn max(self) -> usize {
        self.target() / 2 * 3
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_codes_and_sizes_are_frozen() {
        let table: Vec<_> =
            Profile::ALL.map(|p| (p.name(), p.code(), p.min(), p.target(), p.max())).into();
        assert_eq!(
            table,
            [
                ("m64.1", 1, 32_768, 65_536, 98_304),
                ("m16.1", 2, 8_192, 16_384, 24_576),
                ("m256.1", 3, 131_072, 262_144, 393_216),
            ]
        );
        assert_eq!(Profile::DEFAULT, Profile::M64);
    }

    #[test]
    fn a_profile_is_found_by_its_own_name_and_code_only() {
        for profile in Profile::ALL {
            assert_eq!(Profile::by_name(profile.name()), Some(profile));
            assert_eq!(Profile::by_code(profile.code()), Some(profile));
            assert_eq!(profile.to_string(), profile.name());
        }
        for unknown in ["", "m64", "M64.1", "m64.1 ", "m64.2", "p1"] {
            assert_eq!(Profile::by_name(unknown), None, "{unknown:?}");
        }
        assert_eq!(Profile::by_code(0), None);
        assert_eq!(Profile::by_code(4), None);
    }
}
