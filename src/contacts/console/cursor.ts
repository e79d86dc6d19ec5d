/** What the line on which the cursor waits means: pure. */
import type { ConsoleDevice } from './fields.ts';
import type { Mode } from './script.ts';
import { anyMatches, comparable, pattern, type Pattern } from './pattern.ts';

/** One question that the profile knows. */
export type Question = ConsoleDevice['questions'][number];

/** What the switch waits for. */
export type CursorSays =
  | { readonly kind: 'mode'; readonly at: Mode['at'] }
  | { readonly kind: 'question'; readonly question: Question }
  | { readonly kind: 'username' }
  | { readonly kind: 'password' }
  | { readonly kind: 'nothing' };

/** What an unknown question looks like; nothing is answered to one, for the answer might be yes. */
const UNKNOWN_QUESTION = /\[y|\(y|y\/n|yes\/no|\bsav(e|ing)\b|\[confirm\]|\?\s*$/i;

/** Whether a line that the profile does not know asks something that a key might answer with yes. */
export const looksLikeQuestion = (line: string): boolean => UNKNOWN_QUESTION.test(comparable(line));

/** The prompts and questions of one switch, ready to compare. */
export class CursorReader {
  readonly #questions: readonly { readonly like: Pattern; readonly question: Question }[];
  readonly #username: readonly Pattern[];
  readonly #password: readonly Pattern[];
  readonly #contexts: readonly string[];
  readonly #modes: readonly { readonly at: Mode['at']; readonly likes: readonly Pattern[] }[];

  constructor(device: ConsoleDevice) {
    const ready = (patterns: readonly string[]): readonly Pattern[] => patterns.map((each) => pattern(each));
    this.#questions = device.questions.map((question) => ({ like: pattern(question.asks), question }));
    this.#username = ready(device.login.username);
    this.#password = ready(device.login.password);
    // The innermost first: what ends in # may be any of three.
    this.#modes = (['interface', 'configure', 'privileged', 'user'] as const).map((at) => ({
      at,
      likes: ready(device.prompts[at].map((prompt) => prompt.replaceAll('{port}', '**'))),
    }));
    this.#contexts = device.prompts.interface;
  }

  /** Questions go before prompts: a prompt taken for a question costs a key, a question taken for a prompt is answered. */
  says(line: string): CursorSays {
    if (comparable(line) === '') return { kind: 'nothing' };
    const asked = this.#questions.find(({ like }) => like.matches(line));
    if (asked !== undefined) return { kind: 'question', question: asked.question };
    if (anyMatches(this.#username, line)) return { kind: 'username' };
    if (anyMatches(this.#password, line)) return { kind: 'password' };
    const mode = this.#modes.find(({ likes }) => anyMatches(likes, line));
    return mode === undefined ? { kind: 'nothing' } : { kind: 'mode', at: mode.at };
  }

  /** Whether a prompt may stand in the context of this port; prompts that do not name the port always may. */
  mayBeAt(line: string, port: string): boolean {
    return this.#contexts.some((prompt) => pattern(prompt, port).matches(line));
  }
}
