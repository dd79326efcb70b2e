import {
  type BodyReply,
  type Exchange,
  type JsonObject,
  type JsonValue,
  type MaybePromise,
  OptionsError,
  type OptionsProblem,
  type PluginContext,
} from '../../src/contract/index.ts';
import { EvaluationError } from '../../src/filter/index.ts';
import { bindingsFor, type Readable, requestVariables, secretHeaderProblems } from '../request-bindings.ts';
import { type BodyOption, compileContent } from './body-content.ts';

/** Replaces the standard body of an answer; the answer stays as it is if that fails. Never throws or rejects. */
export type AnswerBody = (answer: BodyReply, outcome: JsonObject, exchange: Exchange) => MaybePromise<BodyReply>;

const variables = { ...requestVariables, input: ({ input }: Exchange) => input };

/** Compiles the bodies in the options of a respond plugin, and collects their faults. */
export class AnswerBodies {
  readonly #context: PluginContext;
  readonly #readable: Readable;
  readonly #problems: OptionsProblem[];

  constructor(context: PluginContext, { headers = [], claims = [] }: Partial<Readable>) {
    this.#context = context;
    this.#readable = { headers, claims };
    this.#problems = secretHeaderProblems({ headers }, 'the bodies of answers');
  }

  /**
   * Returns the function that replaces the standard body; undefined if the options have no body.
   * @param pointer JSON pointer (RFC 6901) of the option
   * @param status of the answer: not every one can have a body of one's own
   */
  compile(pointer: string, body: BodyOption | undefined, status: number): AnswerBody | undefined {
    if (body === undefined) return undefined;
    if (status === 204 || status >= 400) {
      const message = status === 204 ? 'is never sent: a 204 has no body' : `is never sent: a ${status} is a problem`;
      this.#problems.push({ pointer, message, hint: 'Choose status 200 or 202, or remove the body.' });
      return undefined;
    }
    const content = compileContent(body, { context: this.#context, pointer, bindings: Object.keys(variables) });
    if ('problems' in content) {
      this.#problems.push(...content.problems);
      return undefined;
    }
    const bindings = bindingsFor(content.variables, this.#readable, variables);
    return (answer, outcome, exchange) => {
      const failed = (error: unknown): BodyReply => {
        const why = error instanceof EvaluationError ? { code: error.code, position: error.position } : { err: error };
        return this.#keep(answer, exchange, { pointer, ...why });
      };
      const filled = (value: JsonValue | undefined): BodyReply =>
        value === undefined
          ? this.#keep(answer, exchange, { pointer, reason: 'it evaluated to nothing' })
          : withBody(answer, value);
      try {
        const value = content.evaluate(outcome, bindings(exchange), exchange.work);
        return value instanceof Promise ? value.then(filled).catch(failed) : filled(value);
      } catch (error) {
        return failed(error);
      }
    };
  }

  /** Throws an OptionsError if any body has a fault. */
  check(): void {
    if (this.#problems.length > 0) throw new OptionsError(this.#problems);
  }

  /** What was decided stands: a sender that got a 5xx would send the request again. */
  #keep(answer: BodyReply, { requestId }: Exchange, fields: object): BodyReply {
    this.#context.log.warn({ requestId, ...fields }, 'the body of an answer could not be built: sent the standard one');
    return answer;
  }
}

function withBody({ status, headers }: BodyReply, value: JsonValue): BodyReply {
  if (typeof value !== 'string') return { status, ...(headers && { headers }), body: value };
  return { status, headers: { ...headers, 'content-type': 'text/plain; charset=utf-8' }, body: Buffer.from(value) };
}
