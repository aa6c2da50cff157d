//! The parts of a message outside its body, as documents: query, path, cookies, single headers.

use super::pairs::{self, Pairs};
use super::splice::{self, Change};
use super::{Document, Edit, Escape, Format, Kind, Limits, Node, Part, Span, Step, form, text};
use crate::model::OpaqueReason;
use std::borrow::Cow;

/// The reader of a part; none for the body, whose reader its media type picks.
pub fn format(part: &Part) -> Option<&'static dyn Format> {
    Some(match part {
        Part::Body => return None,
        Part::Query => &form::Form,
        Part::Path => &Path,
        Part::Cookie => &Cookie,
        Part::Header(name, _) => match name.as_str() {
            "set-cookie" => &SetCookie,
            "location" | "content-location" | "referer" | "refresh" | "link" => &Url,
            "content-disposition" => &Disposition,
            _ => &text::Text,
        },
    })
}

/// The path of the target, by segment. One that is taken out leaves `-`: the others keep their places.
pub struct Path;

impl Format for Path {
    fn id(&self) -> &'static str {
        "path"
    }

    fn media_types(&self) -> &'static [&'static str] {
        &[]
    }

    fn parse<'a>(&self, bytes: &'a [u8], limits: &Limits) -> Result<Document<'a>, OpaqueReason> {
        let mut document = pairs::rooted(bytes, Kind::Array, Escape::Percent);
        segments(&mut document, 0..bytes.len(), limits)?;
        Ok(document)
    }

    fn text<'a>(&self, bytes: &'a [u8], span: &Span, _: Kind) -> Cow<'a, str> {
        Escape::Percent.decode(bytes.get(span.clone()).unwrap_or_default()).unwrap_or_default()
    }

    fn splice(&self, bytes: &[u8], edits: &[Edit]) -> Vec<u8> {
        splice::make(bytes, edits.iter().map(|e| put(e, "-")).collect(), b'/')
    }
}

/// The joined `Cookie` header (RFC 6265 section 4.2). A cookie that is taken out goes with its name.
pub struct Cookie;

impl Format for Cookie {
    fn id(&self) -> &'static str {
        "cookie"
    }

    fn media_types(&self) -> &'static [&'static str] {
        &[]
    }

    fn parse<'a>(&self, bytes: &'a [u8], limits: &Limits) -> Result<Document<'a>, OpaqueReason> {
        let mut document = pairs::rooted(bytes, Kind::Object, Escape::Percent);
        Pairs::new(&mut document, limits).split(0..bytes.len(), b';')?;
        Ok(document)
    }

    fn text<'a>(&self, bytes: &'a [u8], span: &Span, kind: Kind) -> Cow<'a, str> {
        Path.text(bytes, span, kind)
    }

    fn splice(&self, bytes: &[u8], edits: &[Edit]) -> Vec<u8> {
        pairs::splice(bytes, edits, b';', Escape::Percent, "")
    }
}

/// One `Set-Cookie` header (RFC 6265 section 4.1). Taking the cookie out empties the header: its attributes mean nothing alone.
pub struct SetCookie;

impl Format for SetCookie {
    fn id(&self) -> &'static str {
        "set_cookie"
    }

    fn media_types(&self) -> &'static [&'static str] {
        &[]
    }

    fn parse<'a>(&self, bytes: &'a [u8], limits: &Limits) -> Result<Document<'a>, OpaqueReason> {
        let mut document = pairs::rooted(bytes, Kind::Object, Escape::Percent);
        Pairs::new(&mut document, limits).split(0..bytes.len(), b';')?;
        let first = document.nodes.get(1).map(|n| n.slot.clone());
        for node in document.nodes.iter_mut().filter(|n| first.as_ref() == Some(&n.slot)) {
            node.slot = 0..bytes.len();
        }
        Ok(document)
    }

    fn text<'a>(&self, bytes: &'a [u8], span: &Span, kind: Kind) -> Cow<'a, str> {
        Path.text(bytes, span, kind)
    }

    fn splice(&self, bytes: &[u8], edits: &[Edit]) -> Vec<u8> {
        pairs::splice(bytes, edits, b';', Escape::Percent, "")
    }
}

/// A header that is a URL (RFC 3986): user information, path segments, the pairs of query and fragment.
pub struct Url;

