import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';

/** Returns the options of a script. With `--help` it prints the text and exits with 0; on wrong usage it exits with 2. */
export function scriptOptions<const Options extends ParseArgsOptionsConfig>(help: string, options: Options) {
  if (process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h')) {
    console.log(help);
    process.exit(0);
  }
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return wrongUsage(error.message);
  }
}

/** Returns the number that an option holds. Exits with 2 if it is not a whole number of at least `least`. */
export function wholeNumber(name: string, text: string, least = 1): number {
  const number = Number(text.replaceAll('_', ''));
  return Number.isSafeInteger(number) && number >= least
    ? number
    : wrongUsage(`--${name} must be a whole number of at least ${least}`);
}

export function wrongUsage(message: string): never {
  console.error(`${message}\n(see --help)`);
  process.exit(2);
}
