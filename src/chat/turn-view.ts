import { elementOf } from './element-of.ts';
import { MarkdownView } from './markdown.ts';
import type { Turn } from './session.ts';
import type { Strings } from './strings.ts';

/** Shows a turn: what the visitor said, and the answer as it grows. */
export class TurnView {
  readonly #speakers = [elementOf('span', { class: 'spoken' }), elementOf('span', { class: 'spoken' })] as const;
  readonly #text = elementOf('div', { class: 'text', dir: 'auto', part: 'text' });
  readonly #dots = elementOf('span', { class: 'dots', 'aria-hidden': 'true' });
  readonly #notice = elementOf('p', { part: 'notice' });
  readonly #retry = elementOf('button', { type: 'button', part: 'retry' });
  readonly #markdown = new MarkdownView(this.#text);
  readonly #answer: HTMLElement;
  readonly elements: readonly HTMLElement[];

  constructor(said: string, onRetry: () => void) {
    const [visitor, agent] = this.#speakers;
    this.#dots.append(elementOf('i'), elementOf('i'), elementOf('i'));
    this.#retry.addEventListener('click', onRetry);
    const words = elementOf('div', { dir: 'auto' }, said);
    const own = elementOf('div', { class: 'message visitor', part: 'message visitor' }, visitor, words);
    this.#answer = elementOf('div', { class: 'message agent', part: 'message agent' }, agent, this.#text);
    this.#answer.append(this.#dots, this.#notice, this.#retry);
    this.elements = [own, this.#answer];
  }

  show({ answer, state, error }: Turn, strings: Strings, isLast: boolean): void {
    const isRunning = state === 'running';
    const isFailed = state === 'failed';
    // A screen reader reads an answer once, when it is whole.
    this.#answer.setAttribute('aria-busy', String(isRunning));
    setText(this.#speakers[0], `${strings.you}: `);
    setText(this.#speakers[1], `${state === 'question' ? strings.question : strings.agent}: `);
    this.#answer.classList.toggle('question', state === 'question');
    this.#markdown.show(answer);
    this.#dots.hidden = !isRunning;
    const isStopped = state === 'stopped';
    this.#notice.hidden = !isFailed && !isStopped;
    this.#notice.className = isFailed ? 'error' : '';
    const why = error === undefined ? strings.unreachable : `${strings.failed} ${error}`;
    setText(this.#notice, isFailed ? why : isStopped ? strings.stopped : '');
    this.#retry.hidden = !isFailed || !isLast;
    setText(this.#retry, strings.retry);
  }
}

/** Leaves alone what is the same: a live region reports each change. */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
