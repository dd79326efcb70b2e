#!/usr/bin/env node
// An agent that streams: a program that writes its answer on stdout, word by word, as Markdown.
// Try it: echo '{"instruction":"When are you open?"}' | node config/agents/shop-chat.mjs
// It knows a shop's usual questions by heart. A real agent would ask a language model here, and write what that streams.
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

const wordMs = Number(process.env.WORD_MS ?? 25);

const hours = `We are here **Monday to Friday, 9:00 to 17:00**. Outside of these hours:

- write to [help@acme.example](mailto:help@acme.example), and you have an answer the next morning
- returns are accepted at the parcel shop *at any time*`;

const delivery = `Orders that we have **before 14:00** leave the same day:

1. \`standard\`: 2 to 3 days, free from €40
2. \`express\`: the next working day, €7`;

const refund = (order) =>
  order === undefined
    ? 'We are happy to help with a refund. **Which order** is it about? Write, for example, `order 7`.'
    : `Order **${order}** will be refunded. The money is with you *in five working days*, the way it was paid.`;

const plants = `These three forgive almost everything:

- **Snake plant**: likes to be forgotten, in any light
- **Pothos**: grows back whatever you cut
- **ZZ plant**: water it once a month`;

const help = 'I can tell you about **opening hours**, **delivery**, **refunds** and **plants that are easy to keep**.';

const topics = [
  { words: /\b(open|close|hours?)\b/i, answer: () => hours },
  { words: /refund|money back|return|^(order )?\W*\d+\W*$/i, answer: refund },
  { words: /deliver|ship|arrive|where is/i, answer: () => delivery },
  { words: /plant|easy|gift|recommend/i, answer: () => plants },
  { words: /^(hi|hello|hey)\b/i, answer: () => `Hello! ${help}` },
  { words: /thank/i, answer: () => 'You are welcome!' },
];

try {
  const { instruction } = JSON.parse(await text(process.stdin));
  const question = typeof instruction === 'string' ? instruction.trim() : JSON.stringify(instruction ?? '');
  const order = question.match(/\d+/)?.[0];
  const answer = topics.find(({ words }) => words.test(question))?.answer(order) ?? `That is beyond me. ${help}`;
  for (const [word] of answer.matchAll(/\s*\S+/g)) {
    process.stdout.write(word);
    await sleep(wordMs);
  }
} catch {
  // Any exit code but 0 fails the run; 75 would ask for another attempt.
  process.stderr.write('shop-chat: stdin does not hold a JSON object\n');
  process.exitCode = 1;
}
