//! What a stolen store does not tell: entries are named and sealed by a key that only the password gives.

use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, Version};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::error::Unspecified;
use zeroize::Zeroizing;

use super::{Owner, StoreError};
use crate::process::random;

/// The mark in front of a sealed entry; another version has another one, and is not read.
const MAGIC: &[u8; 4] = b"TPS1";

/// Argon2id with 8 MiB in two passes: some 10 ms once per process and credential, and expensive for an attacker who tries passwords.
const MEMORY_KIB: u32 = 8 * 1024;
const PASSES: u32 = 2;

const NAME: usize = 16;
const KEY: usize = 32;

/// Random bytes of a store's own, so that the same password has another name and key elsewhere.
pub const SALT: usize = 16;

/// An entry's name and key.
pub struct Seal {
    salt: [u8; SALT],
    name: String,
    key: Zeroizing<[u8; KEY]>,
}

impl Seal {
    /// Derives both from the credentials and the store's salt.
    pub fn derive(owner: &Owner<'_>, salt: [u8; SALT]) -> Result<Self, StoreError> {
        let parts = [
            owner.base_url,
            owner.credentials.username.expose(),
            &owner.credentials.organization_id,
            owner.credentials.password.expose(),
        ];
        let mut input = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum()));
        for part in parts {
            input.extend_from_slice(&(part.len() as u64).to_le_bytes());
            input.extend_from_slice(part.as_bytes());
        }
        let mut output = Zeroizing::new([0; NAME + KEY]);
        let broken = || StoreError("the key cannot be derived".to_owned());
        let parameters = Params::new(MEMORY_KIB, PASSES, 1, Some(NAME + KEY)).map_err(|_| broken())?;
        Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
            .hash_password_into(&input, &salt, &mut *output)
            .map_err(|_| broken())?;
        let (name, key) = output.split_first_chunk::<NAME>().ok_or_else(broken)?;
        Ok(Self {
            salt,
            name: name.iter().map(|byte| format!("{byte:02x}")).collect(),
            key: Zeroizing::new(key.try_into().map_err(|_| broken())?),
        })
    }

    /// The one of `known` with this salt, else a new one: deriving it takes its time.
    pub fn known_or_derived(known: &[Arc<Self>], owner: &Owner<'_>, salt: [u8; SALT]) -> Result<Arc<Self>, StoreError> {
        match known.iter().find(|seal| seal.salt == salt) {
            Some(seal) => Ok(seal.clone()),
            None => Self::derive(owner, salt).map(Arc::new),
        }
    }

    /// The entry's name: hexadecimal digits.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Seals `text`.
    pub fn close(&self, text: &[u8]) -> Result<Vec<u8>, StoreError> {
        let broken = |_| StoreError("the entry cannot be sealed".to_owned());
        let nonce = random::<NONCE_LEN>()?;
        let mut sealed = Zeroizing::new(text.to_vec());
        let tag = self
            .cipher()
            .map_err(broken)?
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), self.context(), &mut sealed)
            .map_err(broken)?;
        Ok([MAGIC.as_slice(), &nonce, &sealed, tag.as_ref()].concat())
    }

    /// What was sealed; `None` when a byte of it, its name or its place is another one.
    pub fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.strip_prefix(MAGIC)?.split_first_chunk::<NONCE_LEN>()?;
        let mut text = Zeroizing::new(sealed.to_vec());
        let length = self
            .cipher()
            .ok()?
            .open_in_place(Nonce::assume_unique_for_key(*nonce), self.context(), &mut text)
            .ok()?
            .len();
        text.truncate(length);
        Some(text)
    }

    /// Ring's form of the key takes half a KiB, so it is made where it is used.
    fn cipher(&self) -> Result<LessSafeKey, Unspecified> {
        UnboundKey::new(&CHACHA20_POLY1305, &*self.key).map(LessSafeKey::new)
    }

    fn context(&self) -> Aad<Vec<u8>> {
        Aad::from([MAGIC, self.name.as_bytes()].concat())
    }
}

/// Random bytes of the kernel's: a generator in user space gives parent and child the same.
pub fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    random::random().ok_or_else(|| StoreError("the system has no random numbers".to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::credentials::Credentials;

    fn seal(username: &str, password: &str, organization: &str, base_url: &str, salt: u8) -> Seal {
        let credentials = Credentials::new(username.into(), password.into(), organization.into()).unwrap();
        Seal::derive(&Owner { credentials: &credentials, base_url }, [salt; SALT]).unwrap()
    }

    #[test]
    fn only_the_same_credentials_open_it() {
        let sealed = seal("a", "bc", "d", "https://e", 0).close(b"text").unwrap();
        assert_eq!(*seal("a", "bc", "d", "https://e", 0).open(&sealed).unwrap(), b"text");
        for other in [
            seal("ab", "c", "d", "https://e", 0),
            seal("a", "wrong", "d", "https://e", 0),
            seal("a", "bc", "x", "https://e", 0),
            seal("a", "bc", "d", "https://x", 0),
            seal("a", "bc", "d", "https://e", 1),
        ] {
            assert!(other.open(&sealed).is_none());
            assert_ne!(other.name(), seal("a", "bc", "d", "https://e", 0).name());
        }
    }

    #[test]
    fn a_changed_byte_anywhere_makes_it_unreadable() {
        let seal = seal("a", "b", "c", "https://d", 0);
        let sealed = seal.close(b"some text").unwrap();
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(seal.open(&changed).is_none(), "byte {place}");
            assert!(seal.open(&sealed[..place]).is_none(), "cut at {place}");
        }
        assert!(seal.open(&[sealed.as_slice(), &[0; 12]].concat()).is_none(), "junk behind it");
        assert!(!sealed.windows(4).any(|part| part == b"some"));
    }

    proptest! {
        #[test]
        fn nothing_but_what_was_sealed_opens(junk in prop::collection::vec(any::<u8>(), 0..100)) {
            static SEAL: LazyLock<Seal> = LazyLock::new(|| seal("a", "b", "c", "https://d", 0));
            prop_assert!(SEAL.open(&junk).is_none());
            prop_assert!(SEAL.open(&[MAGIC.as_slice(), &junk].concat()).is_none());
        }
    }
}
