//! One connection, asked of the kernel (sock_diag(7)): microseconds, where its whole list takes milliseconds on a machine
//! with much memory.

use netlink_packet_core::{NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, IPPROTO_TCP, TCP_LISTEN};
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, SocketId, StateFlags};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket, SocketAddr};
use sallyport_model::TcpSocket;
use std::io;
use std::net::{IpAddr, SocketAddrV4};

/// Room for the one answer, which is a header of 88 bytes and attributes.
const ANSWER: usize = 4096;
/// `cookie`: whichever socket has the addresses (linux/inet_diag.h, INET_DIAG_NOCOOKIE).
const NO_COOKIE: [u8; 8] = [0xff; 8];
/// The loopback device of every network namespace (linux/net.h, LOOPBACK_IFINDEX). A socket that is bound to it is found
/// by its number alone, and any other by it too.
const LOOPBACK: u32 = 1;

/// The socket whose own address is `from` and that is connected to `to`, of either family. `None` says only that the kernel
/// did not name it: so it also answers where it can't look, and for a socket that is bound to another device.
///
/// # Errors
/// Where this process may ask nothing of the kernel, or the kernel knows no such question.
pub(crate) fn find(from: SocketAddrV4, to: SocketAddrV4) -> io::Result<Option<TcpSocket>> {
    let mut socket = Socket::new(NETLINK_SOCK_DIAG)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    // The kernel answers within the call that asks. What is not there then does not come.
    socket.set_non_blocking(true)?;
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST;
    let question = SockDiagMessage::InetRequest(InetRequest {
        family: AF_INET,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::empty(),
        states: StateFlags::all(),
        socket_id: SocketId {
            source_port: from.port(),
            destination_port: to.port(),
            source_address: IpAddr::V4(*from.ip()),
            destination_address: IpAddr::V4(*to.ip()),
            interface_id: LOOPBACK,
            cookie: NO_COOKIE,
        },
    });
    let mut message = NetlinkMessage::new(header, question.into());
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    socket.send(&bytes, 0)?;
    let mut answer = vec![0; ANSWER];
    let length = socket.recv(&mut &mut answer[..], 0)?;
    let answer = answer.get(..length).unwrap_or_default();
    let odd = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    let message =
        NetlinkMessage::<SockDiagMessage>::deserialize(answer).map_err(|error| odd(error.to_string()))?;
    match message.payload {
        NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(found)) => {
            let socket = &found.header.socket_id;
            let ends = [
                (socket.source_address.to_canonical(), socket.source_port),
                (socket.destination_address.to_canonical(), socket.destination_port),
            ];
            // Where nothing is connected, the kernel names whoever listens there.
            let asked = [(IpAddr::V4(*from.ip()), from.port()), (IpAddr::V4(*to.ip()), to.port())];
            let is_it = ends == asked && found.header.state != TCP_LISTEN;
            let inode = Some(u64::from(found.header.inode)).filter(|inode| *inode != 0);
            Ok(is_it.then_some(TcpSocket { uid: found.header.uid, inode }))
        }
        NetlinkPayload::Error(error) => match error.to_io() {
            gone if gone.kind() == io::ErrorKind::NotFound => Ok(None),
            refused => Err(refused),
        },
        other => Err(odd(format!("{other:?}"))),
    }
}
