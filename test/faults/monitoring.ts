/**
 * Debian's Prometheus and Alertmanager, set up with the files that docs/examples/monitoring shows to people; only addresses,
 * paths and intervals are others. What Prometheus scrapes is one number that the test sets.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Child, eventually } from './child.ts';
import { ask } from './http.ts';
import { freePorts } from './rig.ts';

const SHOWN = join(import.meta.dirname, '../../docs/examples/monitoring');
/** Prometheus evaluates, and Alertmanager sends, about this often in a test. */
const EVERY = '1s';

/** Why nothing can be tried here, or `null`. */
export function missingMonitoring(): string | null {
  const missing = ['prometheus', 'prometheus-alertmanager'].filter((tool) => {
    try {
      execFileSync(tool, ['--version'], { stdio: 'ignore' });
      return false;
    } catch {
      return true;
    }
  });
  if (missing.length === 0) return null;
  return `${missing.join(' and ')} missing (apt-get install prometheus prometheus-alertmanager)`;
}

/** One Prometheus and one Alertmanager that speak to the interlock at `tripPort`. */
export class Monitoring {
  readonly #directory: string;
  readonly #tripPort: number;
  readonly #children: Child[] = [];
  #exporter: Server | null = null;
  #exporterPort = 0;
  #prometheusPort = 0;
  #alertmanagerPort = 0;
  #prometheus: Child | null = null;
  /** What `ransom_notes_found` is when Prometheus looks. */
  notes = 0;

  constructor(directory: string, tripPort: number) {
    this.#directory = join(directory, 'monitoring');
    this.#tripPort = tripPort;
  }

  /** Starts both; resolves when both answer. `tokens`: what they show to the interlock. */
  async begin(tokens: { readonly cut: string; readonly heartbeat: string }): Promise<void> {
    for (const path of ['prometheus', 'alertmanager'])
      mkdirSync(join(this.#directory, path), { recursive: true });
    for (const [name, token] of Object.entries(tokens))
      writeFileSync(join(this.#directory, `portcullis-${name}.token`), token, { mode: 0o600 });
    [this.#prometheusPort = 0, this.#alertmanagerPort = 0] = await freePorts(2);
    await this.#export();
    this.#write('alertmanager.yml', {
      'http://127.0.0.1:8470/': `http://127.0.0.1:${this.#tripPort}/`,
      '/etc/alertmanager/': `${this.#directory}/`,
      'group_interval: 30s': `group_interval: ${EVERY}`,
      'repeat_interval: 20s': 'repeat_interval: 500ms',
      'repeat_interval: 5m': 'repeat_interval: 3s',
    });
    this.#write('portcullis-rules.yml', {});
    this.#write('prometheus.yml', {
      '_interval: 15s': `_interval: ${EVERY}`,
      '/etc/prometheus/': `${this.#directory}/`,
      '127.0.0.1:9093': `127.0.0.1:${this.#alertmanagerPort}`,
      '127.0.0.1:9100': `127.0.0.1:${this.#exporterPort}`,
    });
    await this.#startAlertmanager();
    await this.startPrometheus();
  }

  /** Starts Prometheus, again if need be. */
  async startPrometheus(): Promise<void> {
    const prometheus = this.#start('prometheus', 'prometheus', [
      `--config.file=${this.#directory}/prometheus.yml`,
      `--storage.tsdb.path=${this.#directory}/prometheus`,
      `--web.listen-address=127.0.0.1:${this.#prometheusPort}`,
      `--rules.alert.resend-delay=${EVERY}`,
    ]);
    this.#prometheus = prometheus;
    await isReady(prometheus, this.#prometheusPort);
  }

  get prometheus(): Child {
    if (this.#prometheus === null) throw new Error('Prometheus was not started');
    return this.#prometheus;
  }

  /** Everything that it started is gone. */
  async end(): Promise<void> {
    for (const child of this.#children) if (child.ended === null) await child.kill();
    const exporter = this.#exporter;
    if (exporter === null) return;
    exporter.closeAllConnections();
    await new Promise((resolve) => exporter.close(resolve));
  }

  #startAlertmanager(): Promise<void> {
    const alertmanager = this.#start('alertmanager', 'prometheus-alertmanager', [
      `--config.file=${this.#directory}/alertmanager.yml`,
      `--storage.path=${this.#directory}/alertmanager`,
      `--web.listen-address=127.0.0.1:${this.#alertmanagerPort}`,
      '--cluster.listen-address=',
    ]);
    return isReady(alertmanager, this.#alertmanagerPort);
  }

  #start(name: string, command: string, args: readonly string[]): Child {
    const child = new Child(name, command, args, process.env);
    this.#children.push(child);
    return child;
  }

  /** A file as it is shown to people, with every one of `other` in place of what is shown. */
  #write(name: string, other: Readonly<Record<string, string>>): void {
    let text = readFileSync(join(SHOWN, name), 'utf8');
    for (const [shown, here] of Object.entries(other)) {
      if (!text.includes(shown)) throw new Error(`${name} does not say ${shown}`);
      text = text.replaceAll(shown, here);
    }
    writeFileSync(join(this.#directory, name), text);
  }

  async #export(): Promise<void> {
    const exporter = createServer((_request, answer) => {
      answer.setHeader('content-type', 'text/plain; version=0.0.4');
      answer.end(`ransom_notes_found ${this.notes}\n`);
    });
    this.#exporter = exporter;
    await new Promise<void>((resolve) => exporter.listen(0, '127.0.0.1', resolve));
    this.#exporterPort = (exporter.address() as AddressInfo).port;
  }
}

async function isReady(child: Child, port: number): Promise<void> {
  await eventually(`${child.name} to be ready`, async () => {
    if (child.ended !== null) throw new Error(child.words());
    const answer = await ask({ host: '127.0.0.1', port, path: '/-/ready' }).catch(() => null);
    return answer?.status === 200;
  });
}
