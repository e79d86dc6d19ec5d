/** The serial driver against boards that speak bytes, written from vendors' words and not from its profiles. */
import { has, pythonMissing, skipLoudly } from './bench.ts';
import { contactContract } from './contract.ts';
import { serialProfileNamed, serialRig, tcpRig } from './serial-bench.ts';

const python = pythonMissing();

if (!skipLoudly('serial boards on a terminal', python ?? (has('socat') ? null : 'socat is missing'))) {
  contactContract('Bytes with a read-back (LCUS-4)', () =>
    serialRig('lcus-query', serialProfileNamed('lc-technology/lcus-4'), { channel: 3 }),
  );
}
if (!skipLoudly('serial boards over TCP', python)) {
  contactContract('Bytes over TCP (ETH008)', () =>
    tcpRig('eth008', serialProfileNamed('devantech/eth008'), 3),
  );
}
