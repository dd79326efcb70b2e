type Tone = 'good' | 'bad' | 'warn' | 'plain' | 'busy';

/** Each word has a mark of its own, so that nothing is said by colour alone. */
const marks: Readonly<Record<Tone, string>> = { good: '✓', bad: '✗', warn: '!', plain: '–', busy: '…' };

const tones: Readonly<Record<string, Tone>> = {
  ...{
    accepted: 'good',
    succeeded: 'good',
    delivered: 'good',
    passed: 'good',
    active: 'good',
    ok: 'good',
    serving: 'good',
  },
  ...{ dropped: 'warn', duplicate: 'plain', limited: 'warn', shadow: 'plain', paused: 'plain', expiring: 'warn' },
  ...{
    failed: 'bad',
    unavailable: 'bad',
    refused: 'bad',
    rejected: 'bad',
    expired: 'bad',
    firing: 'bad',
    revoked: 'bad',
  },
  ...{ error: 'bad', given_up: 'bad', gone: 'bad', retry: 'warn' },
  ...{
    queued: 'busy',
    running: 'busy',
    pending: 'busy',
    cancelled: 'plain',
    input_required: 'warn',
    interrupted: 'warn',
  },
};

/** A verdict or a state as word, mark and colour. @param tone by default by the word */
export function Badge({ word, tone = tones[word] ?? 'plain' }: { readonly word: string; readonly tone?: Tone }) {
  return (
    <span class={`badge ${tone}`}>
      <span aria-hidden="true">{marks[tone]}</span> {word.replaceAll('_', ' ')}
    </span>
  );
}
