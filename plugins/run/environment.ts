export {
  baseEnvironment,
  type Environment,
  environmentProblems as faultsOfEnvironment,
} from '../../src/run-kit/index.ts';
