/** The floor: a bare `node:http` server that writes a prebuilt frame for every request, then answers. Arguments: board port, unit. */
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';

const board = connect({ host: '127.0.0.1', port: Number(process.argv[2]), noDelay: true });
const frame = Buffer.from('000100000006010500000000', 'hex');
frame.writeUInt8(Number(process.argv[3] ?? 1), 6);
board.on('data', () => undefined);
const server = createServer((request, response) => {
  request
    .on('data', () => undefined)
    .on('end', () => {
      board.write(frame);
      response.end('{}');
    });
});
board.on('connect', () =>
  server.listen(0, '127.0.0.1', () => console.log(`{"port":${(server.address() as AddressInfo).port}}`)),
);
