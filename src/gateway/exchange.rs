//! The straight path of one exchange, there and back; both directions go through [`Exchange::screened`].

use super::body::{self, Share, Unread};
use super::evidence::decided;
use super::head::{self, Fault};
use super::hop::accept_only_what_is_decoded;
use super::reply::{self, Language, Refusal};
use super::upstream::{self, Answer, Outgoing};
use super::{Gateway, Peer};
use crate::config::{Api, Content, RegionPin};
use crate::deidentify::Reader;
use crate::ledger::Event;
use crate::model::facts::{KnownBy, Store};
use crate::model::{Action, Decision, DecisionId, Direction, Facts, Outcome, Region, RuleId, SubjectRef};
use crate::origin::{Arrived, Caller, Claim};
use crate::policy;
use crate::registry::{Known, Query, SubjectKey};
use crate::screen::{self, Carried, Cleared, Denied, Inspected, Line, Message, OnRecord, Reading, Sealed, Situation, Workshop};
use crate::snapshot::Snapshot;
use http::{Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Look-ups of one decision before the registry counts as unavailable: a lease outlives a decision many times over.
const LOOK_UPS_MAX: usize = 3;

/// One exchange from its first byte to its last.
pub(super) struct Exchange {
    pub(super) gateway: Arc<Gateway>,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) id: DecisionId,
    pub(super) peer: Peer,
    pub(super) started: Instant,
    pub(super) language: Language,
    pub(super) method: Method,
    pub(super) api: Option<Arc<Api>>,
    pub(super) caller: Caller,
    carried: Carried,
    /// The backend may have seen the request.
    pub(super) forwarded: bool,
    /// For the access log: what was decided each way, and whether everything was read.
    pub(super) decisions: Vec<(Direction, Decision)>,
    pub(super) inspected: bool,
    /// The API's content is public, and nothing in the request says who asks.
    public: bool,
    pub(super) edited: Option<screen::Edits>,
    request_share: Option<Share>,
}

/// Which way a message goes, for which API, and how it is read.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) direction: Direction,
    pub(super) api: &'a Api,
    reading: &'a Reading,
}

/// A request that may be sent, and the part of its body that was not read.
pub(super) struct Ready {
    sealed: Sealed,
    rest: Option<Incoming>,
}

impl Exchange {
    pub(super) fn begin(gateway: Arc<Gateway>, peer: Peer) -> Self {
        let snapshot = gateway.snapshot();
        Exchange {
            id: gateway.new_id(),
            snapshot,
            gateway,
            peer,
            started: Instant::now(),
            language: Language::English,
            method: Method::GET,
            api: None,
            caller: Caller::nobody(),
            carried: Carried::default(),
            forwarded: false,
            decisions: Vec::new(),
            inspected: true,
            public: false,
            edited: None,
            request_share: None,
        }
    }

    /// Steps 2 to 10 of a request: head, caller, body, inspect, gather, decide, apply, seal.
    pub(super) async fn request(&mut self, request: Request<Incoming>) -> Result<Ready, Refusal> {
        let (parts, incoming) = request.into_parts();
        self.method = parts.method.clone();
        self.language = Language::of(&parts.headers);
        let snapshot = self.snapshot.clone();
        let judged = head::judge_request(parts, snapshot.config.bounds.head_bytes).map_err(fault)?;
        let mut message = judged.message;
        let path = if let Line::Request { path, .. } = &message.line { path.as_str() } else { "/" };
        let api = snapshot.config.route(&judged.host, path).cloned().ok_or(refuse(
            StatusCode::NOT_FOUND,
            "no_route",
            "no API is configured for this host and path",
        ))?;
        self.api = Some(api.clone());
        if api.require_tls && !self.peer.tls {
            return Err(refuse(StatusCode::FORBIDDEN, "tls_required", "this API takes no message over plain HTTP"));
        }
        self.caller = self.caller_of(&judged.original)?;
        let anonymous = !judged.original.contains_key(header::AUTHORIZATION) && !judged.original.contains_key(header::COOKIE);
        self.public = api.content == Some(Content::Public) && anonymous && matches!(self.method, Method::GET | Method::HEAD);
        for name in snapshot.config.hops.headers() {
            message.headers.remove(name); // believed or not, none of them is for the backend
        }
        if !self.public {
            message.headers.remove(header::RANGE); // a part of an answer cannot be inspected as the whole (RFC 9110 §14.2 lets a server ignore it)
            message.headers.remove(header::IF_RANGE);
        }
        accept_only_what_is_decoded(&mut message);

        let limit = api.limits.payload.bytes;
        let read = body::read(incoming, limit, api.limits.body_deadline, &self.gateway.budget).await.map_err(|unread| match unread {
            Unread::Late => refuse(StatusCode::REQUEST_TIMEOUT, "slow_body", "the body did not arrive in time"),
            Unread::Broken => refuse(StatusCode::BAD_REQUEST, "broken_body", "the body broke off or its framing is wrong"),
            Unread::Spent => refuse(StatusCode::SERVICE_UNAVAILABLE, "buffers_spent", "the node's buffers are spent"),
        })?;
        message.body = read.bytes;
        message.streams = read.rest.is_some();
        self.request_share = Some(read.share);

        let addressed = match &api.region {
            RegionPin::Home => None,
            RegionPin::Region(region) => Some(region.clone()),
            RegionPin::FromHost => snapshot.config.region_of_host(&judged.host).cloned(),
        };
        let reading = snapshot.request_reading(&api).ok_or(unconfigured())?;
        let (cleared, event) = self.screened(Way { direction: Direction::Request, api: &api, reading }, message, addressed, None).await?;
        let edits = cleared.edits();
        self.edited = (edits.records + edits.fields > 0).then_some(edits);
        let sealed = self.seal(cleared, event, Direction::Request).await?;
        Ok(Ready { sealed, rest: read.rest })
    }

