//! The network addresses that a node listens on or is reached at, in the notation of multiaddr.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// `/ip4/…` or `/ip6/…` with `/udp/PORT/quic-v1` or `/tcp/PORT`. Names are not resolved: a name server could then choose
/// whom a node talks to first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Address(String);

/// A text that is no such address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an address is written like /ip4/192.0.2.1/udp/4310/quic-v1 or /ip6/2001:db8::1/tcp/4310")]
pub struct BadAddress;

impl Address {
    /// The address in the notation of multiaddr.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands for every address of the machine, so that nobody else can dial it.
    #[must_use]
    pub fn is_unspecified(&self) -> bool {
        let ip = self.0.split('/').nth(2).unwrap_or_default();
        ip.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_unspecified())
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let parts: Vec<&str> = text.split('/').collect();
        let (ip, port) = match parts.as_slice() {
            ["", family, ip, "udp", port, "quic-v1"] | ["", family, ip, "tcp", port] => ((*family, *ip), port),
            _ => return Err(BadAddress),
        };
        let valid = match ip {
            ("ip4", ip) => ip.parse::<Ipv4Addr>().is_ok(),
            ("ip6", ip) => ip.parse::<Ipv6Addr>().is_ok(),
            _ => false,
        };
        if valid && port.parse::<u16>().is_ok() { Ok(Self(text.to_owned())) } else { Err(BadAddress) }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for Address {
    type Error = BadAddress;

    fn try_from(text: String) -> Result<Self, BadAddress> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_the_node_speaks_are_taken() {
        for good in ["/ip4/0.0.0.0/udp/4310/quic-v1", "/ip4/127.0.0.1/tcp/0", "/ip6/::/udp/1/quic-v1"] {
            assert_eq!(good.parse::<Address>().unwrap().as_str(), good);
        }
        for bad in
            ["", "/ip4/1.2.3/tcp/1", "/ip4/1.2.3.4/udp/4310", "/ip4/1.2.3.4/tcp/70000", "/dns/x/tcp/1", "1.2.3.4:5"]
        {
            assert_eq!(bad.parse::<Address>(), Err(BadAddress), "{bad}");
        }
    }
}
