//! A socket whose reads and writes end by one deadline, whatever the other side does.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// A socket with a deadline. What the other side sends byte by byte does not put it off.
pub struct Stream {
    socket: Socket,
    deadline: Instant,
}

enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    /// Connects over TCP.
    pub fn tcp(address: &SocketAddr, deadline: Instant) -> io::Result<Self> {
        let socket = TcpStream::connect_timeout(address, left(deadline)?)?;
        socket.set_nodelay(true)?;
        Ok(Self { socket: Socket::Tcp(socket), deadline })
    }

    /// Connects to a socket in the file system.
    pub fn unix(path: &Path, deadline: Instant) -> io::Result<Self> {
        Ok(Self { socket: Socket::Unix(connect_unix(path, left(deadline)?)?), deadline })
    }

    /// Another deadline, for what follows.
    pub fn until(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = Some(left(self.deadline)?);
            let read = match &mut self.socket {
                Socket::Tcp(socket) => socket.set_read_timeout(left).and_then(|()| socket.read(buffer)),
                Socket::Unix(socket) => socket.set_read_timeout(left).and_then(|()| socket.read(buffer)),
            };
            if read.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::Interrupted) {
                continue;
            }
            return read;
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = Some(left(self.deadline)?);
        match &mut self.socket {
            Socket::Tcp(socket) => socket.set_write_timeout(left).and_then(|()| socket.write(bytes)),
            Socket::Unix(socket) => socket.set_write_timeout(left).and_then(|()| socket.write(bytes)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// Linux waits while the queue of the socket is full, by default for ever. The time-out for sending holds for that, too.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn connect_unix(path: &Path, time: Duration) -> io::Result<UnixStream> {
    use std::os::fd::AsRawFd;

    use nix::sys::socket::sockopt::SendTimeout;
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, setsockopt, socket};
    use nix::sys::time::{TimeVal, TimeValLike};

    let socket = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    // Zero would be for ever.
    let time = i64::try_from(time.as_micros()).unwrap_or(i64::MAX).max(1);
    setsockopt(&socket, SendTimeout, &TimeVal::microseconds(time))?;
    connect(socket.as_raw_fd(), &UnixAddr::new(path)?)?;
    Ok(socket.into())
}

/// Elsewhere a full queue refuses at once.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn connect_unix(path: &Path, _: Duration) -> io::Result<UnixStream> {
    UnixStream::connect(path)
}
