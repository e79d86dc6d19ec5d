"""Serial relay boards, written by hand from what vendors say about them, and not from Portcullis profiles.

serial_boards.py KIND WHERE      WHERE: path of a terminal, or tcp:PORT (0: any)

Prints `listening PORT` (0 for a terminal) when it listens, and `coil INDEX VALUE` whenever a relay is commanded,
INDEX from 0. Nothing here is shared with the driver or the emulator: a mistake would have to be made twice.
"""

import os
import select
import socket
import sys
import termios
import tty


def say(*words):
    print(*words, flush=True)


class Relays:
    def __init__(self, count):
        self.state = [False] * count

    def put(self, index, value):
        if 0 <= index < len(self.state):
            self.state[index] = value
            say("coil", index, 1 if value else 0)

    def put_all(self, value):
        for index in range(len(self.state)):
            self.put(index, value)

    def mask(self):
        return sum(1 << index for index, value in enumerate(self.state) if value)


class Lcus:
    """A0, channel from 1, operation, low byte of the sum of the three. 00 off, 01 on, 05 query (newer firmware)."""

    def __init__(self, answers):
        self.relays = Relays(8)
        self.answers = answers
        self.buffer = bytearray()

    def hear(self, data):
        self.buffer += data
        out = b""
        while len(self.buffer) >= 4:
            if self.buffer[0] != 0xA0:
                del self.buffer[0]
                continue
            head, channel, operation, check = self.buffer[:4]
            if (head + channel + operation) % 256 != check:
                del self.buffer[0]
                continue
            del self.buffer[:4]
            if operation in (0, 1):
                self.relays.put(channel - 1, operation == 1)
            elif operation == 5 and self.answers:
                state = 1 if self.relays.state[channel - 1] else 0
                out += bytes([0xA0, channel, state, (0xA0 + channel + state) & 0xFF])
        return out


class UsbRly16:
    """Devantech USB-RLY16: one byte per command; only 5A, 5B and 5D are answered."""

    def __init__(self):
        self.relays = Relays(8)
        self.set_next = False

    def hear(self, data):
        out = b""
        for byte in data:
            if self.set_next:
                self.set_next = False
                for index in range(8):
                    self.relays.put(index, bool(byte & (1 << index)))
            elif byte == 0x5A:
                out += bytes([9, 1])
            elif byte == 0x5B:
                out += bytes([self.relays.mask()])
            elif byte == 0x5C:
                self.set_next = True
            elif byte == 0x5D:
                out += bytes([125])
            elif byte == 0x64:
                self.relays.put_all(True)
            elif byte == 0x6E:
                self.relays.put_all(False)
            elif 101 <= byte <= 108:
                self.relays.put(byte - 101, True)
            elif 111 <= byte <= 118:
                self.relays.put(byte - 111, False)
        return out


