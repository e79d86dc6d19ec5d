/** What a profile says of a managed switch that is reached by SNMP: which object of a port moves it. */
import { z } from 'zod';
import { profileCommon, timings } from '../profile-common.ts';

const MAX_FRAME_TEXT = 1536;
const oid = z.string().regex(/^[0-2](\.(0|[1-9][0-9]{0,9})){3,60}$/, {
  error: 'an object identifier is numbers with dots between, without a dot at the beginning',
});
const index = z.string().regex(/^[0-9]{1,10}(\.[0-9]{1,10}){0,3}$/, {
  error: 'an index is numbers with dots between',
});
const value = z.int().min(-0x8000_0000).max(0x7fff_ffff);
const frame = z
  .string()
  .max(MAX_FRAME_TEXT)
  .regex(/^[0-9A-Fa-f]{2}( [0-9A-Fa-f]{2})*$/, {
    error: 'bytes are pairs of hexadecimal digits with one space between',
  });

const shown = {
  port: z.string().min(1).max(64).describe('The port as the configuration names it'),
  index: index.describe('The index at which the agent has it'),
  community: z.string().min(1).max(32),
  request_id: z.int().min(1).max(0x7fff_ffff),
  request: frame,
  reply: frame,
};

const example = z
  .discriminatedUnion('ask', [
    z.strictObject({
      ask: z.enum(['connect', 'isolate']),
      ...shown,
      means: z.enum(['accepted', 'refused', 'unknown']),
    }),
    z.strictObject({ ask: z.literal('read'), ...shown, means: z.enum(['connected', 'isolated', 'unknown']) }),
  ])
  .describe('One exchange in version 2c, byte for byte; version 3 carries the same inside its encryption');

/** The shape of a profile whose driver is `snmp`. */
export const snmpProfile = z.strictObject({
  driver: z.literal('snmp'),
  ...profileCommon,
  ports: z
    .enum(['interface', 'poe-port'])
    .describe('How the configuration names a port: by ifName or ifDescr, or as group.port of the PoE table'),
  object: oid.describe('The column that moves a port, without the index'),
  connect: value.describe('The value of a connected port'),
  isolate: value.describe('The value of an isolated port'),
  timings,
  examples: z.array(example).min(1).max(64),
});

/** A managed switch as data. */
export type SnmpProfile = z.infer<typeof snmpProfile>;
/** One recorded exchange of a profile. */
export type SnmpExample = SnmpProfile['examples'][number];
