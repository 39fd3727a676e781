//! One connection, asked of the kernel (sock_diag(7)): microseconds, where its whole list takes milliseconds on a machine
//! with much memory.

use netlink_packet_core::{NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, IPPROTO_TCP};
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

/// The socket whose own address is `from` and that is connected to `to`, of either family; `None` when there is none.
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
            interface_id: 0,
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
            let inode = Some(u64::from(found.header.inode)).filter(|inode| *inode != 0);
            Ok(Some(TcpSocket { uid: found.header.uid, inode }))
        }
        NetlinkPayload::Error(error) => match error.to_io() {
            gone if gone.kind() == io::ErrorKind::NotFound => Ok(None),
            refused => Err(refused),
        },
        other => Err(odd(format!("{other:?}"))),
    }
}
