import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { serveSite } from './browser.ts';
import { basicFiles, gatewayFile, triggerFile } from './config-folder.ts';
import { startTestGateway, type TestGateway } from './gateway.ts';

const secret = 'pcb_of_a_chat_in_chromium';
const agent = join(import.meta.dirname, '../fixtures/plugins/chatting-agent.js');

/** A page with a chat; `?dir=rtl`, `?trigger=` and `?late` (properties that were set before the module was loaded) change it. */
const script = `
  const asked = new URLSearchParams(location.search);
  document.documentElement.dir = asked.get('dir') ?? 'ltr';
  const chat = document.createElement('pullcord-chat');
  chat.setAttribute('trigger', asked.get('trigger') ?? 'support/chat');
  document.querySelector('main').append(chat);
  const { url, key } = await (await fetch('/gateway.json')).json();
  if (asked.has('late')) {
    chat.credential = (refused) => (refused ? key : 'pcb_expired_meanwhile');
    chat.strings = { send: 'Senden', placeholder: 'Nachricht' };
  } else chat.setAttribute('api-key', key);
  chat.setAttribute('url', url);
  await import('/pullcord/chat/index.ts');
`;

const page = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>shop</title>
<main><h1>Shop</h1></main><script type="module" src="/page.js"></script>`;

export interface ChatSite extends TestGateway {
  /** Origin of the page. */
  readonly site: string;
}

/** Serves a page with a chat, and the gateway with the agent that it talks to. */
export async function serveChat(t: Test): Promise<ChatSite> {
  const files: Record<string, string> = { '/': page, '/page.js': script };
  const site = await serveSite(t, files);
  const key = {
    ...{ version: 1, kind: 'ApiKey', id: 'page', use: 'browser', origins: [site] },
    triggers: ['support/chat', 'support/later', 'support/impatient'],
    ...{ secrets: [{ hash: `sha256:${hash('sha256', secret)}` }] },
    ...{ permissions: ['project.trigger'], projects: ['support'], limits: [{ runs: '1000/1m' }] },
  };
  const trigger = (name: string, respond: object) =>
    triggerFile(name, { cors: { origins: [site] }, run: { uses: 'chatting' }, respond });
  const gateway = await startTestGateway(t, {
    ...basicFiles(),
    'agent.js': await readFile(agent, 'utf8'),
    'gateway.yaml': gatewayFile({ plugins: ['./agent.js'] }),
    'keys/page.yaml': JSON.stringify(key),
    'triggers/chat.yaml': trigger('chat', { uses: 'wait', with: { timeout: '1m', stream: true } }),
    'triggers/later.yaml': trigger('later', { uses: 'accepted' }),
    'triggers/impatient.yaml': trigger('impatient', { uses: 'wait', with: { timeout: '1ms', stream: true } }),
  });
  files['/gateway.json'] = JSON.stringify({ url: `${gateway.url}/api/v1.0`, key: secret });
  return { ...gateway, site };
}
