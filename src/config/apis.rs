//! The checks of `apis`: what is proxied, where to, on what terms.

use super::check::Check;
use super::raw::{self, Text};
use super::{Api, Backend, BackendTls, Content, Limits, RegionPin, Selectors, SubjectSelector};
use crate::model::facts::{Arrival, Otherwise, UnlawfulField, UnlawfulRecord};
use crate::model::{Region, Regions};
use crate::payload::Selector;
use http::Uri;
use serde_saphyr::Spanned;
use std::collections::BTreeSet;
use std::sync::Arc;

const NODE_LIMIT: &str = "this is a limit of the whole node: write it in `limits` at the top level";

impl Check<'_> {
    pub(super) fn apis(&mut self, raw: &[raw::Api], regions: &Regions, defaults: Limits) -> Vec<Arc<Api>> {
        let (mut ids, mut matches, mut apis) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        for entry in raw {
            if !ids.insert(&entry.id.value) {
                self.problem(&entry.id, format!("the API `{}` stands here twice", entry.id.value));
            }
            let host = entry.matches.host.as_ref().map(|h| h.value.to_ascii_lowercase());
            if !matches.insert((host, &entry.matches.path.value)) {
                self.problem(&entry.matches.path, "another API matches the same host and path");
            }
            apis.extend(self.api(entry, regions, defaults).map(Arc::new));
        }
        apis
    }

    fn api(&mut self, raw: &raw::Api, regions: &Regions, defaults: Limits) -> Option<Api> {
        let names = (self.parse(&raw.id), self.parse(&raw.policy), self.parse(&raw.purpose));
        let path = self.take(&raw.matches.path, |t| if t.starts_with('/') { Ok(t.to_owned()) } else { Err(format!("`{t}` is no path: begin it with `/`")) });
        let recipient = self.maybe(raw.recipient.as_ref());
        let region = self.pin(raw.region.as_ref(), regions);
        let backends = self.backends(&raw.id, &raw.backends, regions);
        if let Some(text) = raw.recipient.as_ref().filter(|_| raw.region.is_none() && backends.len() != 1) {
            self.problem(text, "an API with a `recipient` needs a `region`, unless its backends are in one region only");
        }
        if let (Some(text), Some(RegionPin::Region(pinned))) = (&raw.region, &region)
            && !backends.iter().any(|(name, _)| name == pinned)
        {
            self.problem(text, format!("the API has no backend in `{pinned}`"));
        }
        let request = self.selectors(raw.records.as_ref(), raw.subject.as_ref());
        let response = self.selectors(raw.response.records.as_ref(), raw.response.subject.as_ref());
        let speaks_of = raw.speaks_of.as_ref().and_then(|text| self.one_of(text, &[("caller", true)]));
        let content = raw.content.as_ref().and_then(|text| self.one_of(text, &[("business", Content::Business), ("public", Content::Public)]));
        let fallbacks = (
            self.maybe(raw.otherwise.as_ref()),
            self.maybe(raw.unlawful_field.as_ref()),
            self.maybe(raw.unlawful_record.as_ref()),
            self.maybe(raw.arrival.as_ref()),
        );
        let (pass_credentials, pass_headers) = (self.headers(&raw.pass_credentials), self.headers(&raw.pass_headers));
        let obtained_from = self.maybe(raw.obtained_from.as_ref());
        let limits = self.api_limits(&raw.limits, defaults);
        Some(Api {
            id: names.0?,
            host: raw.matches.host.as_ref().map(|h| h.value.to_ascii_lowercase()),
            path: path?,
            policy: names.1?,
            purpose: names.2?,
            recipient,
            region: region?,
            backends,
            people_of: raw.people_of.clone(),
            speaks_of_caller: speaks_of.unwrap_or(false),
            trusted_subject: raw.trusted_subject,
            request,
            response,
            content,
            otherwise: fallbacks.0.unwrap_or(Otherwise::Home),
            unlawful_field: fallbacks.1.unwrap_or(UnlawfulField::Whole),
            unlawful_record: fallbacks.2.unwrap_or(UnlawfulRecord::Whole),
            arrival: fallbacks.3.unwrap_or(Arrival::Home),
            caller_by_geo: raw.caller_by_geo.unwrap_or(true),
            pass_credentials,
            pass_headers,
            obtained_from,
            require_tls: raw.require_tls,
            restore_for: raw.restore_for.iter().map(|role| role.value.clone()).collect(),
            limits,
        })
    }

    fn pin(&mut self, text: Option<&Text>, regions: &Regions) -> Option<RegionPin> {
        match text {
            None => Some(RegionPin::Home),
            Some(text) if text.value == "from_host" => Some(RegionPin::FromHost),
            Some(text) => self.region(text, regions).map(|(region, _)| RegionPin::Region(region)),
        }
    }

    fn selectors(&mut self, records: Option<&Text>, subject: Option<&raw::Subject>) -> Selectors {
        let records = self.maybe::<Selector>(records);
        let subject = subject.and_then(|subject| {
            let (namespace, at) = (self.parse(&subject.namespace), self.parse(&subject.at));
            Some(SubjectSelector { namespace: namespace?, at: at? })
        });
        Selectors { records, subject }
    }

    fn backends(&mut self, api: &Text, raw: &raw::Ordered<Vec<Spanned<raw::Backend>>>, regions: &Regions) -> Vec<(Region, Vec<Backend>)> {
        if raw.0.is_empty() {
            self.problem(api, format!("the API `{}` has no backend", api.value));
        }
        let mut all = Vec::new();
        for (name, entries) in &raw.0 {
            if entries.is_empty() {
                self.problem(name, format!("`{}` has no backend: name one or leave the region out", name.value));
            }
            let backends = entries.iter().filter_map(|entry| self.backend(entry)).collect();
            all.extend(self.region(name, regions).map(|(region, _)| (region, backends)));
        }
        all
    }

    fn backend(&mut self, raw: &Spanned<raw::Backend>) -> Option<Backend> {
        let (url, sni, ca) = match &raw.value {
            raw::Backend::Url(url) => (url, None, None),
            raw::Backend::Full(full) => (&full.url, full.sni.as_deref(), full.ca.as_deref()),
        };
        let read = backend(url).and_then(|(https, host, port)| match (https, sni, ca) {
            (false, None, None) => Ok(Backend { host, port, tls: None }),
            (false, ..) => Err("`sni` and `ca` belong to an `https` backend".to_owned()),
            (true, ..) => {
                let sni = sni.unwrap_or(&host).to_owned();
                Ok(Backend { host, port, tls: Some(BackendTls { sni, ca: ca.map(|ca| self.dir.join(ca)) }) })
            }
        });
        read.map_err(|what| self.problem(raw, what)).ok()
    }

    fn api_limits(&mut self, raw: &raw::Limits, defaults: Limits) -> Limits {
        let texts = [&raw.head, &raw.head_deadline, &raw.store_deadline, &raw.drain_deadline, &raw.buffers];
        for text in texts.into_iter().flatten() {
            self.problem(text, NODE_LIMIT);
        }
        for count in [&raw.connections, &raw.streams].into_iter().flatten() {
            self.problem(count, NODE_LIMIT);
        }
        self.limits(raw, defaults)
    }
}

/// Whether over TLS, host, port.
fn backend(url: &str) -> Result<(bool, String, u16), String> {
    let bad = || format!("`{url}` is no backend: write `http://host:port` or `https://host:port`");
    let uri: Uri = url.parse().map_err(|_| bad())?;
    let https = match uri.scheme_str() {
        Some("http") => false,
        Some("https") => true,
        _ => return Err(bad()),
    };
    let authority = uri.authority().filter(|a| !a.as_str().contains('@')).ok_or_else(bad)?;
    if uri.path_and_query().is_some_and(|p| p.as_str() != "/") {
        return Err(bad());
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    Ok((https, host, authority.port_u16().unwrap_or(if https { 443 } else { 80 })))
}
