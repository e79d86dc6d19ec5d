"""A Modbus slave made of pymodbus (Debian python3-pymodbus), so that our master meets code nobody here wrote.

    pymodbus_slave.py tcp ADDRESS UNIT          prints "listening PORT"
    pymodbus_slave.py rtu-tcp ADDRESS UNIT      the same, with RTU frames in the TCP stream
    pymodbus_slave.py rtu DEVICE UNIT           prints "listening 0"

Every coil write is printed as "coil INDEX VALUE". Ends when its input ends.
A fourth word "delay-relays" makes it a board of eight relays that is commanded by register writes, after the command list
that its vendor hands out (not after our profile): registers 1 to 8, high byte 1 on, 2 off, 3 toggle, 4 this one only,
5 on for a second, 6 on for as many seconds as the low byte says, 0 ends that; register 0: 7 all on, 8 all off. While such a
time runs, off and all off do nothing. A register reads 1 or 0. A relay that moves is printed as "coil INDEX VALUE".
Debian 12 has pymodbus 3.0.0rc1, Debian 13 has 3.8.6; where they differ, both ways are here.
"""
import asyncio
import os
import sys
import threading

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext

try:
    from pymodbus.framer import FramerType
    from pymodbus.server import ModbusSerialServer, ModbusTcpServer

    OLD = False
    SOCKET, RTU = FramerType.SOCKET, FramerType.RTU
except ImportError:
    from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer
    from pymodbus.transaction import ModbusRtuFramer as RTU
    from pymodbus.transaction import ModbusSocketFramer as SOCKET

    OLD = True

# Both versions add one to every address on its way into a block.
BASE = 1


class Coils(ModbusSequentialDataBlock):
    def setValues(self, address, values):
        result = super().setValues(address, values)
        for index, value in enumerate(values if isinstance(values, list) else [values]):
            print("coil", address - BASE + index, int(bool(value)), flush=True)
        return result


class DelayRelays(ModbusSequentialDataBlock):
    """Registers of a board whose relays are commanded by opcodes. Registers from 16 on are plain ones."""

    def __init__(self):
        super().__init__(BASE, [0] * 0x1010)
        self.ends = {}

    def move(self, relay, closed):
        if self.values[relay] != closed:
            self.values[relay] = closed
            print("coil", relay - 1, closed, flush=True)

    def stop_time(self, relay):
        timer = self.ends.pop(relay, None)
        if timer is not None:
            timer.cancel()

    def on_for(self, relay, seconds):
        self.stop_time(relay)
        self.move(relay, 1)
        loop = asyncio.get_running_loop()
        self.ends[relay] = loop.call_later(seconds, self.time_over, relay)

    def time_over(self, relay):
        self.ends.pop(relay, None)
        self.move(relay, 0)

    def off(self, relay):
        if relay not in self.ends:
            self.move(relay, 0)

    def on(self, relay):
        self.stop_time(relay)
        self.move(relay, 1)

    def command(self, relay, value):
        code, low = value >> 8, value & 0xFF
        if code == 1:
            self.on(relay)
        elif code == 2:
            self.off(relay)
        elif code == 3:
            self.off(relay) if self.values[relay] else self.on(relay)
        elif code == 4:
            for other in range(1, 9):
                self.on(other) if other == relay else self.off(other)
        elif code == 5:
            self.on_for(relay, 1)
        elif code == 6 and low > 0:
            self.on_for(relay, low)
        elif code == 6:
            self.stop_time(relay)
            self.move(relay, 0)

    def setValues(self, address, values):
        first = address - BASE
        for register, value in enumerate(values if isinstance(values, list) else [values], first):
            if register == 0:
                for relay in range(1, 9):
                    if value >> 8 == 7:
                        self.on(relay)
                    elif value >> 8 == 8:
                        self.off(relay)
            elif register <= 8:
                self.command(register, value)
            else:
                super().setValues(register + BASE, [value])


class EchoingSlave(ModbusSlaveContext):
    """Answers a write with what was written, as the standard says; pymodbus would answer what is read afterwards."""

    written = None

    def setValues(self, code, address, values):
        self.written = list(values)
        return super().setValues(code, address, values)

    def getValues(self, code, address, count=1):
        return self.written if code == 6 else super().getValues(code, address, count)


async def main():
    kind, where, unit = sys.argv[1], sys.argv[2], int(sys.argv[3])
    commanded = sys.argv[4:] == ["delay-relays"]
    slave = (EchoingSlave if commanded else ModbusSlaveContext)(
        co=Coils(BASE, [0] * 1024),
        di=ModbusSequentialDataBlock(BASE, [1, 0] * 8),
        hr=DelayRelays() if commanded else ModbusSequentialDataBlock(BASE, [0] * 0x1010),
    )
    context = ModbusServerContext(slaves={unit: slave}, single=False)
    if kind == "rtu":
        server = ModbusSerialServer(context, framer=RTU, port=where, baudrate=9600, ignore_missing_slaves=True)
    else:
        framer = SOCKET if kind == "tcp" else RTU
        server = ModbusTcpServer(context, framer=framer, address=(where, 0), ignore_missing_slaves=True)
    if not OLD:
        await server.serve_forever(background=True)
        sockets = server.transport.sockets if kind != "rtu" else None
        serving = server.serving
    elif kind == "rtu":
        await server.start()
        sockets = None
        serving = asyncio.ensure_future(server.serve_forever())
    else:
        serving = asyncio.ensure_future(server.serve_forever())
        await asyncio.wait_for(server.serving, 10)
        sockets = server.server.sockets
    print("listening", 0 if sockets is None else sockets[0].getsockname()[1], flush=True)
    await serving


def end_with_input():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_input, daemon=True).start()
asyncio.run(main())
