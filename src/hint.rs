//! What an error offers the user beyond its message.

/// What the user can do next about an error; printed below it by the command line.
pub trait Hint {
    /// Returns one sentence that starts with a verb, or nothing.
    fn hint(&self) -> Option<String>;
}
