//! Content codings (RFC 9110 section 8.4) undone within bounds.

use super::Limits;
use crate::model::OpaqueReason;
use flate2::bufread::GzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use std::borrow::Cow;
use std::io::Read;

/// Content codings that are undone; a backend is asked for no others, so that its answers can be read.
pub const DECODED: [&str; 2] = ["gzip", "deflate"];

/// The bytes without their content coding: `identity`, `gzip` or `deflate`.
///
/// # Errors
/// `encoding` for any other coding or several of them, `size` for a plain body over the limit, `ratio` for a coded one that
/// decodes to more than the limit or to more than `limits.ratio` times its size, `syntax` if it is damaged, cut short or followed by something else.
pub fn decode<'a>(content_encoding: Option<&str>, bytes: &'a [u8], limits: &Limits) -> Result<Cow<'a, [u8]>, OpaqueReason> {
    let codings = content_encoding.unwrap_or_default().split(',').map(str::trim).filter(|c| !c.is_empty() && !c.eq_ignore_ascii_case("identity"));
    let codings: Vec<String> = codings.map(str::to_ascii_lowercase).collect();
    let most = limits.bytes.min(bytes.len().saturating_mul(limits.ratio));
    let decoded = match codings.as_slice() {
        [] if bytes.len() > limits.bytes => Err(OpaqueReason::Size),
        [] => return Ok(Cow::Borrowed(bytes)),
        // The answer to HEAD names a coding and has no body.
        [one] if bytes.is_empty() && matches!(one.as_str(), "gzip" | "x-gzip" | "deflate") => return Ok(Cow::Borrowed(bytes)),
        [one] if one == "gzip" || one == "x-gzip" => gunzip(bytes, most),
        [one] if one == "deflate" => inflate(bytes, most),
        _ => Err(OpaqueReason::Encoding),
    };
    decoded.map(Cow::Owned)
}

/// All members of a gzip file (RFC 1952 section 2.2), with nothing behind the last.
fn gunzip(bytes: &[u8], most: usize) -> Result<Vec<u8>, OpaqueReason> {
    let mut decoded = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let mut member = GzDecoder::new(rest);
        let room = (most - decoded.len()) as u64 + 1;
        let read = member.by_ref().take(room).read_to_end(&mut decoded);
        if decoded.len() > most {
            return Err(OpaqueReason::Ratio);
        }
        read.map_err(|_| OpaqueReason::Syntax)?;
        rest = member.into_inner();
    }
    Ok(decoded)
}

/// `deflate` means the zlib format (RFC 1950); some senders leave its wrapper away (RFC 9110 section 8.4.1.2), which is told by the header's check bits.
fn inflate(bytes: &[u8], most: usize) -> Result<Vec<u8>, OpaqueReason> {
    /// Output grows by this many bytes at a time.
    const STEP: usize = 64 << 10;
    let zlib = matches!(bytes, [method, flags, ..] if method & 0x0F == 8 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0);
    let mut inflater = Decompress::new(zlib);
    let mut decoded = Vec::new();
    loop {
        let (read, written) = (inflater.total_in(), decoded.len());
        decoded.reserve(STEP.min(most + 1 - written));
        let rest = bytes.get(read as usize..).unwrap_or_default();
        let status = inflater.decompress_vec(rest, &mut decoded, FlushDecompress::None).map_err(|_| OpaqueReason::Syntax)?;
        if decoded.len() > most {
            return Err(OpaqueReason::Ratio);
        }
        match status {
            Status::StreamEnd if inflater.total_in() == bytes.len() as u64 => return Ok(decoded),
            Status::StreamEnd => return Err(OpaqueReason::Syntax),
            _ if inflater.total_in() == read && decoded.len() == written => return Err(OpaqueReason::Syntax),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn raw(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn of(coding: &str, bytes: &[u8]) -> Result<Vec<u8>, OpaqueReason> {
        decode(Some(coding), bytes, &Limits::default()).map(Cow::into_owned)
    }

    #[test]
    fn what_was_coded_comes_back() {
        let body = br#"{"phone":"13800138000"}"#;
        assert_eq!(of("gzip", &gzip(body)).unwrap(), body);
        assert_eq!(of("X-GZIP", &gzip(body)).unwrap(), body);
        assert_eq!(of("deflate", &zlib(body)).unwrap(), body);
        assert_eq!(of("deflate", &raw(body)).unwrap(), body);
        assert_eq!(of("identity", body).unwrap(), body);
        assert_eq!(of("identity, gzip", &gzip(body)).unwrap(), body);
        assert_eq!(of("gzip", &[gzip(b"one "), gzip(b"two")].concat()).unwrap(), b"one two");
        assert_eq!(of("gzip", b"").unwrap(), b"");
    }

    #[test]
    fn what_is_cut_damaged_or_followed_by_something_is_syntax() {
        for (coding, whole) in [("gzip", gzip(b"some text to pack")), ("deflate", zlib(b"some text to pack")), ("deflate", raw(b"some text to pack"))] {
            for cut in 1..whole.len() {
                assert_eq!(of(coding, &whole[..cut]), Err(OpaqueReason::Syntax), "{coding} cut at {cut}");
            }
            assert_eq!(of(coding, &[&whole[..], b"x"].concat()), Err(OpaqueReason::Syntax), "{coding} with junk");
        }
        assert_eq!(of("gzip", b"{}"), Err(OpaqueReason::Syntax));
    }

    #[test]
    fn other_and_stacked_codings_are_not_read() {
        for coding in ["br", "zstd", "compress", "gzip, gzip", "gzip,br", "aes128gcm"] {
            assert_eq!(of(coding, b"x"), Err(OpaqueReason::Encoding), "{coding}");
        }
    }

    #[test]
    fn a_bomb_is_a_ratio_and_a_long_plain_body_a_size() {
        let zeros = vec![b' '; 4 << 20];
        for (coding, bomb) in [("gzip", gzip(&zeros)), ("deflate", zlib(&zeros)), ("deflate", raw(&zeros))] {
            assert_eq!(of(coding, &bomb), Err(OpaqueReason::Ratio), "{coding}");
        }
        assert_eq!(decode(None, &zeros, &Limits::default()), Err(OpaqueReason::Size));
        let small = Limits { bytes: 10, ..Limits::default() };
        assert_eq!(decode(Some("gzip"), &gzip(b"12345678901"), &small), Err(OpaqueReason::Ratio));
        assert!(decode(Some("gzip"), &gzip(b"1234567890"), &small).is_ok());
    }
}
