//! Cost of password hashes.

use registrar_core::rules::password_hash::{MAX_COST, MAX_MEMORY_KIB, MAX_PASSES, is_affordable};

/// Minimum pairs of memory in KiB and passes; one of them must be met. Lanes are always 1.
/// Source: OWASP Password Storage Cheat Sheet, "Argon2id".
const MIN_COSTS: [(u32, u32); 5] = [(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5)];

/// Cost of one hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashCost {
    /// Memory in KiB. Each hashing thread allocates that much.
    pub memory_kib: u32,
    /// Number of passes over the memory.
    pub passes: u32,
}

impl Default for HashCost {
    /// Returns 19 MiB and 2 passes, the second of OWASP's equivalent settings.
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2 }
    }
}

/// Error for a cost that is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CostError {
    /// The cost is too low to resist guessing.
    #[error(
        "hash_memory_kib {} with hash_passes {} is below OWASP's minimum: expected at least \
         19456 with 2, 47104 with 1, 12288 with 3, 9216 with 4 or 7168 with 5", .0.memory_kib, .0.passes
    )]
    TooLow(HashCost),
    /// The cost is too high for a server.
    #[error(
        "hash_memory_kib is above {}, hash_passes is above {}, or their product is above {MAX_COST}",
        MAX_MEMORY_KIB,
        MAX_PASSES
    )]
    TooHigh,
}

impl HashCost {
    /// Checks the cost against OWASP's minimum and the server's maximum.
    ///
    /// # Errors
    /// Returns an error if the cost is too low or too high.
    pub fn check(self) -> Result<(), CostError> {
        let Self { memory_kib, passes } = self;
        if !is_affordable(memory_kib, passes) {
            return Err(CostError::TooHigh);
        }
        let reaches = |(memory, least): &(u32, u32)| memory_kib >= *memory && passes >= *least;
        if MIN_COSTS.iter().any(reaches) { Ok(()) } else { Err(CostError::TooLow(self)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_outside_the_limits_are_rejected() {
        for (memory_kib, passes, is_allowed) in [
            (19_456, 2, true),
            (47_104, 1, true),
            (65_536, 3, true),
            (19_456, 1, false),
            (19_455, 2, false),
            (7_168, 4, false),
            (2_000_000, 2, false),
        ] {
            let cost = HashCost { memory_kib, passes };
            assert_eq!(cost.check().is_ok(), is_allowed, "{cost:?}");
        }
    }
}
