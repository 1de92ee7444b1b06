//! The way of events to the node: a bounded channel, and a backlog for what must not be lost.
//!
//! The network task never waits for the node. When the channel is full, gossip and new requests are turned away, while
//! connections, answers and failures wait here in their order.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use super::limits::BACKLOG;
use super::{Event, TransportKey};

/// The sending side of the event channel.
#[derive(Debug)]
pub(super) struct Outlet {
    sender: mpsc::Sender<Event>,
    backlog: VecDeque<Event>,
}

impl Outlet {
    pub(super) fn new(sender: mpsc::Sender<Event>) -> Self {
        Outlet { sender, backlog: VecDeque::new() }
    }

    /// Hands over an event that may be lost. Returns `false` if it was.
    #[must_use]
    pub(super) fn offer(&mut self, event: Event) -> bool {
        self.backlog.is_empty() && self.sender.try_send(event).is_ok()
    }

    /// Hands over an event that must not be lost, now or as soon as there is room.
    pub(super) fn deliver(&mut self, event: Event) {
        if let Event::Disconnected { peer } = &event
            && self.forget_connected(*peer)
        {
            return;
        }
        let event = if self.backlog.is_empty() {
            match self.sender.try_send(event) {
                Ok(()) => return,
                Err(mpsc::error::TrySendError::Full(event)) => event,
                // The node is gone, and so will this task be.
                Err(mpsc::error::TrySendError::Closed(_)) => return,
            }
        } else {
            event
        };
        self.backlog.push_back(event);
    }

    pub(super) fn has_backlog(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Whether so much waits that no commands should be taken that lead to more.
    pub(super) fn is_backed_up(&self) -> bool {
        self.backlog.len() >= BACKLOG
    }

    /// Waits for room and hands over the oldest event of the backlog. Safe to cancel.
    pub(super) async fn flush(&mut self) {
        match self.sender.reserve().await {
            Ok(permit) => {
                if let Some(event) = self.backlog.pop_front() {
                    permit.send(event);
                }
            }
            Err(_) => self.backlog.clear(),
        }
    }

    /// Whether the node has dropped its end.
    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Completes when the node drops its end.
    pub(super) fn closed(&self) -> impl Future<Output = ()> + use<> {
        let sender = self.sender.clone();
        async move { sender.closed().await }
    }

    /// If the node has been told of a disconnection and not yet of the connection after it, it need not hear of that
    /// one at all: a peer that comes and goes does not fill the backlog.
    fn forget_connected(&mut self, gone: TransportKey) -> bool {
        let of_peer = |event: &Event| match event {
            Event::Connected { peer, .. } | Event::Disconnected { peer } => *peer == gone,
            Event::Listening(_)
            | Event::Gossip { .. }
            | Event::Request { .. }
            | Event::Response { .. }
            | Event::RequestFailed { .. }
            | Event::Refused { .. }
            | Event::DialFailed { .. } => false,
        };
        let mut places = self.backlog.iter().enumerate().filter(|(_, event)| of_peer(event)).map(|(at, _)| at);
        let (first, last) = (places.next(), places.next_back());
        match (first, last) {
            (Some(first), Some(last)) if first != last => {
                // Disconnected, Connected, and now Disconnected again: keep the first.
                self.backlog.remove(last);
                true
            }
            (Some(_) | None, Some(_) | None) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: TransportKey = TransportKey([1; 32]);

    fn connected() -> Event {
        Event::Connected { peer: PEER, address: String::new(), outbound: true }
    }

    fn disconnected() -> Event {
        Event::Disconnected { peer: PEER }
    }

    fn listening(n: u8) -> Event {
        Event::Listening(n.to_string())
    }

    #[tokio::test]
    async fn what_must_not_be_lost_waits_in_order() {
        let (sender, mut receiver) = mpsc::channel(1);
        let mut outlet = Outlet::new(sender);
        assert!(outlet.offer(listening(0)));
        assert!(!outlet.offer(listening(9)));
        outlet.deliver(listening(1));
        outlet.deliver(listening(2));
        assert_eq!(receiver.recv().await, Some(listening(0)));
        // There is room in the channel, but nothing may overtake the backlog.
        assert!(!outlet.offer(listening(9)));
        for n in 1..=2 {
            outlet.flush().await;
            assert_eq!(receiver.recv().await, Some(listening(n)));
        }
        assert!(outlet.offer(listening(3)));
    }

    #[tokio::test]
    async fn a_peer_that_comes_and_goes_does_not_fill_the_backlog() {
        let (sender, mut receiver) = mpsc::channel(1);
        let mut outlet = Outlet::new(sender);
        outlet.deliver(connected());
        for _ in 0..50 {
            outlet.deliver(disconnected());
            outlet.deliver(connected());
        }
        assert_eq!(outlet.backlog.len(), 2);
        assert_eq!(receiver.recv().await, Some(connected()));
        outlet.flush().await;
        assert_eq!(receiver.recv().await, Some(disconnected()));
        outlet.flush().await;
        assert_eq!(receiver.recv().await, Some(connected()));
        assert!(!outlet.has_backlog());
    }
}
