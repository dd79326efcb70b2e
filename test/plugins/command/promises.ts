import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import t from 'tap';
import command from '../../../plugins/run/command/index.ts';
import type { Options } from '../../../plugins/run/command/options.gen.ts';
import { createRun, type RunPluginHarness } from '../../../src/run-kit/conformance.ts';
import { testPromises } from '../../support/run-plugin.ts';
import { defaults, isRunning, node, scriptOf } from './support.ts';

t.test('keeps what every run plugin promises', async (t) => {
  const noHttp = 'a program answers without HTTP';
  const harness: RunPluginHarness = {
    async open(behaviour, { maxResponse }) {
      const cwd = t.testdir();
      const argv: Options['argv'] = [node, '-e', scriptOf(behaviour)];
      const options: Options = { ...defaults, argv, cwd, output: 'json', maxOutput: maxResponse };
      const { run, close } = await createRun(command, options);
      const begun = () => {
        const file = resolve(cwd, 'begun');
        return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : [];
      };
      return {
        ...{ run, close },
        begun: () => begun().length,
        stopped: () => begun().every((pid) => !isRunning(pid)),
        received: () => '',
      };
    },
    exempt: {
      shutdown: 'a program would outlive the gateway, whose next start executes the run again',
      'foreign memory': 'a program remembers nothing that the gateway sends back',
      ...{ redirect: noHttp, reset: noHttp, statuses: noHttp, 'retry-after': noHttp },
    },
  };
  testPromises(t, harness);
});
