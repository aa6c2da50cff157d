//! The second listener: registry API, probes, metrics. Reads are open to whoever reaches it; writes need the bearer token.

mod api;
mod probes;
mod problem;

use crate::config;
use crate::gateway::{Beside, Gateway};
use crate::snapshot::Fixed;
use async_trait::async_trait;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use zeroize::Zeroizing;

/// The listener, bound before anything runs.
pub struct Admin {
    socket: Mutex<Option<TcpListener>>,
    address: SocketAddr,
    token: Zeroizing<String>,
}

/// What the handlers share.
#[derive(Clone)]
struct State {
    gateway: Arc<Gateway>,
    fixed: Arc<Fixed>,
    token: Arc<Zeroizing<String>>,
}

impl Admin {
    /// Binds and reads the token.
    pub fn bind(admin: &config::Admin) -> Result<Self, String> {
        let token = admin.token.read()?;
        let socket = TcpListener::bind(admin.address).map_err(|e| e.to_string())?;
        socket.set_nonblocking(true).map_err(|e| e.to_string())?;
        let address = socket.local_addr().map_err(|e| e.to_string())?;
        Ok(Admin { socket: Mutex::new(Some(socket)), address, token })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

#[async_trait]
impl Beside for Admin {
    async fn run(&self, gateway: Arc<Gateway>, fixed: Fixed) {
        let Some(socket) = self.socket.lock().ok().and_then(|mut s| s.take()) else { return };
        let Ok(listener) = tokio::net::TcpListener::from_std(socket) else { return };
        let state = State { gateway, fixed: Arc::new(fixed), token: Arc::new(self.token.clone()) };
        let router = probes::router().merge(api::router()).with_state(state);
        let _ = axum::serve(listener, router).await;
    }
}
