import { hash } from 'node:crypto';
import t from 'tap';
import { limitsOf } from '../../src/config/link/limit-config.ts';
import { type LimitSubject, limitExpression } from '../../src/host/limit-expression.ts';
import { WorkBudget } from '../../src/work/work-budget.ts';

function compiled(per: string, unit: 'runs' | 'requests' = 'runs') {
  const limits = [{ mode: 'enforce' as const, values: 10, per, [unit]: '60/1m' }];
  const [limit] = limitsOf({ level: 'trigger', owner: 'support/ask', file: 'ask.yaml', limits });
  if (limit === undefined) throw new Error('not valid');
  return limitExpression(limit, `the limit "${limit.name}"`);
}

function subjectOf(input: LimitSubject['input'], members: Partial<LimitSubject> = {}): LimitSubject {
  return {
    method: 'POST',
    query: 'shop=berlin&token=hunter2',
    headers: { 'user-agent': 'curl', 'x-api-key': 'pc_hunter2', authorization: 'Bearer hunter2' },
    ip: '192.0.2.1',
    caller: { id: 'website', permissions: new Set(), projects: 'all' },
    event: { name: 'push', id: '7', time: undefined },
    input,
    work: new WorkBudget(),
    receivedAt: 0,
    ...members,
  };
}

function found(per: string, input: LimitSubject['input'] = {}): string | undefined {
  const value = compiled(per).expression?.(subjectOf(input));
  return value?.ok === true ? value.value : undefined;
}

t.test('a limit that is not per expression has none', (t) => {
  t.strictSame(compiled('key'), { expression: undefined, findings: [] });
  t.end();
});

t.test('what an expression finds is a text', (t) => {
  t.equal(found('customer.id', { customer: { id: 'ada' } }), 'ada');
  t.equal(found('customer.id', { customer: { id: 7 } }), '7');
  t.equal(found('customer.isNew', { customer: { isNew: false } }), 'false');
  t.equal(found('customer.id'), '', 'absent');
  t.equal(found('customer.id', { customer: { id: null } }), '', 'null');
  t.equal(found('customer', { customer: { b: [1, 'x'], a: { d: null, c: 1 } } }), '{"a":{"c":1,"d":null},"b":[1,"x"]}');
  t.equal(found('customer', { customer: { b: 1, a: 2 } }), found('customer', { customer: { a: 2, b: 1 } }));
  t.equal(found('items.id', { items: [{ id: 1 }, { id: 2 }] }), '[1,2]');
  t.equal(found('[customer.id, $request.ip]', { customer: { id: 'ada' } }), '["ada","192.0.2.1"]');
  t.end();
});

t.test('of a text of more than 128 characters, the digest counts', (t) => {
  const long = 'x'.repeat(129);
  t.equal(found('customer.id', { customer: { id: long.slice(1) } }), long.slice(1));
  t.equal(found('customer.id', { customer: { id: long } }), `sha256:${hash('sha256', long)}`);
  t.equal(found('customer', { customer: { id: long } }), `sha256:${hash('sha256', JSON.stringify({ id: long }))}`);
  t.end();
});

t.test('it reads the request, its caller and its event, and no credential', (t) => {
  t.equal(found('$request.method & $request.ip & $request.query.shop'), 'POST192.0.2.1berlin');
  t.equal(found('$request.headers."user-agent"'), 'curl');
  t.equal(found('$caller.id & $event.name'), 'websitepush');
  t.notMatch(found('[$request, $caller, $event]'), 'hunter2');
  for (const secret of ['$request.headers."x-api-key"', '$request.headers.authorization', '$request.query.token']) {
    t.equal(found(secret), '');
  }
  t.end();
});

t.test('a fault of the body is a message without its values; exhausted work is thrown', (t) => {
  const { expression } = compiled('$number(customer.id)');
  const value = expression?.(subjectOf({ customer: { id: 'hunter2' } }));
  t.strictSame(value, {
    ok: false,
    message: 'per of the limit "60 runs/1m per $number(customer.id)" cannot be evaluated here',
  });
  const long = subjectOf({ customer: { id: 'x'.repeat(10_000) } }, { work: new WorkBudget(300) });
  t.throws(() => compiled('customer.id').expression?.(long), { name: 'WorkExhausted' });
  t.end();
});

t.test('what cannot be used is found when the config is loaded, at its place', (t) => {
  for (const [per, message, offset] of [
    ['customer.', /./, 9],
    ['"key"', /has the same value for every request/, undefined],
    ['($f := function($n) { $n = 0 ? customer.id : $f($n - 1) }; $f(depth))', /cannot be evaluated here/, undefined],
  ] as const) {
    const { expression, findings } = compiled(per);
    t.equal(expression, undefined);
    t.match(findings, [
      { code: 'bad_option', severity: 'error', message, place: { file: 'ask.yaml', pointer: '/limits/0/per' } },
    ]);
    if (offset !== undefined) t.equal(findings[0]?.place.offset, offset);
  }
  t.end();
});

t.test('a limit of requests reads nothing of the body, which has not been read', (t) => {
  for (const per of ['customer.id', '$.customer.id', '$$', '$keys($)', '*', '$request.ip & customer.id']) {
    const { expression, findings } = compiled(per, 'requests');
    t.equal(expression, undefined, per);
    t.match(findings, [{ severity: 'error', message: 'reads the body, before which requests are counted' }]);
  }
  for (const per of [
    '$request.query.shop',
    '$request.headers.origin',
    '$caller.id & $event.name',
    '$substring($request.ip, 0, 3)',
  ]) {
    t.strictSame(compiled(per, 'requests').findings, [], per);
  }
  t.end();
});

t.test('probable mistakes are warnings', (t) => {
  for (const [per, hint] of [
    ['keys', /Did you mean key\?/],
    ['IP', /Did you mean ip\?/],
    ['$request.headers."x-tenant"', /./],
    ['$user.id', /./],
  ] as const) {
    const { expression, findings } = compiled(per);
    t.ok(expression);
    t.match(findings, [{ code: 'option_warning', severity: 'warning', hint }], per);
  }
  t.strictSame(compiled('customer.key').findings, []);
  t.strictSame(compiled('`key`').findings, []);
  t.end();
});
