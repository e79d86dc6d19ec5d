"""A Modbus slave made of pymodbus (Debian python3-pymodbus), so that our master meets code nobody here wrote.

    pymodbus_slave.py tcp ADDRESS UNIT          prints "listening PORT"
    pymodbus_slave.py rtu-tcp ADDRESS UNIT      the same, with RTU frames in the TCP stream
    pymodbus_slave.py rtu DEVICE UNIT           prints "listening 0"

Every coil write is printed as "coil INDEX VALUE". Ends when its input ends.
Written for pymodbus 3.0 (Debian 12) and 3.8 (Debian 13), which differ in names and in how a server starts.
"""
import asyncio
import os
import sys
import threading

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext

try:
    from pymodbus.framer import FramerType
    from pymodbus.server import ModbusSerialServer, ModbusTcpServer

    OLD, RTU, SOCKET = False, FramerType.RTU, FramerType.SOCKET
except ImportError:
    from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer
    from pymodbus.transaction import ModbusRtuFramer as RTU
    from pymodbus.transaction import ModbusSocketFramer as SOCKET

    OLD = True

# Its blocks count from 1, the wire from 0.
FIRST = 1


class Coils(ModbusSequentialDataBlock):
    def setValues(self, address, values):
        super().setValues(address, values)
        for index, value in enumerate(values if isinstance(values, list) else [values]):
            print("coil", address - FIRST + index, int(bool(value)), flush=True)


async def main():
    kind, where, unit = sys.argv[1], sys.argv[2], int(sys.argv[3])
    slave = ModbusSlaveContext(
        co=Coils(FIRST, [0] * 1024),
        di=ModbusSequentialDataBlock(FIRST, [1, 0] * 8),
        hr=ModbusSequentialDataBlock(FIRST, [0] * 0x1010),
    )
    context = ModbusServerContext(slaves={unit: slave}, single=False)
    options = {"ignore_missing_slaves": True}
    if kind == "rtu":
        server = ModbusSerialServer(context, framer=RTU, port=where, baudrate=9600, **options)
    else:
        if OLD:
            options["allow_reuse_address"] = True
        server = ModbusTcpServer(context, framer=SOCKET if kind == "tcp" else RTU, address=(where, 0), **options)
    if not OLD:
        await server.serve_forever(background=True)
        print("listening", 0 if kind == "rtu" else server.transport.sockets[0].getsockname()[1], flush=True)
        await server.serving
    elif kind == "rtu":
        await server.start()
        print("listening 0", flush=True)
        await server.serve_forever()
    else:
        serving = asyncio.ensure_future(server.serve_forever())
        await asyncio.wait_for(server.serving, 10)
        print("listening", server.server.sockets[0].getsockname()[1], flush=True)
        await serving


def end_with_input():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_input, daemon=True).start()
asyncio.run(main())
