import { type Credential, PullcordClient, visitorCredential } from '../client/index.ts';
import { Conversation } from './conversation.ts';
import { elementOf } from './element-of.ts';
import type { Turn } from './session.ts';
import { english, type Strings } from './strings.ts';
import { style } from './style.ts';
import { setText, TurnView } from './turn-view.ts';

/** A server that renders pages may import this module too. */
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

/** `<pullcord-chat url trigger api-key>`, or with `visitor` instead of a key: a visitor talks to the agent of a trigger. */
export class PullcordChat extends Base {
  static readonly observedAttributes = ['url', 'trigger', 'visitor'];

  readonly #log = elementOf('div', { class: 'log', role: 'log', 'aria-live': 'polite', tabindex: '0', part: 'log' });
  readonly #status = elementOf('div', { class: 'spoken', role: 'status' });
  readonly #input = elementOf('textarea', { rows: '1', part: 'input', enterkeyhint: 'send' });
  readonly #send = elementOf('button', { class: 'send', part: 'send' });
  readonly #stop = elementOf('button', { type: 'button', part: 'stop' });
  readonly #reset = elementOf('button', { type: 'button', part: 'reset' });
  readonly #title = elementOf('strong', { part: 'title' });
  readonly #form = elementOf('form', { part: 'form' }, this.#input, this.#send, this.#stop);
  readonly #header = elementOf('header', { part: 'header' }, this.#title, this.#reset);
  readonly #section = elementOf('section', {}, this.#header, this.#log, this.#status, this.#form);
  readonly #views = new Map<Turn, TurnView>();
  #conversation: Conversation | undefined;
  #strings = english;
  #credential: Credential | undefined;
  #isScheduled = false;

  constructor() {
    super();
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    const shadow = this.attachShadow({ mode: 'open', delegatesFocus: true });
    shadow.adoptedStyleSheets = [sheet];
    shadow.append(this.#section);
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#input.addEventListener('keydown', (event) => {
      // Enter also ends the composition of a character.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    this.#section.addEventListener('keydown', ({ key, isComposing }) => {
      if (key === 'Escape' && !isComposing) this.#act((conversation) => conversation.stop());
    });
    this.#stop.addEventListener('click', () => this.#act((conversation) => conversation.stop()));
    this.#reset.addEventListener('click', () => this.#act((conversation) => conversation.reset()));
  }

  /** Returns a credential for each request, in place of `api-key`; called with `true` when the last one was refused. */
  get credential(): Credential | undefined {
    return this.#credential;
  }

  set credential(credential: Credential | undefined) {
    this.#credential = credential;
  }

  /** What the chat says by itself, in the language of the page. What is left out is in English. */
  get strings(): Strings {
    return this.#strings;
  }

  set strings(strings: Partial<Strings>) {
    this.#strings = { ...english, ...strings };
    this.#schedule();
  }

  connectedCallback(): void {
    this.#adopt('credential');
    this.#adopt('strings');
    this.#start();
  }

  disconnectedCallback(): void {
    this.#end();
  }

  attributeChangedCallback(): void {
    if (this.isConnected) this.#start();
  }

  /** A page may have set a property before this module was loaded. */
  #adopt(name: 'credential' | 'strings'): void {
    const own = Object.getOwnPropertyDescriptor(this, name);
    if (own === undefined) return;
    Reflect.deleteProperty(this, name);
    Reflect.set(this, name, own.value);
  }

  #start(): void {
    this.#end();
    const url = this.getAttribute('url');
    const trigger = this.getAttribute('trigger');
    if (url && trigger) {
      this.#conversation = new Conversation({
        clientOf: (sessionId) => new PullcordClient({ url, credential: this.#credentialOf(url, trigger, sessionId) }),
        ...{ url, trigger, name: `pullcord-chat ${url} ${trigger}` },
        onChange: () => this.#schedule(),
      });
    }
    this.#schedule();
  }

  /** What the page sets counts, also when it sets it later. */
  #credentialOf(url: string, trigger: string, sessionId: string): Credential {
    const visitor = this.hasAttribute('visitor') ? visitorCredential({ url, trigger, sessionId }) : undefined;
    return (refused) => (this.#credential ?? visitor)?.(refused) ?? this.getAttribute('api-key') ?? '';
  }

  #end(): void {
    this.#conversation?.close();
    this.#conversation = undefined;
  }

  #submit(): void {
    const said = this.#input.value.trim();
    if (said === '' || this.#conversation === undefined || this.#conversation.isBusy) return;
    this.#input.value = '';
    this.#act((conversation) => conversation.send(said));
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  /** The button that was pressed may vanish: the visitor continues where messages are written. */
  #act(action: (conversation: Conversation) => void): void {
    if (this.#conversation === undefined) return;
    action(this.#conversation);
    this.#input.focus();
  }

  /** Once for all that arrives before the next frame. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => {
      this.#isScheduled = false;
      this.#show();
    });
  }

  #show(): void {
    const { scrollTop, clientHeight, scrollHeight } = this.#log;
    const isAtEnd = scrollTop + clientHeight > scrollHeight - 40;
    this.#label();
    this.#showTurns(this.#conversation?.turns ?? []);
    const isBusy = this.#conversation?.isBusy ?? false;
    this.#send.hidden = isBusy;
    this.#stop.hidden = !isBusy;
    setText(this.#status, isBusy ? this.#strings.writing : '');
    if (isAtEnd) this.#log.scrollTop = this.#log.scrollHeight;
  }

  #showTurns(turns: readonly Turn[]): void {
    for (const [turn, { elements }] of this.#views) {
      if (turns.includes(turn)) continue;
      for (const element of elements) element.remove();
      this.#views.delete(turn);
    }
    for (const turn of turns) {
      let view = this.#views.get(turn);
      if (view === undefined) {
        view = new TurnView(turn.said, () => this.#act((conversation) => conversation.retry()));
        this.#views.set(turn, view);
        this.#log.append(...view.elements);
      }
      view.show(turn, this.#strings, turn === turns.at(-1));
    }
  }

  #label(): void {
    const { title, log, message, placeholder, answerPlaceholder, send, stop, reset } = this.#strings;
    const isAsked = this.#conversation?.last?.state === 'question';
    this.#section.setAttribute('aria-label', title);
    this.#log.setAttribute('aria-label', log);
    this.#input.setAttribute('aria-label', message);
    this.#input.placeholder = isAsked ? answerPlaceholder : placeholder;
    setText(this.#title, title);
    setText(this.#send, send);
    setText(this.#stop, stop);
    setText(this.#reset, reset);
  }
}
