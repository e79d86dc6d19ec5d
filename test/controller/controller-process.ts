/** A controller as a process of its own, to be killed: `node controller-process.ts CONFIGURATION.json`. */
import { readFileSync } from 'node:fs';
import { configSchema } from '../../src/config/schema.ts';
import { startController } from '../../src/controller/compose.ts';

const file: unknown = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const controller = await startController(configSchema.parse(file));
await controller.stopped;
