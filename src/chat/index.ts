import { PullcordChat } from './chat.ts';

export { PullcordChat } from './chat.ts';
export type { Strings } from './strings.ts';

if (globalThis.customElements?.get('pullcord-chat') === undefined) {
  globalThis.customElements?.define('pullcord-chat', PullcordChat);
}
