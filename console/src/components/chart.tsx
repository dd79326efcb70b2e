import { useEffect, useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import { theme } from './theme.tsx';
import { timeText } from './time.tsx';

export interface Series {
  readonly title: string;
  readonly values: readonly (number | null)[];
}

export interface Mark {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly title: string;
}

export interface ChartProps {
  /** What it shows, with its unit. */
  readonly title: string;
  /** Milliseconds since the epoch. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  /** Points in time that are drawn as vertical lines. */
  readonly marks: readonly Mark[];
  readonly format: (value: number) => string;
}

/** Each series has a colour and a dash pattern of its own. */
const dashes: readonly (readonly number[])[] = [[], [8, 4], [2, 3], [12, 3, 2, 3], [5, 2], [1, 5]];
const colours = ['--series-1', '--series-2', '--series-3', '--series-4', '--series-5', '--series-6'] as const;
/** How many steps the text alternative has. */
const mostRows = 12;
const height = 180;

/** A chart over time, with a legend whose lines are those of the chart, and a table of its last values. */
export function Chart({ title, times, series, marks, format }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const drawn = theme.value;
  useEffect(() => {
    let plot: uPlot | undefined;
    let isGone = false;
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => plot?.setSize({ width: element.clientWidth, height }));
    void import('./plot.ts').then(({ Plot }) => {
      if (isGone) return;
      const style = getComputedStyle(document.documentElement);
      const colourOf = (name: string): string => resolved(style, name);
      const axis = { stroke: colourOf('--muted'), grid: { stroke: colourOf('--line'), width: 1 } };
      const options: uPlot.Options = {
        ...{ width: element.clientWidth, height, legend: { show: false }, cursor: { show: false } },
        axes: [
          { ...axis, values: (_, ticks) => ticks.map((at) => timeText(at * 1000).slice(11, 16)) },
          { ...axis, size: 64, values: (_, ticks) => ticks.map((value) => (value === null ? '' : format(value))) },
        ],
        scales: { y: { range: (_, _low, high) => [0, (high > 0 ? high : 1) * 1.05] } },
        series: [
          {},
          ...series.map(({ title: label }, index) => ({
            ...{ label, stroke: colourOf(colours[index % colours.length] ?? '--accent'), width: 2, spanGaps: false },
            ...{ dash: [...(dashes[index % dashes.length] ?? [])], points: { size: 4 } },
          })),
        ],
        hooks: { draw: [(self) => drawMarks(self, marks, colourOf('--warn'))] },
      };
      plot = new Plot(options, [times.map((at) => at / 1000), ...series.map(({ values }) => [...values])], element);
      observer.observe(element);
    });
    return () => {
      isGone = true;
      observer.disconnect();
      plot?.destroy();
    };
  }, [times, series, marks, drawn]);
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <ul class="legend">
        {series.map(({ title: label }, index) => (
          <li key={label}>
            <svg width="28" height="8" aria-hidden="true">
              <line
                x1="0"
                x2="28"
                y1="4"
                y2="4"
                stroke={`var(${colours[index % colours.length]})`}
                stroke-width="2"
                stroke-dasharray={(dashes[index % dashes.length] ?? []).join(' ')}
              />
            </svg>{' '}
            {label}
          </li>
        ))}
      </ul>
      <div class="plot" ref={box} aria-hidden="true" />
      <details>
        <summary>As a table</summary>
        <div class="wide" tabIndex={0} role="group" aria-label={`${title}, as a table`}>
          <table>
            <thead>
              <tr>
                <th scope="col">Time</th>
                {series.map(({ title: label }) => (
                  <th scope="col" key={label}>
                    {label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {times.slice(-mostRows).map((at, row) => (
                <tr key={at}>
                  <th scope="row">{timeText(at).slice(11)}</th>
                  {series.map(({ title: label, values }) => {
                    const value = values[times.length - Math.min(mostRows, times.length) + row];
                    return <td key={label}>{value == null ? '–' : format(value)}</td>;
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}

function drawMarks(plot: uPlot, marks: readonly Mark[], colour: string): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.setLineDash([4, 4]);
  for (const { at } of marks) {
    const x = Math.round(plot.valToPos(at / 1000, 'x', true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

/** A canvas knows no `light-dark()`: the colour as the page has it now. */
function resolved(style: CSSStyleDeclaration, name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color || style.getPropertyValue(name);
}
