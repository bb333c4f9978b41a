"""A meter made of gurux-dlms, for one connection over TCP with HDLC frames.

Usage: gurux_server.py none|low|gmac|ciphered [--no-range] [--pdu N]

Prints its port, serves one client, and at the end prints what it saw: the authentication and how the client left.

Frames, association, GMAC, ciphering, block transfer and data types are gurux's own. Its class for servers cannot run as
it is published (1.0.203: names of methods that do not exist, arguments left out); what was mended stands in `Meter`.
"""

import datetime
import socket
import sys
import traceback

from gurux_dlms import GXByteBuffer, GXDateTime
from gurux_dlms.AesGcmParameter import AesGcmParameter
from gurux_dlms.GXCiphering import GXCiphering
from gurux_dlms.GXDLMS import GXDLMS
from gurux_dlms.GXDLMSLNParameters import GXDLMSLNParameters
from gurux_dlms.GXHdlcSettings import GXHdlcSettings
from gurux_dlms.GXSecure import GXSecure
from gurux_dlms.ValueEventArgs import ValueEventArgs
from gurux_dlms.ConnectionState import ConnectionState
from gurux_dlms._GXAPDU import _GXAPDU
from gurux_dlms.enums import (
    AccessMode, AssociationResult, Authentication, Command, DataType, ErrorCode, InterfaceType, ObjectType, RequestTypes,
    Security, SourceDiagnostic, Unit,
)
from gurux_dlms.internal._GXCommon import _GXCommon
from gurux_dlms.internal._GXDataInfo import _GXDataInfo
from gurux_dlms.objects import (
    GXDLMSAssociationLogicalName, GXDLMSCaptureObject, GXDLMSClock, GXDLMSData, GXDLMSProfileGeneric, GXDLMSRegister,
)
from gurux_dlms.objects.enums import SortMethod
from gurux_dlms.secure import GXDLMSSecureServer

PASSWORD = b"12345678"
TITLE = b"GRX\x00\x00\x00\x00\x01"
ENCRYPTION_KEY = bytes.fromhex("000102030405060708090A0B0C0D0E0F")
AUTHENTICATION_KEY = bytes.fromhex("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF")
START = datetime.datetime(2025, 11, 7, tzinfo=datetime.timezone.utc)
ROWS = 300


def open_request(settings, data):
    """Deciphers a request: GXDLMS.handleGloDedRequest leaves out an argument."""
    if data.moreData & RequestTypes.FRAME:
        data.data.position -= 1
        return
    data.data.position -= 1
    cipher = settings.cipher
    keys = AesGcmParameter(0, settings.sourceSystemTitle, cipher.blockCipherKey, cipher.authenticationKey)
    plain = GXCiphering.decrypt(settings, keys, data.data)
    data.data.clear()
    data.data.set(plain)
    data.command = Command(data.data.getUInt8())


GXDLMS.handleGloDedRequest = open_request


class Reply:
    """What the server's own class of replies lacks."""

    def __init__(self, data):
        self.data, self.reply, self.count = data, None, 0

    def isStreaming(self):
        return False

    def getConnectionInfo(self):
        return None

    def setReply(self, value):
        self.reply = value


