/** Splits a byte stream into lines without ever holding more than one bounded line. */

/** Called for each complete line, without its line end; `cut` is true when the line was longer than the limit and lost its end. */
export type OnLine = (line: string, cut: boolean) => void;

/** Feed it decoded text; it calls back per line. A line over `limit` characters is delivered once, shortened, and the rest of it dropped. */
export function lineReader(limit: number, onLine: OnLine): { feed(text: string): void; finish(): void } {
  let held = '';
  let overlong = false;
  const take = (piece: string): void => {
    if (overlong) return;
    held += piece;
    if (held.length <= limit) return;
    held = held.slice(0, limit);
    overlong = true;
  };
  const deliver = (): void => {
    const line = held;
    const cut = overlong;
    held = '';
    overlong = false;
    onLine(line, cut);
  };
  return {
    feed(text) {
      let from = 0;
      for (let end = text.indexOf('\n', from); end !== -1; end = text.indexOf('\n', from)) {
        take(text.slice(from, end));
        deliver();
        from = end + 1;
      }
      take(text.slice(from));
    },
    finish() {
      if (held !== '') deliver();
    },
  };
}
