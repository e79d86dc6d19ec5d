import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { profileJsonSchema } from '../../src/contacts/profile.ts';
import { PROFILE_DIRECTORY } from '../../src/contacts/profile-store.ts';

test('profile.schema.json is what the zod schema says (else: bin/portcullis profile schema > firmware-profiles/profile.schema.json)', async () => {
  const onDisk: unknown = JSON.parse(await readFile(join(PROFILE_DIRECTORY, 'profile.schema.json'), 'utf8'));
  expect(onDisk).toEqual(JSON.parse(profileJsonSchema()));
});

test('every profile names the schema file, so that editors check it', async () => {
  const { profiles } = await import('../../src/contacts/profile-store.ts').then((store) =>
    store.loadProfiles(),
  );
  expect(profiles.size).toBeGreaterThanOrEqual(4);
  for (const id of profiles.keys()) {
    const text = await readFile(join(PROFILE_DIRECTORY, `${id}.yaml`), 'utf8');
    expect(text.split('\n')[0], id).toBe('# yaml-language-server: $schema=../profile.schema.json');
  }
});
