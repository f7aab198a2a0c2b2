//! The proxy through which https requests leave this machine.

use super::environment;
use super::no_proxy::NoProxy;
use crate::error::Error;
use crate::secret::Secret;

/// A proxy, and what is reached without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// The proxy's URL, which may hold a password.
    pub url: Secret,
    /// The hosts that are reached without it.
    pub except: NoProxy,
}

impl Proxy {
    /// The option `proxy`, else what the environment says; `None`: no proxy.
    pub fn choose(option: Option<&str>) -> Result<Option<Self>, Error> {
        let (name, choice) = match option {
            Some("none") => return Ok(None),
            Some(url) => ("option proxy", Some(Self { url: Secret::new(url.to_owned()), except: NoProxy::default() })),
            None => {
                let except = || NoProxy::parse(&environment::no_proxy().unwrap_or_default());
                (
                    "HTTPS_PROXY or ALL_PROXY in the environment",
                    environment::proxy().map(|url| Self { url, except: except() }),
                )
            }
        };
        match choice.as_ref().and_then(Self::fault) {
            Some(fault) => Err(Error::argument(format!("{name} {fault}"))),
            None => Ok(choice),
        }
    }

    /// Why the URL cannot be used; `None`: it can.
    fn fault(&self) -> Option<&'static str> {
        let url = self.url.expose();
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        // A URL parser ends the host at the first of these, and would look up the user name as a host.
        if rest.find(['#', '/', '?']).is_some_and(|end| rest.get(end..).is_some_and(|tail| tail.contains('@'))) {
            return Some(
                "has an unescaped #, / or ? in its user name or password; write %23 for #, %2F for / and %3F for ?",
            );
        }
        match ureq::Proxy::new(url) {
            Ok(proxy) if !proxy.host().is_empty() => None,
            _ => Some(
                "cannot be used; write a proxy like http://proxy.example:3128, or set the option proxy to \"none\"",
            ),
        }
    }
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
            assert_eq!((proxy.url.expose(), proxy.except), (url, NoProxy::default()));
        }
        for url in ["", "ftp://h", "http://u:s3same@", "http://"] {
            let error = Proxy::choose(Some(url)).unwrap_err();
            assert!(error.message.contains("proxy.example") && !error.message.contains("s3same"), "{url}: {error}");
        }
    }

    #[test]
    fn a_password_with_an_unescaped_end_of_host_is_told_how_to_write_it() {
        for (url, wrong) in [
            ("http://u:s3#same@h:1", true),
            ("http://u:s3/same@h:1", true),
            ("u:s3?same@h:1", true),
            ("http://u#x:s3same@h:1", true),
            ("http://u:s3%23same@h:1/", false),
            ("http://h:1/#", false),
        ] {
            let chosen = Proxy::choose(Some(url));
            assert_eq!(chosen.is_err(), wrong, "{url}");
            if let Err(error) = chosen {
                assert!(error.message.contains("%23") && !error.message.contains("same"), "{url}: {error}");
            }
        }
    }
}
