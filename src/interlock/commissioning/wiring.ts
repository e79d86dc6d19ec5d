/**
 * What is wrong with a link, judged from what was commanded and what was seen. Each wrong wiring has a code, a sentence and
 * what to do. Pure; where one sight fits several faults, all of them are named.
 */
import { namesOf, only, type Sight, type Sighting } from './sight.ts';

/** Something wrong with a link: a code for machines, what it is, what to do. */
export interface Finding {
  readonly code: string;
  readonly what: string;
  readonly todo: string;
}

/** Which step saw it, and what it knows besides the sight. */
export interface Situation {
  /** What was being done. */
  readonly step: 'at-rest' | 'together' | 'alone-isolates' | 'alone-connects' | 'cycle' | 'power-returned';
  /** The contact that was moved alone; null when all were. */
  readonly moved: string | null;
  readonly sight: Sight;
}

const wrong = (sight: Sight): Sight => sight.filter(({ fits }) => !fits);
const reads = (sight: Sight, position: Sighting['position']): Sight =>
  sight.filter((each) => each.position === position);

/** What fits what was seen. Call it only with a sight that is not as expected. */
export function judge(situation: Situation): Finding {
  const { sight, moved } = situation;
  const silent = reads(wrong(sight), 'unknown');
  const [contact] = only(wrong(sight), 'contact').filter(({ position }) => position !== 'unknown');
  const crossed = crossedWith(sight, moved);
  if (crossed !== null) return crossed;
  const witnesses = only(sight, 'witness');
  // A path that should not be there outranks everything that cannot be read.
  const path = reads(wrong(witnesses), 'connected');
  if (path.length > 0) return unwantedPath(situation, path);
  if (silent.length > 0) return silence(silent);
  if (contact !== undefined) return ownWord(contact, witnesses, moved);
  return noPath(witnesses);
}

/** Moving one contact moved another one: two places are mixed up, or one frame moves both. A mirror contact tells as well. */
function crossedWith(sight: Sight, moved: string | null): Finding | null {
  if (moved === null) return null;
  const telling = (name: string): Sight =>
    sight.filter(
      ({ isWhole, sees, position }) =>
        !isWhole && sees.length === 1 && sees[0] === name && position !== 'unknown',
    );
  const names = only(sight, 'contact').map(({ name }) => name);
  const other = names.find((name) => name !== moved && telling(name).some(({ fits }) => !fits));
  if (other === undefined) return null;
  if (telling(moved).every(({ fits }) => fits)) {
    return {
      code: 'contacts-coupled',
      what: `driving contact ${moved} moved contact ${other} too`,
      todo: `give each its own channel: compare bus, unit and channel of ${moved} and ${other} with the wiring`,
    };
  }
  return {
    code: 'contacts-swapped',
    what: `driving contact ${moved} moved contact ${other} instead`,
    todo: `exchange bus, unit or channel of ${moved} and ${other} in the configuration, or their wires at the board`,
  };
}

function unwantedPath({ step, moved, sight }: Situation, path: Sight): Finding {
  const who = `witness ${namesOf(path)}`;
  const itself = only(sight, 'contact').find(({ name }) => name === moved);
  switch (step) {
    case 'at-rest':
    case 'power-returned':
      return {
        code: 'connected-at-rest',
        what: `${who} sees a path while every contact is told to isolate`,
        todo: 'pull the cable; then look for a contact wired to NC instead of NO, a welded or bypassed contact, or a witness wired the wrong way round (`isolated_when`)',
      };
    case 'alone-connects':
      return {
        code: 'not-in-series',
        what: `contact ${moved} alone connects the link (${who} sees a path): the other contacts do not isolate it`,
        todo: 'look at each other contact: not in the path, bypassed, welded, or wired to NC instead of NO',
      };
    case 'alone-isolates':
      if (itself?.position === 'isolated')
        return {
          code: 'read-back-lies',
          what: `contact ${moved} says that it isolated, and ${who} still sees a path`,
          todo: `contact ${moved} is welded, bypassed or not in the path of this link, and its read-back shows only what it was told; repair or rewire it`,
        };
      return {
        code: 'welded',
        what: `contact ${moved} was told to isolate and stays connected (${who} sees a path too)`,
        todo: `pull the cable, then replace contact ${moved}; it is welded, or its driver does not reach it`,
      };
    case 'together':
    case 'cycle':
      return {
        code: 'does-not-isolate',
        what: `${who} still sees a path after every contact was told to isolate`,
        todo: 'pull the cable; a contact is welded, or isolating takes longer than isolate_timeout (hold-up of a power supply: measure it)',
      };
  }
}

