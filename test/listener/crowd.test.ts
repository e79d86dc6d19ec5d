/** Who gives way when too many are connected. */
import { describe, expect, test } from 'vitest';
import { Crowd, networkOf } from '../../src/listener/crowd.ts';

/** A crowd, and who had to leave it. */
function crowded(
  together: number,
  perAddress: number,
): { crowd: Crowd; gone: string[]; come: (id: string, from: string) => void } {
  const crowd = new Crowd({ together, perAddress });
  const gone: string[] = [];
  return { crowd, gone, come: (id, from) => crowd.admit(id, from, () => gone.push(id)) };
}

describe('one address with too many', () => {
  test('pushes out its own, the longest silent first', () => {
    const { crowd, gone, come } = crowded(100, 2);
    come('good', '10.0.0.1');
    for (const id of ['a', 'b', 'c', 'd']) come(id, '10.0.0.9');
    expect(gone).toEqual(['a', 'b']);
    expect(crowd.size).toBe(3);
  });

  test('what has just said something is not silent', () => {
    const { crowd, gone, come } = crowded(100, 2);
    come('a', '10.0.0.9');
    come('b', '10.0.0.9');
    crowd.heard('a', '10.0.0.9');
    come('c', '10.0.0.9');
    expect(gone).toEqual(['b']);
  });

  test('a whole /64 of IPv6 is one address', () => {
    const { gone, come } = crowded(100, 1);
    come('a', '2001:db8:0:1::1');
    come('b', '2001:db8::1:ffff:0:0:2');
    come('c', '2001:db8:0:2::1');
    expect(gone).toEqual(['a']);
  });
});

describe('too many together', () => {
  test('whoever holds most gives way, however long the others were silent', () => {
    const { gone, come } = crowded(4, 3);
    come('good', '10.0.0.1');
    for (const id of ['a', 'b', 'c']) come(id, '10.0.0.9');
    come('other', '10.0.0.2');
    expect(gone).toEqual(['a']);
  });

  test('with one each, the longest silent', () => {
    const { crowd, gone, come } = crowded(3, 3);
    for (const id of [1, 2, 3]) come(String(id), `10.0.0.${id}`);
    crowd.heard('1', '10.0.0.1');
    come('4', '10.0.0.4');
    expect(gone).toEqual(['2']);
  });

  test('who has proven who they are gives way last', () => {
    const { crowd, gone, come } = crowded(3, 3);
    for (const id of [1, 2, 3]) come(String(id), `10.0.0.${id}`);
    crowd.vouch('10.0.0.1');
    for (const id of [4, 5, 6, 7]) come(String(id), `10.0.0.${id}`);
    expect(gone).toEqual(['2', '3', '4', '5']);
  });

  test('nobody is counted after they left, or twice', () => {
    const { crowd, gone, come } = crowded(2, 2);
    come('a', '10.0.0.1');
    crowd.left('a', '10.0.0.1');
    crowd.left('a', '10.0.0.1');
    come('b', '10.0.0.1');
    come('c', '10.0.0.2');
    expect(gone).toEqual([]);
    expect(crowd.size).toBe(2);
  });
});

test.each([
  ['10.1.2.3', '10.1.2.3'],
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['::1', '0:0:0:0/64'],
  ['fe80::1%eth0', 'fe80:0:0:0/64'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2/64'],
  ['', ''],
])('the network of %s is %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
  expect(networkOf(network)).toBe(network);
});
