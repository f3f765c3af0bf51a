"""A name server for the sandbox: answers A, MX, PTR and TXT from the world's records over UDP and TCP.

Knows every name under .example, example.net, example.org and 127.in-addr.arpa (NXDOMAIN for the rest, SERVFAIL for the names
that shall fail). Never asks anybody else. A packet that cannot be read is dropped.
"""
import asyncio
import ipaddress
import struct

TYPES = {1: "A", 2: "NS", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA"}


def _name(labels):
    return b"".join(bytes([len(label)]) + label for label in (part.encode() for part in labels.split(".")) if label) + b"\0"


def _data(kind, value):
    if kind == "A":
        return ipaddress.IPv4Address(value).packed
    if kind == "MX":
        return struct.pack(">H", 0 if value == "." else 10) + _name(value)
    if kind == "PTR":
        return _name(value)
    text = value.encode()
    return bytes([len(text)]) + text


def answer(world, query):
    """The answer's bytes, or None for a packet that is no query."""
    if len(query) < 17:
        return None
    labels, at = [], 12
    while at < len(query) and query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1"))
        at += query[at] + 1
    question = query[12:at + 5]
    kind = TYPES.get(struct.unpack(">H", query[at + 1:at + 3])[0], "")
    name = ".".join(labels).lower()
    key = name
    if name.endswith(".in-addr.arpa"):
        key = ".".join(reversed(name[:-len(".in-addr.arpa")].split(".")))
    values = world.names.get((key, kind), [])
    known = any(n == key or n.endswith("." + key) for n, _ in world.names)
    if any(name == bad or name.endswith("." + bad) for bad in world.servfail):
        code, values = 2, []
    else:
        code = 0 if known else 3
    number = {v: k for k, v in TYPES.items()}.get(kind, 0)
    body = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", number, 1, 60, len(data)) + data
                    for data in (_data(kind, value) for value in values))
    authority = b""
    if not values and code in (0, 3):
        zone = name.split(".")[-1] or "example"
        soa = _name("ns.example") + _name("hostmaster.example") + struct.pack(">IIIII", 1, 3600, 600, 86400, 60)
        authority = _name(zone) + struct.pack(">HHIH", 6, 1, 60, len(soa)) + soa
    header = query[:2] + struct.pack(">HHHHH", 0x8580 | code, 1, len(values), 1 if authority else 0, 0)
    return header + question + body + authority


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, world):
        self.world, self.transport = world, None

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        reply = answer(self.world, data)
        if reply:
            self.transport.sendto(reply, addr)


async def serve(world, ip, port=53):
    """Starts both servers and returns them; they live as long as the loop."""
    async def tcp(reader, writer):
        try:
            size = struct.unpack(">H", await reader.readexactly(2))[0]
            reply = answer(world, await reader.readexactly(size))
            if reply:
                writer.write(struct.pack(">H", len(reply)) + reply)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(world), local_addr=(ip, port))
    return transport, await asyncio.start_server(tcp, ip, port)
