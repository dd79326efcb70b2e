import { readFileSync } from 'node:fs';

/** How often the processes above are looked at, in milliseconds: it takes two system calls. */
const lookEveryMs = 250;

export interface NpmParent {
  /** Calls back once when npm, or the shell in between, has gone. The gateway would keep its ports without anybody who knows it. */
  onGone(callback: () => void): void;
  /** Looks no longer. */
  ignore(): void;
}

/**
 * The npm that runs this process, through a shell or not; undefined if there is none, or if the process was detached on
 * purpose. npm passes SIGTERM to its shell alone, which ends without passing it on, and nothing at all if it is killed.
 */
export function npmParent(env: NodeJS.ProcessEnv, proc = '/proc'): NpmParent | undefined {
  if (env.npm_lifecycle_event === undefined) return undefined;
  const parent = process.ppid;
  const own = statOf(proc, 'self');
  const above = statOf(proc, parent);
  // With init as its parent, it has outlived its script already, or npm is the init of a container.
  if (parent <= 1 || own?.group !== above?.group || isInBackground(proc, parent)) return undefined;
  // The terminal or the script that started npm may end: npm is still there.
  const ownerOf = isOutsideScript(proc, parent) ? () => undefined : () => statOf(proc, parent)?.parent;
  const owner = ownerOf();
  let timer: NodeJS.Timeout | undefined;
  return {
    onGone(callback) {
      timer = setInterval(() => {
        if (process.ppid === parent && ownerOf() === owner) return;
        clearInterval(timer);
        callback();
      }, lookEveryMs).unref();
    },
    ignore: () => clearInterval(timer),
  };
}

interface ProcessStat {
  readonly parent: number;
  readonly group: number;
}

/** Undefined where there is no such folder, as on macOS, or no such process. */
function statOf(proc: string, pid: number | 'self'): ProcessStat | undefined {
  try {
    const text = readFileSync(`${proc}/${pid}/stat`, 'latin1');
    // The name of the program, in parentheses, may contain anything (proc_pid_stat(5)).
    const [, parent, group] = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    return parent === undefined || group === undefined ? undefined : { parent, group };
  } catch {
    return undefined;
  }
}

/** Whether a process is npm itself, which the shell of its script has left alone with the gateway by becoming it. */
function isOutsideScript(proc: string, pid: number): boolean {
  try {
    const variables = readFileSync(`${proc}/${pid}/environ`, 'latin1').split('\0');
    return !variables.some((variable) => variable.startsWith('npm_lifecycle_event='));
  } catch {
    return false;
  }
}

/** Whether the script means the gateway to outlive it. */
function isInBackground(proc: string, parent: number): boolean {
  try {
    const [, option, script = ''] = readFileSync(`${proc}/${parent}/cmdline`, 'utf8').split('\0');
    return option === '-c' && /\b(?:nohup|setsid|disown)\b|(?<![&>])&(?![&>])/.test(script);
  } catch {
    return false;
  }
}
