import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** Rows that are drawn above and below the visible ones. */
const overscan = 8;

export interface Column<Row> {
  readonly title: string;
  /** Of `grid-template-columns`: `8rem`, `minmax(8rem, 1fr)`. */
  readonly width: string;
  /** The first column has the link of the row. */
  cell(row: Row): ComponentChildren;
}

export interface VirtualListProps<Row> {
  /** What the list is of: `Runs`. */
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  keyOf(row: Row): string;
  /** How many rows there are in all, if that is known and more than are loaded. */
  readonly total?: number;
  /** Called when the last rows come into sight, to load further ones. */
  onEnd?(): void;
  /** Pixels. */
  readonly rowHeight?: number;
  /** Whether it stays at its top while rows are put before the first one. */
  readonly isTail?: boolean;
}

/** A table of any length, of which only the visible rows are drawn. The arrow keys move between the links of its rows. */
export function VirtualList<Row>(props: VirtualListProps<Row>) {
  const { label, rows, columns, keyOf, total = rows.length, onEnd, rowHeight = 34, isTail = false } = props;
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const wanted = useRef<number | undefined>(undefined);
  const previous = useRef<readonly Row[]>(rows);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const measure = (): void => setView({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    let frame = 0;
    const onScroll = (): void => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(measure);
    };
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      observer.disconnect();
      cancelAnimationFrame(frame);
      element.removeEventListener('scroll', onScroll);
    };
  }, []);

  // Whoever reads further down keeps what is read, while rows arrive at the top.
  useLayoutEffect(() => {
    const element = box.current;
    const first = previous.current[0];
    previous.current = rows;
    if (!isTail || element === null || first === undefined || element.scrollTop === 0) return;
    const moved = rows.findIndex((row) => keyOf(row) === keyOf(first));
    if (moved > 0) element.scrollTop += moved * rowHeight;
  }, [rows]);

  const from = Math.max(0, Math.floor(view.top / rowHeight) - overscan);
  const to = Math.min(rows.length, Math.ceil((view.top + view.height) / rowHeight) + overscan);

  useEffect(() => {
    if (to >= rows.length && rows.length > 0) onEnd?.();
  }, [to, rows.length]);

  useLayoutEffect(() => {
    if (wanted.current === undefined) return;
    const link = box.current?.querySelector<HTMLElement>(
      `[data-row="${wanted.current}"] a, [data-row="${wanted.current}"] button`,
    );
    if (link == null) return;
    wanted.current = undefined;
    link.focus({ preventScroll: true });
  });

  const onKeyDown = (event: KeyboardEvent): void => {
    const current = event.target instanceof HTMLElement ? event.target.closest('[data-row]') : null;
    const index = current instanceof HTMLElement ? Number(current.dataset.row) : from - 1;
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      Home: 0,
      End: rows.length - 1,
    };
    const next = steps[event.key];
    const element = box.current;
    if (next === undefined || element === null || next < 0 || next >= rows.length) return;
    event.preventDefault();
    wanted.current = next;
    const top = next * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + 2 * rowHeight > element.scrollTop + element.clientHeight) {
      element.scrollTop = top + 2 * rowHeight - element.clientHeight;
    }
    setView({ top: element.scrollTop, height: element.clientHeight });
  };

  const template = { gridTemplateColumns: columns.map(({ width }) => width).join(' ') };
  return (
    <div
      class="list"
      ref={box}
      role="table"
      aria-label={label}
      aria-rowcount={total + 1}
      tabIndex={0}
      onKeyDown={onKeyDown}
    >
      <div class="list-head" role="rowgroup">
        <div role="row" aria-rowindex={1} class="list-row" style={template}>
          {columns.map(({ title }) => (
            <div role="columnheader" key={title}>
              {title}
            </div>
          ))}
        </div>
      </div>
      <div role="rowgroup" class="list-body" style={{ height: `${rows.length * rowHeight}px` }}>
        {rows.slice(from, to).map((row, offset) => (
          <div
            role="row"
            key={keyOf(row)}
            data-row={from + offset}
            aria-rowindex={from + offset + 2}
            class="list-row"
            style={{ ...template, transform: `translateY(${(from + offset) * rowHeight}px)`, height: `${rowHeight}px` }}
          >
            {columns.map(({ title, cell }) => (
              <div role="cell" key={title}>
                {cell(row)}
              </div>
            ))}
          </div>
        ))}
      </div>
    </div>
  );
}
