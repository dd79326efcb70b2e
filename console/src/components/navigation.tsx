import { hrefOf } from '../routing/location.ts';
import { views } from '../routing/views.ts';

/** The views. On a narrow screen the list scrolls sideways. */
export function Navigation({ current }: { readonly current: string | undefined }) {
  return (
    <nav aria-label="Views">
      <ul>
        {views.map(({ name, title }) => (
          <li key={name}>
            <a href={hrefOf([name])} aria-current={name === current ? 'page' : undefined}>
              {title}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
