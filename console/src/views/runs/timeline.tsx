import { useEffect, useState } from 'preact/hooks';
import type { RunDocument } from '../../../../src/runtime/run-document.gen.ts';
import { Badge } from '../../components/badge.tsx';
import { durationText } from '../../components/format.ts';
import { printable } from '../../components/printable.ts';
import { Text } from '../../components/text.tsx';
import { Time } from '../../components/time.tsx';
import { type Heard, type Step, timelineOf } from './timeline-of.ts';

/** How much of a message a step shows. */
const mostOfMessage = 500;
/** How often the bars of what goes on grow, in milliseconds. */
const growMs = 500;

const isoTime = /\d{4}-\d\d-\d\dT[\d:.]+Z/;

/** Queue, attempts, pauses, completion and callback of a run: a list for readers, and bars on one axis of time. */
export function Timeline({ run, heard }: { readonly run: RunDocument; readonly heard: Heard | undefined }) {
  const steps = timelineOf(run, heard);
  const isOpen = run.finishedAt === undefined;
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!isOpen) return;
    const timer = window.setInterval(() => setNow(Date.now()), growMs);
    return () => window.clearInterval(timer);
  }, [isOpen]);
  const from = Date.parse(run.acceptedAt);
  const to = run.finishedAt === undefined ? Math.max(now, from) : Date.parse(run.finishedAt);
  const spanMs = Math.max(to - from, 1);
  return (
    <>
      <ol class="timeline">
        {steps.map((step, index) => (
          <Row key={index} step={step} from={from} spanMs={spanMs} now={to} />
        ))}
      </ol>
      <p class="muted">
        {isOpen ? 'So far' : 'In all'} {durationText(spanMs)} from acceptance
        {isOpen ? '' : ' to completion'}.
      </p>
    </>
  );
}

interface RowProps {
  readonly step: Step;
  readonly from: number;
  readonly spanMs: number;
  readonly now: number;
}

function Row({ step, from, spanMs, now }: RowProps) {
  const end = Math.max(step.to ?? now, step.from);
  const isPoint = step.to === step.from && step.kind !== 'wait';
  const share = (ms: number): string => `${Math.min(100, Math.max(0, (100 * ms) / spanMs)).toFixed(3)}%`;
  const bar = { insetInlineStart: `min(${share(step.from - from)}, 100% - 3px)`, width: share(end - step.from) };
  return (
    <li class={`step ${step.kind}`}>
      <div class="step-text">
        <strong>{step.title}</strong> {step.state !== undefined && <Badge word={step.state} />}{' '}
        <span class="muted">
          <Time at={step.from} withMs />
          {!isPoint && `, ${durationText(end - step.from)}${step.to === undefined ? ' so far' : ''}`}
        </span>
        {step.note !== undefined && <Note text={step.note} />}
        {step.message !== undefined && (
          <p class="bad">
            <bdi>{printable(step.message.slice(0, mostOfMessage))}</bdi>
          </p>
        )}
        {step.detail !== undefined && (
          <details>
            <summary>What the agent said</summary>
            <Text text={step.detail} label={`What the agent said of ${step.title.toLowerCase()}`} />
          </details>
        )}
      </div>
      <div class="lane" aria-hidden="true">
        <div class={`span ${step.state ?? ''}`} style={bar} />
      </div>
    </li>
  );
}

function Note({ text }: { readonly text: string }) {
  const [time] = isoTime.exec(text) ?? [];
  const [before = text, after = ''] = time === undefined ? [text] : text.split(time);
  return (
    <p class="muted">
      {before}
      {time !== undefined && <Time at={time} />}
      {after}
    </p>
  );
}
