"""A Modbus slave made of pymodbus (Debian python3-pymodbus), so that our master meets code nobody here wrote.

    pymodbus_slave.py tcp ADDRESS UNIT          prints "listening PORT"
    pymodbus_slave.py rtu-tcp ADDRESS UNIT      the same, with RTU frames in the TCP stream
    pymodbus_slave.py rtu DEVICE UNIT           prints "listening 0"

Every coil write is printed as "coil INDEX VALUE". Ends when its input ends.
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


async def main():
    kind, where, unit = sys.argv[1], sys.argv[2], int(sys.argv[3])
    slave = ModbusSlaveContext(
        co=Coils(BASE, [0] * 1024),
        di=ModbusSequentialDataBlock(BASE, [1, 0] * 8),
        hr=ModbusSequentialDataBlock(BASE, [0] * 0x1010),
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
