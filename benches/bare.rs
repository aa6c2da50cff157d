//! A proxy as pingora's own manual builds one: `ProxyHttp`, everything passed through, nothing looked at.

use async_trait::async_trait;
use pingora_core::prelude::{HttpPeer, Opt, Server};
use pingora_core::server::configuration::ServerConf;
use pingora_proxy::{ProxyHttp, Session, http_proxy_service};
use std::net::SocketAddr;

struct Bare {
    backend: SocketAddr,
}

#[async_trait]
impl ProxyHttp for Bare {
    type CTX = ();

    fn new_ctx(&self) -> Self::CTX {}

    async fn upstream_peer(&self, _: &mut Session, _: &mut Self::CTX) -> pingora_core::Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(self.backend, false, String::new())))
    }
}

/// Passes what comes to `listen` on to `backend` until it is killed, with one worker and without work stealing, as the gateway is run here.
pub fn run(listen: SocketAddr, backend: SocketAddr) -> ! {
    let conf = ServerConf { threads: 1, work_stealing: false, ..Default::default() };
    let mut server = Server::new_with_opt_and_conf(Some(Opt::default()), conf);
    server.bootstrap();
    let mut service = http_proxy_service(&server.configuration, Bare { backend });
    service.add_tcp(&listen.to_string());
    server.add_service(service);
    server.run_forever()
}
