//! The proxy through which https requests leave this machine.

use super::environment;
use crate::error::Error;
use crate::secret::Secret;

/// A proxy, and what is reached without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// The proxy's URL, which may hold a password.
    pub url: Secret,
    /// The hosts that are reached without it, each in the form that `NO_PROXY` has for one.
    pub except: Vec<String>,
}

impl Proxy {
    /// The option `proxy`, else what the environment says; `None`: no proxy.
    pub fn choose(option: Option<&str>) -> Result<Option<Self>, Error> {
        let (name, choice) = match option {
            Some("none") => return Ok(None),
            Some(url) => ("option proxy", Some(Self { url: Secret::new(url.to_owned()), except: Vec::new() })),
            None => {
                let choice = environment::proxy()
                    .map(|url| Self { url, except: list(&environment::no_proxy().unwrap_or_default()) });
                ("HTTPS_PROXY or ALL_PROXY in the environment", choice)
            }
        };
        match choice {
            Some(proxy) if !proxy.can_be_one() => Err(Error::argument(format!(
                "{name} cannot be used; write a proxy like http://proxy.example:3128, or set the option proxy to \
                 \"none\""
            ))),
            choice => Ok(choice),
        }
    }

    /// Whether the HTTP client takes the URL.
    fn can_be_one(&self) -> bool {
        ureq::Proxy::new(self.url.expose()).is_ok_and(|proxy| !proxy.host().is_empty())
    }
}

/// The hosts in a list with commas.
fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|host| !host.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_option_is_a_url_or_none() {
        assert_eq!(Proxy::choose(Some("none")), Ok(None));
        for url in ["http://h:3128", "https://h", "socks5://u:p@h:1080", "socks5h://h", "h:3128"] {
            let proxy = Proxy::choose(Some(url)).unwrap().unwrap();
            assert_eq!((proxy.url.expose(), proxy.except.len()), (url, 0));
        }
        for url in ["", "ftp://h", "http://u:s3same@", "http://"] {
            let error = Proxy::choose(Some(url)).unwrap_err();
            assert!(error.message.contains("proxy.example") && !error.message.contains("s3same"), "{url}: {error}");
        }
    }

    #[test]
    fn exceptions_are_a_list_with_commas() {
        assert_eq!(list(" a.example , ,.b,127.0.0.1"), ["a.example", ".b", "127.0.0.1"]);
        assert!(list("").is_empty());
    }
}
