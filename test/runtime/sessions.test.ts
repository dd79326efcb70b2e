import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { conversationId, type SessionName, uuidV5 } from '../../src/engine/types/index.ts';
import { explainRequest } from '../../src/review/explain.ts';
import { openConfig } from '../../src/review/open-config.ts';
import { runPlan } from '../../src/review/plan/result.ts';
import { Rehearsal } from '../../src/review/rehearsal.ts';
import { checkConfig } from '../../src/runtime/check-config.ts';
import { endpointAnswering } from '../plugins/openai/endpoint.ts';
import {
  basicFiles,
  configFolder,
  durable,
  gatewayFile,
  projectFile,
  secrets,
  triggerFile,
  writeInto,
} from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';

const answer = { choices: [{ message: { role: 'assistant', content: 'Hello.' }, finish_reason: 'stop' }] };
const shared = { sessions: { scope: 'trigger' } };
const later = { headers: { prefer: 'respond-async' } };
const ofOther = { secret: secrets.other };

/** An agent of the kind `openai` that answers everything, and what it was sent of the conversation. */
async function startModel(t: Test) {
  const { url, requests } = await endpointAnswering(t, answer);
  const contents = (body: object | undefined) => {
    const { messages } = body as { messages: { content: string }[] };
    return messages.map(({ content }) => content);
  };
  return {
    run: { uses: 'openai', with: { baseUrl: url, model: 'm', stream: false } },
    /** The messages of the latest request, joined. */
    heard: () => contents(requests.at(-1)?.body).join(' | '),
  };
}

/** A plugin whose runs wait until `globalThis.heldRuns` lets them go; each remembers its instruction. */
const holdingPlugin = `
export default {
  contract: 'v1', stage: 'run', name: 'holding', summary: 'Holds its runs.', optionsSchema: { type: 'object' },
  create: () => ({
    execute(run) {
      const { input: { instruction }, session } = run;
      const result = { kind: 'succeeded', output: session?.memory ?? 'nothing', memory: instruction };
      const held = Promise.withResolvers();
      globalThis.heldRuns.push({ instruction, conversation: run.conversation, caller: run.caller, end: () => held.resolve(result) });
      return held.promise;
    },
  }),
};`;

interface HeldRun {
  readonly instruction: string;
  readonly conversation: string | undefined;
  readonly caller: string;
  end(): void;
}

/** The runs of the holding plugin, in the order in which they were started. */
function heldRuns(): HeldRun[] {
  const held: HeldRun[] = [];
  Object.assign(globalThis, { heldRuns: held });
  return held;
}

function holdingFiles(engine: object, trigger: object = {}): Record<string, string> {
  return {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ engine, plugins: ['./holding.mjs'] }),
    'holding.mjs': holdingPlugin,
    'talk.yaml': triggerFile('talk', { run: { uses: 'holding' }, ...trigger }),
  };
}

