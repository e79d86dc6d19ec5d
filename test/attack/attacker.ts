/**
 * `node attacker.ts NAME HOST PORT`: attacks until it is killed, and prints what it has done as a JSON line ten times a second.
 * A process of its own, so that what the test measures is not the test.
 */
import { ATTACKS, type Done } from './attacks.ts';

const REPORT_EVERY_MS = 100;

const [name = '', host = '127.0.0.1', port = '0'] = process.argv.slice(2);
const attack = ATTACKS[name];
if (attack === undefined) throw new Error(`no attack is called ${name}`);
const done: Done = { sent: 0, begun: 0, standing: 0, answered: 0 };
attack({ host, port: Number(port) }, done);
setInterval(() => process.stdout.write(`${JSON.stringify(done)}\n`), REPORT_EVERY_MS);