    /// Steps 11 and 12: send, then the same steps for the answer. Runs in a task of its own: a client that goes away loses nothing.
    pub(super) async fn answer(&mut self, ready: Ready) -> Result<Response<Outgoing>, Refusal> {
        let api = self.api.clone().ok_or(unconfigured())?;
        let (mut message, decision) = ready.sealed.into_parts();
        let region = decision.destination.clone().ok_or(unconfigured())?;
        self.speak_for_this_hop(&mut message, decision.stays);
        let sent = Instant::now();
        let bytes = message.body.len() as u64;
        let bounds = upstream::Bounds {
            body_bytes: api.limits.payload.bytes,
            head_bytes: self.snapshot.config.bounds.head_bytes,
            // A body that is still streaming in has its own time to arrive.
            answer_deadline: api.limits.answer_deadline + if ready.rest.is_some() { api.limits.body_deadline } else { Duration::ZERO },
            budget: self.gateway.budget.clone(),
        };
        let answer = self.gateway.upstreams.send(&api.id, &region, message, ready.rest, &bounds).await;
        self.gateway.metrics.upstream.with_label_values(&[region.as_str()]).observe(sent.elapsed().as_secs_f64());
        self.forwarded = !matches!(&answer, Err(no) if !no.written);
        if decision.recorded {
            let (result, status) = match &answer {
                Ok(Answer { message: Message { line: Line::Response { status }, .. }, .. }) => ("delivered", Some(status.as_u16())),
                Ok(_) => ("delivered", None),
                Err(no) if no.written => ("unknown", None),
                Err(_) => ("not_sent", None),
            };
            self.note(Direction::Request, &Event::Outcome { api: api.id.clone(), direction: Direction::Request, result, status, bytes });
        }
        let Answer { message, rest, share } = answer.map_err(|no| refuse(no.status, "backend", no.detail))?;

        let snapshot = self.snapshot.clone();
        let reading = snapshot.response_reading(&api).ok_or(unconfigured())?;
        let (cleared, event) = self.screened(Way { direction: Direction::Response, api: &api, reading }, message, None, Some(region)).await?;
        let restored = cleared.edits() != screen::Edits::default();
        let sealed = self.seal(cleared, event, Direction::Response).await?;
        let (message, _) = sealed.into_parts();
        Ok(self.reply(message, rest, restored).map(|body| body.holding(share)))
    }

    /// Steps 5 to 9, either way: inspect, gather, decide, apply.
    async fn screened(
        &mut self,
        way: Way<'_>,
        message: Message,
        addressed: Option<Region>,
        backend: Option<Region>,
    ) -> Result<(Cleared, Option<Event>), Refusal> {
        let Way { direction, api, .. } = way;
        let snapshot = self.snapshot.clone();
        let began = Instant::now();
        let mut inspected = self.inspect(&message, &way);
        if direction == Direction::Response {
            screen::set_apart_echoes(&mut inspected, &message, &self.carried);
        } else {
            if inspected.has_token() {
                return Err(refuse(
                    StatusCode::BAD_REQUEST,
                    "token",
                    "the request carries a token of this gateway; tokens are restored in answers, never sent back",
                ));
            }
            self.carried = Carried::of(&message, &inspected);
        }
        self.gateway.metrics.inspection.with_label_values(&[direction.id()]).observe(began.elapsed().as_secs_f64());
        for reason in &inspected.opaque {
            self.gateway.metrics.opaque.with_label_values(&[reason.id()]).inc();
            self.inspected = false;
        }
        let terms = snapshot.terms(api).ok_or(unconfigured())?;
        let caller = self.caller.clone();
        let situation = Situation {
            direction,
            node: &snapshot.node,
            api: &api.id,
            purpose: &api.purpose,
            recipient: if direction == Direction::Request { api.recipient.as_ref() } else { None },
            caller: &caller,
            speaks_of_caller: api.speaks_of_caller,
            trusted_subject: api.trusted_subject,
            people_of: &terms.people_of,
            addressed,
            backend: backend.map(|region| snapshot.site(&region)),
        };
        let (facts, decision) = self.decide(&inspected, &situation, api).await?;
        self.decisions.push((direction, decision.clone()));
        if let Some((reason, status)) = inspected.opaque.iter().find_map(|r| screen::opaque_status(*r, direction, decision.stays).map(|s| (*r, s))) {
            self.note(direction, &decided(way, &facts, &decision, &inspected, message.body.len()));
            return Err(Refusal::Opaque { reason, status });
        }
        if decision.action == Action::Refuse {
            self.note(direction, &decided(way, &facts, &decision, &inspected, message.body.len()));
            return Err(self.refusal(&facts, decision, &message));
        }
        self.cleared(way, message, &inspected, &facts, decision)
    }

