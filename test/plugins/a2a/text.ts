import fc from 'fast-check';
import t from 'tap';
import type { AgentEvent } from '../../../plugins/run/a2a/dialect.ts';
import { PublishedText } from '../../../plugins/run/a2a/published-text.ts';
import { TaskAnswer } from '../../../plugins/run/a2a/task-answer.ts';

t.test('a2a › published text', async (t) => {
  t.test('is the text of the output, in whatever order artifacts grow', async (t) => {
    const step = fc.record({
      name: fc.constantFrom('a', 'b', 'c'),
      text: fc.string({ maxLength: 3 }),
      lastChunk: fc.boolean(),
      repeated: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), fc.string({ maxLength: 3 }), (steps, closing) => {
        const answer = new TaskAnswer();
        const complete = new Set<string>();
        const deltas: string[] = [];
        const ids = { taskId: 'task-1', contextId: 'context-1' };
        for (const { name, text, lastChunk, repeated } of steps) {
          if (complete.has(name)) continue;
          if (lastChunk) complete.add(name);
          const artifact = { artifactId: name, parts: [{ text }] };
          answer.apply({ kind: 'artifactUpdate', value: { ...ids, artifact, append: true, lastChunk } });
          deltas.push(answer.takeDelta());
          if (!repeated) continue;
          // A task as a whole does not say which artifacts are complete.
          answer.apply({ kind: 'task', value: answer.toJson() });
          deltas.push(answer.takeDelta());
        }
        const status = { state: 'TASK_STATE_COMPLETED', message: { parts: [{ text: closing }] } };
        answer.apply({ kind: 'statusUpdate', value: { ...ids, status } });
        deltas.push(answer.takeDelta());
        return deltas.join('') === (answer.output ?? '');
      }),
    );
    t.pass();
  });

  const updateOf = (artifactId: string, text: string, lastChunk: boolean): AgentEvent => {
    const artifact = { artifactId, parts: [{ text }] };
    return { kind: 'artifactUpdate', value: { taskId: 'task-1', contextId: 'c', artifact, append: true, lastChunk } };
  };

  t.test('ends when an artifact grows that was published to its end, unlike the output', async (t) => {
    const answer = new TaskAnswer();
    const published = ['one', 'two', ''].map((text, index) => {
      answer.apply(updateOf(`${index}`, text, true));
      return answer.takeDelta();
    });
    t.same(published, ['one', '\n\ntwo', '']);
    answer.apply(updateOf('2', 'three', false));
    answer.apply(updateOf('0', ' more', true));
    t.equal(answer.takeDelta(), '');
    t.equal(answer.output, 'one more\n\ntwo\n\nthree');
  });

  t.test('is not repeated for an artifact that is called complete again and again', async (t) => {
    const answer = new TaskAnswer();
    const deltas = new Set<string>();
    const count = 20_000;
    for (let index = 0; index < count; index += 1) {
      answer.apply(updateOf('a', 'x', true));
      deltas.add(answer.takeDelta());
    }
    t.equal(answer.output, 'x'.repeat(count));
    // bench/hostile.ts measures the time: it is 200 times as long if each copies all before it.
    t.same(deltas, new Set(['x', '']), 'what grows after its end is not published');
  });

  const passage = (pieces: string[], isComplete = false) => ({ pieces, isComplete });

  t.test('is not repeated when the same text begins again', async (t) => {
    const text = new PublishedText();
    t.equal(text.next([passage(['a', 'b'])]), 'ab');
    text.restart();
    t.equal(text.next([passage(['a'])]), '');
    t.equal(text.next([passage(['a', 'bc'], true), passage(['d'])]), 'c\n\nd');
  });

  t.test('ends when what was published no longer begins the text', async (t) => {
    const text = new PublishedText();
    t.equal(text.next([passage(['a', 'b'])]), 'ab');
    t.same(text.change(0, ['a', 'b'], ['abc']), ['ab', 'c']);
    t.equal(text.next([passage(['ab', 'c'])]), 'c');
    text.change(0, ['ab', 'c'], ['xyz']);
    t.equal(text.next([passage(['xyz', 'more'])]), '');
    text.restart();
    t.equal(text.next([passage(['abc', 'more'])]), '');
  });

  t.test('continues after a passage that was published to its end and has not changed', async (t) => {
    const text = new PublishedText();
    t.equal(text.next([passage(['a'], true), passage([])]), 'a');
    text.change(0, ['a'], ['a']);
    t.equal(text.next([passage(['a'], true), passage(['b'])]), '\n\nb');
    text.change(0, ['a'], ['other']);
    t.equal(text.next([passage(['other'], true), passage(['b', 'c'])]), '');
  });
});
