/** A chart in SVG: axes, and whatever a view draws between them. Numbers stand in a table beside it; colours in the style. */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

/** Where the axes leave room, px. */
const MARGIN = { left: 76, right: 12, top: 10, bottom: 28 } as const;
const LEAST_WIDTH_PX = 200;
/** Least room between two ticks, px. */
const TICK_PX = { x: 75, y: 36 } as const;
/** Steps of a scale that people read easily, times a power of ten. */
const STEPS = [1, 2, 5, 10] as const;

/** What is shown: calendar ms from left to right, values from below to above. Below 0 no tick stands. */
export interface Range {
  readonly fromMs: number;
  readonly toMs: number;
  readonly least: number;
  readonly most: number;
}

/** Places on the chart, px. */
export interface Plane {
  readonly x: (ms: number) => number;
  readonly y: (value: number) => number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

interface Props {
  /** What is seen, in a sentence. */
  readonly label: string;
  readonly heightPx: number;
  readonly range: Range;
  /** How a value is written at its tick. */
  readonly words: (value: number) => string;
  readonly children: (plane: Plane) => ComponentChildren;
}

/** A chart as wide as its place. */
export function Chart({ label, heightPx, range, words, children }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const measure = (): void => setWidth(Math.max(LEAST_WIDTH_PX, element.clientWidth));
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  const plane = planeOf(range, width, heightPx);
  return (
    <div class="chart" ref={place} role="img" aria-label={label}>
      {width > 0 && (
        <svg width={width} height={heightPx} aria-hidden="true">
          {daysIn(range, (plane.right - plane.left) / TICK_PX.x).map((ms) => (
            <g key={ms}>
              <line class="grid" x1={plane.x(ms)} x2={plane.x(ms)} y1={plane.top} y2={plane.bottom} />
              <text x={plane.x(ms)} y={heightPx - 8} text-anchor="middle">
                {days.format(new Date(ms))}
              </text>
            </g>
          ))}
          {valuesIn(range, (plane.bottom - plane.top) / TICK_PX.y).map((value) => (
            <g key={value}>
              <line class="grid" x1={plane.left} x2={plane.right} y1={plane.y(value)} y2={plane.y(value)} />
              <text x={plane.left - 8} y={plane.y(value) + 4} text-anchor="end">
                {words(value)}
              </text>
            </g>
          ))}
          {children(plane)}
        </svg>
      )}
    </div>
  );
}

function planeOf({ fromMs, toMs, least, most }: Range, width: number, height: number): Plane {
  const { left, top } = MARGIN;
  const [right, bottom] = [width - MARGIN.right, height - MARGIN.bottom];
  return {
    x: (ms) => left + ((ms - fromMs) / (toMs - fromMs)) * (right - left),
    y: (value) => bottom - ((value - least) / (most - least)) * (bottom - top),
    left,
    right,
    top,
    bottom,
  };
}

/** The noons of so many days at most, evenly apart. */
function daysIn({ fromMs, toMs }: Range, most: number): readonly number[] {
  const stepDays = Math.max(1, Math.ceil((toMs - fromMs) / DAY_MS / most));
  const noon = new Date(fromMs);
  noon.setHours(12, 0, 0, 0);
  const found: number[] = [];
  // By the calendar: a day may have 23 hours.
  for (; noon.getTime() <= toMs; noon.setDate(noon.getDate() + stepDays))
    if (noon.getTime() >= fromMs) found.push(noon.getTime());
  return found;
}

/** Round values from 0, so many at most. */
function valuesIn({ most: top }: Range, most: number): readonly number[] {
  const least = top / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(least));
  const step = (STEPS.find((each) => each * power >= least) ?? 10) * power;
  return Array.from({ length: Math.floor(top / step) + 1 }, (_, index) => index * step);
}

/** A day of the calendar, most often, ms. */
export const DAY_MS = 86_400_000;
/** Days and months as the rest of the page writes them. */
const days = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
