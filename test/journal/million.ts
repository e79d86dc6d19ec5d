// Measures verification: node test/journal/million.ts [ENTRIES]. Prints one JSON object; design section 11 wants 1 M in 10 s.
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { carriedHead, GENESIS, lineHash } from '../../src/journal/chain.ts';
import { JOURNAL_TYPES, printEntry, type JsonObject } from '../../src/journal/entry.ts';
import { fileName } from '../../src/journal/names.ts';
import { verifyJournal } from '../../src/journal/reading.ts';

const entries = Number(process.argv[2] ?? 1_000_000);
const ENTRIES_PER_FILE = 40_000;
const directory = await mkdtemp(join(tmpdir(), 'portcullis-million-'));
try {
  let head = GENESIS;
  let bytes = 0;
  for (let number = 1; head.size < entries; number++) {
    let text = '';
    for (let index = 0; index < ENTRIES_PER_FILE && head.size < entries; index++) {
      const seq = head.size + 1;
      const rotated = index === 0 && number > 1;
      const evidence = [{ name: 'relay', position: 'isolated', age_ms: seq % 1000 }];
      const data: JsonObject = rotated
        ? carriedHead(fileName(number - 1), head)
        : { link: 'vault', from: 'isolated', to: 'connecting', lease: `lease-${seq}`, evidence };
      const line = printEntry({
        seq,
        boot: '4f0c7f0e-1111-4222-8333-123456789abc',
        mono: seq * 1.25,
        at: new Date(1_795_000_000_000 + seq * 1000).toISOString(),
        clock: 'synchronised',
        type: rotated ? JOURNAL_TYPES.rotated : 'link.state',
        actor: 'interlock',
        data,
        prev: head.hash,
      });
      head = { size: seq, hash: lineHash(line) };
      text += `${line}\n`;
    }
    const handle = await open(join(directory, fileName(number)), 'w');
    await handle.writeFile(text);
    await handle.close();
    bytes += Buffer.byteLength(text);
  }
  const began = performance.now();
  const cpu = process.cpuUsage();
  const found = await verifyJournal(directory, { heads: [{ ...head, label: 'end' }] });
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  if (!found.ok || found.entries !== entries)
    throw new Error(`did not verify: ${JSON.stringify(found.problems)}`);
  const megabytes = Math.round(bytes / 1e6);
  console.log(
    JSON.stringify({
      entries,
      megabytes,
      seconds,
      cpu_seconds: (user + system) / 1e6,
      rss_mb: Math.round(process.memoryUsage.rss() / 1e6),
    }),
  );
} finally {
  await rm(directory, { recursive: true, force: true });
}
