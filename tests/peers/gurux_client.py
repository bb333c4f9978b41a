"""gurux-dlms as the client of a meter over TCP with HDLC frames.

Usage: gurux_client.py PORT none|low|gmac|ciphered CLIENT SERVER

Prints what it read, one fact a line, or the exception that stopped it.
"""

import contextlib
import datetime
import io
import socket
import sys

from gurux_dlms import GXByteBuffer, GXReplyData
from gurux_dlms.enums import Authentication, InterfaceType, Security
from gurux_dlms.objects import GXDLMSClock, GXDLMSData, GXDLMSProfileGeneric, GXDLMSRegister
from gurux_dlms.secure import GXDLMSSecureClient


def flat(requests):
    """One frame, frames, or frames of several requests."""
    if isinstance(requests, list):
        return [frame for each in requests for frame in flat(each)]
    return [requests]


class Session:
    def __init__(self, port, mode, client, server):
        level = {"none": Authentication.NONE, "low": Authentication.LOW}.get(mode, Authentication.HIGH_GMAC)
        self.level = level
        self.client = GXDLMSSecureClient(True, client, server, level, "12345678", InterfaceType.HDLC)
        ciphering = self.client.ciphering
        ciphering.systemTitle = bytearray(b"GRX\x00\x00\x00\x00\x02")
        ciphering.blockCipherKey = bytearray(range(0x10))
        ciphering.authenticationKey = bytearray(range(0xD0, 0xE0))
        if mode == "ciphered":
            ciphering.security = Security.AUTHENTICATION_ENCRYPTION
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.settimeout(10)
        self.blocks = self.segments = 0

    def exchange(self, requests):
        reply = GXReplyData()
        for request in flat(requests):
            reply.clear()
            self.one(request, reply)
            while reply.isMoreData():
                if int(reply.moreData) & 2:
                    self.segments += 1
                else:
                    self.blocks += 1
                self.one(self.client.receiverReady(reply), reply)
        return reply

    def one(self, request, reply):
        self.socket.sendall(bytes(request))
        received, notification = GXByteBuffer(), GXReplyData()
        while True:
            received.set(self.socket.recv(4096))
            if self.client.getData(received, reply, notification):
                break
        if reply.error:
            raise RuntimeError(f"error {reply.error}")

    def open(self):
        self.client.parseUAResponse(self.exchange(self.client.snrmRequest()).data)
        self.client.parseAareResponse(self.exchange(self.client.aarqRequest()).data)
        if self.level > Authentication.LOW:
            proof = self.exchange(self.client.getApplicationAssociationRequest())
            self.client.parseApplicationAssociationResponse(proof.data)

    def read(self, target, index):
        reply = self.exchange(self.client.read(target, index))
        return self.client.updateValue(target, index, reply.value)

    def close(self):
        with contextlib.suppress(Exception):
            self.exchange(self.client.releaseRequest())
        self.exchange(self.client.disconnectRequest())


def facts(session):
    listed = session.client.parseObjects(session.exchange(session.client.getObjectsRequest()).data, True)
    yield f"objects {len(listed)}"
    clock = GXDLMSClock("0.0.1.0.0.255")
    session.read(clock, 2)
    yield f"clock {clock.time.value.isoformat()}"
    name = GXDLMSData("0.0.42.0.0.255")
    yield f"name {bytes(session.read(name, 2)).decode()}"
    energy = GXDLMSRegister("1.0.1.8.0.255")
    session.read(energy, 3)
    yield f"energy {session.read(energy, 2)} unit {int(energy.unit)}"
    voltage = GXDLMSRegister("1.0.32.7.0.255")
    session.read(voltage, 3)
    yield f"voltage {session.read(voltage, 2):.1f} unit {int(voltage.unit)}"
    profile = GXDLMSProfileGeneric("1.0.99.1.0.255")
    session.read(profile, 3)
    yield f"columns {[column[0].logicalName for column in profile.captureObjects]}"
    start = datetime.datetime(2025, 11, 6, 10)
    rows = session.exchange(session.client.readRowsByRange(profile, start, start + datetime.timedelta(hours=10))).value
    yield f"by range {len(rows)}: {[row[2] for row in rows[:3]]}"
    rows = session.exchange(session.client.readRowsByEntry(profile, 5, 4)).value
    yield f"by entry {len(rows)}: {[row[2] for row in rows]}"
    pair = [(name, 2), (energy, 2)]
    session.exchange(session.client.readList(pair))
    yield "list read"
    yield f"blocks {session.blocks > 0}, segments {session.segments > 0}"


def main():
    port, mode, client, server = sys.argv[1:]
    lines = []
    # gurux prints remarks of its own.
    with contextlib.redirect_stdout(io.StringIO()):
        session = Session(int(port), mode, int(client), int(server))
        try:
            session.open()
            lines.extend(facts(session))
        except Exception as error:  # pylint: disable=broad-except
            lines.append(f"{type(error).__name__}: {error}")
        session.close()
    print("\n".join(lines))


main()
