//! Argon2id: what a hash costs, hashing, and verifying.

use argon2::password_hash::phc::{Output, ParamsString, Salt};
use argon2::{Algorithm, Argon2, Block, Params, PasswordHash, Version};
use registrar_core::rules::password_hash::{MAX_COST, MAX_MEMORY_KIB, MAX_PASSES, is_affordable};

/// Memory in KiB and passes of which a cost must reach at least one pair; lanes are always 1.
/// Source: OWASP Password Storage Cheat Sheet, "Argon2id".
const LEAST: [(u32, u32); 5] = [(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5)];
/// The most memory in KiB, and the most passes, that a hash may take.
const MOST: (u32, u32) = (MAX_MEMORY_KIB, MAX_PASSES);
const LANES: u32 = 1;
const SALT_LENGTH: usize = 16;
const HASH_LENGTH: usize = 32;

/// What one hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashCost {
    /// Memory in KiB. Each hashing thread keeps that much.
    pub memory_kib: u32,
    /// How often the memory is gone through.
    pub passes: u32,
}

impl Default for HashCost {
    /// 19 MiB, twice: the second of OWASP's equally strong settings.
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2 }
    }
}

/// A cost that is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CostError {
    /// Guessing would be too easy.
    #[error(
        "hash_memory_kib {} with hash_passes {} is below what OWASP advises: expected at least \
         19456 with 2, 47104 with 1, 12288 with 3, 9216 with 4 or 7168 with 5", .0.memory_kib, .0.passes
    )]
    TooCheap(HashCost),
    /// The server could not bear it.
    #[error("hash_memory_kib is above {}, hash_passes is above {}, or their product is above {MAX_COST}", MOST.0, MOST.1)]
    TooDear,
}

impl HashCost {
    /// Whether it is allowed.
    ///
    /// # Errors
    /// Where it is below OWASP's minimum, or absurd.
    pub fn check(self) -> Result<(), CostError> {
        let Self { memory_kib, passes } = self;
        if !is_affordable(memory_kib, passes) {
            return Err(CostError::TooDear);
        }
        let reaches = |(memory, least): &(u32, u32)| memory_kib >= *memory && passes >= *least;
        if LEAST.iter().any(reaches) { Ok(()) } else { Err(CostError::TooCheap(self)) }
    }
}

/// Whether a password was the right one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    /// It was not, or there is no hash.
    Wrong,
    /// It was.
    Right {
        /// The hash to store instead, where the stored one has other parameters than new ones.
        rehashed: Option<String>,
    },
}

/// Argon2id with the memory that it needs.
#[derive(Debug)]
pub(crate) struct Hasher {
    argon2: Argon2<'static>,
    memory: Vec<Block>,
}

impl Hasher {
    pub(crate) fn new(cost: HashCost) -> Result<Self, argon2::Error> {
        let HashCost { memory_kib, passes } = cost;
        let params = Params::new(memory_kib, passes, LANES, Some(HASH_LENGTH))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        // Filled at the first hash: a server that sees no password keeps no memory for one.
        Ok(Self { argon2, memory: Vec::new() })
    }

