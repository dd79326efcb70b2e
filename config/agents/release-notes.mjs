#!/usr/bin/env node
// An agent as a service: POST /release-notes takes commits, as a GitHub push event lists them, and answers with notes.
// Start it: PORT=3001 node config/agents/release-notes.mjs
// It sorts commits by their prefix. A real agent would ask a language model to write the text.
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';

const sections = [
  { title: 'Breaking changes', prefix: /^\w+(\([^)]*\))?!:/ },
  { title: 'New', prefix: /^feat(\([^)]*\))?:/ },
  { title: 'Fixed', prefix: /^fix(\([^)]*\))?:/ },
  { title: 'Also', prefix: /(?:)/ },
];

/** Writes the notes in Markdown: the first line of each commit's message, in the section that it fits first. */
function releaseNotes({ repository, commits = [], instruction }) {
  const name = repository?.full_name ?? repository?.name ?? repository;
  const lines = [typeof name === 'string' ? `# Release notes of ${name}` : '# Release notes'];
  if (typeof instruction === 'string') lines.push('', instruction);
  const subjects = commits.map(({ message }) => String(message).split('\n', 1)[0]);
  for (const section of sections) {
    const fitting = subjects.filter((subject) => sections.find(({ prefix }) => prefix.test(subject)) === section);
    if (fitting.length === 0) continue;
    lines.push('', `## ${section.title}`, '', ...fitting.map((subject) => `- ${withoutPrefix(subject)}`));
  }
  return `${lines.join('\n')}\n`;
}

function withoutPrefix(subject) {
  return subject.replace(/^\w+(\([^)]*\))?!?: */, '');
}

const server = createServer(async (request, response) => {
  const reply = (status, body) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  if (request.url !== '/release-notes') return reply(404, { error: 'POST to /release-notes' });
  if (request.method !== 'POST') return reply(405, { error: 'POST to /release-notes' });
  try {
    reply(200, { notes: releaseNotes(await json(request)) });
  } catch {
    reply(400, { error: 'the body must be a JSON object, commits in it a list of { message }' });
  }
});

server.listen(Number(process.env.PORT ?? 3001), '127.0.0.1', () => {
  console.log(`release-notes listens on http://127.0.0.1:${server.address().port}/release-notes`);
});

// Lets what is being written be finished, takes nothing new, and ends.
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => server.close());
