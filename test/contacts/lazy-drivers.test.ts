/** Which drivers a configuration loads, seen from a process of its own: modules of this one are loaded already. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const source = fileURLToPath(new URL('../../src/contacts/', import.meta.url));

/** The files of src that are loaded once the hardware of these buses was made. */
function loadedFor(buses: object): readonly string[] {
  const script = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
    const { createHardware } = await import(${JSON.stringify(`${source}drivers.ts`)});
    await createHardware({ buses: ${JSON.stringify(buses)}, links: {} }, new Map());
    process.stdout.write(loaded.join('\\n'));
  `;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  expect([status, stderr]).toEqual([0, expect.any(String)]);
  return stdout.split('\n').map((url) => url.replace(/^.*\/src\/contacts\//, ''));
}

test('a driver is loaded for the bus that needs it, and by nothing else', () => {
  const tcp = { transport: 'modbus-tcp', host: '127.0.0.1', port: 5020 };
  const one = loadedFor({ board: tcp });
  expect(one).toContain('modbus/hardware.ts');
  expect(one.filter((file) => /^(command|console|gpio|serial|snmp)\/hardware/.test(file))).toEqual([]);
  expect(one.filter((file) => /serialport|koffi|onoff/.test(file))).toEqual([]);
  const two = loadedFor({ board: tcp, pins: { transport: 'gpio', chip: 'gpiochip0', access: 'auto' } });
  expect(two.filter((file) => file.endsWith('/hardware.ts'))).toEqual([
    'modbus/hardware.ts',
    'gpio/hardware.ts',
  ]);
}, 60_000);
