#!/usr/bin/env node
// An agent in its smallest form: a program that reads one JSON object on stdin and writes one on stdout.
// Try it: echo '{"instruction":"When are you open?"}' | node config/agents/concierge.mjs
// It knows a support desk's two easy questions by heart. A real agent would ask a language model here.
import { text } from 'node:stream/consumers';

const intents = [
  { intent: 'refund', words: /refund|money back|r[üu]ckerstattung|erstatte|geld zur[üu]ck/i },
  { intent: 'opening_hours', words: /\b(open|close)\b|opening hours|ge[öo]ffnet|[öo]ffnungszeit/i },
];

const replies = {
  en: {
    refund: (order) => `We will refund order ${order}. The money is with you in five working days.`,
    refund_without_order: () => 'We are happy to help with a refund. Which order is it about?',
    opening_hours: () => 'We are here Monday to Friday, 9:00 to 17:00.',
    handover: () => 'A colleague will look into this and come back to you.',
  },
  de: {
    refund: (order) => `Wir erstatten die Bestellung ${order}. Das Geld ist in fünf Werktagen bei Ihnen.`,
    refund_without_order: () => 'Gern helfen wir mit einer Rückerstattung. Um welche Bestellung geht es?',
    opening_hours: () => 'Wir sind von Montag bis Freitag, 9 bis 17 Uhr, für Sie da.',
    handover: () => 'Das sieht sich ein Mensch aus unserem Team an und meldet sich bei Ihnen.',
  },
};

/** Decides what the customer wants, and what to say. */
function answer({ instruction, customer, language }) {
  const question = typeof instruction === 'string' ? instruction : JSON.stringify(instruction ?? '');
  const intent = intents.find(({ words }) => words.test(question))?.intent ?? 'handover';
  const order = question.match(/\d+/)?.[0];
  const reply = intent === 'refund' && order === undefined ? 'refund_without_order' : intent;
  const greeting = typeof customer?.name === 'string' ? `${customer.name}: ` : '';
  return {
    reply: greeting + (replies[language] ?? replies.en)[reply](order),
    intent,
    // Free customers wait in line; whoever pays is put first.
    priority: customer?.plan === undefined || customer.plan === 'free' ? 'normal' : 'high',
    needsHuman: intent === 'handover',
    ...(order !== undefined && { order }),
  };
}

try {
  const input = JSON.parse(await text(process.stdin));
  process.stdout.write(`${JSON.stringify(answer(input))}\n`);
} catch {
  // Any exit code but 0 fails the run; 75 would ask for another attempt.
  process.stderr.write('concierge: stdin does not hold a JSON object\n');
  process.exitCode = 1;
}
