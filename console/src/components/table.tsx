import type { ComponentChildren } from 'preact';

export interface TableColumn<Row> {
  readonly title: string;
  cell(row: Row): ComponentChildren;
}

export interface TableProps<Row> {
  /** What the table is of, for those who do not see it. */
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly TableColumn<Row>[];
  keyOf(row: Row): string;
}

/** A short table, all of whose rows are drawn. It scrolls sideways where it is too wide. The first column names the row. */
export function Table<Row>({ label, rows, columns, keyOf }: TableProps<Row>) {
  return (
    <div class="wide" tabIndex={0} role="group" aria-label={label}>
      <table>
        <thead>
          <tr>
            {columns.map(({ title }) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ title, cell }, index) =>
                index === 0 ? (
                  <th key={title} scope="row">
                    {cell(row)}
                  </th>
                ) : (
                  <td key={title}>{cell(row)}</td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