impl Format for Url {
    fn id(&self) -> &'static str {
        "url"
    }

    fn media_types(&self) -> &'static [&'static str] {
        &[]
    }

    fn parse<'a>(&self, bytes: &'a [u8], limits: &Limits) -> Result<Document<'a>, OpaqueReason> {
        let mut document = pairs::rooted(bytes, Kind::Object, Escape::Form);
        let find = |from: usize, any: &[u8]| bytes.iter().skip(from).position(|b| any.contains(b)).map_or(bytes.len(), |i| from + i);
        let authority = bytes.windows(2).position(|w| w == b"//").filter(|at| *at < find(0, b"?#")).map_or(0, |at| at + 2);
        let path = if authority > 0 { find(authority, b"/?#") } else { 0 };
        let (query, fragment) = (find(path, b"?#"), find(path, b"#"));
        if let Some(at) = bytes.get(authority..path).and_then(|host| host.iter().position(|b| *b == b'@')) {
            let span = authority..authority + at;
            let text = Escape::Form.decode(bytes.get(span.clone()).unwrap_or_default())?;
            document.nodes.push(Node { parent: 0, step: Step::Name(Cow::Borrowed("userinfo")), kind: Kind::Text, span: span.clone(), slot: span, text });
        }
        segments(&mut document, path..query, limits)?;
        let mut pairs = Pairs::new(&mut document, limits);
        pairs.split((query + 1).min(fragment)..fragment, b'&')?;
        pairs.split((fragment + 1).min(bytes.len())..bytes.len(), b'&')?;
        Ok(document)
    }

    fn text<'a>(&self, bytes: &'a [u8], span: &Span, kind: Kind) -> Cow<'a, str> {
        form::Form.text(bytes, span, kind)
    }

    fn splice(&self, bytes: &[u8], edits: &[Edit]) -> Vec<u8> {
        pairs::splice(bytes, edits, b'&', Escape::Percent, "-")
    }
}

/// `Content-Disposition` (RFC 6266): the file name, plain or extended (RFC 8187).
pub struct Disposition;

impl Format for Disposition {
    fn id(&self) -> &'static str {
        "content_disposition"
    }

    fn media_types(&self) -> &'static [&'static str] {
        &[]
    }

    fn parse<'a>(&self, bytes: &'a [u8], limits: &Limits) -> Result<Document<'a>, OpaqueReason> {
        let mut document = pairs::rooted(bytes, Kind::Object, Escape::Percent);
        let mut pairs = Pairs::new(&mut document, limits);
        for slot in parameters(bytes) {
            let equals = bytes.get(slot.clone()).unwrap_or_default().iter().position(|b| *b == b'=').map_or(slot.end, |i| slot.start + i);
            let name = pairs::trimmed(bytes, slot.start..equals, b" \t");
            let mut value = pairs::trimmed(bytes, (equals + 1).min(slot.end)..slot.end, b" \t\"");
            if bytes.get(name.clone()).is_some_and(|n| n.ends_with(b"*")) {
                // UTF-8'en'text: only the text is a value.
                let marks = bytes.get(value.clone()).unwrap_or_default().iter().enumerate().filter(|(_, b)| **b == b'\'');
                value.start += marks.map(|(i, _)| i).nth(1).map_or(0, |i| i + 1);
            }
            pairs.add(name, value, slot)?;
        }
        Ok(document)
    }

    fn text<'a>(&self, bytes: &'a [u8], span: &Span, kind: Kind) -> Cow<'a, str> {
        Path.text(bytes, span, kind)
    }

    fn splice(&self, bytes: &[u8], edits: &[Edit]) -> Vec<u8> {
        pairs::splice(bytes, edits, b';', Escape::Percent, "")
    }
}

/// The pieces between semicolons that no quotes enclose.
fn parameters(bytes: &[u8]) -> Vec<Span> {
    let (mut pieces, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, byte) in bytes.iter().chain(b";").enumerate() {
        if escaped {
            escaped = false;
        } else if quoted && *byte == b'\\' {
            escaped = true;
        } else if *byte == b'"' {
            quoted = !quoted;
        } else if *byte == b';' && !quoted || at == bytes.len() {
            pieces.push(pairs::trimmed(bytes, start..at, b" \t"));
            start = at + 1;
        }
    }
    pieces.retain(|p| !p.is_empty());
    pieces
}

