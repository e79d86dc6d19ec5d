/** The compiled program, with the types of its sources: what is measured is what runs in production. */
import type * as Build from '../../src/protocol/build.ts';
import type * as Chain from '../../src/journal/chain.ts';
import type * as Client from '../../src/protocol/client.ts';
import type * as Entry from '../../src/journal/entry.ts';
import type * as Reading from '../../src/journal/reading.ts';

const load = <T>(path: string): Promise<T> =>
  import(new URL(`../../dist/${path}`, import.meta.url).href) as Promise<T>;

export const { buildId } = await load<typeof Build>('protocol/build.js');
export const { interlockClient } = await load<typeof Client>('protocol/client.js');
export const { verifyJournal } = await load<typeof Reading>('journal/reading.js');
export const { GENESIS, lineHash } = await load<typeof Chain>('journal/chain.js');
export const { printEntry } = await load<typeof Entry>('journal/entry.js');
