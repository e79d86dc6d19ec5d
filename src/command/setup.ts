/** `portcullis setup`: looks at this machine, asks, and writes a configuration that passes `check`. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { z } from 'zod';
import { formatProblem } from '../config/schema/command.ts';
import { checkText } from '../config/load.ts';
import { scheduleProblem } from '../config/meaning/openings.ts';
import { readYaml } from '../config/text/yaml.ts';
import { printable } from '../sources/excerpt.ts';
import { type Draft, draftOf } from '../setup/draft.ts';
import { type Facts, factsOf } from '../setup/facts.ts';
import { type Ask, interview, type Plan, type Question } from '../setup/interview.ts';
import { placeDraft } from '../setup/place.ts';
import { shippedProfiles } from './configured.ts';
import { CommandError, say } from './exit.ts';

const MAX_ANSWER_LENGTH = 200;
/** A line of facts, with everything that a machine has; characters. */
const MAX_LINE_LENGTH = 4_000;
type Profiles = Awaited<ReturnType<typeof shippedProfiles>>;

/** How it is called. */
export interface SetupOptions {
  readonly config: string;
  /** File with answers by the ids of the questions; what it leaves out is answered as proposed. */
  readonly answers?: string;
  /** Answers everything as proposed. */
  readonly yes?: true;
  /** Where the machine is looked at; `/` but in tests. */
  readonly machine: string;
}

/**
 * Rejects with a `CommandError` when an answer will not do, or what would be written does not pass `check`. `known` are the
 * shipped profiles, where somebody has read them already.
 */
export async function proposeConfiguration(
  { config, answers, yes, machine }: SetupOptions,
  tell: (line: string) => void = say,
  known?: Profiles,
): Promise<void> {
  const file = resolve(config);
  mustBeWritable(dirname(file));
  const facts = factsOf(machine);
  const profiles = known ?? (await shippedProfiles());
  for (const line of factLines(facts)) tell(printable(line, MAX_LINE_LENGTH));
  const isThere = existsSync(file);
  if (isThere) tell(`${file} is there: it is copied before it is replaced`);
  const { plan, draft } = await withAnswers(answers, yes === true, async (ask, isPerson) => {
    const found = await interview(facts, profiles, ask);
    const made = draftOf(found, dirname(file));
    await mustPassCheck(made, facts, profiles, tell);
    if (isPerson && (await ask(lastQuestion(file, isThere))) === 'no')
      throw new CommandError(1, 'as you say; nothing was written');
    return { plan: found, draft: made };
  });
  for (const line of placeDraft(file, draft, machine, new Date())) tell(line);
  for (const line of nextSteps(plan)) tell(line);
}

/** Before ten questions, not after them. */
function mustBeWritable(directory: string): void {
  let nearest = directory;
  while (!existsSync(nearest) && dirname(nearest) !== nearest) nearest = dirname(nearest);
  try {
    accessSync(nearest, constants.W_OK);
  } catch {
    throw new CommandError(
      1,
      `${nearest}: you may not write there: run it with sudo, or with --config FILE to write elsewhere`,
    );
  }
}

const lastQuestion = (file: string, isThere: boolean): Question => ({
  id: 'write',
  text: `These answers make a configuration that passes \`check\`. Write ${file}${isThere ? ', in place of what is there' : ''}?`,
  proposal: 'yes',
  choices: ['yes', 'no'],
});

async function withAnswers<T>(
  file: string | undefined,
  asProposed: boolean,
  use: (ask: Ask, isPerson: boolean) => Promise<T>,
): Promise<T> {
  if (file !== undefined) return fromFile(file, (ask) => use(ask, false));
  if (asProposed) return use(({ proposal }) => Promise.resolve(proposal), false);
  if (!process.stdin.isTTY)
    throw new CommandError(2, 'nobody to ask: run it in a terminal, or with --yes or --answers FILE');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // Ctrl-D and Ctrl-C end the questions; nothing has been written by then.
  const gone = new AbortController();
  terminal.once('close', () => gone.abort(new CommandError(1, 'ended by you; nothing was written')));
  const read = (text: string): Promise<string> =>
    terminal.question(text, { signal: gone.signal }).catch((failure: unknown) => {
      throw gone.signal.aborted ? gone.signal.reason : failure;
    });
  try {
    return await use((question) => asked(question, read, say), true);
  } finally {
    terminal.close();
  }
}

