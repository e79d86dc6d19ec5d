/** Do the keys of a source belong together? A source trips links or is a heartbeat, never both. */
import { error, type Finding } from '../text/finding.ts';
import type { Path } from '../text/positions.ts';
import type { SourceConfig } from '../schema.ts';

/** Findings about which keys of a source are there. */
export function sourceKeyFindings(path: Path, source: SourceConfig): readonly Finding[] {
  const { verify, map } = source;
  const findings: Finding[] = [
    ...(source.heartbeat === true ? heartbeatFindings(path, source) : trippingFindings(path, source)),
  ];
  if (source.format === 'map' && map === undefined)
    findings.push(missing(path, 'map', 'say with JSON pointers where things stand in the body'));
  if (source.format !== 'map' && map !== undefined)
    findings.push(
      error([...path, 'map'], '`map` belongs to `format: map`', 'write `format: map`, or remove it'),
    );
  if (map !== undefined && Object.keys(map).every((key) => key === 'each'))
    findings.push(
      error([...path, 'map'], 'it says nothing about the body', 'add at least one pointer or condition'),
    );
  if (verify.type === 'mtls' && verify.fingerprints === undefined && verify.subject === undefined)
    findings.push(missing([...path, 'verify'], 'fingerprints', 'or `subject`: which certificate is it?'));
  if (verify.type === 'mtls' && verify.subject !== undefined && Object.keys(verify.subject).length === 0)
    findings.push(error([...path, 'verify', 'subject'], 'nothing given', 'write at least CN'));
  return findings;
}

function heartbeatFindings(path: Path, source: SourceConfig): readonly Finding[] {
  const keys = (['trips', 'trip_on'] as const).filter((key) => source[key] !== undefined);
  return keys.map((key) =>
    error(
      [...path, key],
      'a heartbeat trips nothing: its silence isolates, through the permissives of a link',
      'remove it, or make two sources of it',
    ),
  );
}

function trippingFindings(path: Path, source: SourceConfig): readonly Finding[] {
  const findings: Finding[] = [];
  if (source.trips === undefined)
    findings.push(missing(path, 'trips', 'the links that this source isolates, or `heartbeat: true`'));
  if (source.format === undefined)
    findings.push(missing(path, 'format', 'what the body looks like; `generic` for scripts'));
  return findings;
}

const missing = (path: Path, key: string, what: string): Finding => ({
  ...error(path, `missing "${key}"`, `add it: ${what}`),
  atKey: true,
});