class Meter(GXDLMSSecureServer):
    def __init__(self, mode, pdu):
        super().__init__(True, InterfaceType.HDLC)
        self.mode, self.denied, self.ranges, self.rest = mode, set(), True, None
        self.pdu = pdu
        self.hdlc = GXHdlcSettings()
        self.hdlc.maximumInfoLengthReceive = self.hdlc.maximumInfoLengthTransmit = 128
        self.hdlc.windowSizeReceive = self.hdlc.windowSizeTransmit = 1
        self.hdlc.inactivityTimeout = 0
        self.left = "without a word"
        cipher = self.settings.cipher = self.settings.ciphering
        cipher.systemTitle = bytearray(TITLE)
        cipher.blockCipherKey = bytearray(ENCRYPTION_KEY)
        cipher.authenticationKey = bytearray(AUTHENTICATION_KEY)
        cipher.security = Security.AUTHENTICATION_ENCRYPTION if mode == "ciphered" else Security.NONE

    # What the class asks its users.
    def isTarget(self, serverAddress, clientAddress):
        return serverAddress == 1

    def onValidateAuthentication(self, authentication, password):
        wanted = {"none": Authentication.NONE, "low": Authentication.LOW}.get(self.mode, Authentication.HIGH_GMAC)
        if authentication != wanted:
            return SourceDiagnostic.NOT_RECOGNISED
        if wanted == Authentication.LOW and bytes(password) != PASSWORD:
            return SourceDiagnostic.AUTHENTICATION_FAILURE
        return SourceDiagnostic.NONE

    def onFindObject(self, objectType, sn, ln):
        return None

    def onGetAttributeAccess(self, arg):
        return AccessMode.NO_ACCESS if arg.target.logicalName in self.denied else AccessMode.READ

    def onGetMethodAccess(self, arg):
        return 1

    def onPreRead(self, args): pass
    def onPostRead(self, args): pass
    def onConnected(self, info): pass
    def onInvalidConnection(self, info): pass
    def onDisconnected(self, info): pass

    # What had to be mended.
    def handleAarqRequest(self, data, connectionInfo):
        settings = self.settings
        result, error = AssociationResult.ACCEPTED, None
        settings.setCtoSChallenge(None)
        diagnostic = _GXAPDU.parsePDU(settings, settings.cipher, data, None)
        if diagnostic == SourceDiagnostic.NONE:
            diagnostic = self.onValidateAuthentication(settings.authentication, settings.password)
        if diagnostic != SourceDiagnostic.NONE:
            result = AssociationResult.PERMANENT_REJECTED
        elif settings.authentication > Authentication.LOW:
            diagnostic = SourceDiagnostic.AUTHENTICATION_REQUIRED
            settings.setStoCChallenge(GXSecure.generateChallenge())
        else:
            settings.connected |= ConnectionState.DLMS
        self.replyData.set(_GXCommon.LLC_REPLY_BYTES)
        body = GXByteBuffer()
        _GXAPDU.generateApplicationContextName(settings, body, settings.cipher)
        body.set(bytes([0xA2, 3, 2, 1, result, 0xA3, 5, 0xA1, 3, 2, 1, diagnostic]))
        if settings.authentication > Authentication.LOW:
            # generateAARE leaves out the length of the title.
            body.set(bytes([0xA4, 10, 4, 8]) + TITLE)
            challenge = bytes(settings.stoCChallenge)
            body.set(bytes([0x88, 2, 7, 0x80, 0x89, 7, 0x60, 0x85, 0x74, 5, 8, 2, settings.authentication]))
            body.set(bytes([0xAA, len(challenge) + 2, 0x80, len(challenge)]) + challenge)
        settings.maxPduSize = min(settings.maxPduSize, self.pdu)
        information = bytes(_GXAPDU.getUserInformation(settings, settings.cipher))
        # Each ciphered APDU has a counter of its own.
        settings.cipher.invocationCounter += 1
        body.set(bytes([0xBE, len(information) + 2, 4, len(information)]) + information)
        self.replyData.setUInt8(0x61)
        self.replyData.setUInt8(len(body))
        self.replyData.set(body)

    def handleReleaseRequest(self, data):
        self.left = "released"
        self.replyData.set(bytes([0xE6, 0xE7, 0x00, 0x63, 3, 0x80, 1, 0]))

    def handleSnrmRequest(self, data):
        GXDLMS.parseSnrmUaResponse(data, self.settings.hdlc)
        self.reset(True)
        # What the client may send and take is what it asked for, and no more than this meter has room for.
        agreed = self.settings.hdlc
        agreed.maxInfoTX, agreed.maxInfoRX = min(agreed.maxInfoTX, 128), min(agreed.maxInfoRX, 128)
        self.replyData.set(bytes([0x81, 0x80, 0x12, 5, 1, 128, 6, 1, 128, 7, 4, 0, 0, 0, 1, 8, 4, 0, 0, 0, 1]))
        self.settings.connected = ConnectionState.HDLC

    def generateDisconnectRequest(self):
        self.left += ", disconnected"

    def handleCommand(self, command, data, reply):
        try:
            return self.command(command, data, reply)
        except Exception:
            traceback.print_exc()
            raise

    def command(self, command, data, reply):
        if command == Command.GET_REQUEST and data:
            self.get(data)
        elif command == Command.METHOD_REQUEST:
            self.action(data)
        else:
            return super().handleCommand(command, data, reply)
        return GXDLMS.getHdlcFrame(self.settings, 0, self.replyData)

    def get(self, data):
        kind, invoke = data.getUInt8(), data.getUInt8()
        settings = self.settings
        settings.updateInvokeId(invoke)
        if kind == 2:
            number = data.getUInt32()
            if self.rest is None or number != settings.blockIndex:
                return self.answer(invoke, 2, GXByteBuffer(), ErrorCode.DATA_BLOCK_NUMBER_INVALID)
            settings.increaseBlockIndex()
            return self.answer(invoke, 2, self.rest, ErrorCode.OK)
        settings.setCount(0)
        settings.setIndex(0)
        settings.resetBlockIndex()
        self.rest = None
        value, status = GXByteBuffer(), ErrorCode.OK
        class_id, name = data.getUInt16(), bytearray(6)
        data.get(name)
        index, selector, parameters = data.getUInt8(), 0, None
        if data.getUInt8():
            selector = data.getUInt8()
            parameters = _GXCommon.getData(settings, data, _GXDataInfo())
        target = settings.objects.findByLN(ObjectType(class_id), _GXCommon.toLogicalName(name))
        arguments = ValueEventArgs(self, target, index, selector, parameters)
        if target is None:
            status = ErrorCode.UNDEFINED_OBJECT
        elif self.onGetAttributeAccess(arguments) == AccessMode.NO_ACCESS:
            status = ErrorCode.READ_WRITE_DENIED
        elif selector == 1 and not self.ranges:
            status = ErrorCode.DATA_BLOCK_UNAVAILABLE
        elif class_id == ObjectType.PROFILE_GENERIC and index == 2:
            value.set(target.getData(settings, arguments, self.rows(target, selector, parameters), None))
        elif class_id == ObjectType.ASSOCIATION_LOGICAL_NAME and index == 2:
            arguments.isSkipMaxPduSize = True
            value.set(target.getObjects(settings, arguments))
        else:
            GXDLMS.appendData(settings, target, index, value, target.getValue(settings, arguments))
        settings.setCount(0)
        settings.setIndex(0)
        self.answer(invoke, 1, value, status)

    def answer(self, invoke, kind, value, status):
        parameters = GXDLMSLNParameters(self.settings, invoke, Command.GET_RESPONSE, kind, None, value, status)
        parameters.multipleBlocks = kind == 2
        GXDLMS.getLNPdu(parameters, self.replyData)
        self.rest = value if len(value) != value.position else None
        if self.rest is None:
            self.settings.resetBlockIndex()

    def rows(self, profile, selector, parameters):
        if selector == 1:
            first, last = (
                _GXCommon.changeType(self.settings, bytearray(parameters[at]), DataType.DATETIME).value for at in (1, 2)
            )
            first, last = (time.replace(tzinfo=datetime.timezone.utc) for time in (first, last))
            return [row for row in profile.buffer if first <= row[0].value <= last]
        if selector == 2:
            last = parameters[1] or len(profile.buffer)
            return profile.buffer[parameters[0] - 1:last]
        return profile.buffer

    def action(self, data):
        data.getUInt8()
        invoke = data.getUInt8()
        data.getUInt16(), data.get(bytearray(6)), data.getUInt8(), data.getUInt8()
        proof = bytes(_GXCommon.getData(self.settings, data, _GXDataInfo()))
        settings, cipher = self.settings, self.settings.cipher
        counter = int.from_bytes(proof[1:5], "big")
        wanted = GXSecure.secure(settings, cipher, counter, settings.stoCChallenge, settings.sourceSystemTitle)
        # ACTION response: success with data, or another reason.
        self.replyData.set(_GXCommon.LLC_REPLY_BYTES)
        out = GXByteBuffer()
        if bytes(wanted) == proof:
            own = GXSecure.secure(settings, cipher, cipher.invocationCounter, settings.ctoSChallenge, cipher.systemTitle)
            cipher.invocationCounter += 1
            out.set(bytes([0xC7, 1, invoke, 0, 1, 0, 9, len(own)]) + bytes(own))
            settings.connected |= ConnectionState.DLMS
        else:
            out.set(bytes([0xC7, 1, invoke, 3, 0]))
        if cipher.security != Security.NONE:
            out = GXByteBuffer(GXDLMS.cipher0(GXDLMSLNParameters(settings, invoke, Command.METHOD_RESPONSE, 1, None, out, 0), out))
        self.replyData.set(out)


