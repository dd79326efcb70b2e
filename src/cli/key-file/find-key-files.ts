import { type CheckedFile, checkFile } from '../../config/check-file.ts';
import { ConfigReader } from '../../config/yaml/read-files.ts';

/** A file that declares an API key, or tries to. */
export interface KeyFile {
  /** The config folder as given, joined with the path below it. */
  readonly file: string;
  readonly id: string;
  readonly checked: CheckedFile;
}

/** Finds the files of all API keys below a config folder. Faults of other files do not matter. */
export async function findKeyFiles(root: string): Promise<readonly KeyFile[]> {
  const { files } = await new ConfigReader(root).read();
  return files.flatMap(({ file, bytes }) => {
    const checked = checkFile(bytes);
    const { kind, id } = checked.claims;
    return kind === 'ApiKey' && id !== undefined ? [{ file, id, checked }] : [];
  });
}

/** A file that declares a Gateway, or tries to. */
export type GatewayFile = Omit<KeyFile, 'id'>;

/** Finds the files below a config folder that declare a Gateway: one, unless the config has problems. */
export async function findGatewayFiles(root: string): Promise<readonly GatewayFile[]> {
  const { files } = await new ConfigReader(root).read();
  return files.flatMap(({ file, bytes }) => {
    const checked = checkFile(bytes);
    return checked.claims.kind === 'Gateway' ? [{ file, checked }] : [];
  });
}
