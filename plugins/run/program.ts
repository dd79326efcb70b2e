export { findProgram, type Program } from '../../src/run-kit/index.ts';