def objects(meter):
    association = GXDLMSAssociationLogicalName()
    clock = GXDLMSClock("0.0.1.0.0.255")
    clock.time = GXDateTime(datetime.datetime(2025, 11, 10, 12, 0, 0, tzinfo=datetime.timezone.utc))
    name = GXDLMSData("0.0.42.0.0.255")
    name.value = "GRX0000000000001"
    serial = GXDLMSData("0.0.96.1.0.255")
    serial.value = "12345678"
    closed = GXDLMSData("0.0.96.1.1.255")
    closed.value = "secret"
    energy = GXDLMSRegister("1.0.1.8.0.255")
    energy.value, energy.scaler, energy.unit = 154320, 10, Unit.ACTIVE_ENERGY
    energy.setDataType(2, DataType.UINT32)
    voltage = GXDLMSRegister("1.0.32.7.0.255")
    voltage.value, voltage.scaler, voltage.unit = 2315, 0.1, Unit.VOLTAGE
    voltage.setDataType(2, DataType.UINT16)
    power = GXDLMSRegister("1.0.1.7.0.255")
    power.value, power.scaler, power.unit = -450, 1, Unit.ACTIVE_POWER
    power.setDataType(2, DataType.INT32)
    profile = GXDLMSProfileGeneric("1.0.99.1.0.255")
    profile.capturePeriod, profile.sortMethod, profile.sortObject = 900, SortMethod.FIFO, clock
    profile.captureObjects.append((clock, GXDLMSCaptureObject(2, 0)))
    profile.captureObjects.append((energy, GXDLMSCaptureObject(2, 0)))
    profile.buffer = [[GXDateTime(START + datetime.timedelta(minutes=15 * n)), 100000 + n] for n in range(ROWS)]
    profile.entriesInUse = profile.profileEntries = ROWS
    for item in (association, clock, name, serial, closed, energy, voltage, power, profile):
        meter.items.append(item)
        association.objectList.append(item)
    meter.denied.add(closed.logicalName)
    meter.initialize()


def main():
    options = sys.argv[1:]
    meter = Meter(options[0], int(options[options.index("--pdu") + 1]) if "--pdu" in options else 200)
    meter.ranges = "--no-range" not in options
    objects(meter)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        print(listener.getsockname()[1], flush=True)
        connection, _ = listener.accept()
    connection.settimeout(20)
    with connection:
        while chunk := connection.recv(2048):
            reply = Reply(bytearray(chunk))
            meter.handleRequest(reply)
            if reply.reply:
                connection.sendall(bytes(reply.reply))
    print(f"left: {meter.left}", flush=True)


main()