for (const engine of [{ uses: 'memory' }, durable]) {
  t.test(`${engine.uses}: a known sessionId tells another API key nothing of the conversation`, async (t) => {
    const { run, heard } = await startModel(t);
    const gateway = await startTestGateway(t, {
      ...basicFiles(),
      'gateway.yaml': gatewayFile({ engine }),
      'own.yaml': triggerFile('own', { run }),
      'shared.yaml': triggerFile('shared', { run, ...shared }),
    });
    const say = async (key: string, instruction: string, options = {}) => {
      t.equal((await gateway.fire(key, { instruction, sessionId: 'known' }, options)).status, 200);
      return heard();
    };
    t.equal(await say('own', 'my card is 4111'), 'my card is 4111');
    t.equal(await say('own', 'repeat it', ofOther), 'repeat it', 'another key begins a conversation of its own');
    t.equal(await say('own', 'and?'), 'my card is 4111 | Hello. | and?', 'which the first does not hear of');
    t.equal(await say('own', 'and?', ofOther), 'repeat it | Hello. | and?');

    t.equal(await say('shared', 'order 7'), 'order 7');
    t.equal(await say('shared', 'repeat it', ofOther), 'order 7 | Hello. | repeat it', 'unless the trigger says so');
  });

  t.test(`${engine.uses}: a known sessionId does not delay the runs of another API key`, async (t) => {
    const held = heldRuns();
    const gateway = await startTestGateway(t, {
      ...holdingFiles(engine),
      'shared.yaml': triggerFile('shared', { run: { uses: 'holding' }, ...shared }),
    });
    for (const key of ['talk', 'shared']) {
      await gateway.fire(key, { instruction: 'first', sessionId: 'known' }, { ...later, ...ofOther });
      await until(() => held.length === 1);
      await gateway.fire(key, { instruction: 'second', sessionId: 'known' }, later);
      await gateway.fire(key, { instruction: 'apart', sessionId: 'unknown' }, later);
      await until(() => held.some(({ instruction }) => instruction === 'apart'));
      const started = held.map(({ instruction }) => instruction).join();
      t.equal(started, key === 'talk' ? 'first,second,apart' : 'first,apart', key);
      held[0]?.end();
      await until(() => held.length === 3);
      for (const run of held.splice(0)) run.end();
    }
  });

  t.test(
    `${engine.uses}: a change of the scope begins new conversations, and changed back the old ones go on`,
    async (t) => {
      const held = heldRuns();
      const gateway = await startTestGateway(t, holdingFiles(engine));
      const turn = async (instruction: string, options = {}) => {
        const fired = gateway.fire('talk', { instruction, sessionId: 'a' }, options);
        (await until(() => held.pop())).end();
        return (await fired).body.output;
      };
      const change = async (members: object) => {
        const trigger = triggerFile('talk', { run: { uses: 'holding' }, ...members });
        await writeInto(gateway.root, 'talk.yaml', trigger);
        t.equal((await fetch(`${gateway.adminUrl}/config/reload`, { method: 'POST' })).status, 200);
      };
      t.equal(await turn('one'), 'nothing');
      await change(shared);
      t.equal(await turn('two', ofOther), 'nothing');
      t.equal(await turn('three'), 'two');
      await change({});
      t.equal(await turn('four'), 'one');
      t.equal(await turn('five', ofOther), 'nothing');
    },
  );

  t.test(`${engine.uses}: a replay stays in the session of the caller that fired the run`, async (t) => {
    const held = heldRuns();
    const gateway = await startTestGateway(t, holdingFiles(engine));
    const ids: string[] = [];
    for (const options of [{}, ofOther]) {
      const { body } = await gateway.fire('talk', { instruction: 'x', sessionId: 'a' }, { ...later, ...options });
      ids.push(body.runId);
      await until(() => held.length === ids.length);
    }
    for (const run of held) run.end();
    for (const [index, id] of ids.entries()) {
      await fetch(`${gateway.adminUrl}/runs/${id}/replay`, { method: 'POST' });
      const replayed = await until(() => held[2 + index]);
      const { caller, conversation } = replayed;
      t.match(held[index], { caller, conversation });
      replayed.end();
    }
    t.not(held[0]?.conversation, held[1]?.conversation);
  });
}

t.test('a known sessionId tells another subject of a JWT nothing of the conversation', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const { run, heard } = await startModel(t);
  const token = { issuer: 'https://login.example.com/', audience: 'pullcord', algorithms: ['EdDSA'] };
  const auth = {
    uses: 'jwt',
    with: { ...token, publicKey: { file: 'key.pem' }, projects: ['support'], permissions: ['project.trigger'] },
  };
  const gateway = await startTestGateway(t, {
    ...basicFiles(),
    'key.pem': publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    'own.yaml': triggerFile('own', { run, auth }),
    'shared.yaml': triggerFile('shared', { run, auth, ...shared }),
  });
  const say = async (key: string, instruction: string, subject: string) => {
    const authorization = `Bearer ${tokenOf(privateKey, subject)}`;
    const body = { instruction, sessionId: 'known' };
    t.equal((await gateway.fire(key, body, { secret: null, headers: { authorization } })).status, 200);
    return heard();
  };
  t.equal(await say('own', 'my card is 4111', 'ada'), 'my card is 4111');
  t.equal(await say('own', 'repeat it', 'eve'), 'repeat it');
  t.equal(await say('own', 'and?', 'ada'), 'my card is 4111 | Hello. | and?');
  t.equal(await say('shared', 'order 7', 'ada'), 'order 7');
  t.equal(await say('shared', 'and?', 'eve'), 'order 7 | Hello. | and?');
});

