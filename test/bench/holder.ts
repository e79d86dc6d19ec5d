/**
 * Holds a lease as the controller does, and a connection to a bystander. Arguments: socket, link, window, occurrence,
 * bystander's socket. Says `connected` once it is.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { buildId, interlockClient } from './built.ts';

const [socketPath = '', link = '', window = '', occurrence = '', bystander = ''] = process.argv.slice(2);
await once(connect(bystander), 'connect');
const lease = await interlockClient({ socketPath, build: buildId() }).askLease({ link, window, occurrence });
await lease.connected;
console.log('{"connected":true}');
await lease.lost;
