"""Independent decoders read what the simulator sends: one JSON object a telegram, OBIS code to number or text.

Usage: peers.py sml|p1|p1-10s|p1-v2|e450 FILE [KEY AUTHENTICATION]
       peers.py mode-c HOST PORT
"""

import json
import sys


def sml(data):
    """smllib: transport and message checksums, then the values with their scalers."""
    from smllib import SmlStreamReader

    reader = SmlStreamReader()
    reader.add(data)
    while (frame := reader.get_frame()) is not None:
        values = {}
        for message in frame.parse_frame():
            for entry in getattr(message.message_body, "val_list", None) or []:
                values[entry.obis.obis_code] = [entry.get_value(), entry.unit]
        yield values


def p1(data, version):
    """dsmr_parser: its own checksum, its own types."""
    from dsmr_parser import telegram_specifications as specifications
    from dsmr_parser.parsers import TelegramParser

    specification = {"p1": specifications.V5, "p1-10s": specifications.V4, "p1-v2": specifications.V2_2}[version]
    parser = TelegramParser(specification, apply_checksum_validation=True)
    for text in data.decode("ascii").split("/")[1:]:
        telegram = parser.parse("/" + text, throw_ex=True)
        values = {}
        for name, item in telegram:
            value = getattr(item, "value", None)
            if value is not None:
                values[name] = str(value)
        yield values


def e450(data, keys):
    """gurux_dlms: HDLC checks, block transfer, deciphering, the tree of values."""
    from gurux_dlms import GXByteBuffer, GXReplyData
    from gurux_dlms.enums import Authentication, InterfaceType, Security
    from gurux_dlms.secure import GXDLMSSecureClient

    client = GXDLMSSecureClient(True, 1, 1, Authentication.NONE, None, InterfaceType.HDLC)
    if keys:
        client.ciphering.security = Security.AUTHENTICATION_ENCRYPTION
        client.ciphering.blockCipherKey = bytes.fromhex(keys[0])
        client.ciphering.authenticationKey = bytes.fromhex(keys[1])
    reply, notify = GXReplyData(), GXReplyData()
    buffer = GXByteBuffer(data)
    while buffer.position < buffer.size:
        client.getData(buffer, reply, notify)
        if notify.complete and not notify.moreData and notify.value is not None:
            codes, values = notify.value[0], notify.value[1:]
            names = [".".join(str(octet) for octet in code[1]) for code in codes][1:]
            yield {
                name: value if isinstance(value, (int, str)) else bytes(value).hex()
                for name, value in zip(names, values)
                if isinstance(value, (int, str, bytes, bytearray))
            }
            notify.clear()


def mode_c(host, port):
    """iec62056-21 as a reader over TCP: sign-on, readout with its block check; then programming mode."""
    from iec62056_21.client import Iec6205621Client
    from iec62056_21.messages import CommandMessage, DataSet

    client = Iec6205621Client.with_tcp_transport(address=(host, int(port)), device_address="")
    client.connect()
    readout = client.standard_readout()
    yield {item.address: f"{item.value}*{item.unit}" if item.unit else item.value for item in readout.data}
    client.rest(2.5)
    prompt = client.access_programming_mode()
    # Its own send_password forgets an argument.
    password = CommandMessage(command="P", command_type=1, data_set=DataSet(address="", value="00000000"))
    client.transport.send(password.to_bytes())
    acknowledged = client._recv_ack() == "\x06"
    client.rest()
    value = client.read_single_value("1.8.0")
    client.send_break()
    client.disconnect()
    yield {"prompt": f"{prompt.command}{prompt.command_type}", "acknowledged": acknowledged, "1.8.0": value.value}


def main():
    kind, rest = sys.argv[1], sys.argv[2:]
    if kind == "mode-c":
        results = mode_c(*rest)
    else:
        with open(rest[0], "rb") as file:
            data = file.read()
        results = {"sml": lambda: sml(data), "e450": lambda: e450(data, rest[1:])}.get(kind, lambda: p1(data, kind))()
    for values in results:
        print(json.dumps(values), flush=True)


main()
