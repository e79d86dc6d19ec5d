/** Runs the scenarios inside the machine. Prints a line of JSON for each test, and one at the end. */
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const suite = pathToFileURL(join(import.meta.dirname, 'guest-suite.ts')).href;
// The contract suite says `vitest`; its bench, of which it wants two functions, says `serialport`.
registerHooks({
  resolve: (specifier, context, next) => {
    if (specifier === 'vitest') return { url: suite, shortCircuit: true };
    if (specifier === 'serialport')
      return { url: 'data:text/javascript,export class SerialPort {}', shortCircuit: true };
    return next(specifier, context);
  },
});

process.on('uncaughtException', (error) => {
  print({ uncaught: error.stack ?? error.message });
  process.exit(1);
});

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

await import('./guest-scenarios.ts');
await import('./guest-panel.ts');
const { run } = await import('./guest-suite.ts');
await run(print);
print({ end: true });
