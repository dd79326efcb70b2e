export { targetUrl } from '../../src/run-kit/target-url.ts';
