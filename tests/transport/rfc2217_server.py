"""An RFC 2217 server made of pyserial's PortManager, in front of the serial port that is named.

Prints the TCP port it listens on, then the port's settings each time they have changed.
"""

import socket
import sys
import termios

import serial
import serial.rfc2217

# A pty takes the speed but neither 7 bits nor parity, and the C library calls that an error.
tcsetattr = termios.tcsetattr


def tolerant(*arguments):
    try:
        tcsetattr(*arguments)
    except termios.error:
        pass


termios.tcsetattr = tolerant


class Connection:
    def __init__(self, stream):
        self.stream = stream

    def write(self, data):
        self.stream.sendall(data)


port = serial.Serial(sys.argv[1], 9600, timeout=0)
# A pty has no modem lines.
serial.Serial.cts = serial.Serial.dsr = serial.Serial.ri = serial.Serial.cd = property(lambda self: False)
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
stream, _ = listener.accept()
manager = serial.rfc2217.PortManager(port, Connection(stream))
stream.settimeout(0.005)
known = None
while True:
    try:
        data = stream.recv(1024)
        if not data:
            break
        port.write(b"".join(manager.filter(data)))
    except socket.timeout:
        pass
    settings = f"{port.baudrate},{port.bytesize}{port.parity}{port.stopbits}"
    if settings != known:
        known = settings
        print(settings, flush=True)
    data = port.read(1024)
    if data:
        stream.sendall(b"".join(manager.escape(data)))
