/** Runs some windows and prints what was measured, for people: `node test/endurance/run.ts WINDOWS [OUT.json]`. */
import { writeFileSync } from 'node:fs';
import { LEAKING } from './gauge.ts';
import { liveThrough } from './year.ts';

const [windows = '20', out] = process.argv.slice(2);
const figures = await liveThrough({
  windows: Number(windows),
  restartsAfter: [2, 4, 6, 8, 10].filter((after) => after < Number(windows) / 3),
  reportsKept: 100,
  onWindow(number, interlock, controller, disk) {
    const line = (of: typeof interlock): string =>
      [...LEAKING, 'code' as const].map((name) => `${name} ${of[name]}`).join(' ');
    if (number % 25 === 0) console.log(JSON.stringify(disk));
    console.log(`${number}: interlock ${line(interlock)} | controller ${line(controller)}`);
  },
});
if (out !== undefined) writeFileSync(out, JSON.stringify(figures));
const { interlock, controller, disk, ...rest } = figures;
console.log(
  JSON.stringify({ ...rest, disk: disk.at(-1), last: [interlock.at(-1), controller.at(-1)] }, null, 1),
);
