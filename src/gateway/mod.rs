//! The only code that knows pingora and hyper: one straight path from socket to socket.
//!
//! pingora holds the connections (listeners, TLS, runtimes, connecting with identity, load balancing, health); hyper speaks HTTP on both sides.

mod body;
mod connection;
mod evidence;
mod exchange;
mod head;
mod hop;
mod journal;
pub mod log;
mod reload;
mod reply;
mod run;
mod upstream;

pub use connection::Listening;
pub use journal::Journalling;
pub use reload::{Reload, read_policies};
pub use run::{Beside, Node, StartError, start};

use crate::ledger;
use crate::metrics::{Metrics, status_class};
use crate::model::{Action, DecisionId};
use crate::registry::Registry;
use crate::snapshot::Snapshot;
use arc_swap::ArcSwap;
use body::Budget;
use exchange::Exchange;
use futures_util::FutureExt;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use jiff::Timestamp;
use log::Log;
use reply::Refusal;
use serde_json::json;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use upstream::{Outgoing, Upstreams};

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// The other end of the TCP connection.
    hop: IpAddr,
    /// The source address of its PROXY protocol header, on listeners that expect one.
    proxied: Option<IpAddr>,
    tls: bool,
}

/// Everything exchanges share.
pub struct Gateway {
    state: ArcSwap<Snapshot>,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) ledger: ledger::Writer,
    pub(crate) upstreams: Upstreams,
    budget: Budget,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) log: Log,
}

impl Gateway {
    /// The snapshot of this instant; an exchange keeps the one it began with.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.state.load_full()
    }

    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn new_id(&self) -> DecisionId {
        let id = uuid::Uuid::now_v7().to_string();
        // A UUID is an identifier by its form.
        id.parse().unwrap_or_else(|_| unreachable!("a UUID parses"))
    }

    fn random_u128(&self) -> u128 {
        rand::random()
    }

    /// One exchange, from a request to an answer. Never fails and never panics.
    async fn serve(self: Arc<Self>, request: Request<Incoming>, peer: Peer) -> Response<Outgoing> {
        let mut exchange = Exchange::begin(self.clone(), peer);
        let ready = match AssertUnwindSafe(exchange.request(request)).catch_unwind().await {
            Ok(Ok(ready)) => ready,
            Ok(Err(refusal)) => return exchange.finish(Err(refusal)),
            Err(_) => return exchange.finish(Err(self.panicked("request"))),
        };
        // What follows the seal runs in its own task: a client that goes away must not lose the outcome.
        let gateway = self.clone();
        let answer = tokio::spawn(async move {
            let answered = AssertUnwindSafe(exchange.answer(ready)).catch_unwind().await;
            let answer = answered.unwrap_or_else(|_| Err(gateway.panicked("answer")));
            exchange.finish(answer)
        });
        answer.await.unwrap_or_else(|_| {
            let mut response = Response::new(Outgoing::new(Default::default(), None));
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        })
    }

    fn panicked(&self, place: &'static str) -> Refusal {
        self.metrics.panics.with_label_values(&[place]).inc();
        Refusal::Fault { status: StatusCode::INTERNAL_SERVER_ERROR, kind: "internal", detail: "the exchange failed inside the gateway" }
    }
}

impl Exchange {
    /// The answer on the wire, with its line in the access log and its place in the metrics.
    fn finish(&self, answer: Result<Response<Outgoing>, Refusal>) -> Response<Outgoing> {
        let metrics = &self.gateway.metrics;
        let refused = answer.as_ref().err().map(Refusal::label);
        if let Some(reason) = refused {
            metrics.blocked.with_label_values(&[reason]).inc();
        }
        let response = answer.unwrap_or_else(|refusal| self.refuse(&refusal));
        let class = status_class(response.status());
        let api = self.api.as_ref().map_or("none", |api| api.id.as_str());
        let snapshot = self.gateway.snapshot();
        let node = snapshot.config.node.region.as_str().to_owned();
        let request = self.decisions.first().map(|(_, decision)| decision);
        let destination = request.and_then(|d| d.destination.as_ref()).map_or("none", |r| r.as_str());
        let action = request.map_or(Action::Refuse, |d| d.action).id();
        let seconds = self.started.elapsed().as_secs_f64();
        metrics.requests.with_label_values(&[api, node.as_str(), destination, action, class]).inc();
        metrics.request.with_label_values(&[api, class]).observe(seconds);
        self.gateway.log.line(log::EXCHANGE, || {
            let decided = self.decisions.iter().map(|(direction, d)| json!({"direction": direction, "outcome": d.outcome, "action": d.action, "destination": d.destination, "rules": d.rules, "stays": d.stays, "policy": d.policy}));
            json!({"decision_id": self.id, "api": api, "method": self.method.as_str(), "status": response.status().as_u16(), "refused": refused, "decisions": decided.collect::<Vec<_>>(),
                   "inspected": self.inspected, "request_forwarded": self.forwarded, "seconds": seconds})
        });
        response
    }
}