function silence(silent: Sight): Finding {
  const [first] = silent;
  const whose = silent.map(({ kind, name }) => `${kind} ${name}`).join(', ');
  return {
    code: 'silent',
    what: `${whose} could not be read: ${first?.detail ?? ''}`,
    todo: 'look at its cable, its supply and its address (`portcullis status` shows what it says)',
  };
}

/** A contact says something else than it was told, and no witness contradicts what it was told. */
function ownWord(contact: Sighting, witnesses: Sight, moved: string | null): Finding {
  const { name, expected, position } = contact;
  const shown = witnesses.some((each) => each.position !== 'unknown') && witnesses.every(({ fits }) => fits);
  if (shown && (moved === null || moved === name))
    return {
      code: 'read-back-lies',
      what: `contact ${name} says ${position}, and every witness shows that it is ${expected}`,
      todo: `the read-back of ${name} looks at another channel, is inverted, or is stuck: check unit and channel, and what its profile reads`,
    };
  if (expected === 'connected')
    return {
      code: 'not-obeyed',
      what: `contact ${name} answered the connect and says that it is isolated`,
      todo: `is the board of ${name} in a linkage, jog or interlocked mode, or does it read another channel? See the dangers of its profile`,
    };
  return {
    code: 'welded',
    what: `contact ${name} was told to isolate and says that it is connected`,
    todo: `pull the cable, then look at contact ${name}: welded, or driven on another channel than it is read`,
  };
}

/** Every contact says connected, and witnesses do not see it. */
function noPath(witnesses: Sight): Finding {
  const blind = reads(witnesses, 'isolated');
  if (blind.length < witnesses.length)
    return {
      code: 'witness-never-moves',
      what: `witness ${namesOf(blind)} still says isolated while ${namesOf(reads(witnesses, 'connected'))} sees the path`,
      todo: `check the wire of witness ${namesOf(blind)}, its input or interface, and its sense (\`isolated_when\`)`,
    };
  return {
    code: 'never-connected',
    what: `every contact says that it is connected, and witness ${namesOf(blind)} says isolated`,
    todo: 'is the vault powered and its cable plugged in at both ends? Else a contact does not make, a witness never moves, or connect_timeout is too short for this path',
  };
}

/** All but one contact connect the link: that one works the other way round. */
export const normallyClosed = (contact: string): Finding => ({
  code: 'normally-closed',
  what: `the link is connected when contact ${contact} is told to isolate and isolated when it is told to connect`,
  todo: `contact ${contact} is wired to NC: move its wire to NO, so that it falls to isolated without power`,
});

/** At rest the witnesses see a path, and driving the contacts takes it away. */
export function inverted(contacts: readonly string[], witnesses: Sight): Finding {
  const seeing = reads(witnesses, 'connected');
  const someAreRight = seeing.length < witnesses.length;
  if (someAreRight)
    return {
      code: 'witness-inverted',
      what: `witness ${namesOf(seeing)} says the opposite of the other witnesses, at rest and connected`,
      todo: `turn \`isolated_when\` of witness ${namesOf(seeing)} round, or its wires`,
    };
  const [single, ...more] = contacts;
  if (more.length === 0 && seeing.length > 1 && single !== undefined) return normallyClosed(single);
  return {
    code: 'inverted',
    what: `witness ${namesOf(seeing)} sees a path at rest and none when the contacts are told to connect`,
    todo: `either contact ${contacts.join(', ')} is wired to NC instead of NO, or witness ${namesOf(seeing)} is the wrong way round (\`isolated_when\`): look at the relay's terminals first`,
  };
}
