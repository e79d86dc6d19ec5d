/** Do schedules, durations and restic steps make sense together? */
import { formatDuration } from '../schema/duration.ts';
import { error, unresolved, warning, type Finding, type Surroundings } from '../text/finding.ts';
import { nearest } from '../text/nearest.ts';
import { isTimezone, nextOpenings, scheduleProblem } from './openings.ts';
import { stepFindings } from './steps.ts';
import type { Path } from '../text/positions.ts';
import { quoted } from '../text/problems.ts';
import type { Config, LinkConfig, WindowConfig } from '../schema.ts';

const DAY_MS = 86_400_000;

/** Findings about `windows`. */
export function windowFindings(config: Config, around: Surroundings): readonly Finding[] {
  return [
    ...Object.entries(config.windows).flatMap(([name, window]) =>
      oneWindow(['windows', name], window, config, around),
    ),
    ...Object.keys(config.links).flatMap((link) => calendarFindings(link, config)),
  ];
}

function oneWindow(
  path: Path,
  window: WindowConfig,
  config: Config,
  around: Surroundings,
): readonly Finding[] {
  const findings = [...unresolved([...path, 'link'], 'link', window.link, around.names.links)];
  const wrong = scheduleProblem(window.opens);
  if (wrong !== null) {
    findings.push(
      error([...path, 'opens'], wrong, 'write a cron expression, as in "30 2 * * *" for half past two'),
    );
  }
  if (!isTimezone(window.timezone)) {
    const meant = nearest(window.timezone, Intl.supportedValuesOf('timeZone'));
    const hint =
      meant === null ? 'write an IANA name, as in Europe/Berlin or UTC' : `did you mean ${quoted(meant)}?`;
    findings.push(error([...path, 'timezone'], `no time zone is called ${quoted(window.timezone)}`, hint));
  }
  const link = config.links[window.link];
  if (link !== undefined) findings.push(...durationFindings(path, window, link));
  const steps = window.steps.flatMap((step, index) =>
    stepFindings([...path, 'steps', index], step, config, around),
  );
  return [...findings, ...steps];
}

function durationFindings(path: Path, window: WindowConfig, link: LinkConfig): readonly Finding[] {
  const findings: Finding[] = [];
  const lost = link.settle + window.grace;
  if (window.lasts <= lost) {
    const what = `${formatDuration(window.lasts)} leave no time to work`;
    const hint = `settle (${formatDuration(link.settle)}) and grace (${formatDuration(window.grace)}) take ${formatDuration(lost)} of it`;
    findings.push(error([...path, 'lasts'], what, hint));
  }
  if (window.lasts > link.exposure_budget) {
    const what = `longer than the link may be connected in 24 hours (${formatDuration(link.exposure_budget)})`;
    findings.push(
      warning(
        [...path, 'lasts'],
        what,
        'the budget ends the window early; raise `exposure_budget` or shorten `lasts`',
      ),
    );
  }
  return findings;
}

interface Opening {
  readonly window: string;
  readonly opensAt: number;
  /** With all jitter spent. */
  readonly endsAt: number;
  readonly lasts: number;
}

/** Openings of all windows of a link in order, up to the time until which every window's openings are known. */
function openingsOf(link: string, config: Config): readonly Opening[] {
  const perWindow = Object.entries(config.windows)
    .filter(([, window]) => window.link === link)
    .map(([name, window]) =>
      nextOpenings(window).map((opensAt): Opening => {
        return { window: name, opensAt, endsAt: opensAt + window.jitter + window.lasts, lasts: window.lasts };
      }),
    )
    .filter((openings) => openings.length > 0);
  const known = Math.min(...perWindow.map((openings) => openings.at(-1)?.opensAt ?? 0));
  return perWindow
    .flat()
    .filter((opening) => opening.opensAt <= known)
    .toSorted((a, b) => a.opensAt - b.opensAt || a.window.localeCompare(b.window));
}

function calendarFindings(link: string, config: Config): readonly Finding[] {
  const openings = openingsOf(link, config);
  return [...overlaps(openings), ...exposure(link, openings, config), ...proofAge(link, openings, config)];
}

function overlaps(openings: readonly Opening[]): readonly Finding[] {
  const pairs = new Map<string, Finding>();
  let latest: Opening | null = null;
  for (const opening of openings) {
    if (latest !== null && opening.opensAt < latest.endsAt) {
      const [first, second] = [latest.window, opening.window].toSorted((a, b) => a.localeCompare(b));
      const what =
        first === second
          ? 'opens again before it has ended (jitter and full length counted)'
          : `overlaps window ${quoted(first === opening.window ? (second ?? '') : (first ?? ''))} on the same link (jitter and full length counted)`;
      const finding = warning(
        ['windows', opening.window, 'opens'],
        what,
        'the later opening is missed while the link is in use',
      );
      if (!pairs.has(`${first} ${second}`)) pairs.set(`${first} ${second}`, finding);
    }
    if (latest === null || opening.endsAt > latest.endsAt) latest = opening;
  }
  return [...pairs.values()];
}

function exposure(link: string, openings: readonly Opening[], config: Config): readonly Finding[] {
  const budget = config.links[link]?.exposure_budget ?? 0;
  if (openings.some((opening) => opening.lasts > budget)) return [];
  let sum = 0;
  let most = 0;
  let first = 0;
  for (const opening of openings) {
    sum += opening.lasts;
    while ((openings[first]?.opensAt ?? opening.opensAt) <= opening.opensAt - DAY_MS) {
      sum -= openings[first]?.lasts ?? 0;
      first += 1;
    }
    most = Math.max(most, sum);
  }
  if (most <= budget) return [];
  const what = `its windows may use ${formatDuration(most)} in 24 hours, the budget is ${formatDuration(budget)}`;
  const hint =
    'when all windows take their full length, late ones are refused; raise `exposure_budget` or shorten them';
  return [warning(['links', link, 'exposure_budget'], what, hint)];
}

/** Every window ends with the test of one contact: where windows are rare, proofs grow too old, and only a person helps then. */
function proofAge(link: string, openings: readonly Opening[], config: Config): readonly Finding[] {
  const { contacts = [], proof_test_max_age: allowed = Infinity } = config.links[link] ?? {};
  const ages = openings.map(
    ({ opensAt }, at) => (openings[at + contacts.length]?.opensAt ?? opensAt) - opensAt,
  );
  const oldest = Math.max(0, ...ages);
  if (contacts.length === 0 || oldest <= allowed) return [];
  const what = `its windows test one contact each, so a proof gets ${formatDuration(oldest)} old; older than ${formatDuration(allowed)} refuses every lease until the link is commissioned again`;
  const hint = `write ${formatDuration(oldest)} or more, or open its windows more often`;
  return [warning(['links', link, 'proof_test_max_age'], what, hint)];
}
