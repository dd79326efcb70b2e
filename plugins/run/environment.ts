export {
  baseEnvironment,
  type Environment,
  environmentProblems as faultsOfEnvironment,
  runEnvironment,
} from '../../src/run-kit/index.ts';