    /// What is `content: public` is not read: the same for everybody, asked for without credentials, answered without a cookie.
    fn inspect(&mut self, message: &Message, way: &Way<'_>) -> Inspected {
        let unread = self.public && !message.headers.contains_key(header::SET_COOKIE);
        if unread || cfg!(feature = "unscreened") {
            self.inspected = false;
            return Inspected::default();
        }
        screen::inspect(message, way.reading)
    }

    /// Gather and decide, under a lease of the registry: nothing decided after a withdrawal was acknowledged leans on it.
    async fn decide(&self, inspected: &Inspected, situation: &Situation<'_>, api: &Api) -> Result<(Facts, Decision), Refusal> {
        let people = screen::people(inspected, situation);
        // A text that is no identifier of its namespace names nobody who could be on record.
        let keys: Vec<Option<SubjectKey>> = people.named.iter().map(|n| SubjectKey::new(n.namespace.clone(), &n.id).ok()).collect();
        let query = Query { subjects: keys.iter().flatten().cloned().collect(), recipient: api.recipient.clone() };
        for _ in 0..LOOK_UPS_MAX {
            let known = self.look_up(&query, inspected).await;
            let mut on_record = OnRecord { rows: None, bases: Default::default(), unavailable: Default::default() };
            let rows: Option<Vec<_>> = known.as_ref().map(|known| {
                let mut rows = known.subjects.iter();
                keys.iter().map(|key| key.as_ref().and_then(|_| rows.next()).and_then(Clone::clone)).collect()
            });
            on_record.rows = rows.as_deref();
            if let Some(known) = &known {
                on_record.bases = known.bases.clone();
            }
            if known.is_none() || !self.gateway.registry.healthy() {
                on_record.unavailable.insert(Store::Registry);
            }
            if !self.gateway.ledger.healthy() {
                on_record.unavailable.insert(Store::Ledger);
            }
            let now = self.gateway.now();
            let setting =
                self.snapshot.setting(api, now).ok_or(refuse(StatusCode::SERVICE_UNAVAILABLE, "no_policy", "no version of the policy is in force"))?;
            let facts = screen::facts(inspected, &people, on_record, situation, now);
            let decision = policy::decide(&facts, &setting);
            if known.is_none_or(|known| Instant::now() < known.good_until) {
                return Ok((facts, decision));
            }
        }
        Err(Refusal::StoreDown("registry_unavailable"))
    }

    /// None while the registry is unavailable. A message in which nothing was found asks nothing.
    async fn look_up(&self, query: &Query, inspected: &Inspected) -> Option<Known> {
        if inspected.findings.is_empty() && inspected.opaque.is_empty() {
            let forever = Instant::now() + std::time::Duration::from_secs(1);
            return Some(Known { subjects: query.subjects.iter().map(|_| None).collect(), bases: Default::default(), good_until: forever });
        }
        let began = Instant::now();
        let known = self.gateway.registry.look_up(query).await.ok();
        self.gateway.metrics.lookup.with_label_values(&[self.snapshot.config.node.region.as_str()]).observe(began.elapsed().as_secs_f64());
        known
    }

