/** People, sessions and tokens. No password and no token is ever in an answer, but for a token at the moment it is made. */
import { z } from 'zod';

/**
 * viewer: sees everything and may cut. operator: also asks for resets, windows and sessions (which the interlock grants or
 * not), drills, tests notifications. approver: also keeps people and tokens.
 */
export const role = z.enum(['viewer', 'operator', 'approver']);
export type Role = z.infer<typeof role>;

/** read: everything that is shown. metrics: `/metrics`. trip: cut. No scope connects or resets. */
export const scope = z.enum(['read', 'metrics', 'trip']);
export type Scope = z.infer<typeof scope>;

const name = z
  .string()
  .regex(
    /^[a-z][a-z0-9._-]{0,39}$/,
    'a name is 1 to 40 small letters, digits, ".", "_" and "-", and begins with a letter',
  );
/** Long rather than odd (NIST SP 800-63B): any characters. */
const password = z.string().min(12, 'a password has at least 12 characters').max(200);

/** What a request may do, told to the page so that it offers nothing that would be refused. */
export const ability = z.enum(['read', 'metrics', 'trip', 'operate', 'administer']);
export type Ability = z.infer<typeof ability>;

/** `GET /me`. 401 with code `setup-needed` when nobody has an account yet, `login-needed` otherwise. */
export const me = z
  .object({
    kind: z.enum(['person', 'token']),
    name: z.string(),
    /** `null` for a token. */
    role: role.nullable(),
    may: z.array(ability),
    /** One-time codes of this name count (the name is in `approvers` of the configuration). */
    approver: z.boolean(),
    /**
     * `null` for a token in a header. The idle end counts from the last request that was not the event stream; at 0 the login
     * only cuts until its end. It is `null` for a wall display.
     */
    session: z.object({ idle_ends_in_ms: z.number().nullable(), ends_in_ms: z.number() }).nullable(),
  })
  .meta({ id: 'Me' });
export type Me = z.infer<typeof me>;

/**
 * `POST /login`; answers with `Me` and a cookie. With a token it is the login of a wall display: it may what the token may, has
 * no idle end, and dies with the token.
 */
export const loginRequest = z.union([
  z.strictObject({ name: z.string().max(100), password: z.string().max(1_000) }),
  z.strictObject({ token: z.string().max(200) }),
]);

/** `POST /setup`: the first account, an approver. The code stands on the console and in the log of the controller. */
export const setupRequest = z.strictObject({ code: z.string().max(100), name, password });

/** `POST /me/password` */
export const passwordRequest = z.strictObject({ old: z.string().max(1_000), new: password });

/** One account. */
export const person = z
  .object({
    name: z.string(),
    role,
    created_at: z.string(),
    last_login_at: z.string().nullable(),
    sessions: z.number(),
  })
  .meta({ id: 'Person' });
export type Person = z.infer<typeof person>;
export const people = z.object({ people: z.array(person) }).meta({ id: 'People' });
export type People = z.infer<typeof people>;

/** `POST /people` */
export const personRequest = z.strictObject({ name, role, password });
/** `PATCH /people/:name`; a new password ends the sessions of that person. */
export const personChange = z.strictObject({
  role: role.exactOptional(),
  password: password.exactOptional(),
});

/** One token, without its secret. */
export const token = z
  .object({
    id: z.string(),
    label: z.string(),
    scopes: z.array(scope),
    created_at: z.string(),
    created_by: z.string(),
    expires_at: z.string(),
    last_used_at: z.string().nullable(),
  })
  .meta({ id: 'Token' });
export type Token = z.infer<typeof token>;
export const tokens = z.object({ tokens: z.array(token) }).meta({ id: 'Tokens' });
export type Tokens = z.infer<typeof tokens>;

/** `POST /tokens` */
export const tokenRequest = z.strictObject({
  label: z.string().trim().min(1).max(100),
  scopes: z.array(scope).min(1).max(3),
  /** Days until it expires. */
  days: z.int().min(1).max(1_095).default(365),
});
/** The only answer that ever shows the secret. */
export const newToken = z.object({ token, secret: z.string() }).meta({ id: 'NewToken' });
export type NewToken = z.infer<typeof newToken>;
