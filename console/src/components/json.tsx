import { useState } from 'preact/hooks';
import { plural } from './format.ts';
import { printable } from './printable.ts';
import { Marked } from './text.tsx';

/** How many members of a list or an object are shown at once, and how many characters of a text. */
const most = { members: 100, characters: 2000 };
/** Deeper levels are folded at first. */
const openLevels = 2;

export interface JsonProps {
  readonly value: unknown;
  /** Opens and marks what has it in a name or a value, without regard to case. */
  readonly search?: string;
}

/** A JSON value as a tree that can be folded. */
export function Json({ value, search = '' }: JsonProps) {
  return (
    <div class="json">
      <Node name={undefined} value={value} level={0} search={search.toLowerCase()} />
    </div>
  );
}

interface NodeProps {
  readonly name: string | undefined;
  readonly value: unknown;
  readonly level: number;
  readonly search: string;
}

function Node({ name, value, level, search }: NodeProps) {
  const [shown, setShown] = useState(most.members);
  if (typeof value !== 'object' || value === null) {
    return (
      <div class="json-leaf">
        <Name name={name} search={search} />
        <Leaf value={value} search={search} />
      </div>
    );
  }
  const isList = Array.isArray(value);
  const members = Object.entries(value);
  if (members.length === 0) {
    return (
      <div class="json-leaf">
        <Name name={name} search={search} />
        {isList ? '[]' : '{}'}
      </div>
    );
  }
  const isOpen = level < openLevels || (search !== '' && contains(value, search));
  return (
    <details open={isOpen}>
      <summary>
        <Name name={name} search={search} />
        <span class="muted">
          {isList ? `[ ${plural(members.length, 'item')} ]` : `{ ${plural(members.length, 'member')} }`}
        </span>
      </summary>
      <div class="json-members">
        {members.slice(0, shown).map(([key, member]) => (
          <Node key={key} name={key} value={member} level={level + 1} search={search} />
        ))}
        {members.length > shown && (
          <button type="button" onClick={() => setShown(shown + 10 * most.members)}>
            Show more ({members.length - shown} left)
          </button>
        )}
      </div>
    </details>
  );
}

function Name({ name, search }: { readonly name: string | undefined; readonly search: string }) {
  if (name === undefined) return null;
  return (
    <span class="json-name">
      <bdi>
        <Marked text={printable(name)} search={search} />
      </bdi>
      :{' '}
    </span>
  );
}

function Leaf({ value, search }: { readonly value: unknown; readonly search: string }) {
  const [isWhole, setWhole] = useState(false);
  const text = JSON.stringify(value) ?? 'undefined';
  const isCut = text.length > most.characters && !isWhole;
  return (
    <>
      <bdi class={`json-${value === null ? 'null' : typeof value}`}>
        <Marked text={printable(isCut ? text.slice(0, most.characters) : text)} search={search} />
      </bdi>
      {isCut && (
        <button type="button" onClick={() => setWhole(true)}>
          … {plural(text.length - most.characters, 'character')} more
        </button>
      )}
    </>
  );
}

function contains(value: unknown, search: string): boolean {
  if (typeof value !== 'object' || value === null) return String(value).toLowerCase().includes(search);
  return Object.entries(value).some(([key, member]) => key.toLowerCase().includes(search) || contains(member, search));
}
