/** How every link stands, in words, for the interlock's own page. Nothing here is secret, and nothing is shown as proven that is not. */
import type { LinkStatus, Status } from '../../protocol/messages.ts';
import { html, type Html } from '../../listener/html.ts';

interface Standing {
  /** A shape beside the colour. */
  readonly sign: string;
  readonly word: string;
  readonly kind: 'isolated' | 'connected' | 'alarm' | 'unknown';
}

/** The state of everything, as sections of a page. */
export const stateSections = (status: Status): readonly Html[] => [
  ...status.links.map((link) => linkSection(link, status)),
  html`<section>
    <h2>The box</h2>
    <dl>
      <dt>read at</dt>
      <dd>${status.at}</dd>
      <dt>clock</dt>
      <dd>${status.clock.synchronised ? 'synchronised' : `NOT SYNCHRONISED: ${status.clock.detail}`}</dd>
      <dt>journal</dt>
      <dd>
        ${status.journal.writable ? `${status.journal.size} entries` : 'CANNOT BE WRITTEN; nothing is connected'}${status.journal.disk?.low === true ? '; ITS DISK RUNS LOW' : ''}
      </dd>
      <dt>button</dt>
      <dd>${buttonWords(status)}</dd>
    </dl>
  </section>`,
];

function linkSection(link: LinkStatus, { windows }: Status): Html {
  const { sign, word, kind } = standingOf(link);
  const rows: [string, string][] = [
    ['how it is known', proofWords(link)],
    ['since', link.since],
    ['commanded, observed', `${link.commanded}, ${link.observed}`],
    ...link.indicators.map(({ name, kind: what, position, age_ms }): [string, string] => [
      `${what} ${name}`,
      `${position}${age_ms === null ? ', never read' : `, ${seconds(age_ms)} ago`}`,
    ]),
  ];
  if (link.latch !== null) {
    const { at, by, reason, cause } = link.latch;
    rows.push(['tripped', `${at} by ${by}: ${reason} (cause ${cause ?? 'unknown'})`]);
    rows.push(['to reset', link.reset_needs.map(wanted).join('; ')]);
  }
  if (link.session !== null) {
    const { by, reason, ends_in_ms } = link.session;
    rows.push(['attended session', `${by}: ${reason}; ends in ${seconds(ends_in_ms)}`]);
  }
  if (link.lease !== null)
    rows.push(['lease', `${link.lease.holder}, ends in ${seconds(link.lease.ends_in_ms)}`]);
  for (const { window, open, next_opens } of windows.filter((each) => each.link === link.link))
    rows.push([
      `window ${window}`,
      open === null ? `opens ${next_opens ?? 'never'}` : `in progress, ends in ${seconds(open.ends_in_ms)}`,
    ]);
  return html`<section class="${kind}">
    <h2>${link.link}</h2>
    <p class="state">${sign} ${word}</p>
    <dl>
      ${rows.map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
    </dl>
  </section>`;
}

/** What is seen comes before what was meant: a tripped link that is not proven isolated is not called isolated. */
function standingOf({ state, observed, proof }: LinkStatus): Standing {
  const proven = proof !== 'none' && observed === 'isolated';
  switch (state) {
    case 'isolated':
      return proven
        ? { sign: '■', word: 'ISOLATED', kind: 'isolated' }
        : { sign: '?', word: 'NOT PROVEN ISOLATED', kind: 'unknown' };
    case 'tripped':
      return {
        sign: '▲',
        word: proven ? 'TRIPPED, isolated' : 'TRIPPED, NOT PROVEN ISOLATED',
        kind: 'alarm',
      };
    case 'stuck':
      return { sign: '▲', word: 'STUCK: PULL THE CABLE', kind: 'alarm' };
    case 'connected':
      return { sign: '●', word: 'CONNECTED', kind: 'connected' };
    case 'connecting':
      return { sign: '○', word: 'CONNECTING', kind: 'connected' };
    case 'commissioning':
      return { sign: '○', word: 'BEING COMMISSIONED', kind: 'connected' };
    case 'proving':
    case 'isolating':
      return { sign: '◌', word: 'ISOLATING', kind: 'unknown' };
    case 'unproven':
      return { sign: '?', word: 'NOT PROVEN ISOLATED', kind: 'unknown' };
  }
}

function proofWords({ proof, evidence_grade: grade }: LinkStatus): string {
  const simulated = grade === 'simulated' ? ' (simulated board: proves nothing about hardware)' : '';
  switch (proof) {
    case 'witness':
      return `shown by a witness${simulated}`;
    case 'read-back':
      return `by the board's own word only${simulated}`;
    case 'none':
      return 'not proven';
  }
}

/** The cause stands in the row above. */
const wanted = ({ code, why }: LinkStatus['reset_needs'][number]): string =>
  code === 'cause-unacknowledged' ? 'its cause has to be acknowledged' : why;

const buttonWords = ({ button }: Status): string =>
  button === undefined ? 'none' : `${button.state}${button.why === '' ? '' : `: ${button.why}`}`;

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
