/** A uPlot chart in the colours of the page, drawn anew when theme, size or data change. Numbers stand in a table beside it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { theme } from '../settings.ts';

/** Colours of the page that charts draw with. */
export interface Ink {
  readonly text: string;
  readonly line: string;
  readonly calm: string;
  readonly exposed: string;
  readonly alarm: string;
  readonly unknown: string;
  readonly panel: string;
  readonly bar: string;
}

function inkOf(element: Element): Ink {
  const style = getComputedStyle(element);
  const read = (name: string): string => style.getPropertyValue(name).trim();
  return {
    text: read('--muted'),
    line: read('--line'),
    calm: read('--calm'),
    exposed: read('--exposed'),
    alarm: read('--alarm'),
    unknown: read('--unknown'),
    panel: read('--panel'),
    bar: read('--strong-line'),
  };
}

interface Props {
  /** What is seen, in a sentence. */
  readonly label: string;
  readonly heightPx: number;
  readonly data: uPlot.AlignedData;
  readonly options: (ink: Ink) => Omit<uPlot.Options, 'width' | 'height'>;
}

/** A chart as wide as its place. */
export function Chart({ label, heightPx, data, options }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const isDark = useDark();
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const size = (): { width: number; height: number } => ({
      width: Math.max(200, element.clientWidth),
      height: heightPx,
    });
    const plot = new uPlot({ ...options(inkOf(element)), ...size() }, data, element);
    const watch = new ResizeObserver(() => plot.setSize(size()));
    watch.observe(element);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [data, heightPx, isDark, theme.value]);
  return <div class="chart" ref={place} role="img" aria-label={label} />;
}

function useDark(): boolean {
  const query = matchMedia('(prefers-color-scheme: dark)');
  const [isDark, setDark] = useState(query.matches);
  useEffect(() => {
    const hear = (event: MediaQueryListEvent): void => setDark(event.matches);
    query.addEventListener('change', hear);
    return () => query.removeEventListener('change', hear);
  }, []);
  return isDark;
}

/** An axis in the colours of the page. */
export const axis = (ink: Ink, more: uPlot.Axis = {}): uPlot.Axis => ({
  stroke: ink.text,
  font: '12px system-ui, sans-serif',
  grid: { stroke: ink.line, width: 1 },
  ticks: { stroke: ink.line, width: 1 },
  ...more,
});

/** Days and months as the rest of the page writes them. */
export const dayTicks = (_plot: uPlot, splits: number[]): string[] =>
  splits.map((seconds) => days.format(new Date(seconds * 1_000)));
const days = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
