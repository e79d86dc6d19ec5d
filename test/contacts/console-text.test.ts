/** What a console prints and how it is compared: patterns, the screen, telnet. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { comparable, MAX_COMPARED, MAX_PATTERN, pattern } from '../../src/contacts/console/pattern.ts';
import { MAX_COLUMNS, MAX_LINES, Screen } from '../../src/contacts/console/screen.ts';
import { TelnetFilter } from '../../src/contacts/console/telnet.ts';

/** The same notation as a regular expression: slow on purpose-made lines, and right. */
function reference(source: string, line: string): boolean {
  const parts = comparable(source).split(/(\*{1,2})/);
  const expression = parts.map((part) => {
    if (part === '**') return '.*';
    return part === '*' ? '[^ ]*' : part.replaceAll(/[^\w ]/g, '\\$&');
  });
  return new RegExp(`^${expression.join('')}$`, 's').test(comparable(line));
}

describe('patterns', () => {
  test('mean what the notation says', () => {
    const few = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '*', '#', '('), maxLength: 8 });
    fc.assert(
      fc.property(few, few, (source, text) => {
        const line = text.replaceAll('*', 'a');
        expect(pattern(source).matches(line)).toBe(reference(source, line));
      }),
      { numRuns: 5000 },
    );
  });

  test('cover the whole line, take blanks together, and know the port', () => {
    expect(pattern('*#').matches('sw1#')).toBe(true);
    expect(pattern('*#').matches('sw1# show')).toBe(false);
    expect(pattern('*#').matches('two words#')).toBe(false);
    expect(pattern('{port} * Up', 'gi1').matches('  gi1    1G-Copper   Up  ')).toBe(true);
    expect(pattern('{port} * Up', 'gi1').matches('gi10 1G-Copper Up')).toBe(false);
    expect(pattern('{port} **', '*').matches('gi1 x')).toBe(false);
  });

  test('no pattern takes long for any line', () => {
    const worst = pattern('**a'.repeat(Math.floor(MAX_PATTERN / 3)));
    const began = performance.now();
    for (let index = 0; index < 20; index += 1) worst.matches('a'.repeat(MAX_COMPARED) + 'b');
    // A pattern that tried everything would take longer than the universe has.
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});

describe('the screen', () => {
  const shown = (...chunks: readonly string[]): Screen => {
    const screen = new Screen();
    for (const chunk of chunks) screen.take(Buffer.from(chunk, 'latin1'));
    return screen;
  };

  test('shows what a person would see', () => {
    expect(shown('sw#shut\b\bow\r\n').since(0)).toEqual(['sw#show']);
    expect(shown('--More--\r        \rline\r\n').since(0)).toEqual(['line    ']);
    expect(shown('\u001B[24;1Hsw\u001B[?25h#\u001B[K').current).toBe('sw#');
    expect(shown('a\u001BEb').since(0)).toEqual(['a']);
    expect(shown('\u001B]0;title\u0007sw#').current).toBe('sw#');
    expect(shown('abc\u001B[2DX').current).toBe('aXc');
    expect(shown('\u0000sw\u0007#').current).toBe('sw#');
  });

  test('does not care how its input is cut', () => {
    const text = 'a\u001B[24;1Hb\r\n\u001B[2Kc\b \bd\u001BE\u001B(Be#';
    fc.assert(
      fc.property(fc.array(fc.nat(text.length)), (cuts) => {
        const places = [0, ...cuts.toSorted((one, other) => one - other), text.length];
        const pieces = places.slice(1).map((end, index) => text.slice(places[index], end));
        const [whole, cut] = [shown(text), shown(...pieces)];
        expect([...cut.since(0), cut.current]).toEqual([...whole.since(0), whole.current]);
      }),
    );
  });

  test('is bounded whatever comes', () => {
    const screen = shown('x'.repeat(10 * MAX_COLUMNS));
    expect(screen.current.length).toBe(MAX_COLUMNS);
    screen.take(Buffer.from('y\r\n'.repeat(3 * MAX_LINES)));
    expect(screen.since(0).length).toBeLessThanOrEqual(MAX_LINES);
    expect(screen.count).toBe(3 * MAX_LINES);
    fc.assert(fc.property(fc.uint8Array(), (bytes) => new Screen().take(bytes) === undefined));
  });
});

describe('telnet', () => {
  const taken = (
    ...bytes: readonly number[]
  ): { readonly text: string; readonly answer: readonly number[] } => {
    const { text, answer } = new TelnetFilter().take(Uint8Array.from(bytes));
    return { text: Buffer.from(text).toString('latin1'), answer: [...answer] };
  };

  test('is answered and taken out', () => {
    // What zebra sends: WILL ECHO, WILL SUPPRESS-GO-AHEAD, DONT LINEMODE, DO NAWS.
    expect(taken(255, 251, 1, 255, 251, 3, 255, 254, 34, 255, 253, 31, 80)).toEqual({
      text: 'P',
      answer: [255, 253, 1, 255, 253, 3, 255, 252, 31],
    });
    expect(taken(65, 255, 250, 24, 1, 255, 240, 66)).toEqual({ text: 'AB', answer: [] });
    expect(taken(255, 255)).toEqual({ text: '\u00FF', answer: [] });
  });

  test('a peer that never stops is not answered for ever', () => {
    const filter = new TelnetFilter();
    const endless = Uint8Array.from(
      Array.from({ length: 3000 }, (_, index) => [255, 251, 1][index % 3] ?? 0),
    );
    expect(filter.take(endless).answer.length).toBeLessThan(endless.length);
    expect(filter.take(endless).answer.length).toBe(0);
  });
});
