//! From a client's address to a jurisdiction, by a country database in MaxMind's format. The weakest evidence there is.

use crate::model::Jurisdiction;
use flate2::read::GzDecoder;
use maxminddb::{PathElement, Reader};
use std::fmt;
use std::io::Read;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

/// Source, date and licence stand in `geo/country.txt`.
static COMPRESSED: &[u8] = include_bytes!("geo/country.mmdb.gz");
/// Inflated once, for all who ask: it is the same 8 MB for everybody.
static BUILTIN: LazyLock<Result<Geo, InvalidGeo>> = LazyLock::new(|| {
    let mut bytes = Vec::new();
    GzDecoder::new(COMPRESSED).read_to_end(&mut bytes).map_err(|e| InvalidGeo(e.to_string()))?;
    Ok(Geo { filler: Some(BUILTIN_FILLER), ..Geo::from_bytes(bytes)? })
});

/// Where databases keep the code: country databases of ip-location-db, and those of MaxMind.
const CODES: [&[PathElement<'static>]; 2] = [&[PathElement::Key("country_code")], &[PathElement::Key("country"), PathElement::Key("iso_code")]];
/// Codes in registries' data that name no state: Europe, Asia/Pacific, unknown.
const NO_STATE: [&str; 4] = ["EU", "AP", "ZZ", "XX"];
/// The built-in data says this wherever its makers found no row of their own: for private addresses, and for a fifth of the Chinese IPv6 addresses
/// tried. It is no evidence there, so that a caller it names counts as unknown, which is the strict reading.
const BUILTIN_FILLER: &str = "AU";

/// A country database.
#[derive(Clone)]
pub struct Geo {
    reader: Arc<Reader<Vec<u8>>>,
    /// A code that this database also gives to addresses it does not know.
    filler: Option<&'static str>,
}

/// Bytes that are no country database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidGeo(String);

impl fmt::Display for InvalidGeo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no country database in MaxMind's format: {}", self.0)
    }
}

impl std::error::Error for InvalidGeo {}

impl fmt::Debug for Geo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Geo({})", self.reader.metadata().database_type)
    }
}

impl Geo {
    /// The one in the binary.
    pub fn builtin() -> Result<Geo, InvalidGeo> {
        BUILTIN.clone()
    }

    /// Another one, whole.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Geo, InvalidGeo> {
        Reader::from_source(bytes).map(|reader| Geo { reader: Arc::new(reader), filler: None }).map_err(|e| InvalidGeo(e.to_string()))
    }

    /// When it was made, in seconds since 1970: old data is worse than none, and worth a warning.
    pub fn built(&self) -> u64 {
        self.reader.metadata().build_epoch
    }

    /// Where an address is registered; none for addresses that nobody on the Internet has.
    pub fn jurisdiction(&self, address: IpAddr) -> Option<Jurisdiction> {
        let found = self.reader.lookup(address.to_canonical()).ok()?;
        let code: &str = CODES.iter().find_map(|path| found.decode_path(path).ok().flatten())?;
        if NO_STATE.contains(&code) || self.filler == Some(code) { None } else { code.parse().ok() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_builtin_database_knows_where_addresses_are_registered() {
        let geo = Geo::builtin().unwrap();
        let of = |address: &str| geo.jurisdiction(address.parse().unwrap()).map(|j| j.to_string());
        // Blocks of universities and of a national carrier: they do not move.
        assert_eq!(of("166.111.4.100").as_deref(), Some("CN"));
        assert_eq!(of("::ffff:166.111.4.100").as_deref(), Some("CN"));
        assert_eq!(of("141.20.5.188").as_deref(), Some("DE"));
        assert_eq!(of("147.8.2.58").as_deref(), Some("HK"));
        assert_eq!(of("2409:8a00::1").as_deref(), Some("CN"));
        assert!(geo.built() > 1_700_000_000);
    }

    #[test]
    fn an_address_that_nobody_has_is_nowhere() {
        let geo = Geo::builtin().unwrap();
        for address in ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "::1", "fd00::1", "0.0.0.0"] {
            assert_eq!(geo.jurisdiction(address.parse().unwrap()), None, "{address}");
        }
    }

    #[test]
    fn what_the_database_says_for_want_of_knowledge_is_no_evidence() {
        // A Chinese university network that the data puts elsewhere.
        assert_eq!(Geo::builtin().unwrap().jurisdiction("2001:da8::1".parse().unwrap()), None);
    }

    #[test]
    fn other_bytes_are_refused() {
        assert!(Geo::from_bytes(b"no database".to_vec()).is_err());
    }
}
