// Appends for ever, saying on stdout what was acknowledged: a child process for tests to kill. node appender.ts DIRECTORY
import { nodeDisk } from '../../src/journal/disk.ts';
import { openJournal } from '../../src/journal/file.ts';
import { millis } from '../../src/core/time.ts';
import { writeSync } from 'node:fs';

const [, , directory = '', rotateAtBytes = '20000'] = process.argv;
const journal = await openJournal({
  directory,
  disk: nodeDisk,
  bootId: `run-${process.pid}`,
  now: () => millis(performance.now()),
  calendar: () => new Date(),
  clockQuality: () => 'assumed',
  rotateAtBytes: Number(rotateAtBytes),
});
writeSync(1, `open ${journal.head().size}\n`);
for (;;) {
  const batch = Array.from({ length: 5 }, (_, index) =>
    journal.append({ type: 'test.note', actor: 'appender', data: { text: 'x'.repeat(index * 50) } }),
  );
  // A write to a pipe: what was handed to the kernel is read even after SIGKILL.
  for (const { seq, prev } of await Promise.all(batch)) writeSync(1, `${seq} ${prev}\n`);
}
