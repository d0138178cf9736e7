//! Argon2id hashing and verification.

use argon2::password_hash::phc::{Output, ParamsString, Salt};
use argon2::{Algorithm, Argon2, Block, Params, PasswordHash, Version};
use registrar_core::rules::password_hash::is_affordable;

use crate::settings::HashCost;

const LANES: u32 = 1;
const SALT_LEN: usize = 16;
const HASH_LEN: usize = 32;

/// Result of verifying a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// The password is wrong, or there is no hash.
    Wrong,
    /// The password is right.
    Right {
        /// New hash to store if the stored one was made with other parameters.
        rehashed: Option<String>,
    },
}

/// An argon2id hasher with its memory.
#[derive(Debug)]
pub(crate) struct PasswordHasher {
    argon2: Argon2<'static>,
    memory: Vec<Block>,
}

impl PasswordHasher {
    pub(crate) fn new(cost: HashCost) -> Result<Self, argon2::Error> {
        let HashCost { memory_kib, passes } = cost;
        let params = Params::new(memory_kib, passes, LANES, Some(HASH_LEN))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        // Allocated by the first hash: a server that never hashes uses no memory for it.
        Ok(Self { argon2, memory: Vec::new() })
    }

    pub(crate) fn hash(&mut self, password: &str) -> Option<String> {
        let params = self.argon2.params();
        self.memory.resize(params.block_count(), Block::default());
        let mut salt = [0_u8; SALT_LEN];
        getrandom::fill(&mut salt).ok()?;
        let mut hash = [0_u8; HASH_LEN];
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

    /// Compares a password with a hash. Returns `None` if the hash cannot be verified.
    pub(crate) fn verify(&mut self, password: &str, phc: Option<&str>) -> Option<Verification> {
        let Some(phc) = phc else { return self.hash(password).map(|_| Verification::Wrong) };
        let parsed = PasswordHash::new(phc).ok()?;
        let (salt, hash) = (parsed.salt.as_ref()?, parsed.hash.as_ref()?);
        let params = Params::try_from(&parsed).ok()?;
        let is_ours = parsed.algorithm == Algorithm::Argon2id.ident()
            && parsed.version == Some(Version::V0x13.into());
        let is_allowed =
            is_affordable(params.m_cost(), params.t_cost()) && params.p_cost() == LANES;
        if !is_ours || !is_allowed {
            return None;
        }
        let ours = self.argon2.params();
        let costs = |params: &Params| (params.m_cost(), params.t_cost());
        let (is_outdated, kept) = (costs(&params) != costs(ours), ours.block_count());
        self.memory.resize(params.block_count(), Block::default());
        let mut found = vec![0_u8; hash.len()];
        let computed = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                password.as_bytes(),
                salt,
                &mut found,
                &mut self.memory,
            );
        // A hash with more memory than ours must not keep it allocated.
        if self.memory.len() > kept {
            self.memory = Vec::new();
        }
        computed.ok()?;
        // The comparison takes constant time.
        if Output::new(&found).ok()? != *hash {
            return Some(Verification::Wrong);
        }
        let rehashed = if is_outdated { self.hash(password) } else { None };
        Some(Verification::Right { rehashed })
    }
}

#[cfg(test)]
mod tests {
    use argon2::PasswordVerifier;

    use super::*;

    #[test]
    fn hash_verifies_only_its_password() {
        let mut hasher = PasswordHasher::new(HashCost::default()).unwrap();
        let (one, other) = (hasher.hash("secret1").unwrap(), hasher.hash("secret1").unwrap());
        assert_ne!(one, other, "each hash has its own salt");
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        let parsed = PasswordHash::new(&one).unwrap();
        assert!(Argon2::default().verify_password(b"secret1", &parsed).is_ok());
        assert!(Argon2::default().verify_password(b"secret2", &parsed).is_err());
    }

    #[test]
    fn hashes_of_other_costs_are_verified_and_rehashed() {
        let old_cost = HashCost { memory_kib: 12_288, passes: 3 };
        let old = PasswordHasher::new(old_cost).unwrap().hash("secret1").unwrap();
        let mut hasher = PasswordHasher::new(HashCost::default()).unwrap();
        let new = hasher.hash("secret1").unwrap();
        let right = Some(Verification::Right { rehashed: None });
        for (password, phc, verified) in [
            ("secret1", Some(&*new), right.clone()),
            ("secret2", Some(&*old), Some(Verification::Wrong)),
            ("", Some(&*new), Some(Verification::Wrong)),
            ("secret1", None, Some(Verification::Wrong)),
            ("secret1", Some("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ"), None),
            ("secret1", Some(&*new.replace("m=19456", "m=4000000")), None),
            ("secret1", Some(&*new.replace("t=2", "t=65")), None),
            ("secret1", Some(&*new.replace("argon2id", "argon2i")), None),
            ("secret1", Some("secret1"), None),
        ] {
            assert_eq!(hasher.verify(password, phc), verified, "{password} {phc:?}");
        }
        let Some(Verification::Right { rehashed: Some(rehashed) }) =
            hasher.verify("secret1", Some(&old))
        else {
            panic!("a hash with another cost should be replaced")
        };
        assert_eq!(hasher.verify("secret1", Some(&rehashed)), right);
    }

    #[test]
    fn memory_of_an_expensive_hash_is_released() {
        let expensive = HashCost { memory_kib: 65_536, passes: 1 };
        let phc = PasswordHasher::new(expensive).unwrap().hash("secret1").unwrap();
        let mut hasher = PasswordHasher::new(HashCost { memory_kib: 7_168, passes: 5 }).unwrap();
        assert_eq!(hasher.verify("secret2", Some(&phc)), Some(Verification::Wrong));
        assert!(hasher.memory.capacity() <= 7_168, "{}", hasher.memory.capacity());
        assert!(hasher.verify("secret1", Some(&phc)).is_some());
        assert!(hasher.memory.capacity() <= 7_168, "{}", hasher.memory.capacity());
    }
}
