//! A proxy in the form that the HTTP client takes.

use ureq::Error;

use crate::options::Proxy;

/// The proxy of the options, with its exceptions.
pub fn proxy(choice: &Proxy) -> Result<ureq::Proxy, Error> {
    let proxy = ureq::Proxy::new(choice.url.expose())?;
    if choice.except.is_empty() {
        return Ok(proxy);
    }
    let mut excepting = ureq::Proxy::builder(proxy.protocol()).host(proxy.host()).port(proxy.port());
    if let Some(username) = proxy.username() {
        excepting = excepting.username(username);
    }
    if let Some(password) = proxy.password() {
        excepting = excepting.password(password);
    }
    for host in &choice.except {
        excepting = excepting.no_proxy(host);
    }
    excepting.build()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn exceptions_change_nothing_else() {
        let except = |hosts: &[&str]| Proxy {
            url: Secret::new("socks5h://u%40x:p%3Aw@h:7".to_owned()),
            except: hosts.iter().map(|host| (*host).to_owned()).collect(),
        };
        for hosts in [vec![], vec!["a.example", "127.0.0.1"]] {
            let proxy = proxy(&except(&hosts)).unwrap();
            assert_eq!((proxy.host(), proxy.port()), ("h", 7));
            assert_eq!((proxy.username(), proxy.password()), (Some("u@x"), Some("p:w")));
            assert!(!proxy.resolve_target());
            assert_eq!(proxy.is_no_proxy(&"https://127.0.0.1/".parse().unwrap()), !hosts.is_empty());
            assert!(!proxy.is_no_proxy(&"https://app.tpstreams.com/".parse().unwrap()));
        }
    }
}
