/** What the server says when it does not do what it was asked: a problem document (RFC 9457). */
export class ApiProblem extends Error {
  /** 0: there was no answer. */
  readonly status: number;
  /** Stable; '' when the answer was no problem document, or there was none. */
  readonly code: string;

  constructor(status: number, code: string, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.name = 'ApiProblem';
    this.status = status;
    this.code = code;
  }
}
