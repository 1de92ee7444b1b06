//! Whose bytes were being worked on when something panicked.
//!
//! libp2p drives every connection in a task of its own. A panic there, in yamux, TLS or a protocol, would leave that connection in
//! the swarm's books for ever; and a panic in the swarm itself ends the network's task. Both are a crash of the network: it is
//! ended and started again, and the peer at the other end is remembered, so that one that makes it crash again and again can be
//! shut out.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::handler::{ConnectionEvent, ConnectionHandler, ConnectionHandlerEvent, SubstreamProtocol};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
    dummy,
};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::Notify;

use super::{TransportKey, peer_id};

thread_local! {
    /// The peer whose connection this thread works on.
    static AT_WORK: Cell<Option<TransportKey>> = const { Cell::new(None) };
}

/// What is known of who is being worked for. It outlives the network's task.
#[derive(Debug, Clone, Default)]
pub(super) struct Trace(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    marks: Mutex<Marks>,
    crashed: Notify,
}

#[derive(Debug, Default)]
struct Marks {
    /// Whose connection's task panicked.
    crashed: Option<TransportKey>,
    /// Whose event the network's own task is handling.
    handling: Option<TransportKey>,
    /// Whose connection was worked on last, by anybody.
    last: Option<TransportKey>,
}

impl Trace {
    /// The network's task begins to handle what a peer sent, or is done with it.
    pub(super) fn handling(&self, peer: Option<TransportKey>) {
        self.marks().handling = peer;
    }

    /// After a crash: who is most likely behind it.
    pub(super) fn suspect(&self) -> Option<TransportKey> {
        let marks = self.marks();
        marks.crashed.or(marks.handling).or(marks.last)
    }

    /// Waits until the task of a connection has panicked.
    pub(super) async fn crashed(&self) {
        self.0.crashed.notified().await;
    }

    /// Runs the tasks of connections.
    pub(super) fn executor(&self) -> impl Fn(Pin<Box<dyn Future<Output = ()> + Send>>) + Send + use<> {
        let trace = self.clone();
        move |future| drop(tokio::spawn(Watched { future, peer: None, trace: trace.clone() }))
    }

    fn marks(&self) -> MutexGuard<'_, Marks> {
        // What a panicking thread has left there is whole: it is only ever replaced.
        self.0.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task of a connection, whose panics are noted.
struct Watched {
    future: Pin<Box<dyn Future<Output = ()> + Send>>,
    peer: Option<TransportKey>,
    trace: Trace,
}

impl Future for Watched {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        AT_WORK.set(self.peer);
        // The future is not touched again after a panic.
        let polled = catch_unwind(AssertUnwindSafe(|| self.future.as_mut().poll(context)));
        self.peer = AT_WORK.take();
        polled.unwrap_or_else(|_| {
            self.trace.marks().crashed = self.peer;
            self.trace.0.crashed.notify_one();
            Poll::Ready(())
        })
    }
}

/// Notes at every turn of a connection whose it is. It must be the first behaviour, so that its handler's turn comes first.
#[derive(Debug)]
pub(super) struct Marker(pub(super) Trace);

/// The part of it that runs on a connection.
pub(super) struct MarkerHandler {
    peer: Option<TransportKey>,
    trace: Trace,
}

impl ConnectionHandler for MarkerHandler {
    type FromBehaviour = Infallible;
    type ToBehaviour = Infallible;
    type InboundProtocol = <dummy::ConnectionHandler as ConnectionHandler>::InboundProtocol;
    type OutboundProtocol = <dummy::ConnectionHandler as ConnectionHandler>::OutboundProtocol;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        dummy::ConnectionHandler.listen_protocol()
    }

    fn on_behaviour_event(&mut self, event: Infallible) {
        match event {}
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, (), Self::ToBehaviour>> {
        AT_WORK.set(self.peer);
        self.trace.marks().last = self.peer;
        Poll::Pending
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Self::InboundProtocol, Self::OutboundProtocol>) {
        dummy::ConnectionHandler.on_connection_event(event);
    }
}

impl Marker {
    fn handler(&self, peer: &PeerId) -> MarkerHandler {
        MarkerHandler { peer: peer_id::key(peer), trace: self.0.clone() }
    }
}

impl NetworkBehaviour for Marker {
    type ConnectionHandler = MarkerHandler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(&peer))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(&peer))
    }

    fn on_swarm_event(&mut self, _: FromSwarm) {}

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}
