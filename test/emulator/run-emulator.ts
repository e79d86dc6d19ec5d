/** Runs `emulateCommand` as a process of its own: `node run-emulator.ts '{"profile":…}'`. */
import { emulateCommand } from '../../src/emulator/emulate-command.ts';
import type { EmulateArguments } from '../../src/emulator/emulate-arguments.ts';

const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
process.exitCode = await emulateCommand(JSON.parse(process.argv[2] ?? '{}') as EmulateArguments, {
  write: (text) => process.stdout.write(text),
  writeError: (text) => process.stderr.write(text),
  stdin: process.stdin,
  stop: stop.signal,
});
