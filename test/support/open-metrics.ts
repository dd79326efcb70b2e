/** A metric of OpenMetrics text, by the name that is declared. */
export interface ParsedFamily {
  readonly type: string;
  readonly help: string;
  /** By name and labels as they stand in the text. */
  readonly samples: Map<string, ParsedSample>;
}

export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly exemplar?: {
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
    readonly at: number;
  };
}

const suffixes: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total', '_created'],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count', '_created'],
  summary: ['', '_sum', '_count', '_created'],
  info: ['_info'],
};

const pair = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"/;
const labelsPattern = `(?:${pair.source}(?:,${pair.source})*)?`;
const number = '[+-]?(?:\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?|Inf)|NaN';
const samplePattern = new RegExp(
  `^([a-zA-Z_:][\\w:]*)(?:\\{(${labelsPattern})\\})? (${number})(?: # \\{(${labelsPattern})\\} (${number}) (\\d+(?:\\.\\d+)?))?$`,
);

/** Parses OpenMetrics 1.0 text, and throws on whatever its specification forbids. */
export function parseOpenMetrics(text: string): ReadonlyMap<string, ParsedFamily> {
  const families = new Map<string, ParsedFamily>();
  if (!text.endsWith('\n# EOF\n')) throw new Error('the text does not end with # EOF and a line break');
  let current: string | undefined;
  let declared: { name: string; help: string } | undefined;
  for (const line of text.slice(0, -'# EOF\n'.length).split('\n').slice(0, -1)) {
    const help = /^# HELP (\S+) (.*)$/.exec(line);
    const type = /^# TYPE (\S+) (\w+)$/.exec(line);
    if (help !== null) {
      declared = { name: help[1] ?? '', help: help[2] ?? '' };
      current = undefined;
    } else if (type !== null) {
      const [, name = '', kind = ''] = type;
      if (declared?.name !== name) throw new Error(`TYPE without its HELP: ${line}`);
      if (families.has(name)) throw new Error(`declared twice: ${name}`);
      if (suffixes[kind] === undefined) throw new Error(`an unknown type: ${line}`);
      families.set(name, { type: kind, help: declared.help, samples: new Map() });
      current = name;
    } else {
      addSample(line, current, current === undefined ? undefined : families.get(current));
    }
  }
  for (const [name, { type, samples }] of families) {
    if (families.has(`${name}_total`) || families.has(`${name}_info`)) throw new Error(`${name} clashes`);
    if (type === 'histogram') checkHistogram(name, [...samples.values()]);
  }
  return families;
}

function addSample(line: string, current: string | undefined, family: ParsedFamily | undefined): void {
  const found = samplePattern.exec(line);
  if (found === null) throw new Error(`no sample: ${line}`);
  const [whole, name = '', labels] = found;
  if (current === undefined || family === undefined) throw new Error(`a sample without a family: ${whole}`);
  if (!suffixes[family.type]?.some((suffix) => name === current + suffix)) {
    throw new Error(`${name} is no name of a ${family.type} ${current}`);
  }
  const key = `${name}{${labels ?? ''}}`;
  if (family.samples.has(key)) throw new Error(`twice: ${key}`);
  const groups = line.split(' # ');
  const [, traced] = groups;
  const value = numberOf(/(\S+)$/.exec(groups[0] ?? '')?.[1]);
  if (family.type === 'counter' && !(value >= 0)) throw new Error(`a counter below 0: ${line}`);
  const exemplar = traced === undefined ? undefined : exemplarOf(traced);
  if (exemplar !== undefined && !/_bucket$|_total$/.test(name)) throw new Error(`no place for an exemplar: ${line}`);
  family.samples.set(key, { name, labels: labelsOf(labels ?? ''), value, ...(exemplar && { exemplar }) });
}

function exemplarOf(text: string) {
  const [, labels = '', value, at] = /^\{(.*)\} (\S+) (\S+)$/.exec(text) ?? [];
  const parsed = labelsOf(labels);
  if (Object.entries(parsed).flat().join('').length > 128) throw new Error(`an exemplar of more than 128: ${text}`);
  return { labels: parsed, value: numberOf(value), at: numberOf(at) };
}

function labelsOf(text: string): Readonly<Record<string, string>> {
  const found = [...text.matchAll(new RegExp(pair, 'g'))].map(([, name = '', value = '']) => {
    return [name, value.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped))] as const;
  });
  const labels = Object.fromEntries(found);
  if (Object.keys(labels).length !== found.length) throw new Error(`a label twice: ${text}`);
  return labels;
}

function numberOf(text = ''): number {
  return Number(text.replace('Inf', 'Infinity'));
}

function checkHistogram(name: string, samples: readonly ParsedSample[]): void {
  const series = new Map<string, { last: number; bound: number; count?: number }>();
  for (const { name: of, labels, value, exemplar } of samples) {
    const { le, ...others } = labels;
    const key = JSON.stringify(others);
    const seen = series.get(key) ?? { last: 0, bound: -Infinity };
    series.set(key, seen);
    if (of === `${name}_count`) seen.count = value;
    if (of !== `${name}_bucket`) continue;
    if (le === undefined || !/^\+Inf$|\./.test(le)) throw new Error(`${name}: le="${le}" is not canonical`);
    const bound = numberOf(le);
    if (!(bound > seen.bound) || value < seen.last) throw new Error(`${name}: buckets do not rise at ${le}`);
    if (exemplar !== undefined && !(exemplar.value <= bound && exemplar.value > seen.bound)) {
      throw new Error(`${name}: an exemplar of another bucket at ${le}`);
    }
    Object.assign(seen, { bound, last: value });
  }
  for (const [key, { last, bound, count }] of series) {
    if (bound !== Infinity || count !== last) throw new Error(`${name}${key}: +Inf ${last} is not the count ${count}`);
  }
}
