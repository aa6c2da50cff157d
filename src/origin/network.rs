//! Networks, and the hops in them whose word is believed.

use crate::model::Namespace;
use http::HeaderName;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A network in CIDR notation; a single address is a network of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// A text that is no network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidNetwork(String);

impl fmt::Display for InvalidNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no network: write an address with the length of its prefix, such as `10.0.0.0/8`", self.0)
    }
}

impl std::error::Error for InvalidNetwork {}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let bad = || InvalidNetwork(text.chars().take(60).collect());
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(longest), |p| p.parse().map_err(|_| bad()))?;
        let network = Network { address, prefix };
        // `10.1.2.3/8` is a slip of the pen: what did its author mean to trust?
        if prefix > longest || masked(address, prefix) != address { Err(bad()) } else { Ok(network) }
    }
}

impl Network {
    /// Whether it has this address; an IPv4 address mapped into IPv6 counts as itself.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && masked(address, self.prefix) == self.address
    }
}

/// The address with all bits after the first `prefix` cleared.
fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => IpAddr::V4((v4.to_bits() & u32::MAX.checked_shl(32u32.saturating_sub(prefix.into())).unwrap_or(0)).into()),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & u128::MAX.checked_shl(128u32.saturating_sub(prefix.into())).unwrap_or(0)).into()),
    }
}

/// Hops in front of the node whose word about the client is believed, and which of their headers carry it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hops {
    /// Where they stand.
    pub from: Vec<Network>,
    /// The subject's id.
    pub subject: Option<HeaderName>,
    /// What kind of identifier that is; none without `subject`.
    pub namespace: Option<Namespace>,
    /// The person's jurisdiction.
    pub jurisdiction: Option<HeaderName>,
    /// The person's home region.
    pub home: Option<HeaderName>,
    /// The age band.
    pub age_band: Option<HeaderName>,
    /// The role.
    pub role: Option<HeaderName>,
    /// The client's address, in the manner of `X-Forwarded-For`.
    pub address: Option<HeaderName>,
}

impl Hops {
    /// Whether the word of this peer is believed.
    pub fn trust(&self, peer: IpAddr) -> bool {
        self.from.iter().any(|network| network.contains(peer))
    }

    /// Every header that speaks of the caller here, if a trusted hop sent it.
    pub fn headers(&self) -> impl Iterator<Item = &HeaderName> {
        [&self.subject, &self.jurisdiction, &self.home, &self.age_band, &self.role, &self.address].into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_its_addresses_and_no_others() {
        let net: Network = "10.1.0.0/16".parse().unwrap();
        assert!(net.contains("10.1.255.255".parse().unwrap()));
        assert!(net.contains("::ffff:10.1.0.1".parse().unwrap()));
        assert!(!net.contains("10.2.0.0".parse().unwrap()));
        assert!(!net.contains("::1".parse().unwrap()));
        let six: Network = "2001:db8::/32".parse().unwrap();
        assert!(six.contains("2001:db8:ffff::1".parse().unwrap()));
        assert!(!six.contains("2001:db9::".parse().unwrap()));
        let all: Network = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("203.0.113.9".parse().unwrap()));
    }

    #[test]
    fn a_network_with_host_bits_or_an_impossible_prefix_is_refused() {
        for bad in ["10.1.2.3/8", "10.0.0.0/33", "10.0.0.0/", "::/129", "ten", "", "10.0.0.0/-1"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
        assert!("10.1.2.3".parse::<Network>().unwrap().contains("10.1.2.3".parse().unwrap()));
    }
}
