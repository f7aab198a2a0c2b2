//! Through whom https requests leave this machine.

use ureq::Proxy;

use crate::error::Error;
use crate::secret::Secret;

/// A proxy, and what is reached without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyChoice {
    /// The proxy's URL, which may hold a password.
    url: Secret,
    /// Hosts that are reached without it, in the form of `NO_PROXY`.
    except: Option<String>,
}

impl ProxyChoice {
    /// The proxy as the HTTP client takes it.
    pub fn proxy(&self) -> Result<Proxy, ureq::Error> {
        let proxy = Proxy::new(self.url.expose())?;
        let Some(except) = &self.except else {
            return Ok(proxy);
        };
        let mut excepting = Proxy::builder(proxy.protocol()).host(proxy.host()).port(proxy.port());
        if let Some(username) = proxy.username() {
            excepting = excepting.username(username);
        }
        if let Some(password) = proxy.password() {
            excepting = excepting.password(password);
        }
        for host in except.split(',').map(str::trim).filter(|host| !host.is_empty()) {
            excepting = excepting.no_proxy(host);
        }
        excepting.build()
    }
}

/// The option, else what the environment says. `HTTP_PROXY` is not looked at: under CGI it is a request's header.
pub fn proxy(option: Option<&str>) -> Result<Option<ProxyChoice>, Error> {
    let environment =
        |names: &[&str]| names.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let (name, choice) = match option {
        Some("none") => return Ok(None),
        Some(url) => ("option proxy", Some(ProxyChoice { url: Secret::new(url.to_owned()), except: None })),
        None => {
            let url = environment(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]);
            let choice =
                url.map(|url| ProxyChoice { url: Secret::new(url), except: environment(&["NO_PROXY", "no_proxy"]) });
            ("the environment's HTTPS_PROXY, ALL_PROXY or NO_PROXY", choice)
        }
    };
    if choice.as_ref().is_some_and(|choice| choice.proxy().map_or(true, |proxy| proxy.host().is_empty())) {
        return Err(Error::argument(format!(
            "{name} cannot be used; write a proxy like http://proxy.example:3128, or set the option proxy to \"none\""
        )));
    }
    Ok(choice)
}
