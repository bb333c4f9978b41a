"""Messages of IEC 62056-21, made and parsed by the package iec62056-21.

Reads a request a line, answers with a line:
make KIND WORDS   ->  the message in hexadecimal digits
parse KIND HEX    ->  what the package reads in it
"""

import sys

from iec62056_21 import messages as m


def data_set(word):
    sets = m.DataLine.from_representation(word).data_sets
    for s in sets:
        # The package writes "None" for an address that is not there.
        s.address = s.address or ""
    return sets


def shown(data_sets):
    return " ".join(f"{s.address or ''}({s.value}{'*' + s.unit if s.unit else ''})" for s in data_sets)


def block(words):
    return m.DataBlock([m.DataLine(data_set(word)) for word in words])


def make(kind, words):
    if kind == "request":
        return m.RequestMessage(*words)
    if kind == "select":
        return m.AckOptionSelectMessage(baud_char=words[0], mode_char=words[1])
    if kind == "identification":
        return m.IdentificationMessage(words[2], words[0], words[1])
    if kind == "command":
        sets = data_set(words[1]) if len(words) > 1 else [None]
        return m.CommandMessage(words[0][0], int(words[0][1]), sets[0])
    return {"answer": m.AnswerDataMessage, "readout": m.ReadoutDataMessage}[kind](block(words))


def parse(kind, data):
    if kind == "request":
        return m.RequestMessage.from_bytes(data).device_address
    if kind == "select":
        message = m.AckOptionSelectMessage.from_bytes(data)
        return f"{message.baud_char} {message.mode_char}"
    if kind == "command":
        message = m.CommandMessage.from_bytes(data)
        return f"{message.command}{message.command_type} {shown([message.data_set])}"
    raise ValueError(kind)


for line in sys.stdin:
    task, kind, *words = line.split()
    try:
        if task == "make":
            answer = make(kind, words).to_bytes().hex()
        else:
            answer = parse(kind, bytes.fromhex(words[0]))
    except Exception as error:
        answer = f"refused: {error!r}"
    print(answer)
