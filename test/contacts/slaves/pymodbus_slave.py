"""A Modbus slave made of pymodbus (Debian python3-pymodbus), so that our master meets code nobody here wrote.

    pymodbus_slave.py tcp ADDRESS UNIT          prints "listening PORT"
    pymodbus_slave.py rtu-tcp ADDRESS UNIT      the same, with RTU frames in the TCP stream
    pymodbus_slave.py rtu DEVICE UNIT           prints "listening 0"

Every coil write is printed as "coil INDEX VALUE". Ends when its input ends.
"""
import asyncio
import os
import sys
import threading

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer
from pymodbus.transaction import ModbusRtuFramer, ModbusSocketFramer


class Coils(ModbusSequentialDataBlock):
    def setValues(self, address, values):
        super().setValues(address, values)
        for index, value in enumerate(values if isinstance(values, list) else [values]):
            print("coil", address + index, int(bool(value)), flush=True)


async def main():
    kind, where, unit = sys.argv[1], sys.argv[2], int(sys.argv[3])
    slave = ModbusSlaveContext(
        co=Coils(0, [0] * 1024),
        di=ModbusSequentialDataBlock(0, [1, 0] * 8),
        hr=ModbusSequentialDataBlock(0, [0] * 0x1010),
        zero_mode=True,
    )
    context = ModbusServerContext(slaves={unit: slave}, single=False)
    options = {"ignore_missing_slaves": True}
    if kind == "rtu":
        server = ModbusSerialServer(context, framer=ModbusRtuFramer, port=where, baudrate=9600, **options)
        await server.start()
        print("listening 0", flush=True)
    else:
        framer = ModbusSocketFramer if kind == "tcp" else ModbusRtuFramer
        server = ModbusTcpServer(context, framer=framer, address=(where, 0), allow_reuse_address=True, **options)
        serving = asyncio.ensure_future(server.serve_forever())
        await asyncio.wait_for(server.serving, 10)
        print("listening", server.server.sockets[0].getsockname()[1], flush=True)
        await serving
        return
    await server.serve_forever()


def end_with_input():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_input, daemon=True).start()
asyncio.run(main())
