/** `portcullis user` and `portcullis token`: accounts and tokens of the dashboard, made on the box without logging in. */
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { userInfo } from 'node:os';
import { Writable } from 'node:stream';
import { PeopleFile } from '../api/people/people-file.ts';
import { personRequest, role as roleShape, tokenRequest } from '../api/documents/people.ts';
import { People } from '../api/people/people.ts';
import { configured } from './configured.ts';
import { CommandError, say } from './exit.ts';
import type { AskOptions } from './ask.ts';

/** A running controller sees the change within a second; it is the same file. */
async function peopleOf(file: string): Promise<People> {
  const { config } = await configured(file, 'none');
  await takeRightsOfOwner(config.controller.state_directory);
  return new People(new PeopleFile(config.controller.state_directory));
}

/**
 * Root does this with the rights of whoever owns the directory: what its owner, or somebody who has got hold of the
 * controller, has put there may lead to what is only root's.
 */
async function takeRightsOfOwner(directory: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const owner = await stat(directory).catch(() => null); // not there: said when it is written to
  if (owner === null || owner.uid === 0) return;
  process.setgroups?.([owner.gid]);
  process.setgid?.(owner.gid);
  process.setuid?.(owner.uid);
}

/** Makes an account; the password is asked for, or the first line of standard input. */
export async function addUser(
  name: string,
  { config, role, json }: AskOptions & { readonly role: string },
): Promise<void> {
  const people = await peopleOf(config);
  const asked = personRequest.safeParse({
    name,
    role,
    password: await readPassword(`password of ${name}: `),
  });
  if (!asked.success) throw new CommandError(2, asked.error.issues.map(({ message }) => message).join('; '));
  await people.add(asked.data);
  say(json === true ? JSON.stringify({ name, role }) : `${name}: ${role}`);
}

/** Gives somebody a new role or password. */
export async function changeUser(
  name: string,
  { config, role, password, json }: AskOptions & { readonly role?: string; readonly password?: true },
): Promise<void> {
  const people = await peopleOf(config);
  const wanted = role === undefined ? undefined : roleShape.safeParse(role).data;
  if (role !== undefined && wanted === undefined) throw new CommandError(2, `no role is called ${role}`);
  if (wanted === undefined && password !== true) throw new CommandError(2, 'name --role or --password');
  const text = password === true ? await readPassword(`new password of ${name}: `) : undefined;
  if (text !== undefined && !personRequest.shape.password.safeParse(text).success)
    throw new CommandError(2, 'a password has at least 12 characters');
  await people.change(name, {
    ...(wanted === undefined ? {} : { role: wanted }),
    ...(text === undefined ? {} : { password: text }),
  });
  say(json === true ? JSON.stringify({ name }) : `${name}: changed; every login is over`);
}

/** Lists accounts. */
export async function listUsers({ config, json }: AskOptions): Promise<void> {
  const all = await (await peopleOf(config)).people();
  for (const { name, role, created_at } of all)
    say(json === true ? JSON.stringify({ name, role, created_at }) : `${name}  ${role}  since ${created_at}`);
  if (all.length === 0 && json !== true) say('nobody has an account');
}

/** Removes an account; every login of it is over. */
export async function removeUser(name: string, { config, json }: AskOptions): Promise<void> {
  await (await peopleOf(config)).remove(name);
  say(json === true ? JSON.stringify({ removed: name }) : `${name}: removed`);
}

/** Makes a token and prints it once. */
export async function createToken(
  label: string,
  { config, scope, days, json }: AskOptions & { readonly scope: string[]; readonly days: number },
): Promise<void> {
  const asked = tokenRequest.safeParse({ label, scopes: scope, days });
  if (!asked.success)
    throw new CommandError(2, 'a token has scopes out of read, metrics and trip, and lives 1 to 1095 days');
  const by = `person:${userInfo().username}`;
  const { token, secret } = await (await peopleOf(config)).addToken({ ...asked.data, by });
  const { id, scopes, expires_at } = token;
  if (json === true) say(JSON.stringify({ id, label, scopes, expires_at, secret }));
  else say(`${secret}\n(${id}, ${scopes.join(' ')}, until ${expires_at}; it is shown only now)`);
}

/** Lists tokens, without their secrets. */
export async function listTokens({ config, json }: AskOptions): Promise<void> {
  const all = await (await peopleOf(config)).tokens();
  for (const { hash: _hash, ...token } of all) {
    const { id, label, scopes, expires_at } = token;
    say(json === true ? JSON.stringify(token) : `${id}  ${label}  ${scopes.join(' ')}  until ${expires_at}`);
  }
  if (all.length === 0 && json !== true) say('there are no tokens');
}

/** Revokes a token. */
export async function revokeToken(id: string, { config, json }: AskOptions): Promise<void> {
  const { label } = await (await peopleOf(config)).revokeToken(id);
  say(json === true ? JSON.stringify({ revoked: id }) : `${id} (${label}): revoked`);
}

/** One line of standard input; on a terminal it is asked for and not shown. */
async function readPassword(question: string): Promise<string> {
  const { stdin, stderr } = process;
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = stdin.isTTY;
  if (terminal) stderr.write(question);
  const lines = createInterface({ input: stdin, terminal, ...(terminal ? { output: nowhere } : {}) });
  try {
    for await (const line of lines) return line;
  } finally {
    lines.close();
    if (terminal) stderr.write('\n');
  }
  throw new CommandError(2, 'no password was given on standard input');
}
