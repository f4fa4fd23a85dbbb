//! Where people reach this server: what links begin with.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A scheme and a host, perhaps with a port: `https://wallet.example.com`. Nothing stands behind it, as pages and
/// cookies are of the whole host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

/// A text that is no such address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedPublicUrl {
    /// The scheme is missing or another one.
    #[error("it must begin with https:// or http://")]
    Scheme,
    /// There is something behind the host.
    #[error("it must end with the host and its port: pages are served from its root")]
    Path,
    /// The host or the port is not one.
    #[error("it must name a host, such as https://wallet.example.com or http://127.0.0.1:8420")]
    Host,
}

impl PublicUrl {
    /// Reads an address. A slash at its end is left out.
    pub fn parse(text: &str) -> Result<Self, MalformedPublicUrl> {
        let (scheme, rest) = text.split_once("://").ok_or(MalformedPublicUrl::Scheme)?;
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "https" && scheme != "http" {
            return Err(MalformedPublicUrl::Scheme);
        }
        let host = rest.strip_suffix('/').unwrap_or(rest);
        if host.contains(['/', '?', '#']) {
            return Err(MalformedPublicUrl::Path);
        }
        if !is_authority(host) {
            return Err(MalformedPublicUrl::Host);
        }
        Ok(Self(format!("{scheme}://{}", host.to_ascii_lowercase())))
    }

    /// Of a server that is reached where it listens; where it listens everywhere, by its own machine.
    pub fn of_listener(address: SocketAddr) -> Self {
        let host = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        Self(format!("http://{}", SocketAddr::new(host, address.port())))
    }

    /// The address, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether people reach it over TLS only, so that cookies may ask for it.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }
}

/// A name or an address, perhaps with a port.
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((ip, port)) if ip.parse::<Ipv6Addr>().is_ok() => (None, port),
        Some(_) => return false,
        None => match text.find(':') {
            Some(colon) => (text.get(..colon), text.get(colon..).unwrap_or_default()),
            None => (Some(text), ""),
        },
    };
    let is_name = |host: &str| {
        host.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-')
            && host.split('.').all(|label| !label.is_empty())
    };
    let is_port = |port: &str| match port.strip_prefix(':') {
        Some(digits) => {
            digits.bytes().all(|byte| byte.is_ascii_digit())
                && digits.parse::<u16>().is_ok_and(|port| port > 0)
        }
        None => port.is_empty(),
    };
    host.is_none_or(is_name) && is_port(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_scheme_and_a_host() {
        for (text, expected) in [
            ("https://wallet.example.com", "https://wallet.example.com"),
            ("HTTPS://Wallet.Example.com/", "https://wallet.example.com"),
            ("http://localhost:8420", "http://localhost:8420"),
            ("http://[::1]:8420", "http://[::1]:8420"),
        ] {
            let url = PublicUrl::parse(text).expect(text);
            assert_eq!(url.as_str(), expected);
            assert_eq!(url.is_https(), expected.starts_with("https"));
        }
    }

    #[test]
    fn other_texts_are_told_what_is_wrong() {
        use MalformedPublicUrl::{Host, Path, Scheme};
        for (text, expected) in [
            ("", Scheme),
            ("wallet.example.com", Scheme),
            ("ftp://wallet.example.com", Scheme),
            ("https://wallet.example.com/pay", Path),
            ("https://wallet.example.com?a", Path),
            ("https://", Host),
            ("https:///", Host),
            ("https://a..b", Host),
            ("https://user@host", Host),
            ("https://host:", Host),
            ("https://host:0", Host),
            ("https://host:65536", Host),
            ("https://host:80:80", Host),
            ("https://ho st", Host),
            ("https://[::1", Host),
            ("https://[host]", Host),
            ("https://[::1]8420", Host),
        ] {
            assert_eq!(PublicUrl::parse(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn a_server_that_listens_everywhere_is_reached_by_its_own_machine() {
        for (listens, expected) in [
            ("127.0.0.1:8420", "http://127.0.0.1:8420"),
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:8420", "http://[::1]:8420"),
            ("192.0.2.1:8420", "http://192.0.2.1:8420"),
        ] {
            let address = listens.parse().expect("an address");
            assert_eq!(PublicUrl::of_listener(address).as_str(), expected);
        }
    }
}
