import { location, setQuery } from '../routing/location.ts';

export interface FilterField {
  /** The parameter of the address, and of the API. */
  readonly name: string;
  readonly title: string;
  readonly placeholder?: string;
  /** The values to choose from; absent: any text. */
  readonly choices?: readonly string[];
}

/** Fields that filter a list. What they hold stands in the address. */
export function Filters({ fields }: { readonly fields: readonly FilterField[] }) {
  const { query } = location.value;
  return (
    <search class="filters">
      {fields.map(({ name, title, placeholder, choices }, index) => (
        <label key={name}>
          <span>{title}</span>
          {choices === undefined ? (
            <input
              type="search"
              value={query[name] ?? ''}
              placeholder={placeholder}
              data-filter={index === 0 ? '' : undefined}
              onChange={({ currentTarget }) => setQuery({ [name]: currentTarget.value.trim() })}
            />
          ) : (
            <select
              value={query[name] ?? ''}
              data-filter={index === 0 ? '' : undefined}
              onChange={({ currentTarget }) => setQuery({ [name]: currentTarget.value })}
            >
              <option value="">any</option>
              {choices.map((choice) => (
                <option key={choice} value={choice}>
                  {choice.replaceAll('_', ' ')}
                </option>
              ))}
            </select>
          )}
        </label>
      ))}
    </search>
  );
}
