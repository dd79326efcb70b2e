import t from 'tap';
import { compileFilter, compileTemplate, EvaluationError, ExpressionError, toPlain } from '../../src/filter/index.ts';

const customer = { name: 'Ada', plan: 'pro', tags: ['a', 'b'], none: null };

function rendered(source: string): unknown {
  return compileTemplate(source, { bindings: ['run'] }).render({ customer }, { run: { id: 'r7' } });
}

t.test('rendered templates', (t) => {
  for (const [source, expected] of [
    ['plain { text } with }} in it', 'plain { text } with }} in it'],
    ['', ''],
    ['{{customer.name}}', 'Ada'],
    ['Help {{ customer.name }}, who is on {{customer.plan}}.', 'Help Ada, who is on pro.'],
    ['{{ customer.tags }} {{ customer.tags[1] }} {{ $count(customer.tags) }}', '["a","b"] b 2'],
    ['<{{ customer.missing }}> <{{ customer.none }}> <{{ $sum }}>', '<> <null> <>'],
    ['{{ {"a": customer.plan} }}', '{"a":"pro"}'],
    ['{{ $run.id }}{{ "{{" }}', 'r7{{'],
  ] as const) {
    t.test(`a template renders ${JSON.stringify(source)} as ${JSON.stringify(expected)}`, async (t) => {
      t.equal(rendered(source), expected);
    });
  }
  t.end();
});

t.test('a template reports every fault at its offset in the text', (t) => {
  const faultsOf = (source: string) => {
    try {
      compileTemplate(source);
    } catch (error) {
      if (error instanceof ExpressionError) return error.problems;
      throw error;
    }
    return [];
  };
  t.match(faultsOf('ab {{ customer.'), [{ message: /no \}\}/, offset: 3 }]);
  t.match(faultsOf('{{ a }} {{ b[ }} {{ c( }}'), [{ offset: Number }, { offset: Number }]);
  t.ok((faultsOf('{{ a }} {{ b[ }}')[0]?.offset ?? 0) > 8);
  t.match(faultsOf('{{ $eval("1") }}'), [{ message: /eval/ }]);
  const { warnings } = compileTemplate('a {{ $rnu.id }}', { bindings: ['run'] });
  t.match(warnings, [{ message: /rnu/, offset: 5 }]);
  t.end();
});

t.test('a template fails like its expression and awaits an isolated one', async (t) => {
  t.throws(() => rendered('{{ $number(customer.name) }}'), EvaluationError);
  const template = compileTemplate('{{ ($f := function($n){ $n = 0 ? "done" : $f($n - 1) }; $f(3)) }}!');
  t.teardown(() => template.close());
  t.equal(await template.render({}), 'done!');
});

t.test('toPlain turns the value of an expression into plain JSON', (t) => {
  const value = compileFilter('{ "tags": customer.tags[$ != "x"], "sum": $sum, "list": [$sum, 1] }').evaluate({
    customer,
  });
  t.strictSame(toPlain(value), { tags: ['a', 'b'], list: [1] });
  t.equal(toPlain(undefined), undefined);
  t.end();
});
