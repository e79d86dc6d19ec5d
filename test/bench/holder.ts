/** Holds a lease as the controller does. Arguments: socket, link, window, occurrence. Says `connected` once it is. */
import { buildId, interlockClient } from './built.ts';

const [socketPath = '', link = '', window = '', occurrence = ''] = process.argv.slice(2);
const lease = await interlockClient({ socketPath, build: buildId() }).askLease({ link, window, occurrence });
await lease.connected;
console.log('{"connected":true}');
await lease.lost;
