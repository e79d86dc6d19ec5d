/** No name that every object has may name anything: a record by name would find what nobody wrote. */
import { expect, test } from 'vitest';
import { configSchema } from '../../src/config/schema.ts';
import { name } from '../../src/config/schema/fields.ts';

/** What every object inherits. */
const INHERITED = Object.getOwnPropertyNames(Object.prototype);

test.each(INHERITED)('%s is refused', (inherited) => {
  expect(name.safeParse(inherited).success).toBe(false);
});

test('names that only begin or end like one are names', () => {
  for (const good of ['constructors', 'constructor-2', 'my-constructor', 'vault'])
    expect(name.safeParse(good).success).toBe(true);
});

test('the problem says so where the link is named', () => {
  const { error } = configSchema.safeParse({ links: { constructor: { contacts: [] } } });
  expect(JSON.stringify(error?.issues)).toContain('choose another name');
});
