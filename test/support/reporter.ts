// How `npm test` prints its results. Named in .taprc, which cannot choose by where they are printed.
import { Base } from '@tapjs/reporter';
import { FailuresLast } from './failures-last.ts';

export default process.stdout.isTTY ? Base : FailuresLast;