/// Adds the segments of a path, after its leading slash, as elements 0, 1, 2 …
fn segments(document: &mut Document<'_>, range: Span, limits: &Limits) -> Result<(), OpaqueReason> {
    let source = document.source;
    let path = source.get(range.clone()).unwrap_or_default();
    let mut start = range.start + usize::from(path.starts_with(b"/"));
    let path = path.strip_prefix(b"/").unwrap_or(path);
    if path.is_empty() {
        return Ok(());
    }
    for (index, segment) in path.split(|b| *b == b'/').enumerate() {
        let span = start..start + segment.len();
        start = span.end + 1;
        let text = Escape::Percent.decode(segment)?;
        if document.nodes.len() >= limits.members {
            return Err(OpaqueReason::Members);
        }
        document.nodes.push(Node { parent: 0, step: Step::Index(index), kind: Kind::Text, span: span.clone(), slot: span, text });
    }
    Ok(())
}

/// An edit of percent-encoded text; `gone` stands where something was taken out.
fn put(edit: &Edit, gone: &str) -> Change {
    let mut text = String::new();
    Escape::Percent.encode(edit.new.as_deref().unwrap_or(gone), &mut text);
    Change::Put(edit.span.clone(), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &str) -> &'static dyn Format {
        format(&Part::Header(name.to_string(), 0)).unwrap()
    }

    fn texts(format: &dyn Format, bytes: &[u8]) -> Vec<String> {
        let document = format.parse(bytes, &Limits::default()).unwrap();
        document.nodes.iter().filter(|n| matches!(n.kind, Kind::Text)).map(|n| n.text.to_string()).collect()
    }

    fn edited(format: &dyn Format, bytes: &[u8], text: &str, new: Option<&str>) -> String {
        let document = format.parse(bytes, &Limits::default()).unwrap();
        let node = document.nodes.iter().find(|n| n.text == text).unwrap();
        let edit = Edit { span: node.span.clone(), slot: node.slot.clone(), kind: node.kind, new: new.map(str::to_string) };
        String::from_utf8(format.splice(bytes, &[edit])).unwrap()
    }

    #[test]
    fn a_path_is_its_segments() {
        let path = format(&Part::Path).unwrap();
        assert_eq!(texts(path, b"/v1/users/%E5%BC%A0"), ["v1", "users", "\u{5F20}"]);
        assert_eq!(edited(path, b"/v1/138/x", "138", Some("a/b")), "/v1/a%2Fb/x");
        assert_eq!(edited(path, b"/v1/138/x", "138", None), "/v1/-/x");
    }

    #[test]
    fn cookies_are_pairs() {
        let cookie = format(&Part::Cookie).unwrap();
        assert_eq!(texts(cookie, b"sid=\"a%20b\"; lang=zh"), ["a b", "zh"]);
        assert_eq!(edited(cookie, b"sid=1; lang=zh", "1", None), "lang=zh");
        assert_eq!(edited(cookie, b"sid=1; lang=zh", "zh", None), "sid=1");
    }

    #[test]
    fn a_set_cookie_without_its_cookie_is_empty() {
        let set_cookie = header("set-cookie");
        assert_eq!(edited(set_cookie, b"phone=138; Path=/", "138", Some("x")), "phone=x; Path=/");
        assert_eq!(edited(set_cookie, b"phone=138; Path=/", "138", None), "");
    }

    #[test]
    fn a_location_shows_its_segments_and_its_query() {
        let location = header("location");
        assert_eq!(texts(location, b"https://u:p@h.example/a/138?tel=%2B86&x=1#n=2"), ["u:p", "a", "138", "+86", "1", "2"]);
        assert_eq!(edited(location, b"/a?tel=138&x=1", "138", None), "/a?x=1");
        // An empty segment would turn the path into another host.
        assert_eq!(edited(location, b"/138/x", "138", None), "/-/x");
    }

    #[test]
    fn a_content_disposition_shows_its_file_names() {
        let disposition = header("content-disposition");
        let value = b"attachment; filename=\"a;b.pdf\"; filename*=UTF-8''%E5%BC%A0.pdf";
        assert_eq!(texts(disposition, value).iter().filter(|t| !t.is_empty()).count(), 2);
        assert_eq!(edited(disposition, value, "\u{5F20}.pdf", Some("\u{674E}")), "attachment; filename=\"a;b.pdf\"; filename*=UTF-8''%E6%9D%8E");
    }
}
