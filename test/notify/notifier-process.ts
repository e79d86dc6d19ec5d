/** Notifications in a process of their own, to be killed: `node notifier-process.ts DIRECTORY tell|nothing`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { notify } from '../../src/config/schema/notify.ts';
import { startNotifications } from '../../src/controller/notify/notifications.ts';
import { nodeDisk } from '../../src/journal/disk.ts';
import { draft } from './parts.ts';

const [directory = '', what = ''] = process.argv.slice(2);
const running = await startNotifications({
  destinations: notify.parse(JSON.parse(readFileSync(join(directory, 'notify.json'), 'utf8'))),
  disk: nodeDisk,
  directory,
  voice: { note: () => undefined },
  journal: () => undefined,
  status: () => Promise.reject(new Error('not asked')),
});
if (what === 'tell') running.tell(draft());
// Until it is killed.
setInterval(() => running.show(), 1_000);
