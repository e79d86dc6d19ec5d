/** The senders whose bodies are understood: one pure function each, from the JSON of a body to what it says. */
import { readAlertmanager } from './formats/alertmanager.ts';
import { readCanarytokens } from './formats/canarytokens.ts';
import { readDatadog } from './formats/datadog.ts';
import { readFalco } from './formats/falco.ts';
import { readFalcosidekick } from './formats/falcosidekick.ts';
import { readGeneric } from './formats/generic.ts';
import { readGithub } from './formats/github.ts';
import { readGitlab } from './formats/gitlab.ts';
import { readGrafana } from './formats/grafana.ts';
import { readHealthchecks } from './formats/healthchecks.ts';
import { readIcinga } from './formats/icinga.ts';
import { readKibana } from './formats/kibana.ts';
import { readNetdata } from './formats/netdata.ts';
import { readPagerduty } from './formats/pagerduty.ts';
import { readSentry } from './formats/sentry.ts';
import { readSns } from './formats/sns.ts';
import { readSplunk } from './formats/splunk.ts';
import { readUptimeKuma } from './formats/uptime-kuma.ts';
import { readWazuh } from './formats/wazuh.ts';
import { readZabbix } from './formats/zabbix.ts';
import type { Message } from './message.ts';

/** Names as the configuration writes them. `map` is not among them: it needs its pointers. */
export const formats = {
  generic: readGeneric,
  alertmanager: readAlertmanager,
  grafana: readGrafana,
  falco: readFalco,
  falcosidekick: readFalcosidekick,
  wazuh: readWazuh,
  pagerduty: readPagerduty,
  datadog: readDatadog,
  'uptime-kuma': readUptimeKuma,
  canarytokens: readCanarytokens,
  sentry: readSentry,
  github: readGithub,
  gitlab: readGitlab,
  zabbix: readZabbix,
  healthchecks: readHealthchecks,
  sns: readSns,
  kibana: readKibana,
  splunk: readSplunk,
  netdata: readNetdata,
  icinga: readIcinga,
} as const satisfies Readonly<Record<string, (body: unknown) => Message>>;

export type FormatName = keyof typeof formats;

/** In the order of the table. */
export const FORMAT_NAMES = Object.keys(formats) as readonly FormatName[];
