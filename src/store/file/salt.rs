//! The salt of a directory: without it none of its entries is found.

use std::thread;
use std::time::Duration;

use super::age::touch;
use super::directory::Directory;
use crate::store::StoreError;
use crate::store::seal::{self, SALT};

/// How often it is looked, a millisecond apart, whether the process that writes the salt has done so.
const TRIES: u32 = 2000;

impl Directory {
    /// The store's salt, made by the first process.
    pub fn salt(&self) -> Result<[u8; SALT], StoreError> {
        let read = || -> Result<Option<[u8; SALT]>, StoreError> {
            let Some((file, salt)) = self.read("salt")? else { return Ok(None) };
            touch(&file);
            Ok(salt.try_into().ok())
        };
        for _ in 0..TRIES {
            if let Some(salt) = read()? {
                return Ok(salt);
            }
            if let Some(new) = self.try_lock("salt.new".to_owned())? {
                // The first process has renamed it before the lock was free.
                if let Some(salt) = read()? {
                    new.discard();
                    return Ok(salt);
                }
                let salt = seal::random()?;
                new.fill(&salt)?;
                self.rename("salt.new", "salt")?;
                return Ok(salt);
            }
            thread::sleep(Duration::from_millis(1));
        }
        Err(StoreError(format!("{}: another process does not finish writing it", self.path.join("salt").display())))
    }
}
