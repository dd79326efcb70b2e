import { parentPort, workerData } from 'node:worker_threads';
import { planOfTexts } from './plan-of-texts.ts';

// A plan evaluates filters a thousand times: in a thread of its own, so that the gateway serves meanwhile.
const { folder, base, head, recorded } = workerData;
parentPort?.postMessage(await planOfTexts(folder, base, head, recorded));
