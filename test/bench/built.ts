/** The compiled program, with the types of its sources: what is measured is what runs in production. */
const load = <T>(path: string): Promise<T> =>
  import(new URL(`../../dist/${path}`, import.meta.url).href) as Promise<T>;

export const { buildId } = await load<typeof import('../../src/protocol/build.ts')>('protocol/build.js');
export const { interlockClient } =
  await load<typeof import('../../src/protocol/client.ts')>('protocol/client.js');
export const { verifyJournal } =
  await load<typeof import('../../src/journal/reading.ts')>('journal/reading.js');
export const { GENESIS, lineHash } =
  await load<typeof import('../../src/journal/chain.ts')>('journal/chain.js');
export const { printEntry } = await load<typeof import('../../src/journal/entry.ts')>('journal/entry.js');
