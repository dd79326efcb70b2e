/** The filter engine, published as `pullcord/filter`: JSONata over untrusted input. It does not depend on the gateway. */
export { WorkBudget, WorkExhausted } from '../work/work-budget.ts';
export type { BindingNames, BindingShape } from './advice/binding-shape.ts';
export { type CompileOptions, compileFilter } from './compile-filter.ts';
export { describeErrorCode, errorWords } from './error-words.ts';
export { EvaluationError } from './evaluation-error.ts';
export { ExpressionError, type ExpressionProblem } from './expression-error.ts';
export type * from './filter-expression.ts';
export { NoWorkerError } from './isolation/worker-pool.ts';
export type { Bindings, Circumstances, EvaluationOptions, FilterLimits } from './limits.ts';
export { compileTemplate, type Template } from './template.ts';
export { toPlain } from './to-plain.ts';
