/** The drawn shapes. A shape never stands alone: a word beside it says the same, so all of them are hidden from screen readers. */
import type { LinkStatus } from '../../protocol/messages.ts';

type Position = LinkStatus['observed'];

/** A breaker in its wire: blade raised, blade down, or a dashed blade that nobody has seen. The wire meets it at y = 40. */
export function Breaker({ position }: { readonly position: Position }) {
  return (
    <svg class={`symbol breaker ${position}`} viewBox="11 0 58 56" width="58" height="56" aria-hidden="true">
      {position === 'isolated' && <path class="blade" d="M18 38 58 10" />}
      {position === 'connected' && <path class="blade" d="M18 40H62" />}
      {position === 'unknown' && <path class="blade" d="M18 39 60 24" stroke-dasharray="6 6" />}
      {position === 'unknown' && (
        <text x="40" y="16" text-anchor="middle" class="question">
          ?
        </text>
      )}
      <circle class="pole" cx="18" cy="40" r="5" />
      <circle class="pole" cx="62" cy="40" r="5" />
    </svg>
  );
}

/** An eye that looks at the wire above it: filled when it sees the way through, struck out when it sees none. */
export function Eye({ position }: { readonly position: Position }) {
  return (
    <svg class={`symbol eye ${position}`} viewBox="0 0 80 56" width="80" height="56" aria-hidden="true">
      <path class="leader" d="M40 4V22" stroke-dasharray="3 4" />
      <path class="lid" d="M18 38Q40 16 62 38Q40 58 18 38Z" />
      {position === 'connected' && <circle class="iris" cx="40" cy="38" r="8" />}
      {position === 'isolated' && <path class="strike" d="M26 50 54 26" />}
      {position === 'unknown' && (
        <text x="40" y="44" text-anchor="middle" class="question">
          ?
        </text>
      )}
    </svg>
  );
}

/** What stands at the left end: a rack of servers. */
export function Production() {
  return (
    <svg class="symbol end" viewBox="6.75 0 50.5 56" width="50.5" height="56" aria-hidden="true">
      <path class="box" d="M8 6H56V50H8Z" />
      <path
        class="detail"
        d="M8 21H56M8 36H56M15 13.5H19M15 28.5H19M15 43H19M38 13.5H49M38 28.5H49M38 43H49"
      />
    </svg>
  );
}

/** What stands at the right end: a vault with its wheel. */
export function Vault() {
  return (
    <svg class="symbol end" viewBox="4.75 0 54.5 56" width="54.5" height="56" aria-hidden="true">
      <path class="box" d="M6 4H58V48H6ZM13 48V53M51 48V53" />
      <circle class="detail" cx="32" cy="26" r="12" />
      <path class="detail" d="M32 9V17M32 35V43M15 26H23M41 26H49M32 26H32.1" />
    </svg>
  );
}

/** The shapes beside the words of state: a gap, a bar, a lock, a question, arrows. */
const SHAPES: Record<Shape, string> = {
  gap: 'M2 12H8M16 12H22M8 5V19M16 5V19',
  bar: 'M2 12H22M7 7V17M17 7V17',
  lock: 'M5 11H19V21H5ZM8 11V7A4 4 0 0 1 16 7V11M12 15V17',
  question: 'M8 8A4 4 0 1 1 12 12.5V15M12 19V19.1',
  moving: 'M3 12H9M15 12H21M12 4V20M7 8 3 12 7 16M17 8 21 12 17 16',
  cross: 'M5 5 19 19M19 5 5 19',
  tick: 'M4 12.5 10 18 20 6',
  warning: 'M12 3 22 21H2ZM12 10V15M12 18V18.1',
};

export type Shape = 'gap' | 'bar' | 'lock' | 'question' | 'moving' | 'cross' | 'tick' | 'warning';

/** One of the small shapes, as large as the text around it. */
export function Glyph({ shape }: { readonly shape: Shape }) {
  return (
    <svg class={`glyph ${shape}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={SHAPES[shape]} />
    </svg>
  );
}
