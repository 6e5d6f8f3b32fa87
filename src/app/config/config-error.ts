import { SluiceError } from '../../core/mod.ts';

/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  /** Dotted key, e.g. `http.port`; '' for the file as a whole. */
  readonly key: string;
  /** `sluice.yaml:12` or `environment variable SLUICE_HTTP_PORT`. */
  readonly where: string;
  /** What is wrong with which value, and what is right. */
  readonly message: string;
}

/** The configuration cannot be used; `problems` has every reason, not just the first. Code `config.invalid`. */
export class ConfigError extends SluiceError {
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[]) {
    super('config.invalid', problems.map(describe).join('\n'));
    this.problems = problems;
  }
}

const describe = ({ key, where, message }: ConfigProblem): string => `${where}: ${key === '' ? '' : `${key}: `}${message}`;