function tokenOf(key: KeyObject, subject: string): string {
  const claims = { iss: 'https://login.example.com/', aud: 'pullcord', sub: subject, exp: Date.now() / 1000 + 600 };
  const parts = [{ alg: 'EdDSA' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  const content = parts.join('.');
  return `${content}.${sign(null, Buffer.from(content), key).toString('base64url')}`;
}

t.test('plan warns of a trigger whose callers can continue the conversations of each other', async (t) => {
  const folderWith = (sessions: object, more: Record<string, string> = {}) =>
    configFolder(t, { ...basicFiles(), 'talk.yaml': triggerFile('talk', { sessions }), ...more });
  const widened = async (before: string, after: string) => {
    const result = await runPlan({
      base: { root: before, label: 'base' },
      head: { root: after, label: 'head' },
      ...{ requests: [], showBodies: false, now: Date.now() },
    });
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    return result.plan.warnings.map(({ code, message, place }) => `${code} ${place.pointer} ${message}`);
  };
  const [own, ofTrigger] = [await folderWith({}), await folderWith(shared.sessions)];
  const message = "callers of trigger support/talk can continue each other's conversations";
  t.strictSame(await widened(own, ofTrigger), [`sessions_shared /sessions ${message}`]);
  t.strictSame(await widened(ofTrigger, own), [], 'the way back opens nothing');
  t.strictSame(await widened(ofTrigger, ofTrigger), []);

  const inherited = projectFile('support', { defaults: shared });
  const byProject = await configFolder(t, {
    ...basicFiles(),
    'project.yaml': inherited,
    'talk.yaml': triggerFile('talk'),
  });
  t.strictSame(await widened(own, byProject), [`sessions_shared /defaults/sessions ${message}`]);
});

t.test('explain says whose conversation a request continues', async (t) => {
  const files = { 'own.yaml': triggerFile('own'), 'shared.yaml': triggerFile('shared', shared) };
  const opened = await openConfig(await configFolder(t, { ...basicFiles(), ...files }));
  if (!opened.ok) throw new Error(JSON.stringify(opened.problems));
  t.teardown(() => opened.close());
  const rehearsal = new Rehearsal(opened.snapshot);
  const wordsOf = async (trigger: string, bodyText: string) => {
    const head = {
      project: 'support',
      trigger,
      caller: 'website',
      receivedAt: Date.now(),
      headers: {},
      ip: '127.0.0.1',
    };
    const { stages } = await explainRequest(rehearsal, { ...head, bodyText });
    return stages.find(({ stage }) => stage === 'run')?.words;
  };
  t.match(await wordsOf('own', '{"sessionId":"a"}'), /in a conversation of this caller$/);
  t.match(await wordsOf('shared', '{"sessionId":"a"}'), /in a conversation that all callers of the trigger share$/);
  t.equal(await wordsOf('shared', '{}'), 'the agent would be called');
});

t.test('validate warns of what anonymous callers share', async (t) => {
  const none = { auth: { uses: 'none' } };
  const keyed = { auth: { uses: 'api-key' } };
  const either = { auth: [{ uses: 'api-key' }, { uses: 'none' }] };
  const sessions = { sessions: { ttl: '1h' } };
  const first = { respond: { uses: 'wait', with: { duplicate: 'first' } } };
  const byHeader = { dedup: 'idempotency-key' };
  for (const [trigger, expected] of [
    [{ ...none, ...sessions }, ['anonymous_sessions /sessions']],
    [{ ...either, ...sessions }, ['anonymous_sessions /sessions']],
    [{ ...keyed, ...sessions }, []],
    [{ ...none, ...shared }, []],
    [none, []],
    [{ ...none, ...first, ...byHeader }, ['anonymous_duplicates /respond']],
    [{ ...keyed, ...first, ...byHeader }, []],
    [{ ...none, ...byHeader }, []],
    [{ ...none, ...first, dedup: 'body' }, []],
  ] as const) {
    const root = await configFolder(t, { ...basicFiles(), 'talk.yaml': triggerFile('talk', trigger) });
    const { problems } = await checkConfig(root);
    const found = problems.filter(({ code }) => code.startsWith('anonymous'));
    const printed = found.map(({ code, place }) => `${code} ${place.pointer}`);
    t.strictSame(printed, expected, JSON.stringify(trigger));
    t.notOk(found.some(({ severity }) => severity !== 'warning'));
  }
});

t.test('every session has an id of its own', async () => {
  const text = fc.oneof(fc.constantFrom('a', 'b', 'a","b', '["a"]', ''), fc.string());
  const name = fc.record({ project: text, trigger: text, caller: text, sessionId: text });
  const scope = fc.constantFrom('caller' as const, 'trigger' as const);
  fc.assert(
    fc.property(name, scope, name, scope, (one, oneScope, other, otherScope) => {
      const isSame =
        oneScope === otherScope && partsOf(one, oneScope).every((part, at) => part === partsOf(other, otherScope)[at]);
      return (conversationId(one, oneScope) === conversationId(other, otherScope)) === isSame;
    }),
  );
});

function partsOf({ project, trigger, sessionId, caller }: SessionName, scope: 'caller' | 'trigger') {
  return [project, trigger, sessionId, scope === 'caller' ? caller : ''];
}

t.test('a conversation always has the same id, since agents and journals keep it', async (t) => {
  const name = { project: 'support', trigger: 'refund-request', caller: 'website', sessionId: 's' };
  t.equal(conversationId(name, 'trigger'), '26601333-c37b-59d5-8f24-98b6af2a76d2');
  t.equal(conversationId(name, 'caller'), '8772cde7-8d66-556d-ae5e-3a45c456974b');
  t.equal(conversationId({ ...name, sessionId: undefined }, 'caller'), undefined);
});

t.test('a UUIDv5 is that of RFC 9562, appendix A.4', async (t) => {
  const bytes = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex');
  const dns = bytes('6ba7b810-9dad-11d1-80b4-00c04fd430c8');
  t.equal(uuidV5('www.example.com', dns), '2ed6657d-e927-568b-95e1-2665a8aea6a2');
  // The same by the library `uuid`, version 14.
  t.equal(uuidV5('', Buffer.alloc(16)), 'e129f27c-5103-5c5c-844b-cdf0a15e160d');
});
