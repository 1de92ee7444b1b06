//! Where a webhook may connect to: a host on the list, resolved once, whose addresses are all fit for it.
//!
//! Who can set the address of a name, or a name in a configuration, could otherwise make the node speak to a neighbour that trusts it, or to the
//! metadata service of a cloud that hands out keys. So the addresses are judged, not the name, and the connection goes to the very
//! addresses that were judged.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::Host;

use super::retry::Fault;
use crate::node::config::alerts::{AllowedHost, WebhookUrl};

/// Addresses of one host that are tried: one of each family, and some to spare.
const ADDRESSES_MAX: usize = 8;

/// What an address is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// The internet.
    Public,
    /// This machine, or a network of its operator.
    Internal,
    /// No system of anybody's is posted to there: other machines on the same cable, metadata services, groups, what is reserved.
    Never,
}

/// The addresses of a webhook's host, if all of them are fit.
pub(super) async fn resolve(url: &WebhookUrl, hosts: &BTreeSet<AllowedHost>) -> Result<Vec<SocketAddr>, Fault> {
    let host = url.host();
    let Some(allowed) = hosts.iter().find(|allowed| allowed.is(&host)) else {
        return Err(Fault::lasting("the host is not in alerts.webhook_hosts"));
    };
    let addresses: Vec<IpAddr> = match &host {
        Host::Ipv4(address) => vec![(*address).into()],
        Host::Ipv6(address) => vec![(*address).into()],
        Host::Domain(name) => {
            let found = tokio::net::lookup_host((name.as_str(), url.port())).await;
            found
                .map_err(|_| Fault::passing("the name of the host is not known"))?
                .map(|address| address.ip())
                .collect()
        }
    };
    if addresses.is_empty() {
        return Err(Fault::passing("the name of the host is not known"));
    }
    // One that is unfit condemns them all: whoever put it there may have put the others there too.
    for address in &addresses {
        match reach(*address) {
            Reach::Public => {}
            Reach::Internal if allowed.internal => {}
            Reach::Internal => {
                return Err(Fault::lasting("the host has a private address and is not listed with internal:"));
            }
            Reach::Never => return Err(Fault::lasting("the host has an address to which nothing is posted")),
        }
    }
    Ok(addresses.into_iter().take(ADDRESSES_MAX).map(|address| SocketAddr::new(address, url.port())).collect())
}

fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => reach_v6(address),
    }
}

/// After the registry of special addresses of the IANA, and the metadata services of clouds.
fn reach_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        // Metadata services that stand among other addresses: Alibaba, Azure.
        [100, 100, 100, 200] | [168, 63, 129, 16] => Reach::Never,
        [10 | 127, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] | [198, 18 | 19, ..] => {
            Reach::Internal
        }
        // This network; link-local, with most metadata services; protocols, documentation and a relay; groups and what is reserved.
        [0 | 224..=255, ..]
        | [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Reach::Never,
        _ => Reach::Public,
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return reach_v4(mapped);
    }
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Internal,
        // The metadata service of Amazon.
        [0xfd00, 0x0ec2, ..] => Reach::Never,
        [0xfc00..=0xfdff, ..] => Reach::Internal,
        // An IPv4 address through a translator.
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            reach_v4(Ipv4Addr::new(a, b, c, d))
        }
        // Teredo and other protocols, documentation, IPv4 in disguise.
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0x0db8, ..] | [0x2002, ..] | [0x3fff, 0..=0x0fff, ..] => Reach::Never,
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(list: &[&str]) -> BTreeSet<AllowedHost> {
        list.iter().map(|host| host.parse().unwrap()).collect()
    }

    #[test]
    fn addresses_are_told_apart() {
        let all = [
            (
                Reach::Public,
                "8.8.8.8 172.15.0.1 172.32.0.1 100.128.0.1 192.0.1.1 2606:4700::1111 ::ffff:8.8.8.8 64:ff9b::808:808",
            ),
            (
                Reach::Internal,
                "10.0.0.1 127.0.0.1 127.9.9.9 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 198.18.0.1 ::1 fc00::1 fd12::1 ::ffff:10.0.0.1 64:ff9b::a00:1",
            ),
            (
                Reach::Never,
                "0.0.0.0 0.1.2.3 169.254.169.254 168.63.129.16 100.100.100.200 192.0.0.192 192.0.2.1 198.51.100.1 203.0.113.1 224.0.0.1 \
                 255.255.255.255 240.0.0.1 :: fe80::1 fec0::1 ff02::1 2001:db8::1 2001::1 2002:a00:1::1 fd00:ec2::254 \
                 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe 64:ff9b:1::1 ::7f00:1 100::1 4000::1",
            ),
        ];
        for (expected, addresses) in all {
            for address in addresses.split_whitespace() {
                assert_eq!(reach(address.parse().unwrap()), expected, "{address}");
            }
        }
    }

    #[tokio::test]
    async fn only_listed_hosts_with_fit_addresses_are_reached() {
        async fn refused(url: &str, list: &[&str]) -> String {
            let fault = resolve(&url.parse().unwrap(), &hosts(list)).await.unwrap_err();
            assert!(fault.lasting, "{url}: {fault:?}");
            fault.why.into_owned()
        }
        assert!(refused("https://evil.example/", &["siem.example.org"]).await.contains("not in alerts.webhook_hosts"));
        assert!(refused("https://siem.example.org.evil.example/", &["siem.example.org"]).await.contains("not in"));
        for private in ["10.0.0.7", "192.168.0.7", "127.0.0.1", "[::1]", "[fd12::1]"] {
            let url = format!("https://{private}/");
            assert!(refused(&url, &[private]).await.contains("private address"), "{url}");
            let internal = format!("internal:{private}");
            assert!(resolve(&url.parse().unwrap(), &hosts(&[&internal])).await.is_ok(), "{url}");
        }
        for never in ["169.254.169.254", "[fd00:ec2::254]", "[fe80::1]", "0.0.0.0"] {
            let url = format!("https://{never}/latest/meta-data/");
            let internal = format!("internal:{never}");
            assert!(refused(&url, &[&internal]).await.contains("nothing is posted"), "{url}");
        }
        // A name is judged by its addresses. This one is known on every machine.
        assert!(refused("https://localhost/", &["localhost"]).await.contains("private address"));
        assert!(resolve(&"https://localhost/".parse().unwrap(), &hosts(&["internal:localhost"])).await.is_ok());
        // Other ways to write an address of this machine.
        assert!(refused("https://0x7f.1/", &["127.0.0.1"]).await.contains("private address"));
        assert!(refused("https://2130706433/", &["127.0.0.1"]).await.contains("private address"));
    }
}
