//! Who logs in.

use crate::error::Error;
use crate::secret::Secret;

/// What is sent to the server at a login.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The user's e-mail address.
    pub username: Secret,
    /// The user's password.
    pub password: Secret,
    /// The organization's identifier, such as `auhf2k`.
    pub organization_id: String,
}

impl Credentials {
    /// Checks that nothing is empty and that white space around the user name, which the server trims, makes no second credential.
    pub fn new(username: String, password: String, organization_id: String) -> Result<Self, Error> {
        let username = Secret::new(username);
        let password = Secret::new(password);
        for (name, value) in [
            ("username", username.expose().trim()),
            ("password", password.expose()),
            ("organization_id", organization_id.trim()),
        ] {
            if value.is_empty() {
                return Err(Error::argument(format!(
                    "{name} is empty; pass the one that you log in to TPStreams with"
                )));
            }
        }
        Ok(Self {
            username: Secret::new(username.expose().trim().to_owned()),
            password,
            organization_id: organization_id.trim().to_owned(),
        })
    }
}
