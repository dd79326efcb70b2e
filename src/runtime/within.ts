/** Resolves with what is promised, or with undefined after `timeoutMs`: whatever is promised continues. */
export async function within<T>(timeoutMs: number, promised: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    // A gateway that has stopped must not stay for it.
    timer = setTimeout(() => resolve(undefined), Math.max(0, timeoutMs)).unref();
  });
  try {
    return await Promise.race([promised, late]);
  } finally {
    clearTimeout(timer);
  }
}
