//! The one place where sockets are opened: every address is put before the guard first.
//!
//! It never resolves a name. On failure it says whether the guard, the other side or the time was to blame.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout_at};

use crate::guard::{Blocked, Guard, Reach};

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The guard forbids the address; no packet was sent.
    #[error(transparent)]
    Blocked(#[from] Blocked),
    /// Nobody answered in time.
    #[error("no connection in time")]
    Timeout,
    /// The other side refused, or there is no way to it.
    #[error("no connection: {0}")]
    Unreachable(io::Error),
}

/// A way to a server, in the clear or encrypted.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Wire for S {}

/// Opens a TCP connection until `deadline`.
pub(crate) async fn tcp(
    guard: &Guard,
    reach: Reach,
    server: SocketAddr,
    deadline: Instant,
) -> Result<TcpStream, DialError> {
    guard.permit(server.ip(), reach)?;
    // What was vetted is what is dialled: a mapped address goes out as the IPv4 address it was judged as.
    let server = SocketAddr::new(server.ip().to_canonical(), server.port());
    let stream = timeout_at(deadline, TcpStream::connect(server)).await.map_err(|_| DialError::Timeout)?;
    let stream = stream.map_err(DialError::Unreachable)?;
    let _ = stream.set_nodelay(true); // lines and questions are small; without it they wait for each other
    Ok(stream)
}

/// Opens a UDP socket on a port of the system's choice that hears nobody but `server`.
pub(crate) async fn udp(guard: &Guard, reach: Reach, server: SocketAddr) -> Result<UdpSocket, DialError> {
    guard.permit(server.ip(), reach)?;
    let server = SocketAddr::new(server.ip().to_canonical(), server.port());
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let open = async {
        let socket = UdpSocket::bind((any, 0)).await?;
        socket.connect(server).await?;
        Ok(socket)
    };
    open.await.map_err(DialError::Unreachable)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Whoever opens a socket elsewhere goes past the guard.
    #[test]
    fn sockets_are_opened_nowhere_else() {
        fn look(folder: &Path) {
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    look(&path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap();
                for opener in ["TcpStream::connect", "UdpSocket::bind", "TcpSocket::new", "UnixStream", "lookup_host"] {
                    assert!(path.ends_with("dial.rs") || !code.contains(opener), "{} has {opener}", path.display());
                }
            }
        }
        look(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    }
}
