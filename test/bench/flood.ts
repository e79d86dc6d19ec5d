/** 2,000 bad requests a second over a few kept connections. Arguments: port, requests a second. Ends with its parent. */
import { Agent, request } from 'node:http';

const [port, perSecond] = process.argv.slice(2).map(Number);
const EVERY_MS = 10;
const agent = new Agent({ keepAlive: true, maxSockets: 16 });
const body = JSON.stringify({ reason: 'bad', filler: 'x'.repeat(400) });
let answered = 0;
const shot = (): void => {
  request(
    {
      port,
      host: '127.0.0.1',
      path: '/trip/bench',
      method: 'POST',
      agent,
      headers: { authorization: 'Bearer wrong' },
    },
    (answer) => {
      answer.resume();
      answered += 1;
    },
  )
    .on('error', () => undefined)
    .end(body);
};
setInterval(() => {
  for (let i = 0; i < ((perSecond ?? 0) * EVERY_MS) / 1_000; i += 1) shot();
}, EVERY_MS);
process.stdin.resume().on('end', () => {
  console.log(`{"answered":${answered}}`);
  process.exit();
});
