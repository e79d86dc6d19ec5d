/** People and tokens: made, changed, removed, recognised. The API and the command on the box use the same. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { hashPassword, isPassword } from './password.ts';
import {
  LOOK_CLOSELY_MS,
  MOST_PEOPLE,
  MOST_TOKENS,
  type KeptPerson,
  type KeptToken,
  type PeopleContent,
  type PeopleFile,
} from './people-file.ts';
import type { Role, Scope } from '../documents/people.ts';
import { ApiRefusal } from '../routes/refusal.ts';

const TOKEN_PREFIX = 'pct_';
const SECRET_BYTES = 32;
const ID_BYTES = 6;
const DAY_MS = 86_400_000;

/** What a new account is made of. */
export interface NewPerson {
  readonly name: string;
  readonly role: Role;
  readonly password: string;
}

/** What a new token is made of. */
export interface NewTokenAsked {
  readonly label: string;
  readonly scopes: readonly Scope[];
  readonly days: number;
  readonly by: string;
}

const digest = (secret: string): string => createHash('sha256').update(secret).digest('hex');

const noPerson = (name: string): ApiRefusal =>
  new ApiRefusal(404, 'person-unknown', `nobody is called ${name}`, 'see the list of people');

/** The people of one controller. */
export class People {
  readonly #file: PeopleFile;
  /** Also what was last read counts, when the file cannot be read now. */
  readonly #isLenient: boolean;

  constructor(file: PeopleFile, isLenient = false) {
    this.#file = file;
    this.#isLenient = isLenient;
  }

  /** The same people as far as they were last known: for cutting, which no broken disk may prevent. */
  get lastKnown(): People {
    return new People(this.#file, true);
  }

  /** Nobody has an account, as far as is known. */
  get isEmpty(): boolean {
    return this.#file.known.people.length === 0;
  }

  async people(): Promise<readonly KeptPerson[]> {
    return (await this.#content()).people;
  }

  async tokens(): Promise<readonly KeptToken[]> {
    return (await this.#content()).tokens;
  }

  async person(name: string): Promise<KeptPerson | null> {
    const among = (people: readonly KeptPerson[]): KeptPerson | null =>
      people.find((each) => each.name === name) ?? null;
    return among(await this.people()) ?? among((await this.#content(LOOK_CLOSELY_MS)).people);
  }

  /** The person, when it is the password. Takes the same time for a name that nobody has. */
  async withPassword(name: string, password: string): Promise<KeptPerson | null> {
    const person = await this.person(name);
    return (await isPassword(password, person?.password ?? null)) ? person : null;
  }

  /** The token behind a secret, unless it has expired. */
  async withToken(secret: string): Promise<KeptToken | null> {
    const hash = digest(secret);
    const among = (tokens: readonly KeptToken[]): KeptToken | null =>
      tokens.find((each) => each.hash === hash) ?? null;
    const token = among(await this.tokens()) ?? among((await this.#content(LOOK_CLOSELY_MS)).tokens);
    return token !== null && Date.parse(token.expires_at) > Date.now() ? token : null;
  }

  /** Makes an account. With `first` only when there is none. */
  async add({ name, role, password }: NewPerson, first = false): Promise<void> {
    const made: KeptPerson = {
      name,
      role,
      password: await hashPassword(password),
      created_at: new Date().toISOString(),
      generation: randomUUID(),
    };
    await this.#file.change((from) => {
      if (first && from.people.length > 0)
        throw new ApiRefusal(409, 'set-up', 'there is an account already', 'log in');
      if (from.people.some((each) => each.name === name))
        throw new ApiRefusal(409, 'person-known', `somebody is called ${name} already`, 'take another name');
      if (from.people.length >= MOST_PEOPLE)
        throw new ApiRefusal(409, 'too-many', `there are ${MOST_PEOPLE} people already`, 'remove somebody');
      return { ...from, people: [...from.people, made] };
    });
  }

  /** Changes role or password; the sessions of that person are over. */
  async change(name: string, to: { readonly role?: Role; readonly password?: string }): Promise<void> {
    const password = to.password === undefined ? null : await hashPassword(to.password);
    await this.#file.change((from) => {
      const found = from.people.find((each) => each.name === name);
      if (found === undefined) throw noPerson(name);
      const changed: KeptPerson = {
        ...found,
        role: to.role ?? found.role,
        password: password ?? found.password,
        generation: randomUUID(),
      };
      const people = from.people.map((each) => (each.name === name ? changed : each));
      if (found.role === 'approver') mustHaveApprover(people);
      return { ...from, people };
    });
  }

  /** Removes an account; the sessions of that person are over. */
  async remove(name: string): Promise<void> {
    await this.#file.change((from) => {
      const found = from.people.find((each) => each.name === name);
      if (found === undefined) throw noPerson(name);
      const people = from.people.filter((each) => each.name !== name);
      if (found.role === 'approver') mustHaveApprover(people);
      return { ...from, people };
    });
  }

  /** Makes a token. The secret is given here and never again. */
  async addToken({ label, scopes, days, by }: NewTokenAsked): Promise<{ token: KeptToken; secret: string }> {
    const secret = `${TOKEN_PREFIX}${randomBytes(SECRET_BYTES).toString('base64url')}`;
    const now = Date.now();
    const token: KeptToken = {
      id: randomBytes(ID_BYTES).toString('hex'),
      label,
      scopes: [...new Set(scopes)],
      hash: digest(secret),
      created_at: new Date(now).toISOString(),
      created_by: by,
      expires_at: new Date(now + days * DAY_MS).toISOString(),
    };
    await this.#file.change((from) => {
      // What has long expired makes room.
      const kept = from.tokens.filter((each) => Date.parse(each.expires_at) > now - days * DAY_MS);
      if (kept.length >= MOST_TOKENS)
        throw new ApiRefusal(409, 'too-many', `there are ${MOST_TOKENS} tokens already`, 'revoke some');
      return { ...from, tokens: [...kept, token] };
    });
    return { token, secret };
  }

  async revokeToken(id: string): Promise<KeptToken> {
    let revoked: KeptToken | undefined;
    await this.#file.change((from) => {
      revoked = from.tokens.find((each) => each.id === id);
      if (revoked === undefined)
        throw new ApiRefusal(404, 'token-unknown', 'there is no such token', 'see the list of tokens');
      return { ...from, tokens: from.tokens.filter((each) => each.id !== id) };
    });
    if (revoked === undefined) throw new Error('a token was revoked that was not found');
    return revoked;
  }

  #content(oldestMs?: number): Promise<PeopleContent> {
    const content = this.#file.content(oldestMs);
    if (!this.#isLenient) return content;
    return content.catch((error: unknown) => {
      // Since this program began nobody was ever known: that is no empty file.
      if (!this.#file.wasRead) throw error;
      return this.#file.known;
    });
  }
}

/** Somebody must be left who may make accounts. On the box `portcullis user` can always make one. */
function mustHaveApprover(people: readonly KeptPerson[]): void {
  if (people.some(({ role }) => role === 'approver')) return;
  throw new ApiRefusal(
    409,
    'last-approver',
    'nobody would be left who keeps people and tokens',
    'make somebody else an approver first',
  );
}
