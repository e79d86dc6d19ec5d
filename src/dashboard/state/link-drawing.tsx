/**
 * The link as it is built: production, its contacts as breakers in series, the witnesses that look at the wire, the vault.
 * A wire is drawn thick as far as something may come through, thin behind a contact that was seen to isolate.
 */
import type { LinkState } from '../../api/documents/state-document.ts';
import { Age } from '../parts/times.tsx';
import { Marked } from '../parts/notes.tsx';
import { bounded } from '../words.ts';
import { POSITION_WORDS } from './state-words.ts';
import { Breaker, Eye, Production, Vault } from './symbols.tsx';

type Indicator = LinkState['indicators'][number];
type Rating = LinkState['ratings'][string];

/** How much comes through a piece of wire, as far as anybody knows. */
type Wire = 'reaching' | 'unsure' | 'parted';

const RATING_WORDS: Record<Rating, string> = {
  'fail-safe-independent': 'fail-safe, independent evidence',
  'fail-safe-indirect': 'fail-safe, indirect evidence',
  holding: 'holding: an extra layer, never trusted alone',
};

/** Stations beyond which the drawing runs downwards. */
const STATIONS_ACROSS = 7;

/** `vouched`: the page has fresh news; otherwise what is drawn is old, and is drawn so. */
export function LinkDrawing({ link, vouched }: { readonly link: LinkState; readonly vouched: boolean }) {
  const contacts = link.indicators.filter(({ kind }) => kind === 'contact');
  const witnesses = link.indicators.filter(({ kind }) => kind === 'witness');
  const wires = wiresAlong(contacts, link.observed === 'isolated');
  const behind = wires.at(-1) ?? 'unsure';
  const isLong = contacts.length + witnesses.length + 2 > STATIONS_ACROSS;
  return (
    <ol
      class={`drawing ${isLong ? 'downwards' : ''} ${vouched ? '' : 'old'}`}
      aria-label={`The link ${bounded(link.link, 60)}, from production to the vault`}
    >
      <li class="station end">
        <div class="wire after-reaching">
          <Production />
          <i />
        </div>
        <div class="reading">
          <b>production</b>
        </div>
      </li>
      {contacts.map((contact, index) => (
        <Contact
          key={contact.name}
          contact={contact}
          rating={link.ratings[contact.name]}
          before={wires[index] ?? 'unsure'}
          after={wires[index + 1] ?? 'unsure'}
        />
      ))}
      {witnesses.map((witness) => (
        <Witness key={witness.name} witness={witness} wire={behind} />
      ))}
      <li class="station end">
        <div class={`wire before-${behind}`}>
          <i />
          <Vault />
        </div>
        <div class="reading">
          <b>{bounded(link.link, 40)}</b>
        </div>
      </li>
    </ol>
  );
}

/**
 * The wire before the first contact, between the contacts, and behind the last. Behind a contact that reads isolated it is
 * drawn parted only when the evidence as a whole says so: a witness may contradict the contact.
 */
function wiresAlong(contacts: readonly Indicator[], isIsolated: boolean): readonly Wire[] {
  const wires: Wire[] = ['reaching'];
  for (const { position } of contacts) {
    const before = wires.at(-1) ?? 'unsure';
    if (before === 'parted' || position === 'isolated') wires.push(isIsolated ? 'parted' : 'unsure');
    else wires.push(before === 'unsure' || position === 'unknown' ? 'unsure' : 'reaching');
  }
  return wires;
}

interface ContactProps {
  readonly contact: Indicator;
  readonly rating: Rating | undefined;
  readonly before: Wire;
  readonly after: Wire;
}

function Contact({ contact, rating, before, after }: ContactProps) {
  return (
    <li class="station">
      <div class={`wire before-${before} after-${after}`}>
        <i />
        <Breaker position={contact.position} />
        <i />
      </div>
      <Reading of={contact} what="contact" more={rating === undefined ? '' : RATING_WORDS[rating]} />
    </li>
  );
}

function Witness({ witness, wire }: { readonly witness: Indicator; readonly wire: Wire }) {
  return (
    <li class="station witness">
      <div class={`wire before-${wire} after-${wire}`}>
        <i />
        <Eye position={witness.position} />
        <i />
      </div>
      <Reading
        of={witness}
        what="witness"
        more={witness.type === witness.name ? '' : bounded(witness.type, 40).replaceAll('-', ' ')}
      />
    </li>
  );
}

interface ReadingProps {
  readonly of: Indicator;
  readonly what: string;
  readonly more: string;
}

function Reading({ of: { name, position, age_ms, detail }, what, more }: ReadingProps) {
  const { word, shape } = POSITION_WORDS[position];
  return (
    <div class="reading">
      <span>
        <span class="what">{what}</span> <b>{bounded(name, 40)}</b>
      </span>
      <span>
        <span class={`seen ${position}`}>
          <Marked shape={shape}>{word}</Marked>
        </span>{' '}
        <span class="age">
          <Age ms={age_ms} />
        </span>
      </span>
      {detail !== '' && <span class="detail">{bounded(detail, 90)}</span>}
      {more !== '' && <span class="detail">{more}</span>}
    </div>
  );
}