    /// Step 9, with the ledger entry that step 10 needs if the message crosses.
    fn cleared(&self, way: Way<'_>, message: Message, inspected: &Inspected, facts: &Facts, decision: Decision) -> Result<(Cleared, Option<Event>), Refusal> {
        let Way { direction, api, reading } = way;
        let tenant = decision.policy.id.to_string();
        let subjects: Vec<Option<SubjectRef>> = facts.records.iter().map(|r| r.subject.clone()).collect();
        let workshop = Workshop {
            reading,
            tenant: &tenant,
            api: &api.id,
            keys: &self.snapshot.keys,
            subjects: &subjects,
            reader: self.reader(direction, facts, api),
            goes_home: decision.destination.is_some() && decision.records.iter().all(|r| r.home == decision.destination) && !decision.records.is_empty(),
        };
        let bytes = message.body.len();
        let denied = match screen::apply(message, inspected, decision.clone(), &workshop) {
            Ok(cleared) => {
                let event = (!cleared.needs_no_receipt()).then(|| decided(way, facts, cleared.decision(), inspected, bytes));
                return Ok((cleared, event));
            }
            Err(denied) => denied,
        };
        let (rule, detail) = match denied {
            Denied::Decided => return Err(Refusal::Decided(Box::new(decision))),
            Denied::CannotEdit => ("cannot_edit", "the data may leave only de-identified, and it cannot be de-identified here"),
            Denied::SecondInspection => ("second_inspection", "after de-identification the message still held personal data"),
        };
        let mut refused = Decision { outcome: Outcome::Block, action: Action::Refuse, destination: None, ..decision };
        refused.rules.extend(rule.parse::<RuleId>());
        self.note(direction, &decided(way, facts, &refused, inspected, bytes));
        Err(refuse(StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS, rule, detail))
    }

    /// Who reads tokens restored: a caller of an answer, verified, who stands where the node does. The key's own place is checked with the key.
    fn reader<'f>(&self, direction: Direction, facts: &'f Facts, api: &Api) -> Option<Reader<'f>> {
        let verified = matches!(facts.caller.known_by, KnownBy::Claim | KnownBy::TrustedHop | KnownBy::Certificate);
        let here = facts.caller.jurisdiction.is_some() && facts.caller.jurisdiction == Some(self.snapshot.config.node.jurisdiction);
        let by_role = facts.caller.role.as_deref().is_some_and(|role| api.restore_for.contains(role));
        (direction == Direction::Response && verified && here).then_some(Reader {
            subject: facts.caller.subject.as_ref(),
            jurisdiction: facts.caller.jurisdiction,
            by_role,
        })
    }

    /// Who calls. What cannot be verified is refused rather than ignored: its sender believes to be known.
    fn caller_of(&self, headers: &http::HeaderMap) -> Result<Caller, Refusal> {
        let arrived = Arrived { headers, peer: self.peer.hop, proxied: self.peer.proxied, now: self.gateway.now() };
        let caller = self.snapshot.sources.caller(&arrived);
        match caller.claim {
            Claim::Invalid(_) => Err(refuse(StatusCode::UNAUTHORIZED, "invalid_token", "what the request says of its caller cannot be verified")),
            Claim::Absent | Claim::Verified => Ok(caller),
        }
    }

    /// Why the decision refuses, in HTTP's words.
    fn refusal(&self, facts: &Facts, decision: Decision, message: &Message) -> Refusal {
        if facts.unavailable.contains(&Store::Ledger) && decision.rules.contains(&policy::Builtin::Unavailable.rule()) {
            return Refusal::StoreDown("ledger_unavailable");
        }
        if decision.rules.contains(&policy::Builtin::Unavailable.rule()) {
            return Refusal::StoreDown("registry_unavailable");
        }
        self.redirect(&decision, message).unwrap_or_else(|| Refusal::Decided(Box::new(decision)))
    }

    /// Where `arrival: redirect` says: the address of the one region in which all records live.
    fn redirect(&self, decision: &Decision, message: &Message) -> Option<Refusal> {
        let api = self.api.as_ref()?;
        let arrived = decision.rules.contains(&policy::Builtin::Arrival.rule());
        if !arrived || api.arrival != crate::model::facts::Arrival::Redirect {
            return None;
        }
        let home = decision.records.first()?.home.as_ref()?;
        let url = self.snapshot.config.region_urls.get(home)?;
        let Line::Request { path, query, .. } = &message.line else { return None };
        let query = query.as_ref().map(|q| format!("?{q}")).unwrap_or_default();
        Some(Refusal::Redirect { location: format!("{}{path}{query}", url.trim_end_matches('/')) })
    }

    /// The answer in our own words.
    pub(super) fn refuse(&self, refusal: &Refusal) -> Response<Outgoing> {
        let setting = reply::Setting {
            id: &self.id,
            operator_url: self.snapshot.config.operator_url.as_deref(),
            language: self.language,
            request_forwarded: self.forwarded,
            method_is_safe: self.method.is_safe(),
        };
        refusal.answer(&setting).map(|bytes| Outgoing::new(bytes, None))
    }
}

fn refuse(status: StatusCode, kind: &'static str, detail: &'static str) -> Refusal {
    Refusal::Fault { status, kind, detail }
}

fn fault(fault: Fault) -> Refusal {
    refuse(fault.status, "bad_request", fault.detail)
}

/// Cannot happen with a checked configuration; refuses if it does.
pub(super) fn unconfigured() -> Refusal {
    refuse(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the exchange could not be completed")
}