    pub(crate) fn hash(&mut self, password: &str) -> Option<String> {
        let params = self.argon2.params();
        self.memory.resize(params.block_count(), Block::default());
        let mut salt = [0_u8; SALT_LENGTH];
        getrandom::fill(&mut salt).ok()?;
        let mut hash = [0_u8; HASH_LENGTH];
        self.argon2
            .hash_password_into_with_memory(password.as_bytes(), &salt, &mut hash, &mut self.memory)
            .ok()?;
        let phc = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(params).ok()?,
            salt: Some(Salt::new(&salt).ok()?),
            hash: Some(Output::new(&hash).ok()?),
        };
        Some(phc.to_string())
    }

    /// Compares a password with a hash, or returns `None` where the hash cannot be verified.
    pub(crate) fn verify(&mut self, password: &str, phc: Option<&str>) -> Option<Verified> {
        let Some(phc) = phc else { return self.hash(password).map(|_| Verified::Wrong) };
        let known = PasswordHash::new(phc).ok()?;
        let (salt, hash) = (known.salt.as_ref()?, known.hash.as_ref()?);
        let params = Params::try_from(&known).ok()?;
        let is_ours = known.algorithm == Algorithm::Argon2id.ident()
            && known.version == Some(Version::V0x13.into());
        let is_allowed =
            is_affordable(params.m_cost(), params.t_cost()) && params.p_cost() == LANES;
        if !is_ours || !is_allowed {
            return None;
        }
        let own = self.argon2.params();
        let costs = |params: &Params| (params.m_cost(), params.t_cost());
        let (is_outdated, kept) = (costs(&params) != costs(own), own.block_count());
        self.memory.resize(params.block_count(), Block::default());
        let mut found = vec![0_u8; hash.len()];
        let computed = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                password.as_bytes(),
                salt,
                &mut found,
                &mut self.memory,
            );
        // A hash that costs more than ours must not keep its memory for good.
        if self.memory.len() > kept {
            self.memory = Vec::new();
        }
        computed.ok()?;
        // It compares in constant time.
        if Output::new(&found).ok()? != *hash {
            return Some(Verified::Wrong);
        }
        let rehashed = if is_outdated { self.hash(password) } else { None };
        Some(Verified::Right { rehashed })
    }
}

#[cfg(test)]
mod tests {
    use argon2::PasswordVerifier;

    use super::*;

    #[test]
    fn a_hash_verifies_its_password_and_no_other() {
        let mut hasher = Hasher::new(HashCost::default()).unwrap();
        let (one, other) = (hasher.hash("secret1").unwrap(), hasher.hash("secret1").unwrap());
        assert_ne!(one, other, "each has a salt of its own");
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        let parsed = PasswordHash::new(&one).unwrap();
        assert!(Argon2::default().verify_password(b"secret1", &parsed).is_ok());
        assert!(Argon2::default().verify_password(b"secret2", &parsed).is_err());
    }

    #[test]
    fn a_password_is_verified_whatever_its_hash_cost() {
        let other = HashCost { memory_kib: 12_288, passes: 3 };
        let old = Hasher::new(other).unwrap().hash("secret1").unwrap();
        let mut hasher = Hasher::new(HashCost::default()).unwrap();
        let new = hasher.hash("secret1").unwrap();
        let right = Some(Verified::Right { rehashed: None });
        for (password, phc, verified) in [
            ("secret1", Some(&*new), right.clone()),
            ("secret2", Some(&*old), Some(Verified::Wrong)),
            ("", Some(&*new), Some(Verified::Wrong)),
            ("secret1", None, Some(Verified::Wrong)),
            ("secret1", Some("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ"), None),
            ("secret1", Some(&*new.replace("m=19456", "m=4000000")), None),
            ("secret1", Some(&*new.replace("t=2", "t=65")), None),
            ("secret1", Some(&*new.replace("argon2id", "argon2i")), None),
            ("secret1", Some("secret1"), None),
        ] {
            assert_eq!(hasher.verify(password, phc), verified, "{password} {phc:?}");
        }
        let Some(Verified::Right { rehashed: Some(rehashed) }) =
            hasher.verify("secret1", Some(&old))
        else {
            panic!("a hash of another cost is replaced")
        };
        assert_eq!(hasher.verify("secret1", Some(&rehashed)), right);
    }

    #[test]
    fn a_dearer_hash_keeps_no_memory() {
        let dear = HashCost { memory_kib: 65_536, passes: 1 };
        let phc = Hasher::new(dear).unwrap().hash("secret1").unwrap();
        let mut hasher = Hasher::new(HashCost { memory_kib: 7_168, passes: 5 }).unwrap();
        assert_eq!(hasher.verify("secret2", Some(&phc)), Some(Verified::Wrong));
        assert!(hasher.memory.capacity() <= 7_168, "{}", hasher.memory.capacity());
        assert!(hasher.verify("secret1", Some(&phc)).is_some());
        assert!(hasher.memory.capacity() <= 7_168, "{}", hasher.memory.capacity());
    }

    #[test]
    fn a_cost_below_the_advised_ones_is_refused() {
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
