//! Whether a byte of a request went out. What was sent and received leaves no trace in memory.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use zeroize::Zeroize;

/// The last link of the connector's chain: notes when the request itself, not a handshake, begins to go out.
pub struct Noting {
    /// Becomes true before the first byte of the request is sent.
    pub sent: Arc<AtomicBool>,
    /// Whether the request goes through a proxy.
    pub proxied: bool,
    /// When the time of the request is over. An answer that lies ready is read all the same.
    pub deadline: Instant,
}

/// For what lies ready when the time is over: this process may have been frozen meanwhile.
const READY: Duration = Duration::from_millis(5);

/// A connection of [`Noting`]'s.
pub struct NotingTransport<T: Transport> {
    inner: T,
    /// `None`: this leads to the proxy only, which is asked for a connection.
    sent: Option<Arc<AtomicBool>>,
    deadline: Instant,
}

impl<T: Transport> NotingTransport<T> {
    fn in_time(&self, timeout: NextTimeout) -> NextTimeout {
        let left = self.deadline.saturating_duration_since(Instant::now()).max(READY);
        NextTimeout { after: timeout.after.min(left.into()), ..timeout }
    }
}

impl<In: Transport> Connector<In> for Noting {
    type Out = NotingTransport<In>;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        // The way to a proxy goes through the same chain, with a configuration that has none.
        let leads_to_the_server = self.proxied == details.config.proxy().is_some();
        Ok(chained.map(|inner| NotingTransport {
            inner,
            sent: leads_to_the_server.then(|| self.sent.clone()),
            deadline: self.deadline,
        }))
    }
}

impl<T: Transport> Transport for NotingTransport<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        if Instant::now() >= self.deadline {
            return Err(ureq::Error::Timeout(timeout.reason));
        }
        if let Some(sent) = &self.sent {
            sent.store(true, Ordering::Relaxed);
        }
        self.inner.transmit_output(amount, self.in_time(timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        match self.inner.await_input(self.in_time(timeout)) {
            // A process that was frozen while it waited has not looked since.
            Err(ureq::Error::Timeout(_)) if Instant::now() >= self.deadline => {
                self.inner.await_input(self.in_time(timeout))
            }
            read => read,
        }
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

impl fmt::Debug for Noting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Noting")
    }
}

impl<T: Transport> fmt::Debug for NotingTransport<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("NotingTransport")
    }
}

/// What was sent and received leaves no trace.
impl<T: Transport> Drop for NotingTransport<T> {
    fn drop(&mut self) {
        let buffers = self.inner.buffers();
        buffers.output().zeroize();
        buffers.input_consume(buffers.input().len());
        buffers.input_append_buf().zeroize();
    }
}
