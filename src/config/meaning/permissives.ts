/** Do the heartbeats that links ask for come from somewhere, and does somebody ask for each? */
import { formatDuration } from '../schema/duration.ts';
import { error, unresolved, warning, type Finding } from '../text/finding.ts';
import type { Path } from '../text/positions.ts';
import { quoted } from '../text/problems.ts';
import type { Config, LinkConfig, SourceConfig } from '../schema.ts';

/** Who beats every minute and loses one beat should not lose the link. ms. */
const SHORT_MAX_AGE_MS = 30_000;
/** A dead system that looks alive for longer than this protects little. ms. */
const LONG_MAX_AGE_MS = 3_600_000;

/** Findings about `permissives` of links, and about heartbeats that no link asks for. */
export function permissiveFindings(config: Config, sources: readonly string[]): readonly Finding[] {
  const links = Object.entries(config.links);
  const asked = new Set(links.flatMap(([, { permissives }]) => permissives.map((each) => each.heartbeat)));
  return [
    ...links.flatMap(([name, link]) =>
      link.permissives.flatMap((permissive, index) =>
        oneFindings(['links', name, 'permissives', index], permissive, link, config, sources),
      ),
    ),
    ...Object.entries(config.sources).flatMap(([name, source]) => [
      ...unaskedFindings(['sources', name, 'heartbeat'], source, asked.has(name)),
      ...repeatableFindings(['sources', name, 'verify'], source),
    ]),
  ];
}

function oneFindings(
  path: Path,
  permissive: LinkConfig['permissives'][number],
  { permissives }: LinkConfig,
  config: Config,
  sources: readonly string[],
): readonly Finding[] {
  const { heartbeat, max_age: maxAge } = permissive;
  const findings = [...unresolved([...path, 'heartbeat'], 'source', heartbeat, sources)];
  const source = config.sources[heartbeat];
  if (source !== undefined && source.heartbeat !== true)
    findings.push(
      error(
        [...path, 'heartbeat'],
        `source ${quoted(heartbeat)} is no heartbeat: it trips`,
        'name a source with `heartbeat: true`',
      ),
    );
  if (permissives.find((each) => each.heartbeat === heartbeat) !== permissive)
    findings.push(
      error([...path, 'heartbeat'], `${quoted(heartbeat)} is asked for already`, 'ask for it once per link'),
    );
  return [...findings, ...ageFindings([...path, 'max_age'], maxAge)];
}

function ageFindings(path: Path, maxAgeMs: number): readonly Finding[] {
  if (maxAgeMs < SHORT_MAX_AGE_MS)
    return [
      warning(
        path,
        `a sender that is late by ${formatDuration(maxAgeMs)} isolates the link in the middle of its work`,
        'write at least three times the interval at which it beats',
      ),
    ];
  if (maxAgeMs <= LONG_MAX_AGE_MS) return [];
  return [
    warning(
      path,
      `for ${formatDuration(maxAgeMs)} nobody would notice that the monitoring is blind`,
      'let it beat more often, and write a few minutes',
    ),
  ];
}

function unaskedFindings(path: Path, source: SourceConfig, asked: boolean): readonly Finding[] {
  if (source.heartbeat !== true || asked) return [];
  const hint = 'name it under `permissives` of a link, or remove it';
  const what = 'no link asks for this heartbeat: its silence does nothing';
  return [{ ...warning(path, what, hint), because: ['links'], atKey: true }];
}

/** A signature over the body alone is the same for every beat. */
function repeatableFindings(path: Path, { heartbeat, verify }: SourceConfig): readonly Finding[] {
  if (heartbeat !== true || verify.type !== 'hmac-sha256' || verify.timestamp !== undefined) return [];
  const what = 'no time is signed: whoever records one sign of life can repeat it for ever';
  return [warning(path, what, 'let the sender sign a time (`timestamp`), or use standard-webhooks')];
}