/** Asks until the answer will do. A number stands for the choice with that number. */
export async function asked(
  question: Question,
  read: (prompt: string) => Promise<string>,
  tell: (line: string) => void,
): Promise<string> {
  const { text, proposal, choices } = question;
  tell('');
  tell(printable(text, MAX_LINE_LENGTH));
  for (const [index, choice] of (choices ?? []).entries())
    tell(`  ${index + 1}) ${printable(choice, MAX_ANSWER_LENGTH)}`);
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one person, one answer at a time
    const typed = (await read(`[${printable(proposal, MAX_ANSWER_LENGTH)}] `)).trim();
    const answer = typed === '' ? proposal : (choices?.[Number(typed) - 1] ?? typed);
    const wrong = wrongWith(question, answer);
    if (wrong === null) return answer;
    tell(`not ${printable(answer, MAX_ANSWER_LENGTH)}: ${wrong}`);
  }
}

function wrongWith({ id, choices, wrong }: Question, answer: string): string | null {
  if (id === 'opens') return scheduleProblem(answer);
  if (choices !== undefined && !choices.includes(answer)) return `one of: ${choices.join(', ')}`;
  return wrong?.(answer) ?? null;
}

async function fromFile<T>(file: string, use: (ask: Ask) => Promise<T>): Promise<T> {
  const written = answersIn(file);
  const used = new Set<string>();
  const made = await use((question) => {
    used.add(question.id);
    const answer = written[question.id] ?? question.proposal;
    const wrong = wrongWith(question, answer);
    if (wrong === null) return Promise.resolve(answer);
    const shown = printable(answer, MAX_ANSWER_LENGTH);
    return Promise.reject(new CommandError(1, `${file}: ${question.id}: not ${shown}: ${wrong}`));
  });
  const unasked = Object.keys(written).filter((key) => !used.has(key));
  if (unasked.length > 0)
    throw new CommandError(
      1,
      `${file}: nobody asked for ${unasked.map((key) => printable(key, MAX_ANSWER_LENGTH)).join(', ')}; remove it, or see what the other answers lead to`,
    );
  return made;
}

function answersIn(file: string): Readonly<Record<string, string>> {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (failure) {
    throw new CommandError(
      2,
      `${file}: cannot read it: ${failure instanceof Error ? failure.message : String(failure)}`,
    );
  }
  const shape = z.record(z.string(), z.union([z.string(), z.number().transform(String)]));
  const parsed = shape.safeParse(readYaml(content).file ?? {});
  if (parsed.success) return parsed.data;
  throw new CommandError(2, `${file}: not a list of "question: answer"`);
}

/** What is proposed to a person must be good: what is written is what was checked, with this machine's facts. */
async function mustPassCheck(
  draft: Draft,
  { interfaces }: Facts,
  profiles: Profiles,
  tell: (line: string) => void,
): Promise<void> {
  const made = draft.secrets.map(({ file, kind }) => {
    const key = Buffer.alloc(32, 1).toString('base64');
    const bytes = Buffer.from(kind === 'webhook' ? `whsec_${key}\n` : `${key}\n`);
    return [file, { kind: 'read', worldReadable: false, bytes }] as const;
  });
  const loaded = await checkText(draft.text, profiles, {
    interfaces: interfaces.map(({ name }) => name),
    secretsIn: () => Promise.resolve(new Map(made)),
  });
  if (loaded.kind === 'valid') return;
  for (const problem of loaded.problems) tell(formatProblem(problem));
  throw new CommandError(
    1,
    'these answers make a configuration that does not pass `check`; nothing was written',
  );
}

const listed = (all: readonly string[]): string => (all.length === 0 ? 'none' : all.join(', '));

function factLines({ serialPorts, chips, interfaces, disks }: Facts): readonly string[] {
  return [
    `serial ports: ${listed(serialPorts)}`,
    `GPIO chips: ${listed(chips.map(({ label, lines }) => `${label} (${lines} lines)`))}`,
    `network interfaces: ${listed(interfaces.map(({ name, hasDefaultRoute }) => (hasDefaultRoute ? `${name} (default route)` : name)))}`,
    `disks that are not in use: ${listed(disks.map(({ device, uuid }) => `${device} (${uuid})`))}`,
  ];
}

function nextSteps({ link }: Plan): readonly string[] {
  const restart = 'sudo systemctl restart portcullis-interlock portcullis-controller';
  if (link === null) return ['next: wire a relay (hardware/README.md), then portcullis setup again'];
  return [
    'next:',
    '  1. sudo portcullis check',
    ...(link.vault?.kind === 'disk' ? ['     sudo systemctl enable --now portcullis-mount.socket'] : []),
    `  2. ${restart}`,
    `  3. sudo portcullis commission ${link.name}   (at the box; before that no window of it is opened)`,
    ...(link.vault === null
      ? []
      : [
          `  4. keep a copy of the password of the repository elsewhere, then make the repository: docs/install.md`,
        ]),
  ];
}