class Numato:
    """A console with echo: every character comes back, CR runs the line, LF CR before and after an answer, then the prompt."""

    def __init__(self, count):
        self.relays = Relays(count)
        self.line = ""

    def hear(self, data):
        out = ""
        for character in data.decode("latin1"):
            if character != "\r":
                self.line += character
                out += character
                continue
            line, self.line = self.line, ""
            answer = self.run(line)
            out += "\n\r" + (answer + "\n\r" if answer else "") + ">"
        return out.encode("latin1")

    def run(self, line):
        words = line.split()
        digits = max(1, len(self.relays.state) // 4)
        if not words:
            return ""
        if words == ["ver"]:
            return "00000008"
        if words[:2] == ["relay", "readall"]:
            return f"{self.relays.mask():0{digits}x}"
        if words[:2] == ["relay", "writeall"] and len(words) == 3:
            value = int(words[2], 16)
            for index in range(len(self.relays.state)):
                self.relays.put(index, bool(value >> index & 1))
            return ""
        if len(words) == 3 and words[0] == "relay" and words[1] in ("on", "off", "read"):
            index = "0123456789ABCDEFGHIJKLMNOPQRSTUV".index(words[2].upper())
            if words[1] == "read":
                return "on" if self.relays.state[index] else "off"
            self.relays.put(index, words[1] == "on")
            return ""
        return "error"


class Eth008:
    """Devantech ETH008 on TCP; a whole command comes in one segment."""

    def __init__(self):
        self.relays = Relays(8)

    def hear(self, data):
        if data[0] == 0x10:
            return bytes([19, 1, 4])
        if data[0] in (0x20, 0x21) and len(data) == 3:
            if not 1 <= data[1] <= 8:
                return bytes([1])
            self.relays.put(data[1] - 1, data[0] == 0x20)
            return bytes([0])
        if data[0] == 0x23 and len(data) == 2:
            for index in range(8):
                self.relays.put(index, bool(data[1] & (1 << index)))
            return bytes([0])
        if data[0] == 0x24:
            return bytes([self.relays.mask()])
        return b""


class Conrad:
    """Four bytes: command, card address, data, exclusive or. Says nothing before it has been initialised (command 1)."""

    def __init__(self):
        self.relays = Relays(8)
        self.buffer = bytearray()
        self.initialised = False

    def frame(self, command, address, data):
        return bytes([command, address, data, command ^ address ^ data])

    def hear(self, data):
        self.buffer += data
        out = b""
        while len(self.buffer) >= 4:
            command, address, value, check = self.buffer[:4]
            del self.buffer[:4]
            if command ^ address ^ value != check:
                continue
            if command == 1:
                self.initialised = True
                # One card: its own frame, and the request passed on with the next address.
                out += self.frame(254, address, 12) + self.frame(1, address + 1, 0)
            elif self.initialised and address == 1:
                out += self.obey(command, address, value)
        return out

    def obey(self, command, address, value):
        if command == 3:
            for index in range(8):
                self.relays.put(index, bool(value & (1 << index)))
        elif command in (6, 7):
            for index in range(8):
                if value & (1 << index):
                    self.relays.put(index, command == 6)
        elif command not in (0, 2):
            return b""
        return self.frame(255 - command, address, self.relays.mask())


class Denkovi:
    """Text that ends in //; the command comes back as acknowledgement; ask// is answered with two bytes, relay 1 highest."""

    def __init__(self):
        self.relays = Relays(16)
        self.buffer = b""

    def hear(self, data):
        self.buffer += data
        out = b""
        while b"//" in self.buffer:
            line, self.buffer = self.buffer.split(b"//", 1)
            if line == b"ask":
                value = sum(0x8000 >> index for index, on in enumerate(self.relays.state) if on)
                out += value.to_bytes(2, "big")
                continue
            if line in (b"on", b"off"):
                self.relays.put_all(line == b"on")
            elif len(line) == 3 and line[:2].isdigit() and line[2:] in (b"+", b"-"):
                self.relays.put(int(line[:2]) - 1, line[2:] == b"+")
            else:
                continue
            out += line + b"//"
        return out


KINDS = {
    "lcus-silent": lambda: Lcus(False),
    "lcus-query": lambda: Lcus(True),
    "usb-rly16": UsbRly16,
    "numato-8": lambda: Numato(8),
    "numato-4": lambda: Numato(4),
    "eth008": Eth008,
    "conrad": Conrad,
    "denkovi": Denkovi,
}


def on_terminal(board, path):
    terminal = os.open(path, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(terminal, termios.TCSANOW)
    say("listening", 0)
    while True:
        data = os.read(terminal, 4096)
        if not data:
            return
        answer = board.hear(data)
        if answer:
            os.write(terminal, answer)


def on_tcp(board, port):
    server = socket.create_server(("127.0.0.1", port))
    say("listening", server.getsockname()[1])
    peers = []
    while True:
        for ready in select.select([server, *peers], [], [])[0]:
            if ready is server:
                peers.append(server.accept()[0])
                continue
            try:
                data = ready.recv(4096)
            except ConnectionError:
                data = b""
            if not data:
                peers.remove(ready)
                ready.close()
                continue
            answer = board.hear(data)
            if answer:
                ready.sendall(answer)


def main():
    kind, where = sys.argv[1:]
    board = KINDS[kind]()
    if where.startswith("tcp:"):
        on_tcp(board, int(where[4:]))
    else:
        on_terminal(board, where)


main()
