/** What is recorded of a supply that somebody pulls, does not pull, or pulls wrongly; and what an end from outside leaves. */
import { expect, test } from 'vitest';
import { EndedError, MAX_CONNECTED_MS } from '../../src/interlock/commissioning/bench.ts';
import { type Outcome, runProcedure } from '../../src/interlock/commissioning/procedure.ts';
import type { StepResult } from '../../src/interlock/commissioning/record.ts';
import { type Scene, VirtualWorld } from './virtual-world.ts';

const ONE: Scene = { relays: { A: {} }, contacts: { A: {} }, witnesses: { carrier: {} } };

const commissioned = async (scene: Scene): Promise<{ outcome: Outcome; world: VirtualWorld }> => {
  const world = new VirtualWorld(scene);
  return { outcome: await world.run(runProcedure(world.facts(), world, world)), world };
};

const powerSteps = ({ steps }: Outcome): readonly StepResult[] =>
  steps.filter(({ step }) => step === 'without-power');

test('a supply that is pulled and put back shows that the link falls', async () => {
  const { outcome, world } = await commissioned(ONE);
  expect(outcome.verdict).toBe('passed');
  expect(outcome.contacts[0]?.without_power).toBe('isolated');
  expect(world.questions.map(({ kind }) => kind)).toEqual(['pull-supply', 'restore-supply']);
});

test('every board is asked for, and a holding one may keep the link', async () => {
  const { outcome, world } = await commissioned({
    relays: { A: {}, B: { latching: true } },
    contacts: { A: { supply: 'the relay board' }, B: { kind: 'holding', supply: 'the switch' } },
    witnesses: { carrier: {} },
  });
  expect(outcome.verdict).toBe('passed');
  expect(outcome.contacts.map(({ without_power }) => without_power)).toEqual(['isolated', 'keeps']);
  expect(world.questions.map(({ about }) => about)).toEqual([
    'the relay board',
    'the relay board',
    'the switch',
    'the switch',
  ]);
});

test('on an emulated board that nobody touches it is not tried, never passed', async () => {
  const { outcome, world } = await commissioned({ ...ONE, unattended: true });
  expect(powerSteps(outcome)).toMatchObject([{ verdict: 'not-tried', not_tried: 'simulated' }]);
  expect(powerSteps(outcome)[0]?.says).toContain('not tried (simulated)');
  expect(outcome.contacts[0]?.without_power).toBe('not-tried');
  expect(outcome.verdict).toBe('passed');
  expect(world.questions).toEqual([]);
});

test.each(['skip', 'late'] as const)(
  'a person who answers %s keeps the link from passing',
  async (answer) => {
    const { outcome, world } = await commissioned({ ...ONE, person: () => answer });
    expect(outcome.verdict).toBe('failed');
    expect(powerSteps(outcome)).toMatchObject([{ verdict: 'not-tried', not_tried: 'skipped' }]);
    expect(outcome.reasons[0]).toContain('was skipped');
    expect(world.isPath()).toBe(false);
  },
);

test('a person who is silent is not waited for longer than said', async () => {
  const { outcome, world } = await commissioned({ ...ONE, personTakesMs: 3_600_000 });
  expect(outcome.verdict).toBe('failed');
  expect(world.connectedMs).toBeLessThan(200_000);
  expect(world.isPath()).toBe(false);
});

test('a board that still answers was not unplugged: the person is asked again, and then it is wrong', async () => {
  const { outcome, world } = await commissioned({ ...ONE, person: () => 'done' });
  const pulls = world.questions.filter(({ kind }) => kind === 'pull-supply');
  expect(pulls.map(({ text }) => text.includes('still answers'))).toEqual([false, true]);
  expect(powerSteps(outcome)).toMatchObject([{ verdict: 'failed', code: 'connected-without-power' }]);
});

test('the link is not connected for longer than is bearable, however many supplies there are', async () => {
  const names = Array.from({ length: 14 }, (_, index) => `K${index}`);
  const { outcome, world } = await commissioned({
    relays: Object.fromEntries(names.map((name) => [name, {}])),
    contacts: Object.fromEntries(names.map((name) => [name, { supply: name }])),
    witnesses: { carrier: {} },
    personTakesMs: 115_000,
  });
  expect(powerSteps(outcome).find(({ verdict }) => verdict === 'failed')?.code).toBe('connected-too-long');
  expect(world.connectedMs).toBeLessThan(MAX_CONNECTED_MS + 120_000);
});

test('where no witness can tell, the person looks at the far end', async () => {
  const { outcome, world } = await commissioned({ ...ONE, witnesses: {} });
  expect(world.questions.map(({ kind }) => kind)).toEqual(['pull-supply', 'is-it-dark', 'restore-supply']);
  expect(outcome.contacts[0]?.without_power).toBe('isolated');
});

test('a supply that nobody puts back is named', async () => {
  const { outcome } = await commissioned({
    ...ONE,
    person: (question, world) => {
      if (question.kind === 'pull-supply') world.power(question.about, false);
      return question.kind === 'pull-supply' ? 'done' : 'late';
    },
  });
  expect(powerSteps(outcome)).toMatchObject([{ verdict: 'failed', code: 'supply-not-restored' }]);
});

test('the lease of another board is kept alive while the supply is out, so that it cannot pass for the fall', async () => {
  const { outcome } = await commissioned({
    relays: { A: { latching: true }, B: {} },
    contacts: { A: { supply: 'first' }, B: { supply: 'second', leaseMs: 2_000 } },
    witnesses: { carrier: {} },
    personTakesMs: 10_000,
  });
  expect(powerSteps(outcome)).toMatchObject([
    { verdict: 'failed', code: 'connected-without-power' },
    { not_tried: 'earlier-failure' },
  ]);
});

test.each(Array.from({ length: 60 }, (_, index) => 1_001 + index * 120))(
  'ended from outside at %i ms: nothing connects any more, and nothing is reported as done',
  async (endsAt) => {
    const world = new VirtualWorld({
      relays: { A: {}, B: {} },
      contacts: { A: { leaseMs: 1_500 }, B: {} },
      witnesses: { carrier: {} },
    });
    world.endsAt = endsAt;
    await expect(world.run(runProcedure(world.facts(), world, world))).rejects.toThrow(EndedError);
    expect(world.afterEnd).toEqual([]);
    expect(world.isPath()).toBe(false);
    expect(world.now()).toBeLessThan(endsAt + 2_000);
  },
);
